"""Serving on a port that can be closed for a while, so that connecting is really refused."""

import threading
from collections.abc import Callable, Iterable
from typing import Final

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

POLL_SECONDS: Final = 0.05


class QuietHandler(WSGIRequestHandler):
    """No access log: its lines would carry waybill numbers. Connections stay open, as the platform keeps them."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class Doors:
    """A threaded server that closes its port on `close_for` and opens the same one again."""

    def __init__(self, host: str, port: int, application: Callable[..., Iterable[bytes]]) -> None:
        self._host = host
        self._application = application
        self._stopping = threading.Event()
        self._closed_for = 0.0
        self._server = self._open(port)
        self.port: int = self._server.port

    def serve(self) -> None:
        """Until `stop`."""
        while True:
            self._server.serve_forever(poll_interval=POLL_SECONDS)
            self._server.server_close()
            if self._stopping.wait(self._closed_for):
                return
            self._server = self._open(self.port)

    def close_for(self, seconds: float) -> None:
        """Nobody can connect for so long; calls that are under way are answered."""
        self._closed_for = min(seconds, 600.0)
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def stop(self) -> None:
        """Serve no more; returns at once."""
        self._stopping.set()
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def _open(self, port: int) -> BaseWSGIServer:
        return make_server(self._host, port, self._application, threaded=True, request_handler=QuietHandler)
