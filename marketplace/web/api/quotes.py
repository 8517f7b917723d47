"""Sealed quotes as JSON: hand in what your program sealed, read the opening, give a share."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.commands import Plain
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.schemas import PlainIn
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import quotes
from marketplace.queries.quotes import OpeningView
from marketplace.services import quotes as services
from marketplace.services import tender_keys
from marketplace.web.schemas.quotes import GiveShareIn, HandInIn, MakeHolderKeyIn

bp = Blueprint("marketplace_quotes_api", __name__, url_prefix="/api")


@bp.get("/procurements/<uuid:object_id>/quotes")
@public
@operation(N_("Read the rounds of sealed quotes: their keys and numbers, every price once opened"), tag="quotes")
def read(object_id: UUID) -> Response:
    """Every round, the newest first."""
    return jsonify(items=[round_json(view) for view in quotes.opening_views(current_actor(), object_id)])


@bp.post("/procurements/<uuid:object_id>/quotes")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("Hand in a sealed quote (registers the agency with its first one)"), body=HandInIn, tag="quotes")
def hand_in(object_id: UUID) -> tuple[Response, int]:
    """Keep a sealed quote; answers with its receipt."""
    actor = current_actor()
    made = services.hand_in(actor, object_id, parsing.body(HandInIn))
    return jsonify(quotes.own_quote(actor, made).to_json()), 201


@bp.post("/procurements/<uuid:object_id>/quotes/withdraw")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("Withdraw the sealed quote of the open round"), body=PlainIn, tag="quotes")
def withdraw(object_id: UUID) -> Response:
    """Take the standing quote back; answers with the receipt of the withdrawal."""
    actor = current_actor()
    parsing.body(PlainIn)
    made = services.withdraw_quote(actor, object_id, Plain())
    return jsonify(quotes.own_quote(actor, made).to_json())


@bp.get("/quotes/<uuid:object_id>/receipt")
@requires(Permission.REGISTRATION_CREATE)
@operation(N_("Read the receipt of one of my quotes"), tag="quotes")
def receipt(object_id: UUID) -> Response:
    """Commitment, log entry and its proof."""
    return jsonify(quotes.own_quote(current_actor(), object_id).to_json())


@bp.post("/procurements/<uuid:object_id>/shares")
@requires(Permission.KEY_HOLD, Permission.NOTICE_CHECK)
@operation(N_("Give my share of a tender's key; the second one opens all quotes"), body=GiveShareIn, tag="quotes")
def give_share(object_id: UUID) -> Response:
    """Give a share; says whether all quotes are open now."""
    opened = services.give_share(current_actor(), object_id, parsing.body(GiveShareIn))
    return jsonify(opened=opened)


@bp.post("/opening-codes")
@requires(Permission.KEY_HOLD)
@operation(N_("Put a new opening code in force by its public key"), body=MakeHolderKeyIn, tag="quotes")
def make_code() -> tuple[Response, int]:
    """Later tenders are sealed to it."""
    made = tender_keys.make_holder_key(current_actor(), parsing.body(MakeHolderKeyIn))
    return jsonify(id=str(made)), 201


def round_json(view: OpeningView) -> dict[str, Any]:
    """One round as the API answers it."""
    return {
        "protocol": "GMBID/1",
        "procurement_id": str(view.procurement_id),
        "tender": view.tender,
        "round": view.round,
        "public_key": view.key,
        "quotes": view.quotes,
        "deadline": view.ended_at.isoformat() if view.ended_at else None,
        "opened_at": view.opened_at.isoformat() if view.opened_at else None,
        "holders": [
            {"holder": row.holder, "given_at": row.given_at.isoformat() if row.given_at else None}
            for row in view.holders
        ],
        "opened": [
            {
                "bidder": row.bidder,
                "name": row.name,
                "price": row.price,
                "nonce": row.nonce,
                "commitment": row.commitment,
                "valid": row.invalid_because is None,
                "reason": row.invalid_because,
            }
            for row in view.rows
        ],
    }
