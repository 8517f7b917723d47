"""`python -m benchmarks.delivery [--orders 60000] [--rate 40]`: a day of parcels: simulator, pushes and polling on PostgreSQL.

Real processes: PostgreSQL, the EMS simulator with a manual clock, the product behind granian taking pushes, and this process
as the worker that follows notices and asks the carrier at the live pace. Two in a hundred pushes are dropped and two come
twice, so that the poller has something to find. At the end every order's events and status must equal the simulator's own.

Parcels are handed over in waves; after SIGINT or `--minutes` no further wave is, and what travels comes to its end. Without `--rate` simulated time runs as fast as the pushes are taken, which tells how much the product carries; with it so
many events happen a second, which tells how long an event takes to arrive.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import requests
import sqlalchemy as sa
from flask import Flask

from app.factory import create_app
from app.kernel import clock
from app.kernel.db import Base, db, transaction
from app.kernel.inbox import Notice
from app.settings import Mode, Settings
from benchmarks.orders import WAVE, book, hand_over, people, waves
from benchmarks.processes import cpu_seconds, free_port, postgresql, processes
from delivery.carriers.ems import mapping
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent
from delivery.observed import fold
from delivery.rules import Pace
from delivery.services.tracking import follow_notices, poll_due

TOKEN: Final = "benchmark"
STILL_MOVING: Final = 0.1
"""The next wave is handed over when so large a part of one is still on its way."""
TELL: Final = 30.0
"""Seconds between two lines of progress."""


class Post:
    """The simulator's operator: lets time pass as fast as its pushes are taken."""

    def __init__(self, url: str, file: Path) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["X-Sim-Token"] = TOKEN
        self._file = file
        self.done, self.stopping = threading.Event(), threading.Event()

    def tell(self, path: str, content: dict[str, Any]) -> None:
        """One admin call."""
        self._session.post(f"{self._url}/__sim__/{path}", data=json.dumps(content), timeout=600).raise_for_status()

    def pass_time(self, rate: float | None, still_moving: int = 0) -> None:
        """Let parcels travel until no more than so many are on their way.

        An hour at a time and as fast as pushes are taken, or minutes at a time with `rate` events a second.
        """
        begun, before = time.monotonic(), self.count("event")
        while self.moving() > still_moving:
            self.tell("clock", {"advance": "PT10M" if rate else "PT1H"})
            while self.waiting() > WAVE:
                time.sleep(0.2)
            if rate:
                time.sleep(max(0.0, (self.count("event") - before) / rate - (time.monotonic() - begun)))

    def finish(self) -> None:
        """Send what is left. What was refused for now is left to the poller."""
        while self.due():
            time.sleep(0.2)
        self.done.set()

    def moving(self) -> int:
        """Parcels that something will still happen to."""
        return int(self.ask("SELECT count(*) FROM parcel WHERE next_at IS NOT NULL AND waits_for_hand_in = 0")[0][0])

    def due(self) -> bool:
        """Whether a push could be sent now."""
        answer = self._session.get(f"{self._url}/__sim__/clock", timeout=600).json()
        now = datetime.fromisoformat(answer["now"]).isoformat(timespec="microseconds")
        return bool(self.ask(f"SELECT 1 FROM push WHERE due_at <= '{now}' LIMIT 1"))

    def count(self, table: str) -> int:
        """Rows of a table that only grows."""
        return int(self.ask(f"SELECT COALESCE(MAX(id), 0) FROM {table}")[0][0])

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
    begun = told = time.monotonic()
    before = 0
    while True:
        over = post.done.is_set()
        notices, asked = follow_notices(), poll_due(200)
        done["notices"] += notices
        done["asked"] += asked
        if over and not notices and not asked:
            return done
        if not notices and not asked:
            time.sleep(0.05)
        now = time.monotonic()
        if now - told > TELL:
            stored = _stored()
            print(
                f"  {now - begun:6.0f} s: {stored} events stored, {(stored - before) / (now - told):.0f}/s; {done['notices']} notices "
                f"followed, {done['asked']} questions, {post.count('event')} events happened, {post.waiting()} pushes wait, "
                f"load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            told, before = now, stored


def _stored() -> int:
    count = db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))) or 0
    db.session.rollback()
    return count


def sweep() -> int:
    """Ask about every parcel once more, as the poller does in the end; finds what dropped pushes left out."""
    with transaction() as session:
        session.execute(sa.update(Parcel).values(next_poll_at=clock.now()))
    asked = 0
    while found := poll_due(200):
        asked += found
    return asked


def compare(post: Post) -> dict[str, int]:
    """Our events and statuses beside the simulator's own, parcel by parcel."""
    columns = (Parcel.waybill_no, Parcel.observed_status, Parcel.id)
    ours = {number: (status, parcel_id) for number, status, parcel_id in db.session.execute(sa.select(*columns))}
    keys: dict[UUID, set[str]] = {parcel_id: set() for _, parcel_id in ours.values()}
    for parcel_id, key in db.session.execute(sa.select(CarrierEvent.parcel_id, CarrierEvent.key)):
        keys[parcel_id].add(key)
    open_notices = db.session.scalar(sa.select(sa.func.count()).select_from(Notice).where(Notice.done_at.is_(None)))
    db.session.rollback()  # what follows takes minutes without a statement: the server ends idle transactions
    figures: Counter[str] = Counter({"orders": len(ours), "lost": 0, "invented": 0, "statuses that differ": 0})
    for waybill_no, told in groupby(post.ask("SELECT waybill_no, item FROM event ORDER BY waybill_no"), itemgetter(0)):
        status, parcel_id = ours[waybill_no]
        reports = [mapping.report(json.loads(item), waybill_no) for _, item in told]
        theirs = [each.observation for each in reports if each is not None]
        figures["events of the simulator"] += len(reports)
        figures["lost"] += len({each.key for each in theirs} - keys[parcel_id])
        figures["invented"] += len(keys[parcel_id] - {each.key for each in theirs})
        figures["statuses that differ"] += status != fold(theirs).status
    return dict(figures) | {
        "events stored": sum(map(len, keys.values())),
        "notices open": open_notices or 0,
    }


