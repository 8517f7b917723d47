"""The market in the search index: which documents there are, how they get in, and how questions are answered."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import current_app
from flask_babel import force_locale, gettext
from sqlalchemy import delete, func, or_, select

from app.kernel import clock
from app.kernel.db import db, in_transaction, use_case
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.listings import Listing, SearchChange
from marketplace.models.procurements import Procurement
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.categories import CATEGORY_LABELS
from marketplace.rules.regions import full_name
from marketplace.search import (
    Change,
    Document,
    Generation,
    Hit,
    IndexBusyError,
    IndexUnavailableError,
    Kind,
    SearchPage,
    SearchQuery,
    Suggestion,
    WhooshIndex,
)
from marketplace.search.store import Weights
from marketplace.states.agency import IN_BUSINESS
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.listing import ListingState

log = logging.getLogger(__name__)

BATCH: Final = 500
FALLBACK_RESULTS: Final = 100  # what the database answers at most while there is no index
_YEAR_DAYS: Final = 365
_CHINESE: Final = "zh_Hans_CN"


def index() -> WhooshIndex:
    """The index of this installation, opened once per process."""
    extensions = current_app.extensions
    if "chaoshi_search" not in extensions:
        extensions["chaoshi_search"] = WhooshIndex(current_app.config["DATA_DIR"] / "search", weights=_weights())
    found: WhooshIndex = extensions["chaoshi_search"]
    return found


def _weights() -> Weights:
    book = rule_book_in_force()
    return Weights(round(book.search_title_weight), round(book.search_name_weight), round(book.search_text_weight))


# asking


def find(query: SearchQuery) -> SearchPage:
    """Answer from the index; from the database, plainly and without counts, while the index cannot."""
    try:
        return index().search(query)
    except IndexUnavailableError as failure:
        log.warning("search falls back to the database", extra={"cause": str(failure)})
        return _from_database(query)


def suggest(prefix: str, limit: int = 10) -> tuple[Suggestion, ...]:
    """Names that complete what is being typed; none while there is no index."""
    try:
        return index().suggest(prefix, limit)
    except IndexUnavailableError:
        return ()


def _from_database(query: SearchQuery) -> SearchPage:
    """Offers whose item or agency holds the words, newest first; capped, without facets."""
    pattern = f"%{query.text.strip().replace('%', '').replace('_', '')[:64]}%"
    filters = query.filters
    statement = (
        select(Listing.id)
        .join(Agency, Agency.id == Listing.agency_id)
        .join(ItemVersion, ItemVersion.id == Listing.item_version_id)
        .where(Listing.state == ListingState.PUBLISHED, or_(ItemVersion.name.like(pattern), Agency.name.like(pattern)))
    )
    if filters.categories:
        statement = statement.where(ItemVersion.category.in_(filters.categories))
    if filters.max_limit_wd is not None:
        statement = statement.where(Listing.promised_limit_wd <= filters.max_limit_wd)
    if filters.max_price_fen is not None:
        statement = statement.where(Listing.price_fen <= filters.max_price_fen)
    found = db.session.scalars(statement.order_by(Listing.id.desc()).limit(FALLBACK_RESULTS)).all()
    shown = found[query.offset : query.offset + query.limit]
    hits = tuple(Hit(Kind.LISTING, listing_id, 0, 1000) for listing_id in shown)
    return SearchPage(len(found), hits, {}, 0, is_fallback=True)


# keeping it fresh


def mark(kind: Kind, ids: Iterable[UUID]) -> None:
    """Note, in the caller's transaction, that these documents are to be renewed."""
    assert in_transaction(), "mark() outside transaction()"
    moment = clock.now()
    db.session.add_all(SearchChange(kind=str(kind), document_id=i, created_at=moment) for i in ids)


@use_case
def mark_agency(agency_id: UUID) -> None:
    """An agency and all its offers are to be renewed."""
    mark(Kind.AGENCY, [agency_id])
    mark(Kind.LISTING, db.session.scalars(select(Listing.id).where(Listing.agency_id == agency_id)).all())


@use_case
def mark_item(item_id: UUID) -> None:
    """An item and all its offers are to be renewed."""
    mark(Kind.ITEM, [item_id])
    mark(Kind.LISTING, db.session.scalars(select(Listing.id).where(Listing.item_id == item_id)).all())


