"""What administrators and auditors see of accounts and organisations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select

from app.identity.models import Membership, Organisation, User
from app.identity.states import MembershipState
from app.kernel.access import Role
from app.kernel.db import db
from app.kernel.errors import NotFound


@dataclass(frozen=True)
class UserView:
    """An account as administrators see it."""

    id: UUID
    name: str
    email: str
    state: str
    created_at: datetime
    last_signed_in_at: datetime | None
    email_confirmed_at: datetime | None
    totp_enabled_at: datetime | None
    version: int | None = None

    @property
    def title(self) -> str:
        """How pages of its actions name it."""
        return self.name


def users_statement(words: str = "", role: str = "", state: str = "") -> Select[Any]:
    """Accounts by name or address, role and state, the newest first, for paging."""
    statement = select(User)
    if words:
        pattern = f"%{_escaped(words.lower())}%"
        statement = statement.where(
            or_(User.email.like(pattern, escape="\\"), func.lower(User.name).like(pattern, escape="\\"))
        )
    if role:
        held = exists().where(
            Membership.user_id == User.id, Membership.role == role, Membership.state == MembershipState.ACTIVE
        )
        statement = statement.where(held)
    if state:
        statement = statement.where(User.state == state)
    return statement.order_by(User.created_at.desc(), User.id.desc())


def organisations_statement(words: str = "", kind: str = "") -> Select[Any]:
    """Organisations by name or code and kind, by name, for paging."""
    statement = select(Organisation)
    if words:
        pattern = f"%{_escaped(words)}%"
        statement = statement.where(
            or_(Organisation.name.like(pattern, escape="\\"), Organisation.uscc.like(pattern, escape="\\"))
        )
    if kind:
        statement = statement.where(Organisation.kind == kind)
    return statement.order_by(Organisation.name, Organisation.id)


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def user_view(row: User) -> UserView:
    """A row as value."""
    return UserView(
        id=row.id,
        name=row.name,
        email=row.email,
        state=row.state,
        created_at=row.created_at,
        last_signed_in_at=row.last_signed_in_at,
        email_confirmed_at=row.email_confirmed_at,
        totp_enabled_at=row.totp_enabled_at,
    )


def user(user_id: UUID) -> UserView:
    """One account; raises NotFound."""
    row = db.session.get(User, user_id)
    if row is None:
        raise NotFound
    return user_view(row)


def roles_of(user_ids: list[UUID]) -> dict[UUID, tuple[Role, ...]]:
    """Active roles of several persons, in one statement."""
    rows = db.session.execute(
        select(Membership.user_id, Membership.role).where(
            Membership.user_id.in_(user_ids), Membership.state == MembershipState.ACTIVE
        )
    )
    found: dict[UUID, tuple[Role, ...]] = {}
    for user_id, role in rows:
        found[user_id] = (*found.get(user_id, ()), Role(role))
    return found


def member_counts(organisation_ids: list[UUID]) -> dict[UUID, int]:
    """Active members of several organisations, in one statement."""
    rows = db.session.execute(
        select(Membership.organisation_id, func.count())
        .where(Membership.organisation_id.in_(organisation_ids), Membership.state == MembershipState.ACTIVE)
        .group_by(Membership.organisation_id)
    )
    return {row[0]: row[1] for row in rows}
