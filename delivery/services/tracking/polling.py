"""Asking the carrier: what is due, a hundred parcels at a time, several questions under way, no transaction open.

Claiming is one statement, recording all answers is one transaction with a fixed number of reads.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import UTCDateTime, db, new_id, use_case
from app.kernel.inbox import insert_new
from delivery import rules
from delivery.carriers import chosen
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.models.tasks import TaskKind
from delivery.observed import Status, Tracking, fold
from delivery.ports import Reply, Report, Verdict
from delivery.readings import plain
from delivery.services.quietly import note, note_each
from delivery.services.tasks import raise_task
from delivery.services.tracking.consequences import act_on
from delivery.services.tracking.reports import WATCHED, stored_observations

log = logging.getLogger(__name__)
Tracks = Reply[tuple[Report, ...]]

LEASE: Final = timedelta(minutes=5)
"""While a question is out nobody else asks it; a process that dies leaves the parcel to others after this."""
ASKERS: Final = 4
UNCONFIRMED_AFTER: Final = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the carrier said about one parcel under one number."""

    parcel_id: UUID
    waybill_no: str
    reply: Tracks


def poll_due(limit: int = 100) -> int:
    """Ask about every parcel that is due, the longest waiting first; returns how many were asked about.

    A carrier that cannot be reached is not waited for a hundred times: the others stay due for the next round.
    """
    claimed = _claim(limit)
    if not claimed:
        return 0
    answers = _ask(claimed)
    asked = {each.parcel_id for each in answers}
    _release([parcel_id for parcel_id, _ in claimed if parcel_id not in asked])
    record_answers(answers)
    return len(answers)


def poll_parcel(parcel_id: UUID) -> Verdict | None:
    """Ask about one parcel if it is due; None where it is not."""
    claimed = _claim(1, only=parcel_id)
    if not claimed:
        return None
    answers = _ask(claimed)
    record_answers(answers)
    return answers[0].reply.verdict


@use_case
def _claim(limit: int, only: UUID | None = None) -> list[tuple[UUID, str]]:
    now = clock.now()
    due = sa.and_(Parcel.next_poll_at <= now, Parcel.state.in_(WATCHED), Parcel.waybill_no.is_not(None))
    statement = sa.select(Parcel.id, Parcel.waybill_no).where(due if only is None else due & (Parcel.id == only))
    rows = db.session.execute(statement.order_by(Parcel.next_poll_at).limit(limit).with_for_update(skip_locked=True))
    claimed = [(row.id, str(row.waybill_no)) for row in rows]
    _set_due([parcel_id for parcel_id, _ in claimed], now + LEASE)
    return claimed


@use_case
def _release(parcel_ids: list[UUID]) -> None:
    _set_due(parcel_ids, clock.now())


def _set_due(parcel_ids: list[UUID], at: datetime) -> None:
    if parcel_ids:
        statement = sa.update(Parcel).where(Parcel.id.in_(parcel_ids)).values(next_poll_at=at)
        db.session.execute(statement.execution_options(synchronize_session=False))


def _ask(claimed: Sequence[tuple[UUID, str]]) -> list[Answer]:
    """The first question alone tells whether the carrier can be reached; then several at once until it cannot."""
    track, down = chosen.carrier().track, Event()
    first = _asked(track, claimed[0], down)
    if len(claimed) == 1 or down.is_set():
        return [each for each in (first,) if each]
    with ThreadPoolExecutor(ASKERS, "track") as askers:
        rest = askers.map(lambda one: _asked(track, one, down), claimed[1:])
        return [each for each in (first, *rest) if each]


def _asked(track: Callable[[str], Tracks], claim: tuple[UUID, str], down: Event) -> Answer | None:
    if down.is_set():
        return None
    reply = track(claim[1])
    if reply.verdict is Verdict.UNAVAILABLE:
        down.set()
    return Answer(*claim, reply)


# --- recording ---


def record_reports(parcel_id: UUID, waybill_no: str, reply: Tracks) -> None:
    """Record one answer; see `record_answers`."""
    record_answers([Answer(parcel_id, waybill_no, reply)])


def record_answers(answers: Sequence[Answer]) -> None:
    """Store new reports, fold all, and act on what the folds say. An answer that failed leaves everything as it is.

    Where one parcel of a batch makes it fail, the others are recorded alone and that one is asked about again later.
    """
    try:
        _record_batch(answers)
    except Exception:
        if len(answers) == 1:
            raise
        log.exception("a batch of answers could not be recorded")
        for answer in answers:
            _record_alone(answer)


def _record_alone(answer: Answer) -> None:
    try:
        _record_batch([answer])
    except Exception:
        log.exception("an answer could not be recorded", extra={"parcel": str(answer.parcel_id)})


