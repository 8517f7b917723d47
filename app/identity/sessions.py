"""Server-side sessions: the cookie holds a random token, the row its SHA-256, so each one can be listed and revoked.

A visitor who is not signed in gets a signed cookie instead (CSRF secret, language, flashes): no row is written for
them. A session ends after 15 idle minutes (staff) or 30 (public), and in any case after 12 hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, g, has_request_context, request, session
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import delete, select, update

from app.identity.models import Membership, Organisation, User, UserSession
from app.identity.policy import PUBLIC_IDLE_MINUTES, SESSION_HOURS, idle_minutes
from app.identity.states import MembershipState, UserState
from app.identity.tokens import digest, new_token
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import db, use_case

SEEN_EVERY = timedelta(seconds=60)
SIGNED_IN = "s."
VISITOR = "v."
# kept when a visitor becomes a user and the other way round
CARRIED = ("locale", "theme")


@dataclass(frozen=True)
class SignedIn:
    """Whose session this is; read in the one statement that opens it."""

    session_id: UUID
    user_id: UUID
    name: str
    email: str
    membership_id: UUID | None
    organisation_id: UUID | None
    organisation_name: str
    role: Role
    administers: bool
    authenticated_at: datetime
    locale: str
    has_totp: bool


class BrowserSession(SecureCookieSession):
    """The session of one browser: a mapping, and who is signed in (None for a visitor)."""

    def __init__(self, initial: MutableMapping[str, Any] | None = None) -> None:
        super().__init__(dict(initial or {}))
        self.signed_in: SignedIn | None = None
        self.token: str | None = None
        self.seen_at: datetime | None = None
        self.token_changed = False
        self.cookie_present = False
        self.untouched = False


class Sessions(SessionInterface):
    """Flask's session, kept in the database for users and in a signed cookie for visitors."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.cookie_name = "__Host-session" if secure else "session"

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Read the cookie; an unknown, ended or revoked one counts as no session."""
        found = BrowserSession()
        if request.path.startswith(("/assets/", "/healthz")):
            found.untouched = True
            return found
        cookie = request.cookies.get(self.cookie_name, "")
        found.cookie_present = bool(cookie)
        if cookie.startswith(SIGNED_IN):
            opened = self._open_row(cookie.removeprefix(SIGNED_IN))
            return found if opened is None else opened  # an empty session is falsy: no `or` here
        if cookie.startswith(VISITOR):
            found.update(_read_visitor(app, cookie.removeprefix(VISITOR)))
            found.modified = False
        return found

    def _open_row(self, token: str) -> BrowserSession | None:
        row = _find(digest(token), clock.wall_time())
        if row is None:
            return None
        stored, signed_in = row
        opened = BrowserSession(stored.data)
        opened.signed_in, opened.token, opened.seen_at = signed_in, token, stored.seen_at
        opened.cookie_present = True
        opened.modified = False
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed. A page for a signed-in person is never cached by others."""
        assert isinstance(session, BrowserSession)
        if session.untouched:
            return
        if session.accessed:
            response.vary.add("Cookie")
        if session.signed_in is not None:
            self._save_row(session, response)
        elif session.modified or session.token_changed:
            self._save_visitor(app, session, response)

    def _save_row(self, session: BrowserSession, response: Response) -> None:
        assert session.signed_in is not None
        response.headers.setdefault("Cache-Control", "no-store")
        moment = clock.wall_time()
        stale = session.seen_at is None or moment - session.seen_at >= SEEN_EVERY
        if session.modified or stale:
            _touch(session.signed_in.session_id, dict(session), moment)
        if session.token_changed and session.token:
            self._set_cookie(response, SIGNED_IN + session.token)

    def _save_visitor(self, app: Flask, session: BrowserSession, response: Response) -> None:
        if session:
            # the page carries this visitor's own form token: no cache in between may hand it to others
            response.headers.setdefault("Cache-Control", "private, no-cache")
            self._set_cookie(response, VISITOR + _visitor_serializer(app).dumps(dict(session)))
        elif session.cookie_present:
            response.delete_cookie(self.cookie_name, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def _set_cookie(self, response: Response, value: str) -> None:
        response.set_cookie(
            self.cookie_name, value, path="/", secure=self.secure, httponly=True, samesite="Lax", max_age=None
        )


def _visitor_serializer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        str(app.config["SECRET_KEY"]), salt="visitor-session", signer_kwargs={"digest_method": hashlib.sha256}
    )


def _read_visitor(app: Flask, value: str) -> dict[str, Any]:
    try:
        data = _visitor_serializer(app).loads(value, max_age=SESSION_HOURS * 3600)
    except BadSignature:
        return {}
    return data if isinstance(data, dict) else {}


