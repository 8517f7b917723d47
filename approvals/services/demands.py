"""Intermediary services that a department demands: only from the published list, met by an accepted deliverable."""

from uuid import UUID

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from approvals.models import ApprovalItem, Case, DemandedDeliverable
from approvals.rules import DemandProblem, ListedVersion, demand_problem
from approvals.services.cases import locked
from approvals.services.commands import Demand
from approvals.services.notices import tell_applicant, tell_department
from approvals.states import CaseState, Part
from marketplace.events.contracts import DeliverableAccepted
from marketplace.queries import listed_items
from marketplace.queries.contracts import owner_and_item
from marketplace.services import reviews

DEMAND_TEXTS = {
    DemandProblem.NOT_PUBLISHED: N_("Nothing outside the published item list may be demanded."),
    DemandProblem.NOT_YET_IN_FORCE: N_("This version of the item was not in force yet on the day of the application."),
    DemandProblem.NO_LONGER_IN_FORCE: N_(
        "This version of the item was no longer in force on the day of the application."
    ),
    DemandProblem.CANCELLED: N_("This item has been taken off the list."),
    DemandProblem.OTHER_APPROVAL: N_("By the list this service is no condition of this approval."),
    DemandProblem.ALREADY_DEMANDED: N_("This service has been demanded already."),
}
OPEN_TO_DEMANDS = frozenset({CaseState.RECEIVED, CaseState.CORRECTED, CaseState.ACCEPTED, CaseState.HANDLING})
ASKERS = frozenset({Part.WINDOW, Part.DEPARTMENT})


@use_case
def demand(actor: Actor, case_id: UUID, command: Demand) -> None:
    """Demand an intermediary service by the version of its list entry in force on the day of the application.

    Anything else is refused: what is not on the list, what came later or had gone, and what serves other approvals.
    """
    case, held = locked(actor, case_id, command.version)
    if not held & ASKERS:
        raise NotAllowed
    if case.state not in OPEN_TO_DEMANDS:
        raise Conflict("not-open-to-demands", N_("In its present state nothing more can be demanded for this case."))
    item = listed_items.listed_version(command.item_version_id)
    problem = demand_problem(
        _facts(item) if item else None,
        clock.beijing_day(case.created_at),
        db.session.scalar(select(ApprovalItem.code).where(ApprovalItem.id == case.item_id)) or "",
        already_demanded=item is not None and _is_demanded(case, item.item_id),
    )
    if problem or item is None:
        problem = problem or DemandProblem.NOT_PUBLISHED
        raise Refused(f"demand-{problem.replace('_', '-')}", DEMAND_TEXTS[problem], field="item_version_id")
    db.session.add(
        DemandedDeliverable(
            id=new_id(),
            case_id=case.id,
            item_version_id=command.item_version_id,
            item_id=item.item_id,
            item_name=item.name,
            reason=command.reason,
            demanded_by_name=actor.name,
            demanded_at=clock.now(),
        )
    )
    record(
        case, "demanded", actor, title=N_("Intermediary service demanded: %(service)s"), detail={"service": item.name}
    )
    tell_applicant(case, "case.demand", N_("Case %(number)s needs an intermediary service"))


def _facts(item: listed_items.ListedItem) -> ListedVersion:
    return ListedVersion(item.is_published, item.effective_from, item.effective_to, item.approvals, item.is_on_list)


def _is_demanded(case: Case, item_id: UUID) -> bool:
    statement = select(DemandedDeliverable.id).where(
        DemandedDeliverable.case_id == case.id, DemandedDeliverable.item_id == item_id
    )
    return db.session.scalar(statement) is not None


@use_case
def take_deliverable(case_id: UUID, event: DeliverableAccepted) -> None:
    """Take an accepted deliverable into the case, so that nobody has to hand it in.

    Only for a service that was demanded and that the applicant itself procured: a stranger's procurement that names
    this case changes nothing.
    """
    facts = owner_and_item(event.contract_id)
    case = lock(Case, case_id)
    if facts is None or facts.owner_organisation_id != case.applicant_organisation_id:
        return
    statement = select(DemandedDeliverable).where(
        DemandedDeliverable.case_id == case_id,
        DemandedDeliverable.item_id == facts.item_id,
        DemandedDeliverable.met_at.is_(None),
    )
    wanted = db.session.scalars(statement.with_for_update()).first()
    if wanted is None:
        return
    wanted.procurement_id, wanted.contract_id = event.procurement_id, event.contract_id
    wanted.file_id, wanted.file_title, wanted.met_at = event.file_id, event.title, clock.now()
    record(
        case,
        "deliverable_taken",
        SYSTEM,
        title=N_("Deliverable taken into the case: %(title)s"),
        detail={"title": event.title},
    )
    tell_applicant(case, "case.deliverable", N_("The demanded deliverable has reached case %(number)s"))
    tell_department(case, N_("A demanded deliverable has reached case %(number)s"))


@use_case
def tell_of_use(case_id: UUID) -> None:
    """Tell the supermarket that the case was decided with its demanded deliverables, for their record and the department's rating.

    An approval passed the first time when it was granted in full and nothing had to be corrected. Bears a repeat.
    """
    case = get(Case, case_id)
    if case.decided_at is None:
        return
    used = db.session.scalars(
        select(DemandedDeliverable.contract_id).where(
            DemandedDeliverable.case_id == case_id, DemandedDeliverable.contract_id.is_not(None)
        )
    ).all()
    first_pass = case.state == CaseState.APPROVED and case.correction_note is None
    for contract_id in used:
        assert contract_id is not None
        reviews.deliverable_used(
            contract_id,
            case.department_organisation_id,
            case.number,
            first_pass=first_pass,
            used_at=case.decided_at,
        )
