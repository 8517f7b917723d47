"""One parcel goes from the hall to the courier; used by the signing of a list and by the clearing up of its differences."""

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.transitions import move
from delivery.custody import CustodyKind
from delivery.events import ParcelHandedOver
from delivery.models.batches import HandoverBatch
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.observed import Status
from delivery.own_courier import OWN_CARRIER
from delivery.policy import must_see_parcel
from delivery.services.custody import hand_on
from delivery.services.tasks import drop_tasks
from delivery.states import PARCEL


def hand_over(actor: Actor, parcel: Parcel, batch: HandoverBatch) -> None:
    """Move a locked parcel to the courier of a signed list and begin to watch it. Call inside a transaction."""
    now = clock.now()
    parcel.handed_over_at = now
    parcel.next_poll_at = None if parcel.carrier == OWN_CARRIER else now
    parcel.quiet_polls = 0
    parcel.observed_status = Status.LABEL_CREATED
    drop_tasks(parcel, TaskKind.MISSING_AT_HANDOVER)
    event = ParcelHandedOver(parcel.id, parcel.subject, parcel.thread_id, parcel.waybill_no or "", now)
    detail = {"list": batch.number, "waybill_no": parcel.waybill_no}
    move(parcel, PARCEL, "hand_over", actor, must_see_parcel(actor, parcel), event=event, detail=detail)
    evidence = {"list": batch.number, "count": batch.taken_count, "courier_staff_no": batch.courier_staff_no}
    hand_on(
        parcel, CustodyKind.COLLECTED, actor, giver_name=batch.offered_name or "", taker_name=batch.courier_name or "",
        evidence=evidence, scanned=True,
    )  # fmt: skip
