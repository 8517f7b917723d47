"""Signing the contract: the agency first, the owner last, whose signature starts the clock."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.documents import issue
from app.identity import queries as identity
from app.identity.notices import notify
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import beijing_date, start_of_day
from app.kernel.db import db, get, lock, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.money import Money
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.contracts import PrintedSignature, contract_pdf
from marketplace.events.contracts import ContractSigned
from marketplace.models.contracts import Contract, ContractSignature
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.money import bill_next_milestone
from marketplace.services.contracts.telling import link_of, locked, tell
from marketplace.states.contract import CONTRACT, UNSIGNED, ContractState
from marketplace.states.parts import Part

S = ContractState


@dataclass(frozen=True)
class SignContract:
    """`document_sha256` is the digest that stood beside the text the signer read."""

    document_sha256: str
    agreed: bool
    version: int | None = None


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
    event = ContractSigned(
        contract_id=contract.id,
        procurement_id=contract.procurement_id,
        thread_id=contract.thread_id,
        owner_organisation_id=contract.owner_organisation_id,
        agency_organisation_id=contract.agency_organisation_id,
    )
    move(contract, CONTRACT, "sign", actor, held, detail={"document_sha256": contract.document_sha256}, event=event)
    _add_signature(actor, contract, Part.OWNER)
    bill_next_milestone(contract)
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


@use_case
def remind_of_signing(contract_id: UUID) -> bool:
    """Remind on the last working day but one; once the period is over, tell both sides and the operator. False: not due."""
    contract = lock(Contract, contract_id)
    if contract.state not in UNSIGNED or contract.signing_reminders > 1:
        return False
    if contract.signing_reminders == 0:
        day_before = work_calendar.current().previous_working_day(beijing_date(contract.sign_by))
        if clock.now() < start_of_day(day_before):
            return False
        contract.signing_reminders = 1
        side = Part.AGENCY if contract.state == S.TO_SIGN_AGENCY else Part.OWNER
        record(contract, "signing_reminder", SYSTEM, title=N_("Reminded of the signature"), detail={"side": side})
        tell(contract, side, "contract.signing-reminder", N_("Please sign in time: %(number)s"))
        return True
    if clock.now() <= contract.sign_by:
        return False
    contract.signing_reminders = 2
    record(contract, "signing_late", SYSTEM, title=N_("Not signed in time"))
    for told in (Part.OWNER, Part.AGENCY):
        tell(contract, told, "contract.signing-late", N_("The time to sign %(number)s is over"))
    notify(
        to_role=Role.OPERATOR,
        kind="contract.signing-late",
        subject=N_("The time to sign %(number)s is over"),
        text=N_("%(title)s (%(number)s). Open the contract to see what is to be done and until when."),
        link=link_of(contract),
        thread_id=contract.thread_id,
        params={"number": contract.number, "title": contract.title},
    )
    return True


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
