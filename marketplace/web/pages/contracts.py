"""Pages of contracts: the list, the contract with its clock, the document to be signed, files."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from app.documents import issued_for
from app.kernel import files
from app.kernel.access import Role
from app.kernel.calendar import beijing_date
from app.kernel.errors import NotFound
from app.kernel.money import Money
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form
from app.web.guard import public, requires, signed_in
from app.web.journey import journey
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from marketplace.policy import Permission, side_of
from marketplace.queries import contracts
from marketplace.queries.contracts import ContractRecord, ContractView
from marketplace.queries.contracts.milestones import FEE_LABELS, FeeState
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.contract_text import OPEN_FIELD_LABELS
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.engagement import (
    BREACH_LABELS,
    PAUSE_REASON_LABELS,
    PAYMENT_MOMENT_LABELS,
    SETTLEMENT_LABELS,
    TERMINATION_LABELS,
)
from marketplace.states.parts import Part
from marketplace.web.api.contracts import bp as api
from marketplace.web.api.contracts import contract_json
from marketplace.web.clocks import iso, light_of, working_days_until
from marketplace.web.contract_actions import ACTIONS, actions_for
from marketplace.web.pages.reviews import DIMENSION_LABELS
from marketplace.web.schemas.contracts import ContractQuery, PageQuery, PutForwardIn, SignIn

bp = Blueprint("marketplace_contracts", __name__, template_folder="../../templates")

TONES: Final[Mapping[str, str]] = {
    ContractState.TO_DRAFT: "waiting",
    ContractState.TO_SIGN_AGENCY: "waiting",
    ContractState.TO_SIGN_OWNER: "waiting",
    ContractState.RUNNING: "active",
    ContractState.PAUSE_ASKED: "waiting",
    ContractState.EXTENSION_ASKED: "waiting",
    ContractState.TERMINATION_ASKED: "warning",
    ContractState.PAUSED: "warning",
    ContractState.DISPUTE: "danger",
    ContractState.DELIVERED: "waiting",
    ContractState.ACCEPTED: "success",
    ContractState.RATED: "success",
    ContractState.CLOSED: "neutral",
    ContractState.TERMINATED: "danger",
}
OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "asked": (N_("Waiting for an answer"), "waiting"),
    "confirmed": (N_("Pause confirmed"), "success"),
    "refused": (N_("Pause refused"), "danger"),
    "lapsed": (N_("Lapsed without an answer"), "neutral"),
    "dropped": (N_("Dropped: the work was handed in"), "neutral"),
}
ANSWERS: Final[Mapping[str, tuple[str, str]]] = {
    **OUTCOMES,
    "agreed": (N_("Agreed"), "success"),
    "refused": (N_("Refused"), "danger"),
}
NOTICE_ENDS: Final[Mapping[str, str]] = {
    "mended": N_("Mended"),
    "withdrawn": N_("Taken back"),
    "terminated": N_("The contract ended"),
}
FEE_TONES: Final[Mapping[FeeState, str]] = {
    FeeState.PLANNED: "neutral",
    FeeState.DUE: "waiting",
    FeeState.OVERDUE: "danger",
    FeeState.HELD: "active",
    FeeState.RELEASED: "success",
    FeeState.RETURNING: "warning",
    FeeState.REFUNDED: "neutral",
    FeeState.WITHDRAWN: "neutral",
}
_READERS = frozenset({Role.OWNER, Role.AGENCY, Role.PRACTITIONER, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})

OBJECT_HREF = {"contract": lambda object_id: f"/contracts/{object_id}"}
NAVIGATION = (NavigationItem(N_("Contracts"), "marketplace_contracts.index", "signature", _READERS, order=40),)


@bp.get("/contracts")
@requires(Permission.CONTRACT_READ)
def index() -> str:
    """The contracts of my organisation; all of them for who runs and watches the supermarket."""
    wanted = parsing.query(ContractQuery)
    return render_template(
        "marketplace/contracts.html",
        page=contracts.contracts_of(current_actor(), wanted),
        form=Form(ContractQuery(), request.args.to_dict()),
        labels=CONTRACT.labels,
        tones=TONES,
        Part=Part,
    )


@bp.get("/contracts.csv")
@requires(Permission.CONTRACT_READ)
def export() -> Response:
    """The filtered list as contract records, readable by spreadsheets; up to 10,000 lines."""
    rows = contracts.contract_records(current_actor(), parsing.query(ContractQuery))
    return csv_answer("contracts.csv", RECORD_COLUMNS, (record_cells(row) for row in rows))


@bp.get("/contracts/<uuid:object_id>")
@signed_in
def contract(object_id: UUID) -> str:
    """One contract: whose turn, until when, the clock, money, deliverables, side steps, timeline."""
    actor = current_actor()
    view = contracts.contract_view(actor, object_id)
    return render_template(
        "marketplace/contract.html",
        contract=view,
        steps=journey(reversed(thread_entries(view.thread_id, actor))),
        documents=issued_for(view.subject),
        **banner(view),
        **WORDS,
    )


@bp.get("/contracts/<uuid:object_id>/record")
@signed_in
def record(object_id: UUID) -> str:
    """The contract record on one printable page: parties, amounts, dates, milestones, versions and their hashes."""
    view = contracts.contract_view(current_actor(), object_id)
    return render_template("marketplace/contract_record.html", contract=view, **banner(view), **WORDS)


@bp.get("/contracts/<uuid:object_id>/actions/put_forward")
@signed_in
def draft_page(object_id: UUID) -> str:
    """The open fields of the template, with the text as it stands beside them."""
    actor = current_actor()
    view = contracts.contract_view(actor, object_id)
    prefill = ACTIONS["put_forward"].prefill
    if view.state != ContractState.TO_DRAFT or Part.OWNER not in view.parts or prefill is None:
        raise NotFound
    form = Form(PutForwardIn(only=(*view.template.open_fields, "version")), dict(prefill(actor, object_id)))
    return render_template(
        "marketplace/contract_draft.html", contract=view, form=form, idempotency_key=uuid4().hex, **WORDS
    )


@bp.get("/contracts/<uuid:object_id>/actions/sign")
@signed_in
def sign_page(object_id: UUID) -> str:
    """The whole text with its digest, and below it the signature."""
    view = contracts.contract_view(current_actor(), object_id)
    if CONTRACT.edge("sign", view.state) is None:
        raise NotFound
    values = {"document_sha256": view.document_sha256, "version": view.version}
    return render_template(
        "marketplace/contract_sign.html", contract=view, form=Form(SignIn(), values), idempotency_key=uuid4().hex
    )


@bp.get("/contracts/<uuid:object_id>/document")
@signed_in
def document(object_id: UUID) -> Response:
    """The signed contract as PDF, once it has been issued."""
    view = contracts.contract_view(current_actor(), object_id)
    issued = next((paper for paper in issued_for(view.subject) if paper.kind == "contract"), None)
    if issued is None:
        raise NotFound
    return files.send(issued.file_id)


@bp.get("/contracts/<uuid:object_id>/deliverables/<int:number>")
@signed_in
def deliverable(object_id: UUID, number: int) -> Response:
    """One version of the deliverable, as a download."""
    return files.send(contracts.deliverable_file(current_actor(), object_id, number))


@bp.get("/contracts/<uuid:object_id>/evidence/<uuid:evidence_id>")
@signed_in
def evidence(object_id: UUID, evidence_id: UUID) -> Response:
    """A file that supports a step, as a download."""
    return files.send(contracts.evidence_file(current_actor(), object_id, evidence_id))


@bp.get("/overdue-fees")
@public
def overdue() -> str:
    """Fees that owners owe for too long, with the interest of Order 802. Public."""
    wanted = parsing.query(PageQuery)
    days = rule_book_in_force().pay_overdue_public_days
    return render_template("marketplace/overdue_fees.html", page=contracts.overdue_fees(wanted["page"]), days=days)


register_actions(
    bp,
    api,
    path="/contracts/<uuid:object_id>",
    table=ACTIONS,
    view=contracts.contract_view,
    detail="marketplace_contracts.contract",
    to_json=contract_json,
    machine=CONTRACT,
)


WORDS: Final[Mapping[str, Any]] = {
    "outcomes": OUTCOMES,
    "answers": ANSWERS,
    "notice_ends": NOTICE_ENDS,
    "fee_labels": FEE_LABELS,
    "fee_tones": FEE_TONES,
    "breaches": {str(kind): label for kind, label in BREACH_LABELS.items()},
    "settlements": {str(one): label for one, label in SETTLEMENT_LABELS.items()},
    "causes": {str(one): label for one, label in TERMINATION_LABELS.items()},
    "payment_moments": {str(one): label for one, label in PAYMENT_MOMENT_LABELS.items()},
    "open_fields": {str(one): label for one, label in OPEN_FIELD_LABELS.items()},
    "reasons": {str(reason): label for reason, label in PAUSE_REASON_LABELS.items()}
    | {"review": N_("Review of a deliverable"), "dispute": N_("Dispute")},
    "dimensions": DIMENSION_LABELS,
    "Part": Part,
}


def banner(view: ContractView) -> dict[str, Any]:
    """What the head of the page says: state, whose turn, until when, and what this reader may do."""
    state = ContractState(view.state)
    actions = actions_for(view)
    late = view.is_overdue and view.clock is not None and not view.clock.is_stopped
    return {
        "actions": [one for one in actions if one.primary],
        "more_actions": [one for one in actions if not one.primary],
        "state_label": CONTRACT.labels[state],
        "next_step": CONTRACT.next_step[state],
        "tone": "danger" if late else TONES[state],
        "who": whose_turn(view),
        "yours": view.turn is not None and view.turn is side_of(view.parts),
        "days_left": days_left(view),
        "light": light_of(view.clock) if view.clock else None,
    }


def whose_turn(view: ContractView) -> str | None:
    """The name of the side whose step is next; in a dispute without a proposal it is everybody's."""
    if view.state == ContractState.DISPUTE and view.turn is None:
        return N_("Both sides, or the operator")
    return {Part.OWNER: view.owner_name, Part.AGENCY: view.agency_name}.get(view.turn) if view.turn else None


