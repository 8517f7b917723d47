"""Contracts as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.actions import actions_of, api_actions
from app.web.guard import requires, signed_in
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import contracts
from marketplace.queries.contracts import ContractRow, ContractView
from marketplace.states.contract import CONTRACT
from marketplace.web.clocks import clock_json, iso
from marketplace.web.contract_actions import ACTIONS
from marketplace.web.schemas.contracts import ContractQuery

bp = Blueprint("marketplace_contracts_api", __name__, url_prefix="/api")


@bp.get("/contracts")
@requires(Permission.CONTRACT_READ)
@operation(N_("List my contracts"), query=ContractQuery, tag="contracts")
def list_contracts() -> Response:
    """A page of the contracts of my organisation."""
    wanted = parsing.query(ContractQuery)
    page = contracts.contracts_of(current_actor(), state=wanted["state"], number=wanted["page"])
    return jsonify(items=[row_json(row) for row in page.items], page=page.number, pages=page.pages, total=page.total)


@bp.get("/contracts/<uuid:object_id>")
@signed_in
@operation(N_("Read a contract with its clock"), tag="contracts")
def read_contract(object_id: UUID) -> Response:
    """One contract with its clock, signatures, pauses, deliverables and what I may do now."""
    return jsonify(contract_json(contracts.contract_view(current_actor(), object_id)))


def contract_json(view: ContractView) -> dict[str, Any]:
    """The contract as the API answers it. Amounts are fen, limits working days, instants UTC, days Beijing dates."""
    possible = actions_of(
        CONTRACT, view.state, view.parts, href=f"/contracts/{view.id}", table=ACTIONS, version=view.version
    )
    return {
        "id": str(view.id),
        "number": view.number,
        "title": view.title,
        "state": view.state,
        "version": view.version,
        "thread_id": str(view.thread_id),
        "procurement_id": str(view.procurement_id),
        "owner": {"id": str(view.owner_organisation_id), "name": view.owner_name},
        "agency": {"id": str(view.agency_organisation_id), "name": view.agency_name},
        "price_fen": view.price_fen,
        "limit_wd": view.limit_wd,
        "document": {"text": view.document_text, "sha256": view.document_sha256},
        "whose_turn": view.turn,
        "due": iso(view.due_at),
        "sign_by": iso(view.sign_by),
        "signed_at": iso(view.signed_at),
        "deadline_on": iso(view.deadline_on),
        "deadline_provisional": view.deadline_provisional,
        "accept_by": iso(view.accept_by),
        "accepted_at": iso(view.accepted_at),
        "bill_id": str(view.bill_id) if view.bill_id else None,
        "funded_at": iso(view.funded_at),
        "released_at": iso(view.released_at),
        "clock": clock_json(view.clock) if view.clock else None,
        "signatures": [
            {
                "side": s.side,
                "organisation": s.organisation_name,
                "name": s.name,
                "signed_at": iso(s.signed_at),
                "document_sha256": s.document_sha256,
            }
            for s in view.signatures
        ],
        "pauses": [
            {
                "reason": p.reason,
                "explanation": p.explanation,
                "asked_by": p.asked_by,
                "asked_at": iso(p.asked_at),
                "answer_by": iso(p.answer_by),
                "outcome": p.outcome,
                "starts_on": iso(p.starts_on),
                "ends_on": iso(p.ends_on),
            }
            for p in view.pauses
        ],
        "deliverables": [
            {
                "number": d.number,
                "title": d.title,
                "file_name": d.file_name,
                "file_sha256": d.file_sha256,
                "file_size": d.file_size,
                "practitioner_name": d.practitioner_name,
                "submitted_at": iso(d.submitted_at),
                "accepted_at": iso(d.accepted_at),
                "returned_at": iso(d.returned_at),
                "return_reason": d.return_reason,
            }
            for d in view.deliverables
        ],
        "rating": {**dict(view.rating.stars), "comment": view.rating.comment} if view.rating else None,
        "actions": api_actions(possible),
    }


def row_json(row: ContractRow) -> dict[str, Any]:
    """One line of the list."""
    return {
        "id": str(row.id),
        "number": row.number,
        "title": row.title,
        "state": row.state,
        "owner": row.owner_name,
        "agency": row.agency_name,
        "price_fen": row.price_fen,
        "limit_wd": row.limit_wd,
        "deadline_on": iso(row.deadline_on),
        "overdue_since": iso(row.overdue_since),
        "whose_turn": row.turn,
        "due": iso(row.due_at),
    }
