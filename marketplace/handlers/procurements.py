"""Reactions to facts about procurements: telling those whom a notice, a result or a failure concerns."""

from app.kernel.clock import BEIJING
from app.kernel.db import get, use_case
from app.kernel.outbox import Handlers
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementFailed, ProcurementPublished, WinnerLost
from marketplace.models.procurements import Procurement
from marketplace.queries.candidates import demand_of, item_of, matching
from marketplace.services.procurements import notify_operators, tell
from marketplace.states.procurement import FAILURE_TEXTS, ProcurementState


@use_case
def tell_matching_agencies(event: ProcurementPublished) -> None:
    """Tell every agency that would be eligible today that a notice is open."""
    procurement = get(Procurement, event.procurement_id)
    if procurement.state != ProcurementState.PUBLISHED or procurement.registration_ends_at is None:
        return
    until = procurement.registration_ends_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    for agency in matching(item_of(procurement.item_version_id), demand_of(procurement)):
        tell(
            procurement,
            agency.organisation_id,
            "procurement.opportunity",
            N_("A notice for you: %(title)s"),
            N_("%(owner)s looks for an agency (%(number)s). You meet every condition. Register until %(until)s."),
            until=until,
        )


@use_case
def tell_of_failure(event: ProcurementFailed) -> None:
    """Tell the owner why the selection failed and what can be done."""
    procurement = get(Procurement, event.procurement_id)
    tell(
        procurement,
        procurement.owner_organisation_id,
        "procurement.failed",
        N_("Selection failed: %(title)s"),
        N_("%(number)s failed: %(cause)s Extend the registration, prepare a new round, or abandon the procurement."),
        cause=FAILURE_TEXTS[event.failure_code],
    )


@use_case
def ask_for_succession(event: WinnerLost) -> None:
    """Ask the operator for the two approvals that the next of the ranking needs."""
    procurement = get(Procurement, event.procurement_id)
    if procurement.state == ProcurementState.RESELECT:
        notify_operators(
            procurement,
            "procurement.succession",
            N_("Succession to approve: %(title)s"),
            N_("The winner of %(number)s dropped out. Two persons approve the next of the published ranking."),
        )


HANDLERS: Handlers = {
    ProcurementPublished: (tell_matching_agencies,),
    ProcurementFailed: (tell_of_failure,),
    WinnerLost: (ask_for_succession,),
}
