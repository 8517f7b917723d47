"""Lists of contracts and their rows on the workbench."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select

from app.identity.queries import organisation_ids_named, organisations_by_ids
from app.kernel.access import Actor, Role
from app.kernel.calendar import end_of_day, start_of_day
from app.kernel.db import db
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Milestone
from marketplace.models.procurements import Procurement
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


@dataclass(frozen=True)
class ContractFilter:
    """What a list is narrowed to; blank fields narrow nothing. `words` are looked for in number, title and names."""

    words: str = ""
    state: str = ""
    late: bool = False
    owed: bool = False
    signed_from: date | None = None
    signed_until: date | None = None
    page: int = 1


def contracts_of(
    actor: Actor, wanted: ContractFilter | None = None, *, state: str | None = None, number: int = 1
) -> Page[ContractRow]:
    """A page of the contracts this actor may see: its own, or all for who runs and watches the supermarket."""
    chosen = wanted or ContractFilter(state=state or "", page=number)
    statement = _narrowed(actor, chosen).order_by(_urgency(), Contract.created_at.desc(), Contract.id)
    page = page_of(statement, number=chosen.page)
    return Page(rows_of(page.items), page.number, page.size, page.total)


def _narrowed(actor: Actor, wanted: ContractFilter) -> Select[Contract]:
    statement = select(Contract)
    if not actor.has(Role.OPERATOR, Role.REGULATOR, Role.AUDITOR):
        mine = actor.organisation_id
        statement = statement.where(
            or_(Contract.owner_organisation_id == mine, Contract.agency_organisation_id == mine)
        )
    if wanted.state in set(S):
        statement = statement.where(Contract.state == wanted.state)
    if wanted.words:
        named = organisation_ids_named(wanted.words)
        statement = statement.where(
            or_(
                Contract.number.icontains(wanted.words, autoescape=True),
                Contract.title.icontains(wanted.words, autoescape=True),
                Contract.owner_organisation_id.in_(named),
                Contract.agency_organisation_id.in_(named),
            )
        )
    if wanted.late:
        statement = statement.where(Contract.overdue_since.is_not(None))
    if wanted.owed:
        statement = statement.where(
            exists().where(Milestone.contract_id == Contract.id, Milestone.overdue_since.is_not(None))
        )
    if wanted.signed_from:
        statement = statement.where(Contract.signed_at >= start_of_day(wanted.signed_from))
    if wanted.signed_until:
        statement = statement.where(Contract.signed_at <= end_of_day(wanted.signed_until))
    return statement


MOST_EXPORTED = 10_000


@dataclass(frozen=True)
class ContractRecord:
    """The fields of a contract record as the field keeps them (合同备案); amounts fen, dates Beijing dates."""

    number: str
    title: str
    procurement_number: str
    owner_name: str
    agency_name: str
    price_fen: int
    state: str
    signed_at: datetime | None
    starts_on: date | None
    ends_on: date | None
    postponed_on: date | None
    delivered_on: date | None
    accepted_at: datetime | None
    rework_count: int
    paid_fen: int
    owed_fen: int
    document_sha256: str


def contract_records(actor: Actor, wanted: ContractFilter) -> tuple[ContractRecord, ...]:
    """The filtered list as records for export, at most ten thousand, in a fixed number of statements."""
    rows = db.session.scalars(_narrowed(actor, wanted).order_by(Contract.number).limit(MOST_EXPORTED)).all()
    names = organisations_by_ids({i for c in rows for i in (c.owner_organisation_id, c.agency_organisation_id)})
    wanted_procurements = {row.procurement_id for row in rows}
    numbers = {
        found.id: found.number
        for found in db.session.execute(
            select(Procurement.id, Procurement.number).where(Procurement.id.in_(wanted_procurements))
        )
    }
    money = {
        row.contract_id: (row.paid, row.owed)
        for row in db.session.execute(
            select(
                Milestone.contract_id,
                func.coalesce(func.sum(Milestone.amount_fen).filter(Milestone.released_at.is_not(None)), 0).label(
                    "paid"
                ),
                func.coalesce(
                    func.sum(Milestone.amount_fen).filter(
                        Milestone.due_at.is_not(None), Milestone.funded_at.is_(None), Milestone.withdrawn_at.is_(None)
                    ),
                    0,
                ).label("owed"),
            )
            .where(Milestone.contract_id.in_({row.id for row in rows}))
            .group_by(Milestone.contract_id)
        )
    }
    return tuple(
        ContractRecord(
            number=row.number,
            title=row.title,
            procurement_number=numbers.get(row.procurement_id, ""),
            owner_name=names[row.owner_organisation_id].name,
            agency_name=names[row.agency_organisation_id].name,
            price_fen=row.price_fen,
            state=row.state,
            signed_at=row.signed_at,
            starts_on=row.starts_on,
            ends_on=row.deadline_on,
            postponed_on=row.deadline_on if row.extended_wd else None,
            delivered_on=row.delivered_on,
            accepted_at=row.accepted_at,
            rework_count=row.rework_count,
            paid_fen=money.get(row.id, (0, 0))[0],
            owed_fen=money.get(row.id, (0, 0))[1],
            document_sha256=row.document_sha256,
        )
        for row in rows
    )


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
