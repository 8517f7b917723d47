"""Which part an actor plays towards parcels and batches, and which permissions each role holds."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from app.kernel.access import Actor, Role
from app.kernel.errors import NotFound
from delivery.models.batches import HandoverBatch
from delivery.models.complaints import Complaint
from delivery.models.mandates import LetterOfAuthority
from delivery.models.papers import PapersOrder
from delivery.models.parcels import Parcel
from delivery.models.rounds import CourierRound
from delivery.states import Part

WORK: Final = "delivery:parcels:work"
READ: Final = "delivery:parcels:read"
SETTLE: Final = "delivery:bills:settle"
CARRIERS: Final = "delivery:carriers:read"
REPLAY: Final = "delivery:mapping:replay"
PLAN: Final = "delivery:rounds:plan"
CARRY: Final = "delivery:rounds:carry"

_HALL: Final = frozenset({Role.WINDOW_CLERK, Role.CERTIFICATE_CENTRE})
_STAFF: Final = _HALL | {Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR}
_POST: Final = frozenset({Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR})
_OVERSIGHT: Final = frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})

GRANTS: Final[Mapping[Role, frozenset[str]]] = (
    {role: frozenset({WORK, READ}) for role in _HALL}
    | {role: frozenset({WORK, READ, PLAN}) for role in _POST}
    | {
        role: frozenset({READ, CARRIERS}) | (frozenset({REPLAY, SETTLE}) if role is Role.OPERATOR else frozenset())
        for role in _OVERSIGHT
    }
    | {Role.COURIER: frozenset({CARRY})}
)


def _hall_parts(actor: Actor, hall_organisation_id: UUID) -> set[Part]:
    if actor.is_system:
        return {Part.SYSTEM}
    if actor.organisation_id != hall_organisation_id:
        return set()
    parts = set()
    if not _HALL.isdisjoint(actor.roles):
        parts.add(Part.HALL)
    if Role.POSTAL_STAFF in actor.roles:
        parts.add(Part.POST)
    if Role.POSTAL_SUPERVISOR in actor.roles:
        parts |= {Part.POST, Part.SUPERVISOR}
    return parts


def parcel_parts(actor: Actor, parcel: Parcel) -> frozenset[Part]:
    """The parts of `actor` towards a parcel; empty for everybody else's."""
    parts = _hall_parts(actor, parcel.hall_organisation_id)
    if actor.user_id is not None and actor.user_id == parcel.applicant_user_id:
        parts.add(Part.APPLICANT)
    return frozenset(parts)


def complaint_parts(actor: Actor, complaint: Complaint) -> frozenset[Part]:
    """The parts of `actor` towards a complaint; the operator decides what was escalated."""
    parts = _hall_parts(actor, complaint.hall_organisation_id)
    if actor.user_id is not None and actor.user_id == complaint.applicant_user_id:
        parts.add(Part.APPLICANT)
    if Role.OPERATOR in actor.roles:
        parts.add(Part.OPERATOR)
    return frozenset(parts)


def papers_parts(actor: Actor, order: PapersOrder) -> frozenset[Part]:
    """The parts of `actor` towards a collection of originals."""
    parts = _hall_parts(actor, order.hall_organisation_id)
    if actor.user_id is not None and actor.user_id == order.applicant_user_id:
        parts.add(Part.APPLICANT)
    return frozenset(parts)


def letter_parts(actor: Actor, letter: LetterOfAuthority) -> frozenset[Part]:
    """The parts of `actor` towards a letter of authority."""
    parts = _hall_parts(actor, letter.hall_organisation_id)
    if actor.user_id is not None and actor.user_id == letter.applicant_user_id:
        parts.add(Part.APPLICANT)
    return frozenset(parts)


def batch_parts(actor: Actor, batch: HandoverBatch) -> frozenset[Part]:
    """The parts of `actor` towards a hand-over batch."""
    return frozenset(_hall_parts(actor, batch.hall_organisation_id))


def oversees(actor: Actor) -> bool:
    """Whether the actor may read every hall's parcels, masked."""
    return actor.is_system or not _OVERSIGHT.isdisjoint(actor.roles)


def must_see_parcel(actor: Actor, parcel: Parcel) -> frozenset[Part]:
    """The parts; raises NotFound for what is not theirs to see."""
    parts = parcel_parts(actor, parcel)
    if not parts and not oversees(actor):
        raise NotFound
    return parts


def must_see_batch(actor: Actor, batch: HandoverBatch) -> frozenset[Part]:
    """The parts; raises NotFound for what is not theirs to see."""
    parts = batch_parts(actor, batch)
    if not parts and not oversees(actor):
        raise NotFound
    return parts


def round_parts(actor: Actor, courier_round: CourierRound) -> frozenset[Part]:
    """The parts of `actor` towards a courier's round."""
    parts = _hall_parts(actor, courier_round.hall_organisation_id)
    if Role.COURIER in actor.roles and actor.user_id == courier_round.courier_user_id:
        parts.add(Part.COURIER)
    return frozenset(parts)


def must_see_round(actor: Actor, courier_round: CourierRound) -> frozenset[Part]:
    """The parts; raises NotFound for what is not theirs to see."""
    parts = round_parts(actor, courier_round)
    if not parts and not oversees(actor):
        raise NotFound
    return parts


def must_see_hall(actor: Actor, hall_organisation_id: UUID) -> frozenset[Part]:
    """The parts towards what belongs to a hall: its days, claims and bills. Raises NotFound for another hall's."""
    parts = _hall_parts(actor, hall_organisation_id)
    if Role.OPERATOR in actor.roles:
        parts.add(Part.ACCOUNTANT)
    if not parts and not oversees(actor):
        raise NotFound
    return frozenset(parts)
