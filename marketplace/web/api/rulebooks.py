"""The rule book as JSON: amounts in fen, periods in the unit of each parameter."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from app.kernel.words import N_
from app.web import parsing
from app.web.actions import ActionView, api_actions
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import rulebooks as queries
from marketplace.queries.rulebooks import RuleChangeView
from marketplace.rulebook import RuleBook
from marketplace.services import rulebooks
from marketplace.web.creation import create_once
from marketplace.web.schemas.rulebooks import PROPOSAL

bp = Blueprint("marketplace_rulebooks_api", __name__, url_prefix="/api")


def _book_json(book: RuleBook) -> dict[str, Any]:
    return {"version": book.version, "parameters": book.as_parameters()}


def change_json(view: RuleChangeView, actions: tuple[ActionView, ...] = ()) -> dict[str, Any]:
    """A proposal with what may be done with it."""
    return {
        "id": str(view.id),
        "state": view.state,
        "version": view.version,
        "basis": view.basis,
        "reason": view.reason,
        "effective_from": view.effective_from.isoformat(),
        "parameters": view.parameters,
        "proposed_by_name": view.proposed_by_name,
        "version_published": view.version_published,
        "actions": api_actions(actions),
    }


@bp.get("/rules")
@public
@operation(N_("Read the rule book in force"), tag="rules")
def in_force() -> Response:
    """Every parameter that holds today, and all versions."""
    versions = [
        {"version": v.version, "effective_from": v.effective_from.isoformat() if v.effective_from else None}
        for v in queries.versions()
    ]
    return jsonify(**_book_json(queries.rule_book_in_force()), versions=versions)


@bp.get("/rules/<int:number>")
@public
@operation(N_("Read one version of the rule book"), tag="rules")
def version(number: int) -> Response:
    """Every parameter of one version."""
    return jsonify(_book_json(queries.rule_book(number)))


@bp.post("/rules/changes")
@requires(Permission.RULE_BOOK_PROPOSE)
@operation(N_("Propose a change of the rule book"), body=PROPOSAL, status=201, tag="rules", idempotent=True)
def propose() -> tuple[Response, int]:
    """A whole next version, to be decided by somebody else."""
    actor = current_actor()
    command = parsing.body(PROPOSAL)
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    made = create_once(actor, "rule-change", key, raw, lambda: rulebooks.propose(actor, command))
    return jsonify(change_json(queries.rule_change(actor, made))), 201


@bp.get("/rules/changes/<uuid:object_id>")
@requires(Permission.RULE_BOOK_READ_CHANGES)
@operation(N_("Read a proposed change of the rule book"), tag="rules")
def change(object_id: UUID) -> Response:
    """One proposal."""
    return jsonify(change_json(queries.rule_change(current_actor(), object_id)))
