"""Deliverables: handed in, accepted, returned for rework, accepted by silence."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import beijing_date, start_of_day
from app.kernel.db import db, lock, use_case
from app.kernel.errors import IllegalTransition
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import DeliverableAccepted
from marketplace.models.contracts import ClockPause, Contract, Deliverable
from marketplace.queries.contracts import pauses_of, reading_of
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.money import release_if_earned
from marketplace.services.contracts.telling import Reasoned, locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState


ACCEPTANCE_REMINDERS = 2


@dataclass(frozen=True)
class Deliver:
    """One version of the deliverable with the practitioner who answers for it."""

    title: str
    practitioner_name: str
    file: Upload
    practitioner_certificate: str | None = None
    note: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class AcceptDeliverable:
    """The owner takes the newest version as it is."""

    version: int | None = None


@use_case
def deliver(actor: Actor, contract_id: UUID, command: Deliver) -> None:
    """Hand in one version of the deliverable: the clock stands until the owner has decided.

    Raises what `keep` raises about the file; then nothing is changed.
    """
    contract, held = locked(actor, contract_id, command.version)
    if CONTRACT.edge("deliver", contract.state) is None:  # before a file is stored for nothing
        raise IllegalTransition(CONTRACT.name, "deliver", contract.state, ())
    now, calendar = clock.now(), work_calendar.current()
    drop_open_question(contract, actor)
    contract.delivered_on = beijing_date(now)
    contract.accept_by = calendar.deadline(now, rule_book(contract.rule_book_version).result_accept_wd).at
    contract.acceptance_reminders = 0
    number = _next_version(contract)
    move(contract, CONTRACT, "deliver", actor, held, detail={"version": number, "title": command.title})
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
            practitioner_name=command.practitioner_name,
            practitioner_certificate=command.practitioner_certificate or "",
            note=command.note or "",
            submitted_by_name=actor.name,
            submitted_at=now,
        )
    )
    tell(contract, Part.OWNER, "contract.delivered", N_("A deliverable waits for your acceptance: %(number)s"))


def _next_version(contract: Contract) -> int:
    newest = db.session.scalar(select(func.max(Deliverable.number)).where(Deliverable.contract_id == contract.id))
    return (newest or 0) + 1


def drop_open_question(contract: Contract, actor: Actor) -> None:
    """A question for a pause that nobody has answered falls away when the work is handed in."""
    if contract.state != S.PAUSE_ASKED:
        return
    for pause in pauses_of(contract.id):
        if pause.outcome == "asked":
            pause.outcome = "dropped"
            pause.answered_at, pause.answered_by_name = clock.now(), actor.name


@use_case
def accept(actor: Actor, contract_id: UUID, command: AcceptDeliverable) -> None:
    """Accept the newest version: the held money is released to the agency and the rating period begins."""
    contract, held = locked(actor, contract_id, command.version)
    _accept(actor, contract, "accept", held)


@use_case
def accept_by_silence(contract_id: UUID) -> bool:
    """Accept on the owner's silence past the limit and both reminders; False when that is not (or no longer) the case."""
    contract = lock(Contract, contract_id)
    silent = contract.accept_by is not None and clock.now() > contract.accept_by
    if contract.state != S.DELIVERED or not silent or contract.acceptance_reminders < ACCEPTANCE_REMINDERS:
        return False
    _accept(SYSTEM, contract, "accept_by_silence", frozenset({Part.SYSTEM}))
    return True


def _accept(actor: Actor, contract: Contract, action: str, held: frozenset[Part]) -> None:
    now = clock.now()
    newest = _newest_deliverable(contract)
    reading = reading_of(contract, pauses_of(contract.id))
    assert reading is not None  # handed in, so it was signed
    contract.accepted_at = now
    contract.rate_by = work_calendar.current().deadline(now, rule_book(contract.rule_book_version).rating_owner_wd).at
    newest.accepted_at, newest.decided_by_name = now, actor.name
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
    facts = {"version": newest.number, "days": f"{reading.used_wd}/{reading.limit_wd}"}
    move(contract, CONTRACT, action, actor, held, event=event, detail=facts)
    release_if_earned(contract)
    tell(contract, Part.AGENCY, "contract.accepted", N_("Your deliverable was accepted: %(number)s"))


def _newest_deliverable(contract: Contract) -> Deliverable:
    statement = select(Deliverable).where(Deliverable.contract_id == contract.id).order_by(Deliverable.number.desc())
    newest = db.session.scalars(statement.limit(1)).first()
    if newest is None or newest.returned_at is not None:
        raise IllegalTransition(CONTRACT.name, "accept", contract.state, ())
    return newest


@use_case
def return_deliverable(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """Return the newest version with reasons: the days of the review do not count and the clock runs on."""
    contract, held = locked(actor, contract_id, command.version)
    move(contract, CONTRACT, "return_deliverable", actor, held, reason=command.reason)
    newest = _newest_deliverable(contract)
    now, delivered_on = clock.now(), contract.delivered_on
    assert delivered_on is not None  # required in the state it was returned from
    newest.returned_at, newest.return_reason, newest.decided_by_name = now, command.reason, actor.name
    db.session.add(
        ClockPause(
            contract_id=contract.id,
            reason="review",
            asked_by=Part.SYSTEM,
            asked_by_name=actor.name,
            asked_at=newest.submitted_at,
            outcome="confirmed",
            starts_on=delivered_on,
            ends_on=beijing_date(now),
        )
    )
    contract.delivered_on = contract.accept_by = None
    set_deadline(contract, work_calendar.current())
    tell(contract, Part.AGENCY, "contract.returned", N_("Your deliverable was returned for rework: %(number)s"))


@use_case
def remind_of_acceptance(contract_id: UUID) -> bool:
    """Remind the owner on the last working day but one and on the last; without both, silence is no acceptance.

    When a reminder comes too late (the worker stood still), one more working day is left for the answer.
    """
    contract = lock(Contract, contract_id)
    if contract.state != S.DELIVERED or contract.acceptance_reminders >= ACCEPTANCE_REMINDERS:
        return False
    assert contract.accept_by is not None  # required in this state
    calendar, now = work_calendar.current(), clock.now()
    last_day = beijing_date(contract.accept_by)
    reminder_day = last_day if contract.acceptance_reminders else calendar.previous_working_day(last_day)
    if now < start_of_day(reminder_day):
        return False
    contract.acceptance_reminders += 1
    if now > contract.accept_by:
        contract.accept_by = calendar.deadline(now, 1).at
    record(contract, "acceptance_reminder", SYSTEM, title=N_("Owner reminded of the acceptance"))
    tell(
        contract, Part.OWNER, "contract.acceptance-reminder", N_("Please accept or return the deliverable: %(number)s")
    )
    return True
