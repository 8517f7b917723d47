"""What the carrier reports: asked for, stored once, folded, and only then acted upon.

A push is a hint. It makes the next query due and is kept until a query shows the same event; nothing else changes
through it, because whoever knows the key, or re-splices old blocks, can make one (EMS-PROTOCOL 1.5).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, new_id, transaction, use_case
from app.kernel.errors import Refused
from app.kernel.inbox import Notice, insert_ignore, receive
from app.kernel.outbox import publish
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import rules
from delivery.carriers import chosen
from delivery.events import (
    CarrierNoticeReceived,
    ParcelDelivered,
    ParcelDeliveryRevoked,
    ParcelLost,
    ParcelReturned,
)
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.models.tasks import TaskKind
from delivery.observed import NextAction, Observation, SignerClass, Status, Tracking, fold
from delivery.policy import must_see_parcel
from delivery.ports import Push, Reply, Report, Verdict
from delivery.queries import STATUS_LABELS
from delivery.readings import observation_of, plain
from delivery.services.orders import SILENCE_CLOSES
from delivery.services.quietly import note
from delivery.services.tasks import drop_tasks, raise_task
from delivery.services.waybills import adopt_number
from delivery.states import PARCEL, ParcelState, Part

LEASE: Final = timedelta(seconds=60)
NOTICE_SOURCE: Final = "ems"
UNCONFIRMED_AFTER: Final = 3
WATCHED: Final = (ParcelState.HANDED_OVER, ParcelState.DELIVERED, ParcelState.CLOSED)

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


@dataclass(frozen=True)
class ConfirmDelivery:
    """A person found out that a doubtful delivery did reach the receiver."""

    signer_name: str
    reason: str
    version: int | None = None


# --- notices ---


@use_case
def record_notice(push: Push, raw: bytes) -> bool:
    """Store a notice once; what follows happens later. Returns whether it is new."""
    fresh = receive(NOTICE_SOURCE, push.observation.key, push.observation.code, push.observation.waybill_no, raw)
    if fresh:
        publish(CarrierNoticeReceived(push.observation.key))
    return fresh


def follow_notice(notice_id: str) -> None:
    """Make the parcel of a stored notice due for a query, or learn a number that we did not know."""
    notice = db.session.scalar(sa.select(Notice).where(Notice.source == NOTICE_SOURCE, Notice.notice_id == notice_id))
    if notice is None or notice.done_at is not None:
        return
    push = chosen.carrier().open_push(notice.raw, "application/json" if notice.raw[:1] == b"{" else "")
    parcel = db.session.scalar(sa.select(Parcel).where(Parcel.waybill_no == push.observation.waybill_no))
    problem = None
    if parcel is not None and push.order_no in ("", parcel.order_no):
        _keep_hint(parcel.id, push.observation)
    elif parcel is None and push.order_no:
        problem = None if _adopt(push) else "unknown waybill"
    else:
        problem = "unknown waybill"
    with transaction() as session:
        values = {"done_at": clock.now(), "error": problem}
        session.execute(sa.update(Notice).where(Notice.id == notice.id).values(**values))


def _adopt(push: Push) -> bool:
    parcel_id = db.session.scalar(sa.select(Parcel.id).where(Parcel.order_no == push.order_no))
    return parcel_id is not None and adopt_number(parcel_id, push.order_no, push.observation.waybill_no)


@use_case
def _keep_hint(parcel_id: UUID, seen: Observation) -> None:
    parcel = lock(Parcel, parcel_id)
    known = sa.select(CarrierEvent.id).where(CarrierEvent.parcel_id == parcel.id, CarrierEvent.key == seen.key)
    if db.session.scalar(known) is not None:
        return
    insert_ignore(
        CarrierHint,
        {"id": new_id(), "parcel_id": parcel.id, "waybill_no": seen.waybill_no, "key": seen.key, "code": seen.code,
         "received_at": clock.now(), "checks": 0},
    )  # fmt: skip
    if parcel.state in WATCHED:
        note(parcel, next_poll_at=clock.now())


# --- queries ---


def polls_due(limit: int = 100) -> list[UUID]:
    """Parcels to be asked about now, the longest waiting first."""
    statement = (
        sa.select(Parcel.id)
        .where(Parcel.next_poll_at <= clock.now(), Parcel.state.in_(WATCHED))
        .order_by(Parcel.next_poll_at)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def poll_due(limit: int = 100) -> int:
    """Ask about every parcel that is due; returns how many were asked about.

    A carrier that cannot be reached is not waited for a hundred times: the others stay due for the next round.
    """
    asked = 0
    for parcel_id in polls_due(limit):
        verdict = poll_parcel(parcel_id)
        asked += verdict is not None
        if verdict is Verdict.UNAVAILABLE:
            break
    return asked


def poll_parcel(parcel_id: UUID) -> Verdict | None:
    """Ask about one parcel if it is due, outside any transaction; None where it is not."""
    waybill_no = _claim_poll(parcel_id)
    if waybill_no is None:
        return None
    reply = chosen.carrier().track(waybill_no)
    record_reports(parcel_id, waybill_no, reply)
    return reply.verdict


@use_case
def _claim_poll(parcel_id: UUID) -> str | None:
    parcel = lock(Parcel, parcel_id)
    now = clock.now()
    if parcel.state not in WATCHED or parcel.next_poll_at is None or parcel.next_poll_at > now:
        return None
    note(parcel, next_poll_at=now + LEASE)
    return parcel.waybill_no


@use_case
def record_reports(parcel_id: UUID, waybill_no: str, reply: Reply[tuple[Report, ...]]) -> None:
    """Store new reports, fold all, and act on what the fold says. An answer that failed leaves everything as it is."""
    parcel = lock(Parcel, parcel_id)
    if parcel.waybill_no != waybill_no:
        return
    now = clock.now()
    if reply.value is None:
        pause = rules.retry_delay(parcel.quiet_polls, chosen.pace())
        problem = rules.masked_text(reply.text)[:300]
        note(parcel, check_problem=problem, quiet_polls=parcel.quiet_polls + 1, next_poll_at=now + pause)
        return
    news = _store(parcel, reply.value, now)
    _settle_hints(parcel, now)
    quiet = 0 if news else parcel.quiet_polls + 1
    tracking = fold(_observations(parcel))
    following = rules.next_poll(now, tracking, quiet, chosen.pace())
    note(parcel, last_checked_at=now, check_problem=None, quiet_polls=quiet, next_poll_at=following)
    _apply(parcel, tracking)


def _store(parcel: Parcel, reports: Iterable[Report], now: datetime) -> int:
    news = 0
    for report in reports:
        seen = report.observation
        values = {
            "id": new_id(), "parcel_id": parcel.id, "waybill_no": seen.waybill_no, "key": seen.key, "code": seen.code[:12],
            "occurred_at": seen.occurred_at, "received_at": now, "seen": plain(seen), "raw": dict(report.raw),
            "mapping_version": report.mapping_version,
        }  # fmt: skip
        news += insert_ignore(CarrierEvent, values)
    return news


def _observations(parcel: Parcel) -> list[Observation]:
    statement = sa.select(CarrierEvent).where(
        CarrierEvent.parcel_id == parcel.id, CarrierEvent.waybill_no == parcel.waybill_no
    )
    return [observation_of(row) for row in db.session.scalars(statement)]


def _settle_hints(parcel: Parcel, now: datetime) -> None:
    open_hints = sa.select(CarrierHint).where(CarrierHint.parcel_id == parcel.id, CarrierHint.confirmed_at.is_(None))
    known = sa.select(CarrierEvent.key).where(CarrierEvent.parcel_id == parcel.id)
    keys = set(db.session.scalars(known))
    for hint in db.session.scalars(open_hints):
        hint.checks += 1
        if hint.key in keys:
            hint.confirmed_at = now
        elif hint.checks == UNCONFIRMED_AFTER:
            raise_task(parcel, TaskKind.UNCONFIRMED_NOTICE, cause=hint.key[:40], fact=hint.code)


# --- acting on the fold ---


def _apply(parcel: Parcel, tracking: Tracking) -> None:
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
        _revoke(parcel, tell=tracking.status is not Status.DELIVERED)
    if tracking.status is not before:
        _write_down(parcel, tracking)
        if not revoked:
            _tell_receiver(parcel, tracking.status)
    _follow(parcel, tracking)


def _write_down(parcel: Parcel, tracking: Tracking) -> None:
    detail = {"at": tracking.since.isoformat()} if tracking.since else {}
    if tracking.deciding and tracking.deciding.office:
        detail["office"] = tracking.deciding.office
    record(parcel, f"carrier_{tracking.status}", SYSTEM, title=STATUS_LABELS[tracking.status], detail=detail)


def _follow(parcel: Parcel, tracking: Tracking) -> None:
    if parcel.state != ParcelState.HANDED_OVER:
        return
    settled = {TaskKind.NOT_COLLECTED, TaskKind.STALLED}
    if tracking.status is not Status.DELIVERY_FAILED:
        settled.add(TaskKind.DELIVERY_FAILED)
    drop_tasks(parcel, *settled)
    deciding = tracking.deciding
    cause = deciding.key[:64] if deciding else ""
    fact = deciding.name if deciding else ""
    match tracking.status:
        case Status.DELIVERED:
            _delivered(parcel, tracking, cause)
        case Status.DELIVERY_FAILED if deciding and deciding.next_action is not NextAction.RETRY:
            raise_task(parcel, TaskKind.DELIVERY_FAILED, cause=cause, fact=fact)
        case Status.RETURNING:
            raise_task(parcel, TaskKind.RETURNING, cause=parcel.order_no or "", fact=fact)
        case Status.LOST:
            raise_task(parcel, TaskKind.LOST, cause=cause, fact=fact)
            move(
                parcel, PARCEL, "lose", SYSTEM, {Part.SYSTEM},
                event=ParcelLost(parcel.id, parcel.subject, parcel.thread_id),
            )  # fmt: skip
        case _:
            pass


def _delivered(parcel: Parcel, tracking: Tracking, cause: str) -> None:
    signer, deciding = tracking.signer_class, tracking.deciding
    assert tracking.delivered_at is not None
    assert deciding is not None
    if rules.judge_delivery(rules.WhoMaySign(parcel.who_may_sign), signer) is rules.Verdict.ASK_STAFF:
        raise_task(parcel, TaskKind.DOUBTFUL_DELIVERY, cause=cause, fact=deciding.name)
        return
    drop_tasks(parcel, TaskKind.DOUBTFUL_DELIVERY, TaskKind.DELIVERY_REVOKED)
    name = deciding.signer_name or (parcel.receiver_name if signer is SignerClass.IN_PERSON else "")
    _count_delivered(parcel, signer, name, tracking.delivered_at)
    event = ParcelDelivered(parcel.id, parcel.subject, parcel.thread_id, name, signer, tracking.delivered_at)
    detail = {
        "signer_name": rules.masked_name(name),
        "signer_class": str(signer),
        "at": tracking.delivered_at.isoformat(),
    }
    move(parcel, PARCEL, "deliver", SYSTEM, {Part.SYSTEM}, event=event, detail=detail)


def _count_delivered(parcel: Parcel, signer: SignerClass, name: str, at: datetime) -> None:
    parcel.signer_class, parcel.signer_name, parcel.delivered_at = signer, name, at
    parcel.close_at = clock.now() + SILENCE_CLOSES


def _revoke(parcel: Parcel, *, tell: bool) -> None:
    """The carrier took the delivery back: reopen, tell the domain above and, once, the receiver."""
    revoked = parcel.delivered_at
    event = ParcelDeliveryRevoked(parcel.id, parcel.subject, parcel.thread_id)
    parcel.delivered_at = parcel.signer_class = parcel.signer_name = parcel.close_at = None
    move(parcel, PARCEL, "revoke", SYSTEM, {Part.SYSTEM}, event=event)
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


def _tell_receiver(parcel: Parcel, status: Status) -> None:
    if status not in NEWS:
        return
    notify(
        to_user=parcel.applicant_user_id, kind=f"delivery.{status}", thread_id=parcel.thread_id, text=NEWS[status],
        link=f"/parcels/{parcel.id}", subject=STATUS_LABELS[status], params={"number": parcel.number},
    )  # fmt: skip


# --- what a person decides about what was observed ---


@use_case
def confirm_delivery(actor: Actor, parcel_id: UUID, command: ConfirmDelivery) -> None:
    """Count a doubtful delivery as one. Raises Refused where the carrier reports none."""
    parcel = lock(Parcel, parcel_id, seen=command.version)
    parts = must_see_parcel(actor, parcel)
    if parcel.state == ParcelState.HANDED_OVER and parcel.observed_status != Status.DELIVERED:
        raise Refused("not-delivered", N_("The carrier does not report a delivery that stands."))
    tracking = fold(_observations(parcel))
    at = tracking.delivered_at or clock.now()
    _count_delivered(parcel, tracking.signer_class, command.signer_name, at)
    event = ParcelDelivered(parcel.id, parcel.subject, parcel.thread_id, command.signer_name, tracking.signer_class, at)
    detail = {"signer_name": rules.masked_name(command.signer_name), "signer_class": str(tracking.signer_class)}
    move(parcel, PARCEL, "confirm_delivery", actor, parts, reason=command.reason, event=event, detail=detail)
    drop_tasks(parcel, TaskKind.DOUBTFUL_DELIVERY, TaskKind.DISPUTED)


@use_case
def take_back(actor: Actor, parcel_id: UUID, command: object) -> None:
    """The parcel lies on the returns desk again. Raises Refused unless the carrier reports its return."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    if parcel.state == ParcelState.HANDED_OVER and parcel.observed_status not in (
        Status.RETURNING, Status.RETURNED, Status.CANCELLED, Status.LABEL_CREATED,
    ):  # fmt: skip
        raise Refused("not-returned", N_("The carrier does not report this parcel as returned."))
    reason = _return_reason(parcel)
    event = ParcelReturned(parcel.id, parcel.subject, parcel.thread_id, reason)
    move(parcel, PARCEL, "take_back", actor, parts, event=event, detail={"reason": reason})
    parcel.next_poll_at = None
    drop_tasks(parcel, TaskKind.RETURNING, TaskKind.DELIVERY_FAILED, TaskKind.NOT_COLLECTED, TaskKind.STALLED)


