"""The people behind agencies, as pages show them and as conflicts are found."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from marketplace.models.agencies import AgencyPerson


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody behind an agency. `id_digest` is equal for the same person or body at every agency; it is never shown."""

    id: UUID
    agency_id: UUID
    part: str
    name: str
    is_body: bool
    id_digest: str
    id_masked: str
    mobile: str
    share_permille: int | None
    since: datetime


def people_of(agency_ids: Iterable[UUID]) -> dict[UUID, tuple[PersonView, ...]]:
    """Who stands behind these agencies now. One statement."""
    found: dict[UUID, list[PersonView]] = defaultdict(list)
    rows: Any = db.session.execute(
        select(
            AgencyPerson.id,
            AgencyPerson.agency_id,
            AgencyPerson.part,
            AgencyPerson.name,
            AgencyPerson.is_body,
            AgencyPerson.id_digest,
            AgencyPerson.id_masked,
            AgencyPerson.mobile,
            AgencyPerson.share_permille,
            AgencyPerson.since,
        )
        .where(AgencyPerson.agency_id.in_(set(agency_ids)), AgencyPerson.ended_at.is_(None))
        .order_by(AgencyPerson.part, AgencyPerson.since, AgencyPerson.id)
    )
    for row in rows:
        found[row.agency_id].append(PersonView(*row))
    return defaultdict(tuple, {agency_id: tuple(views) for agency_id, views in found.items()})
