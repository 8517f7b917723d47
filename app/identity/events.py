"""Facts of identity that are acted on after commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class MailQueued(Event):
    """A mail stands in the table and is to be handed to the mail server."""

    name: ClassVar[str] = "identity.mail-queued"
    mail_id: UUID


@dataclass(frozen=True)
class PasswordResetAsked(Event):
    """Somebody asked for a reset link; whether the account exists is told by mail only; None when it does not."""

    name: ClassVar[str] = "identity.password-reset-asked"
    user_id: UUID | None
