"""Complaints to the operator or the regulator, and reports of demands outside the item list."""

from uuid import UUID

from app.identity.queries import organisation_name
from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import end_of_day
from app.kernel.db import db, get, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement
from marketplace.policy import contract_parts, sees_procurement
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rulebook import RuleBook
from marketplace.rules.challenges import (
    ChallengeKind,
    ComplaintType,
    HandledBy,
    Side,
    Standing,
    Target,
    complaint_ends,
    handler_of,
    may_challenge,
)
from marketplace.services.challenges.commands import FileComplaint, FileOffListReport
from marketplace.services.challenges.filing import (
    Matter,
    challenger_of,
    file_challenge,
    require_person,
    standing_in_procurement,
    standing_of,
)
from marketplace.states.challenge import ChallengeState


@use_case
def complain(actor: Actor, command: FileComplaint) -> UUID:
    """File a complaint with the operator or the regulator, whichever the type and the other side call for.

    After an answered (or unanswered) objection or query it must come within the rule book's working days; otherwise within
    them after the day on which the fact became known. Raises NotAllowed, NotFound, Refused, Conflict.
    """
    require_person(actor)
    if command.complaint_type is ComplaintType.OFF_LIST:
        raise Refused("off-list-form", N_("Use the form for demands outside the item list."), field="complaint_type")
    book = rule_book_in_force()
    previous = _own_previous(actor, command.previous_id)
    procurement = _visible_procurement(actor, previous.procurement_id if previous else command.procurement_id)
    _refuse_late_complaint(book, command, previous)
    organisation, name, found = _other_side(actor, command, previous, procurement)
    identifier = f"challenge:{previous.id}" if previous else f"own:{new_id()}"
    matter = Matter(
        kind=ChallengeKind.COMPLAINT,
        target=Target(previous.target) if previous else Target.CONDUCT,
        key=identifier,
        standing=standing_of(actor, own=False) if procurement is None else _complaint_standing(actor, procurement),
        against=command.against,
        against_name=name,
        handled_by=handler_of(command.complaint_type, command.against, is_follow_up=previous is not None),
        against_organisation_id=organisation,
        procurement_id=procurement.id if procurement else found.procurement_id if found else None,
        agency_id=command.agency_id,
        thread_id=procurement.thread_id if procurement else found.thread_id if found else None,
        previous_id=command.previous_id,
        complaint_type=command.complaint_type,
        known_on=command.known_on,
        reference=(command.reference or (found.number if found else "")).strip(),
    )
    if not may_challenge(matter.kind, matter.target, matter.standing):
        raise NotAllowed
    return file_challenge(actor, matter, command, book).id


def _complaint_standing(actor: Actor, procurement: Procurement) -> Standing:
    standing = standing_in_procurement(actor, procurement)
    return Standing.OWNER if standing is Standing.PARTY else standing


def _own_previous(actor: Actor, previous_id: UUID | None) -> Challenge | None:
    if previous_id is None:
        return None
    previous = db.session.get(Challenge, previous_id)
    if previous is None or previous.challenger != challenger_of(actor):
        raise NotFound
    answered = previous.state in {ChallengeState.UPHELD, ChallengeState.REJECTED}
    if not answered and not (previous.state == ChallengeState.FILED and clock.now() > previous.answer_by):
        raise Conflict("answer-not-due", N_("Wait for the answer: its limit has not passed yet."))
    return previous


def _visible_procurement(actor: Actor, procurement_id: UUID | None) -> Procurement | None:
    if procurement_id is None:
        return None
    procurement = get(Procurement, procurement_id)
    if not sees_procurement(actor, procurement):
        raise NotFound
    return procurement


def _refuse_late_complaint(book: RuleBook, command: FileComplaint, previous: Challenge | None) -> None:
    if previous is not None:
        since = previous.decided_at or previous.first_answer_by
    elif command.known_on is None:
        raise Refused("known-on-missing", N_("Say on which day you learnt of it."), field="known_on")
    elif command.known_on > clock.today():
        raise Refused("known-on-future", N_("This day has not come yet."), field="known_on")
    else:
        since = end_of_day(command.known_on)
    ends_at = complaint_ends(book, work_calendar.current(), since)
    if clock.now() > ends_at:
        raise Conflict(
            "complaint-too-late",
            N_("The time for this complaint ended on %(until)s."),
            params={"until": ends_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")},
        )


def _other_side(
    actor: Actor, command: FileComplaint, previous: Challenge | None, procurement: Procurement | None
) -> tuple[UUID | None, str, Contract | None]:
    """The organisation complained of, its name, and the contract it is about, if one."""
    contract = db.session.get(Contract, command.contract_id) if command.contract_id else None
    if command.contract_id and (contract is None or not contract_parts(actor, contract)):
        raise NotFound
    organisation: UUID | None = None
    if command.against is Side.OPERATOR:
        return None, N_("Operator"), contract
    if command.against is Side.OWNER:
        organisation = contract.owner_organisation_id if contract else None
        organisation = organisation or (procurement.owner_organisation_id if procurement else None)
    elif command.against is Side.AGENCY:
        organisation = _agency_complained_of(command, contract, procurement)
    if previous is not None and organisation is None and command.against is Side.OWNER:
        organisation = previous.against_organisation_id
    if organisation is not None and organisation == actor.organisation_id:
        raise Refused("against-oneself", N_("This is your own organisation."), field="against")
    name = organisation_name(organisation) if organisation else (command.against_name or "").strip()
    if not name:
        raise Refused("against-missing", N_("Say whom the complaint is directed against."), field="against_name")
    return organisation, name, contract


def _agency_complained_of(
    command: FileComplaint, contract: Contract | None, procurement: Procurement | None
) -> UUID | None:
    if contract is not None:
        return contract.agency_organisation_id
    if command.agency_id is not None:
        return get(Agency, command.agency_id).organisation_id
    return procurement.winner_organisation_id if procurement else None


@use_case
def report_off_list_demand(actor: Actor, command: FileOffListReport) -> UUID:
    """Report that a department demands a service that is not on the list; the regulator answers within its limit, publicly."""
    require_person(actor)
    standing = standing_of(actor, own=False)
    if not may_challenge(ChallengeKind.OFF_LIST, Target.CONDUCT, standing):
        raise NotAllowed
    matter = Matter(
        kind=ChallengeKind.OFF_LIST,
        target=Target.CONDUCT,
        key=f"own:{new_id()}",
        standing=standing,
        against=Side.OTHER,
        against_name=command.department.strip(),
        handled_by=HandledBy.REGULATOR,
        complaint_type=ComplaintType.OFF_LIST,
        reference=" · ".join(part.strip() for part in (command.demanded, command.approval or "") if part.strip()),
    )
    return file_challenge(actor, matter, command, rule_book_in_force()).id