def _find(token_hash: str, moment: datetime) -> tuple[UserSession, SignedIn] | None:
    statement = (
        select(UserSession, User, Membership, Organisation)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(Membership, Membership.id == UserSession.membership_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            UserSession.token_hash == token_hash,
            UserSession.revoked_at.is_(None),
            UserSession.ends_at > moment,
            User.state == UserState.ACTIVE,
        )
    )
    found = db.session.execute(statement).one_or_none()
    if found is None:
        return None
    row, user, membership, organisation = found
    if moment - row.seen_at >= timedelta(minutes=row.idle_minutes):
        return None
    return row, _signed_in(row, user, membership, organisation)


def _signed_in(
    row: UserSession, user: User, membership: Membership | None, organisation: Organisation | None
) -> SignedIn:
    acting = membership is not None and membership.state == MembershipState.ACTIVE and organisation is not None
    return SignedIn(
        session_id=row.id,
        user_id=user.id,
        name=user.name,
        email=user.email,
        membership_id=membership.id if acting and membership else None,
        organisation_id=organisation.id if acting and organisation else None,
        organisation_name=organisation.name if acting and organisation else "",
        role=Role(membership.role) if acting and membership else Role.APPLICANT,
        administers=bool(acting and membership and membership.administers),
        authenticated_at=row.authenticated_at,
        locale=user.locale,
        has_totp=user.totp_enabled_at is not None,
    )


@use_case
def _touch(session_id: UUID, data: dict[str, Any], moment: datetime) -> None:
    db.session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.revoked_at.is_(None))
        .values(data=data, seen_at=moment)
    )


def current() -> BrowserSession:
    """The session of this request."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - werkzeug's way to the object
    assert isinstance(found, BrowserSession)
    return found


@use_case
def open_for(user: User, membership: Membership | None) -> str:
    """Write a new session row for `user` and return its token; the browser's former session, if any, is revoked.

    A new token at every sign-in and change of rights means that a token planted before is worth nothing (ASVS 7.2.4).
    """
    moment = clock.wall_time()
    browser = current()
    if browser.signed_in is not None:
        revoke(browser.signed_in.session_id)
    token = new_token()
    row = UserSession(
        token_hash=digest(token),
        user_id=user.id,
        membership_id=membership.id if membership else None,
        data={key: browser[key] for key in CARRIED if key in browser},
        user_agent=(request.user_agent.string or "")[:200],
        address=(request.remote_addr or "")[:45],
        created_at=moment,
        seen_at=moment,
        idle_minutes=idle_minutes(membership.role) if membership else PUBLIC_IDLE_MINUTES,
        ends_at=moment + timedelta(hours=SESSION_HOURS),
        authenticated_at=moment,
    )
    db.session.add(row)
    organisation = db.session.get(Organisation, membership.organisation_id) if membership else None
    db.session.flush()
    adopt(token, row, _signed_in(row, user, membership, organisation))
    return token


def adopt(token: str, row: UserSession, signed_in: SignedIn) -> None:
    """Make `row` the session of this request's browser."""
    browser = current()
    browser.clear()
    g.pop("csrf_token", None)  # made for the former session in this request
    browser.update(row.data)
    browser.signed_in, browser.token, browser.seen_at = signed_in, token, row.seen_at
    browser.token_changed = True


@use_case
def act_as(membership: Membership | None) -> None:
    """Change the part that the person plays in this browser; the token changes with the rights."""
    browser = current()
    assert browser.signed_in is not None
    row = db.session.get_one(UserSession, browser.signed_in.session_id)
    user = db.session.get_one(User, row.user_id)
    row.membership_id = membership.id if membership else None
    row.idle_minutes = idle_minutes(membership.role) if membership else PUBLIC_IDLE_MINUTES
    token = new_token()
    row.token_hash = digest(token)
    user.last_membership_id = row.membership_id
    organisation = db.session.get(Organisation, membership.organisation_id) if membership else None
    data = dict(browser)
    db.session.flush()
    adopt(token, row, _signed_in(row, user, membership, organisation))
    browser.update(data)


@use_case
def revoke(session_id: UUID) -> None:
    """End one session."""
    db.session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=clock.wall_time(), data={})
    )


@use_case
def revoke_all(user_id: UUID, *, except_id: UUID | None = None) -> int:
    """End all sessions of a person (but one); returns how many ended."""
    statement = (
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=clock.wall_time(), data={})
    )
    if except_id is not None:
        statement = statement.where(UserSession.id != except_id)
    return int(getattr(db.session.execute(statement), "rowcount", 0))


def close() -> None:
    """Sign this browser out."""
    browser = current()
    if browser.signed_in is not None:
        revoke(browser.signed_in.session_id)
    kept = {key: browser[key] for key in CARRIED if key in browser}
    browser.clear()
    browser.update(kept)
    browser.signed_in, browser.token = None, None
    browser.token_changed = True


@use_case
def forget_ended() -> int:
    """Delete rows of sessions that ended thirty days ago; a job."""
    gone = db.session.execute(delete(UserSession).where(UserSession.ends_at < clock.wall_time() - timedelta(days=30)))
    return int(getattr(gone, "rowcount", 0))


def signed_in() -> SignedIn | None:
    """Who is signed in in this request's browser."""
    return current().signed_in if has_request_context() else None
