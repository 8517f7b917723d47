"""Reads of unmatched money: what lies in suspense, who proposed what, and which bills it could be meant for."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from payments.bank_states import IN_SUSPENSE
from payments.gateways import gateway_of
from payments.models.bank import BankEntry
from payments.models.bills import Bill
from payments.models.statements import BankStatementLine, UnmatchedMoney
from payments.policy import Permission
from payments.states import BillState, Part

MOST_CANDIDATES = 10


@dataclass(frozen=True)
class UnmatchedView:
    """Money that came with no or a wrong reference; fen."""

    id: UUID
    thread_id: UUID
    entry_id: UUID
    entry_number: str
    gateway: str
    bank_ref: str
    counterparty: str
    amount_fen: int
    moved_at: datetime
    found_at: datetime
    state: str
    bill_id: UUID | None
    bill_number: str | None
    bill_title: str | None
    payment_id: UUID | None
    reason: str | None
    proposed_by: UUID | None
    proposed_by_name: str | None
    proposed_at: datetime | None
    decided_by_name: str | None
    decided_at: datetime | None
    version: int
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return self.entry_number


@dataclass(frozen=True)
class Candidate:
    """An open bill of exactly this amount whose money goes to this account."""

    bill_id: UUID
    number: str
    title: str
    payer_name: str
    due_at: datetime
    is_payer: bool


def _rows() -> sa.Select[Any]:
    statement: Any = (
        sa.select(UnmatchedMoney, BankEntry, Bill)
        .join(BankEntry, BankEntry.id == UnmatchedMoney.entry_id)
        .outerjoin(Bill, Bill.id == UnmatchedMoney.bill_id)
    )
    return cast("sa.Select[Any]", statement)


def _view(row: UnmatchedMoney, entry: BankEntry, bill: Bill | None) -> UnmatchedView:
    return UnmatchedView(
        id=row.id, thread_id=row.thread_id, entry_id=row.entry_id, entry_number=entry.number, gateway=row.gateway,
        bank_ref=entry.bank_ref, counterparty=entry.counterparty, amount_fen=row.amount_fen, moved_at=entry.moved_at,
        found_at=row.found_at, state=row.state, bill_id=row.bill_id, bill_number=bill.number if bill else None,
        bill_title=bill.title if bill else None, payment_id=row.payment_id, reason=row.reason,
        proposed_by=row.proposed_by, proposed_by_name=row.proposed_by_name, proposed_at=row.proposed_at,
        decided_by_name=row.decided_by_name, decided_at=row.decided_at, version=row.version,
    )  # fmt: skip


IN_SUSPENSE_WORD = "in_suspense"
"""The filter for all that nobody has settled."""


def _wanted(state: str | None) -> sa.Select[Any]:
    statement = _rows().order_by(UnmatchedMoney.found_at.desc(), UnmatchedMoney.id)
    if state == IN_SUSPENSE_WORD:
        return statement.where(UnmatchedMoney.state.in_(IN_SUSPENSE))
    return statement.where(UnmatchedMoney.state == state) if state else statement


def unmatched_page(*, state: str | None = None, number: int = 1) -> Page[UnmatchedView]:
    """Unmatched money by state ("in_suspense" for all that is not settled), newest first."""
    page: Page[Any] = page_of(_wanted(state), number=number, scalars=False)
    return Page([_view(*row) for row in page.items], page.number, page.size, page.total)


def all_unmatched(*, state: str | None = None, most: int = 10_000) -> list[UnmatchedView]:
    """The same for a download."""
    return [_view(*row) for row in db.session.execute(_wanted(state).limit(most))]


def in_suspense() -> tuple[int, int]:
    """How many sums are not settled, and what they come to (fen)."""
    count, fen = db.session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(UnmatchedMoney.amount_fen), 0)).where(
            UnmatchedMoney.state.in_(IN_SUSPENSE)
        )
    ).one()
    return int(count), int(fen)


def unmatched_money(actor: Actor, money_id: UUID) -> UnmatchedView:
    """One of them with the actor's parts; raises NotFound for those who do not watch the money."""
    if not actor.may(Permission.BILLS_SUPERVISE):
        raise NotFound
    get(UnmatchedMoney, money_id)
    row = db.session.execute(_rows().where(UnmatchedMoney.id == money_id)).one()
    return replace(_view(*row), parts=frozenset({Part.OPERATOR}) if actor.may(Permission.BANK_ENTER) else frozenset())


def said_by_sender(entry_id: UUID) -> str | None:
    """What the sender wrote, where an imported statement tells."""
    return db.session.scalar(
        sa.select(BankStatementLine.reference).where(BankStatementLine.entry_id == entry_id).limit(1)
    )


def candidates(money: UnmatchedView) -> tuple[Candidate, ...]:
    """Open bills of exactly this amount, those of the sender first. They are hints: the reference decides, not the amount."""
    kinds = [kind.value for kind in gateway_of(money.gateway).caps.kinds]
    rows = db.session.scalars(
        sa.select(Bill)
        .where(Bill.state == BillState.OPEN, Bill.amount_fen == money.amount_fen, Bill.kind.in_(kinds))
        .order_by(Bill.due_at, Bill.id)
        .limit(50)
    ).all()
    names = identity.organisations_by_ids({row.payer_organisation_id for row in rows if row.payer_organisation_id})
    people = identity.persons_by_ids({row.payer_user_id for row in rows if row.payer_user_id})
    found = []
    for row in rows:
        known = names.get(row.payer_organisation_id) if row.payer_organisation_id else people.get(row.payer_user_id)  # type: ignore[arg-type]
        name = known.name if known is not None else ""
        found.append(Candidate(row.id, row.number, row.title, name, row.due_at, name == money.counterparty.strip()))
    return tuple(sorted(found, key=lambda one: not one.is_payer)[:MOST_CANDIDATES])
