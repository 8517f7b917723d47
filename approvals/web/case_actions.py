"""How each step of a case and of a certificate is taken over the web: its schema and its use case."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of
from app.web.regions import region_code
from approvals.queries.cases import CaseView, CertificateView, case_view, is_open_for_choice
from approvals.services import cases, demands, originals, results
from approvals.services.demands import ASKERS, OPEN_TO_DEMANDS
from approvals.states import CARRIED, CASE, CERTIFICATE, DECIDED, WITHOUT_RESULT, Part, ServiceMode, ServiceState
from approvals.web.schemas import (
    ChooseServiceIn,
    CorrectIn,
    DecideIn,
    DecideWithReasonIn,
    DemandIn,
    HandOverIn,
    OrderCollectionIn,
    ReasonedIn,
    StepIn,
)
from marketplace.services.case_links import case_link


def _chosen(actor: Actor, case_id: UUID) -> Mapping[str, Any]:
    service = case_view(actor, case_id).service
    return {
        "mode": service.mode,
        "receiver_name": service.receiver_name or "",
        "receiver_mobile": service.receiver_mobile or "",
        "region_code": region_code(*service.place.split()),
        "address": service.address or "",
        "who_may_sign": service.who_may_sign or "self",
        "collection_point_id": str(service.collection_point_id or ""),
        "fee_mode": service.fee_mode or "",
    }


CASE_ACTIONS: Mapping[str, Action] = {
    "receive": Action(cases.receive, StepIn, done=N_("The application is received.")),
    "withdraw": Action(cases.withdraw, ReasonedIn, done=N_("The application is withdrawn."), danger=True),
    "accept": Action(cases.accept, StepIn, done=N_("The case is accepted, the limits run.")),
    "turn_away": Action(cases.turn_away, ReasonedIn, danger=True),
    "refuse": Action(cases.refuse, ReasonedIn, danger=True),
    "ask_correction": Action(
        cases.ask_correction,
        ReasonedIn,
        explain=N_("Name everything that is missing at once: the applicant is asked only once."),
    ),
    "correct": Action(cases.correct, CorrectIn, done=N_("The correction is handed in.")),
    "start_handling": Action(cases.start_handling, StepIn),
    "start_special_procedure": Action(
        cases.start_special_procedure,
        ReasonedIn,
        explain=N_(
            "The applicant is told in writing which hearing, inspection or review takes place and how long it may take."
        ),
    ),
    "end_special_procedure": Action(cases.end_special_procedure, StepIn),
    "approve": Action(
        cases.approve,
        DecideIn,
        done=N_("Approved. The certificate is queued for making."),
        explain=N_("The decision is final."),
    ),
    "approve_with_tolerance": Action(cases.approve_with_tolerance, DecideWithReasonIn, done=N_("Approved.")),
    "reject": Action(
        cases.reject, DecideWithReasonIn, danger=True, done=N_("Not approved. The decision is queued for making.")
    ),
    "recall": Action(cases.recall, ReasonedIn, danger=True),
    "revoke": Action(cases.revoke, ReasonedIn, danger=True),
    # steps that are no edge of the machine
    "demand": Action(demands.demand, DemandIn, label=N_("Demand a service"), done=N_("The applicant has been told.")),
    "choose_service": Action(
        results.choose_service,
        ChooseServiceIn,
        label=N_("Change the way of delivery"),
        prefill=_chosen,
        done=N_("Saved."),
    ),
    "order_collection": Action(
        originals.order_collection,
        OrderCollectionIn,
        label=N_("Have originals collected"),
        done=N_("The courier is being ordered."),
        explain=N_("A courier fetches the papers and brings them to the hall. They go back together with the result."),
    ),
    "hand_over": Action(
        results.hand_over, HandOverIn, label=N_("Hand over to the applicant"), done=N_("The result is handed over.")
    ),
}

CERTIFICATE_ACTIONS: Mapping[str, Action] = {
    "print": Action(results.make_certificate, StepIn, done=N_("The certificate is made. Print the PDF and pack it.")),
    "spoil": Action(results.spoil_certificate, ReasonedIn, danger=True, done=N_("A new piece is queued.")),
}


def case_actions(view: CaseView) -> tuple[ActionView, ...]:
    """What the reader of this view may do now: edges of the machine first, then the other steps."""
    href = f"/cases/{view.id}"
    edges = actions_of(CASE, view.state, view.parts, href=href, table=CASE_ACTIONS, version=view.version)
    return edges + tuple(
        action_link(href, name, CASE_ACTIONS[name], primary=primary, version=view.version)
        for name, primary, possible in (
            ("hand_over", True, _may_hand_over(view)),
            ("demand", False, bool(view.parts & ASKERS) and view.state in OPEN_TO_DEMANDS),
            ("choose_service", False, Part.APPLICANT in view.parts and is_open_for_choice(view)),
            ("order_collection", False, Part.APPLICANT in view.parts and view.state not in (*DECIDED, *WITHOUT_RESULT)),
        )
        if possible
    )


def agency_links(view: CaseView) -> Mapping[UUID, str]:
    """For each demand that nothing serves yet: the query of the publish form that links a procurement to this case.

    Only for the organisation that applied; a person without one cannot publish a procurement.
    """
    owner = view.applicant_organisation_id
    if owner is None or Part.APPLICANT not in view.parts:
        return {}
    token = case_link(view.subject, view.thread_id, owner)
    return {
        demand.id: urlencode({"case": token, "item": demand.item_version_id, "project": view.project_name})
        for demand in view.demands
        if demand.met_at is None and demand.procurement is None
    }


def _may_hand_over(view: CaseView) -> bool:
    ready = view.service.mode == ServiceMode.WINDOW and view.service.state == ServiceState.READY
    return ready and Part.WINDOW in view.parts


def certificate_actions(view: CertificateView) -> tuple[ActionView, ...]:
    """What the reader may do with this certificate now."""
    table = CERTIFICATE_ACTIONS
    if view.mode in CARRIED:
        table = {name: action for name, action in table.items() if name != "spoil"}
    return actions_of(
        CERTIFICATE, view.state, view.parts, href=f"/certificates/{view.id}", table=table, version=view.version
    )
