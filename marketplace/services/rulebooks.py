"""Use cases of the rule book: propose a change, publish it as the next version, reject it, take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.rulebook import RuleBookVersion, RuleChange
from marketplace.policy import Permission, rule_change_parts
from marketplace.queries.rulebooks import latest_rule_book
from marketplace.rulebook import DEFAULT_RULE_BOOK
from marketplace.rules.rulebook_changes import differences, wrong_values
from marketplace.states.parts import Part
from marketplace.states.rulebook import RULE_CHANGE, RuleChangeState


@dataclass(frozen=True)
class ProposeChange:
    """All parameters of the next version, the legal basis, the reason, and the first Beijing day on which it holds."""

    parameters: Mapping[str, object]
    basis: str
    reason: str
    effective_from: date


@use_case
def propose(actor: Actor, command: ProposeChange) -> UUID:
    """Propose the next version of the rule book; returns the proposal.

    Raises NotAllowed, Refused for a wrong value, for nothing changed and for a day that is not in the future: a rule book
    never changes what has begun today. Conflict while another proposal waits.
    """
    if not actor.may(Permission.RULE_BOOK_PROPOSE):
        raise NotAllowed
    assert actor.user_id is not None
    base = latest_rule_book()
    _check(command, base.as_parameters())
    if db.session.scalar(select(RuleChange.id).where(RuleChange.state == RuleChangeState.PROPOSED).limit(1)):
        raise Conflict("rule-change-waits", N_("Another proposed change waits for its decision; decide it first."))
    change_id = new_id()
    change = RuleChange(
        id=change_id,
        thread_id=change_id,
        parameters=dict(command.parameters),
        base_version=base.version,
        basis=command.basis,
        reason=command.reason,
        effective_from=command.effective_from,
        proposed_by=actor.user_id,
        proposed_by_name=actor.name,
        proposed_at=clock.now(),
    )
    db.session.add(change)
    db.session.flush()
    record(change, "proposed", actor, title=N_("Change of the rule book proposed"))
    notify(
        to_role=Role.REGULATOR,
        kind="rules.proposed",
        subject=N_("A change of the rule book waits for its decision"),
        text=N_("Proposed by %(name)s, to hold from %(day)s."),
        link=f"/rules/changes/{change_id}",
        params={"name": actor.name, "day": command.effective_from.isoformat()},
    )
    return change_id


def _check(command: ProposeChange, base: Mapping[str, object]) -> None:
    for wrong in wrong_values(command.parameters):
        name = wrong.parameter.name if wrong.parameter else None
        raise Refused("rule-value-wrong", wrong.text, field=name, params=dict(wrong.params))
    if command.effective_from <= clock.today():
        raise Refused("rule-day-past", N_("Choose a day after today."), field="effective_from")
    if not differences(base, command.parameters):
        raise Refused("rule-book-unchanged", N_("Nothing differs from the present rule book."))


@use_case
def publish(actor: Actor, change_id: UUID, command: Plain) -> None:
    """Make the proposal the next version of the rule book.

    Raises NotAllowed to the person who proposed it, Refused when its first day has come in the meantime, Conflict when
    another version was published since it was written.
    """
    change = lock(RuleChange, change_id, seen=command.version)
    held = rule_change_parts(actor, change)
    if change.state == RuleChangeState.PROPOSED and Part.REGULATOR in held:
        _refuse_stale(change)
    change.version_published = latest_rule_book().version + 1
    change.decided_at = clock.now()
    detail = {"version": change.version_published, "effective_from": change.effective_from.isoformat()}
    move(change, RULE_CHANGE, "publish", actor, held, detail=detail, public=True)
    if db.session.scalar(select(func.count()).select_from(RuleBookVersion)) == 0:
        _keep_defaults()
    db.session.add(
        RuleBookVersion(
            version=change.version_published,
            parameters=change.parameters,
            basis=change.basis,
            effective_from=change.effective_from,
            published_at=clock.now(),
            published_by=actor.user_id,
        )
    )
    for role in (Role.OPERATOR, Role.REGULATOR):
        notify(
            to_role=role,
            kind="rules.published",
            subject=N_("Version %(version)s of the rule book is published"),
            text=N_("It holds from %(day)s. What began before ends under its own version."),
            link=f"/rules/{change.version_published}",
            params={"version": change.version_published, "day": change.effective_from.isoformat()},
        )


def _keep_defaults() -> None:
    """The first change: what held until now becomes a stored version too, so that nothing rests on a release of this program."""
    db.session.add(
        RuleBookVersion(
            version=DEFAULT_RULE_BOOK.version,
            parameters=DEFAULT_RULE_BOOK.as_parameters(),
            effective_from=date(2000, 1, 1),
            published_at=clock.now(),
        )
    )


def _refuse_stale(change: RuleChange) -> None:
    if change.effective_from <= clock.today():
        raise Refused(
            "rule-day-past", N_("Its first day has come; reject it, and let it be proposed with a later day.")
        )
    if change.base_version != latest_rule_book().version:
        raise Conflict("rule-book-moved", N_("Another version was published since; propose the change anew."))


@use_case
def reject(actor: Actor, change_id: UUID, command: WithReason) -> None:
    """Reject a proposal; the person who proposed it is told why."""
    change = lock(RuleChange, change_id, seen=command.version)
    change.decided_at = clock.now()
    move(change, RULE_CHANGE, "reject", actor, rule_change_parts(actor, change), reason=command.reason)
    notify(
        to_user=change.proposed_by,
        kind="rules.rejected",
        subject=N_("The proposed change of the rule book was rejected"),
        text=N_("Reason: %(reason)s"),
        link=f"/rules/changes/{change.id}",
        params={"reason": command.reason},
    )


@use_case
def withdraw(actor: Actor, change_id: UUID, command: Plain) -> None:
    """Take the own proposal back."""
    change = lock(RuleChange, change_id, seen=command.version)
    move(change, RULE_CHANGE, "withdraw", actor, rule_change_parts(actor, change))
