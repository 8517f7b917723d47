"""From a posting down to the facts: bill, payment or refund, the gateway's own ids, and the story they belong to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.db import db
from payments import chart
from payments.models.bills import Bill
from payments.models.payments import Payment
from payments.models.reconciliation import GatewayMovement
from payments.models.refunds import Refund
from payments.queries.books import PostingView, posting_view


@dataclass(frozen=True)
class Fact:
    """An object behind a posting or an account: its type and id (for a link), a name, and the gateway's id of it."""

    type: str
    id: str
    name: str = ""
    gateway_ref: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class PostingFacts:
    """A posting with everything that explains it; `thread_id` is the story of its bill."""

    posting: PostingView
    facts: tuple[Fact, ...]
    gateway_refs: tuple[tuple[str, str], ...]
    thread_id: UUID | None
    posted_by_name: str


def posting_facts(tx_id: UUID) -> PostingFacts:
    """One posting with its facts, in a fixed number of statements; raises NotFound."""
    posting = posting_view(tx_id)
    bill_ids = {
        i for i in (posting.bill_id, *(_bill_of(account) for account, _fen in posting.entries)) if i is not None
    }
    bills = list(db.session.scalars(sa.select(Bill).where(Bill.id.in_(bill_ids)).order_by(Bill.number)))
    cause, refs = _cause(posting.subject)
    told = _told(posting.key)
    facts = [fact for bill in bills for fact in _facts_of_bill(bill)]
    refs = [*([("gateway_movement", posting.key.partition(":")[2])] if told is not None else []), *refs]
    if told is not None and told.object_ref:
        refs.append(("gateway_object", told.object_ref))
    people = identity.persons_by_ids({posting.posted_by} if posting.posted_by else set())
    name = people[posting.posted_by].name if posting.posted_by in people else ""
    return PostingFacts(
        posting, (*([cause] if cause else []), *facts), tuple(refs), bills[0].thread_id if bills else None, name
    )


def _bill_of(account: str) -> UUID | None:
    kept_for = chart.about(account)
    return _uuid(kept_for[1]) if kept_for is not None and kept_for[0] == "bill" else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _facts_of_bill(bill: Bill) -> tuple[Fact, ...]:
    kind, _, name = bill.subject.partition(":")
    return Fact("bill", str(bill.id), f"{bill.number} {bill.title}"), Fact(kind, name)


def _told(key: str) -> GatewayMovement | None:
    gateway, _, ref = key.partition(":")
    return db.session.scalar(
        sa.select(GatewayMovement).where(GatewayMovement.gateway == gateway, GatewayMovement.ref == ref)
    )


def _cause(subject: str | None) -> tuple[Fact | None, list[tuple[str, str]]]:
    """The payment, refund or other object that a posting follows from, and what the gateway calls it."""
    family, _, name = (subject or "").partition(":")
    object_id = _uuid(name)
    if object_id is None or family == "bill":
        return None, []
    if family == "payment":
        payment = db.session.get(Payment, object_id)
        if payment is not None:
            refs = [("gateway_session", payment.session_ref), ("gateway_payment", payment.payment_ref)]
            return Fact("payment", name, at=payment.succeeded_at), [(kind, ref) for kind, ref in refs if ref]
    if family == "refund":
        refund = db.session.get(Refund, object_id)
        if refund is not None:
            ref = refund.gateway_ref
            return Fact("refund", name, at=refund.requested_at), [("gateway_refund", ref)] if ref else []
    return Fact(family, name), []


def fact_of_account(code: str) -> Fact | None:
    """The object that an account is kept for, with its name where one is known."""
    kept_for = chart.about(code)
    if kept_for is None:
        return None
    family, name = kept_for
    object_id = _uuid(name)
    if family == "bill" and object_id is not None:
        bill = db.session.get(Bill, object_id)
        return Fact("bill", name, f"{bill.number} {bill.title}") if bill is not None else None
    if family == "organisation" and object_id is not None:
        known = identity.organisations_by_ids({object_id})
        return Fact("organisation", name, known[object_id].name if object_id in known else "")
    return Fact(family, name)
