"""`flask demo seed`: fill an empty database with an invented province at work."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Self

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import event
from tqdm import tqdm

from app.demo.bank_desk import at_the_bank
from app.demo.books import BookKeepers
from app.demo.carrier_bills import CarrierBills
from app.demo.cashier import Cashier, cashier_open
from app.demo.challenges import Challengers
from app.demo.counter import CounterDays, bills_of_other_kinds, leave_at_the_cashier
from app.demo.courier import courier_open
from app.demo.credit import judge_violations
from app.demo.desk import leave_on_the_desk
from app.demo.engagements import leave_open, publish_templates
from app.demo.hall import Hall
from app.demo.item_list import move_the_list
from app.demo.market import Market
from app.demo.names import Names
from app.demo.partners import Partners, receiver_open
from app.demo.payouts import Payouts
from app.demo.people import Cast, engage
from app.demo.post import Post
from app.demo.powers import register_powers
from app.demo.receivers import Receivers
from app.demo.refunds import MoneyBack
from app.demo.rounds import OwnRounds
from app.demo.shelf import Opening, Shelf, items_in_force
from app.demo.simulation import Simulation
from app.demo.transfers import BankDesk
from app.kernel import clock, outbox, work_calendar
from app.kernel.access import Role
from app.kernel.db import db
from app.kernel.jobs import Job
from app.settings import Mode
from approvals.models import Case
from delivery.models.parcels import Parcel
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ServiceItem
from marketplace.models.contracts import Contract
from marketplace.models.listings import Listing
from marketplace.models.procurements import Procurement, Registration
from marketplace.services import catalogue
from payments.models.bills import Bill

demo = AppGroup("demo", help="Demonstration data.")

AGENCIES: Final = 310
PURCHASES: Final = 72
CASES: Final = 56
OWNERS: Final = 32
APPLICANTS: Final = 30
DAYS: Final = 96
"""How long the world has been running today."""
OPENING_DAYS: Final = 16
"""In the first days nearly all agencies come in; then the purchases begin."""
LEFT_TO_THE_WORKER: Final = (
    "payments.",
    "delivery.",
    "identity.",
    "marketplace.search",
    "marketplace.replay",
    "marketplace.credit-of-the-day",
    "marketplace.violations",
)
"""Jobs that look after what outside partners forgot to tell, sweep up sessions, renew the search index, which the worker
builds from the filled database anyway, decide every result again, or score everybody's credit, which is done once at the end."""


@dataclass(frozen=True)
class World:
    """How large an invented world is, and for how many days it has been running today."""

    agencies: int
    purchases: int
    cases: int
    owners: int
    applicants: int
    days: int

    @classmethod
    def of_scale(cls, scale: float) -> Self:
        """The world of the demonstration, larger or smaller."""
        return cls(
            agencies=round(AGENCIES * scale),
            purchases=round(PURCHASES * scale),
            cases=round(CASES * scale),
            owners=round(OWNERS * max(0.4, scale)),
            applicants=round(APPLICANTS * max(0.3, scale)),
            days=DAYS,
        )


class NotEmpty(click.ClickException):
    """Demonstration data are only ever put into an empty database."""


