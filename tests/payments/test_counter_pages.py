"""The counter over HTTP: everything due with its basis, baskets, the printed bill and paying by its code."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import new_id
from payments import pay_codes, services
from payments.gateways.stripe import StripeGateway
from payments.queries import PaymentView, bill_page, bill_view
from payments.services import BillKind, BillLine, OpenBill, StartPayment
from payments.simulator.application import Simulator
from payments.simulator.inprocess import Payer
from tests.builders import a_member, sign_in
from tests.marketplace.market import PNG

MakeBill = Callable[..., UUID]


@pytest.fixture
def browser(app: Flask) -> Callable[[Actor], FlaskClient]:
    def make(actor: Actor) -> FlaskClient:
        client = app.test_client()
        client.set_cookie("language", "en")
        sign_in(client, actor)
        return client

    return make


@pytest.fixture
def statutory(owner: Actor) -> UUID:
    """A statutory bill with a free item and a reduction."""
    lines = (
        BillLine("不动产登记费", 0, "发改价格规〔2016〕2559号", "550元/件", 55_000, "小微企业免征"),
        BillLine("证书工本费", 1_000, "发改价格规〔2016〕2559号", "10元/本"),
    )
    return services.open_bill(SYSTEM, OpenBill(
        thread_id=new_id(), subject="case:1", kind=BillKind.STATUTORY_FEE, title="不动产登记费",
        payer_organisation_id=owner.organisation_id, payer_user_id=None, payee_organisation_id=None, lines=lines,
        due_at=clock.now() + timedelta(days=10)))  # fmt: skip


def test_the_counter_lists_items_reductions_and_what_is_free(
    gateway: StripeGateway, a_bill: MakeBill, statutory: UUID, owner: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    a_bill(1_280_000)
    page = browser(owner).get("/bills?side=payer").text
    for words in ("This item is free", "reduced by 550.00 yuan: 小微企业免征", "发改价格规〔2016〕2559号", "12,810.00",
                  "Goes straight to the treasury account"):  # fmt: skip
        assert words in page, words


def test_a_basket_is_paid_at_one_cashier(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, statutory: UUID, owner: Actor,
    browser: Callable[[Actor], FlaskClient],
) -> None:  # fmt: skip
    first, second = a_bill(70_000), a_bill(30_000)
    payer = browser(owner)
    mixed = payer.get(f"/pay/basket?bill={first}&bill={statutory}").text
    assert "cannot share one payment" in mixed
    assert 'name="method"' not in mixed
    page = payer.get(f"/pay/basket?bill={first}&bill={second}").text
    assert "1,000.00" in page
    sent = payer.post("/pay/basket", data={"bill": [str(first), str(second)], "method": "card", "idempotency_key": "k"})
    assert (sent.status_code, sent.location[:26]) == (303, "http://127.0.0.1:8421/c/pa")
    assert Payer(simulator, sent.location).by_card().status_code == 303
    (attempt,) = bill_page(owner, first).payments
    back = payer.get(f"/pay/return/{attempt.id}").text
    assert "Paid together" in back
    assert (bill_view(first).state, bill_view(second).state) == ("paid", "paid")
    assert "together with 1 other bill" in payer.get(f"/bills/{second}").text


def test_strangers_cannot_put_a_bill_into_their_basket(
    gateway: StripeGateway, a_bill: MakeBill, browser: Callable[[Actor], FlaskClient]
) -> None:
    bill_id = a_bill()
    stranger = browser(a_member(Role.OWNER))
    assert stranger.get(f"/pay/basket?bill={bill_id}").status_code == 404
    assert stranger.post("/pay/basket", data={"bill": [str(bill_id)], "method": "card"}).status_code == 404
    assert stranger.get(f"/bills/{bill_id}/bill.pdf").status_code == 404
    assert stranger.get("/pay/basket?bill=nonsense").status_code == 404


def test_the_printed_bill_carries_code_items_and_capitals(
    gateway: StripeGateway, statutory: UUID, owner: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    paper = browser(owner).get(f"/bills/{statutory}/bill.pdf")
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(paper.data)).pages)
    for words in (pay_codes.printed(bill_view(statutory).pay_code), "小微企业免征", "免费", "壹拾元整", "财政专户"):
        assert words in text, words
    assert "支付宝" not in text  # statutory money is not taken online by our own account


def test_whoever_holds_the_paper_may_look_up_and_pay_without_an_account(
    gateway: StripeGateway, simulator: Simulator, a_bill: MakeBill, owner: Actor, client: FlaskClient
) -> None:
    bill_id = a_bill(70_000)
    code = bill_view(bill_id).pay_code
    client.set_cookie("language", "en")
    asked = client.get(f"/pay/code?code={pay_codes.printed(code)}")
    assert asked.location == f"/pay/code/{code}"
    page = client.get(asked.location).text
    payer_name = bill_view(bill_id).payer_name
    assert "700.00" in page
    assert payer_name not in page
    sent = client.post(f"/pay/code/{code}/pay", data={"method": "card", "language": "en"})
    assert sent.location.startswith("http://127.0.0.1:8421/c/pay/")
    done = Payer(simulator, sent.location).by_card()
    assert done.location == f"http://127.0.0.1:8000/pay/code/{code}"
    assert "You do not need to pay again" in client.get(f"/pay/code/{code}").text
    assert bill_view(bill_id).state == "paid"


def test_a_wrong_code_is_told_and_a_transfer_is_not_offered_by_code(
    gateway: StripeGateway, statutory: UUID, client: FlaskClient
) -> None:
    code = bill_view(statutory).pay_code
    slip = code[:-1] + str((int(code[-1]) + 1) % 10)
    client.set_cookie("language", "en")
    assert client.get(f"/pay/code?code={slip}").status_code == 422
    assert client.get(f"/pay/code/{slip}").status_code == 404
    assert client.get(f"/pay/code/{pay_codes.new_code(BillKind.SERVICE_FEE, 2026)}").status_code == 404
    page = client.get(f"/pay/code/{code}").text
    assert 'name="method"' not in page
    assert "chooses bank transfer" in page
    client.post(f"/pay/code/{code}/pay", data={"method": "bank_transfer"})
    assert bill_view(statutory).state == "open"


def test_the_way_of_a_transfer_over_the_pages(
    gateway: StripeGateway, statutory: UUID, owner: Actor, operator: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    payer, desk, second = browser(owner), browser(operator), browser(a_member(Role.OPERATOR))
    sent = payer.post(f"/bills/{statutory}/pay", data={"method": "bank_transfer", "idempotency_key": "k"})
    page = payer.get(urlsplit(sent.location).path).text
    live = bill_page(owner, statutory).live_payment
    assert isinstance(live, PaymentView)
    assert live.number in page
    assert "the treasury&#39;s own account" in page or "the treasury's own account" in page
    slip = {"file": (BytesIO(PNG), "回单.png"), "note": "电汇"}
    address = f"/pay/cashier/{live.id}/voucher"
    assert (
        "was handed in"
        in payer.post(address, data=slip, content_type="multipart/form-data", follow_redirects=True).text
    )
    assert live.number in desk.get("/bank-transfers").text
    typed = {"gateway": "bank_treasury", "bank_ref": "R1", "counterparty": "某公司", "amount_fen": "10.00",
             "moved_at": "2026-01-05T09:30", "reference": live.number}  # fmt: skip
    wrong = desk.post("/bank-transfers/new", data=typed | {"reference": "JK-1"})
    assert (wrong.status_code, "No transfer to this account has this reference" in wrong.text) == (422, True)
    entered = desk.post("/bank-transfers/new", data=typed)
    assert "somebody else must confirm it" in desk.get(entered.location).text
    done = second.post(f"{entered.location}/actions/confirm", follow_redirects=True).text
    assert "two persons" in done.lower()
    assert payer.get("/bank-transfers").status_code == 403
    assert services.sync_payment(live.id) == "succeeded"


def test_large_amounts_are_offered_by_transfer_only(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    page = browser(owner).get(f"/bills/{a_bill(100_000_000)}").text
    assert 'value="bank_transfer"' in page
    assert 'value="card"' not in page
    assert services.start_payment(owner, a_bill(99_999_999), StartPayment("card"))