@use_case
def mark_one(kind: Kind, document_id: UUID) -> None:
    """One document is to be renewed."""
    mark(kind, [document_id])


def apply_changes() -> int:
    """Take the noted changes into the index in one batch; rebuild it when it is missing or damaged. Returns how many.

    Any number of workers may call it: one writes, the others find the pen taken and leave. A crash between the index's
    commit and the forgetting of the notes only repeats the batch.
    """
    try:
        if not index().health().is_ready:
            return rebuild().documents
        rows = db.session.execute(
            select(SearchChange.seq, SearchChange.kind, SearchChange.document_id)
            .order_by(SearchChange.seq)
            .limit(BATCH)
        ).all()
        if not rows:
            return 0
        wanted = {(Kind(row.kind), row.document_id) for row in rows}
        changes = list(_changes(wanted))
        db.session.rollback()  # no snapshot stays open while the index is written
        index().apply(changes)
    except IndexBusyError:
        return 0
    except IndexUnavailableError as failure:
        log.warning("the search index is rebuilt", extra={"cause": str(failure)})
        return rebuild().documents
    _forget(rows[-1].seq)
    return len(rows)


def rebuild() -> Generation:
    """Build the index anew from the database and switch to it. Raises IndexBusyError."""
    last = db.session.scalar(select(func.max(SearchChange.seq))) or 0
    done = index().rebuild(all_documents())
    db.session.rollback()
    _forget(last)
    return done


def check() -> int:
    """Compare the files of the index with their checksums and rebuild it when one differs. Returns 1 when it did."""
    if index().verify():
        return 0
    try:
        rebuild()
    except IndexBusyError:
        return 0
    return 1


@use_case
def _forget(until: int) -> None:
    db.session.execute(delete(SearchChange).where(SearchChange.seq <= until))


def _changes(wanted: set[tuple[Kind, UUID]]) -> Iterator[Change]:
    for kind in Kind:
        ids = [document_id for k, document_id in wanted if k is kind]
        present = {document.id: document for document in documents(kind, ids)} if ids else {}
        yield from (Change(kind, document_id, present.get(document_id)) for document_id in ids)


# what is findable


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
            Listing.price_fen,
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
            **_standing(row, book, row.published_at),
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
    for row in db.session.execute(statement).all():
        yield Document(
            kind=Kind.AGENCY,
            id=row.id,
            title=row.name,
            names=full_name(row.region_code),
            text=f"{row.introduction} {offered.get(row.id, '')} {row.uscc}",
            region=row.region_code,
            **_standing(row, book, row.admitted_at),
        )


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
            ordinal=_ordinal(version.published_at),
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
                ordinal=_ordinal(notice.published_at),
            )


_SOURCES: Final = {Kind.LISTING: _listings, Kind.AGENCY: _agencies, Kind.ITEM: _items, Kind.NOTICE: _notices}


def _record_columns() -> tuple[Any, ...]:
    return (
        AgencyRecord.delivered,
        AgencyRecord.delivered_on_time,
        AgencyRecord.rating_count,
        AgencyRecord.rating_sum,
    )


def _standing(row: Any, book: RuleBook, since: datetime | None) -> dict[str, Any]:
    on_time = 1000 * row.delivered_on_time // row.delivered if row.delivered else None
    rating = round(row.rating_sum / row.rating_count) if row.rating_count else None
    return {
        "on_time": on_time,
        "rating": rating,
        "quality": quality(book, on_time, rating, since),
        "ordinal": _ordinal(since),
    }


def quality(book: RuleBook, on_time: int | None, rating: int | None, since: datetime | None) -> int:
    """The published factor of the ranking in thousandths, from the weights of the rule book.

    On-time record (per mille), rating (hundredths of a star) and freshness count between 0 and 1; an agency without a
    record counts as an average one, so that newcomers are found.
    """
    kept = 0.5 if on_time is None else on_time / 1000
    stars = 0.5 if rating is None else (rating - 100) / 400
    age = (clock.now() - since).days if since else _YEAR_DAYS
    fresh = max(0.0, 1 - age / _YEAR_DAYS)
    factor = (
        1 + book.search_on_time_weight * kept + book.search_rating_weight * stars + book.search_freshness_weight * fresh
    )
    return round(1000 * factor)


def _ordinal(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1_000_000) if moment else 0
