"""`python -m benchmarks.day_of_payments [--payments 10000] [--minutes N]`: one day at the counter, with every fault.

Payers come evenly over a day. Each kind of fault strikes so many of a thousand requests or webhooks; some payers are
declined first, leave or click twice; some bills are refunded, some refunds come back. Real package, real
adapter and simulator in one process; jobs run as often as they do in production. At the end of the next day the books
must equal the provider to the fen and the list of mismatches must be empty.
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from werkzeug.test import Client

from app.factory import create_app
from app.identity.authentication import permissions_of
from app.identity.models import Organisation
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import Base, db, new_id, transaction
from app.kernel.errors import DomainError
from app.settings import Mode, Settings
from payments import jobs, ledger, queries, services
from payments.events import BillPaid
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.payments import Payment
from payments.models.reconciliation import Mismatch
from payments.models.refunds import Refund
from payments.ports import GatewayError
from payments.queries import bill_page, bill_view
from payments.services import BillKind, BillLine, DecideRefund, OpenBill, StartPayment
from payments.services.books import balances_of
from payments.services.reconciliation import check_books, watch_stuck
from payments.simulator.application import Simulator, open_simulator
from payments.simulator.faults import Fault, WebhookFault
from payments.simulator.inprocess import DECLINED_CARD, InProcessHttp, Payer, take_deliveries

MORNING = datetime(2026, 11, 20, 16, tzinfo=UTC)  # midnight in Beijing
DAY = timedelta(days=1)
METHODS = ("alipay", "alipay", "wechat_pay", "wechat_pay", "card", None)
EVERY_DELIVERY = 20
EVERY_FOLLOW_UP = timedelta(minutes=5)
EVERY_RECALL = timedelta(hours=1)
UNREAD = (Fault.ERROR_BEFORE, Fault.DROP_BEFORE, Fault.TIMEOUT_AFTER, Fault.RATE_LIMIT)
"""What happens to questions, which change nothing and may be asked again."""


@dataclass
class Report:
    """What a day came to; amounts in fen."""

    payments: int
    seconds: float = 0.0
    books_fen: int = 0
    provider_fen: int = 0
    mismatches: int = 0
    discrepancies: int = 0
    bills: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    refunds: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    postings: int = 0

    @property
    def agrees(self) -> bool:
        """Tell whether the books equal the provider and nothing is left to explain."""
        return self.books_fen == self.provider_fen and self.mismatches == 0 and self.discrepancies == 0


@dataclass
class DayAtTheCounter:
    """One simulated day. The application's context is open, the gateway is the simulator's."""

    simulator: Simulator
    payer: Actor
    agency: UUID
    operator: Actor
    payments: int
    per_mille: int
    seed: int = 1
    minutes: float = 24 * 60
    """The counter closes after so many minutes of real time, however many payers there were to come."""
    says_more: bool = False
    """Print how far the day is."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.moment = MORNING
        self.bills: list[UUID] = []
        self.recalled = self.followed = MORNING
        backend = self.simulator.backend
        backend.now = lambda: backend.timer_due or int(self.moment.timestamp())  # type: ignore[method-assign]
        backend.wall_clock = self.wall_clock
        self.notices: Counter[str] = Counter()

    def wall_clock(self) -> float:
        """The machine's time, the same on both sides: notices would be refused as old otherwise."""
        return self.moment.timestamp()

    def control(self, act: str, address: str, **values: object) -> None:
        """Tell the simulator something outside its API."""
        Client(self.simulator).open(f"/_sim/{address}", method=act, json=values)

    def run(self) -> Report:
        """Live through the day and the one after it."""
        report = Report(self.payments)
        started = time.perf_counter()
        self.break_everything()
        for number in range(self.payments):
            if time.perf_counter() - started > 60 * self.minutes:
                report.payments = number
                break
            self.moment = MORNING + DAY * number // self.payments
            with self.now():
                self.one_payer(number)
                if number % EVERY_DELIVERY == 0:
                    self.behind_the_counter()
            if self.says_more and number % 500 == 0:
                print(f"{number} of {self.payments}, {time.perf_counter() - started:.0f} s", flush=True)
        report.struck = self.struck()
        self.after_the_day()
        report.seconds = time.perf_counter() - started
        self.count(report)
        return report

    @contextmanager
    def now(self) -> Iterator[None]:
        """Act at the day's time."""
        with clock.at(self.moment):
            yield

    def break_everything(self) -> None:
        """Every kind of fault, each with its own course of chances."""
        for number, fault in enumerate(Fault):
            self.control("POST", "faults", path="/v1/", fault=fault, per_mille=self.per_mille, seed=number)
        for number, fault in enumerate(UNREAD):
            self.control(
                "POST", "faults", path="/v1/", method="GET", fault=fault, per_mille=self.per_mille, seed=50 + number
            )
        for number, lost in enumerate(WebhookFault):
            self.control("POST", "faults", event="*", fault=lost, per_mille=self.per_mille, seed=100 + number)
        self.control("POST", "settings", refund_failures=self.per_mille)

    def struck(self) -> Counter[str]:
        """How many times each fault struck, as the simulator counted."""
        counted: Counter[str] = Counter()
        for rule in self.simulator.backend.faults.every():
            counted[rule["fault"]] += rule["struck"]
        return counted

    # --- in front of the counter ------------------------------------------------------------------------------------

    def one_payer(self, number: int) -> None:
        """Open a bill and go through the cashier; a few do not, and some bills are refunded later in the day."""
        bill_id = self.a_bill(self.chance.choice((1, 99, 2_200, 128_050, 9_999_999, self.chance.randrange(1, 10**7))))
        self.bills.append(bill_id)
        method = self.chance.choice(METHODS)
        for _ in range(2 if self.happens() else 1):  # a double click
            self.quietly(
                lambda: services.send_payment(services.start_payment(self.payer, bill_id, StartPayment(method)))
            )
        if self.happens():
            return  # closed the tab before the cashier
        self.pay(bill_id, method)
        if number > 200 and self.happens(2 * self.per_mille):
            self.refund(self.chance.choice(self.bills[:-100]))

    def happens(self, per_mille: int | None = None) -> bool:
        """Draw something that happens to so many of a thousand."""
        return self.chance.randrange(1000) < (self.per_mille if per_mille is None else per_mille)

    def quietly(self, act: Callable[[], object]) -> None:
        """A refusal, or a provider that does not answer, is an answer."""
        try:
            act()
        except (DomainError, GatewayError):
            db.session.rollback()

    def a_bill(self, amount_fen: int) -> UUID:
        """A service fee of the payer."""
        line = BillLine("环境影响报告书编制费", amount_fen, "合同第五条")
        return services.open_bill(SYSTEM, OpenBill(
            thread_id=new_id(), subject=f"benchmark:{new_id()}", kind=BillKind.SERVICE_FEE, title="环境影响报告书编制",
            payer_organisation_id=self.payer.organisation_id, payer_user_id=None, payee_organisation_id=self.agency,
            lines=(line,), due_at=clock.now() + timedelta(days=30)))  # fmt: skip

    def pay(self, bill_id: UUID, method: str | None) -> None:
        """Go to the cashier if it is open; some cards are declined first."""
        live = bill_page(self.payer, bill_id).live_payment
        if live is None or live.cashier_url is None:
            return
        payer = Payer(self.simulator, live.cashier_url)
        if method is None and self.happens(5 * self.per_mille):
            payer.by_card(DECLINED_CARD)
        payer.pay(method)

    def refund(self, bill_id: UUID) -> None:
        """Somebody asks for a bill's money back, and somebody else approves."""

        def ask_and_approve() -> None:
            refund_id = services.refund(SYSTEM, bill_id, "合同解除")
            services.approve_refund(self.operator, refund_id, DecideRefund())

        self.quietly(ask_and_approve)

    # --- behind it --------------------------------------------------------------------------------------------------

    def behind_the_counter(self) -> None:
        """Webhooks arrive in some order, the worker works, the jobs run when they are due."""
        self.take_in()
        outbox.drain(500)
        if self.moment - self.followed >= EVERY_FOLLOW_UP:
            self.followed = self.moment
            jobs.follow_up()
            watch_stuck()
        if self.moment - self.recalled >= EVERY_RECALL:
            self.recalled = self.moment
            self.recall()

    def take_in(self) -> None:
        """Deliver what is due, shuffled. All of it is genuine: none may be refused."""
        notices = take_deliveries(self.simulator)
        self.chance.shuffle(notices)
        for notice in notices:
            is_new = services.record_notice(dict(notice.headers), notice.body)
            self.notices["delivered" if is_new else "repeated"] += 1

    def recall(self) -> None:
        """Read the gateway's own list for what was lost on the way."""
        self.notices["recalled"] += jobs.recall()

    def after_the_day(self) -> None:
        """The network heals, a day passes with all its jobs, and the books are compared."""
        self.control("DELETE", "faults")
        self.control("POST", "settings", refund_failures=0)
        for hours in (1, 1, 20, 3, 1):
            self.moment += timedelta(hours=hours)
            with self.now():
                self.take_in()
                self.recall()
                outbox.drain_all()
                while jobs.follow_up():
                    pass
                outbox.drain_all()
        with self.now():
            check_books()
            watch_stuck()

    def count(self, report: Report) -> None:
        """Fill the report in."""
        db.session.expire_all()
        account = ledger.at_gateway("stripe").code
        report.books_fen = balances_of([account]).get(account, 0)
        report.mismatches = (
            db.session.scalar(sa.select(sa.func.count(Mismatch.id)).where(Mismatch.state == "open")) or 0
        )
        last = queries.last_check()
        assert last is not None
        report.provider_fen = last.theirs_fen
        report.discrepancies = 0 if last.is_clean else 1
        report.postings = db.session.scalar(sa.select(sa.func.count(LedgerTransaction.id))) or 0
        report.notices = self.notices
        report.attempts = _states(Payment)
        report.refunds = _states(Refund)
        report.bills = Counter(bill_view(bill_id).state for bill_id in self.bills)


