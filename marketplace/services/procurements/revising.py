"""Changing a published notice: proposed by the owner, checked by the operator, published as a new version with its differences.

A correction is published at once. A substantive change goes through the form check where the rule book asks for one; meanwhile the
registration stands still, and when the changed notice is public the registration period starts again.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import NoticeRevised
from marketplace.models.notices import NoticeRevision
from marketplace.models.procurements import Procurement, ProcurementNotice
from marketplace.policy import Permission, parts
from marketplace.queries.rulebooks import rule_book
from marketplace.rulebook import RuleBook
from marketplace.rules.notices.changes import Change, by_the_owner, changes, restarts_period
from marketplace.services.commands import NoticeDraft, Revise
from marketplace.services.procurements.drafting import (
    period_findings,
    refuse_first,
    refuse_unjustified,
    write_content,
)
from marketplace.services.procurements.plain import draft_from_json, draft_to_json
from marketplace.services.procurements.publication import (
    freeze_notice,
    notice_content,
    open_at_least,
    publication_facts,
)
from marketplace.services.procurements.telling import in_beijing, locked, notify_operators, tell_owner
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, ProcurementState

_P = ProcurementState


@use_case
def revise_notice(actor: Actor, procurement_id: UUID, command: Revise) -> bool:
    """Propose a change of a public notice; returns whether it is public already (a correction, or no form check is asked for).

    Raises NotAllowed, Conflict when the notice is not open or nothing changes, Refused for what no notice may say.
    """
    procurement = locked(actor, procurement_id, command.version)
    held = parts(actor, procurement)
    if Part.OWNER not in held:
        raise NotAllowed
    _refuse_when_closed(procurement)
    book = rule_book(procurement.rule_book_version)
    command = replace(command, notice=_to_the_second(procurement, command.notice))
    _refuse_other_purchase(procurement, command.notice)
    found = _changes_of(procurement, command.notice, book)
    _refuse_no_change(procurement, command.notice, found)
    substantive = restarts_period(found)
    if substantive:
        refuse_first(period_findings(book, command.notice.registration_ends_at, procurement.method))
    procurement.revised_at = clock.now()
    procurement.check_by = work_calendar.current().deadline(clock.now(), book.notice_check_wd).at
    revision = NoticeRevision(
        procurement_id=procurement.id,
        content=draft_to_json(command.notice),
        changed=[change.path for change in by_the_owner(found)],
        is_substantive=substantive,
        reason=command.reason,
        proposed_by=actor.user_id,
        proposed_at=clock.now(),
    )
    db.session.add(revision)
    move(procurement, PROCUREMENT, "revise", actor, held, reason=command.reason, detail={"substantive": substantive})
    if not (substantive and book.notice_form_check):
        _publish(procurement, revision, SYSTEM)
        return True
    notify_operators(
        procurement,
        "procurement.check",
        N_("A change of a notice waits for its check: %(title)s"),
        N_(
            "%(owner)s changes the published notice %(number)s. Publish the change or refuse it; the registration stands still."
        ),
    )
    return False


@use_case
def changes_by(actor: Actor, procurement_id: UUID, draft: NoticeDraft) -> tuple[Change, ...]:
    """What a draft would change in the published notice; nothing is written. Raises Refused as the proposal would."""
    procurement = locked(actor, procurement_id)
    if Part.OWNER not in parts(actor, procurement):
        raise NotAllowed
    return by_the_owner(_changes_of(procurement, draft, rule_book(procurement.rule_book_version), justified=False))


@use_case
def proposed_changes(actor: Actor, procurement_id: UUID) -> tuple[Change, ...]:
    """What the change that waits for its check changes, with both values; nothing is written.

    For the owner and for those who run and watch the supermarket; NotAllowed for anybody else, Conflict when nothing waits.
    """
    procurement = locked(actor, procurement_id)
    if Part.OWNER not in parts(actor, procurement) and not actor.may(Permission.PROCUREMENT_SUPERVISE):
        raise NotAllowed
    if procurement.state != _P.REVISED:
        raise Conflict("no-revision", N_("No change of this notice waits for a decision."))
    draft = draft_from_json(open_revision(procurement.id).content)
    return by_the_owner(_changes_of(procurement, draft, rule_book(procurement.rule_book_version), justified=False))


@use_case
def publish_revision(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Pass the check of a change: the new version is public, and after a substantive change the period starts again."""
    procurement = locked(actor, procurement_id, command.version)
    if procurement.state != _P.REVISED:
        raise Conflict("no-revision", N_("No change of this notice waits for a decision."))
    _publish(procurement, open_revision(procurement.id), actor)
    tell_owner(
        procurement,
        N_("Your changed notice is public: %(title)s"),
        N_("Registration for %(number)s is open until %(until)s."),
        until=in_beijing(procurement.registration_ends_at),
    )


