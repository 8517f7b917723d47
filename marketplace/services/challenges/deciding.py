"""Answering and deciding: acceptance, statements, recusal, extension, the decision with its effect, withdrawal, service."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import end_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.challenges import issue_decision
from marketplace.events.challenges import ChallengeDecided
from marketplace.models.agencies import Agency
from marketplace.models.challenges import Challenge, ChallengeRecusal, ChallengeStatement
from marketplace.models.procurements import Procurement
from marketplace.policy import Permission, challenge_parts
from marketplace.queries.challenges import acted_before, stepped_aside
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.challenges import (
    INVOLVEMENT_TEXTS,
    ChallengeKind,
    Effect,
    HandledBy,
    Side,
    Target,
    involvement,
    possible_effects,
)
from marketplace.services.challenges.commands import AcceptComplaint, ExtendLimit, Reject, State, Uphold
from marketplace.services.challenges.effects import take_effect
from marketplace.services.challenges.filing import keep_files, matter_key
from marketplace.services.challenges.freezing import freeze_procurement, let_go, stage_of
from marketplace.services.challenges.telling import tell_challenger, tell_deciders, tell_other_side, tell_role
from marketplace.states.agency import AgencyState
from marketplace.states.challenge import CHALLENGE, OPEN, ChallengeState
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState

_SYSTEM = (Part.SYSTEM,)
SUPERIORS: Final = (Part.HANDLER, Part.ADDRESSEE)


class Held:
    """A challenge with what it is about, all locked in the one order: procurement or agency first, then the challenge."""

    def __init__(self, actor: Actor, challenge_id: UUID, seen: int | None = None) -> None:
        known = db.session.get(Challenge, challenge_id)
        if known is None or not challenge_parts(actor, known):
            raise NotFound
        self.procurement = lock(Procurement, known.procurement_id) if known.procurement_id else None
        self.agency = lock(Agency, known.agency_id) if known.agency_id else None
        self.challenge = lock(Challenge, challenge_id, seen=seen)
        self.parts = challenge_parts(actor, self.challenge)

    def let_go(self) -> None:
        let_go(self.challenge, self.procurement, self.agency)


@use_case
def withdraw(actor: Actor, challenge_id: UUID, command: Plain) -> None:
    """Take a challenge back; what it held runs on. The same matter cannot be challenged again by the same challenger."""
    held = Held(actor, challenge_id, command.version)
    challenge = held.challenge
    move(challenge, CHALLENGE, "withdraw", actor, held.parts)
    challenge.decided_at = clock.now()
    held.let_go()
    for tell in (tell_deciders, tell_other_side):
        tell(challenge, N_("Withdrawn: %(number)s"), N_("%(kind)s %(number)s was withdrawn by its challenger."))


@use_case
def accept(actor: Actor, challenge_id: UUID, command: AcceptComplaint) -> None:
    """Accept a complaint: the other side gets it with a limit for its statement, and the limit of the decision starts."""
    held = Held(actor, challenge_id, command.version)
    challenge = held.challenge
    _refuse_involved(actor, held)
    book, calendar, now = rule_book(challenge.rule_book_version), work_calendar.current(), clock.now()
    if CHALLENGE.edge("accept", challenge.state):
        challenge.accepted_at = now
        challenge.answer_by = calendar.deadline(now, book.complaint_decide_wd).at
        challenge.evidence_by = calendar.deadline(now, book.evidence_wd).at
        challenge.overdue_told_at = None
    move(challenge, CHALLENGE, "accept", actor, held.parts, detail={"number": challenge.number})
    if command.suspend:
        _suspend(held)
    until = challenge.answer_by.astimezone(clock.BEIJING).strftime("%Y-%m-%d")
    tell_challenger(
        challenge,
        N_("Accepted: %(number)s"),
        N_("Your complaint %(number)s was accepted. The decision is due by %(until)s."),
        until=until,
    )
    assert challenge.evidence_by is not None
    tell_other_side(
        challenge,
        N_("A complaint concerns you: %(number)s"),
        N_("Put your statement and evidence on %(number)s forward by %(until)s."),
        until=challenge.evidence_by.astimezone(clock.BEIJING).strftime("%Y-%m-%d"),
    )


def _suspend(held: Held) -> None:
    if held.procurement is None:
        raise Refused("nothing-to-suspend", N_("There is no procurement that could stand still."), field="suspend")
    freeze_procurement(held.challenge, held.procurement)
    if held.challenge.frozen_since is None:
        raise Refused("nothing-to-suspend", N_("There is no procurement that could stand still."), field="suspend")


@use_case
def decline(actor: Actor, challenge_id: UUID, command: WithReason) -> None:
    """Do not accept a complaint, with the reason."""
    held = Held(actor, challenge_id, command.version)
    challenge = held.challenge
    _refuse_involved(actor, held)
    if CHALLENGE.edge("decline", challenge.state):
        _write_decision(challenge, actor, command.reason)
    move(challenge, CHALLENGE, "decline", actor, held.parts, reason=command.reason)
    tell_challenger(
        challenge, N_("Not accepted: %(number)s"), N_("%(number)s was not accepted: %(reason)s"), reason=command.reason
    )


@use_case
def uphold(actor: Actor, challenge_id: UUID, command: Uphold) -> None:
    """Decide in favour of the challenger; what follows for the procurement or the admission happens in the same transaction.

    Raises Refused for an effect that is not possible where the matter stands.
    """
    held = Held(actor, challenge_id, command.version)
    if CHALLENGE.edge("uphold", held.challenge.state):
        allowed = possible_effects(
            stage_of(held.procurement) if held.procurement else None, is_admission=_is_admission(held)
        )
        if command.effect not in allowed:
            raise Refused(
                "effect-not-possible", N_("This is not possible where the matter stands now."), field="effect"
            )
    _decide(actor, held, "uphold", command.decision, command.public_summary, command.effect)
    if command.effect is Effect.EXCLUDE:
        held.challenge.excluded_registration_id = command.excluded_registration_id
    take_effect(actor, held.challenge, command, held.procurement, held.agency)
    held.let_go()


@use_case
def reject(actor: Actor, challenge_id: UUID, command: Reject) -> None:
    """Answer that the challenge is not justified; what it held runs on exactly where it stopped."""
    held = Held(actor, challenge_id, command.version)
    _decide(actor, held, "reject", command.decision, command.public_summary, Effect.NONE)
    held.let_go()


def _is_admission(held: Held) -> bool:
    return held.agency is not None and held.challenge.target == "admission"


def _decide(actor: Actor, held: Held, action: str, decision: str, summary: str, effect: Effect) -> None:
    challenge = held.challenge
    _refuse_involved(actor, held)
    edge = CHALLENGE.edge(action, challenge.state)
    if edge:
        _write_decision(challenge, actor, decision)
        challenge.public_summary, challenge.effect = summary.strip(), effect
    event = ChallengeDecided(
        challenge_id=challenge.id,
        number=challenge.number,
        kind=challenge.kind,
        complaint_type=challenge.complaint_type or "",
        outcome=str(edge.target) if edge else "",
        effect=effect,
        against_organisation_id=challenge.against_organisation_id,
        procurement_id=challenge.procurement_id,
    )
    move(
        challenge,
        CHALLENGE,
        action,
        actor,
        held.parts,
        reason=decision,
        event=event,
        detail={"number": challenge.number},
    )
    challenge.document_id = issue_decision(challenge)
    for tell in (tell_challenger, tell_other_side):
        tell(
            challenge,
            N_("Decided: %(number)s"),
            N_("%(kind)s %(number)s was answered. Read the decision and confirm its receipt."),
        )


def _write_decision(challenge: Challenge, actor: Actor, decision: str) -> None:
    book = rule_book(challenge.rule_book_version)
    now = clock.now()
    challenge.decided_at, challenge.decided_by, challenge.decided_by_name = now, actor.user_id, actor.name
    challenge.decision = decision.strip()
    challenge.serve_by = end_of_day(clock.beijing_day(now) + timedelta(days=book.served_days))


def _refuse_involved(actor: Actor, held: Held) -> None:
    """Nobody decides in one's own matter. The owner answers an objection to its own notice by law: that is no decision."""
    challenge = held.challenge
    if Part.RESPONDENT in held.parts and challenge.handled_by == HandledBy.OWNER:
        return
    if not held.parts.intersection(SUPERIORS):
        return  # `move` refuses whoever has no part in the decision
    sides = {o for o in (challenge.challenger_organisation_id, challenge.against_organisation_id) if o}
    cause = involvement(
        actor.user_id,
        actor.organisation_id,
        stepped_aside=stepped_aside(challenge.id),
        sides=sides,
        acted_before=acted_before(challenge),
    )
    if cause is not None:
        raise Conflict(f"involved-{cause.replace('_', '-')}", INVOLVEMENT_TEXTS[cause])


