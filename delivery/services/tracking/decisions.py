"""What a person decides about what was observed: doubtful deliveries, returns and losses."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Refused
from app.kernel.transitions import move
from app.kernel.words import N_
from delivery import rules
from delivery import terms as rule_book
from delivery.custody import CustodyKind
from delivery.events import ParcelDelivered, ParcelReturned
from delivery.models.parcels import Parcel
from delivery.models.returns import ReturnDecision
from delivery.models.tasks import TaskKind
from delivery.models.waybills import Waybill, WaybillState
from delivery.observed import Status, fold
from delivery.policy import must_see_parcel
from delivery.services.claims import was_claimed
from delivery.services.custody import hand_on, hash_of
from delivery.services.return_records import begin_return, end_return
from delivery.services.tasks import drop_tasks
from delivery.services.tracking.consequences import count_delivered
from delivery.services.tracking.reports import observations
from delivery.states import PARCEL, ParcelState


@dataclass(frozen=True)
class ConfirmDelivery:
    """A person found out that a doubtful delivery did reach the receiver."""

    signer_name: str
    reason: str
    version: int | None = None


@use_case
def confirm_delivery(actor: Actor, parcel_id: UUID, command: ConfirmDelivery) -> None:
    """Count a doubtful delivery as one. Raises Refused where the carrier reports none."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    parts = must_see_parcel(actor, parcel)
    if parcel.state == ParcelState.HANDED_OVER and parcel.observed_status != Status.DELIVERED:
        raise Refused("not-delivered", N_("The carrier does not report a delivery that stands."))
    tracking = fold(observations(parcel))
    at = tracking.delivered_at or clock.now()
    count_delivered(parcel, tracking.signer_class, command.signer_name, at, rule_book.in_force())
    event = ParcelDelivered(parcel.id, parcel.subject, parcel.thread_id, command.signer_name, tracking.signer_class, at)
    detail = {"signer_name": rules.masked_name(command.signer_name), "signer_class": str(tracking.signer_class)}
    move(parcel, PARCEL, "confirm_delivery", actor, parts, reason=command.reason, event=event, detail=detail)
    evidence = {
        "signer_class": str(tracking.signer_class),
        "reported_at": at.isoformat(),
        "reason_sha256": hash_of(command.reason),
    }
    hand_on(parcel, CustodyKind.SERVED, actor, taker_name=rules.masked_name(command.signer_name), evidence=evidence)
    drop_tasks(parcel, TaskKind.DOUBTFUL_DELIVERY, TaskKind.DOUBTFUL_PROOF, TaskKind.DISPUTED)


@use_case
def take_back(actor: Actor, parcel_id: UUID, command: object, *, scanned: bool = False) -> None:
    """The parcel lies on the returns desk again.

    Raises Refused unless the carrier reports its return, or it was `scanned` here. `command` may name the cause, whether
    the seal is intact, and a remark.
    """
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    if not scanned and parcel.state == ParcelState.HANDED_OVER and parcel.observed_status not in (
        Status.RETURNING, Status.RETURNED, Status.CANCELLED, Status.LABEL_CREATED,
    ):  # fmt: skip
        raise Refused("not-returned", N_("The carrier does not report this parcel as returned."))
    reason = str(getattr(command, "cause", "")) or _return_reason(parcel)
    event = ParcelReturned(parcel.id, parcel.subject, parcel.thread_id, reason)
    move(parcel, PARCEL, "take_back", actor, parts, event=event, detail={"reason": reason})
    hand_on(parcel, CustodyKind.RETURNED, actor, taker_name=actor.name, scanned=scanned, evidence={"cause": reason})
    parcel.next_poll_at = None
    begin_return(
        parcel, actor, cause=reason, seal_intact=bool(getattr(command, "seal_intact", True)), remark=getattr(command, "remark", None),
    )  # fmt: skip
    drop_tasks(parcel, TaskKind.RETURNING, TaskKind.DELIVERY_FAILED, TaskKind.NOT_COLLECTED, TaskKind.STALLED)


def _return_reason(parcel: Parcel) -> str:
    failed = [each for each in observations(parcel) if each.code == "705"]
    return max(failed, key=lambda each: each.occurred_at).reason if failed else ""


@use_case
def resend(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Pack it again, with a new seal and a new waybill."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    move(parcel, PARCEL, "resend", actor, parts, reason=str(getattr(command, "reason", "")))
    end_return(parcel, actor, ReturnDecision.RESEND)
    drop_tasks(parcel, TaskKind.CALL_RECEIVER, TaskKind.KEPT_TOO_LONG)
    end_round(parcel)


def end_round(parcel: Parcel) -> None:
    """Forget packing, number and reports of the round that came back. Call inside a transaction."""
    parcel.packed_by = parcel.packed_at = parcel.checked_by = parcel.checked_at = parcel.seal_no = None
    parcel.waybill_no = parcel.route_code = parcel.label_printed_at = parcel.handed_over_at = None
    parcel.observed_status, parcel.observed_since = Status.LABEL_CREATED, None
    parcel.last_report_at = parcel.next_poll_at = None
    _end_waybill(parcel)


@use_case
def window_pickup(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The receiver collected it at the window."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    reason = str(getattr(command, "reason", ""))
    move(parcel, PARCEL, "window_pickup", actor, parts, reason=reason)
    hand_on(
        parcel, CustodyKind.FETCHED, actor, giver_name=actor.name, taker_name=rules.masked_name(parcel.receiver_name),
        evidence={"reason_sha256": hash_of(reason)},
    )  # fmt: skip
    end_return(parcel, actor)
    drop_tasks(parcel, TaskKind.CALL_RECEIVER, TaskKind.KEPT_TOO_LONG)


@use_case
def settle_loss(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Reissue and claim are under way. Raises Refused while the carrier was not asked for compensation of what it lost."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    if parcel.state == ParcelState.LOST and parcel.handed_over_at is not None and not was_claimed(parcel.id):
        raise Refused("claim-first", N_("File the claim against the carrier first; then close."))
    move(parcel, PARCEL, "settle_loss", actor, parts, reason=str(getattr(command, "reason", "")))
    drop_tasks(parcel, TaskKind.LOST)


def _end_waybill(parcel: Parcel) -> None:
    """A number that came back is spent: it is live no more."""
    db.session.execute(
        sa.update(Waybill)
        .where(Waybill.parcel_id == parcel.id, Waybill.state == WaybillState.LIVE)
        .values(state=WaybillState.CANCELLED)
    )
