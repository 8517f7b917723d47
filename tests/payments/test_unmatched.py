"""Money with no or a wrong reference: set aside, assigned or returned by two persons, and never income."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from app.identity.models import Notice
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.statements import BankStatement, UnmatchedMoney
from payments.queries import balances, bill_page, bill_view
from payments.queries.unmatched import candidates, in_suspense, unmatched_money
from payments.services import BillKind, DecideEntry, DecideRefund, EnterMovement, EnterRefundSent, StartPayment
from payments.services.unmatched import (
    Assign,
    Say,
    assign,
    confirm_assignment,
    confirm_return,
    decline,
    give_back,
    recall,
)
from tests.builders import a_member
from tests.payments.bank_desk import SENDER, handed_in, statement_file, transfer, unknown_money, yesterday

MakeBill = Callable[..., UUID]
pytestmark = pytest.mark.postgresql


def the_money() -> UnmatchedMoney:
    db.session.expire_all()
    return db.session.scalars(sa.select(UnmatchedMoney).order_by(UnmatchedMoney.found_at.desc())).first()  # type: ignore[return-value]


def lies() -> dict[str, int]:
    return balances(["bank:main", "suspense:unmatched", "income:platform_fee"])


def test_two_persons_assign_money_to_a_bill_and_its_payer_is_told(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(12_300)
    unknown_money(operator, second, 12_300)
    money = the_money()
    assert (money.state, in_suspense(), lies()) == (
        "open",
        (1, 12_300),
        {"bank:main": 12_300, "suspense:unmatched": -12_300},
    )
    assert [one.bill_id for one in candidates(unmatched_money(operator, money.id))] == [bill_id]
    with pytest.raises(NotAllowed):
        assign(a_member(Role.REGULATOR), money.id, Assign(bill_view(bill_id).number, "电话核实"))
    assign(operator, money.id, Assign(bill_view(bill_id).number.lower(), "与汇款人电话核实，附言漏填"))
    with pytest.raises(Refused, match="somebody other"):
        confirm_assignment(operator, money.id, Plain())
    assert (the_money().state, bill_view(bill_id).state) == ("assigning", "open")
    confirm_assignment(second, money.id, Plain())
    outbox.drain_all()
    assert (the_money().state, bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("assigned", "paid", 12_300)
    assert lies() == {"bank:main": 12_300, "suspense:unmatched": 0}
    attempt = bill_page(owner, bill_id).payments[0]
    assert (attempt.id, attempt.gateway, attempt.state, attempt.amount_fen) == (
        the_money().payment_id,
        "bank",
        "succeeded",
        12_300,
    )
    told = set(db.session.scalars(sa.select(Notice.kind).where(Notice.user_id == owner.user_id)))
    assert "payment.bill-paid" in told
    steps = db.session.scalars(sa.select(AuditEvent.action).where(AuditEvent.object_id == str(money.id)))
    assert [one.rpartition(".")[2] for one in steps] == ["find", "assign", "confirm_assignment"]


def test_assigned_money_can_be_refunded_to_the_cent_and_a_second_transfer_is_set_aside_again(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(700)
    _, number = transfer(owner, bill_id)
    unknown_money(operator, second, 700)
    assign(operator, the_money().id, Assign(bill_view(bill_id).pay_code, "附言写错"))
    confirm_assignment(second, the_money().id, Plain())
    outbox.drain_all()
    assert [one.number for one in bill_page(owner, bill_id).payments] == [
        number
    ]  # the announced transfer, no second one
    again = services.enter_movement(operator, EnterMovement("bank", "A2", SENDER, 700, clock.now(), number))
    services.confirm_entry(second, again, DecideEntry())
    outbox.drain_all()
    assert lies() == {"bank:main": 1_400, "suspense:unmatched": -700}
    refund_id = services.refund(operator, bill_id, "合同解除")
    services.approve_refund(second, refund_id, DecideRefund())
    outbox.drain_all()
    left = services.enter_refund_sent(operator, refund_id, EnterRefundSent("A3", SENDER, clock.now()))
    services.confirm_entry(second, left, DecideEntry())
    outbox.drain_all()
    assert (bill_view(bill_id).state, lies()) == ("refunded", {"bank:main": 700, "suspense:unmatched": -700})


def test_what_does_not_fit_is_refused_and_stays_where_it_is(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    other, statutory, courier = a_bill(501), a_bill(500, BillKind.STATUTORY_FEE), a_bill(500, BillKind.COURIER_FEE)
    unknown_money(operator, second, 500)
    money = the_money().id
    for bill, code in (("FK-0000-000000", "bill-unknown"), (bill_view(other).number, "assign-amount"),
                       (bill_view(statutory).number, "bill-route")):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            assign(operator, money, Assign(bill, "x"))
        assert (refusal.value.code, refusal.value.field) == (code, "bill")
    services.start_payment(owner, courier, StartPayment("alipay"))
    with pytest.raises(Conflict, match="another attempt"):
        assign(operator, money, Assign(bill_view(courier).number, "x"))
    assert (the_money().state, lies()) == ("open", {"bank:main": 500, "suspense:unmatched": -500})


def test_a_bill_that_was_paid_meanwhile_does_not_get_the_money(
    app: Flask, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(500)
    for ref in ("A1", "A2"):
        unknown_money(operator, second, 500, ref)
        assign(operator, the_money().id, Assign(bill_view(bill_id).number, "x"))
    first, other = db.session.scalars(sa.select(UnmatchedMoney.id).order_by(UnmatchedMoney.found_at)).all()
    confirm_assignment(second, first, Plain())
    with pytest.raises(Refused, match="not due"):
        confirm_assignment(second, other, Plain())
    assert (the_money().state, lies()) == ("assigning", {"bank:main": 1_000, "suspense:unmatched": -500})
    decline(operator, other, Say("账单已缴"))
    assert (the_money().state, the_money().bill_id, the_money().proposed_by) == ("open", None, None)


def test_two_persons_return_money_and_only_the_statement_takes_it_out_of_the_books(
    app: Flask, operator: Actor, second: Actor
) -> None:
    unknown_money(operator, second, 900)
    money = the_money().id
    with pytest.raises(Refused, match="reason"):
        give_back(operator, money, Say(" "))
    give_back(operator, money, Say("汇款人来函：转错账户"))
    with pytest.raises(Refused, match="somebody other"):
        confirm_return(operator, money, Plain())
    sent = EnterRefundSent("B1", SENDER, clock.now())
    with pytest.raises(Conflict, match="not to be sent"):
        services.enter_money_returned(operator, money, sent)
    confirm_return(second, money, Plain())
    assert lies() == {"bank:main": 900, "suspense:unmatched": -900}
    entry = services.enter_money_returned(second, money, sent)
    with pytest.raises(Conflict):
        services.enter_money_returned(second, money, EnterRefundSent("B2", SENDER, clock.now()))
    with pytest.raises(Conflict, match="Reject that entry first"):
        recall(operator, money, Say("想错了"))
    services.reject_entry(operator, entry, DecideEntry("流水号录错"))
    recall(operator, money, Say("汇款人改变主意"))
    give_back(second, money, Say("最终退回"))
    confirm_return(operator, money, Plain())
    entry = services.enter_money_returned(second, money, EnterRefundSent("B2", SENDER, clock.now()))
    services.confirm_entry(operator, entry, DecideEntry())
    assert (the_money().state, lies(), in_suspense()) == ("returned", {"bank:main": 0, "suspense:unmatched": 0}, (0, 0))
    kinds = db.session.scalars(sa.select(LedgerTransaction.kind).order_by(LedgerTransaction.posted_at)).all()
    assert kinds == ["suspense", "given_back"]


def test_the_database_wants_two_persons(app: Flask, operator: Actor, second: Actor) -> None:
    unknown_money(operator, second, 900)
    give_back(operator, the_money().id, Say("转错"))
    values = {"state": "to_send", "decided_by": operator.user_id, "decided_at": clock.now()}
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.update(UnmatchedMoney).values(**values))


def test_the_pages_and_the_api_lead_through_the_whole_way(
    app: Flask, a_bill: MakeBill, operator: Actor, second: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    bill_id = a_bill(7_000)
    clerk, other = browser(operator), browser(second)
    statement = handed_in(operator, ("收", "70.00", "P1", "往来款"))
    assert "往来款" in clerk.get(f"/bank-statements/{statement}").text
    page = other.get(f"/bank-statements/{statement}")
    assert f"/bank-statements/{statement}/actions/apply" in page.text
    assert f"/bank-statements/{statement}/actions/apply" not in clerk.get(f"/bank-statements/{statement}").text
    done = other.post(f"/api/bank-statements/{statement}/actions/apply", json={}, headers={"Idempotency-Key": "k1"})
    assert (done.status_code, done.get_json()["state"]) == (200, "applied")
    outbox.drain_all()
    listed = clerk.get("/api/unmatched-money").get_json()
    (item,) = listed["items"]
    assert (item["amount_fen"], item["state"], item["counterparty"]) == (7_000, "open", SENDER)
    detail = clerk.get(f"/unmatched-money/{item['id']}").text
    assert bill_view(bill_id).number in detail
    assert "往来款" in detail
    form = clerk.get(f"/unmatched-money/{item['id']}/actions/assign?bill={bill_view(bill_id).number}").text
    assert bill_view(bill_id).number in form
    typed = {"bill": bill_view(bill_id).number, "reason": "电话核实"}
    assert clerk.post(f"/unmatched-money/{item['id']}/actions/assign", data=typed).status_code == 303
    no_key = other.post(f"/api/unmatched-money/{item['id']}/actions/confirm_assignment", json={})
    assert no_key.status_code == 400
    key = {"Idempotency-Key": "k2"}
    done = other.post(f"/api/unmatched-money/{item['id']}/actions/confirm_assignment", json={}, headers=key)
    assert (done.status_code, done.get_json()["state"]) == (200, "assigned")
    for path in ("/bank-statements", "/bank-statements/new", "/bank-statements/template.csv", "/books", "/unmatched-money?state=",
                 "/unmatched-money.csv?state=", f"/bank-statements/{statement}/lines.csv", "/bank-transfers",
                 f"/api/bank-statements/{statement}/lines?verdict=unmatched", "/api/bank-statements"):  # fmt: skip
        assert clerk.get(path).status_code == 200, path
    stranger = browser(a_member(Role.OWNER))
    for path in (f"/unmatched-money/{item['id']}", f"/api/unmatched-money/{item['id']}", "/bank-statements"):
        assert stranger.get(path).status_code in {403, 404}, path
    with pytest.raises(NotFound):
        unmatched_money(a_member(Role.OWNER), UUID(item["id"]))
    assert yesterday() == clock.today() - timedelta(days=1)


def test_a_file_handed_in_over_the_api_is_checked_once_and_moves_nothing(
    operator: Actor, second: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    day = yesterday().isoformat()
    file = statement_file([("收", "70.00", "P1", "往来款")])

    def hand_in(actor: Actor, key: str | None, opening: str = "") -> TestResponse:
        typed = {"gateway": "bank", "first_day": day, "last_day": day, "opening_fen": opening}
        typed |= {"closing_fen": opening, "file": (BytesIO(file.content), file.name)}
        headers = {"Idempotency-Key": key} if key else {}
        return browser(actor).post("/api/bank-statements", data=typed, headers=headers)

    assert hand_in(a_member(Role.OWNER), "k0").status_code == 403
    assert hand_in(operator, None).status_code == 400
    made = hand_in(operator, "k1")
    assert made.status_code == 201
    repeated = hand_in(operator, "k1")
    assert (repeated.status_code, repeated.get_json()) == (201, made.get_json())
    assert hand_in(operator, "k1", opening="1.00").get_json()["code"] == "idempotency-key-reused"
    told = made.get_json()
    assert (told["state"], told["lines"], told["in_fen"], told["problems"]) == ("checked", 1, 7_000, 0)
    assert told["verdicts"] == {"unmatched": {"count": 1, "amount_fen": 7_000}}
    again = hand_in(second, "k2")
    assert (again.status_code, again.get_json()["code"]) == (422, "statement-known")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankStatement)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(UnmatchedMoney)) == 0
