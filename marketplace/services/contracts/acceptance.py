"""Deliverables, milestone by milestone: handed in, accepted, returned for rework, accepted by silence."""

import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import beijing_date
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, IllegalTransition, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import DeliverableAccepted
from marketplace.models.agencies import Practitioner
from marketplace.models.contracts import ClockPause, Contract, Deliverable
from marketplace.queries.contracts.clock import pauses_of, reading_of
from marketplace.queries.contracts.templates import pinned_template
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.acceptance import (
    REMINDERS,
    accept_by_after_reminder,
    is_accepted_by_silence,
    is_reminder_due,
)
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.money import bill_next_milestone, milestones_of, release_if_earned
from marketplace.services.contracts.questions import drop_open_question
from marketplace.services.contracts.telling import Reasoned, locked, tell
from marketplace.states.agency import PractitionerState
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState
_PERSON: Final = re.compile(r"(?P<name>[^,，;；|｜]{1,60})(?:[,，;；|｜]\s*(?P<certificate>.{1,60}))?")


@dataclass(frozen=True)
class Deliver:
    """One version of the deliverable with who answers for it; `others` sign too, one a line: "name, certificate number"."""

    title: str
    practitioner_name: str
    file: Upload
    practitioner_certificate: str | None = None
    others: str | None = None
    checked: bool = True
    note: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class AcceptDeliverable:
    """The owner takes the newest version as it is."""

    version: int | None = None


@use_case
def deliver(actor: Actor, contract_id: UUID, command: Deliver) -> None:
    """Hand in one version for the milestone being worked on: the clock stands until the owner has decided.

    Raises Refused when the checklist is not confirmed, and what `keep` raises about the file; then nothing is changed.
    """
    contract, held = locked(actor, contract_id, command.version)
    if CONTRACT.edge("deliver", contract.state) is None:  # before a file is stored for nothing
        raise IllegalTransition(CONTRACT.name, "deliver", contract.state, ())
    if not command.checked:
        raise Refused("checklist-open", N_("Confirm that the checklist is fulfilled."), field="checked")
    now, calendar = clock.now(), work_calendar.current()
    people = _people(command, practitioners_of(contract.agency_organisation_id))
    drop_open_question(contract, actor)
    milestone = next(one for one in milestones_of(contract) if one.accepted_at is None)
    contract.delivered_on = beijing_date(now)
    contract.accept_by = calendar.deadline(now, rule_book(contract.rule_book_version).result_accept_wd).at
    contract.acceptance_reminders = 0
    number = _next_version(contract)
    detail = {"version": number, "title": command.title, "milestone": milestone.title}
    move(contract, CONTRACT, "deliver", actor, held, detail=detail)
    contract.asked_by = contract.answer_by = None
    file = keep(command.file, actor)
    db.session.add(
        Deliverable(
            contract_id=contract.id,
            number=number,
            title=command.title,
            file_id=file.id,
            file_name=file.name,
            file_sha256=file.sha256,
            file_size=file.size,
            practitioner_name=people[0]["name"],
            practitioner_certificate=people[0]["certificate"],
            practitioners=people,
            milestone=milestone.position,
            checklist=list(pinned_template(contract.template_edition_id).checklist),
            note=command.note or "",
            submitted_by_name=actor.name,
            submitted_at=now,
        )
    )
    tell(contract, Part.OWNER, "contract.delivered", N_("A deliverable waits for your acceptance: %(number)s"))


def practitioners_of(agency_organisation_id: UUID) -> frozenset[str]:
    """The names of the checked practitioners who are on the agency's register today."""
    statement = select(Practitioner.name).where(
        Practitioner.organisation_id == agency_organisation_id, Practitioner.state == PractitionerState.VALID
    )
    return frozenset(db.session.scalars(statement))