# --- on the way to the decision -------------------------------------------------------------------------------------


@use_case
def state(actor: Actor, challenge_id: UUID, command: State) -> UUID:
    """Put a statement with its evidence forward, as one of the sides or as who decides; while the challenge is open."""
    held = Held(actor, challenge_id)
    challenge = held.challenge
    side = _side_of(held)
    if challenge.state not in OPEN:
        raise Conflict("challenge-closed", N_("This challenge is decided; nothing can be added any more."))
    assert actor.user_id is not None
    statement = ChallengeStatement(
        id=new_id(),
        challenge_id=challenge.id,
        side=side,
        author_id=actor.user_id,
        author_name=actor.name,
        text=command.text.strip(),
        stated_at=clock.now(),
    )
    db.session.add(statement)
    db.session.flush()
    keep_files(actor, challenge, command.files, side, statement_id=statement.id)
    record(challenge, "stated", actor, title=N_("Statement put forward"), detail={"number": challenge.number})
    tell_deciders(challenge, N_("New statement: %(number)s"), N_("A statement was added to %(kind)s %(number)s."))
    return statement.id


def _side_of(held: Held) -> Side:
    if Part.CHALLENGER in held.parts:
        return Side.CHALLENGER
    if Part.RESPONDENT in held.parts:
        return Side(held.challenge.against)
    if held.parts.intersection({Part.OPERATOR, Part.REGULATOR}):
        return Side.OPERATOR
    raise NotAllowed


