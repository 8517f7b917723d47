"""`python -m delivery.simulator --port 8422 --data DIR`: run the simulated EMS platform on the loopback interface."""

import argparse
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from delivery.simulator.clock import ClockMode, SimClock
from delivery.simulator.doors import Doors
from delivery.simulator.pushes import Pusher
from delivery.simulator.server import create_simulator
from delivery.simulator.store import FIRST_CUSTOMER, Customer, Store
from delivery.simulator.world import World

TICK_SECONDS = 0.25


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    options = _options(arguments)
    if os.environ.get("CHAOSHI_ENV") == "production":
        print("The EMS simulator does not run in production (CHAOSHI_ENV=production).", file=sys.stderr)
        return 2
    if "api.ems.com.cn" in os.environ.get("EMS_BASE_URL", ""):
        print("The EMS simulator does not run beside the real platform (EMS_BASE_URL).", file=sys.stderr)
        return 2
    data = Path(options.data)
    data.mkdir(parents=True, exist_ok=True)
    store = Store(data / "ems-simulator.sqlite")
    _first_customer(store, options.callback)
    world = World(store, SimClock(ClockMode(options.clock), options.factor), options.seed)
    pusher = Pusher(world, options.senders)
    application = create_simulator(world, pusher, _token(data))
    doors = Doors(options.host, options.port, application)
    world.close_doors = doors.close_for
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        doors.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threads = [
        threading.Thread(target=_repeat, args=(work, stopping), daemon=True)
        for work in (world.tick, pusher.run, application.aggregator.run)
    ]
    for thread in threads:
        thread.start()
    print(
        f"EMS simulator on http://{options.host}:{doors.port} (clock {options.clock}, factor {options.factor})",
        flush=True,
    )
    doors.serve()
    for thread in threads:
        thread.join(timeout=12)
    store.close()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m delivery.simulator", description="A simulated EMS open platform.")
    parser.add_argument("--port", type=int, default=8422)
    parser.add_argument("--data", default="data/ems-simulator", help="folder of the simulator's own SQLite file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--clock", choices=[mode.value for mode in ClockMode], default=os.environ.get("EMS_SIM_CLOCK", "scaled")
    )
    parser.add_argument("--factor", type=int, default=int(os.environ.get("EMS_SIM_FACTOR", "1440")))
    parser.add_argument("--senders", type=int, default=1, help="how many pushes are under way at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--callback", default=os.environ.get("EMS_SIM_CALLBACK", ""), help="where pushes of the first customer go"
    )
    return parser.parse_args(arguments)


def _first_customer(store: Store, callback: str) -> None:
    for environment in ("open", "test"):
        known = store.customer(FIRST_CUSTOMER.sender_no, environment)
        if known is None or (callback and known.callback != callback):
            store.keep_customer(
                Customer(
                    FIRST_CUSTOMER.sender_no,
                    environment,
                    FIRST_CUSTOMER.authorization,
                    FIRST_CUSTOMER.sign_key,
                    callback,
                    frozenset(),
                )
            )


def _token(data: Path) -> str:
    """The token of `/__sim__`: given in the environment, else made once and kept beside the data."""
    given = os.environ.get("EMS_SIM_TOKEN", "")
    if given:
        return given
    path = data / "admin-token"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()


def _repeat(work: object, stopping: threading.Event) -> None:
    """Call `work` until told to stop; a failure is told and does not end it."""
    assert callable(work)
    while not stopping.is_set():
        try:
            if work():
                continue  # there may be more
        except Exception as error:  # noqa: BLE001 - the simulated world goes on
            print(f"simulator: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            time.sleep(1)
        stopping.wait(TICK_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
