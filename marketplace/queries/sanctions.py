"""Reads of sanctions and repairs: one with everything that led to it, the public lists, and the work they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, or_, select

from app.identity.queries import organisations_by_ids
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.catalogue import ServiceItem
from marketplace.models.credit import PUBLISHED, Repair, Sanction
from marketplace.policy import Permission, sanction_parts
from marketplace.rules.sanctions import VIOLATIONS, Ground
from marketplace.states.credit import REPAIR, SANCTION, RepairState, SanctionState
from marketplace.states.parts import Part

_OPEN: Final = (SanctionState.FOUND, SanctionState.PROPOSED, SanctionState.APPEALED)


@dataclass(frozen=True)
class SanctionRow:
    """One line of a list."""

    id: UUID
    number: str
    organisation_name: str
    agency_id: UUID | None
    side: str
    ground: str
    level: str
    kind: str | None
    points: int
    starts_on: date | None
    ends_on: date | None
    found_at: datetime
    state: str


@dataclass(frozen=True)
class SanctionView:
    """One sanction as one actor may see it. Who proposed and decided is told to those who decide only by their names."""

    id: UUID
    thread_id: UUID
    number: str
    title: str
    state: str
    version: int
    side: str
    organisation_id: UUID
    organisation_name: str
    agency_id: UUID | None
    ground: str
    level: str
    kind: str | None
    points: int
    item_name: str | None
    months: int | None
    facts: str
    facts_params: dict[str, Any]
    evidence: tuple[tuple[str, str], ...]
    file_id: UUID | None
    found_at: datetime
    proposed_by_name: str | None
    proposed_at: datetime | None
    state_by: datetime | None
    statement: str | None
    stated_at: datetime | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision: str | None
    starts_on: date | None
    ends_on: date | None
    appeal_by: datetime | None
    appeal: str | None
    appealed_at: datetime | None
    appeal_decided_by_name: str | None
    appeal_decided_at: datetime | None
    appeal_decision: str | None
    rule_book_version: int
    repairs: tuple[tuple[UUID, str, str], ...]
    parts: frozenset[Part]

    @property
    def label(self) -> str:
        """Message id of the violation."""
        return VIOLATIONS[Ground(self.ground)].label

    @property
    def sees_inside(self) -> bool:
        """Whether statement, evidence files and appeal are this actor's business; the public reads facts and decisions."""
        return bool(self.parts & {Part.PARTY, Part.OPERATOR, Part.REGULATOR}) or self.is_watcher

    is_watcher: bool = False


_SAME: Final = [
    "id",
    "thread_id",
    "number",
    "state",
    "version",
    "side",
    "organisation_id",
    "agency_id",
    "ground",
    "level",
    "kind",
    "points",
    "months",
    "facts",
    "facts_params",
    "file_id",
    "found_at",
    "proposed_by_name",
    "proposed_at",
    "state_by",
    "statement",
    "stated_at",
    "decided_by_name",
    "decided_at",
    "decision",
    "starts_on",
    "ends_on",
    "appeal_by",
    "appeal",
    "appealed_at",
    "appeal_decided_by_name",
    "appeal_decided_at",
    "appeal_decision",
    "rule_book_version",
]


def sanction_view(actor: Actor, sanction_id: UUID) -> SanctionView:
    """One sanction. Raises NotFound, also for one that is not this actor's to know. Four statements."""
    row = db.session.get(Sanction, sanction_id)
    parts = sanction_parts(actor, row) if row else frozenset()
    if row is None or not parts:
        raise NotFound
    name = organisations_by_ids([row.organisation_id])[row.organisation_id].name
    item = db.session.get(ServiceItem, row.item_id) if row.item_id else None
    repairs = db.session.execute(
        select(Repair.id, Repair.number, Repair.state).where(Repair.sanction_id == row.id).order_by(Repair.submitted_at)
    )
    return SanctionView(
        **{column: getattr(row, column) for column in _SAME},
        title=name,
        organisation_name=name,
        item_name=item.code if item else None,
        evidence=tuple((entry["label"], entry["href"]) for entry in row.evidence),
        repairs=tuple((r.id, r.number, r.state) for r in repairs),
        parts=parts,
        is_watcher=actor.may(Permission.CREDIT_WATCH),
    )


