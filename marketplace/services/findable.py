"""What the public may find: each kind of thing as a document of the index, with the published factors of its ranking."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask_babel import force_locale, gettext
from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import db
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.listings import Listing
from marketplace.models.procurements import Procurement
from marketplace.queries import credit
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.categories import CATEGORY_LABELS
from marketplace.rules.regions import full_name
from marketplace.search import (
    GRADES,
    Document,
    Kind,
)
from marketplace.states.agency import IN_BUSINESS
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.listing import ListingState

_YEAR_DAYS: Final = 365
_CHINESE: Final = "zh_Hans_CN"


def all_documents() -> Iterator[Document]:
    """Everything the public may find."""
    for kind in Kind:
        yield from documents(kind)


def documents(kind: Kind, ids: list[UUID] | None = None) -> Iterator[Document]:
    """The findable documents of a kind, all or those among `ids`."""
    book = rule_book_in_force()
    with force_locale(_CHINESE):
        labels = {str(category): gettext(label) for category, label in CATEGORY_LABELS.items()}
    yield from _SOURCES[kind](ids, book, labels)


def _listings(ids: list[UUID] | None, book: RuleBook, labels: dict[str, str]) -> Iterator[Document]:
    statement = (
        select(
            Listing.id,
            Listing.promised_limit_wd,
            Listing.agency_id,
            Listing.price_fen,
            Listing.price_mode,
            Listing.region_code,
            Listing.description,
            Listing.published_at,
            Agency.name.label("agency"),
            ItemVersion.name,
            ItemVersion.name_en,
            ItemVersion.category,
            ItemVersion.approval_served,
            ItemVersion.deliverable,
            ServiceItem.code,
            *_record_columns(),
        )
        .join(Agency, Agency.id == Listing.agency_id)
        .join(ItemVersion, ItemVersion.id == Listing.item_version_id)
        .join(ServiceItem, ServiceItem.id == Listing.item_id)
        .outerjoin(AgencyRecord, AgencyRecord.agency_id == Listing.agency_id)
        .where(Listing.state == ListingState.PUBLISHED)
    )
    if ids is not None:
        statement = statement.where(Listing.id.in_(ids))
    grades = _grades(ids and _agencies_of(ids), book)
    for row in db.session.execute(statement.execution_options(yield_per=2000)):
        yield Document(
            kind=Kind.LISTING,
            id=row.id,
            title=row.name,
            names=f"{row.agency} {labels[row.category]} {full_name(row.region_code)}",
            text=f"{row.description} {row.approval_served} {row.deliverable} {row.name_en} {row.code.replace('-', '')}",
            category=row.category,
            region=row.region_code,
            limit_wd=row.promised_limit_wd,
            price_fen=row.price_fen,
            price_mode=row.price_mode,
            **_standing(row, book, row.published_at, grades.get(row.agency_id)),
        )


def _agencies(ids: list[UUID] | None, book: RuleBook, labels: dict[str, str]) -> Iterator[Document]:
    statement = (
        select(
            Agency.id,
            Agency.name,
            Agency.region_code,
            Agency.introduction,
            Agency.uscc,
            Agency.admitted_at,
            *_record_columns(),
        )
        .outerjoin(AgencyRecord, AgencyRecord.agency_id == Agency.id)
        .where(Agency.state.in_(IN_BUSINESS))
    )
    if ids is not None:
        statement = statement.where(Agency.id.in_(ids))
    offered = _offered_services(ids, labels)
    grades = _grades(ids, book)
    for row in db.session.execute(statement).all():
        yield Document(
            kind=Kind.AGENCY,
            id=row.id,
            title=row.name,
            names=full_name(row.region_code),
            text=f"{row.introduction} {offered.get(row.id, '')} {row.uscc}",
            region=row.region_code,
            **_standing(row, book, row.admitted_at, grades.get(row.id)),
        )


def _agencies_of(listing_ids: list[UUID]) -> list[UUID]:
    return list(db.session.scalars(select(Listing.agency_id).where(Listing.id.in_(listing_ids)).distinct()))


def _grades(agency_ids: list[UUID] | None, book: RuleBook) -> dict[UUID, str]:
    """The credit grade of these agencies today, or of all in business."""
    wanted = agency_ids
    if wanted is None:
        wanted = list(db.session.scalars(select(Agency.id).where(Agency.state.in_(IN_BUSINESS))))
    found = credit.grades(wanted, clock.today(), book)
    return {agency_id: str(grade) for agency_id, grade in found.items()}


def _offered_services(ids: list[UUID] | None, labels: dict[str, str]) -> dict[UUID, str]:
    statement = (
        select(Listing.agency_id, ItemVersion.name, ItemVersion.category)
        .join(ItemVersion, ItemVersion.id == Listing.item_version_id)
        .where(Listing.state == ListingState.PUBLISHED)
    )
    if ids is not None:
        statement = statement.where(Listing.agency_id.in_(ids))
    found: dict[UUID, str] = {}
    for row in db.session.execute(statement):
        found[row.agency_id] = f"{found.get(row.agency_id, '')} {row.name} {labels[row.category]}"
    return found


def _items(ids: list[UUID] | None, book: RuleBook, labels: dict[str, str]) -> Iterator[Document]:  # noqa: ARG001
    statement = (
        select(ItemVersion, ServiceItem.code)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .where(ItemVersion.state == ItemVersionState.PUBLISHED)
    )
    if ids is not None:
        statement = statement.where(ItemVersion.item_id.in_(ids))
    for version, code in db.session.execute(statement).all():
        yield Document(
            kind=Kind.ITEM,
            id=version.item_id,
            title=version.name,
            names=f"{labels[version.category]} {code} {code.replace('-', '')}",
            text=f"{version.name_en} {version.approval_served} {version.legal_basis} {version.deliverable}",
            category=version.category,
            limit_wd=version.limit_wd,
            ordinal=ordinal(version.published_at),
        )


def _notices(ids: list[UUID] | None, book: RuleBook, labels: dict[str, str]) -> Iterator[Document]:  # noqa: ARG001
    statement = (
        select(Procurement, ItemVersion.name, ItemVersion.category)
        .join(ItemVersion, ItemVersion.id == Procurement.item_version_id)
        .where(Procurement.published_at.is_not(None))
    )
    if ids is not None:
        statement = statement.where(Procurement.id.in_(ids))
    for notice, item, category in db.session.execute(statement).all():
        if notice.is_public:
            yield Document(
                kind=Kind.NOTICE,
                id=notice.id,
                title=notice.title,
                names=f"{notice.project_name} {item} {labels[category]} {full_name(notice.region_code)}",
                text=f"{notice.content} {notice.number.replace('-', '')}",
                category=category,
                region=notice.region_code,
                limit_wd=notice.limit_wd,
                price_fen=notice.price_fen,
                ordinal=ordinal(notice.published_at),
            )


_SOURCES: Final = {Kind.LISTING: _listings, Kind.AGENCY: _agencies, Kind.ITEM: _items, Kind.NOTICE: _notices}


def _record_columns() -> tuple[Any, ...]:
    return (
        AgencyRecord.delivered,
        AgencyRecord.delivered_on_time,
        AgencyRecord.rating_count,
        AgencyRecord.rating_sum,
    )


def _standing(row: Any, book: RuleBook, since: datetime | None, grade: str | None) -> dict[str, Any]:
    on_time = 1000 * row.delivered_on_time // row.delivered if row.delivered else None
    rating = round(row.rating_sum / row.rating_count) if row.rating_count else None
    return {
        "on_time": on_time,
        "rating": rating,
        "grade": grade,
        "quality": quality(book, on_time, rating, since, grade),
        "ordinal": ordinal(since),
    }


def quality(
    book: RuleBook, on_time: int | None, rating: int | None, since: datetime | None, grade: str | None = None
) -> int:
    """The published factor of the ranking in thousandths, from the weights of the rule book.

    On-time record (per mille), rating (hundredths of a star), credit grade and freshness count between 0 and 1; an agency without a
    record counts as an average one, so that newcomers are found.
    """
    kept = 0.5 if on_time is None else on_time / 1000
    stars = 0.5 if rating is None else (rating - 100) / 400
    age = (clock.now() - since).days if since else _YEAR_DAYS
    fresh = max(0.0, 1 - age / _YEAR_DAYS)
    credited = 0.5 if grade is None else 1 - GRADES.index(grade) / (len(GRADES) - 1)
    factor = (
        1
        + book.search_on_time_weight * kept
        + book.search_rating_weight * stars
        + book.search_grade_weight * credited
        + book.search_freshness_weight * fresh
    )
    return round(1000 * factor)


def ordinal(moment: datetime | None) -> int:
    """A moment as the index orders by it: microseconds."""
    return int(moment.timestamp() * 1_000_000) if moment else 0
