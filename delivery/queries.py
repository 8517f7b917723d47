"""Reads of delivery as frozen values, masked for whoever asks; a fixed number of statements each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
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
from delivery.models.batches import HandoverBatch, HandoverLine, LineOutcome
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.models.waybills import Waybill, WaybillState
from delivery.observed import TERMINAL, Status, standing
from delivery.policy import batch_parts, must_see_batch, must_see_parcel, oversees
from delivery.readings import observation_of
from delivery.states import BATCH, PARCEL, STAFF, BatchState, ParcelState, Part
from delivery.words import TASK_TITLES, WAYS_OUT

SEEN_AFTER_DELIVERY: Final = timedelta(days=30)
"""Postal staff see a receiver until this long after the delivery (RELIABILITY 4, PIPL)."""

TONES: Final[Mapping[str, str]] = {
    ParcelState.CREATED: "neutral", ParcelState.READY: "waiting", ParcelState.PACKED: "waiting", ParcelState.BOOKING: "waiting", ParcelState.WAYBILLED: "waiting",
    ParcelState.HANDED_OVER: "active", ParcelState.DELIVERED: "success", ParcelState.RETURNED: "warning", ParcelState.LOST: "danger", ParcelState.CLOSED: "neutral",
    ParcelState.CANCELLED: "neutral", BatchState.OPEN: "waiting", BatchState.OFFERED: "waiting", BatchState.TAKEN_OVER: "success",
}  # fmt: skip
STATUS_LABELS: Final[Mapping[Status, str]] = {
    Status.LABEL_CREATED: N_("Waiting for collection"),
    Status.COLLECTED: N_("Collected by the carrier"),
    Status.IN_TRANSIT: N_("In transit"),
    Status.OUT_FOR_DELIVERY: N_("Out for delivery"),
    Status.AVAILABLE_FOR_PICKUP: N_("Ready to be collected by the receiver"),
    Status.DELIVERED: N_("Delivered, says the carrier"),
    Status.DELIVERY_FAILED: N_("Delivery attempt failed"),
    Status.RETURNING: N_("On its way back to the hall"),
    Status.RETURNED: N_("Brought back to the hall by the carrier"),
    Status.LOST: N_("Lost by the carrier"),
    Status.CANCELLED: N_("Order cancelled at the carrier"),
    Status.EXCEPTION: N_("The carrier reports a problem"),
    Status.UNKNOWN: N_("Unknown report"),
}
STATUS_TONES: Final[Mapping[Status, str]] = {
    Status.COLLECTED: "active", Status.IN_TRANSIT: "active", Status.OUT_FOR_DELIVERY: "active",
    Status.AVAILABLE_FOR_PICKUP: "waiting", Status.DELIVERED: "success", Status.DELIVERY_FAILED: "warning",
    Status.RETURNING: "warning", Status.RETURNED: "warning", Status.LOST: "danger", Status.EXCEPTION: "danger",
}  # fmt: skip
SIGNER_LABELS: Final[Mapping[str, str]] = {
    "in_person": N_("the receiver in person"),
    "proxy": N_("somebody on the receiver's behalf"),
    "pickup_point": N_("a locker or pick-up point"),
    "unattended": N_("left without anybody taking it"),
    "other": N_("another way"),
    "claim": N_("settled by a claim"),
    "unstated": N_("not stated"),
}
NEXT_BY_STATUS: Final[Mapping[Status, tuple[str, str]]] = {
    Status.LABEL_CREATED: (N_("The courier signed for it; the carrier has not scanned it yet."), N_("Carrier")),
    Status.OUT_FOR_DELIVERY: (
        N_("The courier brings it today. Have the pick-up code or an identity card ready."),
        N_("Receiver"),
    ),
    Status.AVAILABLE_FOR_PICKUP: (N_("The receiver collects it where the carrier keeps it."), N_("Receiver")),
    Status.DELIVERED: (
        N_("Somebody took it, but not the receiver in person: the hall finds out whether it arrived."),
        N_("Hall staff"),
    ),
    Status.DELIVERY_FAILED: (N_("The carrier tries again, or the hall calls the receiver."), N_("Carrier")),
    Status.RETURNING: (
        N_("Scan it back in when it arrives; then send again or keep it for collection."),
        N_("Carrier"),
    ),
    Status.RETURNED: (
        N_("Scan it back in when it arrives; then send again or keep it for collection."),
        N_("Hall staff"),
    ),
    Status.EXCEPTION: (N_("The hall asks the carrier."), N_("Hall staff")),
    Status.CANCELLED: (N_("The hall asks the carrier."), N_("Hall staff")),
}
"""What a parcel with the courier waits for, and whose turn that is, by what the carrier reports."""
TURNS: Final[Mapping[str, str]] = {
    ParcelState.CREATED: N_("Certificate centre"),
    ParcelState.READY: N_("Hall staff"),
    ParcelState.PACKED: N_("A second person in the hall"),
    ParcelState.BOOKING: N_("Carrier"),
    ParcelState.WAYBILLED: N_("Postal staff"),
    ParcelState.HANDED_OVER: N_("Carrier"),
    ParcelState.DELIVERED: N_("Receiver"),
    ParcelState.RETURNED: N_("Hall staff"),
    ParcelState.LOST: N_("Postal supervisor"),
}
# Sorting and dispatch inside processing centres, which tell a receiver nothing (EMS-PROTOCOL 3.2).
_INTERNAL: Final = frozenset(
    {"356", "358", "360", "364", "365", "368", "370", "371", "374", "375", "376", "379", "394", "396", "399", "893", "913",
     "916", "931", "932", "937"}
)  # fmt: skip


@dataclass(frozen=True)
class ReceiverView:
    """A receiver as the asker may see them; masked where they may not."""

    name: str = field(repr=False)
    mobile: str = field(repr=False)
    prov: str
    city: str
    county: str
    address: str = field(repr=False)
    masked: bool

    @property
    def line(self) -> str:
        return self.address if self.masked else f"{self.prov}{self.city}{self.county}{self.address}"


@dataclass(frozen=True)
class ReportView:
    """One report of the carrier as it is shown."""

    at: datetime
    code: str
    title: str
    text: str
    office: str
    status: str
    status_label: str
    tone: str
    reversed: bool
    internal: bool


@dataclass(frozen=True)
class TaskView:
    """One thing that a person must look at."""

    id: UUID
    parcel_id: UUID
    number: str
    kind: str
    title: str
    way_out: str
    fact: str
    raised_at: datetime
    due_at: datetime
    overdue: bool
    resolved_at: datetime | None
    resolution: str | None


@dataclass(frozen=True)
class ParcelView:
    """A parcel for pages, the API and other domains. `title` names it on forms."""

    id: UUID
    number: str
    title: str
    thread_id: UUID
    subject: str
    state: str
    state_label: str
    tone: str
    next_step: str
    turn: str
    version: int
    hall_organisation_id: UUID
    hall_name: str
    contents: str
    who_may_sign: str
    weight_g: int
    created_at: datetime
    serve_by: datetime
    receiver: ReceiverView
    pickup_code: str | None = field(repr=False)
    seal_no: str | None
    packed_name: str
    packed_at: datetime | None
    checked_name: str
    checked_at: datetime | None
    order_no: str | None
    waybill_no: str | None
    route_code: str | None
    destination_name: str | None
    booking_problem: str | None
    booking_due_at: datetime | None
    booking_tries: int
    label_ready: bool
    label_printed_at: datetime | None
    label_prints: int
    handed_over_at: datetime | None
    status: str
    status_label: str
    status_tone: str
    status_since: datetime | None
    failed_attempts: int
    last_report_at: datetime | None
    last_checked_at: datetime | None
    next_poll_at: datetime | None
    check_problem: str | None
    delivered_at: datetime | None
    signer_class: str | None
    signer_label: str
    signer_name: str | None = field(repr=False)
    parts: frozenset[Part]

    @property
    def is_staff(self) -> bool:
        return not self.parts.isdisjoint(STAFF)

    @property
    def is_settled(self) -> bool:
        return self.state in (ParcelState.CLOSED, ParcelState.CANCELLED)


class Tab(StrEnum):
    """The queues of the hall workbench."""

    PACK = "pack"
    LABEL = "label"
    HANDOVER = "handover"
    TRANSIT = "transit"
    EXCEPTIONS = "exceptions"


TAB_STATES: Final[Mapping[Tab, tuple[ParcelState, ...]]] = {
    Tab.PACK: (ParcelState.READY, ParcelState.PACKED),
    Tab.LABEL: (ParcelState.BOOKING, ParcelState.WAYBILLED),
    Tab.HANDOVER: (ParcelState.WAYBILLED,),
    Tab.TRANSIT: (ParcelState.HANDED_OVER, ParcelState.DELIVERED),
}


# --- parcels ---


def parcel_view(parcel_id: UUID, actor: Actor | None = None) -> ParcelView:
    """A parcel; without an actor (for the domains above) masked. Raises NotFound for what `actor` may not see."""
    parcel = get(Parcel, parcel_id)
    parts = must_see_parcel(actor, parcel) if actor else frozenset()
    return _views([parcel], {parcel.id: parts})[0]


def _seen(rows: Sequence[Parcel], actor: Actor | None) -> tuple[ParcelView, ...]:
    if actor is None:
        return _views(rows, {})
    parts: dict[UUID, frozenset[Part]] = {}
    for row in rows:
        try:
            parts[row.id] = must_see_parcel(actor, row)
        except NotFound:
            continue
    return _views([row for row in rows if row.id in parts], parts)


def _views(rows: Sequence[Parcel], parts: Mapping[UUID, frozenset[Part]]) -> tuple[ParcelView, ...]:
    people = identity.persons_by_ids({each for row in rows for each in (row.packed_by, row.checked_by) if each})
    halls = identity.organisations_by_ids({row.hall_organisation_id for row in rows})
    labelled = _labelled([row.waybill_no for row in rows if row.waybill_no])
    names = {key: person.name for key, person in people.items()}
    hall_names = {key: hall.name for key, hall in halls.items()}
    return tuple(_view(row, parts.get(row.id, frozenset()), names, hall_names, labelled) for row in rows)


def _labelled(numbers: Sequence[str]) -> frozenset[str]:
    if not numbers:
        return frozenset()
    statement = sa.select(Waybill.waybill_no).where(
        Waybill.waybill_no.in_(numbers), Waybill.label_fetched_at.is_not(None)
    )
    return frozenset(db.session.scalars(statement))


def _view(
    row: Parcel, parts: frozenset[Part], people: Mapping[UUID, str], halls: Mapping[UUID, str], labelled: frozenset[str]
) -> ParcelView:
    status = Status(row.observed_status)
    state = ParcelState(row.state)
    mine = Part.APPLICANT in parts
    next_step, turn = PARCEL.next_step[state], TURNS.get(state, "")
    tone = STATUS_TONES.get(status, "neutral")
    if state is ParcelState.HANDED_OVER:
        next_step, turn = NEXT_BY_STATUS.get(status, (next_step, turn))
        tone = "warning" if status is Status.DELIVERED else tone
    return ParcelView(
        id=row.id, number=row.number, title=row.number, thread_id=row.thread_id, subject=row.subject, state=state,
        state_label=PARCEL.labels[state], tone=TONES[state], next_step=next_step, turn=turn,
        version=row.version, hall_organisation_id=row.hall_organisation_id,
        hall_name=halls.get(row.hall_organisation_id, ""), contents=row.contents, who_may_sign=row.who_may_sign,
        weight_g=row.weight_g, created_at=row.created_at, serve_by=row.serve_by, receiver=_receiver(row, parts),
        pickup_code=row.pickup_code if mine else None, seal_no=row.seal_no if parts.intersection(STAFF) else None,
        packed_name=people.get(row.packed_by, "") if row.packed_by else "", packed_at=row.packed_at,
        checked_name=people.get(row.checked_by, "") if row.checked_by else "", checked_at=row.checked_at,
        order_no=row.order_no, waybill_no=row.waybill_no, route_code=row.route_code, destination_name=row.destination_name,
        booking_problem=row.booking_problem, booking_due_at=row.booking_due_at, booking_tries=row.booking_tries,
        label_ready=row.waybill_no in labelled, label_printed_at=row.label_printed_at, label_prints=row.label_prints,
        handed_over_at=row.handed_over_at, status=status, status_label=STATUS_LABELS[status],
        status_tone=tone, status_since=row.observed_since, failed_attempts=row.failed_attempts,
        last_report_at=row.last_report_at, last_checked_at=row.last_checked_at, next_poll_at=row.next_poll_at,
        check_problem=row.check_problem, delivered_at=row.delivered_at, signer_class=row.signer_class,
        signer_label=SIGNER_LABELS.get(row.signer_class or "", ""), signer_name=_signer(row, parts), parts=parts,
    )  # fmt: skip


def _receiver(row: Parcel, parts: frozenset[Part]) -> ReceiverView:
    """The applicant and the supervisor see all, staff a masked telephone, everybody else only masks."""
    shown = _may_see_receiver(row, parts)
    full_mobile = Part.APPLICANT in parts or (shown and Part.SUPERVISOR in parts)
    masked = rules.masked_address(row.receiver_prov, row.receiver_city, row.receiver_county, row.receiver_address)
    return ReceiverView(
        row.receiver_name if shown else rules.masked_name(row.receiver_name),
        row.receiver_mobile if full_mobile else rules.masked_mobile(row.receiver_mobile),
        row.receiver_prov, row.receiver_city, row.receiver_county, row.receiver_address if shown else masked, not shown,
    )  # fmt: skip


def _may_see_receiver(row: Parcel, parts: frozenset[Part]) -> bool:
    if Part.APPLICANT in parts:
        return True
    if not parts.intersection(STAFF):
        return False
    return row.delivered_at is None or clock.now() - row.delivered_at < SEEN_AFTER_DELIVERY


def _signer(row: Parcel, parts: frozenset[Part]) -> str | None:
    if not row.signer_name:
        return None
    return row.signer_name if _may_see_receiver(row, parts) else rules.masked_name(row.signer_name)


@dataclass(frozen=True)
class ParcelFilter:
    """What a list may be narrowed by."""

    tab: Tab | None = None
    state: str | None = None
    words: str | None = None


def parcels_statement(actor: Actor, wanted: ParcelFilter) -> sa.Select[Any]:
    """The statement of a list: the hall's parcels for staff, all for oversight, one's own for everybody else."""
    statement = sa.select(Parcel)
    if not oversees(actor):
        own = Parcel.applicant_user_id == actor.user_id
        hall = Parcel.hall_organisation_id == actor.organisation_id
        statement = statement.where(hall if _works(actor) else own)
    if wanted.tab is not None and wanted.tab in TAB_STATES:
        statement = statement.where(Parcel.state.in_(TAB_STATES[wanted.tab]))
    if wanted.tab is Tab.LABEL:
        statement = statement.where(sa.or_(Parcel.state == ParcelState.BOOKING, Parcel.label_printed_at.is_(None)))
    if wanted.tab is Tab.HANDOVER:
        statement = statement.where(Parcel.label_printed_at.is_not(None), ~_is_listed())
    if wanted.state:
        statement = statement.where(Parcel.state == wanted.state)
    if wanted.words:
        code = rules.normal_scan(wanted.words)
        statement = statement.where(
            sa.or_(Parcel.number.contains(code), Parcel.waybill_no == code, Parcel.contents.contains(wanted.words))
        )
    return statement.order_by(Parcel.serve_by, Parcel.number)


def _is_listed() -> sa.ColumnElement[bool]:
    return sa.exists().where(HandoverLine.parcel_id == Parcel.id, HandoverLine.outcome == LineOutcome.LISTED)


def _works(actor: Actor) -> bool:
    staff = {Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.WINDOW_CLERK, Role.CERTIFICATE_CENTRE}
    return not staff.isdisjoint(actor.roles)


def views_of(rows: Sequence[Parcel], actor: Actor) -> tuple[ParcelView, ...]:
    """Views of rows that the actor may see."""
    return _seen(rows, actor)


def tab_counts(actor: Actor) -> dict[Tab, int]:
    """How many parcels wait in each queue of the workbench."""
    listed = sa.select(HandoverLine.parcel_id).where(HandoverLine.outcome == LineOutcome.LISTED)
    printed = Parcel.label_printed_at.is_not(None)
    statement = sa.select(
        _count(Parcel.state.in_(TAB_STATES[Tab.PACK])),
        _count(sa.or_(Parcel.state == ParcelState.BOOKING, sa.and_(Parcel.state == ParcelState.WAYBILLED, ~printed))),
        _count(sa.and_(Parcel.state == ParcelState.WAYBILLED, printed, Parcel.id.not_in(listed))),
        _count(Parcel.state.in_(TAB_STATES[Tab.TRANSIT])),
    )
    tasks = sa.select(sa.func.count()).select_from(ParcelTask).where(ParcelTask.resolved_at.is_(None))
    if not oversees(actor):
        statement = statement.where(Parcel.hall_organisation_id == actor.organisation_id)
        tasks = tasks.where(ParcelTask.hall_organisation_id == actor.organisation_id)
    pack, label, handover, transit = db.session.execute(statement).one()
    return {
        Tab.PACK: pack, Tab.LABEL: label, Tab.HANDOVER: handover, Tab.TRANSIT: transit,
        Tab.EXCEPTIONS: db.session.scalar(tasks) or 0,
    }  # fmt: skip


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


# --- the carrier's reports ---


def reports_of(parcel_id: UUID, waybill_no: str | None, *, internal: bool) -> tuple[ReportView, ...]:
    """What the carrier reported under the present number, newest first; sorting steps only where `internal`."""
    statement = sa.select(CarrierEvent).where(
        CarrierEvent.parcel_id == parcel_id, CarrierEvent.waybill_no == waybill_no
    )
    rows = {row.key: row for row in db.session.scalars(statement)}
    seen = [observation_of(row) for row in rows.values()]
    gone = standing(seen)[1]
    shown = [each for each in seen if internal or each.code not in _INTERNAL]
    views = [
        ReportView(
            each.occurred_at, each.code, each.name or each.code, each.description, each.office,
            each.status or "", STATUS_LABELS[each.status] if each.status else "",
            STATUS_TONES.get(each.status, "neutral") if each.status else "warning", each.key in gone, each.code in _INTERNAL,
        )
        for each in shown
    ]  # fmt: skip
    return tuple(sorted(views, key=lambda each: each.at, reverse=True))


def open_hints(parcel_id: UUID) -> int:
    """How many announced events the carrier has not confirmed yet."""
    statement = sa.select(sa.func.count()).where(CarrierHint.parcel_id == parcel_id, CarrierHint.confirmed_at.is_(None))
    return db.session.scalar(statement) or 0


def label_of(parcel_id: UUID, actor: Actor) -> tuple[ParcelView, bytes | None]:
    """The parcel and the carrier's label, if it was fetched. Staff only; raises NotFound otherwise or without a number."""
    view = parcel_view(parcel_id, actor)
    if not view.is_staff or view.waybill_no is None:
        raise NotFound
    statement = sa.select(Waybill.label_pdf).where(
        Waybill.waybill_no == view.waybill_no, Waybill.state == WaybillState.LIVE
    )
    return view, db.session.scalar(statement)


