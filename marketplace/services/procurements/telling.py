"""Who is told what about a procurement, and how a use case gets hold of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.identity.notices import notify
from app.identity.queries import organisation_name
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock
from app.kernel.errors import NotFound
from app.kernel.transitions import move
from marketplace.models.procurements import Procurement, Registration
from marketplace.policy import sees_procurement
from marketplace.states.parts import Part
from marketplace.states.registration import OPEN, REGISTRATION, RegistrationState

_SYSTEM = (Part.SYSTEM,)


def href(procurement_id: UUID) -> str:
    """The page of a procurement."""
    return f"/procurements/{procurement_id}"


def locked(actor: Actor, procurement_id: UUID, seen: int | None = None) -> Procurement:
    """The procurement locked for writing; NotFound for those who may not see it, Outdated for a stale page."""
    procurement = lock(Procurement, procurement_id)
    if not sees_procurement(actor, procurement):
        raise NotFound
    return lock(Procurement, procurement_id, seen=seen)


def tell(procurement: Procurement, organisation_id: UUID, kind: str, subject: str, text: str, **params: Any) -> None:
    """Tell the people of an organisation something about a procurement."""
    notify(
        to_organisation=organisation_id,
        kind=kind,
        subject=subject,
        text=text,
        link=href(procurement.id),
        thread_id=procurement.thread_id,
        params={**facts_of(procurement), **params},
    )


def tell_owner(procurement: Procurement, subject: str, text: str, **params: Any) -> None:
    tell(procurement, procurement.owner_organisation_id, "procurement.owner", subject, text, **params)


def notify_operators(procurement: Procurement, kind: str, subject: str, text: str) -> None:
    """Tell the operator's people that a procurement waits for them."""
    notify(
        to_role="operator",
        kind=kind,
        subject=subject,
        text=text,
        link=href(procurement.id),
        thread_id=procurement.thread_id,
        params=facts_of(procurement),
    )


def facts_of(procurement: Procurement) -> dict[str, Any]:
    owner = organisation_name(procurement.owner_organisation_id)
    return {"number": procurement.number, "title": procurement.title, "owner": owner}


def in_beijing(moment: datetime | None) -> str:
    return moment.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""


def registered_organisations(procurement_id: UUID) -> set[UUID]:
    """The organisations whose registration for this procurement stands."""
    found = db.session.scalars(
        select(Registration.organisation_id).where(
            Registration.procurement_id == procurement_id, Registration.state == RegistrationState.REGISTERED
        )
    )
    return set(found)


def release_registrations(procurement: Procurement, subject: str, text: str, params: Mapping[str, Any]) -> None:
    """End the registrations that still wait, and tell them why."""
    waiting = OPEN - {"won", "confirmed"}
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement.id, Registration.state.in_(waiting))
        .with_for_update()
    ).all()
    for row in rows:
        move(row, REGISTRATION, "lose", SYSTEM, _SYSTEM)
        row.decided_at = clock.now()
        tell(procurement, row.organisation_id, "procurement.ended", subject, text, **params)
