"""Reads of contracts as frozen values: the page of one contract, the lists, the clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, or_, select

from app.identity.queries import organisations_by_ids
from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.calendar import WorkCalendar, end_of_day
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import ClockPause, Contract, ContractSignature, Deliverable
from marketplace.models.procurements import Procurement
from marketplace.models.reviews import DIMENSIONS, Rating
from marketplace.policy import contract_parts, other_side
from marketplace.rules.service_clock import ClockReading, Pause, ServiceClock, read_clock
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState
FINISHED = (S.ACCEPTED, S.RATED, S.CLOSED, S.TERMINATED)
CLOCK_RUNS = (S.RUNNING, S.PAUSE_ASKED)

TURN_OF_STATE: dict[str, Part | None] = {
    S.TO_SIGN_AGENCY: Part.AGENCY,
    S.TO_SIGN_OWNER: Part.OWNER,
    S.RUNNING: Part.AGENCY,
    S.PAUSE_ASKED: Part.COUNTERPARTY,
    S.PAUSED: None,
    S.DELIVERED: Part.OWNER,
    S.ACCEPTED: Part.OWNER,
    S.RATED: None,
    S.CLOSED: None,
    S.TERMINATED: None,
}


@dataclass(frozen=True)
class SignatureView:
    """One signature as shown: side, name, time (UTC) and the digest of the text that was signed."""

    side: str
    organisation_name: str
    name: str
    signed_at: datetime
    document_sha256: str


@dataclass(frozen=True)
class PauseView:
    """One pause or question for one. `days` are Beijing dates."""

    reason: str
    explanation: str
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    answer_by: datetime | None
    outcome: str
    answered_by_name: str | None
    answer_reason: str | None
    starts_on: date
    ends_on: date | None
    end_reason: str | None


@dataclass(frozen=True)
class DeliverableView:
    """One uploaded version."""

    id: UUID
    number: int
    title: str
    file_id: UUID
    file_name: str
    file_sha256: str
    file_size: int
    practitioner_name: str
    practitioner_certificate: str
    note: str
    submitted_by_name: str
    submitted_at: datetime
    accepted_at: datetime | None
    returned_at: datetime | None
    return_reason: str | None
    decided_by_name: str | None


@dataclass(frozen=True)
class RatingView:
    """Stars per dimension, 1 to 5."""

    stars: tuple[tuple[str, int], ...]
    comment: str
    on_time: bool
    rated_at: datetime

    @property
    def overall(self) -> int:
        """Mean of the dimensions in hundredths of a star."""
        return sum(value for _, value in self.stars) * 100 // len(self.stars)


@dataclass(frozen=True)
class ContractView:
    """Everything the page of a contract shows to one actor. `parts` are what that actor is to the contract."""

    id: UUID
    thread_id: UUID
    number: str
    title: str
    state: str
    version: int
    procurement_id: UUID
    procurement_number: str
    owner_organisation_id: UUID
    owner_name: str
    agency_organisation_id: UUID
    agency_name: str
    price_fen: int
    limit_wd: int
    document_text: str
    document_sha256: str
    case_subject: str | None
    created_at: datetime
    sign_by: datetime
    signed_at: datetime | None
    deadline_on: date | None
    deadline_provisional: bool
    overdue_since: date | None
    pause_asked_by: str | None
    pause_answer_by: datetime | None
    accept_by: datetime | None
    accepted_at: datetime | None
    rate_by: datetime | None
    closed_at: datetime | None
    bill_id: UUID | None
    funded_at: datetime | None
    released_at: datetime | None
    clock: ClockReading | None
    signatures: tuple[SignatureView, ...]
    pauses: tuple[PauseView, ...]
    deliverables: tuple[DeliverableView, ...]
    rating: RatingView | None
    parts: frozenset[Part]

    @property
    def subject(self) -> str:
        """What other domains know this contract by."""
        return f"contract:{self.id}"

    @property
    def turn(self) -> Part | None:
        """The side whose step is next, if it is a side's."""
        return turn_of(self)

    @property
    def due_at(self) -> datetime | date | None:
        """Until when that step must be taken: an instant, or a Beijing date for the service itself."""
        return due_of(self)

    @property
    def is_overdue(self) -> bool:
        """Whether the service itself is late."""
        return self.clock is not None and self.clock.is_overdue


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


