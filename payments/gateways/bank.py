"""Bank transfer with voucher behind our port: the "provider" is the bank's statement, as two clerks have read it.

The payer sees the account and a reference and transfers at their own bank. Nothing is asked over a network: what has
arrived stands in `BankEntry` rows, and only those that a second person confirmed count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db
from app.settings import BankAccount
from payments import rules
from payments.gateways.direct import WithoutStatement
from payments.models.bank import BankEntry, Direction
from payments.observed import Movement, MovementKind, PaymentFact, RefundFact, Reported
from payments.ports import BadSignature, Caps, Notice, PaymentOrder, Refusal
from payments.states import BankEntryState, BillKind

CNY: Final = "CNY"
BEING_CONFIRMED: Final = "being-confirmed"
"""The `problem` of a transfer that one clerk has found and the second one has not confirmed yet."""
_REFUND: Final = "bank-refund-"


@dataclass(frozen=True)
class Line:
    """One line of the statement, amount in fen."""

    number: str
    bank_ref: str
    direction: str
    amount_fen: int
    moved_at: datetime
    state: str

    @property
    def is_confirmed(self) -> bool:
        return self.state == BankEntryState.CONFIRMED

    def movement(self) -> Movement:
        """The line as a movement; the sign is from our side."""
        comes = self.direction == Direction.IN
        kind: MovementKind = "charge" if comes else "refund"
        fen = self.amount_fen if comes else -self.amount_fen
        return Movement(self.bank_ref, kind, fen, 0, CNY, self.moved_at, self.number)


class BankTransferGateway(WithoutStatement):
    """One bank account that payers transfer to. Movements carry the bank's own serial numbers; the bank takes no fee."""

    def __init__(self, code: str, account: BankAccount, kinds: frozenset[BillKind]) -> None:
        self.code = code
        self.account = account
        self.caps = Caps(methods=(rules.BANK_TRANSFER,), kinds=kinds, has_statement=False, sends_notices=False)

    # --- payments ---------------------------------------------------------------------------------------------

    def request_for(self, order: PaymentOrder) -> dict[str, Any]:
        """What the payer is told; kept, so that a changed account does not change an attempt under way."""
        return {
            "payment_id": str(order.payment_id),
            "reference": order.number,
            "amount_fen": order.amount_fen,
            "page": order.own_page,
            "holder": self.account.holder,
            "bank": self.account.bank,
            "account": self.account.number,
        }

    def start(self, request: Mapping[str, Any], key: str) -> PaymentFact:  # noqa: ARG002 - nothing is sent twice
        return self._waiting(request, clock.now() + rules.TRANSFER_LIFETIME)

    def fetch(self, session_ref: str) -> PaymentFact:
        from payments.models.payments import Payment

        row = db.session.execute(
            sa.select(Payment.id, Payment.request, Payment.expires_at).where(Payment.session_ref == session_ref)
        ).one_or_none()
        if row is None:
            raise Refusal("no such transfer")
        lines = self._lines(BankEntry.payment_id == row.id)
        db.session.rollback()  # ends the read; the caller opens its own transaction
        return self._fact(row.request, row.expires_at, lines)

    def _fact(self, request: Mapping[str, Any], expires_at: datetime | None, lines: list[Line]) -> PaymentFact:
        confirmed = next((line for line in lines if line.is_confirmed), None)
        if confirmed is not None:
            return self._received(request, confirmed)
        fact = self._waiting(request, expires_at)
        if lines:
            return replace(fact, problem=BEING_CONFIRMED)
        over = expires_at is not None and clock.now() > expires_at
        return replace(fact, status=Reported.EXPIRED) if over else fact

    def search(self, payment_id: UUID, since: datetime) -> PaymentFact | None:  # noqa: ARG002 - nothing gets lost here
        from payments.models.payments import Payment

        known = db.session.execute(
            sa.select(Payment.session_ref, Payment.request).where(Payment.id == payment_id)
        ).one_or_none()
        db.session.rollback()
        if known is None:
            return None
        return self.fetch(known.session_ref) if known.session_ref else self.start(known.request, "")

    def cancel(self, session_ref: str) -> PaymentFact:
        """Close it, unless a clerk has already found the money on the statement."""
        fact = self.fetch(session_ref)
        if fact.status is Reported.WAITING and fact.problem is None:
            return replace(fact, status=Reported.CANCELED)
        return fact

    def _lines(self, condition: sa.ColumnElement[bool]) -> list[Line]:
        """What stands on the statement; rejected entries are left out."""
        found = sa.select(
            BankEntry.number,
            BankEntry.bank_ref,
            BankEntry.direction,
            BankEntry.amount_fen,
            BankEntry.moved_at,
            BankEntry.state,
        ).where(condition, BankEntry.gateway == self.code, BankEntry.state != BankEntryState.REJECTED)
        return [Line(*row) for row in db.session.execute(found.order_by(BankEntry.decided_at, BankEntry.entered_at))]

    def _waiting(self, request: Mapping[str, Any], expires_at: datetime | None) -> PaymentFact:
        return PaymentFact(
            status=Reported.WAITING,
            session_ref=str(request["reference"]),
            payment_ref=None,
            cashier_url=str(request["page"]),
            amount_fen=int(request["amount_fen"]),
            currency=CNY,
            payment_id=UUID(request["payment_id"]),
            method=rules.BANK_TRANSFER,
            expires_at=expires_at,
            charge=None,
            problem=None,
        )

    def _received(self, request: Mapping[str, Any], line: Line) -> PaymentFact:
        return PaymentFact(
            status=Reported.SUCCEEDED,
            session_ref=str(request["reference"]),
            payment_ref=f"{self.code}:{line.bank_ref}",
            cashier_url=None,
            amount_fen=line.amount_fen,
            currency=CNY,
            payment_id=UUID(request["payment_id"]),
            method=rules.BANK_TRANSFER,
            expires_at=None,
            charge=line.movement(),
            problem=None,
        )

    # --- refunds ----------------------------------------------------------------------------------------------

    def refund_request(self, payment_ref: str, amount_fen: int, refund_id: UUID) -> dict[str, Any]:
        return {"refund_id": str(refund_id), "payment_ref": payment_ref, "amount_fen": amount_fen}

    def refund(self, request: Mapping[str, Any], key: str) -> RefundFact:  # noqa: ARG002 - a person transfers it back
        return self.fetch_refund(f"{_REFUND}{request['refund_id']}")

    def search_refund(self, payment_ref: str, refund_id: UUID) -> RefundFact | None:  # noqa: ARG002 - known by our id
        return self.fetch_refund(f"{_REFUND}{refund_id}")

    def fetch_refund(self, refund_ref: str) -> RefundFact:
        lines = self._lines(BankEntry.refund_id == UUID(refund_ref.removeprefix(_REFUND)))
        db.session.rollback()
        sent = next((line for line in lines if line.is_confirmed), None)
        if sent is None:
            return RefundFact(refund_ref, "pending", 0, CNY, (), None)
        return RefundFact(refund_ref, "succeeded", sent.amount_fen, CNY, (sent.movement(),), None)

    # --- notices and books ------------------------------------------------------------------------------------

    def read_notice(self, headers: Mapping[str, str], raw: bytes, secrets: tuple[str, ...], now: datetime) -> Notice:  # noqa: ARG002 - whatever comes is not the bank's
        raise BadSignature("a bank sends no notices")
