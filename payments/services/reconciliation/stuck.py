"""What got stuck on the way: asked about every minute, and still without an end."""

from collections.abc import Callable, Iterator
from datetime import datetime

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, use_case
from app.kernel.inbox import Notice
from app.kernel.outbox import OutboxMessage
from payments.events import PaymentStarted, RefundApproved
from payments.gateways import gateway, gateways
from payments.models.payments import Payment
from payments.models.payouts import Payout
from payments.models.refunds import Refund
from payments.outgoing_states import SENT_PAYOUT
from payments.reconciling import NO_END, NO_REFUND, NOT_FOLDED, NOT_SENT, Difference
from payments.services.reconciliation.differences import take_over
from payments.states import MismatchKind, PaymentState, RefundState

_MOST = 500


def watch_stuck() -> int:
    """Write down what is stuck now, and that what was stuck is not any more; return how much is new."""
    code = gateway().code
    moment = clock.now()
    found = [difference for source in SOURCES for difference in source(moment)]
    db.session.rollback()
    return _note(code, found)


@use_case
def _note(code: str, found: list[Difference]) -> int:
    return take_over(code, (MismatchKind.STUCK,), found)


def _payments(moment: datetime) -> Iterator[Difference]:
    never_sent = sa.and_(Payment.state == PaymentState.NEW, Payment.started_at < moment - NOT_SENT)
    no_end = sa.and_(Payment.state == PaymentState.PENDING, Payment.expires_at < moment - NO_END)
    rows = db.session.scalars(sa.select(Payment).where(sa.or_(never_sent, no_end)).order_by(Payment.id).limit(_MOST))
    for row in rows:
        yield _stuck(f"payment:{row.id}", row.session_ref or row.idempotency_key, row.amount_fen, row.started_at)


def _refunds(moment: datetime) -> Iterator[Difference]:
    never_sent = sa.and_(Refund.state == RefundState.APPROVED, Refund.requested_at < moment - NOT_SENT,
                         Refund.check_at < moment)  # fmt: skip
    no_end = sa.and_(Refund.state == RefundState.PENDING, Refund.requested_at < moment - NO_REFUND)
    rows = db.session.scalars(sa.select(Refund).where(sa.or_(never_sent, no_end)).order_by(Refund.id).limit(_MOST))
    for row in rows:
        yield _stuck(f"refund:{row.id}", row.gateway_ref or row.idempotency_key, row.amount_fen, row.requested_at)


def _payouts(moment: datetime) -> Iterator[Difference]:
    """Payouts that were approved and never taken by the gateway, or never arrived."""
    never_sent = sa.and_(Payout.state == "approved", Payout.requested_at < moment - NO_REFUND)
    no_end = sa.and_(Payout.state.in_(SENT_PAYOUT), Payout.requested_at < moment - NO_REFUND)
    rows = db.session.scalars(sa.select(Payout).where(sa.or_(never_sent, no_end)).order_by(Payout.id).limit(_MOST))
    for row in rows:
        yield _stuck(f"payout:{row.id}", row.number, row.amount_fen, row.requested_at)


def _notices(moment: datetime) -> Iterator[Difference]:
    rows = db.session.scalars(
        sa.select(Notice)
        .where(
            Notice.source.in_([one.code for one in gateways()]),
            Notice.done_at.is_(None),
            Notice.received_at < moment - NOT_FOLDED,
        )
        .order_by(Notice.id)
        .limit(_MOST)
    )
    for row in rows:
        yield _stuck(f"notice:{row.notice_id}", f"{row.kind} {row.object_ref or ''}".strip(), None, row.received_at)


_FOLLOWED = (PaymentStarted.name, RefundApproved.name)
"""A job repeats what these tasks do until it has happened; what is stuck then is the attempt or the refund itself."""


def _messages(_moment: datetime) -> Iterator[Difference]:
    """Tasks of payments that were given up after all their tries and that nothing else repeats."""
    rows = db.session.scalars(
        sa.select(OutboxMessage)
        .where(
            OutboxMessage.dead_at.is_not(None),
            OutboxMessage.event.startswith("payments."),
            OutboxMessage.event.not_in(_FOLLOWED),
        )
        .order_by(OutboxMessage.id)
        .limit(_MOST)
    )
    for row in rows:
        yield _stuck(f"task:{row.id}", f"{row.event}: {row.error or ''}", None, row.created_at)


def _stuck(ref: str, what: str, fen: int | None, since: datetime) -> Difference:
    return Difference(MismatchKind.STUCK, ref, what, fen, None, at=since)


SOURCES: tuple[Callable[[datetime], Iterator[Difference]], ...] = (_payments, _refunds, _payouts, _notices, _messages)
