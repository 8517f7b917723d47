"""Bookkeeping that nobody's page depends on, written without raising the row's version.

When and how often the carrier was asked changes every few seconds; a form that a person has open must not become stale
through it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from app.kernel.db import db
from delivery.models.parcels import Parcel


def note(parcel: Parcel, **values: Any) -> None:
    """Write columns of a locked parcel, and show them on the object, leaving `version` alone."""
    db.session.execute(
        sa.update(Parcel).where(Parcel.id == parcel.id).values(**values).execution_options(synchronize_session=False)
    )
    for name, value in values.items():
        set_committed_value(parcel, name, value)