def _states(model: type[Payment | Refund]) -> Counter[str]:
    rows = db.session.execute(sa.select(model.state, sa.func.count()).group_by(model.state))
    return Counter({str(state): int(count) for state, count in rows})


def person(role: Role, kind: str) -> Actor:
    """Somebody of an organisation of that kind."""
    organisation = new_id()
    with transaction() as session:
        session.add(Organisation(id=organisation, kind=kind, name=f"基准{kind}", created_at=clock.now()))
    roles = frozenset({role})
    return Actor(new_id(), organisation, roles, f"基准{role}", permissions_of(roles))


def main(arguments: list[str]) -> None:
    """Measure one day on a fresh SQLite database and print what it came to; ends with 1 when the books differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day_of_payments", description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000)
    parser.add_argument("--per-mille", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=24 * 60, help="close the counter after so many")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        url = f"sqlite:///{Path(folder) / 'day.sqlite'}"
        app = create_app(Settings(mode=Mode.TESTING, data_dir=Path(folder), database_url=url, secret_key="benchmark"))
        simulator = open_simulator(Path(folder) / "provider")
        http = InProcessHttp(simulator)
        app.extensions[EXTENSION] = StripeGateway("sk_test_benchmark", "http://127.0.0.1:8421", http=http)
        outbox._handlers.pop(BillPaid.name, None)  # noqa: SLF001 - drawing receipts is not what is measured
        with app.app_context():
            Base.metadata.create_all(db.engine)
            services.register_address()
            payer, agency, operator = (
                person(Role.OWNER, "owner"), person(Role.AGENCY, "agency"), person(Role.OPERATOR, "operator")
            )  # fmt: skip
            assert agency.organisation_id is not None
            cpu = time.process_time()
            day = DayAtTheCounter(
                simulator,
                payer,
                agency.organisation_id,
                operator,
                options.payments,
                options.per_mille,
                options.seed,
                options.minutes,
                says_more=True,
            )
            report = day.run()
            cpu = time.process_time() - cpu
    print(report)
    print(f"{report.seconds:.0f} s, {1000 * report.seconds / report.payments:.1f} ms a payment, "
          f"{1000 * cpu / report.payments:.1f} ms of CPU; load {os.getloadavg()[0]:.1f}; "
          f"{'the books equal the provider' if report.agrees else 'THE BOOKS DIFFER'}")  # fmt: skip
    if not report.agrees:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
