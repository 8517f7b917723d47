"""Reactions to facts about procurements: telling those whom a notice, a result or a failure concerns."""

from app.identity.notices import notify
from app.kernel.clock import BEIJING
from app.kernel.db import get, use_case
from app.kernel.outbox import Handlers
from app.kernel.words import N_
from marketplace.events.procurements import (
    ComparisonOpened,
    DirectRequested,
    NoticeRevised,
    ProcurementFailed,
    ProcurementPublished,
    RegistrationClosed,
    WinnerLost,
)
from marketplace.models.procurements import Procurement
from marketplace.queries.candidates import demand_of, item_of, matching
from marketplace.services.procurements import (
    facts_of,
    href,
    in_beijing,
    notify_operators,
    registered_organisations,
    tell,
)
from marketplace.services.relation_alarms import alarm_related_registrants
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
def tell_of_revision(event: NoticeRevised) -> None:
    """Tell every registrant what changed; after a substantive change also those who match and did not register."""
    procurement = get(Procurement, event.procurement_id)
    if procurement.state != ProcurementState.PUBLISHED or procurement.registration_ends_at is None:
        return
    until = procurement.registration_ends_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    registered = registered_organisations(procurement.id)
    for organisation_id in registered:
        tell(
            procurement,
            organisation_id,
            "procurement.revised",
            N_("The notice was changed: %(title)s"),
            N_(
                "Version %(version)s of %(number)s is public; the page shows what changed. You stay registered and may withdraw until %(until)s."
            ),
            version=event.notice_version,
            until=until,
        )
    if not event.restarts:
        return
    for agency in matching(item_of(procurement.item_version_id), demand_of(procurement)):
        if agency.organisation_id not in registered:
            tell(
                procurement,
                agency.organisation_id,
                "procurement.opportunity",
                N_("A changed notice for you: %(title)s"),
                N_("%(owner)s changed the notice %(number)s. You meet every condition. Register until %(until)s."),
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


@use_case
def ask_owner_to_compare(event: ComparisonOpened) -> None:
    """Ask the owner for the comparison sheet or the choice, with its deadline."""
    procurement = get(Procurement, event.procurement_id)
    if procurement.state == ProcurementState.COMPARING:
        tell(
            procurement,
            procurement.owner_organisation_id,
            "procurement.compare",
            N_("Compare and decide: %(title)s"),
            N_("The agencies of %(number)s wait for your comparison until %(until)s."),
            until=in_beijing(procurement.compare_by),
        )


@use_case
def ask_for_direct_decision(event: DirectRequested) -> None:
    """Ask whoever decides a direct selection: the regulator for public money, else the operator."""
    procurement = get(Procurement, event.procurement_id)
    if procurement.state == ProcurementState.DIRECT_REQUEST:
        notify(
            to_role="regulator" if event.public_money else "operator",
            kind="procurement.direct",
            subject=N_("A direct selection waits for its decision: %(title)s"),
            text=N_("%(owner)s asks to choose an agency directly (%(number)s). Check the ground and decide."),
            link=href(procurement.id),
            thread_id=procurement.thread_id,
            params=facts_of(procurement),
        )


def alarm_relations(event: RegistrationClosed) -> None:
    """Compare the files of everybody who registered."""
    alarm_related_registrants(event.procurement_id)


HANDLERS: Handlers = {
    RegistrationClosed: (alarm_relations,),
    ComparisonOpened: (ask_owner_to_compare,),
    DirectRequested: (ask_for_direct_decision,),
    ProcurementPublished: (tell_matching_agencies,),
    NoticeRevised: (tell_of_revision,),
    ProcurementFailed: (tell_of_failure,),
    WinnerLost: (ask_for_succession,),
}