@use_case
def step_aside(actor: Actor, challenge_id: UUID, command: WithReason) -> None:
    """Declare that one is biased (回避); from now on this person decides nothing in this challenge."""
    held = Held(actor, challenge_id, command.version)
    if not actor.may(Permission.CHALLENGE_HANDLE) or actor.user_id is None:
        raise NotAllowed
    if actor.user_id in stepped_aside(challenge_id):
        raise Conflict("stepped-aside", INVOLVEMENT_TEXTS["stepped_aside"])
    if held.challenge.state not in OPEN:
        raise Conflict("challenge-closed", N_("This challenge is decided; nothing can be added any more."))
    db.session.add(
        ChallengeRecusal(
            id=new_id(),
            challenge_id=challenge_id,
            user_id=actor.user_id,
            name=actor.name,
            reason=command.reason,
            declared_at=clock.now(),
        )
    )
    record(held.challenge, "stepped_aside", actor, title=N_("Stepped aside"), reason=command.reason)
    tell_role(
        held.challenge,
        "regulator",
        N_("Somebody else must decide: %(number)s"),
        N_("%(name)s stepped aside in %(kind)s %(number)s."),
        name=actor.name,
    )


@use_case
def hand_over(actor: Actor, challenge_id: UUID, command: WithReason) -> None:
    """The operator hands a complaint or an objection to an admission to the regulator, for example when it is involved itself."""
    held = Held(actor, challenge_id, command.version)
    challenge = held.challenge
    if Part.OPERATOR not in held.parts:
        raise NotAllowed
    if challenge.handled_by != HandledBy.OPERATOR or challenge.state not in OPEN:
        raise Conflict("not-to-hand-over", N_("There is nothing to hand over: the operator does not decide this now."))
    challenge.handled_by = HandledBy.REGULATOR
    record(challenge, "handed_over", actor, title=N_("Handed over to the regulator"), reason=command.reason)
    tell_deciders(
        challenge, N_("To be answered: %(number)s"), N_("The operator handed %(kind)s %(number)s over to you.")
    )


@use_case
def extend(actor: Actor, challenge_id: UUID, command: ExtendLimit) -> None:
    """Give the decision of a complaint a later day, once, with the reason, before its limit has passed."""
    held = Held(actor, challenge_id, command.version)
    challenge = held.challenge
    if Part.HANDLER not in held.parts:
        raise NotAllowed
    if challenge.state != ChallengeState.ACCEPTED or challenge.extended_at is not None:
        raise Conflict("not-to-extend", N_("The limit of an accepted complaint can be extended once."))
    if clock.now() > challenge.answer_by:
        raise Conflict("limit-passed", N_("The limit has passed already; it can no longer be extended."))
    book = rule_book(challenge.rule_book_version)
    latest = work_calendar.current().deadline(challenge.answer_by, book.complaint_extend_wd).at
    until = end_of_day(command.until)
    if not challenge.answer_by < until <= latest:
        raise Refused(
            "extension-out-of-range",
            N_("Choose a day after the present limit and not beyond %(latest)s."),
            field="until",
            params={"latest": latest.astimezone(clock.BEIJING).strftime("%Y-%m-%d")},
        )
    challenge.answer_by, challenge.extended_at, challenge.extension_reason = until, clock.now(), command.reason
    detail = {"until": command.until.isoformat()}
    record(
        challenge, "extended", actor, title=N_("Limit of the decision extended"), reason=command.reason, detail=detail
    )
    for tell in (tell_challenger, tell_other_side):
        tell(
            challenge,
            N_("Decided later: %(number)s"),
            N_("The decision on %(number)s is due by %(until)s: %(reason)s"),
            reason=command.reason,
            **detail,
        )