def delays() -> tuple[float, float, float]:
    """Seconds from the arrival of a push to the transaction that stored its event: median, 99 in a hundred, longest.

    An event that an answer told before its own push came has waited for nothing.
    """
    waited = "greatest(0, extract(epoch FROM event.received_at - notice.received_at))"
    figures = ", ".join(f"percentile_cont({part}) WITHIN GROUP (ORDER BY {waited})" for part in (0.5, 0.99))
    db.session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    row = db.session.execute(sa.text(
        f"SELECT {figures}, max({waited}) FROM inbox_notice notice JOIN parcel ON parcel.waybill_no = notice.object_ref"
        " JOIN carrier_event event ON event.parcel_id = parcel.id AND event.key = notice.notice_id"
    )).one()  # fmt: skip
    return float(row[0] or 0), float(row[1] or 0), float(row[2] or 0)


def main(arguments: list[str] | None = None) -> None:
    """Run one day and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--minutes", type=float, help="hand nothing over after so many")
    parser.add_argument("--rate", type=float, help="events a second; without it as fast as they are taken")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="delivery-bench-"))
    web, simulator = free_port(), free_port()
    kinds = {
        f"-m delivery.simulator --port {simulator}": "simulator",
        f"wsgi --port {web}": "web",
        _database(folder): "database",
    }
    with postgresql(folder, _database(folder)) as url:
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
        app.extensions["delivery_pace"] = Pace()  # the simulator's presence would choose the demonstration's
        with app.app_context():
            Base.metadata.create_all(db.engine)
        addresses = (f"http://127.0.0.1:{simulator}/healthz", f"http://127.0.0.1:{web}/healthz")
        with processes(commands, environment, addresses, folder / "processes.log"):
            _day(
                app,
                Post(f"http://127.0.0.1:{simulator}", folder / "ems-simulator.sqlite"),
                options,
                kinds,
            )
    shutil.rmtree(folder, ignore_errors=True)


def _database(folder: Path) -> str:
    return folder.name.replace("-", "_")


def play(app: Flask, post: Post, options: argparse.Namespace) -> None:
    """The day at the halls' counters: wave after wave until all are handed over or the day is ended."""
    begun = time.monotonic()
    with app.app_context():
        halls, users = people()
        for start, tags in waves(options.orders, options.seed):
            if post.stopping.is_set():
                break
            hand_over(start, book(start, tags), halls, users)
            before, since = post.count("event"), time.monotonic()
            post.pass_time(options.rate, int(len(tags) * STILL_MOVING))
            happened, took = post.count("event") - before, time.monotonic() - since
            print(
                f"wave of {len(tags)} from {start}: {happened} events in {took:.0f} s ({happened / took:.0f}/s), "
                f"{time.monotonic() - begun:.0f} s since the beginning, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
        post.pass_time(options.rate)
        post.finish()


def _day(app: Flask, post: Post, options: argparse.Namespace, kinds: dict[str, str]) -> None:
    for fault in ("push_dropped", "push_duplicate"):
        post.tell("faults", {"fault": fault, "probability": 0.02, "seed": options.seed})
    signal.signal(signal.SIGINT, lambda *_: post.stopping.set())
    if options.minutes:
        threading.Timer(options.minutes * 60, post.stopping.set).start()
    with app.app_context():
        started, cpu = time.monotonic(), cpu_seconds(kinds)
        threading.Thread(target=play, args=(app, post, options), daemon=True).start()
        done = work(post)
        followed, before = time.monotonic(), _stored()
        swept = sweep()
        ended, taken = time.monotonic(), cpu_seconds(kinds) - cpu
        figures = compare(post)
        events = figures["events stored"]
        print(
            f"{done['notices']} notices followed, {done['asked']} questions; {before} events known after {followed - started:.0f} s"
        )
        print(
            f"{swept} parcels asked once more in {ended - followed:.0f} s: {events - before} events that no push had told"
        )
        print(
            f"{events / (ended - started):.0f} events/s from the first booking to the last question, load {os.getloadavg()[0]:.1f}"
        )
        print(
            "CPU, ms an event: "
            + ", ".join(f"{kind} {seconds / events * 1000:.2f}" for kind, seconds in sorted(taken.items()))
        )
        print("push received to event stored: p50 {:.2f} s, p99 {:.2f} s, longest {:.1f} s".format(*delays()))
        print(json.dumps(figures), flush=True)
        if figures["lost"] or figures["invented"] or figures["statuses that differ"] or figures["notices open"]:
            raise SystemExit("something was lost or read otherwise")


if __name__ == "__main__":
    main()
