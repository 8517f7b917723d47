"""What partners' systems are told of bills and their money."""

from typing import Any
from uuid import UUID

from app.kernel.db import get
from app.kernel.words import N_
from app.webhooks.catalogue import Announcement, WebhookEvent
from payments.events import BillOpened, BillPaid, BillRefunded, BillVoided, HeldMoneyReleased
from payments.models.bills import Bill


def _of_bill(event: Any) -> Announcement:
    """The bill's identity and amount, to its payer's and payee's organisations. Persons are not named."""
    bill = get(Bill, event.bill_id)
    told: frozenset[UUID] = frozenset(
        i for i in (bill.payer_organisation_id, bill.payee_organisation_id) if i is not None
    )
    data = {
        "bill_id": str(bill.id),
        "number": bill.number,
        "kind": bill.kind,
        "subject": bill.subject,
        "state": bill.state,
        "amount_fen": getattr(event, "amount_fen", bill.amount_fen),
        "currency": bill.currency,
    }
    return Announcement(told, data, bill.thread_id)


WEBHOOK_EVENTS = (
    WebhookEvent("bill.opened", BillOpened, N_("A bill is due"), _of_bill),
    WebhookEvent("bill.paid", BillPaid, N_("A bill was paid"), _of_bill),
    WebhookEvent("bill.voided", BillVoided, N_("A bill was cancelled"), _of_bill),
    WebhookEvent("bill.released", HeldMoneyReleased, N_("Held money was released to the agency"), _of_bill),
    WebhookEvent("bill.refunded", BillRefunded, N_("Money was returned to the payer"), _of_bill),
)