def sanctions(
    actor: Actor,
    *,
    state: str | None = None,
    side: str | None = None,
    organisation_id: UUID | None = None,
    number: int = 1,
) -> Page[SanctionRow]:
    """A page of sanctions: everything for those who decide or watch, the published ones and its own for others. Three statements."""
    statement: Select[Any] = select(Sanction)
    if not actor.may(Permission.CREDIT_WATCH):
        own = Sanction.organisation_id == actor.organisation_id
        told = Sanction.state != SanctionState.FOUND
        statement = statement.where(or_(Sanction.state.in_(PUBLISHED), own & told))
    if state in set(SanctionState):
        statement = statement.where(Sanction.state == state)
    if side:
        statement = statement.where(Sanction.side == side)
    if organisation_id is not None:
        statement = statement.where(Sanction.organisation_id == organisation_id)
    page = page_of(statement.order_by(Sanction.found_at.desc(), Sanction.id), number=number)
    names = organisations_by_ids({row.organisation_id for row in page.items})
    rows = tuple(
        SanctionRow(
            row.id,
            row.number,
            names[row.organisation_id].name,
            row.agency_id,
            row.side,
            VIOLATIONS[Ground(row.ground)].label,
            row.level,
            row.kind,
            row.points,
            row.starts_on,
            row.ends_on,
            row.found_at,
            row.state,
        )
        for row in page.items
    )
    return Page(rows, page.number, page.size, page.total)


@dataclass(frozen=True)
class RepairView:
    """An application for the repair of credit, as one actor may see it."""

    id: UUID
    thread_id: UUID
    number: str
    title: str
    state: str
    version: int
    sanction_id: UUID
    sanction_number: str
    text: str
    file_id: UUID | None
    submitted_at: datetime
    checked_by_name: str | None
    publicity_ends_at: datetime | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision: str | None
    parts: frozenset[Part]


def repair_view(actor: Actor, repair_id: UUID) -> RepairView:
    """One application. Raises NotFound, also for one that is not this actor's to know. Three statements."""
    row = db.session.get(Repair, repair_id)
    parts = sanction_parts(actor, row) if row else frozenset()
    if row is None or not parts:
        raise NotFound
    number = db.session.scalar(select(Sanction.number).where(Sanction.id == row.sanction_id))
    return RepairView(
        row.id,
        row.thread_id,
        row.number,
        organisations_by_ids([row.organisation_id])[row.organisation_id].name,
        row.state,
        row.version,
        row.sanction_id,
        number or "",
        row.text,
        row.file_id,
        row.submitted_at,
        row.checked_by_name,
        row.publicity_ends_at,
        row.decided_by_name,
        row.decided_at,
        row.decision,
        parts,
    )


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """What waits for a decision, and what the side concerned may answer. Two statements at most."""
    if actor.may(Permission.CREDIT_DECIDE):
        rows = db.session.scalars(
            select(Sanction).where(Sanction.state.in_(_OPEN)).order_by(Sanction.found_at).limit(100)
        ).all()
        repairs = db.session.scalars(
            select(Repair)
            .where(Repair.state.in_((RepairState.SUBMITTED, RepairState.PUBLICITY)))
            .order_by(Repair.submitted_at)
            .limit(100)
        ).all()
        return [*(_item(row, row.state_by) for row in rows), *map(_repair_item, repairs)]
    if actor.has(Role.AGENCY, Role.OWNER) and actor.organisation_id is not None:
        mine = select(Sanction).where(
            Sanction.organisation_id == actor.organisation_id,
            Sanction.state == SanctionState.PROPOSED,
            Sanction.statement.is_(None),
        )
        return [_item(row, row.state_by) for row in db.session.scalars(mine.limit(100))]
    return ()


def _item(row: Sanction, due_at: datetime | None) -> WorkItem:
    state = SanctionState(row.state)
    return WorkItem(
        turn=Turn.MINE,
        kind=N_("Violation"),
        number=row.number,
        title=VIOLATIONS[Ground(row.ground)].label,
        state=SANCTION.labels[state],
        step=SANCTION.next_step[state],
        href=f"/sanctions/{row.id}",
        due_at=due_at,
        updated_at=row.decided_at or row.proposed_at or row.found_at,
    )


def _repair_item(row: Repair) -> WorkItem:
    state = RepairState(row.state)
    return WorkItem(
        turn=Turn.MINE,
        kind=N_("Repair of credit"),
        number=row.number,
        title=row.text[:80],
        state=REPAIR.labels[state],
        step=REPAIR.next_step[state],
        href=f"/repairs/{row.id}",
        due_at=row.publicity_ends_at,
        updated_at=row.submitted_at,
    )
