"""A sanction from the finding to its end: found, proposed by one person, decided by another, appealed, ended by the clock.

The side concerned reads the evidence with the proposal and may state its view; nobody decides before it has, or before the time for
it is over. An appeal is decided by somebody who neither proposed nor decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.identity.notices import notify
from app.identity.queries import organisation_by_uscc
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import start_of_day
from app.kernel.commands import WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.credit import SanctionChanged
from marketplace.models.credit import Sanction
from marketplace.policy import Permission, sanction_parts
from marketplace.queries.agencies import agency_id_of_organisation
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.sanctions import VIOLATIONS, Ground, Kind, Side, check_sanction, last_day
from marketplace.services.sanctions import effects
from marketplace.services.sanctions.commands import Proposal, Report, Statement
from marketplace.states.credit import SANCTION, SanctionState
from marketplace.states.parts import Part

S = SanctionState


@dataclass(frozen=True)
class Finding:
    """A violation that the records show. `facts` is a message id filled by `params`; `evidence` pairs a label with a path."""

    organisation_id: UUID
    ground: Ground
    facts: str
    params: Mapping[str, Any]
    evidence: Sequence[tuple[str, str]]
    fingerprint: str


@use_case
def note_finding(finding: Finding) -> bool:
    """Write down what the records show, for a person to look at; False when it is noted already. Punishes nobody."""
    if db.session.scalar(select(Sanction.id).where(Sanction.fingerprint == finding.fingerprint)):
        return False
    row = _row(finding.organisation_id, finding.ground, finding.facts, rule_book_in_force())
    row.facts_params = dict(finding.params)
    row.evidence = [{"label": label, "href": href} for label, href in finding.evidence]
    row.fingerprint = finding.fingerprint
    db.session.add(row)
    db.session.flush()
    record(row, "found", SYSTEM, title=N_("Violation found in the records"), detail={"number": row.number})
    _tell_keepers(row, N_("A possible violation was found in the records: %(number)s"))
    return True


@use_case
def report(actor: Actor, command: Report) -> UUID:
    """A person reports a violation and proposes what follows. Returns the sanction. Raises NotAllowed, Refused."""
    if not actor.may(Permission.CREDIT_DECIDE):
        raise NotAllowed
    side = VIOLATIONS[command.ground].side
    organisation = organisation_by_uscc(command.uscc.strip().upper(), side.value)
    if organisation is None:
        raise Refused("unknown-organisation", N_("No such organisation is registered here."), field="uscc")
    row = _row(organisation.id, command.ground, command.facts, rule_book_in_force())
    row.evidence = []
    db.session.add(row)
    db.session.flush()
    proposal = Proposal(
        level=command.level,
        kind=command.kind,
        points=command.points,
        item_id=command.item_id,
        months=command.months,
        file=command.file,
    )
    _propose(actor, row, proposal)
    return row.id


@use_case
def propose(actor: Actor, sanction_id: UUID, command: Proposal) -> None:
    """Take a finding up and propose what follows; the side concerned is told. Raises NotFound, NotAllowed, Outdated, Refused."""
    _propose(actor, _locked(actor, sanction_id, command.version), command)


def _propose(actor: Actor, row: Sanction, command: Proposal) -> None:
    book = rule_book(row.rule_book_version)
    problem = check_sanction(
        book,
        ground=Ground(row.ground),
        level=command.level,
        kind=command.kind,
        points=command.points,
        months=command.months,
        has_item=command.item_id is not None,
    )
    if problem:
        raise Refused("off-the-ladder", problem.text, field=problem.field, params=dict(problem.params))
    row.level, row.kind, row.points = command.level, command.kind, command.points
    row.item_id, row.months = command.item_id, command.months
    if command.facts:
        row.facts, row.facts_params = command.facts, {}
    _attach(row, command.file, actor)
    now = clock.now()
    row.proposed_by, row.proposed_by_name, row.proposed_at = actor.user_id, actor.name, now
    row.state_by = work_calendar.current().deadline(now, book.credit_statement_wd).at
    detail = {"kind": row.kind, "points": row.points}
    move(row, SANCTION, "propose", actor, sanction_parts(actor, row), detail=detail)
    _tell_party(row, N_("A measure against your organisation is proposed: %(number)s"))


@use_case
def make_statement(actor: Actor, sanction_id: UUID, command: Statement) -> None:
    """The side concerned states its view before the decision, once. Raises NotFound, NotAllowed, Conflict."""
    row = _locked(actor, sanction_id, command.version)
    if Part.PARTY not in sanction_parts(actor, row):
        raise NotAllowed
    if row.state != S.PROPOSED or row.statement is not None:
        raise Conflict("statement-closed", N_("A statement can be made once, before the decision."))
    row.statement, row.stated_at = command.text, clock.now()
    record(row, "statement", actor, title=N_("Statement of the side concerned"), reason=command.text)
    _tell_keepers(row, N_("The side concerned has stated its view: %(number)s"))


@use_case
def dismiss(actor: Actor, sanction_id: UUID, command: WithReason) -> None:
    """Take no measure."""
    row = _locked(actor, sanction_id, command.version)
    was_told = row.state == S.PROPOSED
    move(row, SANCTION, "dismiss", actor, sanction_parts(actor, row), reason=command.reason)
    row.decision = command.reason
    if was_told:
        _tell_party(row, N_("No measure was taken: %(number)s"))


@use_case
def impose(actor: Actor, sanction_id: UUID, command: WithReason) -> None:
    """Another person decides: points, suspension, removal or blacklist take effect and are published.

    Raises Conflict for the person who proposed it, and before the side concerned was heard.
    """
    row = _locked(actor, sanction_id, command.version)
    now = clock.now()
    if row.state == S.PROPOSED:
        if row.proposed_by == actor.user_id:
            raise Conflict("same-person", N_("A second person must decide: you proposed it yourself."))
        assert row.state_by is not None
        if row.statement is None and now <= row.state_by:
            raise Conflict("not-heard", N_("Wait for the statement of the side concerned, or until its time is over."))
    row.decided_by, row.decided_by_name, row.decided_at, row.decision = (
        actor.user_id,
        actor.name,
        now,
        command.reason,
    )
    _set_term(row)
    row.appeal_by = work_calendar.current().deadline(now, rule_book(row.rule_book_version).credit_appeal_wd).at
    detail = {"kind": row.kind, "points": row.points, "ends_on": row.ends_on.isoformat() if row.ends_on else None}
    _move(row, "impose", actor, S.IN_FORCE, command.reason, detail)
    effects.carry_out(actor, row)
    _tell_party(row, N_("A measure against your organisation was imposed: %(number)s"))


def _set_term(row: Sanction) -> None:
    """A suspension ends with its months, points and notices when they have faded; blacklist and removal only by a decision."""
    row.starts_on = clock.today()
    if row.kind in {Kind.BLACKLIST, Kind.REMOVE}:
        return
    if row.months is not None:
        row.ends_on = last_day(row.starts_on, row.months)
    else:
        row.ends_on = row.starts_on + timedelta(days=rule_book(row.rule_book_version).credit_window_days - 1)
    row.ends_at = start_of_day(row.ends_on + timedelta(days=1))


@use_case
def appeal(actor: Actor, sanction_id: UUID, command: WithReason) -> None:
    """The side concerned appeals, once, within the rule book's days. The measure stays in force until the decision."""
    row = _locked(actor, sanction_id, command.version)
    if row.state == S.IN_FORCE and row.appealed_at is not None:
        raise Conflict("appealed", N_("The appeal against this measure is decided already."))
    if row.state == S.IN_FORCE and row.appeal_by is not None and clock.now() > row.appeal_by:
        raise Refused("appeal-period-over", N_("The time for an appeal is over."))
    row.appeal, row.appealed_at = command.reason, clock.now()
    move(row, SANCTION, "appeal", actor, sanction_parts(actor, row), reason=command.reason)
    _tell_keepers(row, N_("An appeal against a measure waits: %(number)s"))


