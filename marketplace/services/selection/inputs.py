"""Gathering what a selection is decided from: registrations, opened quotes, credit at the freeze, the draw, the owner's part."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from marketplace.models.procurements import Draw, DrawOutcome, Procurement, Registration
from marketplace.models.selection import Comparison
from marketplace.queries.quotes import opened_quotes
from marketplace.rules.selection.bid_low import effective_quote
from marketplace.rules.selection.methods import needs_quotes
from marketplace.rules.selection.outcome import Choice, DrawFiles, Entrant, Inputs, Score, Standing
from marketplace.rules.selection.quotes import OpenedQuote
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services.selection.drawing import latest_draw
from marketplace.states.registration import ON_LIST, STRUCK, RegistrationState

_R = RegistrationState
_BARRED = {_R.INELIGIBLE: Standing.INELIGIBLE, _R.AVOIDED: Standing.AVOIDED}


def participants(procurement_id: UUID) -> dict[UUID, Registration]:
    """Every registration that stood at the deadline, locked in the order of the codes: the list and those kept off it."""
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement_id, Registration.state.in_(ON_LIST | set(_BARRED)))
        .order_by(Registration.uscc)
        .with_for_update()
    )
    return {row.id: row for row in rows}


def gather(procurement: Procurement, registrations: dict[UUID, Registration]) -> Inputs:
    """The inputs of the procurement's own method, as they stand now."""
    comparison = db.session.scalar(select(Comparison).where(Comparison.procurement_id == procurement.id))
    content = comparison.content if comparison else {}
    choice = content.get("choice")
    quotes = quotes_of(procurement)
    return Inputs(
        method=procurement.method,
        fund_source=procurement.fund_source,
        seats=procurement.seats,
        terms=MethodTerms.from_json(procurement.method_terms),
        ceiling_fen=procurement.ceiling_fen,
        entrants=tuple(
            _entrant(row, quotes.get(row.id), content.get("scores", {}).get(str(row.id), ()))
            for row in registrations.values()
        ),
        draw=_completed(latest_draw(procurement.id)),
        choice=Choice(UUID(choice["registration_id"]) if choice["registration_id"] else None, choice["reason"])
        if choice
        else None,
        is_scored="scores" in content,
    )


def quotes_of(procurement: Procurement) -> dict[UUID, OpenedQuote]:
    """The opened quote of each registration that counts after all rounds so far."""
    if not needs_quotes(procurement.method):
        return {}
    found: dict[UUID, list[OpenedQuote]] = defaultdict(list)
    for quote in opened_quotes(procurement.id):
        found[quote.registration_id].append(quote)
    chosen = {registration: effective_quote(quotes) for registration, quotes in found.items()}
    return {registration: quote for registration, quote in chosen.items() if quote is not None}


def _entrant(row: Registration, quote: OpenedQuote | None, scores: list[dict[str, object]] | tuple[()]) -> Entrant:
    standing = _BARRED.get(_R(row.state), Standing.STRUCK if row.state in STRUCK else Standing.LISTED)
    return Entrant(
        registration_id=row.id,
        uscc=row.uscc,
        standing=standing,
        price_fen=quote.price_fen if quote else None,
        invalid_because=quote.invalid_because if quote else None,
        points=row.credit_points,
        scores=tuple(Score(int(str(score["points"])), str(score["reason"])) for score in scores),
    )


def _completed(row: Draw | None) -> DrawFiles | None:
    outcome = db.session.get(DrawOutcome, row.id) if row else None
    if row is None or outcome is None:
        return None
    return DrawFiles(row.draw_file.decode("ascii"), outcome.beacon_file.decode("ascii"), row.is_demonstration)
