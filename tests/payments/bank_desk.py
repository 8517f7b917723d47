"""Builders around the bank accounts: statements as files, lines on them, and money without a reference."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.clock import BEIJING
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.files import Upload
from app.kernel.spreadsheets import csv_of
from payments import services
from payments.bank_statements import TEMPLATE
from payments.queries import bill_page
from payments.services import DecideEntry, EnterMovement, StartPayment
from payments.services.statements import HandInStatement, apply_statement, hand_in_statement

SENDER = "江城市水务集团有限公司"
Row = tuple[str, str, str, str]
"""Direction (收 or 支), amount in yuan, serial number, what the sender wrote."""


def yesterday() -> date:
    return clock.today() - timedelta(days=1)


def statement_file(rows: Sequence[Row], day: date | None = None) -> Upload:
    """A CSV file as the custody bank exports it."""
    on = (day or yesterday()).isoformat()
    lines = [(f"{on} 10:00:{n:02d}", way, yuan, ref, SENDER, words) for n, (way, yuan, ref, words) in enumerate(rows)]
    return Upload("对账单.csv", csv_of([TEMPLATE, *lines]))


def handed_in(actor: Actor, *rows: Row, gateway: str = "bank", balances: tuple[int, int] | None = None) -> UUID:
    """A statement of yesterday, checked."""
    before, after = balances or (None, None)
    day = yesterday()
    return hand_in_statement(actor, HandInStatement(gateway, day, day, statement_file(rows), before, after))


def taken_over(
    first: Actor, second: Actor, *rows: Row, gateway: str = "bank", balances: tuple[int, int] | None = None
) -> UUID:
    """The same, taken over, and everything that follows from it."""
    made = handed_in(first, *rows, gateway=gateway, balances=balances)
    apply_statement(second, made, Plain())
    outbox.drain_all()
    db.session.expire_all()
    return made


def transfer(actor: Actor, *bill_ids: UUID) -> tuple[UUID, str]:
    """Announce a transfer of these bills; the attempt and its reference."""
    payment_id = services.start_joint_payment(actor, bill_ids, StartPayment("bank_transfer"))
    services.send_payment(payment_id)
    return payment_id, bill_page(actor, bill_ids[0]).payments[0].number


def unknown_money(first: Actor, second: Actor, fen: int, ref: str = "A1", gateway: str = "bank") -> UUID:
    """Money that came without a reference, set aside; its entry."""
    moment = clock.now() - timedelta(hours=1)
    entry_id = services.enter_movement(first, EnterMovement(gateway, ref, SENDER, fen, moment))
    services.confirm_entry(second, entry_id, DecideEntry())
    outbox.drain_all()
    return entry_id


def at_noon(day: date) -> str:
    """Noon of a day in Beijing, as a form types it."""
    return f"{day.isoformat()}T12:00:00{clock.now().astimezone(BEIJING):%z}"