def days_left(view: ContractView) -> int | None:
    """Working days until the present step is due; None while the clock below says it (the service itself)."""
    if view.due_at is None or view.state == ContractState.RUNNING:
        return None
    return working_days_until(view.due_at)


RECORD_COLUMNS: Final = (
    *(N_("Contract number"), N_("Project"), N_("Procurement"), N_("Owner"), N_("Agency"), N_("Price (yuan)")),
    *(
        N_("State"),
        N_("Confirmed"),
        N_("Signed on"),
        N_("Service begins"),
        N_("Service ends"),
        N_("Postponed end date"),
    ),
    *(N_("Handed in on"), N_("Accepted on"), N_("Returned for rework (times)"), N_("Paid out (yuan)")),
    *(N_("Owed (yuan)"), N_("SHA-256 of the text")),
)


def record_cells(row: ContractRecord) -> Iterator[str]:
    """One contract record as text."""
    yield from (row.number, row.title, row.procurement_number, row.owner_name, row.agency_name)
    yield Money(row.price_fen).yuan
    yield gettext(CONTRACT.labels[ContractState(row.state)])
    yield gettext(N_("yes") if row.signed_at else N_("no"))
    yield beijing_date(row.signed_at).isoformat() if row.signed_at else ""
    yield from (iso(day) or "" for day in (row.starts_on, row.ends_on, row.postponed_on, row.delivered_on))
    yield beijing_date(row.accepted_at).isoformat() if row.accepted_at else ""
    yield str(row.rework_count)
    yield from (Money(row.paid_fen).yuan, Money(row.owed_fen).yuan, row.document_sha256)