def due_of(contract: Contract | ContractView) -> datetime | date | None:
    """The moment (or the Beijing date) until which the present state should have been left."""
    dates: dict[str, datetime | date | None] = {
        S.TO_SIGN_AGENCY: contract.sign_by,
        S.TO_SIGN_OWNER: contract.sign_by,
        S.RUNNING: contract.deadline_on,
        S.PAUSE_ASKED: contract.pause_answer_by,
        S.DELIVERED: contract.accept_by,
        S.ACCEPTED: contract.rate_by,
    }
    return dates.get(contract.state)


def service_clock_of(contract: Contract, pauses: Iterable[ClockPause]) -> ServiceClock | None:
    """The clock of a signed contract, None before both sides have signed. Handing in stops it, a return lets it run on."""
    if contract.starts_on is None:
        return None
    spans = tuple(Pause(p.starts_on, p.ends_on) for p in pauses if p.outcome == "confirmed")
    return ServiceClock(contract.limit_wd, contract.starts_on, spans, contract.delivered_on)


def pauses_of(contract_id: UUID) -> tuple[ClockPause, ...]:
    """All pauses and questions for one, oldest first."""
    statement = (
        select(ClockPause).where(ClockPause.contract_id == contract_id).order_by(ClockPause.asked_at, ClockPause.id)
    )
    return tuple(db.session.scalars(statement))


def reading_of(
    contract: Contract, pauses: Sequence[ClockPause], calendar: WorkCalendar | None = None
) -> ClockReading | None:
    """What the clock shows today."""
    service_clock = service_clock_of(contract, pauses)
    return read_clock(service_clock, calendar or work_calendar.current(), clock.today()) if service_clock else None


def contract_view(actor: Actor, contract_id: UUID) -> ContractView:
    """The contract as `actor` may see it. Raises NotFound, also for a contract of others. A fixed number of statements."""
    contract = db.session.get(Contract, contract_id)
    if contract is None:
        raise NotFound
    parts = contract_parts(actor, contract)
    if not parts:
        raise NotFound
    names = organisations_by_ids((contract.owner_organisation_id, contract.agency_organisation_id))
    pauses = pauses_of(contract_id)
    rating = db.session.scalar(select(Rating).where(Rating.contract_id == contract_id))
    number = db.session.scalar(select(Procurement.number).where(Procurement.id == contract.procurement_id))
    return ContractView(
        id=contract.id,
        thread_id=contract.thread_id,
        number=contract.number,
        title=contract.title,
        state=contract.state,
        version=contract.version,
        procurement_id=contract.procurement_id,
        procurement_number=number or "",
        owner_organisation_id=contract.owner_organisation_id,
        owner_name=names[contract.owner_organisation_id].name,
        agency_organisation_id=contract.agency_organisation_id,
        agency_name=names[contract.agency_organisation_id].name,
        price_fen=contract.price_fen,
        limit_wd=contract.limit_wd,
        document_text=contract.document_text,
        document_sha256=contract.document_sha256,
        case_subject=contract.case_subject,
        created_at=contract.created_at,
        sign_by=contract.sign_by,
        signed_at=contract.signed_at,
        deadline_on=contract.deadline_on,
        deadline_provisional=contract.deadline_provisional,
        overdue_since=contract.overdue_since,
        pause_asked_by=contract.pause_asked_by,
        pause_answer_by=contract.pause_answer_by,
        accept_by=contract.accept_by,
        accepted_at=contract.accepted_at,
        rate_by=contract.rate_by,
        closed_at=contract.closed_at,
        bill_id=contract.bill_id,
        funded_at=contract.funded_at,
        released_at=contract.released_at,
        clock=reading_of(contract, pauses),
        signatures=_signatures(contract, {key: value.name for key, value in names.items()}),
        pauses=tuple(_pause_view(row) for row in pauses),
        deliverables=_deliverables(contract_id),
        rating=_rating_view(rating) if rating else None,
        parts=parts,
    )


