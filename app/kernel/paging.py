"""Pages of lists with a fixed number of statements, whatever the size of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from app.kernel.db import db

T = TypeVar("T")
PAGE_SIZE = 20


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page. `number` counts from 1; `total` is None where counting would cost too much."""

    items: Sequence[T]
    number: int
    size: int
    total: int | None

    @property
    def pages(self) -> int:
        return max(1, -(-(self.total or 0) // self.size))


def page_of(
    statement: sa.Select[*tuple[Any, ...]], *, number: int = 1, size: int = PAGE_SIZE, scalars: bool = True
) -> Page[Any]:
    """Return one page of an ordered statement in two statements: the rows and their count."""
    number = max(1, number)
    limited = statement.limit(size).offset((number - 1) * size)
    rows = db.session.scalars(limited).all() if scalars else db.session.execute(limited).all()
    if number == 1 and len(rows) < size:
        return Page(rows, 1, size, len(rows))
    total = db.session.scalar(sa.select(sa.func.count()).select_from(statement.order_by(None).subquery()))
    return Page(rows, number, size, total or 0)
