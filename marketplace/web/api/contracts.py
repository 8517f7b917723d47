"""Contracts as JSON."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.actions import api_actions
from app.web.guard import public, requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import contracts
from marketplace.queries.contracts import ContractRow, ContractView
from marketplace.web.clocks import clock_json, iso
from marketplace.web.contract_actions import actions_for
from marketplace.web.schemas.contracts import ContractQuery, PageQuery

bp = Blueprint("marketplace_contracts_api", __name__, url_prefix="/api")


@bp.get("/contracts")
@requires(Permission.CONTRACT_READ)
@operation(N_("List my contracts"), query=ContractQuery, tag="contracts")
def list_contracts() -> Response:
    """A page of the contracts of my organisation."""
    wanted = parsing.query(ContractQuery)
    page = contracts.contracts_of(current_actor(), wanted)
    return page_answer(page, [row_json(row) for row in page.items])


@bp.get("/contracts/<uuid:object_id>")
@signed_in
@operation(N_("Read a contract with its clock"), tag="contracts")
def read_contract(object_id: UUID) -> Response:
    """One contract with its clock, signatures, pauses, deliverables and what I may do now."""
    return jsonify(contract_json(contracts.contract_view(current_actor(), object_id)))


def contract_json(view: ContractView) -> dict[str, Any]:
    """The contract as the API answers it. Amounts are fen, limits working days, instants UTC, days Beijing dates."""
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
        "extended_wd": view.extended_wd,
        "postponed_on": iso(view.postponed_on),
        "rework_count": view.rework_count,
        "terminated_at": iso(view.terminated_at),
        "termination_cause": view.termination_cause,
        "settled_at": iso(view.settled_at),
        "milestones": [
            {
                "position": m.position,
                "title": m.title,
                "acceptance": m.acceptance,
                "share_percent": m.share,
                "amount_fen": m.amount_fen,
                "accepted_at": iso(m.accepted_at),
                "bill_id": str(m.bill_id) if m.bill_id else None,
                "due_on": iso(m.due_on),
                "fee_state": m.fee_state,
                "late_days": m.late.days,
                "interest_fen": m.late.interest_fen,
            }
            for m in view.milestones
        ],
        "questions": [
            {
                "kind": q.kind,
                "days_wd": q.days_wd,
                "reason": q.reason,
                "asked_by": q.asked_by_name,
                "asked_at": iso(q.asked_at),
                "answer_by": iso(q.answer_by),
                "outcome": q.outcome,
                "answer_reason": q.answer_reason,
            }
            for q in view.questions
        ],
        "disputes": [
            {
                "opened_by": d.opened_by_name,
                "opened_at": iso(d.opened_at),
                "reason": d.reason,
                "proposal": d.proposal,
                "proposal_text": d.proposal_text,
                "proposed_agency_fen": d.proposed_agency_fen,
                "settlement": d.settlement,
                "settled_how": d.settled_how,
                "settled_at": iso(d.settled_at),
                "settlement_text": d.settlement_text,
                "agency_fen": d.agency_fen,
            }
            for d in view.disputes
        ],
        "breach_notices": [
            {
                "kind": n.kind,
                "facts": n.facts,
                "sent_by": n.sent_by,
                "sent_at": iso(n.sent_at),
                "cure_by": iso(n.cure_by),
                "ended_at": iso(n.ended_at),
                "ended_how": n.ended_how,
            }
            for n in view.notices
        ],
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
                "practitioners": [asdict(person) for person in d.practitioners],
                "milestone": d.milestone,
                "submitted_at": iso(d.submitted_at),
                "accepted_at": iso(d.accepted_at),
                "returned_at": iso(d.returned_at),
                "return_reason": d.return_reason,
            }
            for d in view.deliverables
        ],
        "rating": {**dict(view.rating.stars), "comment": view.rating.comment} if view.rating else None,
        "actions": api_actions(actions_for(view)),
    }


@bp.get("/overdue-fees")
@public
@operation(N_("List the fees that owners owe for too long"), query=PageQuery, tag="contracts")
def list_overdue() -> Response:
    """Public. Amounts are fen, days calendar days."""
    page = contracts.overdue_fees(parsing.query(PageQuery)["page"])
    items = [
        {
            "owner": row.owner_name,
            "agency": row.agency_name,
            "contract": row.contract_number,
            "title": row.title,
            "amount_fen": row.amount_fen,
            "due_on": iso(row.due_on),
            "days": row.days,
            "interest_fen": row.interest_fen,
        }
        for row in page.items
    ]
    return page_answer(page, items)


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
