"""The rule book of a day, the one a procurement, contract or application pinned, and what pages show of them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.kernel.worklist import Turn, WorkItem
from marketplace.models.rulebook import RuleBookVersion, RuleChange
from marketplace.policy import Permission
from marketplace.rulebook import DEFAULT_RULE_BOOK, RuleBook, rule_book_of
from marketplace.states.rulebook import RULE_CHANGE, RuleChangeState


def rule_book_in_force(on: date | None = None) -> RuleBook:
    """The rule book in force on a Beijing day (today); the defaults while none has been published."""
    row = db.session.scalar(
        select(RuleBookVersion)
        .where(RuleBookVersion.effective_from <= (on or clock.today()))
        .order_by(RuleBookVersion.effective_from.desc(), RuleBookVersion.version.desc())
        .limit(1)
    )
    return rule_book_of(row.version, row.parameters) if row else DEFAULT_RULE_BOOK


def rule_book(version: int) -> RuleBook:
    """The rule book with this version; raises NotFound."""
    row = db.session.get(RuleBookVersion, version)
    if row is not None:
        return rule_book_of(row.version, row.parameters)
    if version == DEFAULT_RULE_BOOK.version:
        return DEFAULT_RULE_BOOK
    raise NotFound


def latest_rule_book() -> RuleBook:
    """The last published version, in force or still to come; the defaults while none has been published."""
    row = db.session.scalar(select(RuleBookVersion).order_by(RuleBookVersion.version.desc()).limit(1))
    return rule_book_of(row.version, row.parameters) if row else DEFAULT_RULE_BOOK


@dataclass(frozen=True)
class VersionView:
    """One published version without its parameters; `basis` and the dates are None for the defaults of the program."""

    version: int
    basis: str
    effective_from: date | None
    published_at: datetime | None


def versions() -> tuple[VersionView, ...]:
    """All versions, the latest first; the defaults alone while none has been published."""
    rows = db.session.scalars(select(RuleBookVersion).order_by(RuleBookVersion.version.desc())).all()
    if not rows:
        return (VersionView(DEFAULT_RULE_BOOK.version, "", None, None),)
    return tuple(VersionView(r.version, r.basis, r.effective_from, r.published_at) for r in rows)


@dataclass(frozen=True)
class RuleChangeView:
    """A proposed change with the parameters it starts from and those it proposes."""

    id: UUID
    state: str
    version: int
    title: str
    base: dict[str, object]
    parameters: dict[str, Any]
    basis: str
    reason: str
    effective_from: date
    proposed_by: UUID
    proposed_by_name: str
    proposed_at: datetime
    version_published: int | None


def rule_change(actor: Actor, change_id: UUID) -> RuleChangeView:
    """A proposal for those who make and watch the rules; NotFound for others."""
    row = db.session.get(RuleChange, change_id)
    if row is None or not actor.may(Permission.RULE_BOOK_READ_CHANGES):
        raise NotFound
    return RuleChangeView(
        id=row.id,
        state=row.state,
        version=row.version,
        title=row.basis,
        base=rule_book(row.base_version).as_parameters(),
        parameters=row.parameters,
        basis=row.basis,
        reason=row.reason,
        effective_from=row.effective_from,
        proposed_by=row.proposed_by,
        proposed_by_name=row.proposed_by_name,
        proposed_at=row.proposed_at,
        version_published=row.version_published,
    )


def changes() -> tuple[RuleChange, ...]:
    """The last hundred proposals, the newest first."""
    return tuple(db.session.scalars(select(RuleChange).order_by(RuleChange.proposed_at.desc()).limit(100)))


def worklist(actor: Actor) -> list[WorkItem]:
    """The proposal that waits for the regulator's decision. At most one statement."""
    if not actor.may(Permission.RULE_BOOK_READ_CHANGES):
        return []
    rows = db.session.scalars(select(RuleChange).where(RuleChange.state == RuleChangeState.PROPOSED))
    return [
        WorkItem(
            turn=Turn.MINE
            if actor.may(Permission.RULE_BOOK_DECIDE) and row.proposed_by != actor.user_id
            else Turn.WAITING,
            kind=N_("Rule book"),
            number=f"v{row.base_version + 1}",
            title=row.basis,
            state=RULE_CHANGE.labels[RuleChangeState.PROPOSED],
            step=RULE_CHANGE.next_step[RuleChangeState.PROPOSED],
            href=f"/rules/changes/{row.id}",
            due_at=None,
            updated_at=row.proposed_at,
        )
        for row in rows
    ]
