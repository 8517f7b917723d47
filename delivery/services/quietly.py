"""Bookkeeping that nobody's page depends on, written without raising the row's version.

When and how often the carrier was asked changes every few seconds; a form that a person has open must not become stale
through it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from app.kernel.db import db
from delivery.models.parcels import Parcel


def note(parcel: Parcel, **values: Any) -> None:
    """Write columns of a locked parcel, and show them on the object, leaving `version` alone."""
    note_each([(parcel, values)])


def note_each(notes: Sequence[tuple[Parcel, Mapping[str, Any]]]) -> None:
    """`note` for many parcels in one statement; all name the same columns."""
    if not notes:
        return
    table = Parcel.__table__
    assert isinstance(table, sa.Table)
    statement = sa.update(table).where(table.c.id == sa.bindparam("noted"))
    db.session.execute(statement, [{"noted": parcel.id, **values} for parcel, values in notes])
    for parcel, values in notes:
        for name, value in values.items():
            set_committed_value(parcel, name, value)
