"""Tables of persons, organisations, their sessions and what is told to them.

Secrets are never stored as such: passwords as argon2id, session and API tokens as SHA-256 of 256 random bits,
the TOTP seed encrypted with a key of the settings.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from app.identity.states import MEMBERSHIP, USER, MembershipState, UserState
from app.kernel.db import Base, JSONValue, Stateful, UTCDateTime, named_check, state_checks, uuid_fk, uuid_pk


class OrganisationKind(StrEnum):
    """What an organisation does on this platform; it decides which roles its members may hold."""

    OWNER = "owner"
    AGENCY = "agency"
    DEPARTMENT = "department"
    HALL = "hall"
    POST = "post"
    OPERATOR = "operator"
    REGULATOR = "regulator"
    AUDITOR = "auditor"


class MailDelivery(StrEnum):
    """When a notice also leaves as a mail."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


_MAIL_DELIVERIES = ", ".join(repr(choice.value) for choice in MailDelivery)


class Organisation(Base, Stateful):
    """A legal person or public body. `uscc` is its unified social credit code (GB 32100), unique within a kind: the same
    company may be a project owner and an agency, as two organisations (the rules compare the codes).
    """

    __tablename__ = "organisation"
    object_type: ClassVar[str] = "organisation"

    id: Mapped[UUID] = uuid_pk()
    kind: Mapped[str] = mapped_column(String(20), index=True)
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str | None] = mapped_column(String(200))
    uscc: Mapped[str | None] = mapped_column(String(18))
    region_code: Mapped[str | None] = mapped_column(String(12))
    address: Mapped[str | None] = mapped_column(String(300))
    phone: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("uscc", "kind"),
        named_check("kind", f"kind IN ({', '.join(repr(kind.value) for kind in OrganisationKind)})"),
    )

    @property
    def thread_id(self) -> UUID:
        """An organisation is its own journey."""
        return self.id

    def audience(self) -> tuple[str, ...]:
        """Its members and the platform's operator read its timeline."""
        return (f"org:{self.id}", "role:operator")


class User(Base, Stateful):
    """A person who can sign in. `email` is stored in lower case and is the sign-in name."""

    __tablename__ = "app_user"
    object_type: ClassVar[str] = "user"

    id: Mapped[UUID] = uuid_pk()
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    mobile: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default=UserState.ACTIVE)
    # names that Flask-Security expects of a user object
    password: Mapped[str | None] = mapped_column(String(255))
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    tf_totp_secret: Mapped[str | None] = mapped_column(String(600))
    mf_recovery_codes: Mapped[list[str]] = mapped_column(JSONValue, default=list)
    # the last time step whose code was accepted: a code is good once (RFC 6238 5.2)
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    totp_enabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    locale: Mapped[str] = mapped_column(String(12), default="zh_Hans_CN")
    # how notices are mailed; `NoticePreference` may say otherwise for a topic
    mail_delivery: Mapped[str] = mapped_column(String(10), default=MailDelivery.AT_ONCE)
    calendar_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    password_changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_signed_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_membership_id: Mapped[UUID | None]

    __table_args__ = (
        *state_checks(USER),
        named_check("email_lower", "email = lower(email)"),
        named_check("mail_delivery", f"mail_delivery IN ({_MAIL_DELIVERIES})"),
    )

    @property
    def active(self) -> bool:
        """Whether this person may sign in."""
        return self.state == UserState.ACTIVE

    @property
    def thread_id(self) -> UUID:
        """An account is its own journey."""
        return self.id

    def audience(self) -> tuple[str, ...]:
        """Only the person and the administrators read it."""
        return (f"user:{self.id}", "role:administrator")


class Membership(Base, Stateful):
    """A person's role in an organisation; a person may hold several and acts as one at a time."""

    __tablename__ = "membership"
    object_type: ClassVar[str] = "membership"

    id: Mapped[UUID] = uuid_pk()
    user_id: Mapped[UUID] = uuid_fk("app_user.id")
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    role: Mapped[str] = mapped_column(String(30))
    administers: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(20), default=MembershipState.REQUESTED)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        *state_checks(MEMBERSHIP),
        # one open place per person, organisation and role; refused and ended ones stay as history
        Index(
            "uq_membership_open",
            "user_id",
            "organisation_id",
            "role",
            unique=True,
            sqlite_where=sql_text("state IN ('requested', 'active')"),
            postgresql_where=sql_text("state IN ('requested', 'active')"),
        ),
        Index("ix_membership_role", "role", "state"),
    )

    @property
    def thread_id(self) -> UUID:
        """Read on the organisation's journey."""
        return self.organisation_id

    def audience(self) -> tuple[str, ...]:
        """The person, the organisation, the administrators."""
        return (f"user:{self.user_id}", f"org:{self.organisation_id}", "role:administrator")


