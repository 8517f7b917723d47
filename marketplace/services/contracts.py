"""Use cases of a contract: drawn up from the award, signed by both sides, delivered, accepted, paid out and closed."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

import payments.services as payments
from app.documents import issue
from app.identity import queries as identity
from app.identity.notices import notify
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import WorkCalendar, beijing_date, end_of_day, start_of_day
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, IllegalTransition, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.contracts import PrintedSignature, contract_pdf
from marketplace.events.contracts import ContractClosed, ContractSigned, ContractTerminated, DeliverableAccepted
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import ClockPause, Contract, ContractSignature, Deliverable
from marketplace.models.procurements import Procurement
from marketplace.policy import contract_parts
from marketplace.queries.contracts import pauses_of, reading_of
from marketplace.queries.rulebooks import rule_book
from marketplace.rulebook import RuleBook
from marketplace.rules.contract_text import ContractFacts, contract_text, document_digest
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part
from payments.services import BillKind, BillLine, OpenBill

S = ContractState
ACCEPTANCE_REMINDERS = 2


@dataclass(frozen=True)
class SignContract:
    """`document_sha256` is the digest that stood beside the text the signer read."""

    document_sha256: str
    agreed: bool
    version: int | None = None


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


@dataclass(frozen=True)
class Reasoned:
    """A step with a written reason."""

    reason: str
    version: int | None = None


def link_of(contract: Contract) -> str:
    """The page of the contract."""
    return f"/contracts/{contract.id}"


def locked(actor: Actor, contract_id: UUID, seen: int | None) -> tuple[Contract, frozenset[Part]]:
    """The contract for writing with the actor's parts. Raises NotFound, also for the contract of others, and Outdated."""
    contract = lock(Contract, contract_id)
    held = contract_parts(actor, contract)
    if not held:
        raise NotFound
    return lock(Contract, contract_id, seen=seen), held


def set_deadline(contract: Contract, calendar: WorkCalendar) -> None:
    """Compute and store the last day of the service from limit and pauses; None while it cannot be computed."""
    reading = reading_of(contract, pauses_of(contract.id), calendar)
    assert reading is not None
    contract.deadline_on = reading.planned_finish
    contract.deadline_provisional = reading.planned_finish is None or any(
        calendar.is_provisional(year) for year in range(reading.starts_on.year, reading.planned_finish.year + 1)
    )
    if contract.deadline_on is None or contract.deadline_on >= clock.today():
        contract.overdue_since = None


# --- drawing up and signing -------------------------------------------------------------------------------------


@use_case
def draw_up_contract(procurement: Procurement, winner_organisation_id: UUID, price_fen: int) -> UUID:
    """Draw up the contract of a confirmed award and ask the agency to sign first. Called inside `confirm_award`."""
    book = rule_book(procurement.rule_book_version)
    number = next_number("HT")
    text = _text(procurement, winner_organisation_id, price_fen, number, book)
    now = clock.now()
    contract = Contract(
        id=new_id(),
        thread_id=procurement.thread_id,
        number=number,
        procurement_id=procurement.id,
        owner_organisation_id=procurement.owner_organisation_id,
        agency_organisation_id=winner_organisation_id,
        item_version_id=procurement.item_version_id,
        case_subject=procurement.case_subject,
        rule_book_version=book.version,
        title=procurement.title,
        price_fen=price_fen,
        limit_wd=procurement.limit_wd,
        document_text=text,
        document_sha256=document_digest(text),
        state=S.TO_SIGN_AGENCY,
        created_at=now,
        sign_by=work_calendar.current().deadline(now, book.contract_sign_wd).at,
    )
    db.session.add(contract)
    db.session.flush()  # the timeline and the notices below refer to it
    record(contract, "drawn_up", SYSTEM, title=N_("Contract drawn up"), detail={"number": number})
    tell(contract, Part.AGENCY, "contract.to-sign", N_("A contract waits for your signature: %(number)s"))
    return contract.id


def _text(procurement: Procurement, agency_id: UUID, price_fen: int, number: str, book: RuleBook) -> str:
    item = get(ItemVersion, procurement.item_version_id)
    sides = identity.organisations_by_ids((procurement.owner_organisation_id, agency_id))
    owner, agency = sides[procurement.owner_organisation_id], sides[agency_id]
    return contract_text(
        ContractFacts(
            number=number,
            title=procurement.title,
            service_name=item.name,
            service_version=item.version,
            legal_basis=item.legal_basis,
            deliverable=item.deliverable,
            procurement_number=procurement.number,
            owner_name=owner.name,
            owner_uscc=owner.uscc or "",
            agency_name=agency.name,
            agency_uscc=agency.uscc or "",
            price_fen=price_fen,
            limit_wd=procurement.limit_wd,
            accept_wd=book.result_accept_wd,
            pause_confirm_wd=book.pause_confirm_wd,
            pay_days=book.pay_government_days,
        )
    )


