"""Facts about objections, queries and complaints."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class ChallengeDecided(Event):
    """A challenge was upheld or rejected; `outcome` is the state it came to, `effect` what follows for the matter.

    `against_organisation_id` is the side it was directed against (an owner or an agency), where that is known here;
    `complaint_type` is empty for objections and queries.
    """

    name: ClassVar[str] = "marketplace.challenge-decided"
    challenge_id: UUID
    number: str
    kind: str
    complaint_type: str
    outcome: str
    effect: str
    against_organisation_id: UUID | None = None
    procurement_id: UUID | None = None
