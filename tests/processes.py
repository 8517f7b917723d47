"""The whole product as real processes on free ports: web, worker and both simulators, on a database of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Product:
    """A running product. `url` is its address; `environment` what its processes were started with."""

    url: str
    payments_url: str
    carrier_url: str
    data: Path
    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _offset: int = 0

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        log = (self.data / f"{name}.log").open("ab")
        process = subprocess.Popen(command, cwd=ROOT, env=dict(self.environment), stdout=log, stderr=subprocess.STDOUT)
        self.processes[name] = process
        return process

    def start_worker(self, name: str = "worker") -> subprocess.Popen[bytes]:
        return self.start(name, sys.executable, "-m", "app.scheduler")

    def flask(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def now(self) -> datetime:
        """The product's own time."""
        return datetime.now(UTC) + timedelta(seconds=self._offset)

    def move_clock_to(self, moment: datetime) -> None:
        """Let all processes of the product live at `moment` from now on; time never runs back."""
        wanted = int((moment - datetime.now(UTC)).total_seconds()) + 1
        if wanted > self._offset:
            self._offset = wanted
            draft = self.data / "clock.draft"
            draft.write_text(str(wanted))
            draft.replace(self.data / "clock")

    def log_of(self, name: str) -> str:
        return (self.data / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the address answers; fail with the process's log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer:\n{log.read_text(errors='replace')[-3000:]}")


@contextmanager
def running_product(
    data: Path, database_url: str = "", *, seed_scale: str | None = None, worker: bool = True, **extra: str
) -> Iterator[Product]:
    """Start everything on free ports; stop it at the end. Without `seed_scale` there are only the item list and
    the accounts of the sign-in panel; with it, demonstration data."""
    data.mkdir(parents=True, exist_ok=True)
    web, payments, carrier = free_port(), free_port(), free_port()
    environment = {
        **os.environ,
        "CHAOSHI_ENV": "development",
        "CHAOSHI_DATA": str(data),
        "CHAOSHI_DATABASE_URL": database_url,
        "CHAOSHI_PUBLIC_URL": f"http://127.0.0.1:{web}",
        "PORT": str(web),
        "CHAOSHI_CLOCK_FILE": str(data / "clock"),
        "STRIPE_BASE_URL": f"http://127.0.0.1:{payments}",
        "EMS_BASE_URL": f"http://127.0.0.1:{carrier}/sim/ems/amp-prod-api/f/amp/api/open",
        **extra,
    }
    product = Product(
        url=f"http://127.0.0.1:{web}",
        payments_url=f"http://127.0.0.1:{payments}",
        carrier_url=f"http://127.0.0.1:{carrier}",
        data=data,
        environment=environment,
    )
    try:
        product.flask("db", "upgrade")
        python = sys.executable
        pay = product.start(
            "payments", python, "-m", "payments.simulator", "--port", str(payments), "--data", str(data / "pay")
        )
        ems = product.start(
            "carrier", python, "-m", "delivery.simulator", "--port", str(carrier), "--data", str(data / "ems"),
            "--factor", "14400",
        )  # fmt: skip
        wait_for(f"{product.payments_url}/healthz", pay, data / "payments.log")
        wait_for(f"{product.carrier_url}/healthz", ems, data / "carrier.log")
        if seed_scale:
            product.flask("demo", "seed", "--scale", seed_scale)
        else:
            product.flask("demo", "cast")
        site = product.start(
            "web", python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(web),
            "--workers", "1", "--blocking-threads", "2", "--no-ws", "--log-level", "warning", "wsgi:app",
        )  # fmt: skip
        wait_for(f"{product.url}/healthz", site, data / "web.log")
        if worker:
            product.start_worker()
        yield product
    finally:
        product.stop()
