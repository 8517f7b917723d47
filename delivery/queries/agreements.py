"""What was agreed for one parcel beside its receiver, for its page: fee, promise, point, letters, envelope, complaints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from app.kernel.words import N_
from delivery import rules
from delivery import terms as rule_book
from delivery.chosen_days import Choosable, changeable_until, choosable, is_fixed
from delivery.doorstep import IdType
from delivery.models.complaints import Complaint, ComplaintKind
from delivery.models.mandates import LetterOfAuthority, LetterScope
from delivery.models.papers import PapersOrder
from delivery.models.parcels import Parcel
from delivery.models.schedules import CollectionPoint
from delivery.models.terms import FeeState, ParcelTerms
from delivery.observed import Status
from delivery.policy import complaint_parts, letter_parts, oversees, papers_parts
from delivery.queries.meanings import STATUS_LABELS
from delivery.queries.schedules import schedule_of
from delivery.states import (
    COMPLAINT,
    LETTER,
    PAPERS,
    STAFF,
    ComplaintState,
    LetterState,
    PapersState,
    ParcelState,
    Part,
)
from delivery.terms import FeeMode
from delivery.words import ID_TYPES

FEE_LABELS: Final = {
    FeeMode.GOVERNMENT: N_("Paid by the government"),
    FeeMode.PREPAID: N_("Paid in advance at the payment counter"),
    FeeMode.ON_DELIVERY: N_("Paid to the courier on delivery"),
}
FEE_STATES: Final = {FeeState.NONE: "", FeeState.OWED: N_("not paid yet"), FeeState.PAID: N_("paid")}
SCOPE_LABELS: Final = {
    LetterScope.DOOR: N_("Sign for the parcel at the door"),
    LetterScope.WINDOW: N_("Collect it at the window"),
    LetterScope.BOTH: N_("Both, at the door and at the window"),
}
COMPLAINT_LABELS: Final = {
    ComplaintKind.LATE: N_("It comes too late"),
    ComplaintKind.NOT_RECEIVED: N_("Reported as delivered, but not received"),
    ComplaintKind.WRONG_PERSON: N_("Given to somebody who may not have it"),
    ComplaintKind.DAMAGED: N_("Damaged or opened"),
    ComplaintKind.MANNER: N_("How the courier behaved"),
    ComplaintKind.FEE: N_("A fee was asked for"),
    ComplaintKind.OTHER: N_("Something else"),
}
COMPLAINT_TONES: Final = {
    ComplaintState.FILED: "waiting", ComplaintState.ANSWERED: "active", ComplaintState.ESCALATED: "warning",
    ComplaintState.CLOSED: "success", ComplaintState.WITHDRAWN: "neutral",
}  # fmt: skip
PAPERS_TONES: Final = {
    PapersState.REQUESTED: "waiting", PapersState.BOOKED: "active", PapersState.RECEIVED: "success",
    PapersState.SENT_BACK: "neutral", PapersState.CANCELLED: "neutral",
}  # fmt: skip


@dataclass(frozen=True)
class PointView:
    """A collection point."""

    id: UUID
    name: str
    place: str
    address: str
    phone: str
    hours: str
    kept_days: int
    region_code: str
    is_open: bool


@dataclass(frozen=True)
class LetterView:
    """A letter of authority; the agent in full for the applicant and, while it is in force, for staff."""

    id: UUID
    title: str
    parcel_id: UUID
    state: str
    state_label: str
    tone: str
    version: int
    agent: str = field(repr=False)
    id_label: str
    last4: str = field(repr=False)
    scope_label: str
    valid_until: datetime
    file_id: UUID | None
    parts: frozenset[Part]


@dataclass(frozen=True)
class Neighbour:
    """Another parcel of the same envelope, or one that could go into it."""

    id: UUID
    number: str
    contents: str


@dataclass(frozen=True)
class Agreement:
    """Everything agreed for one parcel."""

    fee_mode: str
    fee_label: str
    fee_fen: int
    fee_state: str
    fee_state_label: str
    promised_on: date | None
    preferred_day: date | None
    point: PointView | None
    code_locked_at: datetime | None
    link_no: int
    main: Neighbour | None
    members: tuple[Neighbour, ...]
    mergeable: tuple[Neighbour, ...]
    letters: tuple[LetterView, ...]
    originals: tuple[str, ...]
    complaints: tuple["ComplaintView", ...]
    erased_at: datetime | None
    days: Choosable
    """The days that the receiver can choose now."""
    day_fixed: bool
    """The chosen day is being prepared: it cannot be changed any more."""
    day_until: datetime | None
    """Until when the chosen day can be changed."""
    points_offered: bool

    @property
    def expected_on(self) -> date | None:
        """The chosen day, else the promised one."""
        return self.preferred_day or self.promised_on


def agreement_of(parcel_id: UUID, actor: Actor) -> Agreement:
    """The agreement of a parcel that the caller was allowed to see."""
    parcel = get(Parcel, parcel_id)
    terms = db.session.get(ParcelTerms, parcel_id) or ParcelTerms(
        parcel_id=parcel_id, fee_mode=FeeMode.GOVERNMENT, fee_fen=0, fee_state=FeeState.NONE, link_no=0, code_tries=0
    )
    point = db.session.get(CollectionPoint, terms.collection_point_id) if terms.collection_point_id else None
    main = db.session.get(Parcel, parcel.merged_into_id) if parcel.merged_into_id else None
    members = db.session.scalars(
        sa.select(Parcel).where(Parcel.merged_into_id == parcel_id).order_by(Parcel.number)
    ).all()
    cutoff = schedule_of(parcel.hall_organisation_id)[0]
    now, wished = clock.now(), terms.preferred_day
    return Agreement(
        terms.fee_mode, FEE_LABELS[FeeMode(terms.fee_mode)], terms.fee_fen, terms.fee_state, FEE_STATES[FeeState(terms.fee_state)],
        terms.promised_on, terms.preferred_day, point_view(point) if point else None, terms.code_locked_at, terms.link_no,
        _neighbour(main) if main else None, tuple(_neighbour(each) for each in members), mergeable_with(parcel),
        letters_of(parcel_id, actor), _originals(parcel), complaints_about(parcel_id, actor), parcel.erased_at,
        choosable(now, cutoff, rule_book.in_force().choose_day_days), is_fixed(wished, now, cutoff),
        changeable_until(wished, cutoff) if wished else None, _offers_points(parcel.hall_organisation_id),
    )  # fmt: skip


def _neighbour(row: Parcel) -> Neighbour:
    return Neighbour(row.id, row.number, row.contents)


def mergeable_with(parcel: Parcel) -> tuple[Neighbour, ...]:
    """Parcels of the same receiver and hall that wait to be packed too."""
    if parcel.state != ParcelState.READY:
        return ()
    same = (
        Parcel.hall_organisation_id, Parcel.applicant_user_id, Parcel.receiver_name, Parcel.receiver_mobile, Parcel.receiver_prov,
        Parcel.receiver_city, Parcel.receiver_county, Parcel.receiver_address, Parcel.who_may_sign, Parcel.state,
    )  # fmt: skip
    statement = sa.select(Parcel).where(Parcel.id != parcel.id, *(each == getattr(parcel, each.key) for each in same))
    return tuple(_neighbour(each) for each in db.session.scalars(statement.order_by(Parcel.number).limit(10)))


def mergeable_choices(parcel_id: UUID) -> list[tuple[str, str]]:
    """The same as choices of a form."""
    return [(str(each.id), f"{each.number}  {each.contents}") for each in mergeable_with(get(Parcel, parcel_id))]


def _originals(parcel: Parcel) -> tuple[str, ...]:
    statement = sa.select(PapersOrder).where(
        PapersOrder.subject == parcel.subject, PapersOrder.state == PapersState.RECEIVED
    )
    return tuple(name for order in db.session.scalars(statement) for name in order.papers if name not in order.missing)


# --- letters ---


def letters_of(parcel_id: UUID, actor: Actor) -> tuple[LetterView, ...]:
    """All letters of a parcel, the newest first."""
    statement = sa.select(LetterOfAuthority).where(LetterOfAuthority.parcel_id == parcel_id)
    return tuple(
        _letter(each, actor) for each in db.session.scalars(statement.order_by(LetterOfAuthority.granted_at.desc()))
    )


def letter_view(actor: Actor, letter_id: UUID) -> LetterView:
    """One letter. Raises NotFound for somebody else's."""
    row = get(LetterOfAuthority, letter_id)
    if not letter_parts(actor, row) and not oversees(actor):
        raise NotFound
    return _letter(row, actor)


