"""Commands that many use cases share; each is what a person typed, already checked for form."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plain:
    """A step without input: only the version that the page showed."""

    version: int | None = None


@dataclass(frozen=True)
class WithReason:
    reason: str
    version: int | None = None
