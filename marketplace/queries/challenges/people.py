"""Who must not decide a challenge: who stepped aside, and who acted in the matter before."""

from uuid import UUID

from sqlalchemy import select

from app.kernel.audit import AuditEvent
from app.kernel.db import db
from marketplace.models.challenges import Challenge, ChallengeRecusal

_PERSON = "user:"
_HARMLESS = (
    "procurement.pause",
    "procurement.resume_registration",
    "procurement.resume_selection",
    "procurement.resume_publicity",
)
"""Steps that a challenge itself brings about."""


def stepped_aside(challenge_id: UUID) -> frozenset[UUID]:
    """The persons who declared themselves biased in this challenge."""
    rows = db.session.scalars(select(ChallengeRecusal.user_id).where(ChallengeRecusal.challenge_id == challenge_id))
    return frozenset(rows)


def acted_before(challenge: Challenge) -> frozenset[UUID]:
    """The persons who took a step in the procurement or the admission that is challenged, as the audit log has it."""
    objects = {"procurement": challenge.procurement_id, "agency": challenge.agency_id}
    found: set[UUID] = set()
    for object_type, object_id in objects.items():
        if object_id is None:
            continue
        actors = db.session.scalars(
            select(AuditEvent.actor)
            .where(
                AuditEvent.object_type == object_type,
                AuditEvent.object_id == str(object_id),
                AuditEvent.actor.startswith(_PERSON),
                AuditEvent.action.not_in(_HARMLESS),
            )
            .distinct()
        )
        found |= {UUID(actor.removeprefix(_PERSON)) for actor in actors}
    return frozenset(found)