@use_case
def confirm_receipt(actor: Actor, challenge_id: UUID, command: Plain) -> None:
    """The challenger confirms that the decision has arrived: it is served."""
    held = Held(actor, challenge_id, command.version)
    challenge = held.challenge
    if Part.CHALLENGER not in held.parts:
        raise NotAllowed
    if challenge.serve_by is None or challenge.served_at is not None:
        raise Conflict("nothing-to-confirm", N_("There is no decision whose receipt is to be confirmed."))
    challenge.served_at, challenge.served_by_reading = clock.now(), True
    record(challenge, "served", actor, title=N_("Receipt of the decision confirmed"))


# --- the clock's steps ----------------------------------------------------------------------------------------------


@use_case
def count_as_served(challenge_id: UUID) -> bool:
    """A decision that nobody confirmed counts as served after its days; False when it is not due."""
    challenge = lock(Challenge, challenge_id)
    if challenge.serve_by is None or challenge.served_at is not None or clock.now() <= challenge.serve_by:
        return False
    challenge.served_at = clock.now()
    record(challenge, "served", SYSTEM, title=N_("The decision counts as served"))
    return True


@use_case
def raise_alarm(challenge_id: UUID) -> bool:
    """Tell those above that an answer is overdue, once per limit; False when it is not."""
    challenge = lock(Challenge, challenge_id)
    if challenge.state not in OPEN or challenge.overdue_told_at is not None or clock.now() <= challenge.answer_by:
        return False
    challenge.overdue_told_at = clock.now()
    record(challenge, "overdue", SYSTEM, title=N_("The answer is overdue"), detail={"number": challenge.number})
    subject, text = N_("Overdue: %(number)s"), N_("The answer to %(kind)s %(number)s is overdue.")
    tell_deciders(challenge, subject, text)
    for role in ("regulator", *(("operator",) if challenge.handled_by == HandledBy.OWNER else ())):
        if role != challenge.handled_by:
            tell_role(challenge, role, subject, text)
    tell_challenger(
        challenge,
        subject,
        N_("The answer to %(number)s is overdue; whoever supervises it was told. You may take the next step."),
    )
    return True


@use_case
def settle(challenge_id: UUID) -> bool:
    """End an open objection or query whose notice, list, result or admission no longer stands; False when it still does."""
    known = get(Challenge, challenge_id)
    procurement = lock(Procurement, known.procurement_id) if known.procurement_id else None
    agency = lock(Agency, known.agency_id) if known.agency_id else None
    challenge = lock(Challenge, challenge_id)
    if challenge.state not in OPEN or challenge.kind not in {ChallengeKind.OBJECTION, ChallengeKind.QUERY}:
        return False
    if _still_stands(challenge, procurement, agency):
        return False
    move(challenge, CHALLENGE, "settle", SYSTEM, _SYSTEM)
    challenge.decided_at = clock.now()
    let_go(challenge, procurement, agency)
    for tell in (tell_challenger, tell_other_side):
        tell(challenge, N_("Ended: %(number)s"), N_("%(number)s ended: what it challenged no longer stands."))
    return True


def _still_stands(challenge: Challenge, procurement: Procurement | None, agency: Agency | None) -> bool:
    if procurement is None:
        return agency is None or agency.state == AgencyState.PUBLICITY
    if procurement.state in _ENDED:
        return False
    if challenge.target == Target.NOTICE:
        return True
    same = challenge.matter == matter_key(procurement, Target(challenge.target))
    return same and procurement.state != ProcurementState.FAILED


_ENDED: Final = frozenset({ProcurementState.WITHDRAWN, ProcurementState.CANCELLED, ProcurementState.VOID})
