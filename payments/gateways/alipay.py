"""Alipay direct (电脑网站支付, alipay.trade.page.pay) behind our port, with RSA2 signatures.

The cashier page is a signed address: nothing is called until the payer opens it, and only then does the trade exist
there. Amounts are decimal strings in yuan on that wire. The return address proves nothing; `alipay.trade.query` does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from app.kernel import clock
from app.kernel.money import Money
from payments.gateways.direct import BEIJING, CNY, LARGEST_FEN, Transport, WithoutStatement, over_http
from payments.gateways.signing import is_signed, private_key, public_key, sign
from payments.observed import Movement, PaymentFact, RefundFact, Reported
from payments.ports import BadSignature, Caps, Notice, PaymentOrder, Refusal, Unknown
from payments.states import BillKind

LIFETIME: Final = timedelta(hours=2)
_TIME: Final = "%Y-%m-%d %H:%M:%S"
_STATES: Final = {
    "WAIT_BUYER_PAY": Reported.WAITING,
    "TRADE_SUCCESS": Reported.SUCCEEDED,
    "TRADE_FINISHED": Reported.SUCCEEDED,
    "TRADE_CLOSED": Reported.EXPIRED,
}
_NOT_THERE: Final = "ACQ.TRADE_NOT_EXIST"
_BUSY: Final = frozenset({"ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR", "isp.unknow-error"})


@dataclass(frozen=True)
class AlipayAccount:
    """What the console of the open platform gives a merchant: application, its key, Alipay's key, the seller."""

    app_id: str
    seller_id: str
    private_key: str = field(repr=False)
    alipay_public_key: str = field(repr=False)
    base_url: str = "https://openapi.alipay.com/gateway.do"


