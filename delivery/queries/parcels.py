"""A parcel as its reader may see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.errors import NotFound
from delivery import rules
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.models.waybills import Waybill
from delivery.observed import Status
from delivery.policy import must_see_parcel
from delivery.privacy import Field, Sight, Window, sight_of
from delivery.queries.meanings import NEXT_BY_STATUS, SIGNER_LABELS, STATUS_LABELS, STATUS_TONES, TONES, TURNS
from delivery.states import PARCEL, STAFF, ParcelState, Part

ENDED: Final = (ParcelState.CLOSED, ParcelState.CANCELLED, ParcelState.LOST, ParcelState.DELIVERED)
"""Nothing more travels; from then on the receiver's data has its time."""


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
    carrier: str
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


def parcel_view(parcel_id: UUID, actor: Actor | None = None) -> ParcelView:
    """A parcel; without an actor (for the domains above) masked. Raises NotFound for what `actor` may not see."""
    parcel = get(Parcel, parcel_id)
    parts = must_see_parcel(actor, parcel) if actor else frozenset()
    return _views([parcel], {parcel.id: parts})[0]


def views_of(rows: Sequence[Parcel], actor: Actor) -> tuple[ParcelView, ...]:
    """Views of rows that the actor may see."""
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
    days = rule_book.in_force().receiver_seen_days
    names = {key: person.name for key, person in people.items()}
    hall_names = {key: hall.name for key, hall in halls.items()}
    return tuple(_view(row, parts.get(row.id, frozenset()), names, hall_names, labelled, days) for row in rows)


def _labelled(numbers: Sequence[str]) -> frozenset[str]:
    if not numbers:
        return frozenset()
    statement = sa.select(Waybill.waybill_no).where(
        Waybill.waybill_no.in_(numbers), Waybill.label_fetched_at.is_not(None)
    )
    return frozenset(db.session.scalars(statement))


def _view(
    row: Parcel,
    parts: frozenset[Part],
    people: Mapping[UUID, str],
    halls: Mapping[UUID, str],
    labelled: frozenset[str],
    seen_days: int,
) -> ParcelView:
    status = Status(row.observed_status)
    state = ParcelState(row.state)
    seen = _sights(row, parts, seen_days)
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
        weight_g=row.weight_g, created_at=row.created_at, serve_by=row.serve_by, receiver=_receiver(row, seen),
        pickup_code=row.pickup_code if seen[Field.CODE] is Sight.FULL else None, seal_no=row.seal_no if parts.intersection(STAFF) else None,
        packed_name=people.get(row.packed_by, "") if row.packed_by else "", packed_at=row.packed_at,
        checked_name=people.get(row.checked_by, "") if row.checked_by else "", checked_at=row.checked_at,
        carrier=row.carrier, order_no=row.order_no, waybill_no=row.waybill_no, route_code=row.route_code, destination_name=row.destination_name,
        booking_problem=row.booking_problem, booking_due_at=row.booking_due_at, booking_tries=row.booking_tries,
        label_ready=row.waybill_no in labelled, label_printed_at=row.label_printed_at, label_prints=row.label_prints,
        handed_over_at=row.handed_over_at, status=status, status_label=STATUS_LABELS[status],
        status_tone=tone, status_since=row.observed_since, failed_attempts=row.failed_attempts,
        last_report_at=row.last_report_at, last_checked_at=row.last_checked_at, next_poll_at=row.next_poll_at,
        check_problem=row.check_problem, delivered_at=row.delivered_at, signer_class=row.signer_class,
        signer_label=SIGNER_LABELS.get(row.signer_class or "", ""), signer_name=_as_seen(row.signer_name or "", seen[Field.NAME], rules.masked_name) or None, parts=parts,
    )  # fmt: skip


def _receiver(row: Parcel, seen: Mapping[Field, Sight]) -> ReceiverView:
    """What `delivery.privacy` lets this reader see; all three masked count as a masked receiver."""
    shown = seen[Field.ADDRESS] is Sight.FULL and not row.erased_at
    address = masked_place(row.receiver_prov, row.receiver_city, row.receiver_county, row.receiver_address)
    return ReceiverView(
        _as_seen(row.receiver_name, seen[Field.NAME], rules.masked_name),
        _as_seen(row.receiver_mobile, seen[Field.MOBILE], rules.masked_mobile),
        row.receiver_prov, row.receiver_city, row.receiver_county, row.receiver_address if shown else address, not shown,
    )  # fmt: skip


def masked_place(prov: str, city: str, county: str, address: str) -> str:
    """The masked line of an address; a municipality is named once."""
    return rules.masked_address(prov, "" if city == prov else city, county, address)


def _as_seen(text: str, sight: Sight, mask: Callable[[str], str]) -> str:
    return text if sight is Sight.FULL else mask(text)


def window_of(row: Parcel) -> Window:
    """Where a parcel stands in time, for what may be seen and kept of it."""
    ended = row.state in ENDED
    moments = (row.delivered_at, row.last_report_at, row.handed_over_at, row.ready_at, row.created_at)
    return Window(row.state, next(each for each in moments if each) if ended else None)


def _sights(row: Parcel, parts: frozenset[Part], seen_days: int) -> dict[Field, Sight]:
    window, now = window_of(row), clock.now()
    return {each: sight_of(parts, each, window, now, seen_days) for each in Field}


def may_give_up(parcel_id: UUID) -> bool:
    """Whether a parcel can still be given up for another way of service: until it is packed, or once it is cancelled."""
    return get(Parcel, parcel_id).state in (ParcelState.CREATED, ParcelState.READY, ParcelState.CANCELLED)
