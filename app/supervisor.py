"""python -m app.supervisor: everything that a demonstration or a developer needs, started and stopped together.

Migrates the database, fills it with demonstration data when it is empty, then runs the two simulators, the worker and
the web server as their own processes. The first one that ends takes the others with it.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from app.settings import Mode, Settings

STOP_SECONDS = 30
START_SECONDS = 60


def commands(port: int, data: Path, workers: int, threads: int) -> dict[str, list[str]]:
    """Return the command line of each process by its name."""
    python = sys.executable
    return {
        "payments simulator": [
            python, "-m", "payments.simulator", "--port", os.environ.get("STRIPE_SIMULATOR_PORT", "8421"),
            "--data", str(data / "payments-simulator"),
        ],
        "carrier simulator": [
            python, "-m", "delivery.simulator", "--port", os.environ.get("EMS_SIMULATOR_PORT", "8422"),
            "--data", str(data / "carrier-simulator"),
        ],
        "web": [
            python, "-m", "granian", "--interface", "wsgi", "--host", os.environ.get("HOST", "127.0.0.1"),
            "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads),
            "--no-ws", "--log-level", "warning", "wsgi:app",
        ],
        "worker": [python, "-m", "app.scheduler"],
    }  # fmt: skip


class Supervisor:
    """Starts the processes, waits for the first to end or for a signal, stops the rest in reverse order."""

    def __init__(self, wanted: dict[str, list[str]]) -> None:
        self.wanted = wanted
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.signal(signal.SIGINT, self._ask_to_stop)
        for name, command in self.wanted.items():
            self.running[name] = subprocess.Popen(command, start_new_session=True)
        ended = self._wait()
        self._stop()
        if ended and not self.stopping:
            sys.stderr.write(f"{ended} ended by itself\n")
            return 1
        return 0

    def _wait(self) -> str | None:
        while not self.stopping:
            for name, process in self.running.items():
                if process.poll() is not None:
                    return name
            time.sleep(0.2)
        return None

    def _ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _stop(self) -> None:
        for process in reversed(self.running.values()):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def prepare() -> None:
    """Bring the database to the present schema and fill an empty one with demonstration data."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    subprocess.run([*flask, "db", "upgrade"], check=True)
    if os.environ.get("CHAOSHI_DEMO", "1") == "1":
        subprocess.run(
            [*flask, "demo", "seed", "--if-empty", "--scale", os.environ.get("CHAOSHI_DEMO_SCALE", "0.5")], check=True
        )


def announce(port: int) -> None:
    """Say where the product is, once it answers."""
    if os.fork():
        return
    url = f"http://127.0.0.1:{port}/"
    for _ in range(START_SECONDS * 4):
        try:
            urllib.request.urlopen(url + "healthz", timeout=2).read()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
            continue
        sys.stdout.write(f"\n  Chaoshi is served at {url}  (stop with Ctrl-C)\n\n")
        sys.stdout.flush()
        break
    os._exit(0)


def _follow_moved_simulators() -> None:
    """A simulator on another port is still the partner to talk to, unless another address is given."""
    for name, key, credential, base in (
        ("STRIPE_SIMULATOR_PORT", "STRIPE_BASE_URL", "STRIPE_SECRET_KEY", Settings.stripe_base_url),
        ("EMS_SIMULATOR_PORT", "EMS_BASE_URL", "EMS_AUTHORIZATION", Settings.ems_base_url),
    ):
        if name in os.environ and credential not in os.environ:
            address = urlsplit(base)
            os.environ.setdefault(key, address._replace(netloc=f"{address.hostname}:{os.environ[name]}").geturl())


def main() -> int:
    """Run all of it. Refuses in production, where each process has its own unit."""
    _follow_moved_simulators()
    settings = Settings.from_env()
    if settings.mode is Mode.PRODUCTION:
        sys.stderr.write("the supervisor starts simulators and is not for production; see README, Deploy\n")
        return 2
    port = int(os.environ.get("PORT", "8000"))
    prepare()
    announce(port)
    workers = int(os.environ.get("WEB_WORKERS", str(os.cpu_count() or 1)))
    threads = int(os.environ.get("WEB_THREADS", "1"))
    return Supervisor(commands(port, settings.data_dir, workers, threads)).run()


if __name__ == "__main__":
    raise SystemExit(main())
