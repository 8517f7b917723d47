"""What contracts do when something happens below, and what a procurement learns from its contract.

The procurement follows by event and not inside the contract's use case: procurements are locked before contracts.
"""

from uuid import UUID

from app.kernel.db import use_case
from app.kernel.outbox import Handlers
from app.kernel.words import N_
from marketplace.events.contracts import ContractClosed, ContractSigned, ContractTerminated, DeliverableAccepted
from marketplace.events.procurements import WinnerLost
from marketplace.services import after_contract, contracts
from marketplace.services.procurements import follow_contract
from payments.events import BillPaid, BillRefunded, HeldMoneyUnfrozen

PREFIX = "contract:"


@use_case
def mark_contract_funded(event: BillPaid) -> None:
    """The service fee is paid and held."""
    if event.subject.startswith(PREFIX):
        contracts.mark_funded(UUID(event.subject.removeprefix(PREFIX)), event.bill_id)


@use_case
def mark_contract_refunded(event: BillRefunded) -> None:
    """The money of an ended contract is back with its owner."""
    if event.subject.startswith(PREFIX):
        contracts.mark_refunded(UUID(event.subject.removeprefix(PREFIX)), event.bill_id)


@use_case
def release_unfrozen_money(event: HeldMoneyUnfrozen) -> None:
    """A dispute about the money has ended; what was earned meanwhile goes to the agency."""
    if event.subject.startswith(PREFIX):
        contracts.release_unfrozen(UUID(event.subject.removeprefix(PREFIX)))


@use_case
def end_procured_service(event: ContractTerminated) -> None:
    """The procurement learns that its contract has ended."""
    after_contract.follow_end(event.procurement_id, event.agency_organisation_id, was_signed=event.was_signed)


@use_case
def issue_signed_contract(event: ContractSigned) -> None:
    """Print the signed contract."""
    contracts.issue_document(event.contract_id)


@use_case
def start_procured_service(event: ContractSigned) -> None:
    """The procurement is under contract and in service: signing starts the clock."""
    follow_contract(event.procurement_id, "sign")
    follow_contract(event.procurement_id, "start_service")


@use_case
def accept_procured_service(event: DeliverableAccepted) -> None:
    """The procurement has its deliverable."""
    follow_contract(event.procurement_id, "accept")


@use_case
def close_procurement_file(event: ContractClosed) -> None:
    """Nothing is left to do for the procurement either."""
    follow_contract(event.procurement_id, "close_file")


@use_case
def end_contract_of_lost_winner(event: WinnerLost) -> None:
    """A winner struck out after confirming leaves no contract to sign."""
    contracts.terminate_unsigned(event.procurement_id, event.organisation_id, N_("The award was lost."))


HANDLERS: Handlers = {
    BillPaid: (mark_contract_funded,),
    BillRefunded: (mark_contract_refunded,),
    HeldMoneyUnfrozen: (release_unfrozen_money,),
    ContractTerminated: (end_procured_service,),
    ContractSigned: (issue_signed_contract, start_procured_service),
    DeliverableAccepted: (accept_procured_service,),
    ContractClosed: (close_procurement_file,),
    WinnerLost: (end_contract_of_lost_winner,),
}
