"""What was agreed for a parcel beside its receiver. Read and written under the parcel's lock."""

from uuid import UUID

from app.kernel.db import db
from delivery.models.terms import ParcelTerms


def terms_of(parcel_id: UUID) -> ParcelTerms:
    """The terms of a parcel; every parcel has them since it was ordered."""
    terms = db.session.get(ParcelTerms, parcel_id)
    if terms is None:  # a row for a parcel that was written by hand
        terms = ParcelTerms(parcel_id=parcel_id)
        db.session.add(terms)
        db.session.flush()
    return terms
