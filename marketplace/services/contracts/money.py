"""The service fee: its bill, the money that is held and released, and the closed file."""

from datetime import timedelta
from uuid import UUID

import payments.services as payments
from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.calendar import end_of_day
from app.kernel.db import lock, use_case
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import ContractClosed
from marketplace.models.contracts import Contract
from marketplace.queries.contracts import pauses_of, reading_of
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts.telling import tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.parts import Part
from payments.services import BillKind, BillLine, OpenBill

S = ContractState


def open_bill(contract: Contract) -> None:
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
