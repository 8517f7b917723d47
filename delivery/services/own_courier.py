"""Writing what the hall's own couriers do, as reports of a carrier. Parcels of outside carriers are left alone."""

from uuid import UUID

from app.kernel.access import Actor
from app.kernel.db import lock, use_case
from app.kernel.errors import Conflict, NotAllowed
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery.models.parcels import Parcel
from delivery.own_courier import OWN_CARRIER
from delivery.policy import must_see_parcel
from delivery.ports import Reply, Report
from delivery.services.quietly import note
from delivery.services.tracking import record_reports
from delivery.states import ParcelState, Part

CHOSEN_BEFORE = (ParcelState.CREATED, ParcelState.READY, ParcelState.PACKED)


@use_case
def carry_ourselves(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Let the hall's own courier bring it instead of the outside carrier. Raises Conflict once a number is asked for."""
    _choose(actor, parcel_id, command, OWN_CARRIER, N_("To be brought by the hall's own courier"))


@use_case
def leave_to_carrier(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Let the outside carrier bring it after all. Raises Conflict once a number is given."""
    _choose(actor, parcel_id, command, "ems", N_("To be brought by the carrier"))


def _choose(actor: Actor, parcel_id: UUID, command: object, carrier: str, title: str) -> None:
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    if not must_see_parcel(actor, parcel).intersection((Part.POST, Part.SUPERVISOR)):
        raise NotAllowed
    if parcel.state not in CHOSEN_BEFORE:
        raise Conflict("carrier-fixed", N_("Who brings it is fixed once a waybill number is asked for."))
    if parcel.carrier != carrier:
        parcel.carrier = carrier
        record(parcel, "carrier_chosen", actor, title=title)


def tell(parcel: Parcel, *reports: Report) -> None:
    """Store reports about one of our own parcels and follow them; call inside a transaction."""
    if parcel.carrier != OWN_CARRIER or parcel.waybill_no is None:
        return
    record_reports(parcel.id, parcel.waybill_no, Reply.ok(reports))
    note(parcel, next_poll_at=None)  # nobody else is to be asked