def waybills_of(parcel_id: UUID) -> tuple[tuple[str, str, datetime], ...]:
    """Every number that was ever live for a parcel: number, state, since when known."""
    statement = sa.select(Waybill).where(Waybill.parcel_id == parcel_id).order_by(Waybill.created_at)
    return tuple((row.waybill_no, row.state, row.created_at) for row in db.session.scalars(statement))


# --- exceptions ---


def tasks_statement(actor: Actor, *, parcel_id: UUID | None = None) -> sa.Select[ParcelTask, str]:
    """Open tasks of the hall, the most urgent first; or all tasks of one parcel."""
    statement = sa.select(ParcelTask, Parcel.number).join(Parcel, Parcel.id == ParcelTask.parcel_id)
    if parcel_id is not None:
        return statement.where(ParcelTask.parcel_id == parcel_id).order_by(
            ParcelTask.resolved_at.is_not(None), ParcelTask.due_at
        )
    if not oversees(actor):
        statement = statement.where(ParcelTask.hall_organisation_id == actor.organisation_id)
    return statement.where(ParcelTask.resolved_at.is_(None)).order_by(ParcelTask.due_at, ParcelTask.id)


def task_views(rows: Sequence[Any]) -> tuple[TaskView, ...]:
    """Rows of `tasks_statement` as values."""
    now = clock.now()
    return tuple(
        TaskView(
            task.id, task.parcel_id, number, task.kind, TASK_TITLES[TaskKind(task.kind)], WAYS_OUT[TaskKind(task.kind)],
            task.fact, task.raised_at, task.due_at, task.resolved_at is None and task.due_at < now, task.resolved_at,
            task.resolution,
        )
        for task, number in rows
    )  # fmt: skip