def _letter(row: LetterOfAuthority, actor: Actor) -> LetterView:
    parts = letter_parts(actor, row)
    state = LetterState(row.state)
    in_force = state is LetterState.GRANTED and row.valid_until > clock.now()
    full = Part.APPLICANT in parts or (in_force and bool(parts & set(STAFF)))
    shown = LetterState.EXPIRED if state is LetterState.GRANTED and not in_force else state
    return LetterView(
        row.id, rules.masked_name(row.agent_name), row.parcel_id, state, LETTER.labels[shown], "success" if in_force else "neutral",
        row.version, row.agent_name if full else rules.masked_name(row.agent_name), ID_TYPES[IdType(row.agent_id_type)],
        row.agent_id_last4 if full else "", SCOPE_LABELS[LetterScope(row.scope)], row.valid_until,
        row.file_id if full else None, parts,
    )  # fmt: skip


# --- collection points ---


def point_view(row: CollectionPoint) -> PointView:
    """A collection point as a value."""
    place = f"{row.prov}{'' if row.city == row.prov else row.city}{row.county}"
    return PointView(
        row.id,
        row.name,
        place,
        row.address,
        row.phone,
        row.hours,
        row.kept_days,
        row.region_code,
        row.closed_at is None,
    )


def points_of(hall_organisation_id: UUID | None) -> tuple[PointView, ...]:
    """The open collection points of a hall, or of all halls."""
    statement = sa.select(CollectionPoint).where(CollectionPoint.closed_at.is_(None))
    if hall_organisation_id is not None:
        statement = statement.where(CollectionPoint.hall_organisation_id == hall_organisation_id)
    return tuple(
        point_view(each)
        for each in db.session.scalars(statement.order_by(CollectionPoint.region_code, CollectionPoint.name))
    )


