"""The pages and the API of payments over HTTP: what the payer reads, what strangers do not, one effect of a repeat."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pypdf import PdfReader

from app.kernel import outbox
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.inbox import Notice
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.models.payments import Payment
from payments.queries import PaymentView, bill_page
from payments.services import StartPayment
from payments.simulator.application import Simulator
from payments.simulator.inprocess import Payer, take_deliveries
from tests.builders import a_member
from tests.payments.test_payment_services import control

MakeBill = Callable[..., UUID]
Pay = Callable[..., PaymentView]
JSON = {"Accept": "application/json"}


def english(client: FlaskClient) -> FlaskClient:
    client.set_cookie("language", "en")
    return client


def test_the_whole_way_of_a_payer(
    gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: MakeBill, owner: Actor, agency: Actor,
    browser: Callable[[Actor], FlaskClient], client: FlaskClient,
) -> None:  # fmt: skip
    bill_id = a_bill(1_280_000)
    payer = english(browser(owner))
    counter = payer.get("/bills").text
    assert "滨河路综合管廊项目环境影响报告书编制" in counter
    assert "12,800.00" in counter
    page = payer.get(f"/bills/{bill_id}").text
    assert "Nothing has been paid yet." in page
    assert "合同 HT-2026-000012 第五条" in page

    sent = payer.post(f"/bills/{bill_id}/pay", data={"method": "alipay", "idempotency_key": "k1", "language": "en"})
    assert sent.status_code == 303
    assert sent.location.startswith("http://127.0.0.1:8421/c/pay/cs_test_")
    again = payer.post(f"/bills/{bill_id}/pay", data={"method": "alipay", "idempotency_key": "k1", "language": "en"})
    other_tab = payer.post(f"/bills/{bill_id}/pay", data={"method": "card", "idempotency_key": "k2"})
    assert {again.location, other_tab.location} == {sent.location}
    assert db.session.scalar(sa.select(sa.func.count(Payment.id))) == 1

    waiting = payer.get(f"/bills/{bill_id}").text
    assert "A payment was started and the provider has not reported success yet." in waiting
    back = Payer(simulator, sent.location).by_wallet("alipay").location
    assert back.startswith("http://127.0.0.1:8000/pay/return/")
    for delivery in take_deliveries(simulator):
        headers = {k: v for k, v in delivery.headers.items() if k != "Content-Type"}
        assert client.post("/pay/notice/stripe", data=delivery.body, headers=headers).status_code == 200
    returned = payer.get(back.removeprefix("http://127.0.0.1:8000")).text
    assert "The whole amount was received. You do not need to pay again." in returned
    assert "hx-get" not in returned
    outbox.drain_all()

    paid = payer.get(f"/bills/{bill_id}").text
    assert "The money is held until the result is accepted" in paid
    receipt = payer.get(f"/bills/{bill_id}/receipt")
    assert receipt.mimetype == "application/pdf"
    receipt_text = "".join(p.extract_text() for p in PdfReader(_stream(receipt.data)).pages)
    assert "壹万贰仟捌佰元整" in receipt_text
    assert "attachment" in receipt.headers["Content-Disposition"]
    held = english(browser(agency)).get("/income").text
    assert "12,800.00" in held


def _stream(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


def test_an_unreachable_provider_leaves_a_page_that_waits(
    gateway: StripeGateway,
    simulator: Simulator,
    a_bill: MakeBill,
    owner: Actor,
    browser: Callable[[Actor], FlaskClient],
) -> None:
    control(simulator, "/faults", path="/v1/", fault="drop_before", times=3)
    bill_id = a_bill()
    payer = english(browser(owner))
    sent = payer.post(f"/bills/{bill_id}/pay", data={"method": "card", "idempotency_key": "k"})
    assert sent.status_code == 303
    assert sent.location.startswith("/pay/return/")
    page = payer.get(sent.location).text
    assert "the payment provider has not answered yet. Nothing was charged." in page
    assert 'hx-trigger="every 2s"' in page
    assert "We try again by ourselves" in payer.get(f"/bills/{bill_id}").text
    payer.get(f"{sent.location}/progress")
    part = payer.get(f"{sent.location}/progress").text
    assert "Go on at the cashier" in part
    assert "<html" not in part


def test_a_payer_may_cancel_and_choose_again(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    bill_id = a_bill()
    payer = english(browser(owner))
    payer.post(f"/bills/{bill_id}/pay", data={"method": "card", "idempotency_key": "k"})
    (attempt,) = bill_page(owner, bill_id).payments
    done = payer.post(f"/pay/{attempt.id}/cancel", follow_redirects=True).text
    assert "The attempt was cancelled." in done
    assert "The last attempt did not go through and nothing was charged." in done
    assert 'name="method"' in done


def test_strangers_meet_404_and_visitors_the_sign_in(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, browser: Callable[[Actor], FlaskClient], client: FlaskClient
) -> None:
    bill_id = a_bill()
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    services.send_payment(payment_id)
    stranger = browser(a_member(Role.OWNER))
    for path in (f"/bills/{bill_id}", f"/bills/{bill_id}/receipt", f"/pay/return/{payment_id}",
                 f"/pay/return/{payment_id}/progress", f"/api/bills/{bill_id}", f"/api/payments/{payment_id}"):  # fmt: skip
        assert stranger.get(path, headers=JSON).status_code == 404, path
        assert client.get(path, headers=JSON).status_code == 401, path
    for path in (f"/bills/{bill_id}/pay", f"/pay/{payment_id}/cancel", f"/pay/{payment_id}/refresh"):
        assert stranger.post(path, headers=JSON).status_code == 404, path
    for path in ("/books", "/refunds", "/income"):
        assert stranger.get(path, headers=JSON).status_code == 403, path
    assert bill_page(owner, bill_id).payments[0].state == "pending"


def test_a_payee_reads_but_does_not_pay(
    gateway: StripeGateway, a_bill: MakeBill, agency: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    bill_id = a_bill()
    payee = english(browser(agency))
    page = payee.get(f"/bills/{bill_id}").text
    assert 'name="method"' not in page
    assert payee.post(f"/bills/{bill_id}/pay", data={"method": "card"}, headers=JSON).status_code == 403


@pytest.mark.parametrize("typed", [{"method": "gold"}, {"amount": "1"}, {"method": "card", "bill_id": "x"}])
def test_unknown_input_is_refused_and_starts_nothing(
    gateway: StripeGateway,
    a_bill: MakeBill,
    owner: Actor,
    browser: Callable[[Actor], FlaskClient],
    typed: dict[str, str],
) -> None:
    bill_id = a_bill()
    answer = browser(owner).post(f"/bills/{bill_id}/pay", data=typed, headers=JSON)
    assert answer.status_code == 422
    assert bill_page(owner, bill_id).payments == ()


def test_the_api_needs_a_key_and_keeps_to_it(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    first, second = a_bill(100), a_bill(200)
    api = browser(owner)
    path = f"/api/bills/{first}/payments"
    without = api.post(path, json={"method": "card"})
    assert (without.status_code, without.json["code"]) == (400, "idempotency-key-missing")
    key = {"Idempotency-Key": str(uuid4())}
    made = api.post(path, json={"method": "card"}, headers=key)
    assert made.status_code == 201
    assert made.json["cashier_url"].startswith("http://127.0.0.1:8421/")
    assert api.post(path, json={"method": "card"}, headers=key).json["id"] == made.json["id"]
    reused = api.post(path, json={"method": "alipay"}, headers=key)
    assert (reused.status_code, reused.json["code"]) == (422, "idempotency-key-reused")
    listed = api.get("/api/bills").json
    assert {item["id"] for item in listed["items"]} == {str(first), str(second)}
    assert listed["total"] == 2
    assert api.get("/api/bills?state=nonsense").status_code == 422
    one = api.get(f"/api/bills/{first}").json
    assert (one["amount_fen"], one["state"], len(one["payments"]), one["actions"]) == (100, "open", 1, [])


def test_paying_a_paid_bill_is_a_conflict(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, pay_at_cashier: Pay, browser: Callable[[Actor], FlaskClient]
) -> None:
    bill_id = a_bill()
    payment_id = services.start_payment(owner, bill_id, StartPayment())
    services.send_payment(payment_id)
    pay_at_cashier(bill_id)
    api = browser(owner)
    assert api.post(f"/api/payments/{payment_id}/sync").json["state"] == "succeeded"
    answer = api.post(f"/api/bills/{bill_id}/payments", json={}, headers={"Idempotency-Key": "x"})
    assert (answer.status_code, answer.json["code"]) == (409, "bill-not-payable")
    cancelled = api.post(f"/api/payments/{payment_id}/cancel", headers={"Idempotency-Key": "y"})
    assert cancelled.json["state"] == "succeeded"


def test_operators_ask_for_and_decide_refunds_and_read_the_books(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, pay_at_cashier: Pay,
    browser: Callable[[Actor], FlaskClient],
) -> None:  # fmt: skip
    bill_id = a_bill(300_00)
    payment_id = services.start_payment(owner, bill_id, StartPayment("card"))
    services.send_payment(payment_id)
    pay_at_cashier(bill_id, "card")
    services.sync_payment(payment_id)
    services.check_books()
    desk = english(browser(operator))
    assert "Ask for a refund" in desk.get(f"/bills/{bill_id}").text
    form = {"reason": "合同解除", "idempotency_key": "r1"}
    asked = desk.post(f"/bills/{bill_id}/refund", data=form)
    assert asked.status_code == 303
    assert desk.post(f"/bills/{bill_id}/refund", data=form).location == asked.location
    refund_page = desk.get(asked.location).text
    assert "somebody else must approve it" in refund_page
    refused = desk.post(f"{asked.location}/actions/approve", follow_redirects=True).text
    assert "somebody other than the one who asked" in refused
    other = english(browser(a_member(Role.OPERATOR)))
    assert "Approved. The refund is being sent." in other.post(
        f"{asked.location}/actions/approve", follow_redirects=True).text  # fmt: skip
    outbox.drain_all()
    assert "Refunded" in other.get(f"/bills/{bill_id}").text
    assert other.get("/refunds?state=succeeded").text.count("合同解除") == 1
    books = other.get("/books").text
    assert "psp:stripe" in books
    assert "The books equal the payment provider" in books
    account = other.get("/books/accounts/psp:stripe")
    assert account.status_code == 200
    assert other.get("/books/accounts/none-such").status_code == 404
    trial = other.get("/api/books/trial-balance").json
    assert trial["total_fen"] == 0


@pytest.mark.parametrize(
    ("body", "header", "status"),
    [(b"{}", "", 400), (b"", "t=1,v1=x", 400), (b"x" * (256 * 1024 + 1), "t=1,v1=x", 413)],
)
def test_the_notice_address_refuses_what_is_not_the_providers(
    gateway: StripeGateway, secret: str, client: FlaskClient, body: bytes, header: str, status: int
) -> None:
    answer = client.post("/pay/notice/stripe", data=body, headers={"Stripe-Signature": header, **JSON})
    assert answer.status_code == status
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 0
    assert client.get("/pay/notice/stripe", headers=JSON).status_code == 405


def test_lists_take_a_fixed_number_of_statements(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    payer = browser(owner)

    def statements(path: str) -> int:
        seen: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        sa.event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert payer.get(path).status_code == 200
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    a_bill()
    statements("/bills")  # the first request also notes when the session was seen
    few = statements("/bills")
    for _ in range(5):
        a_bill()
    assert statements("/bills") == few