@use_case
def uphold(actor: Actor, sanction_id: UUID, command: WithReason) -> None:
    """Dismiss the appeal; the measure goes on."""
    row = _locked(actor, sanction_id, command.version)
    _decide_appeal(actor, row, command.reason)
    move(row, SANCTION, "uphold", actor, sanction_parts(actor, row), reason=command.reason)
    _tell_party(row, N_("Your appeal against measure %(number)s is decided"))


@use_case
def revoke(actor: Actor, sanction_id: UUID, command: WithReason) -> None:
    """Grant the appeal, or correct a mistake: points and standing are restored at once."""
    row = _locked(actor, sanction_id, command.version)
    if row.state == S.APPEALED:
        _decide_appeal(actor, row, command.reason)
    elif actor.user_id in {row.proposed_by, row.decided_by}:
        raise Conflict("same-person", N_("Somebody who has not decided before must decide this."))
    row.settled_at = clock.now()
    _move(row, "revoke", actor, S.REVOKED, command.reason, {})
    effects.undo(actor, row, command.reason)
    _tell_party(row, N_("Measure %(number)s was revoked"))


def _decide_appeal(actor: Actor, row: Sanction, reason: str) -> None:
    if row.state != S.APPEALED:
        return  # the machine refuses the step
    if actor.user_id in {row.proposed_by, row.decided_by}:
        raise Conflict("same-person", N_("Somebody who has not decided before must decide this."))
    row.appeal_decided_by, row.appeal_decided_by_name = actor.user_id, actor.name
    row.appeal_decided_at, row.appeal_decision = clock.now(), reason


