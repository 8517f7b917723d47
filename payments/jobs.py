"""What the clock does for payments. Each job derives its work from due rows and may run at any time, in any copy."""

import logging

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from payments import services
from payments.models.payments import Payment
from payments.models.refunds import Refund
from payments.ports import GatewayError, Unknown
from payments.services import reconciliation
from payments.services.following import follow_each
from payments.states import LIVE, RefundState

log = logging.getLogger(__name__)
_BATCH = 100


def follow_up() -> int:
    """Ask the gateway about attempts and refunds that have been silent for too long."""
    now = clock.now()
    payments = list(
        db.session.scalars(
            sa.select(Payment.id)
            .where(Payment.state.in_(LIVE), Payment.check_at <= now)
            .order_by(Payment.check_at)
            .limit(_BATCH)
        )
    )
    waiting = (RefundState.APPROVED, RefundState.SUBMITTED, RefundState.PENDING)
    refunds = list(
        db.session.scalars(
            sa.select(Refund.id)
            .where(Refund.state.in_(waiting), Refund.check_at <= now)
            .order_by(Refund.check_at)
            .limit(_BATCH)
        )
    )
    db.session.rollback()
    followed = follow_each(Payment, services.sync_payment, payments)
    return followed + follow_each(Refund, services.sync_refund, refunds)


def recall() -> int:
    """Store notices that were lost on the way here; what is read twice is known by its id."""
    try:
        return reconciliation.recall_missed()
    except Unknown:
        log.warning("the gateway does not answer; trying again later")
        return 0


def keep_address() -> int:
    """Have the gateway know where to send its notices (it may have been away, or lost its data, since the start)."""
    try:
        return int(services.register_address())
    except GatewayError as failure:
        log.warning("the notice address is not registered", exc_info=failure)
        return 0


def check_books() -> int:
    """Compare the ledger with the gateway, movement by movement."""
    return reconciliation.check_books()


JOBS = (
    Job("payments.follow-up", follow_up, every(minutes=1), N_("Ask the gateway about payments that are silent"), 300),
    Job("payments.recall", recall, every(minutes=15), N_("Fetch notices of the gateway that were lost"), 300),
    Job("payments.address", keep_address, every(minutes=1), N_("Register where the gateway sends its notices"), 60),
    Job("payments.stuck", reconciliation.watch_stuck, every(minutes=1), N_("Find payments that got stuck"), 120),
    Job("payments.days", reconciliation.open_days, daily("00:10"), N_("Open the sheet of the day that has ended"), 120),
    Job(
        "payments.late-days",
        reconciliation.remind_of_days,
        daily("14:00"),
        N_("Remind of days that are not closed"),
        60,
    ),
    Job("payments.books", check_books, daily("02:30"), N_("Compare the books with the gateway"), 900),
)
