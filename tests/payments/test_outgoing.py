"""Money that leaves: bank accounts, payouts, transfers called back, disputes, against the simulator."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.models import Notice
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from payments import outgoing_jobs, services
from payments.gateways.stripe import StripeGateway
from payments.models.disputes import PaymentDispute
from payments.models.payouts import BankAccount, Payout, TransferReversal
from payments.outgoing_jobs import is_payout_day
from payments.queries import balances, bill_view
from payments.queries.agency_statements import agency_statement
from payments.queries.held import frozen_balance_fen
from payments.services import DecideRefund
from payments.services.bank_accounts import (
    DecideBankAccount,
    check_bank_account,
    confirm_bank_account,
    withdraw_bank_account,
)
from payments.services.disputes import (
    AnswerDispute,
    SettleLoss,
    answer_dispute,
    find_disputes,
    settle_loss,
    sync_dispute,
)
from payments.services.payouts import AskPayout, DecidePayout, approve_payout, ask_payout, reject_payout, sync_payout
from payments.simulator.application import Simulator
from tests.builders import a_member
from tests.payments.conftest import PROOF, entered_account
from tests.payments.test_held_money import own
from tests.payments.test_payment_services import books_agree, control

PaidBill = Callable[..., UUID]


def approved(agency: Actor, operator: Actor, amount_fen: int | None = None) -> UUID:
    assert agency.organisation_id is not None
    payout_id = ask_payout(agency, agency.organisation_id, AskPayout(amount_fen))
    approve_payout(operator, payout_id, DecidePayout())
    return payout_id


def state_of(payout_id: UUID) -> str:
    db.session.expire_all()
    row = db.session.get(Payout, payout_id)
    assert row is not None
    return row.state


def pass_time(simulator: Simulator, seconds: int = 60) -> None:
    control(simulator, "/clock", advance=seconds)


# --- the account --------------------------------------------------------------------------------------------------


def test_an_account_is_used_after_two_checks_and_the_cooling_off(
    gateway: StripeGateway,
    agency: Actor,
    operator: Actor,
    second: Actor,
) -> None:
    account_id = entered_account(agency)
    row = db.session.get(BankAccount, account_id)
    assert row is not None
    assert (row.masked, "6222" in row.sealed_number) == ("**** **** 6789", False)
    check_bank_account(operator, account_id, DecideBankAccount())
    with pytest.raises(Refused):
        confirm_bank_account(operator, account_id, DecideBankAccount())
    confirm_bank_account(second, account_id, DecideBankAccount())
    assert outgoing_jobs.activate_accounts() == 0
    with clock.at(clock.now() + timedelta(days=3, seconds=1)):
        assert outgoing_jobs.activate_accounts() == 1
        outbox.drain_all()
    db.session.expire_all()
    assert (row.state, row.is_known) == ("active", True)
    told = db.session.scalars(sa.select(Notice.kind).where(Notice.user_id == agency.user_id)).all()
    assert [kind for kind in told if "bank-account" in kind] == [
        "payment.bank-account-entered", "payment.bank-account-confirmed", "payment.bank-account-active",
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["1234567", "12345678x", "0" * 31, ""])
def test_what_is_no_account_number_is_refused(gateway: StripeGateway, agency: Actor, number: str) -> None:
    with pytest.raises(Refused):
        entered_account(agency, number)
    assert db.session.scalar(sa.select(sa.func.count(BankAccount.id))) == 0


def test_nothing_is_paid_out_while_the_account_is_changed(
    gateway: StripeGateway, balance: Callable[[int], UUID], account: Callable[..., UUID], agency: Actor
) -> None:
    assert agency.organisation_id is not None
    balance(50_000)
    with pytest.raises(Conflict, match="no bank account"):
        ask_payout(agency, agency.organisation_id, AskPayout())
    account()
    changed = entered_account(agency, "6217000012340000002")
    with pytest.raises(Conflict, match="being changed"):
        ask_payout(agency, agency.organisation_id, AskPayout())
    with pytest.raises(Conflict):
        entered_account(agency)
    withdraw_bank_account(agency, changed, Plain())
    assert ask_payout(agency, agency.organisation_id, AskPayout(1)) is not None
    assert own(agency) == (49_999, 0)


# --- payouts ------------------------------------------------------------------------------------------------------


def test_a_payout_arrives(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor,
) -> None:  # fmt: skip
    account()
    balance(100_000)
    assert agency.organisation_id is not None
    for wrong in (0, -1, 100_001):
        with pytest.raises(Refused):
            ask_payout(agency, agency.organisation_id, AskPayout(wrong))
    payout_id = approved(agency, operator, 60_000)
    assert own(agency) == (40_000, 0)
    outbox.drain_all()
    assert state_of(payout_id) == "in_transit"
    pass_time(simulator)
    assert sync_payout(payout_id) == "paid"
    assert sync_payout(payout_id) == "paid"
    outbox.drain_all()
    assert balances([f"payout_pending:{payout_id}"]) == {f"payout_pending:{payout_id}": 0}
    statement = agency_statement(agency.organisation_id, clock.today())
    assert (statement.total("release"), statement.total("payout"), statement.closing_fen) == (100_000, -60_000, 40_000)
    books_agree()


def test_a_bank_that_sends_the_money_back_later_and_a_transfer_called_back_elsewhere(
    gateway: StripeGateway,
    simulator: Simulator,
    balance: Callable[[int], UUID],
    account: Callable[..., UUID],
    agency: Actor,
    operator: Actor,
) -> None:
    account()
    balance(100_000)
    ids = [approved(agency, operator, 60_000), approved(agency, operator, 40_000)]
    outbox.drain_all()
    pass_time(simulator)
    assert [sync_payout(one) for one in ids] == ["paid", "paid"]
    rows = {row.id: (row.gateway_ref, row.transfer_ref) for row in db.session.scalars(sa.select(Payout))}
    db.session.rollback()
    control(simulator, "/payout-failures", payout=rows[ids[0]][0])
    assert (sync_payout(ids[0]), own(agency)) == ("failed", (60_000, 0))
    control(simulator, "/payout-failures", payout=rows[ids[1]][0])
    transfer_ref = rows[ids[1]][1]
    assert transfer_ref is not None
    gateway.client.v1.transfers.reversals.create(transfer_ref, {"amount": 40_000})
    assert sync_payout(ids[1]) == "failed"
    assert sync_payout(ids[1]) == "failed"
    assert own(agency) == (100_000, 0)
    books_agree()


def test_two_persons_and_nobody_else(
    gateway: StripeGateway, balance: Callable[[int], UUID], account: Callable[..., UUID], agency: Actor, operator: Actor,
    second: Actor,
) -> None:  # fmt: skip
    account()
    balance(100_000)
    assert agency.organisation_id is not None
    asked = ask_payout(operator, agency.organisation_id, AskPayout(10_000))
    with pytest.raises(Refused):
        approve_payout(operator, asked, DecidePayout())
    with pytest.raises(NotAllowed):
        approve_payout(agency, asked, DecidePayout())
    with pytest.raises(NotFound):
        approve_payout(a_member(Role.AGENCY), asked, DecidePayout())
    reject_payout(second, asked, DecidePayout("金额不符"))
    assert (state_of(asked), own(agency)) == ("rejected", (100_000, 0))
    with clock.at(clock.now().replace(day=15)):
        assert outgoing_jobs.request_payouts() == 1
        assert outgoing_jobs.request_payouts() == 0
    (scheduled,) = db.session.scalars(sa.select(Payout.id).where(Payout.scheduled_on.is_not(None)))
    approve_payout(operator, scheduled, DecidePayout())
    assert state_of(scheduled) == "requested"
    with pytest.raises(Refused):
        approve_payout(operator, scheduled, DecidePayout())
    approve_payout(second, scheduled, DecidePayout())
    assert state_of(scheduled) == "approved"


def test_a_bank_that_refuses_puts_the_money_back(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor,
) -> None:  # fmt: skip
    account("000111111113")  # Stripe's test number of a closed account
    balance(100_000)
    payout_id = approved(agency, operator)
    outbox.drain_all()
    assert (state_of(payout_id), own(agency)) == ("in_transit", (0, 0))
    pass_time(simulator)
    assert sync_payout(payout_id) == "failed"
    assert own(agency) == (100_000, 0)
    books_agree()


def test_balance_that_has_not_settled_stays_and_is_tried_again(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor,
) -> None:  # fmt: skip
    account()
    control(simulator, "/settings", settlement_delay=86_400)
    balance(100_000)
    payout_id = approved(agency, operator)
    outbox.drain_all()
    row = db.session.get(Payout, payout_id)
    assert row is not None
    assert (state_of(payout_id), row.problem, row.attempt, own(agency)) == ("approved", "not-settled", 2, (0, 0))
    pass_time(simulator, 90_000)
    control(simulator, "/settings", settlement_delay=0)
    assert sync_payout(payout_id) == "in_transit"
    books_agree()


def test_a_refund_after_a_payout_calls_the_transfer_back_or_leaves_a_debt(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor, second: Actor,
) -> None:  # fmt: skip
    account()
    control(simulator, "/settings", payout_delay=600)
    bill_id = balance(100_000)
    balance(50_000)
    payout_id = approved(agency, operator, 150_000)
    outbox.drain_all()
    assert state_of(payout_id) == "in_transit"
    refund_id = services.refund(operator, bill_id, "抽查不合格", 30_000)
    services.approve_refund(second, refund_id, DecideRefund())
    assert own(agency) == (0, 30_000)
    outbox.drain_all()
    (row,) = db.session.scalars(sa.select(TransferReversal))
    assert (row.state, row.amount_fen) == ("refused", 30_000)  # its bank has the money already
    assert (own(agency), bill_view(bill_id).state) == ((0, 30_000), "released")
    balance(20_000)
    assert own(agency) == (0, 10_000)
    books_agree()


# --- disputes -----------------------------------------------------------------------------------------------------


def disputed(gateway: StripeGateway, simulator: Simulator, bill_id: UUID, amount_fen: int) -> PaymentDispute:
    from payments.models.payments import Payment, PaymentBill

    payment = db.session.scalars(
        sa.select(Payment).join(PaymentBill, PaymentBill.payment_id == Payment.id).where(PaymentBill.bill_id == bill_id)
    ).one()
    payment_id, ref = payment.id, payment.payment_ref
    db.session.rollback()
    assert ref is not None
    charge = gateway.client.v1.payment_intents.retrieve(ref).latest_charge
    control(simulator, "/disputes", charge=charge, amount=amount_fen)
    assert find_disputes(payment_id) == 1
    return db.session.scalars(sa.select(PaymentDispute)).one()


@pytest.mark.parametrize(("evidence", "ending"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_dispute_is_answered_and_decided(
    gateway: StripeGateway, simulator: Simulator, paid: PaidBill, agency: Actor, operator: Actor,
    evidence: str, ending: str,
) -> None:  # fmt: skip
    bill_id = paid(100_000)
    row = disputed(gateway, simulator, bill_id, 40_000)
    assert services.release_held(SYSTEM, bill_id, "其余成果验收") is False
    assert (bill_view(bill_id).held_fen, own(agency)) == (40_000, (60_000, 0))
    answer_dispute(operator, row.id, AnswerDispute(evidence, PROOF))
    with pytest.raises(Conflict):
        answer_dispute(operator, row.id, AnswerDispute(evidence))
    outbox.drain_all()
    pass_time(simulator)
    db.session.expire_all()
    dispute_id = row.id
    db.session.rollback()
    assert sync_dispute(dispute_id) == ending
    held = balances([f"dispute_hold:{dispute_id}", "expense:dispute_loss"])
    if ending == "won":
        assert held == {f"dispute_hold:{dispute_id}": 0}
        assert services.release_held(SYSTEM, bill_id, "验收合格") is True
    else:
        assert held == {f"dispute_hold:{dispute_id}": 0, "expense:dispute_loss": 40_000}
        settle_loss(operator, dispute_id, SettleLoss("recovered", "服务确未完成"))
        assert (bill_view(bill_id).state, own(agency)) == ("released", (60_000, 0))
        assert balances(["expense:dispute_loss"]) == {"expense:dispute_loss": 0}
        with pytest.raises(Conflict):
            settle_loss(operator, dispute_id, SettleLoss("borne", "再次"))
    books_agree()


def test_a_dispute_after_release_blocks_payouts(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor,
) -> None:  # fmt: skip
    account()
    bill_id = balance(100_000)
    assert agency.organisation_id is not None
    payout_id = approved(agency, operator, 50_000)
    disputed(gateway, simulator, bill_id, 30_000)
    assert frozen_balance_fen(agency.organisation_id) == 30_000
    outbox.drain_all()
    row = db.session.get(Payout, payout_id)
    assert row is not None
    assert (state_of(payout_id), row.problem) == ("approved", "frozen")
    with pytest.raises(Conflict, match="frozen"):
        ask_payout(agency, agency.organisation_id, AskPayout())
    with clock.at(clock.now() + timedelta(days=400)):
        assert outgoing_jobs.watch_disputes() == 1
        assert outgoing_jobs.watch_disputes() == 0
    books_agree()


def test_a_dispute_after_a_payout_that_is_lost_leaves_a_debt(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor,
) -> None:  # fmt: skip
    account()
    bill_id = balance(100_000)
    payout_id = approved(agency, operator, 100_000)
    outbox.drain_all()
    pass_time(simulator)
    assert sync_payout(payout_id) == "paid"
    row = disputed(gateway, simulator, bill_id, 30_000)
    answer_dispute(operator, row.id, AnswerDispute("losing_evidence"))
    outbox.drain_all()
    pass_time(simulator)
    db.session.rollback()
    assert sync_dispute(row.id) == "lost"
    settle_loss(operator, row.id, SettleLoss("recovered", "服务确未完成"))
    assert own(agency) == (0, 30_000), "the money has left: what the agency owes is withheld from its next income"
    assert balances(["expense:dispute_loss"]) == {"expense:dispute_loss": 0}
    balance(50_000)
    assert own(agency) == (20_000, 0)
    books_agree()


@pytest.mark.parametrize(
    ("today", "days", "expected"),
    [(date(2026, 2, 28), (31,), True), (date(2026, 2, 27), (31,), False), (date(2026, 11, 15), (5, 15, 25), True),
     (date(2026, 11, 16), (5, 15, 25), False)],
)  # fmt: skip
def test_payout_days(app: Flask, today: date, days: tuple[int, ...], expected: bool) -> None:
    assert is_payout_day(today, days) is expected
