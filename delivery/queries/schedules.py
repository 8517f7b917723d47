"""When a hall's parcels are collected, for whoever plans with it."""

from uuid import UUID

from app.kernel.db import db
from delivery.models.schedules import HallSchedule
from delivery.promises import DEFAULT_CUTOFF, DEFAULT_WINDOWS


def schedule_of(hall_organisation_id: UUID) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Cut-off and windows of a hall; the usual ones where it has set none."""
    row = db.session.get(HallSchedule, hall_organisation_id)
    if row is None:
        return DEFAULT_CUTOFF, DEFAULT_WINDOWS
    return row.cutoff, tuple((str(starts), str(ends)) for starts, ends in row.windows)
