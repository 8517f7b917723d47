"""Requests for change, with the difference between what is valid and what is asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.words import N_
from marketplace.models.agencies import Agency, AgencyChange
from marketplace.policy import sees_file
from marketplace.rules.changes import BASIC_FIELDS, ChangeKind, Difference, differences
from marketplace.states.agency import ChangeState

FIELDS: Final[dict[str, dict[str, str]]] = {
    ChangeKind.BASIC: BASIC_FIELDS,
    ChangeKind.REPRESENTATIVE: {
        "name": N_("Legal representative"),
        "id_masked": N_("Identity number"),
        "mobile": N_("Mobile number"),
    },
    ChangeKind.QUALIFICATION: {
        "kind": N_("Certificate"),
        "number": N_("Number"),
        "grade": N_("Grade"),
        "expires_on": N_("Valid until"),
    },
    ChangeKind.STAFF: {
        "name": N_("Name"),
        "id_masked": N_("Identity number"),
        "title": N_("Post"),
        "employed_from": N_("Employed from"),
    },
}


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A request. `differences` name what would change; the values are raw, pages put words to codes."""

    id: UUID
    agency_id: UUID
    organisation_id: UUID
    thread_id: UUID
    agency_name: str
    kind: str
    subject_id: UUID | None
    note: str
    file_id: UUID | None
    state: str
    asked_by_name: str
    asked_at: datetime
    due_at: datetime
    decided_at: datetime | None
    decided_by_name: str
    decision_reason: str
    version: int
    differences: tuple[Difference, ...]

    @property
    def title(self) -> str:
        """What pages call it."""
        return self.agency_name


_COLUMNS = (
    AgencyChange.id,
    AgencyChange.agency_id,
    AgencyChange.organisation_id,
    AgencyChange.thread_id,
    Agency.name.label("agency_name"),
    AgencyChange.kind,
    AgencyChange.subject_id,
    AgencyChange.note,
    AgencyChange.file_id,
    AgencyChange.state,
    AgencyChange.asked_by_name,
    AgencyChange.asked_at,
    AgencyChange.due_at,
    AgencyChange.decided_at,
    AgencyChange.decided_by_name,
    AgencyChange.decision_reason,
    AgencyChange.version,
)
_CHANGES: Select[*tuple[Any, ...]] = select(*_COLUMNS, AgencyChange.before, AgencyChange.proposed).join(
    Agency, Agency.id == AgencyChange.agency_id
)


def change_view(actor: Actor, change_id: UUID) -> ChangeView:
    """One request, for its agency and those who check. Two statements. Raises NotFound."""
    row = db.session.execute(_CHANGES.where(AgencyChange.id == change_id)).one_or_none()
    agency = db.session.get(Agency, row.agency_id) if row else None
    if row is None or agency is None or not sees_file(actor, agency):
        raise NotFound
    return view_of_change(row)


def changes_of(agency_id: UUID, limit: int = 50) -> tuple[ChangeView, ...]:
    """The requests of one agency, the latest first. One statement."""
    rows = db.session.execute(
        _CHANGES.where(AgencyChange.agency_id == agency_id).order_by(AgencyChange.asked_at.desc()).limit(limit)
    )
    return tuple(view_of_change(row) for row in rows)


def changes_statement(kind: str | None = None, state: str = ChangeState.PENDING) -> Select[*tuple[Any, ...]]:
    """Requests by their deadline, those of one kind or all; rows are for `view_of_change`."""
    statement = _CHANGES.where(AgencyChange.state == state).order_by(AgencyChange.due_at, AgencyChange.id)
    return statement.where(AgencyChange.kind == kind) if kind else statement


def view_of_change(row: Any) -> ChangeView:
    """The view of a row of `changes_statement`."""
    values = row._asdict()
    before, proposed = values.pop("before"), values.pop("proposed")
    return ChangeView(**values, differences=differences(FIELDS[row.kind], before, proposed))