# --- hand-over lists ---


@dataclass(frozen=True)
class LineView:
    """One line of a hand-over list."""

    parcel_id: UUID
    number: str
    waybill_no: str
    receiver: str
    place: str
    contents: str
    seal_no: str
    weight_g: int
    outcome: str


@dataclass(frozen=True)
class BatchView:
    """A hand-over list with its lines and signatures."""

    id: UUID
    number: str
    title: str
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    hall_organisation_id: UUID
    hall_name: str
    created_at: datetime
    offered_name: str | None
    offered_at: datetime | None
    offered_count: int | None
    taken_name: str | None
    taken_at: datetime | None
    taken_count: int | None
    courier_name: str | None
    courier_staff_no: str | None
    remark: str | None
    offered_by: UUID | None
    lines: tuple[LineView, ...]
    parts: frozenset[Part]

    @property
    def missing(self) -> int:
        return sum(line.outcome == LineOutcome.MISSING for line in self.lines)


@dataclass(frozen=True)
class BatchRow:
    """A list in the table of lists."""

    id: UUID
    number: str
    state: str
    state_label: str
    tone: str
    created_at: datetime
    lines: int
    taken_at: datetime | None


def batch_view(batch_id: UUID, actor: Actor) -> BatchView:
    """A list with its lines. Raises NotFound for another hall's."""
    batch = get(HandoverBatch, batch_id)
    must_see_batch(actor, batch)
    statement = (
        sa.select(HandoverLine, Parcel)
        .join(Parcel, Parcel.id == HandoverLine.parcel_id)
        .where(HandoverLine.batch_id == batch.id)
        .order_by(HandoverLine.listed_at, HandoverLine.id)
    )
    lines = tuple(_line(line, parcel) for line, parcel in db.session.execute(statement))
    state = BatchState(batch.state)
    return BatchView(
        batch.id, batch.number, batch.number, state, BATCH.labels[state], TONES.get(state, "neutral"), BATCH.next_step[state],
        batch.version, batch.hall_organisation_id, identity.organisation_name(batch.hall_organisation_id), batch.created_at,
        batch.offered_name, batch.offered_at, batch.offered_count, batch.taken_name, batch.taken_at, batch.taken_count,
        batch.courier_name, batch.courier_staff_no, batch.remark, batch.offered_by, lines, batch_parts(actor, batch),
    )  # fmt: skip


