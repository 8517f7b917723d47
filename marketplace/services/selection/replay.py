"""Replaying results (复算): each is decided again from its stored inputs under its pinned rule book; a difference raises the alarm."""

import hashlib
import logging
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.identity.notices import notify
from app.kernel import audit, clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import NotAllowed, NotFound
from app.kernel.words import N_
from marketplace.models.procurements import Draw, Procurement
from marketplace.models.selection import ReplayCheck, SelectionRank, SelectionResult
from marketplace.policy import Permission, sees_procurement
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.selection.engine import replayed
from marketplace.services.procurements import canonical, facts_of

log = logging.getLogger(__name__)
BATCH: Final = 500
UNREADABLE: Final = "0" * 64


@use_case
def replay_result(actor: Actor, result_id: UUID, command: Plain) -> bool:  # noqa: ARG001 - nothing to enter
    """Decide one result again and keep what was found; True when it is the same. For those who watch and run the supermarket."""
    if not actor.may(Permission.PROCUREMENT_SUPERVISE):
        raise NotAllowed
    result = db.session.get(SelectionResult, result_id)
    procurement = db.session.get(Procurement, result.procurement_id) if result else None
    if result is None or procurement is None or not sees_procurement(actor, procurement):
        raise NotFound
    return _check(actor, procurement, result)


def replay_all() -> int:
    """Replay every result, in batches of one transaction each; how many were replayed. The daily job and the command line."""
    done, after = 0, None
    while True:
        count, after = _replay_batch(after)
        done += count
        if count < BATCH:
            return done


@use_case
def _replay_batch(after: UUID | None) -> tuple[int, UUID | None]:
    statement = select(SelectionResult).order_by(SelectionResult.id).limit(BATCH)
    rows = db.session.scalars(statement.where(SelectionResult.id > after) if after else statement).all()
    for row in rows:
        _check(SYSTEM, db.session.get_one(Procurement, row.procurement_id), row)
    last = rows[-1].id if rows else after
    db.session.flush()
    return len(rows), last


def _check(actor: Actor, procurement: Procurement, result: SelectionResult) -> bool:
    found = _found(result)
    is_same = found == result.outcome_sha256
    db.session.add(
        ReplayCheck(
            id=new_id(),
            result_id=result.id,
            checked_at=clock.now(),
            checked_by=actor.user_id,
            checked_by_name=actor.name,
            is_same=is_same,
            found_sha256=found,
        )
    )
    facts = {"result": result.number, "published": result.outcome_sha256, "found": found, "same": is_same}
    if actor.user_id is not None or not is_same:
        audit.append(
            action="selection.replay", object_type="procurement", object_id=procurement.id, actor=actor, body=facts
        )
    if not is_same:
        log.error("a replayed result differs", extra={"procurement": str(procurement.id), **facts})
        _alarm(procurement)
    return is_same


def _found(result: SelectionResult) -> str:
    """The digest of what the stored inputs decide today; UNREADABLE when inputs, draw, outcome or ranking were tampered with."""
    if _digest(result.inputs) != result.inputs_sha256 or not _draw_is_the_published_one(result):
        return UNREADABLE
    try:
        outcome = replayed(result.inputs, rule_book(result.rule_book_version))
    except (ValueError, KeyError, TypeError):
        log.exception("a stored result cannot be decided again", extra={"result": str(result.id)})
        return UNREADABLE
    if outcome is None or _digest(result.outcome) != result.outcome_sha256 or not _ranking_fits(result):
        return UNREADABLE
    return _digest(outcome)


def _digest(content: dict[str, object]) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def _draw_is_the_published_one(result: SelectionResult) -> bool:
    stored = result.inputs["draw"]
    if stored is None or result.draw_id is None:
        return stored is None and result.draw_id is None
    published = db.session.scalar(select(Draw.sha256).where(Draw.id == result.draw_id))
    return bool(hashlib.sha256(stored["draw_txt"].encode()).hexdigest() == published)


def _ranking_fits(result: SelectionResult) -> bool:
    """Whether the table that successions follow says what the outcome says."""
    rows = db.session.execute(
        select(SelectionRank.place, SelectionRank.registration_id, SelectionRank.price_fen).where(
            SelectionRank.result_id == result.id
        )
    )
    said = {
        (row["place"], UUID(row["registration_id"]), row["price_fen"])
        for row in result.outcome["placings"]
        if row["place"] is not None
    }
    return {tuple(row) for row in rows} == said


def _alarm(procurement: Procurement) -> None:
    for role in ("operator", "regulator"):
        notify(
            to_role=role,
            kind="procurement.replay_alarm",
            subject=N_("Alarm: a replayed result differs: %(title)s"),
            text=N_(
                "The result of %(number)s, decided again from its stored inputs, is not the published one. Look into it."
            ),
            link=f"/procurements/{procurement.id}/selection",
            thread_id=procurement.thread_id,
            params=facts_of(procurement),
        )


def count_of_alarms() -> int:
    """How many replays found a difference."""
    return db.session.scalar(select(func.count()).select_from(ReplayCheck).where(ReplayCheck.is_same.is_(False))) or 0