@demo.command("seed")
@click.option("--scale", type=click.FloatRange(0.05, 20), default=1.0, show_default=True, help="Size of the world.")
@click.option("--seed", type=int, default=20261121, show_default=True, help="The same seed gives the same world.")
@click.option("--if-empty", is_flag=True, help="Do nothing, without an error, when there are data already.")
def seed_command(scale: float, seed: int, if_empty: bool) -> None:
    """Fill an empty database; takes a few minutes at scale 1."""
    if current_app.extensions["chaoshi_settings"].mode is Mode.PRODUCTION:
        raise click.ClickException("demonstration data do not belong into a production database")
    if not is_empty():
        if if_empty:
            return
        raise NotEmpty("the database is not empty; demonstration data were not added")
    began = clock.now()
    logging.disable(logging.ERROR)  # calls to simulators, and differences in the books that are meant to be there
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    counts = seed_world(app, World.of_scale(scale), seed)
    took = (clock.now() - began).total_seconds()
    click.echo(f"demonstration data in {took:.0f} s: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@demo.command("simulate")
@click.option("--agencies", type=click.IntRange(20), default=2000, show_default=True)
@click.option("--purchases", type=click.IntRange(10), default=10_000, show_default=True)
@click.option("--days", type=click.IntRange(60), default=365, show_default=True)
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed gives the same year.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Also write a page with plots there.")
def simulate_command(agencies: int, purchases: int, days: int, seed: int, report: Path | None) -> None:
    """Let a whole supermarket run for a year in an empty database, then examine everything that it left behind."""
    from app.demo.examination import examine
    from app.demo.year_report import write_report

    if current_app.extensions["chaoshi_settings"].mode is Mode.PRODUCTION:
        raise click.ClickException("a simulated year does not belong into a production database")
    if not is_empty():
        raise NotEmpty("the database is not empty; nothing was simulated")
    logging.disable(logging.INFO)
    began = clock.now()
    world = World(agencies, purchases, cases=agencies // 10, owners=max(12, purchases // 40), applicants=30, days=days)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    seed_world(app, world, seed)
    took = (clock.now() - began).total_seconds()
    findings = examine()
    click.echo(f"{days} days in {took:.0f} s ({took / purchases * 1000:.0f} ms for each purchase)")
    for line in findings.lines():
        click.echo(line)
    if report:
        heading = {"agencies": agencies, "purchases": purchases, "days": days, "seconds": round(took)}
        write_report(app, findings, heading, report)
        click.echo(f"report: {report}")
    if findings.problems:
        raise click.ClickException("; ".join(findings.problems[:20]))


@demo.command("cast")
def cast_command() -> None:
    """Only the item list and the accounts of the sign-in panel: an empty stage for a rehearsal."""
    if not is_empty():
        raise NotEmpty("the database is not empty; demonstration data were not added")
    cast = engage(Names(Random(0)), 0, 0)
    catalogue.load_item_list(cast.panel[Role.OPERATOR])
    department = cast.panel[Role.APPROVING_DEPARTMENT]
    assert department.organisation_id is not None
    register_powers(department, department.organisation_id)
    click.echo(f"{len(cast.panel)} accounts, {len(items_in_force())} items")


def is_empty() -> bool:
    """Whether the item list, the first thing a filled database has, is empty."""
    return db.session.scalar(sa.select(ServiceItem.id).limit(1)) is None


def seed_world(app: Flask, world: World, seed: int = 20261121, *, quiet: bool = False) -> dict[str, int]:
    """Let the world run from its first day until now. Returns how much of what there is.

    Raises whatever a service raises: a demonstration that cannot be played is a defect.
    """
    _write_without_waiting()
    end = clock.now()
    simulation = Simulation(end - dt.timedelta(days=world.days), end, work_calendar.current())
    names = Names(Random(seed))
    with clock.at(simulation.start):
        cast = engage(names, world.owners, world.applicants)
        catalogue.load_item_list(cast.panel[Role.OPERATOR])
        shelf = Shelf(items_in_force())
        publish_templates(cast, shelf)
    data = Path(app.config["DATA_DIR"]) / "payments-simulator"
    post = Path(app.config["DATA_DIR"]) / "carrier-simulator"
    with (
        cashier_open(app, data, lambda: simulation.now) as cashier,
        courier_open(app, post, lambda: simulation.now) as courier,
        receiver_open() as receiver,
    ):
        Opening(simulation, names, cast, shelf).plan(world.agencies, OPENING_DAYS)
        market = Market(simulation, names, cast, shelf, cashier)
        market.plan(world.purchases, simulation.start + dt.timedelta(days=OPENING_DAYS + 10))
        Hall(simulation, names, cast, courier, market).plan(world.cases, simulation.end - dt.timedelta(days=50))
        Challengers(simulation, cast, shelf).plan(simulation.start + dt.timedelta(days=OPENING_DAYS + 14))
        own_rounds = OwnRounds(cast, names)
        own_rounds.plan(simulation)
        hall_post = Post(simulation, names, cast, courier)
        hall_post.plan()
        receivers = Receivers(simulation, cast, hall_post)
        receivers.plan()
        carrier_bills = CarrierBills(simulation, cast, hall_post)
        carrier_bills.plan()
        money = MoneyDesk(simulation, cast, shelf, cashier, receiver)
        money.plan()
        simulation.run(_worker(app), _progress(simulation, quiet=quiet))
        judge_violations(simulation, cast, shelf)
        with clock.at(simulation.end):
            leave_on_the_desk(cast)
            move_the_list(cast)
            leave_open(cast, shelf)
            own_rounds.leave_one()
            hall_post.leave_on_the_shelves()
            receivers.leave_open()
            carrier_bills.leave_one_open()
            bills_of_other_kinds(names.random)
            leave_at_the_cashier(cast, cashier)
            money.leave_open()
    return _counts()


class MoneyDesk:
    """Everything that happens at the payment counter besides the bills of contracts."""

    def __init__(self, simulation: Simulation, cast: Cast, shelf: Shelf, cashier: Cashier, receiver: str) -> None:
        self._cast = cast
        bank = BankDesk(simulation, cast)
        self._counter = CounterDays(simulation, cast, cashier, bank)
        self._desks = (
            Partners(simulation, cast, receiver),
            MoneyBack(simulation, cast, cashier),
            bank,
            Payouts(simulation, cast, shelf),
        )
        self._books = BookKeepers(simulation, cast, cashier)

    def plan(self) -> None:
        """Plan what happens until today."""
        self._counter.plan()
        for desk in (*self._desks, self._books):
            desk.plan()

    def leave_open(self) -> None:
        """Leave on every desk what waits for somebody today."""
        for desk in self._desks:
            desk.leave_open()
            outbox.drain_all()
        at_the_bank(self._cast)
        self._books.leave_open()
        outbox.drain_all()


def _worker(app: Flask) -> list[Job]:
    """The jobs of all domains, as the worker would run them."""
    jobs: list[Job] = [job for domain in app.extensions["chaoshi_domains"] for job in domain.jobs]
    return [job for job in jobs if not job.name.startswith(LEFT_TO_THE_WORKER)]


def _progress(simulation: Simulation, *, quiet: bool) -> Callable[[dt.datetime], None]:
    total = (simulation.end - simulation.start).days
    bar = tqdm(total=total, unit="day", desc="demonstration", disable=quiet or not sys.stderr.isatty())
    shown = Counter[str]()

    def show(moment: dt.datetime) -> None:
        days = (moment - simulation.start).days
        bar.update(days - shown["days"])
        shown["days"] = days
        if days >= total:
            bar.close()

    return show


def _write_without_waiting() -> None:
    """Do not wait for the disk on every commit: a fill that is cut short is begun again, there is nothing to lose yet."""
    if db.engine.dialect.name != "sqlite":
        return

    def relax(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(db.engine, "connect", relax)
    db.session.remove()
    db.engine.dispose()


def _counts() -> dict[str, int]:
    tables = {
        "items": ServiceItem,
        "agencies": Agency,
        "offers": Listing,
        "procurements": Procurement,
        "registrations": Registration,
        "contracts": Contract,
        "bills": Bill,
        "cases": Case,
        "parcels": Parcel,
    }
    return {
        name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for name, table in tables.items()
    }