def _line(line: HandoverLine, parcel: Parcel) -> LineView:
    return LineView(
        parcel.id, parcel.number, parcel.waybill_no or "", rules.masked_name(parcel.receiver_name),
        f"{parcel.receiver_city}{parcel.receiver_county}", parcel.contents, parcel.seal_no or "", parcel.weight_g, line.outcome,
    )  # fmt: skip


def batches_statement(actor: Actor) -> sa.Select[Any]:
    """Lists of the hall, newest first, with their number of lines."""
    lines = (
        sa.select(sa.func.count())
        .where(HandoverLine.batch_id == HandoverBatch.id)
        .correlate(HandoverBatch)
        .scalar_subquery()
    )
    statement = sa.select(HandoverBatch, lines.label("lines"))
    if not oversees(actor):
        statement = statement.where(HandoverBatch.hall_organisation_id == actor.organisation_id)
    return statement.order_by(HandoverBatch.created_at.desc(), HandoverBatch.id.desc())


def batch_rows(rows: Sequence[Any]) -> tuple[BatchRow, ...]:
    """Rows of `batches_statement` as values."""
    return tuple(
        BatchRow(
            b.id,
            b.number,
            b.state,
            BATCH.labels[BatchState(b.state)],
            TONES.get(b.state, "neutral"),
            b.created_at,
            n,
            b.taken_at,
        )
        for b, n in rows
    )


