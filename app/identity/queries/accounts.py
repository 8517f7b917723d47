"""What the account pages show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.identity.browsers import client_name
from app.identity.models import (
    ApiToken,
    MailMessage,
    Membership,
    Notice,
    NoticePreference,
    Organisation,
    User,
    UserSession,
)
from app.identity.states import MembershipState, UserState
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
    mail_delivery: str
    has_calendar_feed: bool
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
    awaits_digest: bool
    mailed_at: datetime | None
    is_mail_waiting: bool


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
        mail_delivery=user.mail_delivery,
        has_calendar_feed=user.calendar_token_hash is not None,
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
    moment = clock.wall_time()
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


def notices_statement(user_id: UUID, *, only_unread: bool = False, topic: str = "") -> Select[Any]:
    """Notices of a person, the newest first, for paging."""
    statement = select(Notice).where(Notice.user_id == user_id)
    if only_unread:
        statement = statement.where(Notice.read_at.is_(None))
    if topic:
        statement = statement.where(Notice.kind.startswith(f"{topic}.", autoescape=True))
    return statement.order_by(Notice.created_at.desc(), Notice.id.desc())


def notice_views(rows: Sequence[Notice]) -> list[NoticeView]:
    """Rows as values, with what became of their mails; one statement."""
    wanted = [row.mail_id for row in rows if row.mail_id]
    mails = db.session.execute(select(MailMessage.id, MailMessage.sent_at).where(MailMessage.id.in_(wanted)))
    sent = dict(mails.all())
    return [
        NoticeView(
            id=row.id,
            kind=row.kind,
            subject=row.subject,
            text=row.text,
            params=row.params,
            link=row.link,
            created_at=row.created_at,
            read_at=row.read_at,
            awaits_digest=row.awaits_digest,
            mailed_at=sent.get(row.mail_id) if row.mail_id else None,
            is_mail_waiting=row.mail_id in sent and sent[row.mail_id] is None,
        )
        for row in rows
    ]


def preferences_of(user_id: UUID) -> dict[str, str]:
    """How a person wants single topics mailed; topics that are missing follow the account."""
    rows = db.session.execute(
        select(NoticePreference.topic, NoticePreference.delivery).where(NoticePreference.user_id == user_id)
    )
    return dict(rows.all())


def reader_of_feed(token_hash: str) -> tuple[User, tuple[Membership, ...]] | None:
    """Whose calendar feed this is, with the parts he or she plays; None for an unknown or ended address."""
    user = db.session.scalar(select(User).where(User.calendar_token_hash == token_hash, User.state == UserState.ACTIVE))
    if user is None:
        return None
    parts = db.session.scalars(
        select(Membership)
        .where(Membership.user_id == user.id, Membership.state == MembershipState.ACTIVE)
        .order_by(Membership.created_at)
    )
    return user, tuple(parts)


def unread_notices(user_id: UUID) -> int:
    """How many notices the person has not read."""
    return (
        db.session.scalar(
            select(func.count()).select_from(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
        )
        or 0
    )


def mails_statement(to_address: str | None = None, state: str = "") -> Select[Any]:
    """Mails, the newest first. `state` is "sent", "waiting", "failing" (tried in vain) or empty for all."""
    statement = select(MailMessage)
    if to_address:
        statement = statement.where(MailMessage.to_address == to_address.lower())
    if state == "sent":
        statement = statement.where(MailMessage.sent_at.is_not(None))
    elif state:
        tried = MailMessage.last_error.is_not(None)
        statement = statement.where(MailMessage.sent_at.is_(None), tried if state == "failing" else ~tried)
    return statement.order_by(MailMessage.created_at.desc(), MailMessage.id.desc())