@use_case
def end(sanction_id: UUID) -> bool:
    """End a sanction whose last day is over; False when it is not. The agency's standing follows by the same moment."""
    row = lock(Sanction, sanction_id)
    if row.state not in {S.IN_FORCE, S.APPEALED} or row.ends_at is None or clock.now() < row.ends_at:
        return False
    _move(row, "end", SYSTEM, S.ENDED, None, {})
    effects.undo(SYSTEM, row, N_("The term of the measure has ended."))
    _tell_party(row, N_("Measure %(number)s has ended"))
    return True


def due_ids(limit: int = 200) -> list[UUID]:
    """Sanctions whose last day is over."""
    statement = select(Sanction.id).where(Sanction.state.in_((S.IN_FORCE, S.APPEALED)), Sanction.ends_at <= clock.now())
    return list(db.session.scalars(statement.order_by(Sanction.ends_at).limit(limit)))


def repaired(row: Sanction, reason: str) -> None:
    """What a granted repair does to its sanction. Called inside `repairs.grant`."""
    row.settled_at = clock.now()
    _move(row, "repair", SYSTEM, S.REPAIRED, reason, {})
    effects.undo(SYSTEM, row, reason)


# --- what the steps share -----------------------------------------------------------------------------------------


def _row(organisation_id: UUID, ground: Ground, facts: str, book: RuleBook) -> Sanction:
    violation = VIOLATIONS[ground]
    agency_id = agency_id_of_organisation(organisation_id) if violation.side is Side.AGENCY else None
    return Sanction(
        id=new_id(),
        thread_id=new_id(),
        number=next_number("CF"),
        side=violation.side,
        organisation_id=organisation_id,
        agency_id=agency_id,
        ground=ground,
        level=violation.level,
        facts=facts,
        evidence=[],
        found_at=clock.now(),
        rule_book_version=book.version,
        state=S.FOUND,
    )


def _attach(row: Sanction, upload: Upload | None, actor: Actor) -> None:
    if upload is not None:
        row.file_id = keep(upload, actor).id


def _locked(actor: Actor, sanction_id: UUID, seen: int | None) -> Sanction:
    row = lock(Sanction, sanction_id)
    if not sanction_parts(actor, row):
        raise NotFound
    return lock(Sanction, sanction_id, seen=seen)


def _move(
    row: Sanction, action: str, actor: Actor, target: SanctionState, reason: str | None, detail: dict[str, Any]
) -> None:
    event = SanctionChanged(sanction_id=row.id, organisation_id=row.organisation_id, state=target)
    held = {Part.SYSTEM} if actor.is_system else sanction_parts(actor, row)
    move(row, SANCTION, action, actor, held, reason=reason, detail=detail, event=event, public=True)


def _tell_party(row: Sanction, subject: str) -> None:
    notify(
        to_organisation=row.organisation_id,
        kind="credit.sanction",
        subject=subject,
        text=N_("The page of %(number)s shows the evidence, the decision and until when you may answer or appeal."),
        link=f"/sanctions/{row.id}",
        thread_id=row.thread_id,
        params={"number": row.number},
    )


def _tell_keepers(row: Sanction, subject: str) -> None:
    notify(
        to_role=Role.OPERATOR,
        kind="credit.finding",
        subject=subject,
        text=N_("Open %(number)s to look at the evidence."),
        link=f"/sanctions/{row.id}",
        thread_id=row.thread_id,
        params={"number": row.number},
    )
