"""The service fee, milestone by milestone: its bill, the money that is held and released, late payments, the closed file.

A milestone's money has one end: released to the agency, refunded to the owner, or its unpaid bill withdrawn.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

import payments.services as payments
from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.calendar import beijing_date, end_of_day
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.contracts import ContractClosed
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Dispute, Milestone
from marketplace.queries.contracts.clock import pauses_of, reading_of
from marketplace.queries.rulebooks import rule_book
from marketplace.services.contracts.telling import tell
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.engagement import PaymentMoment
from marketplace.states.parts import Part
from payments.services import BillKind, BillLine, OpenBill

S = ContractState
REMIND_DAYS_BEFORE = 7


def milestones_of(contract: Contract) -> list[Milestone]:
    """The milestones in their order, locked with their contract."""
    statement = (
        select(Milestone)
        .where(Milestone.contract_id == contract.id)
        .order_by(Milestone.position)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(statement))


def bill_next_milestone(contract: Contract) -> None:
    """Open the bill that is due now: in advance for the milestone being worked on, else for the one just accepted."""
    rows = milestones_of(contract)
    if contract.payment_moment == PaymentMoment.HELD:
        wanted = next((one for one in rows if one.accepted_at is None), None)
    else:
        wanted = next((one for one in reversed(rows) if one.accepted_at is not None), None)
    if wanted is None or wanted.bill_id is not None:
        return
    due_at = end_of_day(clock.today() + timedelta(days=contract.pay_days))
    title = contract.title if len(rows) == 1 else f"{contract.title} · {wanted.title}"
    bill_id = payments.open_bill(
        SYSTEM,
        OpenBill(
            thread_id=contract.thread_id,
            subject=contract.subject,
            kind=BillKind.SERVICE_FEE,
            title=title[:200],
            payer_organisation_id=contract.owner_organisation_id,
            payer_user_id=None,
            payee_organisation_id=contract.agency_organisation_id,
            lines=(
                BillLine(
                    title=contract.title if len(rows) == 1 else wanted.title,
                    amount_fen=wanted.amount_fen,
                    basis=contract.number,
                ),
            ),
            due_at=due_at,
        ),
    )
    wanted.bill_id, wanted.due_at = bill_id, due_at


@use_case
def mark_funded(contract_id: UUID, bill_id: UUID) -> bool:
    """A milestone's bill is paid and the money held; pays it out at once when the milestone is accepted already."""
    contract = lock(Contract, contract_id)
    paid = next((one for one in milestones_of(contract) if one.bill_id == bill_id), None)
    if paid is None or paid.funded_at is not None:
        return False
    paid.funded_at, paid.overdue_since = clock.now(), None
    dispute_id = db.session.scalar(
        select(Dispute.id).where(Dispute.contract_id == contract.id, Dispute.settled_at.is_(None))
    )
    if dispute_id is not None:
        freeze_disputed(contract, dispute_id)
    record(contract, "funded", SYSTEM, title=N_("Service fee paid and held"), detail={"milestone": paid.title})
    tell(
        contract, Part.AGENCY, "contract.funded", N_("The service fee of %(number)s is paid and held until acceptance")
    )
    release_if_earned(contract)
    if contract.state == S.TERMINATED:
        settle_if_ended(contract)
    else:
        close_if_done(contract)
    return True


def release_if_earned(contract: Contract) -> None:
    """Release the held money of every milestone that is both paid and accepted; none twice."""
    for one in milestones_of(contract):
        if one.accepted_at is None or one.funded_at is None or one.released_at is not None or one.refund_asked_at:
            continue
        assert one.bill_id is not None  # paid, so it was opened
        if payments.release_held(SYSTEM, one.bill_id, N_("Deliverable accepted")):
            one.released_at = clock.now()


@use_case
def release_unfrozen(contract_id: UUID) -> None:
    """A freeze on the money of a contract has ended: release what was earned meanwhile."""
    contract = lock(Contract, contract_id)
    release_if_earned(contract)
    close_if_done(contract)


def freeze_disputed(contract: Contract, dispute_id: UUID) -> None:
    """Stop the held money of the milestone in dispute, and of no other. Money that comes later is stopped then."""
    for one in milestones_of(contract):
        if one.bill_id is not None and one.accepted_at is None and one.funded_at is not None and not one.is_settled:
            reason = N_("A dispute about the contract was declared")
            payments.freeze_money(SYSTEM, one.bill_id, _cause(dispute_id), reason)


def unfreeze_disputed(contract: Contract, dispute_id: UUID) -> None:
    """The dispute is settled: its money may move again, as the settlement says."""
    for one in milestones_of(contract):
        if one.bill_id is not None:
            payments.unfreeze_money(SYSTEM, one.bill_id, _cause(dispute_id), N_("The dispute is settled"))


def _cause(dispute_id: UUID) -> str:
    return f"engagement:{dispute_id}"


