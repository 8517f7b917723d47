"""Drawing up the contract of an award: from the item's template, with the owner's answers in the fields it opens."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete

from app.identity import queries as identity
from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get, new_id, use_case
from app.kernel.errors import IllegalTransition
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.catalogue import ItemVersion
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Milestone
from marketplace.models.procurements import Procurement
from marketplace.queries.contracts.templates import edition_for, pinned_template, template_of
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.contract_text import (
    STANDARD_TEMPLATE,
    ContractFacts,
    Template,
    Terms,
    agreed_terms,
    contract_text,
    document_digest,
    is_complete,
)
from marketplace.rules.milestones import check_milestones, read_milestones
from marketplace.services.contracts.telling import locked, tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part

S = ContractState


@dataclass(frozen=True)
class PutForward:
    """The owner's answers in the open fields; milestones one a line. Blank ones keep the template's default."""

    delivery_place: str | None = None
    copies: str | None = None
    contact: str | None = None
    special_terms: str | None = None
    pay_days: int | None = None
    milestones: str | None = None
    version: int | None = None

    @property
    def texts(self) -> dict[str, str]:
        """The plain texts by field."""
        names = ("delivery_place", "copies", "contact", "special_terms")
        return {name: value for name in names if (value := getattr(self, name))}


@use_case
def draw_up_contract(procurement: Procurement, winner_organisation_id: UUID, price_fen: int) -> UUID:
    """Draw up the contract of a confirmed award. Called inside `confirm_award`.

    A template that leaves nothing to the owner goes to the agency for signature at once.
    """
    book = rule_book(procurement.rule_book_version)
    number = next_number("HT")
    item = get(ItemVersion, procurement.item_version_id)
    edition = edition_for(item.item_id)
    template = template_of(edition.content) if edition else STANDARD_TEMPLATE
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
        template_edition_id=edition.id if edition else None,
        payment_moment=template.payment_moment,
        title=procurement.title,
        price_fen=price_fen,
        limit_wd=procurement.limit_wd,
        document_text="",
        document_sha256="",
        state=S.TO_DRAFT,
        created_at=now,
        sign_by=work_calendar.current().deadline(now, book.contract_sign_wd).at,
    )
    open_terms = Terms({}, template.pay_days, template.milestones)
    _write(contract, template, open_terms)
    db.session.add(contract)
    db.session.flush()  # the milestones, the timeline and the notices below refer to it
    _plan(contract, open_terms)
    record(contract, "drawn_up", SYSTEM, title=N_("Contract drawn up"), detail={"number": number})
    if is_complete(template):
        move(contract, CONTRACT, "put_forward", SYSTEM, {Part.SYSTEM})
        tell(contract, Part.AGENCY, "contract.to-sign", N_("A contract waits for your signature: %(number)s"))
    else:
        tell(contract, Part.OWNER, "contract.to-draft", N_("A contract waits for your terms: %(number)s"))
    return contract.id


@use_case
def put_forward(actor: Actor, contract_id: UUID, command: PutForward) -> None:
    """Fill in the open fields and put the text forward: from now on its digest is what both sides sign.

    Raises Refused for a field that the template does not open or demands, or milestones that do not sum to the price.
    """
    contract, held = locked(actor, contract_id, command.version)
    if contract.state != S.TO_DRAFT:
        raise IllegalTransition(CONTRACT.name, "put_forward", contract.state, ())
    template = pinned_template(contract.template_edition_id)
    most = rule_book(contract.rule_book_version).pay_government_days_max
    planned = read_milestones(command.milestones) if command.milestones else ()
    terms = agreed_terms(template, command.texts, command.pay_days, planned, most)
    _write(contract, template, terms)
    _plan(contract, terms)
    move(contract, CONTRACT, "put_forward", actor, held, detail={"document_sha256": contract.document_sha256})
    tell(contract, Part.AGENCY, "contract.to-sign", N_("A contract waits for your signature: %(number)s"))


@use_case
def redraft(actor: Actor, contract_id: UUID, command: Plain) -> None:
    """Take the text back before the agency has signed, to change the open fields."""
    contract, held = locked(actor, contract_id, command.version)
    move(contract, CONTRACT, "redraft", actor, held)


@use_case
def ask_changes(actor: Actor, contract_id: UUID, command: WithReason) -> None:
    """Send the text back to the owner with what should be changed in the open fields."""
    contract, held = locked(actor, contract_id, command.version)
    move(contract, CONTRACT, "ask_changes", actor, held, reason=command.reason)
    tell(contract, Part.OWNER, "contract.changes-asked", N_("The agency asks for a change of the text: %(number)s"))


def _write(contract: Contract, template: Template, terms: Terms) -> None:
    """Compose the text anew and keep what was agreed."""
    contract.pay_days = terms.pay_days
    contract.terms = {"texts": dict(terms.texts)}
    contract.document_text = contract_text(template, _facts(contract), terms)
    contract.document_sha256 = document_digest(contract.document_text)


def _plan(contract: Contract, terms: Terms) -> None:
    """Replace the planned milestones; nothing refers to them before both sides have signed."""
    amounts = check_milestones(terms.milestones, contract.price_fen)
    db.session.execute(delete(Milestone).where(Milestone.contract_id == contract.id))
    db.session.add_all(
        Milestone(
            id=new_id(),
            contract_id=contract.id,
            position=position,
            title=plan.title,
            acceptance=plan.acceptance,
            share=plan.share,
            amount_fen=amount,
        )
        for position, (plan, amount) in enumerate(zip(terms.milestones, amounts, strict=True), 1)
    )


def _facts(contract: Contract) -> ContractFacts:
    book = rule_book(contract.rule_book_version)
    item = get(ItemVersion, contract.item_version_id)
    sides = identity.organisations_by_ids((contract.owner_organisation_id, contract.agency_organisation_id))
    owner, agency = sides[contract.owner_organisation_id], sides[contract.agency_organisation_id]
    return ContractFacts(
        number=contract.number,
        title=contract.title,
        service_name=item.name,
        service_version=item.version,
        legal_basis=item.legal_basis,
        deliverable=item.deliverable,
        procurement_number=get(Procurement, contract.procurement_id).number,
        owner_name=owner.name,
        owner_uscc=owner.uscc or "",
        agency_name=agency.name,
        agency_uscc=agency.uscc or "",
        price_fen=contract.price_fen,
        limit_wd=contract.limit_wd,
        accept_wd=book.result_accept_wd,
        pause_confirm_wd=book.pause_confirm_wd,
        late_interest_bp=book.pay_late_interest_bp,
    )