@use_case
def sign(actor: Actor, contract_id: UUID, command: SignContract) -> None:
    """Sign the text that was shown: the agency first, then the owner, whose signature starts the clock and opens the bill.

    Raises Refused when the digest is not that of the present text or the reading was not confirmed.
    """
    contract, held = locked(actor, contract_id, command.version)
    if not command.agreed:
        raise Refused("not-agreed", N_("Confirm that you have read the contract and agree to it."), field="agreed")
    if command.document_sha256 != contract.document_sha256:
        raise Conflict("document-changed", N_("This is not the text you were shown. Read the contract again."))
    if contract.state == S.TO_SIGN_OWNER and Part.OWNER in held:
        _sign_last(actor, contract, held)
    else:
        move(contract, CONTRACT, "sign", actor, held, detail={"document_sha256": contract.document_sha256})
        _add_signature(actor, contract, Part.AGENCY)
        tell(contract, Part.OWNER, "contract.to-sign", N_("A contract waits for your signature: %(number)s"))


def _sign_last(actor: Actor, contract: Contract, held: frozenset[Part]) -> None:
    now = clock.now()
    contract.signed_at = now
    contract.starts_on = beijing_date(now)
    set_deadline(contract, work_calendar.current())
    move(
        contract,
        CONTRACT,
        "sign",
        actor,
        held,
        detail={"document_sha256": contract.document_sha256},
        event=ContractSigned(
            contract_id=contract.id,
            procurement_id=contract.procurement_id,
            thread_id=contract.thread_id,
            owner_organisation_id=contract.owner_organisation_id,
            agency_organisation_id=contract.agency_organisation_id,
        ),
    )
    _add_signature(actor, contract, Part.OWNER)
    _open_bill(contract)
    tell(
        contract, Part.AGENCY, "contract.signed", N_("Contract %(number)s is signed, the working-day clock has started")
    )


def _add_signature(actor: Actor, contract: Contract, side: Part) -> None:
    assert actor.user_id is not None  # only members of an organisation play a side
    assert actor.organisation_id is not None
    db.session.add(
        ContractSignature(
            contract_id=contract.id,
            side=side,
            organisation_id=actor.organisation_id,
            user_id=actor.user_id,
            name=actor.name,
            signed_at=clock.now(),
            document_sha256=contract.document_sha256,
        )
    )


def _open_bill(contract: Contract) -> None:
    book = rule_book(contract.rule_book_version)
    last_day = clock.today() + timedelta(days=book.pay_government_days)
    contract.bill_id = payments.open_bill(
        SYSTEM,
        OpenBill(
            thread_id=contract.thread_id,
            subject=contract.subject,
            kind=BillKind.SERVICE_FEE,
            title=contract.title,
            payer_organisation_id=contract.owner_organisation_id,
            payer_user_id=None,
            payee_organisation_id=contract.agency_organisation_id,
            lines=(BillLine(title=contract.title, amount_fen=contract.price_fen, basis=contract.number),),
            due_at=end_of_day(last_day),
        ),
    )


@use_case
def terminate(actor: Actor, contract_id: UUID, command: Reasoned) -> None:
    """End a contract that one side does not sign; the operator says why."""
    contract, held = locked(actor, contract_id, command.version)
    _terminate(actor, contract, held, command.reason)


@use_case
def terminate_unsigned(procurement_id: UUID, agency_organisation_id: UUID, reason: str) -> None:
    """End the unsigned contract of a winner that was lost (struck out after it had confirmed), if there is one."""
    found = db.session.scalars(
        select(Contract.id).where(
            Contract.procurement_id == procurement_id,
            Contract.agency_organisation_id == agency_organisation_id,
            Contract.state.in_((S.TO_SIGN_AGENCY, S.TO_SIGN_OWNER)),
        )
    ).all()
    for contract_id in found:
        _terminate(SYSTEM, lock(Contract, contract_id), frozenset({Part.SYSTEM}), reason)


def _terminate(actor: Actor, contract: Contract, held: frozenset[Part], reason: str) -> None:
    event = ContractTerminated(contract_id=contract.id, procurement_id=contract.procurement_id)
    move(contract, CONTRACT, "terminate", actor, held, reason=reason, event=event)
    for side in (Part.OWNER, Part.AGENCY):
        tell(contract, side, "contract.terminated", N_("Contract %(number)s was terminated"))


