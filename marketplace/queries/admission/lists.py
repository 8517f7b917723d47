"""The operator's lists of admissions, and the worklist of both sides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.agencies import Agency, AgencyChange, ExpiryReminder, Qualification
from marketplace.queries.admission.certificates import CERTIFICATES, CertificateView
from marketplace.rules.changes import CHANGE_LABELS, ChangeKind
from marketplace.states.agency import ADMITTED, AGENCY, AGENCY_CHANGE, AgencyState, ChangeState, QualificationState


@dataclass(frozen=True, slots=True)
class AdmissionRow:
    """One row of the operator's list."""

    id: UUID
    name: str
    uscc: str
    region_code: str
    state: str
    submitted_at: datetime | None
    check_due_at: datetime | None
    publicity_ends_at: datetime | None
    admitted_at: datetime | None


def admissions_statement(state: str | None, words: str = "", region: str | None = None) -> Select[*tuple[Any, ...]]:
    """Files by state, the nearest deadline first; `words` looks into name and credit code, `region` is a city."""
    statement = select(
        Agency.id,
        Agency.name,
        Agency.uscc,
        Agency.region_code,
        Agency.state,
        Agency.submitted_at,
        Agency.check_due_at,
        Agency.publicity_ends_at,
        Agency.admitted_at,
    ).order_by(Agency.check_due_at.is_(None), Agency.check_due_at, Agency.id)
    if state:
        statement = statement.where(Agency.state == state)
    if region:
        statement = statement.where(Agency.region_code.like(f"{region[:4]}%"))
    if words:
        pattern = f"%{words.replace('%', '').replace('_', '')}%"
        statement = statement.where(or_(Agency.name.like(pattern), Agency.uscc.like(pattern)))
    return statement


def admission_counts() -> dict[str, int]:
    """How many files stand in each state. One statement."""
    rows = db.session.execute(select(Agency.state, func.count()).group_by(Agency.state))
    return {row[0]: row[1] for row in rows}


def change_counts() -> dict[str, int]:
    """How many requests of each kind wait for the operator. One statement."""
    rows = db.session.execute(
        select(AgencyChange.kind, func.count())
        .where(AgencyChange.state == ChangeState.PENDING)
        .group_by(AgencyChange.kind)
    )
    return {row[0]: row[1] for row in rows}


def expiring_statement(days: int, words: str = "") -> Select[*tuple[Any, ...]]:
    """Valid certificates of admitted agencies whose last day lies within `days` days, the soonest first.

    Rows: id, agency id, agency name, kind, grade, number, expires_on, the nearest reminder already sent (days).
    """
    reminded = (
        select(func.min(ExpiryReminder.days))
        .where(ExpiryReminder.qualification_id == Qualification.id)
        .correlate(Qualification)
        .scalar_subquery()
    )
    statement = (
        select(
            Qualification.id,
            Qualification.agency_id,
            Agency.name,
            Qualification.kind,
            Qualification.grade,
            Qualification.number,
            Qualification.expires_on,
            reminded.label("reminded"),
        )
        .join(Agency, Agency.id == Qualification.agency_id)
        .where(
            Qualification.state == QualificationState.VALID,
            Qualification.expires_on <= clock.today() + timedelta(days=days),
            Agency.state.in_(ADMITTED),
        )
        .order_by(Qualification.expires_on, Qualification.id)
    )
    if words:
        pattern = f"%{words.replace('%', '').replace('_', '')}%"
        statement = statement.where(or_(Agency.name.like(pattern), Qualification.number.like(pattern)))
    return statement


def pending_certificates(limit: int = 50) -> tuple[tuple[str, CertificateView], ...]:
    """(agency, certificate) for unchecked certificates of admitted agencies. One statement."""
    rows = db.session.execute(
        CERTIFICATES.add_columns(Agency.name)
        .join(Agency, Agency.id == Qualification.agency_id)
        .where(
            Qualification.state == QualificationState.PENDING,
            Agency.state.in_(ADMITTED),
        )
        .order_by(Qualification.created_at)
        .limit(limit)
    )
    return tuple((row[-1], CertificateView(*row[:-1])) for row in rows)


def worklist(actor: Actor) -> list[WorkItem]:
    """Admissions and changes that wait for the operator, and the actor's own while they are not settled. Two statements."""
    mine = _OPERATOR if actor.has(Role.OPERATOR) else frozenset()
    conditions: list[ColumnElement[bool]] = []
    if mine:
        conditions.append(Agency.state.in_(mine | {AgencyState.PUBLICITY}))
    if actor.has(Role.AGENCY) and actor.organisation_id:
        own = Agency.organisation_id == actor.organisation_id
        conditions.append(and_(own, Agency.state.not_in(_QUIET)))
    if not conditions:
        return []
    rows = db.session.scalars(select(Agency).where(or_(*conditions)).order_by(Agency.check_due_at).limit(100))
    return [*(_work_item(actor, agency) for agency in rows), *_changes(actor)]


def _changes(actor: Actor) -> list[WorkItem]:
    is_desk = actor.has(Role.OPERATOR)
    statement = (
        select(AgencyChange.id, AgencyChange.kind, AgencyChange.due_at, AgencyChange.asked_at, Agency.name, Agency.uscc)
        .join(Agency, Agency.id == AgencyChange.agency_id)
        .where(AgencyChange.state == ChangeState.PENDING)
        .order_by(AgencyChange.due_at)
        .limit(100)
    )
    if not is_desk:
        statement = statement.where(AgencyChange.organisation_id == actor.organisation_id)
    rows: Any = db.session.execute(statement)
    return [
        WorkItem(
            turn=Turn.MINE if is_desk else Turn.WAITING,
            kind=N_("Change of an agency"),
            number=row.uscc,
            title=row.name,
            state=CHANGE_LABELS[ChangeKind(row.kind)],
            step=AGENCY_CHANGE.next_step[ChangeState.PENDING],
            href=f"/agency-changes/{row.id}",
            due_at=row.due_at,
            updated_at=row.asked_at,
            tone="waiting",
        )
        for row in rows
    ]


_OPERATOR = frozenset({AgencyState.SUBMITTED})
_QUIET = frozenset(
    {AgencyState.ACTIVE, AgencyState.CHANGE_PENDING, AgencyState.CANCELLED, AgencyState.EXITED, AgencyState.REMOVED}
)
_TO_FINISH = frozenset({AgencyState.DRAFT, AgencyState.RETURNED, AgencyState.REJECTED})


def _work_item(actor: Actor, agency: Agency) -> WorkItem:
    state = AgencyState(agency.state)
    is_own = agency.organisation_id == actor.organisation_id and actor.has(Role.AGENCY)
    is_mine = state in (_TO_FINISH if is_own else _OPERATOR)
    return WorkItem(
        turn=Turn.MINE if is_mine else Turn.WAITING,
        kind=N_("Admission"),
        number=agency.uscc,
        title=agency.name,
        state=AGENCY.labels[state],
        step=AGENCY.next_step[state],
        href="/agency" if is_own else f"/admission/{agency.id}",
        due_at={AgencyState.SUBMITTED: agency.check_due_at, AgencyState.PUBLICITY: agency.publicity_ends_at}.get(state),
        updated_at=agency.submitted_at or agency.created_at,
    )
