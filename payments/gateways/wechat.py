"""WeChat Pay v3 direct (Native: a QR code on our page) behind our port.

Requests carry `Authorization: WECHATPAY2-SHA256-RSA2048`; answers and notices carry a signature over timestamp, nonce
and body, made with the platform's key, which is known by its id. What a notice is about is encrypted with AES-256-GCM.
"""

import base64
import binascii
import json
import secrets as random_source
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.kernel import clock
from payments.gateways.direct import BEIJING, CNY, LARGEST_FEN, Answer, Transport, WithoutStatement, over_http
from payments.gateways.signing import is_signed, private_key, public_key, sign
from payments.observed import Movement, PaymentFact, RefundFact, Reported
from payments.ports import SCAN, BadSignature, Caps, Notice, PaymentOrder, Refusal, Unknown
from payments.states import BillKind

LIFETIME: Final = timedelta(hours=2)
TOLERANCE: Final = timedelta(seconds=300)
SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
_STATES: Final = {
    "NOTPAY": Reported.WAITING,
    "USERPAYING": Reported.WAITING,
    "SUCCESS": Reported.SUCCEEDED,
    "REFUND": Reported.SUCCEEDED,
    "CLOSED": Reported.EXPIRED,
    "REVOKED": Reported.CANCELED,
    "PAYERROR": Reported.FAILED,
}


@dataclass(frozen=True)
class WeChatAccount:
    """What the merchant platform gives: merchant, application, our key with its serial, their key with its id, the v3 key."""

    merchant_id: str
    app_id: str
    serial_no: str
    platform_key_id: str
    private_key: str = field(repr=False)
    platform_public_key: str = field(repr=False)
    api_v3_key: str = field(repr=False)
    base_url: str = "https://api.mch.weixin.qq.com"


