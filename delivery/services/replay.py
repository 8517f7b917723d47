"""Reading the stored reports again under the present mapping, so that a mended code table reaches old parcels too.

A trial writes nothing but its findings; the real pass needs a finished trial under the same mapping and a reason. Both
go through all parcels in pieces, so that neither holds the database for long and both survive a restart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import audit, clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery.carriers.ems import mapping
from delivery.models.parcels import Parcel
from delivery.models.replays import MappingReplay, ReplayChange, ReplayMode
from delivery.models.reports import CarrierEvent
from delivery.observed import Observation, Tracking, fold
from delivery.own_courier import OWN_CARRIER
from delivery.policy import REPLAY
from delivery.readings import observation_of, plain
from delivery.services.tracking.consequences import act_on
from delivery.services.tracking.reports import WATCHED

PIECE: Final = 200


@dataclass(frozen=True)
class AskReplay:
    """A pass over all stored reports; the real one needs a reason."""

    mode: ReplayMode
    reason: str | None = None


@use_case
def ask_replay(actor: Actor, command: AskReplay) -> UUID:
    """Begin a pass; a job carries it on. Raises Conflict while one runs, Refused for a real one without reason or trial."""
    if not actor.may(REPLAY):
        raise NotAllowed
    if db.session.scalar(sa.select(MappingReplay.id).where(MappingReplay.finished_at.is_(None)).limit(1)) is not None:
        raise Conflict("replay-running", N_("A pass over the reports is running already. Wait until it has ended."))
    if command.mode is ReplayMode.REAL:
        _check_real(command.reason)
    replay = MappingReplay(
        id=new_id(), mode=command.mode, mapping_version=mapping.MAPPING_VERSION, asked_at=clock.now(),
        asked_by=actor.user_id, asked_name=actor.name, reason=command.reason,
    )  # fmt: skip
    db.session.add(replay)
    db.session.flush()
    audit.append(
        action=f"mapping-replay.{command.mode}", object_type="mapping-replay", object_id=replay.id, actor=actor,
        body={"version": replay.mapping_version, "reason": command.reason},
    )  # fmt: skip
    return replay.id


def _check_real(reason: str | None) -> None:
    if not (reason and reason.strip()):
        raise Refused("reason-missing", N_("Say why: this step needs a reason."), field="reason")
    trial = sa.select(MappingReplay.id).where(
        MappingReplay.mode == ReplayMode.TRIAL, MappingReplay.mapping_version == mapping.MAPPING_VERSION,
        MappingReplay.finished_at.is_not(None),
    )  # fmt: skip
    if db.session.scalar(trial.limit(1)) is None:
        raise Refused(
            "trial-missing", N_("Run a trial under the present mapping first and look at what it would change.")
        )


def carry_on(pieces: int = 20) -> int:
    """Go on with the pass that is under way; returns how many parcels were read."""
    done = 0
    for _ in range(pieces):
        replay_id = db.session.scalar(sa.select(MappingReplay.id).where(MappingReplay.finished_at.is_(None)).limit(1))
        if replay_id is None:
            break
        done += _piece(replay_id)
    return done


@use_case
def _piece(replay_id: UUID) -> int:
    replay = lock(MappingReplay, replay_id)
    if replay.finished_at is not None:
        return 0
    parcels = _next_parcels(replay)
    if not parcels:
        replay.finished_at = clock.now()
        return 0
    rows = _reports_of([each.id for each in parcels])
    for parcel in parcels:
        _reread(replay, parcel, rows[parcel.id])
    replay.cursor = parcels[-1].id
    replay.parcels += len(parcels)
    return len(parcels)


def _next_parcels(replay: MappingReplay) -> Sequence[Parcel]:
    has_reports = sa.exists().where(CarrierEvent.parcel_id == Parcel.id)
    # what our own couriers report is not in the carrier's words
    outside = sa.and_(has_reports, Parcel.carrier != OWN_CARRIER)
    statement = sa.select(Parcel).where(outside).order_by(Parcel.id).limit(PIECE)
    if replay.cursor is not None:
        statement = statement.where(Parcel.id > replay.cursor)
    if replay.mode == ReplayMode.REAL:
        statement = statement.with_for_update()
    return db.session.scalars(statement.execution_options(populate_existing=True)).all()


def _reports_of(parcel_ids: list[UUID]) -> dict[UUID, list[CarrierEvent]]:
    found: dict[UUID, list[CarrierEvent]] = {each: [] for each in parcel_ids}
    for row in db.session.scalars(sa.select(CarrierEvent).where(CarrierEvent.parcel_id.in_(parcel_ids))):
        found[row.parcel_id].append(row)
    return found


def _reread(replay: MappingReplay, parcel: Parcel, rows: list[CarrierEvent]) -> None:
    before = fold(observation_of(row) for row in rows if row.waybill_no == parcel.waybill_no)
    seen: list[Observation] = []
    codes: set[str] = set()
    for row in rows:
        now_seen = _read_again(row)
        replay.reports += 1
        replay.unreadable += now_seen is None
        if now_seen is not None and now_seen != row.seen:
            codes.add(row.code)
            replay.changed_reports += 1
        if row.waybill_no == parcel.waybill_no:
            seen.append(observation_of(row, now_seen))
        if replay.mode == ReplayMode.REAL and now_seen is not None:
            row.seen, row.mapping_version = now_seen, replay.mapping_version
    after = fold(seen)
    if _essence(before) == _essence(after):
        return
    replay.changed_parcels += 1
    db.session.add(
        ReplayChange(
            id=new_id(), replay_id=replay.id, parcel_id=parcel.id, status_before=before.status, status_after=after.status,
            since_before=before.since, since_after=after.since, codes=",".join(sorted(codes))[:200],
        )
    )  # fmt: skip
    if replay.mode == ReplayMode.REAL:
        _follow(parcel, before, after, replay)


def _read_again(row: CarrierEvent) -> dict[str, Any] | None:
    """The report as the present mapping reads its record, or None where that was erased."""
    report = mapping.report(row.raw, row.waybill_no) if row.raw else None
    if report is None:
        return None
    again = plain(report.observation)
    # the prose may have been erased from the reading alone; it does not come back
    return again if row.seen["description"] else again | {"description": "", "signer_name": row.seen["signer_name"]}


def _essence(tracking: Tracking) -> tuple[object, ...]:
    return (
        tracking.status, tracking.since, tracking.attempts, tracking.signer_class, tracking.flags, tracking.unknown_codes,
        tracking.contradictions,
    )  # fmt: skip


def _follow(parcel: Parcel, before: Tracking, after: Tracking, replay: MappingReplay) -> None:
    detail = {"from": str(before.status), "to": str(after.status), "version": replay.mapping_version}
    record(
        parcel,
        "mapping_replayed",
        SYSTEM,
        title=N_("Carrier's reports read again"),
        reason=replay.reason,
        detail=detail,
    )
    if parcel.state in WATCHED:
        act_on([(parcel, after)])