@use_case
def issue_document(contract_id: UUID) -> None:
    """Issue the signed contract as a numbered PDF with its check mark. A repeat returns the paper that is there."""
    contract = get(Contract, contract_id)
    names = identity.organisations_by_ids((contract.owner_organisation_id, contract.agency_organisation_id))
    rows = db.session.scalars(
        select(ContractSignature)
        .where(ContractSignature.contract_id == contract_id)
        .order_by(ContractSignature.side.desc())  # the owner first, as in the text
    )
    signatures = tuple(
        PrintedSignature(row.side, names[row.organisation_id].name, row.name, row.signed_at, row.document_sha256)
        for row in rows
    )
    facts = {
        N_("Owner"): names[contract.owner_organisation_id].name,
        N_("Agency"): names[contract.agency_organisation_id].name,
        N_("Project"): contract.title,
        N_("Price"): f"¥{Money(contract.price_fen).grouped}",
        N_("SHA-256 of the signed text"): contract.document_sha256,
    }
    issue(
        "contract",
        contract.number,
        contract.title,
        contract.subject,
        contract.thread_id,
        facts,
        lambda check: contract_pdf(contract.document_text, contract.number, signatures, check),
    )


# --- deliverable and acceptance ---------------------------------------------------------------------------------


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


# --- money, end, time limits ------------------------------------------------------------------------------------


@use_case
def mark_funded(contract_id: UUID, bill_id: UUID) -> bool:
    """The bill is paid and the money held; pays it out at once when the deliverable is accepted already."""
    contract = lock(Contract, contract_id)
    if contract.funded_at is not None or contract.bill_id != bill_id:
        return False
    contract.funded_at = clock.now()
    record(contract, "funded", SYSTEM, title=N_("Service fee paid and held"))
    tell(
        contract, Part.AGENCY, "contract.funded", N_("The service fee of %(number)s is paid and held until acceptance")
    )
    release_if_earned(contract)
    close_if_done(contract)
    return True


def release_if_earned(contract: Contract) -> None:
    """Release the held money once it is both paid and earned."""
    if contract.accepted_at is None or contract.funded_at is None or contract.released_at is not None:
        return
    assert contract.bill_id is not None  # paid, so it was opened
    payments.release_held(SYSTEM, contract.bill_id, N_("Deliverable accepted"))
    contract.released_at = clock.now()


def close_if_done(contract: Contract) -> bool:
    """Close the file when the money is paid out and the service is rated or the rating period is over."""
    rating_over = contract.rate_by is not None and clock.now() > contract.rate_by
    done = contract.state == S.RATED or (contract.state == S.ACCEPTED and rating_over)
    if not done or contract.released_at is None:
        return False
    reading = reading_of(contract, pauses_of(contract.id))
    assert reading is not None
    contract.closed_at = clock.now()
    event = ContractClosed(
        contract_id=contract.id,
        procurement_id=contract.procurement_id,
        agency_organisation_id=contract.agency_organisation_id,
        on_time=not reading.is_overdue,
    )
    return move(contract, CONTRACT, "close", SYSTEM, {Part.SYSTEM}, event=event)


@use_case
def close(contract_id: UUID) -> bool:
    """Close the contract if nothing is left to do."""
    return close_if_done(lock(Contract, contract_id))


@use_case
def flag_overdue(contract_id: UUID) -> bool:
    """Write down that the service is late (a flag, not a state) and tell both sides; once per missed deadline."""
    contract = lock(Contract, contract_id)
    running = contract.state in {S.RUNNING, S.PAUSE_ASKED}
    if not running or contract.overdue_since is not None or contract.deadline_on is None:
        return False
    if contract.deadline_on >= clock.today():
        return False
    contract.overdue_since = clock.today()
    record(
        contract,
        "overdue",
        SYSTEM,
        title=N_("Service time limit exceeded"),
        detail={"last_day": contract.deadline_on.isoformat()},
    )
    for side in (Part.OWNER, Part.AGENCY):
        tell(contract, side, "contract.overdue", N_("The service time limit of %(number)s has passed"))
    return True


@use_case
def renew_provisional_deadline(contract_id: UUID) -> bool:
    """Compute a provisional deadline again once the official calendar is in; written down when it moves."""
    contract = lock(Contract, contract_id)
    if not contract.deadline_provisional or contract.state not in {S.RUNNING, S.PAUSE_ASKED}:
        return False
    before = contract.deadline_on
    set_deadline(contract, work_calendar.current())
    if contract.deadline_on == before:
        return False
    day = contract.deadline_on.isoformat() if contract.deadline_on else ""
    record(contract, "deadline_renewed", SYSTEM, title=N_("Deadline computed again"), detail={"last_day": day})
    return True


def tell(contract: Contract, side: Part, kind: str, subject: str) -> None:
    """Notify one side of the contract; `subject` is a message id with %(number)s."""
    organisation_id = contract.owner_organisation_id if side is Part.OWNER else contract.agency_organisation_id
    notify(
        to_organisation=organisation_id,
        kind=kind,
        subject=subject,
        text=N_("%(title)s (%(number)s). Open the contract to see what is to be done and until when."),
        link=link_of(contract),
        thread_id=contract.thread_id,
        params={"number": contract.number, "title": contract.title},
    )
