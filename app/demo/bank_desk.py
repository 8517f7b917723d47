"""The bank account in the demonstration: a statement taken over, one that waits, money nobody can place, a payout by hand."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from app.demo.people import Cast
from app.kernel import clock, outbox
from app.kernel.access import Role
from app.kernel.calendar import start_of_day
from app.kernel.commands import Plain
from app.kernel.db import db, get
from app.kernel.files import Upload
from app.kernel.money import Money
from app.kernel.spreadsheets import csv_of
from payments import ledger, services
from payments.bank_statements import TEMPLATE
from payments.models.bills import Bill
from payments.models.ledger import LedgerEntry, LedgerTransaction
from payments.models.payments import Payment
from payments.models.payouts import BankAccount, Payout
from payments.models.statements import UnmatchedMoney
from payments.outgoing_states import BankAccountState, PayoutState
from payments.queries import due_bills
from payments.rules import BANK_TRANSFER
from payments.services import hand_payouts, payouts, statements, unmatched
from payments.states import BillKind, BillState

Line = tuple[str, str, int, str, str]
"""Time of day, direction, fen, counterparty, what the sender wrote."""


def at_the_bank(cast: Cast) -> None:
    """Yesterday's statement of our account is taken over; what it could not place waits for decisions."""
    first, second = cast.panel[Role.OPERATOR], cast.second_operator
    lines: list[Line] = [
        *_announced(cast),
        ("09:12:40", "收", 1_860_000, "连云港海州湾港务发展有限公司", "检测费"),
        ("10:47:03", "收", _amount_due() or 528_000, "江苏赣榆农产品物流有限公司", "付中介服务费"),
        ("15:20:55", "收", 36_000, "张春兰", "证照快递 转错请退"),
        ("16:58:00", "支", 5_000, "中国建设银行连云港分行", "账户管理费"),
    ]
    taken = statements.hand_in_statement(first, _statement("bank", lines))
    statements.apply_statement(second, taken, Plain())
    outbox.drain_all()
    waiting = ("11:05:18", "收", 55_000, "连云港市赣榆区不动产登记中心", "登记费汇缴")
    statements.hand_in_statement(first, _statement("bank_treasury", [waiting]))
    _decide(cast)
    _by_hand(cast)
    outbox.drain_all()


def _statement(gateway: str, lines: list[Line]) -> statements.HandInStatement:
    day = clock.today() - timedelta(days=1)
    rows = [
        (f"{day} {at}", way, Money(fen).yuan, f"{day:%Y%m%d}{number:06d}", who, words)
        for number, (at, way, fen, who, words) in enumerate(lines, 1)
    ]
    moved = sum(fen if way == "收" else -fen for _at, way, fen, _who, _words in lines)
    file = Upload(f"对账单{day:%Y%m%d}.csv", csv_of([TEMPLATE, *rows]))
    before = _lay_there(gateway, day)
    return statements.HandInStatement(gateway, day, day, file, before, before + moved)


def _lay_there(gateway: str, day: date) -> int:
    """What the account began the day with by our books, which the bank's agree with until then (fen)."""
    booked = (
        sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount_fen), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(LedgerEntry.account == ledger.BANK_ACCOUNTS[gateway], LedgerTransaction.effective_at < start_of_day(day))
    )
    return int(db.session.scalar(booked) or 0)


def _announced(cast: Cast) -> list[Line]:
    """A transfer that the owner announced the day before, with the reference as it should be."""
    owner = cast.panel[Role.OWNER]
    due = [bill for bill in due_bills(owner) if bill.kind == BillKind.SERVICE_FEE and bill.live_payment is None]
    if not due:
        return []
    with clock.at(clock.now() - timedelta(days=2)):
        payment_id = services.start_payment(owner, due[0].id, services.StartPayment(BANK_TRANSFER))
        services.send_payment(payment_id)
    number = get(Payment, payment_id).number
    return [("08:55:21", "收", due[0].amount_fen, due[0].payer_name, f"{number} 中介服务费")]


def _amount_due() -> int | None:
    """The amount of an open service fee of somebody else, so that a candidate is found for it."""
    fen = db.session.scalar(
        sa.select(Bill.amount_fen)
        .where(Bill.state == BillState.OPEN, Bill.kind == BillKind.SERVICE_FEE)
        .order_by(Bill.due_at.desc())
        .limit(1)
    )
    db.session.rollback()
    return fen


def _decide(cast: Cast) -> None:
    """One sum is proposed to go back, the others are still open."""
    found = db.session.scalar(sa.select(UnmatchedMoney.id).where(UnmatchedMoney.amount_fen == 36_000))
    db.session.rollback()
    if found is not None:
        reason = unmatched.Say("汇款人来电：个人快递费，误转入本账户；身份与来电号码已核对")
        unmatched.give_back(cast.panel[Role.OPERATOR], found, reason)


def _by_hand(cast: Cast) -> None:
    """A payout whose account the provider cannot pay: its transfer order is printed."""
    first, second = cast.panel[Role.OPERATOR], cast.second_operator
    row = db.session.execute(
        sa.select(Payout.id, Payout.payee_organisation_id, Payout.amount_fen, BankAccount.id)
        .join(BankAccount, BankAccount.id == Payout.bank_account_id)
        .where(Payout.state == PayoutState.REQUESTED, BankAccount.state == BankAccountState.ACTIVE)
        .limit(1)
    ).first()
    db.session.rollback()
    if row is None:
        return
    _waiting_id, agency, amount_fen, account_id = row
    hand_payouts.pay_by_transfer(first, account_id, hand_payouts.Because("支付机构不支持该开户行（村镇银行）"))
    payout_id = payouts.ask_payout(first, agency, payouts.AskPayout(max(1, amount_fen // 2)))
    payouts.approve_payout(second, payout_id, payouts.DecidePayout())
    hand_payouts.order_transfer(first, payout_id, Plain())
