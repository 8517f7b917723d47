"""Fees that owners owe for too long: public, with the interest of Order 802."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.db import db
from app.kernel.paging import Page, page_of
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Milestone
from marketplace.queries.contracts.milestones import late_of
from marketplace.queries.rulebooks import rule_book, rule_book_in_force


@dataclass(frozen=True)
class OverdueFee:
    """One fee that is overdue. Amounts are fen, `days` calendar days after `due_on`."""

    owner_organisation_id: UUID
    owner_name: str
    agency_name: str
    contract_number: str
    title: str
    amount_fen: int
    due_on: date
    days: int
    interest_fen: int


def overdue_fees(number: int = 1) -> Page[OverdueFee]:
    """A page of the fees that are unpaid for longer than the rule book in force lets pass unpublished; the oldest first."""
    quiet = rule_book_in_force().pay_overdue_public_days
    statement = (
        select(Milestone)
        .where(
            Milestone.due_at < clock.now() - timedelta(days=quiet),
            Milestone.funded_at.is_(None),
            Milestone.withdrawn_at.is_(None),
        )
        .order_by(Milestone.due_at, Milestone.id)
    )
    page = page_of(statement, number=number)
    contracts = {
        row.id: row
        for row in db.session.scalars(select(Contract).where(Contract.id.in_({m.contract_id for m in page.items})))
    }
    names = organisations_by_ids(
        {i for c in contracts.values() for i in (c.owner_organisation_id, c.agency_organisation_id)}
    )
    return Page(
        tuple(_fee(row, contracts[row.contract_id], {k: v.name for k, v in names.items()}) for row in page.items),
        page.number,
        page.size,
        page.total,
    )


def _fee(row: Milestone, contract: Contract, names: dict[UUID, str]) -> OverdueFee:
    late = late_of(row, rule_book(contract.rule_book_version).pay_late_interest_bp)
    assert row.due_on is not None  # it is overdue
    return OverdueFee(
        owner_organisation_id=contract.owner_organisation_id,
        owner_name=names[contract.owner_organisation_id],
        agency_name=names[contract.agency_organisation_id],
        contract_number=contract.number,
        title=f"{contract.title} · {row.title}",
        amount_fen=row.amount_fen,
        due_on=row.due_on,
        days=late.days,
        interest_fen=late.interest_fen,
    )