class AlipayGateway(WithoutStatement):
    """One merchant at Alipay. References: our payment's id in hex is their `out_trade_no`."""

    code = "alipay"
    caps = Caps(
        methods=("alipay",),
        kinds=frozenset({BillKind.SERVICE_FEE, BillKind.COURIER_FEE}),
        most_fen=LARGEST_FEN,
        has_statement=False,
    )

    def __init__(self, account: AlipayAccount, notice_url: str, *, transport: Transport | None = None) -> None:
        self._account = account
        self._key = private_key(account.private_key)
        self._their_key = public_key(account.alipay_public_key)
        self._notice_url = notice_url
        self._send = transport or over_http()

    # --- payments ---------------------------------------------------------------------------------------------

    def request_for(self, order: PaymentOrder) -> dict[str, Any]:
        """Parameters of the page; the moment in them is that of the attempt, so a repeat is the same address."""
        now = clock.now().astimezone(BEIJING)
        content = {
            "out_trade_no": order.payment_id.hex,
            "product_code": "FAST_INSTANT_TRADE_PAY",
            "total_amount": Money(order.amount_fen).yuan,
            "subject": order.description[:250],
            "time_expire": (now + LIFETIME).strftime(_TIME),
        }
        return {
            "method": "alipay.trade.page.pay",
            "timestamp": now.strftime(_TIME),
            "return_url": order.success_url,
            "notify_url": self._notice_url,
            "biz_content": content,
        }

    def start(self, request: Mapping[str, Any], key: str) -> PaymentFact:  # noqa: ARG002 - out_trade_no is the key
        content = request["biz_content"]
        signed = self._signed({**request, "biz_content": _compact(content)})
        expires = datetime.strptime(content["time_expire"], _TIME).replace(tzinfo=BEIJING).astimezone(UTC)
        waiting = _waiting(content["out_trade_no"])
        return replace(
            waiting,
            cashier_url=f"{self._account.base_url}?{urlencode(signed)}",
            amount_fen=Money.from_yuan(content["total_amount"]).fen,
            expires_at=expires,
        )

    def fetch(self, session_ref: str) -> PaymentFact:
        answer = self._ask("alipay.trade.query", {"out_trade_no": session_ref})
        if answer.get("sub_code") == _NOT_THERE:
            return _waiting(session_ref)  # the payer has not opened the page yet
        self._check(answer)
        return _payment_fact(answer)

    def search(self, payment_id: UUID, since: datetime) -> PaymentFact | None:  # noqa: ARG002 - found by our own id
        answer = self._ask("alipay.trade.query", {"out_trade_no": payment_id.hex})
        if answer.get("sub_code") == _NOT_THERE:
            return None
        self._check(answer)
        return _payment_fact(answer)

    def cancel(self, session_ref: str) -> PaymentFact:
        """Close the trade. A page that was never opened has none yet; its address dies with `time_expire`."""
        answer = self._ask("alipay.trade.close", {"out_trade_no": session_ref})
        if answer.get("code") == "10000" or answer.get("sub_code") == _NOT_THERE:
            return replace(_waiting(session_ref), status=Reported.CANCELED)
        return self.fetch(session_ref)  # paid or closed meanwhile: what counts is its present state

    # --- refunds ----------------------------------------------------------------------------------------------

    def refund_request(self, payment_ref: str, amount_fen: int, refund_id: UUID) -> dict[str, Any]:
        return {
            "trade_no": payment_ref,
            "refund_amount": Money(amount_fen).yuan,
            "out_request_no": refund_id.hex,
            "refund_reason": "退款",
        }

    def refund(self, request: Mapping[str, Any], key: str) -> RefundFact:  # noqa: ARG002 - out_request_no is the key
        self._check(self._ask("alipay.trade.refund", dict(request)))
        return self.fetch_refund(f"{request['trade_no']}:{request['out_request_no']}")

    def search_refund(self, payment_ref: str, refund_id: UUID) -> RefundFact | None:
        found = self.fetch_refund(f"{payment_ref}:{refund_id.hex}")
        return found if found.status == "succeeded" else None  # one that never arrived looks like one that waits

    def fetch_refund(self, refund_ref: str) -> RefundFact:
        trade_no, _, number = refund_ref.partition(":")
        asked = {"trade_no": trade_no, "out_request_no": number, "query_options": ["gmt_refund_pay"]}
        answer = self._ask("alipay.trade.fastpay.refund.query", asked)
        self._check(answer)
        if answer.get("refund_status") != "REFUND_SUCCESS":
            return RefundFact(refund_ref, "pending", 0, CNY, (), None)
        fen = Money.from_yuan(answer["refund_amount"]).fen
        moved = Movement(refund_ref, "refund", -fen, 0, CNY, _moment(answer.get("gmt_refund_pay")), number)
        return RefundFact(refund_ref, "succeeded", fen, CNY, (moved,), None)

    # --- notices ----------------------------------------------------------------------------------------------

    def read_notice(self, headers: Mapping[str, str], raw: bytes, secrets: tuple[str, ...], now: datetime) -> Notice:  # noqa: ARG002
        """Verify the signature over the sorted parameters, then that the notice is for this application and seller."""
        try:
            values = dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=100))
        except ValueError as error:
            raise BadSignature("unreadable") from error
        unsigned = {name: value for name, value in values.items() if name not in ("sign", "sign_type")}
        if not is_signed(self._their_key, _sorted(unsigned), values.get("sign", "")):
            raise BadSignature("signature")
        ours = (values.get("app_id"), values.get("seller_id")) == (self._account.app_id, self._account.seller_id)
        if not ours or not values.get("notify_id"):
            raise BadSignature("for somebody else")
        reference = values.get("out_trade_no", "")
        kind = values.get("notify_type", "")
        return Notice(values["notify_id"], kind, _uuid(reference), reference, values.get("trade_no"), reference, raw)

    # --- the wire ---------------------------------------------------------------------------------------------

    def _signed(self, values: Mapping[str, Any]) -> dict[str, str]:
        common = {
            "app_id": self._account.app_id,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "version": "1.0",
        }
        whole = {**common, **{name: str(value) for name, value in values.items()}}
        return {**whole, "sign": sign(self._key, _sorted(whole))}

    def _ask(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method and verify the answer's signature over its own bytes. Raises Unknown for anything unreadable."""
        stamp = clock.now().astimezone(BEIJING).strftime(_TIME)
        body = urlencode(self._signed({"method": method, "timestamp": stamp, "biz_content": _compact(content)}))
        sent = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
        answer = self._send("POST", self._account.base_url, sent, body.encode())
        if answer.status != 200:
            raise Unknown(f"HTTP {answer.status}")
        name = f"{method.replace('.', '_')}_response"
        try:
            text = answer.body.decode()
            whole = json.loads(text)
            inner, signature = whole[name], whole["sign"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unknown("not an answer of Alipay") from error
        if not is_signed(self._their_key, _own_text(text, name), signature):
            raise Unknown("the answer is not signed by Alipay")
        if inner.get("code") == "20000" or inner.get("sub_code") in _BUSY:
            raise Unknown(str(inner.get("sub_code")))
        return dict(inner)

    def _check(self, answer: Mapping[str, Any]) -> None:
        if answer.get("code") not in ("10000", "10003"):
            raise Refusal(f"{answer.get('sub_code')}: {answer.get('sub_msg')}")


def _payment_fact(answer: Mapping[str, Any]) -> PaymentFact:
    status = _STATES.get(answer.get("trade_status", ""), Reported.WAITING)
    fen = Money.from_yuan(answer["total_amount"]).fen
    trade_no = answer["trade_no"]
    paid = status is Reported.SUCCEEDED
    moved = Movement(trade_no, "charge", fen, 0, CNY, _moment(answer.get("send_pay_date")), trade_no)
    return replace(
        _waiting(answer["out_trade_no"]),
        status=status,
        payment_ref=trade_no,
        amount_fen=fen,
        method="alipay",
        charge=moved if paid else None,
    )


def _waiting(reference: str) -> PaymentFact:
    return PaymentFact(
        status=Reported.WAITING, session_ref=reference, payment_ref=None, cashier_url=None, amount_fen=0, currency=CNY,
        payment_id=_uuid(reference), method=None, expires_at=None, charge=None, problem=None,
    )  # fmt: skip


def _moment(text: str | None) -> datetime:
    if not text:
        return clock.now()
    return datetime.strptime(text[:19], _TIME).replace(tzinfo=BEIJING).astimezone(UTC)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def _compact(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _sorted(values: Mapping[str, str]) -> str:
    """What is signed: name=value by name, joined by &, without empty values and the signature itself."""
    return "&".join(f"{name}={values[name]}" for name in sorted(values) if values[name] != "" and name != "sign")


def _own_text(text: str, name: str) -> str:
    """The bytes of the inner object exactly as they were sent: a signature is over them, not over their meaning."""
    start = text.index("{", text.index(f'"{name}"') + len(name) + 2)
    _value, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]