class UserSession(Base):
    """A signed-in browser. The cookie carries the token, the row only its SHA-256."""

    __tablename__ = "user_session"

    id: Mapped[UUID] = uuid_pk()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = uuid_fk("app_user.id")
    membership_id: Mapped[UUID | None] = mapped_column(ForeignKey("membership.id", ondelete="SET NULL"))
    data: Mapped[dict[str, Any]] = mapped_column(JSONValue, default=dict)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    idle_minutes: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    authenticated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("ix_user_session_open", "user_id", "revoked_at"),
        Index("ix_user_session_ends_at", "ends_at"),
    )


class ApiToken(Base, Stateful):
    """A key for programs, bound to one membership (or to the person alone). Shown once; SHA-256 is kept."""

    __tablename__ = "api_token"
    object_type: ClassVar[str] = "api-token"

    id: Mapped[UUID] = uuid_pk()
    user_id: Mapped[UUID] = uuid_fk("app_user.id")
    membership_id: Mapped[UUID | None] = mapped_column(ForeignKey("membership.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    tail: Mapped[str] = mapped_column(String(4))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def thread_id(self) -> UUID:
        """Read on the person's journey."""
        return self.user_id

    def audience(self) -> tuple[str, ...]:
        """Only the person and the administrators."""
        return (f"user:{self.user_id}", "role:administrator")


class NoticePreference(Base):
    """How one person wants the notices of one topic mailed; a topic without a row follows `User.mail_delivery`."""

    __tablename__ = "notice_preference"

    id: Mapped[UUID] = uuid_pk()
    user_id: Mapped[UUID] = uuid_fk("app_user.id", index=False)
    topic: Mapped[str] = mapped_column(String(30))
    delivery: Mapped[str] = mapped_column(String(10))

    __table_args__ = (
        UniqueConstraint("user_id", "topic"),
        named_check("delivery", f"delivery IN ({_MAIL_DELIVERIES})"),
    )


class Notice(Base):
    """Something told to one person inside the platform. `subject` and `text` are message ids, translated at reading.

    `mail_id` is the mail that carried it (its own, or a digest); `awaits_digest` while it waits for the next digest.
    """

    __tablename__ = "notice"

    id: Mapped[UUID] = uuid_pk()
    user_id: Mapped[UUID] = uuid_fk("app_user.id")
    organisation_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONValue, default=dict)
    link: Mapped[str] = mapped_column(String(300), default="")
    thread_id: Mapped[UUID | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mail_id: Mapped[UUID | None] = mapped_column(index=True)
    awaits_digest: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("ix_notice_user", "user_id", "read_at", "created_at"),
        Index(
            "ix_notice_awaits_digest",
            "user_id",
            sqlite_where=sql_text("awaits_digest"),
            postgresql_where=sql_text("awaits_digest"),
        ),
    )


class MailMessage(Base):
    """A mail to send after commit. Subject and body are message ids, worded in `locale` when sent.

    A digest lists the notices whose `mail_id` it is. `tries` and `last_error` tell the administrator how sending went.
    Once a mail server has taken the message, `params` (which may hold a link that lets somebody in) is emptied.
    """

    __tablename__ = "mail_message"

    id: Mapped[UUID] = uuid_pk()
    user_id: Mapped[UUID | None]
    to_address: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(12))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONValue, default=dict)
    link: Mapped[str] = mapped_column(String(600), default="")
    is_digest: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(500))


class LoginAttempt(Base):
    """Counts failures per account and per network in a window; keys are hashed, so no address is kept in clear."""

    __tablename__ = "login_attempt"

    id: Mapped[UUID] = uuid_pk()
    scope: Mapped[str] = mapped_column(String(30))
    key_hash: Mapped[str] = mapped_column(String(64))
    window_starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("scope", "key_hash", "window_starts_at"),
        Index("ix_login_attempt_window_starts_at", "window_starts_at"),
    )