class WeChatGateway(WithoutStatement):
    """One merchant at WeChat Pay. References: our payment's id in hex is their `out_trade_no`."""

    code = "wechat_pay"
    caps = Caps(
        methods=("wechat_pay",),
        kinds=frozenset({BillKind.SERVICE_FEE, BillKind.COURIER_FEE}),
        most_fen=LARGEST_FEN,
        has_statement=False,
    )

    def __init__(self, account: WeChatAccount, notice_url: str, *, transport: Transport | None = None) -> None:
        self._account = account
        self._key = private_key(account.private_key)
        self._their_key = public_key(account.platform_public_key)
        self._box = AESGCM(account.api_v3_key.encode())
        self._notice_url = notice_url
        self._send = transport or over_http()

    # --- payments ---------------------------------------------------------------------------------------------

    def request_for(self, order: PaymentOrder) -> dict[str, Any]:
        expires = (clock.now() + LIFETIME).astimezone(BEIJING).replace(microsecond=0)
        return {
            "appid": self._account.app_id,
            "mchid": self._account.merchant_id,
            "description": order.description[:127],
            "out_trade_no": order.payment_id.hex,
            "time_expire": expires.isoformat(),
            "notify_url": self._notice_url,
            "amount": {"total": order.amount_fen, "currency": order.currency},
        }

    def start(self, request: Mapping[str, Any], key: str) -> PaymentFact:  # noqa: ARG002 - out_trade_no is the key
        told = self._call("POST", "/v3/pay/transactions/native", request)
        reference = request["out_trade_no"]
        return PaymentFact(
            status=Reported.WAITING, session_ref=reference, payment_ref=None, cashier_url=SCAN + told["code_url"],
            amount_fen=request["amount"]["total"], currency=CNY, payment_id=_uuid(reference), method="wechat_pay",
            expires_at=_moment(request["time_expire"]), charge=None, problem=None,
        )  # fmt: skip

    def fetch(self, session_ref: str) -> PaymentFact:
        path = f"/v3/pay/transactions/out-trade-no/{session_ref}?mchid={self._account.merchant_id}"
        return _payment_fact(self._call("GET", path, None))

    def search(self, payment_id: UUID, since: datetime) -> PaymentFact | None:  # noqa: ARG002 - found by our own id
        try:
            return self.fetch(payment_id.hex)
        except Refusal as refusal:
            if "ORDER_NOT_EXIST" in str(refusal) or "RESOURCE_NOT_EXISTS" in str(refusal):
                return None
            raise

    def cancel(self, session_ref: str) -> PaymentFact:
        path = f"/v3/pay/transactions/out-trade-no/{session_ref}/close"
        try:
            self._call("POST", path, {"mchid": self._account.merchant_id})
        except Refusal:
            return self.fetch(session_ref)  # paid or closed meanwhile: what counts is its present state
        return self.fetch(session_ref)

    # --- refunds ----------------------------------------------------------------------------------------------

    def refund_request(self, payment_ref: str, amount_fen: int, refund_id: UUID) -> dict[str, Any]:
        """`payment_ref` is `<transaction id>:<whole amount in fen>`: a refund must name the whole amount."""
        transaction_id, _, total = payment_ref.partition(":")
        return {
            "transaction_id": transaction_id,
            "out_refund_no": refund_id.hex,
            "amount": {"refund": amount_fen, "total": int(total), "currency": CNY},
        }

    def refund(self, request: Mapping[str, Any], key: str) -> RefundFact:  # noqa: ARG002 - out_refund_no is the key
        return _refund_fact(self._call("POST", "/v3/refund/domestic/refunds", request))

    def search_refund(self, payment_ref: str, refund_id: UUID) -> RefundFact | None:  # noqa: ARG002 - found by our own id
        try:
            return self.fetch_refund(refund_id.hex)
        except Refusal as refusal:
            if "RESOURCE_NOT_EXISTS" in str(refusal):
                return None
            raise

    def fetch_refund(self, refund_ref: str) -> RefundFact:
        return _refund_fact(self._call("GET", f"/v3/refund/domestic/refunds/{refund_ref}", None))

    # --- notices ----------------------------------------------------------------------------------------------

    def read_notice(self, headers: Mapping[str, str], raw: bytes, secrets: tuple[str, ...], now: datetime) -> Notice:  # noqa: ARG002
        """Verify signature and time, then decrypt what the notice is about."""
        known = {name.lower(): value for name, value in headers.items()}
        try:
            stamped = datetime.fromtimestamp(int(known.get("wechatpay-timestamp", "")), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise BadSignature("no timestamp") from error
        if abs(now - stamped) > TOLERANCE:
            raise BadSignature("timestamp outside the tolerance")
        if not self._is_theirs(known, raw):
            raise BadSignature("signature")
        try:
            event = json.loads(raw)
            subject = self._opened(event["resource"])
            reference = subject["out_trade_no"]
            return Notice(event["id"], event["event_type"], _uuid(reference), reference, None, reference, raw)
        except (ValueError, KeyError, TypeError, InvalidTag, binascii.Error) as error:
            raise BadSignature("not an event") from error

    def _opened(self, resource: Mapping[str, str]) -> dict[str, Any]:
        if resource["algorithm"] != "AEAD_AES_256_GCM":
            raise ValueError("unknown algorithm")
        text = base64.b64decode(resource["ciphertext"], validate=True)
        plain = self._box.decrypt(resource["nonce"].encode(), text, resource.get("associated_data", "").encode())
        return dict(json.loads(plain))

    # --- the wire ---------------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, content: Mapping[str, Any] | None) -> dict[str, Any]:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() if content is not None else b""
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "chaoshi",
            "Wechatpay-Serial": self._account.platform_key_id,
            "Authorization": self._authorization(method, path, body),
        }
        answer = self._send(method, self._account.base_url + path, headers, body)
        return self._read(answer)

    def _authorization(self, method: str, path: str, body: bytes) -> str:
        stamp, nonce = str(int(clock.wall_time().timestamp())), random_source.token_hex(16)
        parts = urlsplit(path)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signature = sign(self._key, f"{method}\n{target}\n{stamp}\n{nonce}\n{body.decode()}\n")
        account = self._account
        return (
            f'{SCHEME} mchid="{account.merchant_id}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{stamp}",serial_no="{account.serial_no}"'
        )

    def _read(self, answer: Answer) -> dict[str, Any]:
        """The answer's object. Raises Unknown for no verdict or a wrong signature, Refusal for a final no."""
        if answer.status >= 500 or answer.status == 429:
            raise Unknown(f"HTTP {answer.status}")
        if answer.status >= 400:
            raise Refusal(f"{answer.status} {answer.body.decode(errors='replace')[:300]}")
        if not self._is_theirs(answer.headers, answer.body):
            raise Unknown("the answer is not signed by WeChat Pay")
        if not answer.body:
            return {}
        try:
            return dict(json.loads(answer.body))
        except ValueError as error:
            raise Unknown("not an answer of WeChat Pay") from error

    def _is_theirs(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the platform's key, known by its id, signed exactly this body at that time."""
        if headers.get("wechatpay-serial") != self._account.platform_key_id:
            return False
        try:
            text = f"{headers.get('wechatpay-timestamp', '')}\n{headers.get('wechatpay-nonce', '')}\n{body.decode()}\n"
        except UnicodeDecodeError:
            return False
        return is_signed(self._their_key, text, headers.get("wechatpay-signature", ""))


def _payment_fact(told: Mapping[str, Any]) -> PaymentFact:
    status = _STATES.get(told.get("trade_state", ""), Reported.WAITING)
    amount = told.get("amount") or {}
    fen = int(amount.get("total", 0))
    transaction = told.get("transaction_id") or None
    paid = status is Reported.SUCCEEDED and transaction is not None
    moved = Movement(
        str(transaction),
        "charge",
        fen,
        0,
        amount.get("currency", CNY),
        _moment(told.get("success_time")),
        str(transaction),
    )
    return PaymentFact(
        status=status, session_ref=told["out_trade_no"], payment_ref=f"{transaction}:{fen}" if paid else None,
        cashier_url=None, amount_fen=fen, currency=amount.get("currency", CNY), payment_id=_uuid(told["out_trade_no"]),
        method="wechat_pay", expires_at=None, charge=moved if paid else None,
        problem="payment-failed" if status is Reported.FAILED else None,
    )  # fmt: skip


def _refund_fact(told: Mapping[str, Any]) -> RefundFact:
    status = {"SUCCESS": "succeeded", "CLOSED": "failed", "ABNORMAL": "failed"}.get(told["status"], "pending")
    fen = int(told["amount"]["refund"])
    moved = Movement(
        told["refund_id"], "refund", -fen, 0, CNY, _moment(told.get("success_time")), told["out_refund_no"]
    )
    movements = (moved,) if status == "succeeded" else ()
    problem = told["status"].lower() if status == "failed" else None
    return RefundFact(told["out_refund_no"], status, fen, CNY, movements, problem)  # type: ignore[arg-type]


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC) if text else clock.now()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