def _people(command: Deliver, registered: frozenset[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": command.practitioner_name, "certificate": command.practitioner_certificate or ""}
    ]
    for number, line in enumerate((row.strip() for row in (command.others or "").splitlines() if row.strip()), 1):
        match = _PERSON.fullmatch(line)
        if match is None:
            raise Refused(
                "practitioner-line",
                N_("Line %(number)s: write the name and, after a comma, the number of the certificate."),
                field="others",
                params={"number": number},
            )
        found.append({"name": match["name"].strip(), "certificate": (match["certificate"] or "").strip()})
    names = [(one["name"], one["certificate"]) for one in found]
    if len(set(names)) < len(names):
        raise Refused("practitioner-twice", N_("The same person is named twice."), field="others")
    return [{**one, "on_register": one["name"] in registered} for one in found]


def _next_version(contract: Contract) -> int:
    newest = db.session.scalar(select(func.max(Deliverable.number)).where(Deliverable.contract_id == contract.id))
    return (newest or 0) + 1


@use_case
def accept(actor: Actor, contract_id: UUID, command: AcceptDeliverable) -> None:
    """Accept the newest version: its milestone's money is released, and after the last one the rating period begins."""
    contract, held = locked(actor, contract_id, command.version)
    take_over(actor, contract, held, ("accept", "accept_part"))


@use_case
def accept_by_silence(contract_id: UUID) -> bool:
    """Accept on the owner's silence past the limit and both reminders; False when that is not (or no longer) the case."""
    contract = lock(Contract, contract_id)
    if contract.state != S.DELIVERED or not _is_silent(contract):
        return False
    take_over(SYSTEM, contract, frozenset({Part.SYSTEM}), ("accept_by_silence", "accept_part_by_silence"))
    return True


def _is_silent(contract: Contract) -> bool:
    return is_accepted_by_silence(contract.accept_by, contract.acceptance_reminders, clock.now())


def take_over(actor: Actor, contract: Contract, held: frozenset[Part], actions: tuple[str, str]) -> None:
    """Accept the newest version by the first of `actions` when it is the last milestone's, else by the second."""
    now = clock.now()
    newest = newest_deliverable(contract)
    reading = reading_of(contract, pauses_of(contract.id))
    assert reading is not None  # handed in, so it was signed
    rows = milestones_of(contract)
    done = next(one for one in rows if one.position == newest.milestone)
    is_last = done.position == rows[-1].position
    if CONTRACT.edge(actions[0], contract.state) is None:
        raise IllegalTransition(CONTRACT.name, "accept", contract.state, ())
    facts = {"version": newest.number, "milestone": done.title, "days": f"{reading.used_wd}/{reading.limit_wd}"}
    if is_last:
        contract.accepted_at = now
        rating_wd = rule_book(contract.rule_book_version).rating_owner_wd
        contract.rate_by = work_calendar.current().deadline(now, rating_wd).at
        event = DeliverableAccepted(
            contract_id=contract.id,
            procurement_id=contract.procurement_id,
            thread_id=contract.thread_id,
            case_subject=contract.case_subject,
            file_id=newest.file_id,
            title=newest.title,
            agency_organisation_id=contract.agency_organisation_id,
            on_time=not reading.is_overdue,
        )
        move(contract, CONTRACT, actions[0], actor, held, event=event, detail=facts)
    else:
        move(contract, CONTRACT, actions[1], actor, held, detail=facts)
        let_clock_run_on(contract, actor)
    newest.accepted_at, newest.decided_by_name = now, actor.name
    done.accepted_at = now
    db.session.flush()  # the milestones are read again below
    release_if_earned(contract)
    bill_next_milestone(contract)
    tell(contract, Part.AGENCY, "contract.accepted", N_("Your deliverable was accepted: %(number)s"))


def newest_deliverable(contract: Contract) -> Deliverable:
    """The version that waits for a decision. Raises IllegalTransition when none does."""
    statement = select(Deliverable).where(Deliverable.contract_id == contract.id).order_by(Deliverable.number.desc())
    newest = db.session.scalars(statement.limit(1)).first()
    if newest is None or newest.returned_at is not None or newest.accepted_at is not None:
        raise IllegalTransition(CONTRACT.name, "accept", contract.state, ())
    return newest


def let_clock_run_on(contract: Contract, actor: Actor) -> None:
    """Take the days of the review out of the count; the clock runs on from the next working day."""
    now, delivered_on = clock.now(), contract.delivered_on
    assert delivered_on is not None  # required in the state it comes from
    db.session.add(
        ClockPause(
            contract_id=contract.id,
            reason="review",
            asked_by=Part.SYSTEM,
            asked_by_name=actor.name,
            asked_at=now,
            outcome="confirmed",
            starts_on=delivered_on,
            ends_on=beijing_date(now),
        )
    )
    db.session.flush()
    contract.delivered_on = contract.accept_by = None
    set_deadline(contract, work_calendar.current())


@use_case
def return_deliverable(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Return the newest version with reasons: the days of the review do not count and the clock runs on.

    Raises Conflict once silence has accepted it: the limit is over and both reminders were sent.
    """
    contract, held = locked(actor, contract_id, command.version)
    if contract.state == S.DELIVERED and _is_silent(contract):
        raise Conflict("accepted-by-silence", N_("The time to return this deliverable is over; it counts as accepted."))
    move(contract, CONTRACT, "return_deliverable", actor, held, reason=command.reason)
    send_back(actor, contract, command.reason)
    tell(contract, Part.AGENCY, "contract.returned", N_("Your deliverable was returned for rework: %(number)s"))


def send_back(actor: Actor, contract: Contract, reason: str) -> None:
    """Mark the newest version as returned, count the rework and let the clock run on."""
    newest = newest_deliverable(contract)
    newest.returned_at, newest.return_reason, newest.decided_by_name = clock.now(), reason, actor.name
    contract.rework_count += 1
    let_clock_run_on(contract, actor)


@use_case
def remind_of_acceptance(contract_id: UUID) -> bool:
    """Remind the owner on the last working day but one and on the last; without both, silence is no acceptance.

    When a reminder comes too late (the worker stood still), one more working day is left for the answer.
    """
    contract = lock(Contract, contract_id)
    if contract.state != S.DELIVERED or contract.acceptance_reminders >= REMINDERS:
        return False
    assert contract.accept_by is not None  # required in this state
    calendar, now = work_calendar.current(), clock.now()
    if not is_reminder_due(contract.accept_by, contract.acceptance_reminders, now, calendar):
        return False
    contract.acceptance_reminders += 1
    contract.accept_by = accept_by_after_reminder(contract.accept_by, now, calendar)
    record(contract, "acceptance_reminder", SYSTEM, title=N_("Owner reminded of the acceptance"))
    tell(
        contract, Part.OWNER, "contract.acceptance-reminder", N_("Please accept or return the deliverable: %(number)s")
    )
    return True
