"""What happens when somebody knocks: one effect inside the database, one outside it."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.db import db, transaction, use_case
from app.kernel.event import Event
from app.kernel.inbox import insert_ignore
from app.kernel.numbering import NumberSeries


@dataclass(frozen=True)
class Knocked(Event):
    name: ClassVar[str] = "test.knocked"
    number: int


@use_case
def inside(event: Knocked) -> None:
    """Not repeatable on purpose: a second run would fail on the primary key."""
    db.session.add(NumberSeries(prefix=f"inside-{event.number}", year=1, last=1))


def outside(event: Knocked) -> None:
    """Stands for a provider that keeps idempotency keys."""
    with transaction():
        insert_ignore(NumberSeries, {"prefix": f"outside-{event.number}", "year": 1, "last": 1})


HANDLERS = {Knocked: (inside, outside)}
