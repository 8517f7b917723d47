"""What the account pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.identity.browsers import client_name
from app.identity.models import ApiToken, MailMessage, Membership, Notice, Organisation, User, UserSession
from app.identity.states import MembershipState
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import NotFound


@dataclass(frozen=True)
class Profile:
    """The own account."""

    id: UUID
    email: str
    name: str
    mobile: str | None
    locale: str
    mail_notices: bool
    created_at: datetime
    password_changed_at: datetime | None
    totp_enabled_at: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True)
class MembershipView:
    """A part that a person plays, or asks to play."""

    id: UUID
    user_id: UUID
    user_name: str
    organisation_id: UUID
    organisation_name: str
    organisation_kind: str
    role: Role
    administers: bool
    state: str
    created_at: datetime

    @property
    def title(self) -> str:
        """How pages of its actions name it."""
        return f"{self.user_name} · {self.organisation_name}"


@dataclass(frozen=True)
class SessionView:
    """A browser in which the person is signed in. `client` is the browser's name; `network` hides the last part."""

    id: UUID
    client: str
    network: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class TokenView:
    """An API token without its secret."""

    id: UUID
    name: str
    tail: str
    role: Role
    organisation_name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """One word for pages."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= clock.now() else "active"


@dataclass(frozen=True)
class NoticeView:
    """A notice as stored: message ids and parameters, worded by the page."""

    id: UUID
    kind: str
    subject: str
    text: str
    params: dict[str, Any]
    link: str
    created_at: datetime
    read_at: datetime | None


def profile(user_id: UUID) -> Profile:
    """The account of a signed-in person."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    return Profile(
        id=user.id,
        email=user.email,
        name=user.name,
        mobile=user.mobile,
        locale=user.locale,
        mail_notices=user.mail_notices,
        created_at=user.created_at,
        password_changed_at=user.password_changed_at,
        totp_enabled_at=user.totp_enabled_at,
        recovery_codes_left=len(user.mf_recovery_codes or []),
    )


def _memberships() -> Select[Any, Any, Any, Any]:
    return (
        select(Membership, User.name, Organisation.name, Organisation.kind)
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
    )


def _membership_view(row: Any) -> MembershipView:
    membership, user_name, organisation_name, kind = row
    return MembershipView(
        id=membership.id,
        user_id=membership.user_id,
        user_name=user_name,
        organisation_id=membership.organisation_id,
        organisation_name=organisation_name,
        organisation_kind=kind,
        role=Role(membership.role),
        administers=membership.administers,
        state=membership.state,
        created_at=membership.created_at,
    )


def memberships_of_user(user_id: UUID, *, only_active: bool = False) -> tuple[MembershipView, ...]:
    """The parts of a person, open ones first."""
    statement = _memberships().where(Membership.user_id == user_id)
    if only_active:
        statement = statement.where(Membership.state == MembershipState.ACTIVE)
    rows = db.session.execute(statement.order_by(Membership.state, Membership.created_at).limit(100))
    return tuple(_membership_view(row) for row in rows)


def memberships_of_organisation(organisation_id: UUID) -> tuple[MembershipView, ...]:
    """The members of an organisation and those who ask to be admitted."""
    rows = db.session.execute(
        _memberships()
        .where(Membership.organisation_id == organisation_id)
        .order_by(Membership.state.desc(), User.name)
        .limit(200)
    )
    return tuple(_membership_view(row) for row in rows)


def membership(actor: Actor, membership_id: UUID, *, manages_users: bool) -> MembershipView:
    """One membership for the person, for the organisation's own people, or for an administrator; else NotFound."""
    row = db.session.execute(_memberships().where(Membership.id == membership_id)).one_or_none()
    if row is None:
        raise NotFound
    found = _membership_view(row)
    own = actor.user_id == found.user_id
    theirs = actor.organisation_id == found.organisation_id
    if not (own or theirs or manages_users):
        raise NotFound
    return found


def sessions_of(user_id: UUID) -> tuple[SessionView, ...]:
    """Open sessions of a person, the last used first."""
    moment = clock.now()
    rows = db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.ends_at > moment)
        .order_by(UserSession.seen_at.desc())
        .limit(50)
    )
    return tuple(
        SessionView(
            id=row.id,
            client=client_name(row.user_agent),
            network=row.address.rpartition(".")[0] + ".*" if "." in row.address else row.address[:9] + "…",
            created_at=row.created_at,
            seen_at=row.seen_at,
            ends_at=min(row.ends_at, row.seen_at + timedelta(minutes=row.idle_minutes)),
        )
        for row in rows
        if moment - row.seen_at < timedelta(minutes=row.idle_minutes)
    )


def tokens_of(user_id: UUID) -> tuple[TokenView, ...]:
    """API tokens of a person, the newest first."""
    rows = db.session.execute(
        select(ApiToken, Membership.role, Organisation.name)
        .outerjoin(Membership, Membership.id == ApiToken.membership_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(ApiToken.user_id == user_id)
        .order_by(ApiToken.created_at.desc())
        .limit(100)
    )
    return tuple(
        TokenView(
            id=token.id,
            name=token.name,
            tail=token.tail,
            role=Role(role) if role else Role.APPLICANT,
            organisation_name=name or "",
            created_at=token.created_at,
            expires_at=token.expires_at,
            used_at=token.used_at,
            revoked_at=token.revoked_at,
        )
        for token, role, name in rows
    )


def notices_statement(user_id: UUID, *, only_unread: bool = False) -> Select[Any]:
    """Notices of a person, the newest first, for paging."""
    statement = select(Notice).where(Notice.user_id == user_id)
    if only_unread:
        statement = statement.where(Notice.read_at.is_(None))
    return statement.order_by(Notice.created_at.desc(), Notice.id.desc())


def notice_view(row: Notice) -> NoticeView:
    """A row as value."""
    return NoticeView(row.id, row.kind, row.subject, row.text, row.params, row.link, row.created_at, row.read_at)


def unread_notices(user_id: UUID) -> int:
    """How many notices the person has not read."""
    return (
        db.session.scalar(
            select(func.count()).select_from(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
        )
        or 0
    )


def mails_statement(to_address: str | None = None) -> Select[Any]:
    """Mails, the newest first; for the development outbox."""
    statement = select(MailMessage)
    if to_address:
        statement = statement.where(MailMessage.to_address == to_address)
    return statement.order_by(MailMessage.created_at.desc(), MailMessage.id.desc())
