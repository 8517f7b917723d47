"""Offers or agencies side by side, and the engagements behind an agency's record."""

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, render_template

from app.kernel import clock
from app.kernel.paging import page_of
from app.web import parsing
from app.web.guard import public
from app.web.session import current_actor
from marketplace.queries import agencies, listings, track_records
from marketplace.queries.catalogue import items_by_ids
from marketplace.queries.credit import grades
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.search import Kind
from marketplace.web.schemas.listings import PRICE_MODE_LABELS, ComparedIn, RecordQuery

bp = Blueprint("marketplace_comparison", __name__, template_folder="../../templates")


@bp.get("/compare")
@public
def compare() -> str:
    """One to four offers or agencies side by side; what is no longer shown is left out, and said so."""
    asked = parsing.query(ComparedIn)
    ids: list[UUID] = list(dict.fromkeys(asked["id"]))
    reader: Any = _offers if asked["kind"] == Kind.LISTING else _agencies
    return render_template("marketplace/compare.html", kind=asked["kind"], wanted=len(ids), **reader(ids))


def _offers(ids: list[UUID]) -> dict[str, Any]:
    found = listings.cards_by_ids(ids)
    cards = [found[i] for i in ids if i in found]
    return {
        "cards": cards,
        "items": items_by_ids([card.item_id for card in cards]),
        "grades": _grades([card.agency_id for card in cards]),
        "price_modes": PRICE_MODE_LABELS,
    }


def _agencies(ids: list[UUID]) -> dict[str, Any]:
    found = agencies.agencies_by_ids(ids)
    rows = [found[i] for i in ids if i in found]
    return {"cards": rows, "grades": _grades([row.id for row in rows])}


def _grades(agency_ids: list[UUID]) -> dict[UUID, str]:
    book = rule_book_in_force()
    return {key: str(grade) for key, grade in grades(agency_ids, clock.today(), book).items()}


RECORD_PAGE: Final = 25


@bp.get("/agencies/<uuid:agency_id>/record")
@public
def record(agency_id: UUID) -> str:
    """Every engagement that counts into the record of keeping time limits."""
    agency = agencies.agency_profile(current_actor(), agency_id)
    page = page_of(
        track_records.engagements(agency_id), number=parsing.query(RecordQuery)["page"], size=RECORD_PAGE, scalars=False
    )
    rows = [track_records.engagement_of(row) for row in page.items]
    return render_template("marketplace/record.html", agency=agency, page=page, rows=rows)