def deliverable_file(actor: Actor, contract_id: UUID, number: int) -> UUID:
    """The stored file of one version, for who may see the contract. Raises NotFound."""
    contract = db.session.get(Contract, contract_id)
    if contract is None or not contract_parts(actor, contract):
        raise NotFound
    statement = select(Deliverable.file_id).where(Deliverable.contract_id == contract_id, Deliverable.number == number)
    file_id = db.session.scalar(statement)
    if file_id is None:
        raise NotFound
    return file_id


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


def turn_of(contract: Contract | ContractView) -> Part | None:
    """The side whose step is next, if it is a side's."""
    waiting = TURN_OF_STATE[contract.state]
    return other_side(contract.pause_asked_by) if waiting is Part.COUNTERPARTY else waiting


def contract_of_procurement(procurement_id: UUID) -> tuple[UUID, str, str] | None:
    """(id, number, state) of the newest contract of a procurement, for its page."""
    statement = (
        select(Contract.id, Contract.number, Contract.state)
        .where(Contract.procurement_id == procurement_id)
        .order_by(Contract.created_at.desc())
        .limit(1)
    )
    row = db.session.execute(statement).first()
    return (row.id, row.number, row.state) if row else None


@dataclass(frozen=True)
class OwnerAndItem:
    """Whose contract it is and which list entry it serves."""

    owner_organisation_id: UUID
    item_id: UUID


def owner_and_item(contract_id: UUID) -> OwnerAndItem | None:
    """The owner and the service item of a contract, for the domain above."""
    statement = (
        select(Contract.owner_organisation_id, ItemVersion.item_id)
        .join(ItemVersion, ItemVersion.id == Contract.item_version_id)
        .where(Contract.id == contract_id)
    )
    row = db.session.execute(statement).first()
    return OwnerAndItem(row.owner_organisation_id, row.item_id) if row else None


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


def _signatures(contract: Contract, names: dict[UUID, str]) -> tuple[SignatureView, ...]:
    statement = (
        select(ContractSignature)
        .where(ContractSignature.contract_id == contract.id)
        .order_by(ContractSignature.signed_at, ContractSignature.id)
    )
    return tuple(
        SignatureView(row.side, names.get(row.organisation_id, ""), row.name, row.signed_at, row.document_sha256)
        for row in db.session.scalars(statement)
    )


def _pause_view(row: ClockPause) -> PauseView:
    return PauseView(
        row.reason,
        row.explanation,
        row.asked_by,
        row.asked_by_name,
        row.asked_at,
        row.answer_by,
        row.outcome,
        row.answered_by_name,
        row.answer_reason,
        row.starts_on,
        row.ends_on,
        row.end_reason,
    )


def _deliverables(contract_id: UUID) -> tuple[DeliverableView, ...]:
    statement = select(Deliverable).where(Deliverable.contract_id == contract_id).order_by(Deliverable.number.desc())
    return tuple(
        DeliverableView(
            row.id,
            row.number,
            row.title,
            row.file_id,
            row.file_name,
            row.file_sha256,
            row.file_size,
            row.practitioner_name,
            row.practitioner_certificate,
            row.note,
            row.submitted_by_name,
            row.submitted_at,
            row.accepted_at,
            row.returned_at,
            row.return_reason,
            row.decided_by_name,
        )
        for row in db.session.scalars(statement)
    )


def _rating_view(row: Rating) -> RatingView:
    stars = tuple((name, int(getattr(row, name))) for name in DIMENSIONS)
    return RatingView(stars, row.comment, row.on_time, row.rated_at)


def state_label(state: str) -> str:
    """The catalogue message of a contract's state."""
    return CONTRACT.labels[S(state)]


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
