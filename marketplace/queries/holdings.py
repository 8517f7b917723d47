"""What agencies hold, as the qualification rules see it: their certificates and those of their full-time practitioners."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import or_, select

from app.kernel import clock
from app.kernel.db import db
from marketplace.models.agencies import AgencyMeasure, Practitioner, Qualification
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.rules.qualifications import Certificate, meets
from marketplace.rules.standing import MeasureKind
from marketplace.states.agency import PractitionerState, QualificationState
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.listing import ListingState


def holdings_of(agency_ids: Iterable[UUID], *, with_pending: bool = False) -> dict[UUID, list[Certificate]]:
    """The certificates of these agencies, in a stable order. One statement.

    A practitioner's certificate counts while the person is checked, on the staff and full-time. `with_pending` counts what waits
    for its check as well: what an agency entered, before anybody looked at it.
    """
    certificate_counts = {QualificationState.VALID} | ({QualificationState.PENDING} if with_pending else set())
    person_counts = {PractitionerState.VALID} | ({PractitionerState.PENDING} if with_pending else set())
    found: dict[UUID, list[Certificate]] = defaultdict(list)
    rows = db.session.execute(
        select(
            Qualification.agency_id,
            Qualification.practitioner_id,
            Qualification.kind,
            Qualification.grade,
            Qualification.expires_on,
            Qualification.state,
            Practitioner.state.label("staff_state"),
            Practitioner.is_full_time,
        )
        .outerjoin(Practitioner, Practitioner.id == Qualification.practitioner_id)
        .where(
            Qualification.agency_id.in_(set(agency_ids)),
            or_(Practitioner.id.is_(None), Practitioner.state != PractitionerState.LEFT),
        )
        .order_by(Qualification.id)
    )
    for row in rows:
        valid = row.state in certificate_counts
        if row.practitioner_id is not None:
            valid = valid and row.staff_state in person_counts and bool(row.is_full_time)
        holder = str(row.practitioner_id or "")
        found[row.agency_id].append(Certificate(row.kind, row.grade, row.expires_on, valid, holder))
    return found


def unmet_offers(agency_id: UUID) -> tuple[UUID, ...]:
    """The items that an agency offers on its shelf, shown or suspended, and may not for want of a certificate. Two statements."""
    rules = db.session.execute(
        select(ItemVersion.item_id, ItemVersion.qualification_rule)
        .join(Listing, Listing.item_id == ItemVersion.item_id)
        .where(
            Listing.agency_id == agency_id,
            Listing.state.in_((ListingState.PUBLISHED, ListingState.SUSPENDED)),
            ItemVersion.state == ItemVersionState.PUBLISHED,
        )
        .order_by(ItemVersion.item_id)
    ).all()
    held = holdings_of([agency_id])[agency_id] if rules else []
    today = clock.today()
    return tuple({item_id: None for item_id, rule in rules if not meets(rule, held, today).is_eligible})


def restricted_agencies(item_id: UUID, agency_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these agencies are closed to one service by a measure in force. One statement."""
    return set(
        db.session.scalars(
            select(AgencyMeasure.agency_id).where(
                AgencyMeasure.agency_id.in_(set(agency_ids)),
                AgencyMeasure.item_id == item_id,
                AgencyMeasure.kind == MeasureKind.RESTRICT,
                AgencyMeasure.lifted_at.is_(None),
            )
        )
    )
