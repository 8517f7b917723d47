"""Stopping, pausing, starting again, and following the contract."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementStopped
from marketplace.models.notices import ThresholdReason
from marketplace.models.procurements import AvoidedAgency, Procurement
from marketplace.models.selection import DirectRequest
from marketplace.policy import parts
from marketplace.queries.challenges import objections_open
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rules.challenges import rest_after
from marketplace.services.commands import Extend
from marketplace.services.procurements.drafting import period_findings, refuse_first
from marketplace.services.procurements.publication import put_out
from marketplace.services.procurements.telling import in_beijing, locked, release_registrations
from marketplace.states.parts import Part
from marketplace.states.procurement import EXTENDABLE, PROCUREMENT, RESUME_ACTIONS, ProcurementState

_P = ProcurementState
_SYSTEM = (Part.SYSTEM,)


@use_case
def discard_draft(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Give up a notice that was never public."""
    procurement = locked(actor, procurement_id, command.version)
    move(procurement, PROCUREMENT, "discard", actor, parts(actor, procurement), reason=command.reason)


@use_case
def withdraw_notice(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Withdraw a public notice before its deadline. Registrants are told."""
    procurement = locked(actor, procurement_id, command.version)
    assert procurement.registration_ends_at is not None or procurement.state != _P.PUBLISHED
    if (
        procurement.state == _P.PUBLISHED
        and procurement.registration_ends_at
        and clock.now() > procurement.registration_ends_at
    ):
        raise Conflict(
            "registration-ended", N_("The registration deadline has passed; the notice can no longer be withdrawn.")
        )
    _stop(procurement, actor, "withdraw", command.reason)


@use_case
def void_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Set a procurement invalid, with a reason everybody can read."""
    procurement = locked(actor, procurement_id, command.version)
    _drop_direct_request(procurement, actor)
    _stop(procurement, actor, "void", command.reason)


def _stop(procurement: Procurement, actor: Actor, action: str, reason: str) -> None:
    event = ProcurementStopped(procurement_id=procurement.id, reason=reason)
    move(procurement, PROCUREMENT, action, actor, parts(actor, procurement), reason=reason, event=event)
    procurement.finished_at = clock.now()
    release_registrations(
        procurement,
        N_("The procurement was stopped: %(title)s"),
        N_("%(number)s does not go on. Reason: %(reason)s"),
        {"reason": reason},
    )


@use_case
def cancel_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Abandon a failed or withdrawn procurement, or one whose direct selection is not decided yet."""
    procurement = locked(actor, procurement_id, command.version)
    _drop_direct_request(procurement, actor)
    move(procurement, PROCUREMENT, "cancel", actor, parts(actor, procurement), reason=command.reason)
    procurement.finished_at = clock.now()
    release_registrations(
        procurement,
        N_("The procurement was abandoned: %(title)s"),
        N_("%(number)s does not go on. Reason: %(reason)s"),
        {"reason": command.reason},
    )


def _drop_direct_request(procurement: Procurement, actor: Actor) -> None:
    if procurement.state != _P.DIRECT_REQUEST:
        return
    waiting = (DirectRequest.procurement_id == procurement.id, DirectRequest.decision.is_(None))
    for request in db.session.scalars(select(DirectRequest).where(*waiting).with_for_update()).all():
        request.decision, request.decided_at = "dropped", clock.now()
        request.decided_by, request.decided_by_name = actor.user_id, actor.name


@use_case
def pause_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Stop every period while something is cleared up; objections pause by themselves."""
    procurement = locked(actor, procurement_id, command.version)
    pause(procurement, actor, parts(actor, procurement), command.reason, {})


def pause(procurement: Procurement, actor: Actor, held: Iterable[Part], reason: str, detail: dict[str, Any]) -> None:
    """Let a locked procurement stand still from now on."""
    procurement.paused_from, procurement.paused_at = procurement.state, clock.now()
    move(procurement, PROCUREMENT, "pause", actor, held, reason=reason, detail=detail, public=True)


@use_case
def resume_procurement(actor: Actor, procurement_id: UUID, command: WithReason) -> None:
    """Go on where the pause began. Raises Conflict while an objection waits for its answer."""
    procurement = locked(actor, procurement_id, command.version)
    waiting = objections_open(procurement.id)
    if waiting and procurement.state == _P.PAUSED:
        raise Conflict(
            "challenge-open",
            N_("%(number)s waits for its answer; the procurement goes on by itself when it is answered."),
            params={"number": waiting[0].number},
        )
    resume(procurement, actor, parts(actor, procurement), command.reason, {})


def resume(procurement: Procurement, actor: Actor, held: Iterable[Part], reason: str, detail: dict[str, Any]) -> None:
    """Let a locked procurement run on: what was left of its period when it stopped is left now, to the second."""
    action = RESUME_ACTIONS.get(str(procurement.paused_from), "resume_registration")
    paused_at = procurement.paused_at
    column = _RUNNING.get(action)
    ends_at = getattr(procurement, column) if column else None
    if column and paused_at is not None and ends_at is not None:
        ends_at = rest_after(ends_at, paused_at, clock.now())
        detail = {**detail, "until": in_beijing(ends_at)}
    if action == "resume_registration" and paused_at is not None and procurement.questions_close_at is not None:
        procurement.questions_close_at = rest_after(procurement.questions_close_at, paused_at, clock.now())
    move(procurement, PROCUREMENT, action, actor, held, reason=reason, detail=detail, public=True)
    if column:
        setattr(procurement, column, ends_at)
    procurement.paused_from = procurement.paused_at = None


_RUNNING = {
    "resume_registration": "registration_ends_at",
    "resume_bidding": "quotes_end_at",
    "resume_comparison": "compare_by",
    "resume_publicity": "publicity_ends_at",
}
"""The deadline that stands still during a pause."""


@use_case
def extend_registration(actor: Actor, procurement_id: UUID, command: Extend) -> None:
    """Open a failed registration once more; those who registered stay registered."""
    procurement = locked(actor, procurement_id, command.version)
    if procurement.is_extended:
        raise Conflict("already-extended", N_("The registration was extended once already. Prepare a new round."))
    if procurement.failure_code not in EXTENDABLE:
        raise Conflict(
            "not-extendable",
            N_("The list was opened or ranked already, so its registration cannot be extended. Prepare a new round."),
        )
    book = rule_book(procurement.rule_book_version)
    refuse_first(period_findings(book, command.registration_ends_at, procurement.method))
    procurement.registration_ends_at = command.registration_ends_at
    procurement.is_extended = True
    put_out(procurement, actor, "extend")
    procurement.failure_code = procurement.closed_at = None


@use_case
def republish(actor: Actor, procurement_id: UUID, command: Plain) -> UUID:
    """Close a failed round and copy its notice into the draft of the next one; returns the draft."""
    old = locked(actor, procurement_id, command.version)
    move(old, PROCUREMENT, "republish", actor, parts(actor, old))
    old.finished_at = clock.now()
    release_registrations(
        old,
        N_("A new round is prepared: %(title)s"),
        N_("%(number)s failed; register again when the new round is public."),
        {},
    )
    copied = {column.key: getattr(old, column.key) for column in Procurement.__table__.columns if column.key in _COPIED}
    draft = Procurement(
        **copied,
        id=new_id(),
        number=next_number("CG"),
        created_by=actor.user_id,
        round=old.round + 1,
        previous_id=old.id,
        state=_P.DRAFT,
        rule_book_version=rule_book_in_force().version,
        created_at=clock.now(),
    )
    db.session.add(draft)
    for row in db.session.scalars(select(AvoidedAgency).where(AvoidedAgency.procurement_id == old.id)).all():
        db.session.add(AvoidedAgency(procurement_id=draft.id, uscc=row.uscc, name=row.name, reason=row.reason))
    for reason in db.session.scalars(select(ThresholdReason).where(ThresholdReason.procurement_id == old.id)).all():
        again = ThresholdReason(procurement_id=draft.id, key=reason.key, reason=reason.reason, written_at=clock.now())
        db.session.add(again)
    db.session.flush()
    record(
        draft,
        "drafted",
        actor,
        title=N_("New round drafted"),
        detail={"number": draft.number, "previous": old.number},
    )
    return draft.id


_COPIED = frozenset(
    (
        *(
            "thread_id",
            "owner_organisation_id",
            "item_version_id",
            "case_subject",
            "title",
            "project_name",
            "project_code",
        ),
        *(
            "region_code",
            "place",
            "scale",
            "content",
            "limit_wd",
            "fund_source",
            "budget_fen",
            "ceiling_fen",
            "price_fen",
        ),
        *("amount_note", "qualification_rule", "demanded_grade", "demanded_region", "has_avoidance", "method", "seats"),
        *("method_terms", "failures"),
        *("has_witness", "contact_name", "contact_phone", "complaint_phone"),
    )
)


@use_case
def follow_contract(procurement_id: UUID, action: str) -> None:
    """Follow the contract: `sign`, `start_service`, `accept`, `terminate` or `close_file`. A repeat changes nothing."""
    procurement = lock(Procurement, procurement_id)
    moved = move(procurement, PROCUREMENT, action, SYSTEM, _SYSTEM, already_ok=True)
    if moved and action == "sign":
        release_registrations(
            procurement,
            N_("The contract is signed: %(title)s"),
            N_("The contract of %(number)s is signed; the reserve list ends."),
            {},
        )
    if moved and action == "close_file":
        procurement.finished_at = clock.now()
