"""Drawing up the contract of an award and signing it: the agency first, the owner last."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.documents import issue
from app.identity import queries as identity
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import beijing_date
from app.kernel.db import db, get, new_id, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.documents.contracts import PrintedSignature, contract_pdf
from marketplace.events.contracts import ContractSigned
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import Contract, ContractSignature
from marketplace.models.procurements import Procurement
from marketplace.queries.rulebooks import rule_book
from marketplace.rulebook import RuleBook
from marketplace.rules.contract_text import ContractFacts, contract_text, document_digest
from marketplace.services.contracts.deadlines import set_deadline
from marketplace.services.contracts.money import open_bill
from marketplace.services.contracts.telling import locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState


@dataclass(frozen=True)
class SignContract:
    """`document_sha256` is the digest that stood beside the text the signer read."""

    document_sha256: str
    agreed: bool
    version: int | None = None


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
    open_bill(contract)
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
