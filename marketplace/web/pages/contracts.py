"""Pages of contracts: the list, the contract with its clock, the document to be signed, files."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template

from app.documents import issued_for
from app.kernel import files
from app.kernel.access import Role
from app.kernel.errors import NotFound
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import actions_of, register_actions
from app.web.forms import Form
from app.web.guard import requires, signed_in
from app.web.journey import journey
from app.web.session import current_actor
from marketplace.policy import Permission, side_of
from marketplace.queries import contracts
from marketplace.queries.contracts import ContractView
from marketplace.states.contract import CONTRACT, PAUSE_REASON_LABELS, ContractState
from marketplace.states.parts import Part
from marketplace.web.api.contracts import bp as api
from marketplace.web.api.contracts import contract_json
from marketplace.web.clocks import light_of, working_days_until
from marketplace.web.contract_actions import ACTIONS
from marketplace.web.pages.reviews import DIMENSION_LABELS
from marketplace.web.schemas.contracts import ContractQuery, SignIn
from payments.queries import bill_view

bp = Blueprint("marketplace_contracts", __name__, template_folder="../../templates")

TONES: Final[Mapping[str, str]] = {
    ContractState.TO_SIGN_AGENCY: "waiting",
    ContractState.TO_SIGN_OWNER: "waiting",
    ContractState.RUNNING: "active",
    ContractState.PAUSE_ASKED: "waiting",
    ContractState.PAUSED: "warning",
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
_READERS = frozenset({Role.OWNER, Role.AGENCY, Role.PRACTITIONER, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR})

OBJECT_HREF = {"contract": lambda object_id: f"/contracts/{object_id}"}
NAVIGATION = (NavigationItem(N_("Contracts"), "marketplace_contracts.index", "signature", _READERS, order=40),)


@bp.get("/contracts")
@requires(Permission.CONTRACT_READ)
def index() -> str:
    """The contracts of my organisation; all of them for who runs and watches the supermarket."""
    wanted = parsing.query(ContractQuery)
    page = contracts.contracts_of(current_actor(), state=wanted["state"], number=wanted["page"])
    return render_template(
        "marketplace/contracts.html", page=page, labels=CONTRACT.labels, tones=TONES, state=wanted["state"], Part=Part
    )


@bp.get("/contracts/<uuid:object_id>")
@signed_in
def contract(object_id: UUID) -> str:
    """One contract: whose turn, until when, the clock, signatures, bill, deliverables, timeline."""
    actor = current_actor()
    view = contracts.contract_view(actor, object_id)
    actions = actions_of(
        CONTRACT, view.state, view.parts, href=f"/contracts/{view.id}", table=ACTIONS, version=view.version
    )
    state = ContractState(view.state)
    return render_template(
        "marketplace/contract.html",
        contract=view,
        actions=actions,
        state_label=CONTRACT.labels[state],
        next_step=CONTRACT.next_step[state],
        tone="danger" if view.is_overdue and not (view.clock and view.clock.is_stopped) else TONES[state],
        who=whose_turn(view),
        yours=view.turn is not None and view.turn is side_of(view.parts),
        days_left=days_left(view),
        light=light_of(view.clock) if view.clock else None,
        outcomes=OUTCOMES,
        reasons={str(reason): label for reason, label in PAUSE_REASON_LABELS.items()}
        | {"review": N_("Review of a deliverable that was returned")},
        dimensions=DIMENSION_LABELS,
        documents=issued_for(view.subject),
        bill=bill_view(view.bill_id) if view.bill_id else None,
        steps=journey(reversed(thread_entries(view.thread_id, actor))),
        Part=Part,
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


def whose_turn(view: ContractView) -> str | None:
    """The name of the side whose step is next."""
    return {Part.OWNER: view.owner_name, Part.AGENCY: view.agency_name}.get(view.turn) if view.turn else None


def days_left(view: ContractView) -> int | None:
    """Working days until the present step is due; the clock's own remainder while the service runs."""
    if view.due_at is None:
        return None
    if view.state == ContractState.RUNNING and view.clock:
        return view.clock.remaining_wd
    return working_days_until(view.due_at)
