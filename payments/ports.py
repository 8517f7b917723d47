"""What payments need from a gateway. Nothing outside `gateways/` knows one by name."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from payments.observed import Movement, PaymentFact, RefundFact
from payments.states import BillKind

SCAN = "scan:"
"""A `cashier_url` that starts so is no address but the text of a QR code, which our own page shows."""


class GatewayError(Exception):
    """Base of what a gateway can answer besides a fact."""


class Unknown(GatewayError):
    """Nobody knows whether it happened: no answer, or the gateway's own failure. Repeat with the same key."""


class Declined(GatewayError):
    """A final no that the payer can do something about."""


class Refusal(GatewayError):
    """A final no: our request was wrong or came too late. Repeating it cannot help."""


class BadSignature(GatewayError):
    """The notice is not the gateway's."""


@dataclass(frozen=True)
class Caps:
    """What a gateway can do. Pages offer, services allow and jobs ask only that.

    `methods` are ours (`payments.rules.METHODS`); `kinds` the kinds of money it may take; `most_fen` the largest amount of
    one payment, None without a limit; `has_statement`: it lists its movements and tells its balance, so that the daily
    comparison can run; `sends_notices`: it tells us by itself.
    """

    methods: tuple[str, ...]
    kinds: frozenset[BillKind] = frozenset(BillKind)
    most_fen: int | None = None
    has_statement: bool = True
    sends_notices: bool = True


@dataclass(frozen=True)
class PaymentOrder:
    """What is to be paid: amounts in fen, the payer's language as a BCP 47 tag, addresses to come back to.

    `own_page` is our page on which the payer pays where the gateway has no cashier page of its own.
    """

    payment_id: UUID
    number: str
    kind: BillKind
    bill_number: str
    description: str
    lines: tuple[tuple[str, str, int], ...]
    amount_fen: int
    currency: str
    method: str | None
    language: str
    success_url: str
    cancel_url: str
    own_page: str


@dataclass(frozen=True)
class Notice:
    """A genuine notice: only its identifiers are used, never its figures."""

    notice_id: str
    kind: str
    payment_id: UUID | None
    session_ref: str | None
    payment_ref: str | None
    object_ref: str | None
    raw: bytes


@dataclass(frozen=True)
class NoticeAddress:
    """Where the gateway sends its notices, and the secret it signs them with (told once, at registration)."""

    ref: str
    secret: str


NotYetHere = Callable[[Sequence[str]], Collection[str]]
"""Picks from identifiers of notices those that never reached us."""


class PaymentGateway(Protocol):
    """One provider. Requests are plain JSON, stored before they are sent and sent as stored.

    Every method that reaches out may raise Unknown; `start` and `refund` also Declined or Refusal.
    """

    code: str
    caps: Caps

    def request_for(self, order: PaymentOrder) -> dict[str, Any]:
        """Build the request of an attempt, to be stored. Calls nothing."""

    def start(self, request: Mapping[str, Any], key: str) -> PaymentFact:
        """Open the cashier page. The same key gives the same page."""

    def fetch(self, session_ref: str) -> PaymentFact:
        """Ask what has become of an attempt."""

    def search(self, payment_id: UUID, since: datetime) -> PaymentFact | None:
        """Find an attempt whose reference was lost, by our own id."""

    def cancel(self, session_ref: str) -> PaymentFact:
        """Close the cashier page if it is open; what has become of the attempt."""

    def refund_request(self, payment_ref: str, amount_fen: int, refund_id: UUID) -> dict[str, Any]:
        """Build the request of a refund, to be stored. Calls nothing."""

    def refund(self, request: Mapping[str, Any], key: str) -> RefundFact:
        """Send money back. The same key sends it once."""

    def search_refund(self, payment_ref: str, refund_id: UUID) -> RefundFact | None:
        """Find a refund whose reference was lost, by our own id."""

    def fetch_refund(self, refund_ref: str) -> RefundFact:
        """Ask what has become of a refund."""

    def read_notice(self, headers: Mapping[str, str], raw: bytes, secrets: tuple[str, ...], now: datetime) -> Notice:
        """Verify and read a notice; raises BadSignature."""

    def notices_since(self, moment: datetime, unknown: NotYetHere) -> Iterator[Notice]:
        """The gateway's own list of what it has told us, oldest first, as far as it is new.

        `unknown` is called after the gateway has answered.
        """

    def movements_since(self, moment: datetime) -> Iterator[Movement]:
        """Every movement of our balance at the gateway since then."""

    def balance_fen(self) -> int:
        """Our balance at the gateway, available and pending together."""

    def register_notices(self, url: str, keep: str | None) -> NoticeAddress | None:
        """Have notices sent to `url`. None when the registration `keep` is already in place there."""
