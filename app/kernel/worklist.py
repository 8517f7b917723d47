"""Rows of a workbench: what waits for whom, until when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Turn(StrEnum):
    MINE = "mine"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True)
class WorkItem:
    """One row of a workbench: what it is, what is to be done next, by whom and until when.

    `kind`, `step` and `state` are catalogue messages; `title` is content (a project's name, a case number). `tone` colours
    the state: neutral, waiting, active, success, warning, danger.
    """

    turn: Turn
    kind: str
    number: str
    title: str
    state: str
    step: str
    href: str
    due_at: datetime | None
    updated_at: datetime | None = None
    tone: str = "neutral"
