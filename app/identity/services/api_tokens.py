"""Keys for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.identity.models import ApiToken, Membership
from app.identity.states import MembershipState
from app.identity.tokens import digest, new_api_token
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import NotFound
from app.kernel.transitions import record
from app.kernel.words import N_


@dataclass(frozen=True)
class IssueToken:
    """A name to remember it by, how many days it is good for, and the part it plays (None: the private person)."""

    name: str
    days: int
    membership_id: UUID | None


@use_case
def issue(actor: Actor, command: IssueToken) -> tuple[UUID, str]:
    """Make a token; returns its id and the token itself, which is nowhere kept. Raises NotFound for a foreign part."""
    assert actor.user_id is not None
    if command.membership_id is not None:
        membership = db.session.get(Membership, command.membership_id)
        if membership is None or membership.user_id != actor.user_id or membership.state != MembershipState.ACTIVE:
            raise NotFound
    token = new_api_token()
    moment = clock.now()
    row = ApiToken(
        user_id=actor.user_id,
        membership_id=command.membership_id,
        name=command.name,
        token_hash=digest(token),
        tail=token[-4:],
        created_at=moment,
        expires_at=moment + timedelta(days=command.days),
    )
    db.session.add(row)
    db.session.flush()  # the id names it in the audit event
    record(row, "issued", actor, title=N_("API token made"), detail={"name": command.name})
    return row.id, token


@use_case
def revoke(actor: Actor, token_id: UUID) -> None:
    """End a token at once; a repeat changes nothing. Raises NotFound for another person's."""
    row = lock(ApiToken, token_id)
    if row.user_id != actor.user_id:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        record(row, "revoked", actor, title=N_("API token revoked"), detail={"name": row.name})
