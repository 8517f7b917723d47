"""The record of an agency, folded anew from its contracts and ratings: never counted up, so it bears repeats and late news."""

from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock
from app.kernel.db import db, use_case
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.contracts import Contract
from marketplace.models.reviews import Rating


@use_case
def fold_record(organisation_id: UUID) -> UUID | None:
    """Compute the record of the agency that an organisation runs; returns its id, None when it runs none."""
    agency_id = db.session.scalar(select(Agency.id).where(Agency.organisation_id == organisation_id))
    if agency_id is None:
        return None
    on_time = Contract.delivered_on <= Contract.deadline_on
    awards, delivered, kept = db.session.execute(
        select(
            func.count(),
            func.count().filter(Contract.accepted_at.is_not(None)),
            func.count().filter(Contract.accepted_at.is_not(None), on_time),
        ).where(Contract.agency_organisation_id == organisation_id)
    ).one()
    count, total = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Rating.stars), 0)).where(
            Rating.agency_organisation_id == organisation_id,
            Rating.rater == "owner",
            Rating.is_default.is_(False),
            Rating.revealed_at.is_not(None),
            Rating.struck_at.is_(None),
        )
    ).one()
    record = db.session.get(AgencyRecord, agency_id) or AgencyRecord(agency_id=agency_id)
    record.awards, record.delivered, record.delivered_on_time = awards, delivered, kept
    record.rating_count = count
    record.rating_sum = int(total)
    record.updated_at = clock.now()
    db.session.add(record)
    return agency_id
