"""Stripe behind our port, through the official package. Card data never reaches us: the payer types it at the cashier.

Written against stripe 16.1 (API 2026-10-28.endive): `payment_method_types` may no longer be written there, and session
pages are `hosted_page`.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast
from uuid import UUID

import requests
import stripe

from payments.observed import Movement, MovementKind, PaymentFact, RefundFact, Reported
from payments.ports import (
    SCAN,
    BadSignature,
    Caps,
    Declined,
    Notice,
    NoticeAddress,
    NotYetHere,
    PaymentOrder,
    Refusal,
    Unknown,
)
from payments.states import BillKind

log = logging.getLogger(__name__)

API_VERSION: Final = "2026-10-28.endive"
CONNECT_SECONDS, READ_SECONDS = 3.05, 10.0
CLOCK_TOLERANCE: Final = timedelta(seconds=300)
_QR_LIFETIME: Final = timedelta(hours=2)
CURRENCY: Final = "cny"
OURS: Final = frozenset({BillKind.SERVICE_FEE, BillKind.COURIER_FEE})
"""Kinds of money that may come to the platform's own account. Statutory money goes to an account of the treasury."""
LARGEST_FEN: Final = 99_999_999
"""999,999.99 yuan: the largest amount of one payment there."""
WANTED_EVENTS: Final = (
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "payment_intent.succeeded", "payment_intent.payment_failed",
    "charge.refunded", "refund.created", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
)  # fmt: skip
_WHOLE_PAYMENT = ["payment_intent.latest_charge.balance_transaction"]
_INTENT = "pi_"
_WHOLE_INTENT = ["latest_charge.balance_transaction"]
_WHOLE_REFUND = ["balance_transaction", "failure_balance_transaction"]
_KINDS: Final[Mapping[str, MovementKind]] = {
    "charge": "charge", "payment": "charge", "refund": "refund", "payment_refund": "refund",
    "refund_failure": "refund_failure", "payment_failure_refund": "refund_failure", "transfer": "transfer",
    "stripe_fee": "fee",
}  # fmt: skip

stripe.enable_telemetry = False  # sends platform and latencies; nothing a public platform should tell

P = ParamSpec("P")
R = TypeVar("R")


class DirectHttp(stripe.RequestsClient):
    """One session per thread, deaf to HTTP_PROXY and ~/.netrc (a matching netrc entry would replace our key)."""

    def _request_internal(self, *args: Any, **kwargs: Any) -> Any:
        local = self._thread_local
        if getattr(local, "session", None) is None:
            local.session = requests.Session()
            local.session.trust_env = False
        return super()._request_internal(*args, **kwargs)