def award_part(contract: Contract, amount_fen: int) -> None:
    """Release so much of the disputed milestone's held money to the agency before the contract ends; the rest goes back.

    Raises Refused when nothing is held or it is not less than the whole: the whole is an acceptance.
    """
    held = next(
        (o for o in milestones_of(contract) if o.funded_at and o.accepted_at is None and not o.is_settled), None
    )
    if held is None or held.bill_id is None or not 0 < amount_fen < held.amount_fen:
        raise Refused(
            "agency-part",
            N_("A part of the held money is more than nothing and less than the whole."),
            field="agency_fen",
        )
    payments.release_held(SYSTEM, held.bill_id, N_("Part of the fee by settlement of the dispute"), amount_fen)


def settle_if_ended(contract: Contract) -> bool:
    """Settle the accounts of an ended contract: what is accepted is owed, the rest is withdrawn or goes back to the owner.

    A bill with a payment under way is left for the next turn of the job. True when nothing is left.
    """
    if contract.state != S.TERMINATED or contract.settled_at is not None:
        return False
    reason = N_("The contract has ended")
    rows = milestones_of(contract)
    for one in rows:
        if one.accepted_at is not None or one.bill_id is None or one.is_settled:
            continue
        if one.funded_at is not None and one.refund_asked_at is None:
            try:
                payments.refund(SYSTEM, one.bill_id, reason)
            except Conflict:  # all of it is frozen by a dispute at the payment provider
                continue
            one.refund_asked_at = clock.now()
        elif one.funded_at is None:
            try:
                payments.withdraw_bill(SYSTEM, one.bill_id, reason)
            except Conflict:
                continue
            one.withdrawn_at, one.overdue_since = clock.now(), None
    if not all(one.is_settled for one in rows):
        return False
    contract.settled_at = clock.now()
    record(contract, "settled", SYSTEM, title=N_("Accounts of the ended contract settled"))
    return True


@use_case
def settle(contract_id: UUID) -> bool:
    """Go on settling an ended contract."""
    return settle_if_ended(lock(Contract, contract_id))


@use_case
def mark_refunded(contract_id: UUID, bill_id: UUID) -> bool:
    """The money of a milestone is back with the owner."""
    contract = lock(Contract, contract_id)
    found = next((one for one in milestones_of(contract) if one.bill_id == bill_id), None)
    if found is None or found.refunded_at is not None:
        return False
    found.refunded_at = clock.now()
    record(
        contract, "refunded", SYSTEM, title=N_("Service fee returned to the owner"), detail={"milestone": found.title}
    )
    settle_if_ended(contract)
    return True


@use_case
def watch_payment(contract_id: UUID) -> bool:
    """Remind the owner a week before a fee is due; flag a late one and tell both sides, once each. False: nothing due."""
    contract = lock(Contract, contract_id)
    acted = False
    for one in milestones_of(contract):
        if not one.is_owed or one.due_at is None:
            continue
        if clock.now() > one.due_at and one.overdue_since is None:
            one.overdue_since, one.payment_reminders = clock.today(), 2
            day = beijing_date(one.due_at).isoformat()
            detail = {"milestone": one.title, "last_day": day}
            record(contract, "payment_overdue", SYSTEM, title=N_("Payment overdue, interest runs"), detail=detail)
            for side in (Part.OWNER, Part.AGENCY):
                tell(contract, side, "contract.payment-overdue", N_("A payment is overdue: %(number)s"))
            acted = True
        elif one.payment_reminders == 0 and clock.now() > one.due_at - timedelta(days=REMIND_DAYS_BEFORE):
            one.payment_reminders = 1
            tell(contract, Part.OWNER, "contract.payment-reminder", N_("A payment is due within a week: %(number)s"))
            acted = True
    return acted


def close_if_done(contract: Contract) -> bool:
    """Close the file when all money is paid out and the service is rated or the rating period is over.

    After the filing period it closes by itself; a fee that is still owed stays owed and public.
    """
    now = clock.now()
    if contract.state not in {S.ACCEPTED, S.RATED} or contract.accepted_at is None:
        return False
    rating_over = contract.rate_by is not None and now > contract.rate_by
    paid = all(one.released_at is not None for one in milestones_of(contract))
    filing = timedelta(days=rule_book(contract.rule_book_version).filing_auto_close_days)
    filed = now > contract.accepted_at + filing
    if not filed and not (paid and (contract.state == S.RATED or rating_over)):
        return False
    reading = reading_of(contract, pauses_of(contract.id))
    assert reading is not None
    contract.closed_at = now
    event = ContractClosed(
        contract_id=contract.id,
        procurement_id=contract.procurement_id,
        agency_organisation_id=contract.agency_organisation_id,
        on_time=not reading.is_overdue,
    )
    detail = {} if paid else {"unpaid": True}
    return move(contract, CONTRACT, "close", SYSTEM, {Part.SYSTEM}, event=event, detail=detail)


@use_case
def close(contract_id: UUID) -> bool:
    """Close the contract if nothing is left to do."""
    return close_if_done(lock(Contract, contract_id))
