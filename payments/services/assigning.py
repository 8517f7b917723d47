"""Crediting a bill with money that was set aside, as if it had come with the right reference."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.money import Money
from app.kernel.words import N_
from payments import ledger, rules
from payments.errors import another_attempt
from payments.gateways import gateway_of
from payments.ledger import Credit, Posting
from payments.models.bank import BankEntry
from payments.models.bills import Bill
from payments.models.payments import Payment, PaymentBill
from payments.observed import Movement, PaymentFact, Reported
from payments.services.payments import StartPayment, begin_attempt, credit, lock_attempt
from payments.states import BillKind, BillState, Standing


def fitting_attempt(bill: Bill, gateway: str, amount_fen: int) -> UUID | None:
    """The announced transfer to this account that waits for exactly this money, or None where the bill alone does.

    Raises Refused where the bill cannot take exactly this money from this account, Conflict where it is being paid elsewhere.
    """
    if bill.state != BillState.OPEN:
        raise Refused("bill-not-open", N_("Bill %(number)s is not due: it is already paid or no longer owed."),
                      field="bill", params={"number": bill.number})  # fmt: skip
    if BillKind(bill.kind) not in gateway_of(gateway).caps.kinds:
        raise Refused("bill-route", N_("The money of this bill goes to another account. Return what came to the wrong one."),
                      field="bill")  # fmt: skip
    live = db.session.scalar(
        sa.select(Payment)
        .join(PaymentBill, PaymentBill.payment_id == Payment.id)
        .where(PaymentBill.bill_id == bill.id, PaymentBill.standing == Standing.LIVE)
    )
    if live is not None and (live.gateway != gateway or live.method != rules.BANK_TRANSFER):
        raise another_attempt(bill.number)
    due_fen = bill.amount_fen if live is None else live.amount_fen
    if due_fen != amount_fen:
        raise Refused("assign-amount", N_("%(due)s yuan are due and %(came)s came. Only exactly what is due can be assigned; return anything else."),
                      field="bill", params={"due": Money(due_fen).grouped, "came": Money(amount_fen).grouped})  # fmt: skip
    return live.id if live is not None else None


@use_case
def credit_from_suspense(actor: Actor, bill_id: UUID, money_id: UUID, entry: BankEntry) -> UUID:
    """Credit the bill, and all that are paid together with it, with the money of an entry; return the attempt that stands for it.

    Raises what `fitting_attempt` raises, and Conflict where a bill paid together with it is no longer open.
    """
    bill = lock(Bill, bill_id)
    attempt = fitting_attempt(bill, entry.gateway, entry.amount_fen)
    if attempt is None:
        attempt = begin_attempt(actor, [bill], StartPayment(rules.BANK_TRANSFER), "/pay/return/{payment_id}")
    paid = lock_attempt(attempt)
    if any(one.state != BillState.OPEN for one, _ in paid.parts):
        raise Conflict(
            "bill-not-payable", N_("One of the bills of this transfer is no longer open. Cancel the transfer first.")
        )
    payment = paid.payment
    payment.session_ref = payment.session_ref or payment.number
    payment.payment_ref = f"{entry.gateway}:{entry.bank_ref}"
    came = Movement(entry.bank_ref, "charge", entry.amount_fen, 0, ledger.CNY, entry.moved_at, entry.number)
    fact = PaymentFact(
        status=Reported.SUCCEEDED, session_ref=payment.session_ref, payment_ref=payment.payment_ref, cashier_url=None,
        amount_fen=entry.amount_fen, currency=ledger.CNY, payment_id=payment.id, method=rules.BANK_TRANSFER,
        expires_at=None, charge=came, problem=None,
    )  # fmt: skip

    def settle(shares: Sequence[Credit]) -> Posting:
        return ledger.assigned(money_id, entry.gateway, shares, clock.now(), paid.memo)

    credit(paid, fact, {}, settle)
    return payment.id
