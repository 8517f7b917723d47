"""Lists of contracts and their rows on the workbench."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, or_, select

from app.identity.queries import organisations_by_ids
from app.kernel.access import Actor, Role
from app.kernel.calendar import end_of_day
from app.kernel.db import db
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.contracts import Contract
from marketplace.queries.contracts.turns import due_of, state_label, turn_of
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState


FINISHED = (S.ACCEPTED, S.RATED, S.CLOSED, S.TERMINATED)


@dataclass(frozen=True)
class ContractRow:
    """One line of a list."""

    id: UUID
    number: str
    title: str
    state: str
    owner_name: str
    agency_name: str
    price_fen: int
    limit_wd: int
    deadline_on: date | None
    overdue_since: date | None
    turn: Part | None
    due_at: datetime | date | None
    created_at: datetime


def contracts_of(actor: Actor, *, state: str | None = None, number: int = 1) -> Page[ContractRow]:
    """A page of the contracts this actor may see: its own, or all for who runs and watches the supermarket."""
    statement = select(Contract).order_by(_urgency(), Contract.created_at.desc(), Contract.id)
    if not actor.has(Role.OPERATOR, Role.REGULATOR, Role.AUDITOR):
        mine = actor.organisation_id
        statement = statement.where(
            or_(Contract.owner_organisation_id == mine, Contract.agency_organisation_id == mine)
        )
    if state in set(S):
        statement = statement.where(Contract.state == state)
    page = page_of(statement, number=number)
    return Page(rows_of(page.items), page.number, page.size, page.total)


def rows_of(contracts: Sequence[Contract]) -> tuple[ContractRow, ...]:
    """List lines with the names of both sides, in one more statement."""
    names = organisations_by_ids({i for c in contracts for i in (c.owner_organisation_id, c.agency_organisation_id)})
    return tuple(
        ContractRow(
            id=row.id,
            number=row.number,
            title=row.title,
            state=row.state,
            owner_name=names[row.owner_organisation_id].name,
            agency_name=names[row.agency_organisation_id].name,
            price_fen=row.price_fen,
            limit_wd=row.limit_wd,
            deadline_on=row.deadline_on,
            overdue_since=row.overdue_since,
            turn=turn_of(row),
            due_at=due_of(row),
            created_at=row.created_at,
        )
        for row in contracts
    )


def open_contracts(actor: Actor, limit: int = 200) -> tuple[Contract, ...]:
    """Contracts of the actor's organisation that are not closed, for its workbench."""
    mine = actor.organisation_id
    if mine is None:
        return ()
    statement = (
        select(Contract)
        .where(
            or_(Contract.owner_organisation_id == mine, Contract.agency_organisation_id == mine),
            Contract.state.not_in((S.CLOSED, S.TERMINATED)),
        )
        .order_by(Contract.created_at)
        .limit(limit)
    )
    return tuple(db.session.scalars(statement))


def _urgency() -> ColumnElement[int]:
    return case((Contract.state.in_(FINISHED), 1), else_=0)


def worklist(actor: Actor) -> tuple[WorkItem, ...]:
    """Rows of the workbench: contracts of the actor's organisation that are not closed, in one statement."""
    if not actor.has(Role.OWNER, Role.AGENCY):
        return ()
    rows = open_contracts(actor)
    return tuple(_work_item(actor, row) for row in rows)


def _work_item(actor: Actor, row: Contract) -> WorkItem:
    sides = {Part.OWNER: row.owner_organisation_id, Part.AGENCY: row.agency_organisation_id}
    turn = turn_of(row)
    due = due_of(row)
    return WorkItem(
        turn=Turn.MINE if turn and sides[turn] == actor.organisation_id else Turn.WAITING,
        kind=N_("Contract"),
        number=row.number,
        title=row.title,
        state=state_label(row.state),
        step=CONTRACT.next_step[S(row.state)],
        href=f"/contracts/{row.id}",
        due_at=end_of_day(due) if due is not None and not isinstance(due, datetime) else due,
        updated_at=row.signed_at or row.created_at,
    )