def open_batches(actor: Actor) -> tuple[BatchRow, ...]:
    """Lists of the hall that are not signed on both sides yet."""
    statement = batches_statement(actor).where(HandoverBatch.state.in_((BatchState.OPEN, BatchState.OFFERED))).limit(20)
    return batch_rows(db.session.execute(statement).all())


# --- the public question: where is it? ---


@dataclass(frozen=True)
class PublicTrack:
    """What anybody with the number and the secret half of it may know."""

    number: str
    waybill_no: str | None
    state_label: str
    tone: str
    status: str
    status_label: str
    status_tone: str
    status_since: datetime | None
    receiver: str
    place: str
    serve_by: datetime
    last_checked_at: datetime | None
    delivered_at: datetime | None
    signer_label: str
    reports: tuple[ReportView, ...]
    is_over: bool


def public_track(parcel_id: UUID) -> PublicTrack:
    """The public view; `delivery.services.lookup` has checked number and code."""
    view = parcel_view(parcel_id)
    return PublicTrack(
        view.number, view.waybill_no, view.state_label, view.tone, view.status, view.status_label, view.status_tone,
        view.status_since, view.receiver.name, f"{view.receiver.city}{view.receiver.county}", view.serve_by,
        view.last_checked_at, view.delivered_at, view.signer_label, reports_of(view.id, view.waybill_no, internal=False),
        Status(view.status) in TERMINAL,
    )  # fmt: skip
