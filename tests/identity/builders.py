"""People with passwords, and the steps of a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.identity import security
from app.identity.models import MailMessage, User
from app.identity.services import accounts
from app.kernel import clock, outbox
from app.kernel.db import db, transaction

PASSWORD = "correct horse battery staple"
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def a_person(email: str = "li@example.test", password: str = PASSWORD, name: str = "李明") -> User:
    """A person with a confirmed address and a password."""
    hashed = security.hashed(password)
    with transaction():
        user = accounts.add_user(email, name, password_hash=hashed)
        user.email_confirmed_at = clock.now()
    return user


def enter(client: FlaskClient, email: str = "li@example.test", password: str = PASSWORD) -> Any:
    """Send the sign-in form."""
    return client.post("/sign-in", data={"email": email, "password": password})


def mails_to(email: str) -> list[MailMessage]:
    """What was queued for an address, oldest first."""
    outbox.drain_all()
    return list(
        db.session.scalars(select(MailMessage).where(MailMessage.to_address == email).order_by(MailMessage.created_at))
    )


def a_code(app: Flask, seed: str, moment: datetime) -> str:
    """The six digits that a telephone with this seed shows at `moment`."""
    factory = app.extensions["security"].totp_factory
    return str(factory._totp.from_source(seed).generate(moment.timestamp()).token)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