def _offers_points(hall_organisation_id: UUID) -> bool:
    statement = sa.select(CollectionPoint.id).where(
        CollectionPoint.hall_organisation_id == hall_organisation_id, CollectionPoint.closed_at.is_(None)
    )
    return db.session.scalar(statement.limit(1)) is not None


def point_choices(parcel_id: UUID) -> list[tuple[str, str, str]]:
    """The open collection points of a parcel's hall as choices of a form, with place and hours."""
    points = points_of(get(Parcel, parcel_id).hall_organisation_id)
    return [(str(each.id), each.name, f"{each.place}{each.address} · {each.hours}") for each in points]


# --- complaints ---


@dataclass(frozen=True)
class ComplaintView:
    """A complaint with both sides' words."""

    id: UUID
    number: str
    title: str
    parcel_id: UUID
    parcel_number: str
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    hall_name: str
    kind_label: str
    text: str = field(repr=False)
    filed_at: datetime
    reply_due_at: datetime
    overdue: bool
    answer: str | None
    answered_at: datetime | None
    close_at: datetime | None
    decision: str | None
    parts: frozenset[Part]

    @property
    def is_open(self) -> bool:
        return self.state not in (ComplaintState.CLOSED, ComplaintState.WITHDRAWN)


def complaint_view(actor: Actor, complaint_id: UUID) -> ComplaintView:
    """One complaint. Raises NotFound for somebody else's."""
    row = get(Complaint, complaint_id)
    if not complaint_parts(actor, row) and not oversees(actor):
        raise NotFound
    return complaint_views([row], actor)[0]


def complaints_about(parcel_id: UUID, actor: Actor) -> tuple[ComplaintView, ...]:
    """All complaints about a parcel, the newest first."""
    statement = sa.select(Complaint).where(Complaint.parcel_id == parcel_id).order_by(Complaint.filed_at.desc())
    return complaint_views(db.session.scalars(statement).all(), actor)


def complaints_statement(actor: Actor, state: str | None = None) -> sa.Select[Any]:
    """The queue: the hall's for its staff, all for oversight, one's own for everybody else; the nearest term first."""
    statement = sa.select(Complaint)
    staff = {Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.WINDOW_CLERK, Role.CERTIFICATE_CENTRE}
    if not oversees(actor):
        hall = Complaint.hall_organisation_id == actor.organisation_id
        statement = statement.where(
            hall if not staff.isdisjoint(actor.roles) else Complaint.applicant_user_id == actor.user_id
        )
    if state:
        statement = statement.where(Complaint.state == state)
    open_first = Complaint.state.in_((ComplaintState.CLOSED, ComplaintState.WITHDRAWN))
    return statement.order_by(open_first, Complaint.reply_due_at, Complaint.id)


def complaint_views(rows: Sequence[Complaint], actor: Actor) -> tuple[ComplaintView, ...]:
    """Rows as values."""
    halls = identity.organisations_by_ids({row.hall_organisation_id for row in rows})
    numbers = (
        dict(
            db.session.execute(
                sa.select(Parcel.id, Parcel.number).where(Parcel.id.in_({row.parcel_id for row in rows}))
            ).all()
        )
        if rows
        else {}
    )
    return tuple(_complaint(row, actor, numbers, halls) for row in rows)


