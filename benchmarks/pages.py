"""`python -m benchmarks.pages [--listings 20000]`: list, search and detail pages against a bare Flask page in the same run.

Two measurements. In process: CPU per request and SQL statements per page, without a server, each page interleaved with the others.
Over HTTP: requests per second and p50/p99 behind granian, as many workers as cores, eight keep-alive connections.
"""

import argparse
import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app.kernel.db import db
from benchmarks import market
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ServiceItem
from marketplace.models.listings import Listing

WORDS = (
    "环境影响", "测绘", "勘测定界", "可行性研究", "水土保持", "造价", "监理", "检测", "评估", "安全评价", "房产测绘",
    "全过程 服务", "环境 现场踏勘", "huanjing", "cehui", "专家评审 检测", "信诚 测绘", "雷电", "规划", "审计",
)  # fmt: skip
CITIES = ("320100", "320200", "320500", "321000", "321300")
CONNECTIONS = 8


def bare_page() -> Flask:
    """The floor: Flask alone, one JSON object."""
    app = Flask("bare")

    @app.get("/")
    def page() -> dict[str, str]:
        return {"hello": "world"}

    return app


def paths(app: Flask) -> dict[str, list[str]]:
    """The addresses asked for, by page; many each, so that no cache of answers helps."""
    chance = random.Random(5)
    with app.app_context():
        listings = db.session.scalars(sa.select(Listing.id).limit(4000)).all()
        agencies = db.session.scalars(sa.select(Agency.id)).all()
        rows = db.session.execute(sa.select(Agency.id, Agency.name).order_by(Agency.name).offset(100).limit(900)).all()
        items = db.session.scalars(sa.select(ServiceItem.id)).all()
    searches = [
        f"/search?q={word}&page={page}&sort={sort}"
        + (f"&city={city}" if city else "")
        + (f"&limit={limit}" if limit else "")
        for word in WORDS
        for page in (1, 2)
        for sort in ("relevance", "price", "rating")
        for city in ("", *CITIES)
        for limit in (0, 5, 15)
    ]
    chance.shuffle(searches)
    return {
        "home": ["/"],
        "search": searches,
        "search as JSON": [f"/api{s}" for s in searches],
        "browse (no words)": [
            f"/search?page={n}&sort={s}" for n in range(1, 300) for s in ("relevance", "price", "limit")
        ],
        "list of agencies": [f"/agencies?after={row.id}~{row.name}" for row in rows],
        "list of offers as JSON": [
            f"/api/listings?after={i}" for i in chance.sample(listings, min(900, len(listings)))
        ],
        "service list": ["/services"],
        "item": [f"/services/{i}" for i in items],
        "offer": [f"/listings/{i}" for i in chance.sample(listings, min(900, len(listings)))],
        "agency": [f"/agencies/{i}" for i in chance.sample(agencies, min(900, len(agencies)))],
        "suggest": [f"/api/suggest?q={w[:n]}" for w in WORDS for n in (1, 2, 3)],
    }


# in process


def in_process(app: Flask, asked: dict[str, list[str]], rounds: int) -> dict[str, tuple[float, float, float, int]]:
    """CPU ms per request (mean), p50 and p99 of the time in ms, and SQL statements, by page."""
    floor = bare_page().test_client()
    client = app.test_client()
    sent = [0]
    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *_: sent.__setitem__(0, sent[0] + 1))
    cpu: dict[str, list[float]] = {name: [] for name in ("bare Flask", *asked)}
    wall: dict[str, list[float]] = {name: [] for name in cpu}
    statements: dict[str, int] = {"bare Flask": 0}
    for turn in range(rounds + 20):
        for name in tuple(cpu):
            path = "/" if name == "bare Flask" else asked[name][turn % len(asked[name])]
            get: Callable[..., object] = floor.get if name == "bare Flask" else client.get
            sent[0], began, spent = 0, time.perf_counter(), time.process_time()
            response = get(path)
            used, took = time.process_time() - spent, time.perf_counter() - began
            if getattr(response, "status_code", 0) != 200:
                raise RuntimeError(f"{path} answered {response}")
            if turn >= 20:
                cpu[name].append(used * 1000)
                wall[name].append(took * 1000)
                # BEGIN and ROLLBACK are no statements of the page
                statements[name] = max(statements.get(name, 0), sent[0])
    return {
        name: (statistics.mean(cpu[name]), _quantile(wall[name], 0.5), _quantile(wall[name], 0.99), statements[name])
        for name in cpu
    }


# over HTTP


def over_http(folder: Path, asked: dict[str, list[str]], seconds: float) -> dict[str, tuple[float, float, float]]:
    """Requests per second, p50 and p99 in ms behind granian, by page."""
    results = {}
    with _served("benchmarks.pages:bare_application", {}) as port:
        results["bare Flask"] = asyncio.run(_load(port, ["/"], seconds))
    with _served("benchmarks.pages:product", {"BENCH_FOLDER": str(folder)}) as port:
        for name, addresses in asked.items():
            results[name] = asyncio.run(_load(port, addresses, seconds))
    return results


def bare_application() -> Flask:
    """What granian serves for the floor."""
    return bare_page()


def product() -> Flask:
    """What granian serves for the product."""
    return market.application(Path(os.environ["BENCH_FOLDER"]))


class _served:  # noqa: N801 - used as a statement
    def __init__(self, target: str, environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", str(os.cpu_count() or 2), "--blocking-threads", "1", "--backpressure", "64", "--log-level", "warning", target,
        ]  # fmt: skip
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)

    def __enter__(self) -> int:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                time.sleep(2)  # the other worker
                return self.port
        raise RuntimeError("the server did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)


async def _load(port: int, addresses: list[str], seconds: float) -> tuple[float, float, float]:
    times: list[float] = []
    queue = _endless(addresses)
    await asyncio.gather(*(_connection(port, queue, 1.0, []) for _ in range(CONNECTIONS)))
    began = time.perf_counter()
    await asyncio.gather(*(_connection(port, queue, seconds, times) for _ in range(CONNECTIONS)))
    took = time.perf_counter() - began
    return len(times) / took, _quantile(times, 0.5), _quantile(times, 0.99)


def _endless(addresses: list[str]) -> Iterator[bytes]:
    from urllib.parse import quote

    lines = [
        f"GET {quote(a, safe='/?=&~:')} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n".encode()
        for a in addresses
    ]
    while True:
        yield from lines


async def _connection(port: int, queue: Iterator[bytes], seconds: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        writer.write(next(queue))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise RuntimeError(head.decode(errors="replace")[:200])
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        times.append((time.perf_counter() - began) * 1000)
    writer.close()


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(arguments: list[str] | None = None) -> None:
    """Fill a database, measure, print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--folder", type=Path, help="keep or reuse the market in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        app = market.application(folder)
        with app.app_context():
            if not sa.inspect(db.engine).has_table("listing"):
                began = time.process_time()
                market.fill(options.listings)
                print(f"{options.listings} listings, index built: {time.process_time() - began:.0f} s of CPU")
        asked = paths(app)
        measured = in_process(app, asked, options.rounds)
        served = over_http(folder, asked, options.seconds)
    floor = measured["bare Flask"][0]
    print("| page | requests/s | p50 / p99 ms | CPU ms | times bare | SQL |")
    print("|---|---|---|---|---|---|")
    for name, (cpu, _p50, _p99, count) in measured.items():
        rate, middle, slow = served[name]
        print(f"| {name} | {rate:,.0f} | {middle:.1f} / {slow:.1f} | {cpu:.2f} | {cpu / floor:.1f} | {count} |")


if __name__ == "__main__":
    main()