@use_case
def _record_batch(answers: Sequence[Answer]) -> None:
    parcels = _locked(each.parcel_id for each in answers)
    current = [
        (parcels[each.parcel_id], each) for each in answers if parcels[each.parcel_id].waybill_no == each.waybill_no
    ]
    now = clock.now()
    told = [(parcel, each.reply.value) for parcel, each in current if each.reply.value is not None]
    for parcel, each in current:
        if each.reply.value is None:
            _note_failure(parcel, each.reply, now)
    keys = _known_keys(parcel for parcel, _ in told)
    news = _store(told, keys, now)
    stored = stored_observations({parcel.id: parcel.waybill_no for parcel, _ in told if news.get(parcel.id)})
    folds = {parcel_id: fold(reports) for parcel_id, reports in stored.items()}
    with db.session.no_autoflush:  # reads of others' rows need no flush between the parcels
        announced = _settle_hints({parcel.id: parcel for parcel, _ in told}, now)
        note_each(
            [(parcel, _patience(parcel, folds.get(parcel.id), parcel.id in announced, now)) for parcel, _ in told]
        )
        act_on([(parcel, folds[parcel.id]) for parcel, _ in told if parcel.id in folds])


def _patience(parcel: Parcel, news: Tracking | None, announced: bool, now: datetime) -> dict[str, Any]:
    """When to ask again: soon after news that nobody announced, later where the carrier tells by itself."""
    tracking = _standing(parcel) if news is None else news
    quiet = parcel.quiet_polls + 1 if news is None else rules.TOLD_BY_PUSH if announced else 0
    following = rules.next_poll(now, tracking, quiet, chosen.pace())
    return {"last_checked_at": now, "check_problem": None, "quiet_polls": quiet, "next_poll_at": following}


def _locked(parcel_ids: Iterable[UUID]) -> dict[UUID, Parcel]:
    statement = sa.select(Parcel).where(Parcel.id.in_(set(parcel_ids))).order_by(Parcel.id).with_for_update()
    return {each.id: each for each in db.session.scalars(statement.execution_options(populate_existing=True))}


def _note_failure(parcel: Parcel, reply: Tracks, now: datetime) -> None:
    pause = rules.retry_delay(parcel.quiet_polls, chosen.pace())
    problem = rules.masked_text(reply.text)[:300]
    note(parcel, check_problem=problem, quiet_polls=parcel.quiet_polls + 1, next_poll_at=now + pause)


def _standing(parcel: Parcel) -> Tracking:
    """What the last fold said, as far as the poller's patience needs it."""
    return Tracking(status=Status(parcel.observed_status), since=parcel.observed_since)


def _known_keys(parcels: Iterable[Parcel]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = {parcel.id: set() for parcel in parcels}
    statement = sa.select(CarrierEvent.parcel_id, CarrierEvent.key).where(CarrierEvent.parcel_id.in_(found))
    for parcel_id, key in db.session.execute(statement):
        found[parcel_id].add(key)
    return found


def _store(
    told: Sequence[tuple[Parcel, tuple[Report, ...]]], keys: dict[UUID, set[str]], now: datetime
) -> dict[UUID, int]:
    """Insert what is not known yet, add it to `keys`, and count it by parcel."""
    rows, news = [], {}
    for parcel, reports in told:
        fresh = {each.observation.key: each for each in reports if each.observation.key not in keys[parcel.id]}
        rows += [_row(parcel.id, report, now) for report in fresh.values()]
        keys[parcel.id] |= fresh.keys()
        news[parcel.id] = len(fresh)
    insert_new(CarrierEvent, rows)
    return news


def _row(parcel_id: UUID, report: Report, now: datetime) -> dict[str, object]:
    seen = report.observation
    return {
        "id": new_id(), "parcel_id": parcel_id, "waybill_no": seen.waybill_no, "key": seen.key, "code": seen.code[:12],
        "occurred_at": seen.occurred_at, "received_at": now, "seen": plain(seen), "raw": dict(report.raw),
        "mapping_version": report.mapping_version,
    }  # fmt: skip


def _settle_hints(parcels: dict[UUID, Parcel], now: datetime) -> set[UUID]:
    """Confirm the announced events that a query now shows; one that three queries did not show goes before a person.

    Returns the parcels whose announcements were all confirmed.
    """
    told = sa.exists().where(CarrierEvent.parcel_id == CarrierHint.parcel_id, CarrierEvent.key == CarrierHint.key)
    statement = (
        sa.update(CarrierHint)
        .where(CarrierHint.parcel_id.in_(parcels), CarrierHint.confirmed_at.is_(None))
        .values(
            checks=CarrierHint.checks + 1, confirmed_at=sa.case((told, sa.literal(now, UTCDateTime())), else_=sa.null())
        )
        .returning(
            CarrierHint.parcel_id, CarrierHint.key, CarrierHint.code, CarrierHint.checks, CarrierHint.confirmed_at
        )
    )
    hints = db.session.execute(statement.execution_options(synchronize_session=False)).all()
    for hint in hints:
        if hint.confirmed_at is None and hint.checks == UNCONFIRMED_AFTER:
            raise_task(parcels[hint.parcel_id], TaskKind.UNCONFIRMED_NOTICE, cause=hint.key[:40], fact=hint.code)
    return {hint.parcel_id for hint in hints} - {hint.parcel_id for hint in hints if hint.confirmed_at is None}
