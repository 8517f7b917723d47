"""The market in the search index: which documents there are, how they get in, and how questions are answered."""

import logging
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, func, or_, select

from app.kernel import clock
from app.kernel.db import db, in_transaction, use_case
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing, SearchChange
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.search import (
    Change,
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
from marketplace.services.findable import all_documents, documents, ordinal, quality
from marketplace.states.listing import ListingState

__all__ = ["all_documents", "documents", "ordinal", "quality"]
log = logging.getLogger(__name__)

BATCH: Final = 500
FALLBACK_RESULTS: Final = 100  # what the database answers at most while there is no index


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
