"""Money that leaves, in the demonstration: bank accounts in their states, payouts, invoices and a disputed payment."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.demo.cashier import Cashier
from app.demo.people import Cast
from app.demo.shelf import Shelf
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.calendar import beijing_date
from app.kernel.db import db
from app.kernel.files import Upload
from app.kernel.money import Money
from payments.gateways import gateway
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.payments import Payment, PaymentBill
from payments.models.tax_papers import TaxPaperKind
from payments.outgoing_jobs import activate_accounts
from payments.queries.agency_money import balance_of
from payments.queries.agency_statements import agencies_with_money
from payments.services import bank_accounts as accounts
from payments.services import payouts
from payments.services.disputes import find_disputes
from payments.services.tax_papers import RecordTaxPaper, record_tax_paper
from payments.states import BillKind, BillState, PaymentState

BANKS = (
    "中国建设银行连云港分行",
    "中国工商银行连云港海州支行",
    "江苏银行连云港分行",
    "中国农业银行赣榆支行",
    "交通银行连云港分行",
)
PROOF = Upload("开户许可证.txt", "开户许可证（基本存款账户信息）".encode())


def pay_out(cast: Cast, shelf: Shelf, cashier: Cashier) -> None:
    """Agencies with money enter accounts; one is paid, one waits for approval, two accounts wait for their checks."""
    first, second = cast.panel[Role.OPERATOR], cast.second_operator
    own = cast.panel[Role.AGENCY].organisation_id
    rich = [one for one in agencies_with_money() if one in shelf.people and balance_of(one).payable_fen > 0]
    rich.sort(key=lambda one: one != own)
    people = [shelf.people[one] for one in rich[:5]]
    now = clock.now()
    with clock.at(now - timedelta(days=9)):
        entered = [_enter(actor, number) for number, actor in enumerate(people)]
        for account_id in entered[:4]:
            accounts.check_bank_account(first, account_id, accounts.DecideBankAccount())
        for account_id in entered[:2]:
            accounts.confirm_bank_account(second, account_id, accounts.DecideBankAccount())
    activate_accounts()
    with clock.at(now - timedelta(minutes=30)):
        for account_id in entered[2:3]:
            accounts.confirm_bank_account(second, account_id, accounts.DecideBankAccount())
    outbox.drain_all()
    for number, actor in enumerate(people[:2]):
        _ask(actor, first if number == 0 else None)
    _invoice(shelf)
    _dispute(cashier)
    outbox.drain_all()


def _enter(actor: Actor, number: int) -> UUID:
    name = f"{actor.name}所在单位"
    account = f"6222{number}3101{7 + number}0012{3456 + 111 * number}"
    return accounts.enter_bank_account(
        actor, accounts.EnterBankAccount(name, BANKS[number % len(BANKS)], account, PROOF)
    )


def _ask(actor: Actor, approver: Actor | None) -> None:
    assert actor.organisation_id is not None, "an agency's member"
    balance = balance_of(actor.organisation_id)
    if balance.block is not None:
        return
    payout_id = payouts.ask_payout(actor, actor.organisation_id, payouts.AskPayout(balance.payable_fen // 2))
    if approver is not None:
        payouts.approve_payout(approver, payout_id, payouts.DecidePayout())
        outbox.drain_all()
        payouts.sync_payout(payout_id)


def _invoice(shelf: Shelf) -> None:
    """Agencies have recorded the invoices of two thirds of what they received."""
    rows = db.session.scalars(
        sa.select(Bill).where(Bill.state == BillState.RELEASED, Bill.kind == BillKind.SERVICE_FEE).order_by(Bill.number)
    ).all()
    for number, row in enumerate(rows[-30:]):
        actor = shelf.people.get(row.payee_organisation_id) if row.payee_organisation_id else None
        if actor is None or number % 3 == 2 or row.released_at is None:
            continue
        digits = f"26322000000{Money(row.amount_fen).fen % 1000:03d}{number:06d}"
        paper = RecordTaxPaper(TaxPaperKind.INVOICE, digits, beijing_date(row.released_at), row.amount_fen)
        record_tax_paper(actor, row.id, paper)


def _dispute(cashier: Cashier) -> None:
    """The holder of a card disputes a payment whose service is still under way."""
    found = db.session.execute(
        sa.select(Payment.id, Payment.payment_ref)
        .join(PaymentBill, PaymentBill.payment_id == Payment.id)
        .join(Bill, Bill.id == PaymentBill.bill_id)
        .where(Payment.state == PaymentState.SUCCEEDED, Payment.method == "card", Bill.state == BillState.PAID)
        .order_by(Payment.started_at.desc())
        .limit(1)
    ).first()
    db.session.rollback()
    if found is not None and found.payment_ref is not None:
        here = gateway()
        assert isinstance(here, StripeGateway), "the cashier of the demonstration"
        charge = here.client.v1.payment_intents.retrieve(found.payment_ref).latest_charge
        cashier.dispute(str(charge))
        find_disputes(found.id)
