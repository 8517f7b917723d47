"""Two persons at the same moment: comparisons, mismatches, payouts, refunds, debts, statements, keys. One effect each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError
from payments import ledger, services
from payments.gateways.stripe import StripeGateway
from payments.models.bank import BankEntry
from payments.models.payouts import Payout
from payments.models.reconciliation import GatewayMovement, Mismatch, ReconciliationRun
from payments.models.refunds import Refund
from payments.models.statements import UnmatchedMoney
from payments.queries import balances, bill_view
from payments.services import DecideRefund, StartPayment, post, reconciliation
from payments.services.payouts import AskPayout, DecidePayout, approve_payout, ask_payout
from payments.services.reconciliation import Explain
from payments.services.statements import apply_statement
from payments.services.unmatched import Assign, Say, assign, confirm_assignment, decline
from tests.builders import a_member, sign_in
from tests.payments.bank_desk import handed_in, unknown_money
from tests.payments.test_held_money import own
from tests.payments.test_reconciliation import a_stray_charge
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
FEW = 4
MakeBill = Callable[..., UUID]


def refused(answers: list[Any]) -> list[Any]:
    """Those that were refused; anything but a refusal of ours fails the test."""
    found = [one for one in answers if isinstance(one, Exception)]
    assert all(isinstance(one, DomainError) for one in found), found
    return found


def test_two_comparisons_at_once_write_each_difference_and_movement_once(
    app: Flask, gateway: StripeGateway, paid: MakeBill
) -> None:
    paid(10_000)
    a_stray_charge()
    db.session.rollback()
    answers = together(app, lambda _: services.check_books(), FEW)
    assert answers == [1] * FEW
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mismatch)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(GatewayMovement)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ReconciliationRun)) == FEW


def test_one_of_several_closes_a_mismatch(app: Flask, gateway: StripeGateway) -> None:
    people = [a_member(Role.OPERATOR) for _ in range(FEW)]
    a_stray_charge()
    services.check_books()
    row = db.session.scalars(sa.select(Mismatch)).one()
    mismatch_id, version = row.id, row.version
    db.session.rollback()

    def close(number: int) -> str:
        reconciliation.close_mismatch(people[number], mismatch_id, Explain(f"核对{number}", version))
        return f"核对{number}"

    answers = together(app, close, FEW)
    assert len(refused(answers)) == FEW - 1
    (won,) = [one for one in answers if isinstance(one, str)]
    closed = db.session.scalars(sa.select(Mismatch)).one()
    assert (closed.state, closed.note, closed.closed_by) == ("closed", won, people[int(won[-1])].user_id)


def test_one_payout_of_the_same_released_money(
    app: Flask,
    gateway: StripeGateway,
    balance: Callable[[int], UUID],
    account: MakeBill,
    agency: Actor,
    operator: Actor,
) -> None:
    account()
    balance(50_000)
    organisation = agency.organisation_id
    assert organisation is not None
    db.session.rollback()
    answers = together(app, lambda n: ask_payout(agency if n % 2 else operator, organisation, AskPayout(40_000)), FEW)
    assert len(refused(answers)) == FEW - 1
    (payout_id,) = [one for one in answers if isinstance(one, UUID)]
    assert own(agency) == (10_000, 0)
    assert balances([f"payout_pending:{payout_id}"]) == {f"payout_pending:{payout_id}": -40_000}
    people = [a_member(Role.OPERATOR) for _ in range(FEW)]
    db.session.rollback()
    decided = together(app, lambda n: approve_payout(people[n], payout_id, DecidePayout()), FEW)
    assert len(refused(decided)) == FEW - 1
    assert db.session.scalar(sa.select(Payout.state)) == "approved"


def test_refunds_of_one_payment_of_two_bills_never_exceed_it(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: MakeBill
) -> None:
    bills = [a_bill(30_000), a_bill(20_000)]
    payment_id = services.start_joint_payment(owner, bills, StartPayment("card"))
    services.send_payment(payment_id)
    pay_at_cashier(bills[0], "card")
    services.sync_payment(payment_id)
    db.session.rollback()
    answers = together(app, lambda n: services.refund(SYSTEM, bills[n % 2], "服务范围缩减", 20_000), FEW)
    assert len(refused(answers)) == FEW - 2
    assert db.session.scalar(sa.select(sa.func.sum(Refund.amount_fen))) == 40_000
    assert [bill_view(one).held_fen for one in bills] == [10_000, 0]


def test_a_debt_is_withheld_before_a_payout_whoever_comes_first(
    app: Flask, gateway: StripeGateway, balance: Callable[[int], UUID], account: MakeBill, paid: MakeBill, agency: Actor,
    operator: Actor, second: Actor,
) -> None:  # fmt: skip
    account()
    balance(5_000)
    organisation = agency.organisation_id
    assert organisation is not None
    debt = ledger.Entry(ledger.receivable(organisation), 30_000), ledger.Entry(ledger.suspense(), -30_000)
    from app.kernel import clock

    post(ledger.Posting("debt", "refund-debt", clock.now(), debt, "抽查不合格"))
    bill_id = paid(50_000)
    db.session.rollback()

    def work(number: int) -> object:
        if number % 2:
            return services.release_held(SYSTEM, bill_id, "验收合格")
        return ask_payout(operator, organisation, AskPayout())

    answers = together(app, work, FEW)
    refused(answers)
    payable, owed = own(agency)
    on_the_way = db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(Payout.amount_fen), 0)))
    assert (owed, payable + on_the_way) == (0, 25_000), answers


def test_one_of_several_takes_a_statement_over(app: Flask, gateway: StripeGateway, operator: Actor) -> None:
    people = [a_member(Role.OPERATOR) for _ in range(FEW)]
    first = handed_in(operator, ("收", "70.00", "S1", "往来款"))
    other = handed_in(operator, ("收", "70.00", "S1", "往来款"), ("收", "1.00", "S2", "往来款"))
    db.session.rollback()
    answers = together(app, lambda n: apply_statement(people[n], (first, other)[n % 2], Plain()), FEW)
    assert len(refused(answers)) == FEW - 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankEntry).where(BankEntry.bank_ref == "S1")) == 1
    came = balances(["bank:main"])["bank:main"]
    assert (came, balances(["suspense:unmatched"])) in [(7_000, {"suspense:unmatched": -7_000}),
                                                        (7_100, {"suspense:unmatched": -7_100})]  # fmt: skip


def test_one_of_several_sums_gets_the_bill_and_a_decision_is_made_once(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(500)
    for ref in ("A1", "A2"):
        unknown_money(operator, second, 500, ref)
    sums = list(db.session.scalars(sa.select(UnmatchedMoney.id)))
    for one in sums:
        assign(operator, one, Assign(bill_view(bill_id).number, "电话核实"))
    db.session.rollback()

    def work(number: int) -> None:
        if number == FEW:
            decline(operator, sums[0], Say("再问一次"))
        else:
            confirm_assignment(second, sums[number % 2], Plain())

    answers = together(app, work, FEW + 1)
    done = [one for one in answers if one is None]
    assert len(refused(answers)) + len(done) == FEW + 1
    states = sorted(db.session.scalars(sa.select(UnmatchedMoney.state)))
    assert states in (["assigned", "assigning"], ["assigned", "open"])
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("paid", 500)
    assert balances(["suspense:unmatched"]) == {"suspense:unmatched": -500}


def test_one_key_posted_at_the_same_moment_is_one_payout(
    app: Flask, gateway: StripeGateway, balance: Callable[[int], UUID], account: MakeBill, agency: Actor
) -> None:
    account()
    balance(50_000)
    path = f"/api/agency-money/{agency.organisation_id}/actions/payout"
    clients = []
    for _ in range(FEW):
        client = app.test_client()
        sign_in(client, agency)
        clients.append(client)
    db.session.rollback()

    def call(number: int) -> tuple[int, Any]:
        answer = clients[number].post(path, json={"amount_fen": "100.00"}, headers={"Idempotency-Key": "same"})
        return answer.status_code, answer.get_json()

    answers = together(app, call, FEW)
    assert all(isinstance(one, tuple) for one in answers), answers
    done = [body for status, body in answers if status == 200]
    assert done
    assert all(body == done[0] for body in done)
    assert {status for status, _ in answers} <= {200, 409}, answers
    assert db.session.scalars(sa.select(Payout.amount_fen)).all() == [10_000]
    assert own(agency) == (40_000, 0)


def test_a_refund_is_approved_once(app: Flask, gateway: StripeGateway, paid: MakeBill, operator: Actor) -> None:
    bill_id = paid(10_000)
    refund_id = services.refund(operator, bill_id, "合同解除")
    people = [a_member(Role.OPERATOR) for _ in range(FEW)]
    db.session.rollback()
    answers = together(app, lambda n: services.approve_refund(people[n], refund_id, DecideRefund()), FEW)
    assert len(refused(answers)) == FEW - 1
    assert all(isinstance(one, Conflict | DomainError) for one in refused(answers))