def _return_reason(parcel: Parcel) -> str:
    failed = [each for each in _observations(parcel) if each.code == "705"]
    return max(failed, key=lambda each: each.occurred_at).reason if failed else ""


@use_case
def resend(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Pack it again, with a new seal and a new waybill."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    move(parcel, PARCEL, "resend", actor, parts, reason=str(getattr(command, "reason", "")))
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
    move(parcel, PARCEL, "window_pickup", actor, parts, reason=str(getattr(command, "reason", "")))


@use_case
def settle_loss(actor: Actor, parcel_id: UUID, command: object) -> None:
    """Reissue and claim are under way."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    move(parcel, PARCEL, "settle_loss", actor, parts, reason=str(getattr(command, "reason", "")))
    drop_tasks(parcel, TaskKind.LOST)


def _end_waybill(parcel: Parcel) -> None:
    """A number that came back is spent: it is live no more."""
    from delivery.models.waybills import Waybill, WaybillState

    db.session.execute(
        sa.update(Waybill)
        .where(Waybill.parcel_id == parcel.id, Waybill.state == WaybillState.LIVE)
        .values(state=WaybillState.CANCELLED)
    )


@use_case
def raise_alarm(parcel_id: UUID) -> bool:
    """Put a silent parcel before a person; returns whether that is new."""
    parcel = lock(Parcel, parcel_id)
    if parcel.state != ParcelState.HANDED_OVER or parcel.handed_over_at is None:
        return False
    tracking = replace(
        Tracking(), status=Status(parcel.observed_status), last_report_at=parcel.last_report_at,
        collected_at=parcel.observed_since,
    )  # fmt: skip
    due = rules.alarm(clock.now(), parcel.handed_over_at, tracking)
    if due is None:
        return False
    last = parcel.last_report_at or parcel.handed_over_at
    return raise_task(parcel, TaskKind(due.value), cause=last.isoformat())
