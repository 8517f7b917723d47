"""What follows from the fold: the parcel's projection, its state, tasks for staff, and news for the receiver.

What that needs to know beside the parcel is read for all parcels of a batch at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import News, notify, tell_each
from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.db import db
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import rules
from delivery import terms as rule_book
from delivery.custody import CustodyKind
from delivery.doorstep import SIGNER_CLASSES, Signer
from delivery.events import ParcelDelivered, ParcelDeliveryRevoked, ParcelLost
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.observed import NextAction, SignerClass, Status, Tracking, fold
from delivery.queries import STATUS_LABELS
from delivery.services.custody import Chain, chains_of, hand_on
from delivery.services.tasks import drop_tasks, raise_task
from delivery.services.tracking.reports import observations, proof_hashes, sound_proofs
from delivery.states import PARCEL, ParcelState, Part

NEWS: Final = {
    Status.COLLECTED: N_("Your parcel %(number)s was collected by the carrier."),
    Status.OUT_FOR_DELIVERY: N_(
        "Your parcel %(number)s is out for delivery today. Keep your pick-up code or identity card ready."
    ),
    Status.AVAILABLE_FOR_PICKUP: N_("Your parcel %(number)s waits to be collected by you."),
    Status.DELIVERY_FAILED: N_(
        "Your parcel %(number)s could not be delivered. It will be tried again, or the hall will call you."
    ),
    Status.DELIVERED: N_("Your parcel %(number)s was delivered. If you do not have it, say so on its page."),
    Status.RETURNING: N_("Your parcel %(number)s is on its way back to the hall. The hall will call you."),
}


@dataclass(slots=True)
class _Around:
    """What stands around a parcel before its fold is acted upon."""

    chain: Chain
    proof: DoorRecord | None
    has_tasks: bool
    terms: rule_book.Terms
    news: list[News] = field(default_factory=list)


def act_on(found: Sequence[tuple[Parcel, Tracking]]) -> None:
    """Project the folds onto locked parcels and do what their news ask for."""
    around = _around([parcel for parcel, _ in found])
    for parcel, tracking in found:
        _act(parcel, tracking, around[parcel.id])
    tell_each([news for each in around.values() for news in each.news])


def _around(parcels: Sequence[Parcel]) -> dict[UUID, _Around]:
    chains = chains_of(parcels)
    proofs = sound_proofs(chains)
    open_tasks = sa.select(ParcelTask.parcel_id).where(
        ParcelTask.parcel_id.in_(chains), ParcelTask.resolved_at.is_(None)
    )
    busy = set(db.session.scalars(open_tasks))
    terms = rule_book.in_force()
    return {each: _Around(chain, proofs.get(each), each in busy, terms) for each, chain in chains.items()}


def _act(parcel: Parcel, tracking: Tracking, around: _Around) -> None:
    before = Status(parcel.observed_status)
    changed = tracking.status is not before or tracking.since != parcel.observed_since
    parcel.observed_status, parcel.observed_since = tracking.status, tracking.since
    parcel.last_report_at, parcel.failed_attempts = tracking.last_report_at, tracking.attempts
    _raise_doubts(parcel, tracking)
    if not changed:
        return
    # `delivered_at` is empty where a closed parcel never counted as delivered: collected at the window
    counted = parcel.state in (ParcelState.DELIVERED, ParcelState.CLOSED) and parcel.delivered_at is not None
    revoked = counted and parcel.delivered_at != tracking.delivered_at
    if revoked:
        _revoke(parcel, around, tell=tracking.status is not Status.DELIVERED)
    if tracking.status is not before:
        _write_down(parcel, tracking)
        if not revoked:
            _tell_receiver(parcel, tracking.status, around)
    _follow(parcel, tracking, around)


def settle_by_proof(parcel: Parcel) -> None:
    """Our own courier proved what the carrier reported doubtfully: look at the report again."""
    if parcel.observed_status == Status.DELIVERED:
        _follow(parcel, fold(observations(parcel)), _around([parcel])[parcel.id])


def _write_down(parcel: Parcel, tracking: Tracking) -> None:
    detail = {"at": tracking.since.isoformat()} if tracking.since else {}
    if tracking.deciding and tracking.deciding.office:
        detail["office"] = tracking.deciding.office
    record(parcel, f"carrier_{tracking.status}", SYSTEM, title=STATUS_LABELS[tracking.status], detail=detail)


def _follow(parcel: Parcel, tracking: Tracking, around: _Around) -> None:
    if parcel.state != ParcelState.HANDED_OVER:
        return
    settled = {TaskKind.NOT_COLLECTED, TaskKind.STALLED}
    if tracking.status is not Status.DELIVERY_FAILED:
        settled.add(TaskKind.DELIVERY_FAILED)
    if around.has_tasks:
        drop_tasks(parcel, *settled)
    deciding = tracking.deciding
    cause = deciding.key[:64] if deciding else ""
    fact = deciding.name if deciding else ""
    match tracking.status:
        case Status.DELIVERED:
            _delivered(parcel, tracking, cause, around)
        case Status.DELIVERY_FAILED if deciding and _needs_a_person(tracking, around.terms):
            raise_task(parcel, TaskKind.DELIVERY_FAILED, cause=cause, fact=fact)
        case Status.RETURNING:
            raise_task(parcel, TaskKind.RETURNING, cause=parcel.order_no or "", fact=fact)
        case Status.LOST:
            raise_task(parcel, TaskKind.LOST, cause=cause, fact=fact)
            move(
                parcel, PARCEL, "lose", SYSTEM, {Part.SYSTEM},
                event=ParcelLost(parcel.id, parcel.subject, parcel.thread_id),
            )  # fmt: skip
            hand_on(parcel, CustodyKind.LOST, SYSTEM, evidence={"report": cause}, chain=around.chain)
        case _:
            pass


def _needs_a_person(tracking: Tracking, terms: rule_book.Terms) -> bool:
    """Something else than another attempt follows, or there were as many attempts as the rule book allows."""
    assert tracking.deciding is not None
    return tracking.deciding.next_action is not NextAction.RETRY or tracking.attempts >= terms.attempts


def _delivered(parcel: Parcel, tracking: Tracking, cause: str, around: _Around) -> None:
    signer, deciding, proof = tracking.signer_class, tracking.deciding, around.proof
    assert tracking.delivered_at is not None
    assert deciding is not None
    if rules.judge_delivery(rules.WhoMaySign(parcel.who_may_sign), signer) is rules.Verdict.ASK_STAFF:
        if proof is None or proof.signer is None:
            raise_task(parcel, TaskKind.DOUBTFUL_DELIVERY, cause=cause, fact=deciding.name)
            return
        signer = SIGNER_CLASSES[Signer(proof.signer)]
    if around.has_tasks:
        drop_tasks(parcel, TaskKind.DOUBTFUL_DELIVERY, TaskKind.DELIVERY_REVOKED)
    named = (proof.signer_name if proof else None) or deciding.signer_name
    name = named or (parcel.receiver_name if signer is SignerClass.IN_PERSON else "")
    count_delivered(parcel, signer, name, tracking.delivered_at, around.terms)
    event = ParcelDelivered(parcel.id, parcel.subject, parcel.thread_id, name, signer, tracking.delivered_at)
    detail = {
        "signer_name": rules.masked_name(name),
        "signer_class": str(signer),
        "at": tracking.delivered_at.isoformat(),
    }
    move(parcel, PARCEL, "deliver", SYSTEM, {Part.SYSTEM}, event=event, detail=detail)
    evidence = {"report": cause, "signer_class": str(signer), "reported_at": tracking.delivered_at.isoformat()}
    evidence |= proof_hashes(proof) if proof else {}
    taker = rules.masked_name(name)
    hand_on(parcel, CustodyKind.SERVED, SYSTEM, taker_name=taker, evidence=evidence, chain=around.chain)


def count_delivered(parcel: Parcel, signer: SignerClass, name: str, at: datetime, terms: rule_book.Terms) -> None:
    """Write down who took it and when; silence closes it later."""
    parcel.signer_class, parcel.signer_name, parcel.delivered_at = signer, name, at
    parcel.close_at = clock.now() + timedelta(days=terms.silence_closes_days)


def _revoke(parcel: Parcel, around: _Around, *, tell: bool) -> None:
    """The carrier took the delivery back: reopen, tell the domain above and, once, the receiver."""
    revoked = parcel.delivered_at
    event = ParcelDeliveryRevoked(parcel.id, parcel.subject, parcel.thread_id)
    parcel.delivered_at = parcel.signer_class = parcel.signer_name = parcel.close_at = None
    move(parcel, PARCEL, "revoke", SYSTEM, {Part.SYSTEM}, event=event)
    evidence = {"delivered_at": revoked.isoformat() if revoked else None}
    hand_on(parcel, CustodyKind.REVOKED, SYSTEM, evidence=evidence, chain=around.chain)
    if not tell:
        return
    raise_task(parcel, TaskKind.DELIVERY_REVOKED, cause=str(revoked), fact="743")
    notify(
        to_user=parcel.applicant_user_id,
        kind="delivery.revoked",
        thread_id=parcel.thread_id,
        link=f"/parcels/{parcel.id}",
        subject=N_("Correction: parcel %(number)s was not delivered"),
        text=N_("The carrier took its delivery report back. We keep watching the parcel."),
        params={"number": parcel.number},
    )


def _raise_doubts(parcel: Parcel, tracking: Tracking) -> None:
    for code in tracking.unknown_codes:
        raise_task(parcel, TaskKind.UNKNOWN_CODE, cause=code, fact=code)
    for code in tracking.contradictions:
        raise_task(parcel, TaskKind.CONTRADICTION, cause=f"{parcel.waybill_no}:{code}", fact=code)


def _tell_receiver(parcel: Parcel, status: Status, around: _Around) -> None:
    if status not in NEWS:
        return
    around.news.append(
        News(
            parcel.applicant_user_id, f"delivery.{status}", STATUS_LABELS[status], NEWS[status], f"/parcels/{parcel.id}",
            parcel.thread_id, {"number": parcel.number},
        )
    )  # fmt: skip