def _translated(
    method: Callable[Concatenate["StripeGateway", P], R],
) -> Callable[Concatenate["StripeGateway", P], R]:
    """Turn the package's errors into those of the port."""

    @wraps(method)
    def call(self: "StripeGateway", /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except stripe.CardError as error:
            raise Declined(error.user_message or "declined") from error
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            raise Refusal(str(error)) from error
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            log.critical("the payment gateway does not accept our key", exc_info=error)
            raise Unknown("the gateway does not accept our key") from error
        except stripe.StripeError as error:
            raise Unknown(type(error).__name__) from error

    return cast("Callable[Concatenate[StripeGateway, P], R]", call)


class StripeGateway:
    """One Stripe account: ours, or under a code of its own that of the treasury (asked about, it sends us no notices)."""

    def __init__(
        self,
        key: str,
        base_url: str,
        *,
        http: stripe.HTTPClient | None = None,
        code: str = "stripe",
        kinds: frozenset[BillKind] = OURS,
        own_qr: bool = False,
    ) -> None:
        self._own_qr = own_qr
        self.code = code
        self.caps = Caps(
            methods=("alipay", "wechat_pay", "card"), kinds=kinds, most_fen=LARGEST_FEN, sends_notices=code == "stripe"
        )
        self._client = stripe.StripeClient(
            key, stripe_version=cast("Any", API_VERSION), base_addresses={"api": base_url}, max_network_retries=1,
            http_client=http or DirectHttp(timeout=cast("Any", (CONNECT_SECONDS, READ_SECONDS))))  # fmt: skip

    @property
    def client(self) -> stripe.StripeClient:
        """The package's client, for the outgoing side of the same account."""
        return self._client

    # --- payments ---------------------------------------------------------------------------------------------

    def request_for(self, order: PaymentOrder) -> dict[str, Any]:
        """Parameters of a Checkout session. No `expires_at`: a request sent late would be refused for it."""
        ours = {"payment_id": str(order.payment_id), "bill_number": order.bill_number[:500]}
        if self._own_qr and order.method == "wechat_pay":
            return _intent_request(order, ours)
        request: dict[str, Any] = {
            "mode": "payment",
            "ui_mode": "hosted_page",
            "client_reference_id": str(order.payment_id),
            "allowed_payment_method_types": [order.method] if order.method else list(self.caps.methods),
            "line_items": [_line(title, detail, fen, order.currency) for title, detail, fen in order.lines if fen],
            "locale": "zh" if order.language.startswith("zh") else "en",
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
            "metadata": ours,
            "payment_intent_data": {"description": order.description, "metadata": ours},
        }
        if order.method in (None, "wechat_pay"):
            request["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        return request

    @_translated
    def start(self, request: Mapping[str, Any], key: str) -> PaymentFact:
        if "mode" not in request:  # an intent, whose QR code stands on our own page
            made = self._client.v1.payment_intents.create(cast("Any", dict(request)), {"idempotency_key": key})
            return _intent_fact(made)
        session = self._client.v1.checkout.sessions.create(cast("Any", dict(request)), {"idempotency_key": key})
        return self._fact(session)

    @_translated
    def fetch(self, session_ref: str) -> PaymentFact:
        return self._fetch(session_ref)

    def _fetch(self, session_ref: str) -> PaymentFact:
        if session_ref.startswith(_INTENT):
            whole = cast("Any", {"expand": _WHOLE_INTENT})
            return _intent_fact(self._client.v1.payment_intents.retrieve(session_ref, whole))
        return self._fact(self._client.v1.checkout.sessions.retrieve(session_ref, {"expand": _WHOLE_PAYMENT}))

    @_translated
    def search(self, payment_id: UUID, since: datetime) -> PaymentFact | None:
        if self._own_qr:
            made = self._client.v1.payment_intents.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            for intent in made.auto_paging_iter():
                if _ours(intent) == payment_id:
                    return self._fetch(intent.id)
        listed = self._client.v1.checkout.sessions.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
        for session in listed.auto_paging_iter():
            if session.client_reference_id == str(payment_id):
                return self._fetch(session.id)
        return None

    @_translated
    def cancel(self, session_ref: str) -> PaymentFact:
        try:
            if session_ref.startswith(_INTENT):
                self._client.v1.payment_intents.cancel(session_ref)
            else:
                self._client.v1.checkout.sessions.expire(session_ref)
        except stripe.InvalidRequestError:
            log.info("the session was no longer open")  # paid or expired meanwhile; what counts is its present state
        return self._fetch(session_ref)

    def _fact(self, session: stripe.checkout.Session) -> PaymentFact:
        intent = _object(session.payment_intent)
        charge = _object(intent.latest_charge) if intent is not None else None
        settled = _object(charge.balance_transaction) if charge is not None and charge.status == "succeeded" else None
        error = getattr(intent, "last_payment_error", None) if intent is not None else None
        return PaymentFact(
            status=_reported(session, settled),
            session_ref=session.id,
            payment_ref=intent.id if intent is not None else _text(session.payment_intent),
            cashier_url=session.url,
            amount_fen=(intent.amount_received if settled is not None and intent is not None else session.amount_total)
            or 0,
            currency=(session.currency or "").upper(),
            payment_id=_uuid(session.client_reference_id),
            method=charge.payment_method_details.type if settled is not None and charge is not None else None,
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
            charge=_movement(settled) if settled is not None else None,
            problem=getattr(error, "decline_code", None) or getattr(error, "code", None) if error else None,
        )

    # --- refunds ----------------------------------------------------------------------------------------------

    def refund_request(self, payment_ref: str, amount_fen: int, refund_id: UUID) -> dict[str, Any]:
        return {
            "payment_intent": payment_ref,
            "amount": amount_fen,
            "reason": "requested_by_customer",
            "metadata": {"refund_id": str(refund_id)},
            "expand": _WHOLE_REFUND,
        }

    @_translated
    def refund(self, request: Mapping[str, Any], key: str) -> RefundFact:
        return _refund_fact(self._client.v1.refunds.create(cast("Any", dict(request)), {"idempotency_key": key}))

    @_translated
    def search_refund(self, payment_ref: str, refund_id: UUID) -> RefundFact | None:
        listed = self._client.v1.refunds.list({"payment_intent": payment_ref, "limit": 100})
        for found in listed.auto_paging_iter():
            if found.metadata is not None and found.metadata.to_dict().get("refund_id") == str(refund_id):
                return _refund_fact(self._client.v1.refunds.retrieve(found.id, {"expand": _WHOLE_REFUND}))
        return None

    @_translated
    def fetch_refund(self, refund_ref: str) -> RefundFact:
        return _refund_fact(self._client.v1.refunds.retrieve(refund_ref, {"expand": _WHOLE_REFUND}))

    # --- notices ----------------------------------------------------------------------------------------------

    def read_notice(self, headers: Mapping[str, str], raw: bytes, secrets: tuple[str, ...], now: datetime) -> Notice:
        """Verify by each of our secrets (the present and the previous one), then by time: both too old and from ahead."""
        header = headers.get("Stripe-Signature", "")
        try:
            text = raw.decode()
            signed_at = next(int(part[2:]) for part in header.split(",") if part.startswith("t="))
        except (UnicodeDecodeError, StopIteration, ValueError) as error:
            raise BadSignature("unreadable") from error
        if abs(now - datetime.fromtimestamp(signed_at, UTC)) > CLOCK_TOLERANCE:
            raise BadSignature("timestamp outside the tolerance")
        if not any(_is_signed(text, header, secret) for secret in secrets):
            raise BadSignature("signature")
        try:
            event = stripe.Event.construct_from(_json(text), None)
            return _notice(event, raw)
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise BadSignature("not an event") from error

    def notices_since(self, moment: datetime, unknown: NotYetHere) -> Iterator[Notice]:
        """Events of the last 30 days are listable; a lost notice is found here."""
        found = self._all(
            lambda: self._client.v1.events.list({"created": {"gte": int(moment.timestamp())}, "limit": 100})
        )
        wanted = {event.id: event for event in reversed(found) if event.type in WANTED_EVENTS}
        lost = unknown(list(wanted))
        return (_notice(event, str(event).encode()) for ref, event in wanted.items() if ref in lost)

    @_translated
    def register_notices(self, url: str, keep: str | None) -> NoticeAddress | None:
        endpoints = self._client.v1.webhook_endpoints
        mine = [e for e in endpoints.list({"limit": 100}).auto_paging_iter() if e.url == url]
        if keep is not None and any(e.id == keep and e.status == "enabled" for e in mine):
            return None
        for stale in mine:
            endpoints.delete(stale.id)
        made = endpoints.create(
            {"url": url, "enabled_events": cast("Any", list(WANTED_EVENTS)), "description": "Chaoshi"}
        )
        return NoticeAddress(made.id, made.secret or "")

    # --- books ------------------------------------------------------------------------------------------------

    def movements_since(self, moment: datetime) -> Iterator[Movement]:
        found = self._all(
            lambda: self._client.v1.balance_transactions.list(
                {"created": {"gte": int(moment.timestamp())}, "limit": 100}
            )
        )
        return (_movement(item) for item in reversed(found))

    @_translated
    def balance_fen(self) -> int:
        balance = self._client.v1.balance.retrieve()
        parts: list[Any] = [*balance.available, *balance.pending]
        return sum(part.amount for part in parts if part.currency == CURRENCY)

    @_translated
    def _all(self, listing: Callable[[], Any]) -> list[Any]:
        return list(listing().auto_paging_iter())


def _line(title: str, detail: str, fen: int, currency: str) -> dict[str, Any]:
    product = {"name": title, "description": detail} if detail else {"name": title}
    return {"quantity": 1, "price_data": {"currency": currency.lower(), "unit_amount": fen, "product_data": product}}


def _intent_request(order: PaymentOrder, ours: dict[str, str]) -> dict[str, Any]:
    """Parameters of a PaymentIntent that is confirmed at once: the QR code comes back in its `next_action`."""
    return {
        "amount": order.amount_fen,
        "currency": order.currency.lower(),
        "confirm": True,
        "allowed_payment_method_types": ["wechat_pay"],
        "payment_method_data": {"type": "wechat_pay"},
        "payment_method_options": {"wechat_pay": {"client": "web"}},
        "description": order.description,
        "metadata": ours,
    }


def _intent_fact(intent: stripe.PaymentIntent) -> PaymentFact:
    charge = _object(intent.latest_charge)
    settled = _object(charge.balance_transaction) if charge is not None and charge.status == "succeeded" else None
    qr = getattr(intent.next_action, "wechat_pay_display_qr_code", None) if intent.next_action else None
    error = intent.last_payment_error
    waiting = Reported.CANCELED if intent.status == "canceled" else Reported.FAILED if error else Reported.WAITING
    return PaymentFact(
        status=Reported.SUCCEEDED if settled is not None else waiting,
        session_ref=intent.id,
        payment_ref=intent.id,
        cashier_url=SCAN + qr.data if qr is not None else None,
        amount_fen=intent.amount_received if settled is not None else intent.amount,
        currency=intent.currency.upper(),
        payment_id=_ours(intent),
        method="wechat_pay",
        expires_at=datetime.fromtimestamp(intent.created, UTC) + _QR_LIFETIME,
        charge=_movement(settled) if settled is not None else None,
        problem=(getattr(error, "decline_code", None) or getattr(error, "code", None)) if error else None,
    )


def _ours(intent: stripe.PaymentIntent) -> UUID | None:
    known = intent.metadata.to_dict() if intent.metadata is not None else {}
    return _uuid(known.get("payment_id"))


def _object(value: Any) -> Any:
    """An expanded object, or None where there is only its id."""
    return None if value is None or isinstance(value, str) else value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _reported(session: stripe.checkout.Session, settled: Any) -> Reported:
    if session.status == "expired":
        return Reported.EXPIRED
    if session.status == "complete" and settled is not None:
        return Reported.SUCCEEDED
    return Reported.WAITING


def _movement(item: stripe.BalanceTransaction) -> Movement:
    source = item.source if isinstance(item.source, str) else getattr(item.source, "id", "")
    return Movement(
        ref=item.id,
        kind=_KINDS.get(item.type, "other"),
        gross_fen=item.amount,
        fee_fen=item.fee,
        currency=item.currency.upper(),
        at=datetime.fromtimestamp(item.created, UTC),
        object_ref=source or "",
    )


def _refund_fact(refund: stripe.Refund) -> RefundFact:
    moved = [_object(refund.balance_transaction), _object(refund.failure_balance_transaction)]
    status = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}.get(refund.status or "", "pending")
    return RefundFact(
        ref=refund.id,
        status=cast("Any", status),
        amount_fen=refund.amount,
        currency=refund.currency.upper(),
        movements=tuple(_movement(item) for item in moved if item is not None),
        problem=getattr(refund, "failure_reason", None),
    )


def _is_signed(text: str, header: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, header, secret))
    except stripe.SignatureVerificationError:
        return False


def _json(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict) or value.get("object") != "event":
        raise ValueError("not a snapshot event")
    return value


def _notice(event: stripe.Event, raw: bytes) -> Notice:
    """Identifiers only. The figures of a notice are never used: the object is fetched."""
    subject: dict[str, Any] = event.data.object.to_dict()
    ours = (subject.get("metadata") or {}).get("payment_id")
    kind = subject["object"]
    intent = subject["id"] if kind == "payment_intent" else subject.get("payment_intent")
    return Notice(
        notice_id=event.id,
        kind=event.type,
        payment_id=_uuid(ours),
        session_ref=subject["id"] if kind == "checkout.session" else None,
        payment_ref=_text(intent),
        object_ref=subject["id"],
        raw=raw,
    )