def _complaint(row: Complaint, actor: Actor, numbers: dict[UUID, str], halls: Any) -> ComplaintView:
    state = ComplaintState(row.state)
    hall = halls.get(row.hall_organisation_id)
    return ComplaintView(
        row.id, row.number, row.number, row.parcel_id, numbers.get(row.parcel_id, ""), state, COMPLAINT.labels[state],
        COMPLAINT_TONES[state], COMPLAINT.next_step[state], row.version, hall.name if hall else "",
        COMPLAINT_LABELS[ComplaintKind(row.kind)], row.text, row.filed_at, row.reply_due_at,
        state is ComplaintState.FILED and row.reply_due_at < clock.now(), row.answer, row.answered_at, row.close_at, row.decision,
        complaint_parts(actor, row),
    )  # fmt: skip


# --- originals ---


@dataclass(frozen=True)
class PapersView:
    """A collection of originals; the sender in full for the applicant and the supervisor only."""

    id: UUID
    number: str
    title: str
    subject: str
    thread_id: UUID
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    hall_name: str
    papers: tuple[str, ...]
    missing: tuple[str, ...]
    remark: str | None
    sender: str = field(repr=False)
    mobile: str = field(repr=False)
    place: str = field(repr=False)
    pickup_on: date
    pickup_window: str
    waybill_no: str | None
    problem: str | None
    status_label: str
    reports: tuple[tuple[datetime, str, str], ...]
    received_at: datetime | None
    parcel_id: UUID | None
    parts: frozenset[Part]


def papers_view(actor: Actor, papers_id: UUID) -> PapersView:
    """One collection. Raises NotFound for somebody else's."""
    row = get(PapersOrder, papers_id)
    if not papers_parts(actor, row) and not oversees(actor):
        raise NotFound
    return papers_views([row], actor)[0]


def papers_statement(actor: Actor) -> sa.Select[Any]:
    """Collections of the hall, of oversight, or one's own, the newest first."""
    statement = sa.select(PapersOrder)
    staff = {Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.WINDOW_CLERK, Role.CERTIFICATE_CENTRE}
    if not oversees(actor):
        hall = PapersOrder.hall_organisation_id == actor.organisation_id
        statement = statement.where(
            hall if not staff.isdisjoint(actor.roles) else PapersOrder.applicant_user_id == actor.user_id
        )
    ended = PapersOrder.state.in_((PapersState.SENT_BACK, PapersState.CANCELLED))
    return statement.order_by(ended, PapersOrder.created_at.desc(), PapersOrder.id)


def papers_of_subject(subject: str, actor: Actor) -> tuple[PapersView, ...]:
    """The collections of one case, for the page of the domain above, which has authorised the reader."""
    statement = sa.select(PapersOrder).where(PapersOrder.subject == subject).order_by(PapersOrder.created_at.desc())
    return papers_views(db.session.scalars(statement).all(), actor)


def papers_views(rows: Sequence[PapersOrder], actor: Actor) -> tuple[PapersView, ...]:
    """Rows as values."""
    halls = identity.organisations_by_ids({row.hall_organisation_id for row in rows})
    return tuple(_papers(row, actor, halls) for row in rows)


def _papers(row: PapersOrder, actor: Actor, halls: Any) -> PapersView:
    state, parts = PapersState(row.state), papers_parts(actor, row)
    full = not parts.isdisjoint((Part.APPLICANT, Part.SUPERVISOR)) and state is not PapersState.CANCELLED
    hall = halls.get(row.hall_organisation_id)
    region = f"{row.sender_prov}{'' if row.sender_city == row.sender_prov else row.sender_city}{row.sender_county}"
    return PapersView(
        row.id, row.number, row.number, row.subject, row.thread_id, state, PAPERS.labels[state], PAPERS_TONES[state],
        PAPERS.next_step[state], row.version, hall.name if hall else "", tuple(row.papers), tuple(row.missing), row.remark,
        row.sender_name if full else rules.masked_name(row.sender_name),
        row.sender_mobile if full else rules.masked_mobile(row.sender_mobile),
        f"{region}{row.sender_address}" if full else f"{region}***", row.pickup_on, row.pickup_window, row.waybill_no, row.problem,
        STATUS_LABELS[Status(row.observed_status)],
        tuple((datetime.fromisoformat(each["at"]), each["title"], each["office"]) for each in reversed(row.reports)),
        row.received_at, row.parcel_id, parts,
    )  # fmt: skip
