"""What every gateway owes the domain, asked of each of them; and the signatures of the direct ones, genuine and forged."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import Client

from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.db import db, transaction
from payments import services
from payments.gateways import MORE
from payments.gateways.alipay import AlipayGateway
from payments.gateways.bank import BankTransferGateway
from payments.gateways.stripe import StripeGateway
from payments.gateways.wechat import WeChatGateway
from payments.models.bank import BankEntry
from payments.models.payments import Payment
from payments.observed import Reported
from payments.ports import SCAN, BadSignature, PaymentGateway, PaymentOrder, Unknown
from payments.queries import bill_page, bill_view
from payments.services import StartPayment
from payments.simulator.application import Simulator
from payments.simulator.inprocess import InProcessHttp, Payer
from payments.states import BillKind
from tests.payments.wallets import FakeAlipay, FakeWeChat, key

MakeBill = Callable[..., UUID]
NOTICES = "https://market.example/pay/notice/"
FEN = 128_050


def order(payment_id: UUID, method: str) -> PaymentOrder:
    return PaymentOrder(
        payment_id=payment_id, number=f"JK-{payment_id.hex[:8]}", kind=BillKind.SERVICE_FEE, bill_number="ZD-2026-000001",
        description="ZD-2026-000001 环评报告", lines=(("报告编制费", "合同第五条", FEN),), amount_fen=FEN, currency="CNY",
        method=method, language="zh", success_url="https://market.example/pay/return/1",
        cancel_url="https://market.example/bills/1", own_page=f"https://market.example/pay/cashier/{payment_id}",
    )  # fmt: skip


class Bench:
    """A gateway on the bench: one order, and a payer who pays it there."""

    def __init__(self, name: str, simulator: Simulator) -> None:
        self.alipay, self.wechat, self.simulator = FakeAlipay(), FakeWeChat(), simulator
        self.name = name
        self.id = uuid4()
        self.gateway: PaymentGateway = {
            "stripe": lambda: StripeGateway("sk_test_x", "http://127.0.0.1:8421", http=InProcessHttp(simulator)),
            "stripe own QR": lambda: StripeGateway(
                "sk_test_x", "http://127.0.0.1:8421", http=InProcessHttp(simulator), own_qr=True
            ),
            "bank": self._bank,
            "alipay": lambda: AlipayGateway(FakeAlipay.account, f"{NOTICES}alipay", transport=self.alipay),
            "wechat_pay": lambda: WeChatGateway(FakeWeChat.account, f"{NOTICES}wechat_pay", transport=self.wechat),
        }[name]()
        self.method = "wechat_pay" if name == "stripe own QR" else self.gateway.caps.methods[0]
        self.request = self.gateway.request_for(order(self.id, self.method))
        if name == "bank":
            self._write_payment()

    @staticmethod
    def _bank() -> BankTransferGateway:
        from app.settings import BankAccount

        return BankTransferGateway("bank", BankAccount("户名", "银行", "1"), frozenset(BillKind))

    def _write_payment(self) -> None:
        told = order(self.id, self.method)
        with transaction() as session:
            session.add(Payment(
                id=self.id, number=told.number, thread_id=self.id, kind="service_fee", gateway="bank", method=self.method,
                amount_fen=FEN, state="new", request=self.request, idempotency_key=str(self.id), readers=[],
                session_ref=told.number, started_at=clock.now(), check_at=clock.now()))  # fmt: skip

    def start(self) -> str:
        fact = self.gateway.start(self.request, f"payment-{self.id}")
        assert fact.session_ref is not None
        self.page = fact.cashier_url or ""
        return fact.session_ref

    def pay(self) -> None:
        match self.name:
            case "stripe":
                assert Payer(self.simulator, self.page).pay(self.method).status_code == 303
            case "stripe own QR":
                scanned = urlsplit(self.page.removeprefix(SCAN)).path
                assert Client(self.simulator).post(f"{scanned}/confirm").status_code in {200, 303}
            case "alipay":
                self.alipay.pay(self.page)
            case "wechat_pay":
                self.wechat.pay(self.id.hex)
            case _:
                self._enter("in", payment_id=self.id, fen=FEN)

    def _enter(
        self, direction: str, *, fen: int, payment_id: UUID | None = None, refund_id: UUID | None = None
    ) -> None:
        with transaction() as session:
            session.add(BankEntry(
                id=uuid4(), thread_id=self.id, number="YH-1", gateway="bank", direction="in", payment_id=self.id,
                bank_ref="B-1", counterparty="某公司", amount_fen=FEN, moved_at=clock.now(), state="confirmed",
                entered_by=uuid4(), entered_at=clock.now(), decided_by=uuid4(), decided_at=clock.now(), readers=[]))  # fmt: skip


@pytest.fixture(params=["stripe", "stripe own QR", "bank", "alipay", "wechat_pay"])
def bench(request: pytest.FixtureRequest, app: Flask, simulator: Simulator) -> Bench:
    return Bench(request.param, simulator)


def test_a_request_is_plain_json_and_the_same_start_is_the_same_attempt(bench: Bench) -> None:
    assert json.loads(json.dumps(bench.request)) == bench.request
    facts = [bench.gateway.start(bench.request, f"payment-{bench.id}") for _ in range(2)]
    assert [(f.status, f.payment_id, f.amount_fen, f.currency) for f in facts] == [
        (Reported.WAITING, bench.id, FEN, "CNY")
    ] * 2
    assert facts[0].session_ref == facts[1].session_ref
    assert facts[0].cashier_url == facts[1].cashier_url
    assert facts[0].expires_at is not None


def test_waiting_then_paid_with_one_movement_however_often_it_is_asked(bench: Bench) -> None:
    reference = bench.start()
    assert bench.gateway.fetch(reference).status is Reported.WAITING
    bench.pay()
    first, second = bench.gateway.fetch(reference), bench.gateway.search(bench.id, clock.now() - timedelta(hours=1))
    assert first.charge is not None
    assert (first.status, first.amount_fen, first.currency, first.method) == (
        Reported.SUCCEEDED,
        FEN,
        "CNY",
        bench.method,
    )
    assert (first.charge.kind, first.charge.gross_fen) == ("charge", FEN)
    assert first.payment_ref
    assert second is not None
    assert (second.charge, second.payment_ref) == (first.charge, first.payment_ref)
    assert bench.gateway.cancel(reference).status is Reported.SUCCEEDED


def test_cancelling_closes_what_nobody_has_paid(bench: Bench) -> None:
    reference = bench.start()
    assert bench.gateway.cancel(reference).status in {Reported.CANCELED, Reported.EXPIRED}


def test_a_refund_sent_twice_is_one_movement(bench: Bench) -> None:
    reference = bench.start()
    bench.pay()
    paid = bench.gateway.fetch(reference)
    assert paid.payment_ref is not None
    refund_id = uuid4()
    request = bench.gateway.refund_request(paid.payment_ref, 50, refund_id)
    sent = [bench.gateway.refund(request, f"refund-{refund_id}") for _ in range(2)]
    assert sent[0].ref == sent[1].ref
    if bench.name == "bank":  # a person sends it; see test_bank_transfer
        assert [fact.status for fact in sent] == ["pending", "pending"]
        return
    if bench.name.startswith("stripe"):
        Client(bench.simulator).post("/_sim/clock", json={"advance": 60})
    done = bench.gateway.fetch_refund(sent[0].ref)
    assert (done.status, [m.gross_fen for m in done.movements]) == ("succeeded", [-50])


def test_what_is_not_the_providers_is_no_notice(bench: Bench) -> None:
    for raw in (b"", b"{}", b"\xff\xfe", b"a=b&sign=x", b'{"id":"EV"}'):
        with pytest.raises(BadSignature):
            bench.gateway.read_notice({}, raw, ("whsec_x",), clock.wall_time())


# --- the signatures of the direct gateways ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alipay", "wechat_pay"])
def test_an_answer_signed_by_somebody_else_is_believed_in_nothing(app: Flask, simulator: Simulator, name: str) -> None:
    bench = Bench(name, simulator)
    reference = bench.start()
    bench.pay()
    bench.alipay.signer = bench.wechat.signer = "stranger"
    key("stranger")
    with pytest.raises(Unknown):
        bench.gateway.fetch(reference)
    bench.alipay.down = bench.wechat.down = True
    with pytest.raises(Unknown):
        bench.gateway.fetch(reference)


def test_a_notice_of_alipay_is_read_and_a_forged_one_is_not(app: Flask, simulator: Simulator) -> None:
    bench = Bench("alipay", simulator)
    reference = bench.start()
    bench.pay()
    genuine = bench.alipay.notice(reference)
    notice = bench.gateway.read_notice({}, genuine, (), clock.wall_time())
    assert (notice.payment_id, notice.notice_id, notice.session_ref) == (bench.id, "2026112200222100001", reference)
    for forged in (
        genuine.replace(b"1280.50", b"9999.50"),
        bench.alipay.notice(reference, signer="stranger"),
        bench.alipay.notice(reference, app_id="2021000000000009"),
        bench.alipay.notice(reference, seller_id="2088000000000009"),
    ):
        with pytest.raises(BadSignature):
            bench.gateway.read_notice({}, forged, (), clock.wall_time())


def test_a_notice_of_wechat_is_decrypted_and_a_forged_one_is_not(app: Flask, simulator: Simulator) -> None:
    bench = Bench("wechat_pay", simulator)
    reference = bench.start()
    raw = bench.wechat.notice(reference)
    now = clock.wall_time()
    headers = {name.title(): value for name, value in bench.wechat.signed(raw.decode()).items()}
    assert bench.gateway.read_notice(headers, raw, (), now).payment_id == bench.id
    sealed_otherwise = bench.wechat.notice(reference, api_key="f" * 32)
    bad: list[tuple[dict[str, str], bytes]] = [
        (headers, raw.replace(b"TRANSACTION.SUCCESS", b"TRANSACTION.CLOSED ")),
        (bench.wechat.signed(raw.decode(), signer="stranger"), raw),
        (bench.wechat.signed(raw.decode(), ahead=400), raw),
        (bench.wechat.signed(raw.decode(), ahead=-400), raw),
        (bench.wechat.signed(raw.decode()) | {"wechatpay-serial": "PUB_KEY_ID_OTHER"}, raw),
        (bench.wechat.signed(sealed_otherwise.decode()), sealed_otherwise),
    ]
    for wrong, body in bad:
        with pytest.raises(BadSignature):
            bench.gateway.read_notice(wrong, body, (), now)


def test_off_until_configured_and_then_the_wallet_goes_there(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    client = app.test_client()
    for source in ("alipay", "wechat_pay"):
        assert client.post(f"/pay/notice/{source}", data=b"x").status_code == 404
    wechat = FakeWeChat()
    direct = WeChatGateway(FakeWeChat.account, f"{NOTICES}wechat_pay", transport=wechat)
    app.extensions[MORE] = (direct,)
    bill_id = a_bill(FEN)
    payment_id = services.start_payment(owner, bill_id, StartPayment("wechat_pay"))
    services.send_payment(payment_id)
    live = bill_page(owner, bill_id).live_payment
    assert live is not None
    assert (live.gateway, live.cashier_url) == ("wechat_pay", f"/pay/cashier/{payment_id}")
    assert live.scan_text is not None
    assert not live.scan_text.startswith(SCAN)
    wechat.pay(payment_id.hex)
    raw = wechat.notice(payment_id.hex)
    told = client.post("/pay/notice/wechat_pay", data=raw, headers=wechat.signed(raw.decode()))
    assert told.status_code == 200
    outbox.drain_all()
    db.session.expire_all()
    assert (bill_view(bill_id).state, bill_view(bill_id).held_fen) == ("paid", FEN)


def test_wrong_amount_at_a_direct_gateway_is_not_credited(
    app: Flask, gateway: StripeGateway, a_bill: MakeBill, owner: Actor
) -> None:
    alipay = FakeAlipay()
    app.extensions[MORE] = (AlipayGateway(FakeAlipay.account, f"{NOTICES}alipay", transport=alipay),)
    bill_id = a_bill(FEN)
    payment_id = services.start_payment(owner, bill_id, StartPayment("alipay"))
    services.send_payment(payment_id)
    live = bill_page(owner, bill_id).live_payment
    assert live is not None
    assert live.cashier_url is not None
    alipay.pay(live.cashier_url, amount="0.01")
    services.sync_payment(payment_id)
    assert bill_view(bill_id).state == "open"
    assert bill_page(owner, bill_id).payments[0].misfit == "amount"


def test_the_moments_of_the_wallets_are_beijing_time(app: Flask, simulator: Simulator) -> None:
    bench = Bench("wechat_pay", simulator)
    reference = bench.start()
    bench.pay()
    charge = bench.gateway.fetch(reference).charge
    assert charge is not None
    assert charge.at == datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
