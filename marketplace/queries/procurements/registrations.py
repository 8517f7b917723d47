"""Registrations as frozen values, each with the reasons of its tests."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from marketplace.models.procurements import (
    Procurement,
    Registration,
)
from marketplace.policy import Permission, registration_parts
from marketplace.rules.eligibility import Verdict
from marketplace.states.parts import Part


@dataclass(frozen=True)
class RegistrationView:
    """One agency's registration with the reasons of its tests."""

    id: UUID
    procurement_id: UUID
    number: str
    title: str
    procurement_state: str
    state: str
    version: int
    agency_id: UUID
    name: str
    uscc: str
    contribution: str
    registered_at: datetime
    registration_ends_at: datetime | None
    verdict: Verdict
    final_verdict: Verdict | None
    thread_id: UUID
    parts: frozenset[Part]


def registrations_of(actor: Actor, *, number: int = 1) -> Page[RegistrationView]:
    """The registrations of the actor's agency, the newest first."""
    statement: Any = (
        select(Registration, Procurement)
        .join(Procurement, Procurement.id == Registration.procurement_id)
        .where(Registration.organisation_id == actor.organisation_id)
        .order_by(Registration.registered_at.desc(), Registration.id.desc())
    )
    page = page_of(statement, number=number, scalars=False)
    return Page(tuple(view_of(actor, *row) for row in page.items), page.number, page.size, page.total)


def registration_view(actor: Actor, registration_id: UUID) -> RegistrationView:
    """One registration; NotFound for all but its agency and those who run and watch the supermarket."""
    row = db.session.get(Registration, registration_id)
    if row is None or not (row.organisation_id == actor.organisation_id or actor.may(Permission.PROCUREMENT_SUPERVISE)):
        raise NotFound
    procurement = db.session.get(Procurement, row.procurement_id)
    assert procurement is not None
    return view_of(actor, row, procurement)


def view_of(actor: Actor, row: Registration, procurement: Procurement) -> RegistrationView:
    return RegistrationView(
        id=row.id,
        procurement_id=procurement.id,
        number=procurement.number,
        title=procurement.title,
        procurement_state=procurement.state,
        state=row.state,
        version=row.version,
        agency_id=row.agency_id,
        name=row.name,
        uscc=row.uscc,
        contribution=row.contribution,
        registered_at=row.registered_at,
        registration_ends_at=procurement.registration_ends_at,
        verdict=Verdict.from_json(row.eligibility),
        final_verdict=Verdict.from_json(row.final_eligibility) if row.final_eligibility is not None else None,
        thread_id=row.thread_id,
        parts=registration_parts(actor, row),
    )
