"""Facts about approval cases."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.event import Event


@dataclass(frozen=True)
class CaseDecided(Event):
    """The department decided; `granted` is true for an approval (also one with material to follow)."""

    name: ClassVar[str] = "approvals.case-decided"
    case_id: UUID
    thread_id: UUID
    granted: bool
