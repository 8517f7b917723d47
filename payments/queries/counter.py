"""All that is due at the counter, grouped by where the money goes."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.db import db
from payments.models.payments import Payment, PaymentBill
from payments.queries.bills import BillView, due_bills
from payments.states import KIND_LABELS, BillKind, Standing


@dataclass(frozen=True)
class DueBill:
    """A bill to be paid; `live_number` names the attempt in which it is being paid at this moment."""

    bill: BillView
    live_number: str | None


@dataclass(frozen=True)
class DueGroup:
    """Bills whose money goes the same way: they can share one payment. `label` is a catalogue message."""

    kind: str
    label: str
    bills: tuple[DueBill, ...]


def due_groups(actor: Actor) -> tuple[DueGroup, ...]:
    """What the actor has to pay, with its items, by kind of money and then by date. A fixed number of statements."""
    bills = due_bills(actor, with_lines=True)
    live = _live_numbers([bill.id for bill in bills])
    return tuple(
        DueGroup(kind.value, KIND_LABELS[kind], tuple(DueBill(b, live.get(b.id)) for b in bills if b.kind == kind))
        for kind in BillKind
        if any(b.kind == kind for b in bills)
    )


def _live_numbers(bill_ids: list[UUID]) -> dict[UUID, str]:
    rows = db.session.execute(
        sa.select(PaymentBill.bill_id, Payment.number)
        .join(Payment, Payment.id == PaymentBill.payment_id)
        .where(PaymentBill.bill_id.in_(bill_ids), PaymentBill.standing == Standing.LIVE)
    )
    return {row.bill_id: row.number for row in rows}