@use_case
def refuse_revision(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Refuse a change: the published notice stays as it is, and the time it stood still is added."""
    procurement = locked(actor, procurement_id, command.version)
    held = parts(actor, procurement)
    move(procurement, PROCUREMENT, "refuse_revision", actor, held, reason=command.reason)
    _end(procurement, "refused", actor)
    tell_owner(
        procurement,
        N_("The change of your notice was refused: %(title)s"),
        N_("The notice %(number)s stays as published. Reason: %(reason)s"),
        reason=command.reason,
    )


@use_case
def drop_revision(actor: Actor, procurement_id: UUID, command: Plain) -> None:
    """Give a proposed change up; the published notice stays as it is."""
    procurement = locked(actor, procurement_id, command.version)
    move(procurement, PROCUREMENT, "drop_revision", actor, parts(actor, procurement))
    _end(procurement, "dropped", actor)


def open_revision(procurement_id: UUID) -> NoticeRevision:
    """The change that waits for its decision."""
    return db.session.scalars(
        select(NoticeRevision).where(NoticeRevision.procurement_id == procurement_id, NoticeRevision.outcome.is_(None))
    ).one()


def _publish(procurement: Procurement, revision: NoticeRevision, actor: Actor) -> None:
    """Write the new content, freeze it as the next version, and set the deadline: never earlier than it was."""
    book = rule_book(procurement.rule_book_version)
    before = _resumed(procurement)
    draft = draft_from_json(revision.content)
    write_content(procurement, draft, book, period=False)
    procurement.registration_ends_at = max(before, draft.registration_ends_at)
    if revision.is_substantive:
        open_at_least(procurement, book)
    notice = freeze_notice(procurement, actor)
    revision.outcome, revision.notice_version = "published", notice.version
    revision.decided_at, revision.decided_by = clock.now(), actor.user_id
    event = NoticeRevised(
        procurement_id=procurement.id, notice_version=notice.version, restarts=revision.is_substantive
    )
    detail = {**publication_facts(procurement, notice), "changed": revision.changed}
    held = (*parts(actor, procurement), *((Part.SYSTEM,) if actor.is_system else ()))
    move(
        procurement,
        PROCUREMENT,
        "publish_revision",
        actor,
        held,
        reason=revision.reason,
        event=event,
        detail=detail,
        public=True,
    )
    procurement.revised_at = procurement.check_by = None


def _end(procurement: Procurement, outcome: str, actor: Actor) -> None:
    revision = open_revision(procurement.id)
    revision.outcome, revision.decided_at, revision.decided_by = outcome, clock.now(), actor.user_id
    stood = _stood_still(procurement)
    procurement.registration_ends_at = _resumed(procurement)
    if procurement.questions_close_at is not None:
        procurement.questions_close_at += stood
    procurement.revised_at = procurement.check_by = None


def _stood_still(procurement: Procurement) -> timedelta:
    return clock.now() - procurement.revised_at if procurement.revised_at else timedelta()


def _resumed(procurement: Procurement) -> datetime:
    """The deadline with the time added during which the registration stood still."""
    assert procurement.registration_ends_at is not None
    return procurement.registration_ends_at + _stood_still(procurement)


def _refuse_when_closed(procurement: Procurement) -> None:
    ends_at = procurement.registration_ends_at
    if procurement.state != _P.PUBLISHED:
        raise Conflict("not-open", N_("Only a notice that is open for registration can be changed."))
    if ends_at is not None and clock.now() > ends_at:
        raise Conflict(
            "registration-ended", N_("The registration deadline has passed; the notice can no longer be changed.")
        )


def _to_the_second(procurement: Procurement, draft: NoticeDraft) -> NoticeDraft:
    """A form shows minutes: an untouched deadline keeps its seconds, and a notice without a reason to move is not moved."""
    ends_at = procurement.registration_ends_at
    if ends_at is not None and draft.registration_ends_at == ends_at.replace(second=0, microsecond=0):
        return replace(draft, registration_ends_at=ends_at)
    return draft


def _refuse_other_purchase(procurement: Procurement, draft: NoticeDraft) -> None:
    if (draft.item_version_id, draft.method) != (procurement.item_version_id, procurement.method):
        raise Refused(
            "another-purchase",
            N_(
                "Another service or another selection method is another purchase: withdraw this notice and publish a new one."
            ),
            field="item_version_id" if draft.item_version_id != procurement.item_version_id else "method",
        )
    assert procurement.registration_ends_at is not None
    if draft.registration_ends_at < procurement.registration_ends_at:
        raise Refused(
            "deadline-earlier",
            N_("A changed notice never ends earlier than the published one."),
            field="registration_ends_at",
        )


def _refuse_no_change(procurement: Procurement, draft: NoticeDraft, found: tuple[Change, ...]) -> None:
    if not by_the_owner(found) and draft.registration_ends_at == procurement.registration_ends_at:
        raise Conflict("nothing-changed", N_("The notice already reads like this; nothing would change."))


def _changes_of(
    procurement: Procurement, draft: NoticeDraft, book: RuleBook, *, justified: bool = True
) -> tuple[Change, ...]:
    """What a draft would change in the notice as it is public. It is written and taken back: one way to build a notice."""
    published = db.session.scalars(
        select(ProcurementNotice.content)
        .where(ProcurementNotice.procurement_id == procurement.id)
        .order_by(ProcurementNotice.version.desc())
        .limit(1)
    ).one()
    trial = db.session.begin_nested()
    try:
        write_content(procurement, draft, book, period=False)
        db.session.flush()
        if justified:
            refuse_unjustified(procurement)
        return changes(published, notice_content(procurement, book))
    finally:
        trial.rollback()
