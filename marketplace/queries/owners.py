"""The published record of an owner: what agencies say, how it accepts and pays, and measures in force."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.identity.models import OrganisationKind
from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Milestone
from marketplace.models.procurements import Procurement
from marketplace.models.reviews import Rating

UNPAID_DAYS = 30


def has_unpaid_part(before: datetime) -> ColumnElement[bool]:
    """Whether a part of a contract that was accepted before this instant is not paid yet."""
    return (
        select(Milestone.id)
        .where(
            Milestone.contract_id == Contract.id,
            Milestone.accepted_at < before,
            Milestone.funded_at.is_(None),
            Milestone.withdrawn_at.is_(None),
        )
        .exists()
    )


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """Counts over everything on record; `stars` is the mean of the agencies' ratings in hundredths, None before the first."""

    organisation_id: UUID
    name: str
    notices: int
    contracts: int
    accepted: int
    accepted_by_silence: int
    unpaid: int
    ratings: int
    stars: int | None


def owner_record(organisation_id: UUID) -> OwnerRecord:
    """The record of one owner. Raises NotFound for who is none. Four statements."""
    owner = organisations_by_ids([organisation_id]).get(organisation_id)
    if owner is None or owner.kind != OrganisationKind.OWNER:
        raise NotFound
    notices = db.session.scalar(
        select(func.count())
        .select_from(Procurement)
        .where(Procurement.owner_organisation_id == organisation_id, Procurement.published_at.is_not(None))
    )
    before = clock.now() - timedelta(days=UNPAID_DAYS)
    contracts = db.session.execute(
        select(
            func.count().filter(Contract.signed_at.is_not(None)),
            func.count().filter(Contract.accepted_at.is_not(None)),
            func.count().filter(Contract.accepted_at > Contract.accept_by),
            func.count().filter(has_unpaid_part(before)),
        ).where(Contract.owner_organisation_id == organisation_id)
    ).one()
    count, total = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Rating.stars), 0)).where(
            Rating.owner_organisation_id == organisation_id,
            Rating.rater == "agency",
            Rating.revealed_at.is_not(None),
            Rating.struck_at.is_(None),
        )
    ).one()
    stars = int(total) // count if count else None
    return OwnerRecord(organisation_id, owner.name, notices or 0, *contracts, count, stars)
