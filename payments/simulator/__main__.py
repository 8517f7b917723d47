"""``python -m payments.simulator --port 8421 --data DIR``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from payments.simulator.application import open_simulator
from payments.simulator.interlocks import StartRefused, check_surroundings
from payments.simulator.webhooks import Deliverer

log = logging.getLogger("payments.simulator")


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: card numbers and secrets must not reach a log."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; 2 when the surroundings forbid it."""
    parser = argparse.ArgumentParser(prog="python -m payments.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8421)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--data", default="data/payments-simulator", help="directory of the SQLite file")
    parser.add_argument(
        "--public-url", default=os.environ.get("PAYSIM_PUBLIC_URL"), help="where a browser reaches the cashier page"
    )
    options = parser.parse_args(arguments)
    try:
        check_surroundings(os.environ, options.host)
    except StartRefused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s payments.simulator %(message)s")
    simulator = open_simulator(options.data, options.public_url or f"http://{options.host}:{options.port}")
    server = make_server(options.host, options.port, simulator, threaded=True, request_handler=_Handler)
    deliverer = Deliverer(simulator.backend)
    deliverer.start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    log.info("listening on http://%s:%s (simulated; no real money moves)", options.host, options.port)
    server.serve_forever()
    deliverer.stop()
    deliverer.join(timeout=15)
    simulator.backend.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
