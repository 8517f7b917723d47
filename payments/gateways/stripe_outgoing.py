"""What leaves through Stripe: Connect accounts, transfers and their reversals, payouts from connected accounts, disputes.

Mainland agencies cannot have Connect accounts; the port is narrow so that a licensed institution's split product can
take this place.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import stripe

from payments.observed import Movement
from payments.outgoing_ports import BankPayoutFact, DisputeFact, NotSettled, ReversalFact, TransferFact
from payments.ports import Refusal, Unknown

CURRENCY = "cny"
COUNTRY = "CN"
_WHOLE_TRANSFER = ["balance_transaction", "reversals.data.balance_transaction"]
_BANK_STATES = {"paid": "paid", "failed": "failed", "canceled": "failed"}
_DISPUTE_STATES = {"needs_response": "needs_response", "under_review": "under_review", "won": "won", "lost": "lost"}


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the package's errors into those of the port."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        refused = NotSettled if error.code in ("balance_insufficient", "insufficient_funds") else Refusal
        raise refused(str(error)) from error
    except stripe.IdempotencyError as error:
        raise Refusal(str(error)) from error
    except stripe.StripeError as error:
        raise Unknown(type(error).__name__) from error


class StripeOutgoing:
    """The outgoing side of one Stripe account."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._v1 = client.v1

    # --- the agency's account ---------------------------------------------------------------------------------

    def open_account(
        self, holder_name: str, number: str, branch_code: str | None, organisation_id: UUID, key: str
    ) -> str:
        request: dict[str, Any] = {
            "type": "custom",
            "country": COUNTRY,
            "business_type": "company",
            "company": {"name": holder_name},
            "capabilities": {"transfers": {"requested": True}},
            "external_account": _bank(holder_name, number, branch_code),
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
            "metadata": {"organisation_id": str(organisation_id)},
        }
        with _translated():
            return self._v1.accounts.create(cast("Any", request), {"idempotency_key": key}).id

    def change_account(self, ref: str, holder_name: str, number: str, branch_code: str | None, key: str) -> None:
        request: dict[str, Any] = {"external_account": _bank(holder_name, number, branch_code)}
        with _translated():
            self._v1.accounts.update(ref, cast("Any", request), {"idempotency_key": key})

    # --- transfers and payouts --------------------------------------------------------------------------------

    def transfer_request(self, account_ref: str, amount_fen: int, payout_id: UUID, number: str) -> dict[str, Any]:
        return {
            "amount": amount_fen,
            "currency": CURRENCY,
            "destination": account_ref,
            "description": number,
            "transfer_group": _group(payout_id),
            "metadata": {"payout_id": str(payout_id)},
            "expand": _WHOLE_TRANSFER,
        }

    def transfer(self, request: Mapping[str, Any], key: str) -> TransferFact:
        with _translated():
            return _transfer(self._v1.transfers.create(cast("Any", dict(request)), {"idempotency_key": key}))

    def search_transfer(self, payout_id: UUID) -> TransferFact | None:
        with _translated():
            found = self._v1.transfers.list({"transfer_group": _group(payout_id), "limit": 1}).data
        return self.fetch_transfer(found[0].id) if found else None

    def fetch_transfer(self, ref: str) -> TransferFact:
        with _translated():
            return _transfer(self._v1.transfers.retrieve(ref, {"expand": _WHOLE_TRANSFER}))

    def pay_out(self, account_ref: str, amount_fen: int, payout_id: UUID, key: str) -> BankPayoutFact:
        request: dict[str, Any] = {
            "amount": amount_fen, "currency": CURRENCY, "metadata": {"payout_id": str(payout_id)},
        }  # fmt: skip
        options: Any = {"stripe_account": account_ref, "idempotency_key": key}
        with _translated():
            return _bank_payout(self._v1.payouts.create(cast("Any", request), options))

    def fetch_pay_out(self, account_ref: str, ref: str) -> BankPayoutFact:
        with _translated():
            return _bank_payout(self._v1.payouts.retrieve(ref, None, {"stripe_account": account_ref}))

    def reversal_request(self, transfer_ref: str, amount_fen: int, reversal_id: UUID) -> dict[str, Any]:
        return {
            "transfer": transfer_ref,
            "amount": amount_fen,
            "metadata": {"reversal_id": str(reversal_id)},
            "expand": ["balance_transaction"],
        }

    def reverse(self, request: Mapping[str, Any], key: str) -> ReversalFact:
        wanted = dict(request)
        transfer_ref = str(wanted.pop("transfer"))
        with _translated():
            return _reversal(
                self._v1.transfers.reversals.create(transfer_ref, cast("Any", wanted), {"idempotency_key": key})
            )

    # --- disputes ---------------------------------------------------------------------------------------------

    def disputes_of(self, payment_ref: str) -> tuple[DisputeFact, ...]:
        with _translated():
            listed = self._v1.disputes.list({"payment_intent": payment_ref, "limit": 100}).data
            return tuple(_dispute(one) for one in listed)

    def fetch_dispute(self, ref: str) -> DisputeFact:
        with _translated():
            return _dispute(self._v1.disputes.retrieve(ref))

    def answer_dispute(self, ref: str, text: str, key: str) -> DisputeFact:
        request: dict[str, Any] = {"evidence": {"uncategorized_text": text}, "submit": True}
        with _translated():
            return _dispute(self._v1.disputes.update(ref, cast("Any", request), {"idempotency_key": key}))


def _group(payout_id: UUID) -> str:
    return f"payout-{payout_id}"


def _bank(holder_name: str, number: str, branch_code: str | None) -> dict[str, Any]:
    account = {
        "object": "bank_account", "country": COUNTRY, "currency": CURRENCY, "account_number": number,
        "account_holder_name": holder_name, "account_holder_type": "company",
    }  # fmt: skip
    return account | ({"routing_number": branch_code} if branch_code else {})


def _moved(item: Any, ref: str) -> Movement:
    return Movement(
        ref=item.id,
        kind="transfer",
        gross_fen=item.amount,
        fee_fen=item.fee,
        currency=item.currency.upper(),
        at=datetime.fromtimestamp(item.created, UTC),
        object_ref=ref,
    )


def _reversal(item: Any) -> ReversalFact:
    return ReversalFact(item.id, item.amount, _moved(item.balance_transaction, item.id))


def _transfer(item: Any) -> TransferFact:
    back = tuple(_reversal(one) for one in item.reversals.data)
    return TransferFact(item.id, item.amount, _moved(item.balance_transaction, item.id), back)


def _bank_payout(item: Any) -> BankPayoutFact:
    status = _BANK_STATES.get(item.status, "in_transit")
    return BankPayoutFact(item.id, cast("Any", status), getattr(item, "failure_code", None))


def _dispute(item: Any) -> DisputeFact:
    due = getattr(item.evidence_details, "due_by", None)
    return DisputeFact(
        ref=item.id,
        status=cast("Any", _DISPUTE_STATES.get(item.status, "under_review")),
        amount_fen=item.amount,
        currency=item.currency.upper(),
        reason=item.reason,
        due_by=datetime.fromtimestamp(due, UTC) if due else None,
        opened_at=datetime.fromtimestamp(item.created, UTC),
        movements=tuple(_moved(one, item.id) for one in item.balance_transactions),
    )
