"""Numbers that people read aloud: CG-2026-000123, counted per prefix and year."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.db import Base, db
from app.kernel.inbox import insert_ignore


class NumberSeries(Base):
    __tablename__ = "number_series"
    prefix: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    year: Mapped[int] = mapped_column(sa.Integer(), primary_key=True)
    last: Mapped[int] = mapped_column(sa.Integer())


def next_number(prefix: str) -> str:
    """Return the next number of the series, unique; a rolled back use case gives its number back."""
    year = clock.today().year
    value = _counted(prefix, year)
    if value is None:  # the first number of its year
        insert_ignore(NumberSeries, {"prefix": prefix, "year": year, "last": 0})
        value = _counted(prefix, year)
    return f"{prefix}-{year}-{value:06d}"


def _counted(prefix: str, year: int) -> int | None:
    series = sa.update(NumberSeries).where(NumberSeries.prefix == prefix, NumberSeries.year == year)
    return db.session.scalar(series.values(last=NumberSeries.last + 1).returning(NumberSeries.last))
