"""What persons type about sanctions and repairs, frozen."""

from dataclasses import dataclass
from uuid import UUID

from app.kernel.files import Upload
from marketplace.rules.sanctions import Ground, Kind, Level


@dataclass(frozen=True)
class Proposal:
    """What a person proposes for a finding. `points` are positive; `months` is the term of a suspension."""

    level: Level
    kind: Kind
    points: int
    facts: str | None = None
    item_id: UUID | None = None
    months: int | None = None
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class Report:
    """A violation that a person reports itself, together with the proposal; the side concerned by its credit code."""

    uscc: str
    ground: Ground
    facts: str
    level: Level
    kind: Kind
    points: int
    item_id: UUID | None = None
    months: int | None = None
    file: Upload | None = None


@dataclass(frozen=True)
class Statement:
    """The view of the side concerned."""

    text: str
    version: int | None = None


@dataclass(frozen=True)
class ApplyRepair:
    """What was put right, with a paper that shows it."""

    text: str
    file: Upload | None = None
    version: int | None = None
