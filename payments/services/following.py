"""Asking the gateway about what is silent, one after the other, so that none of it keeps the others waiting."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel import clock
from app.kernel.db import db, use_case
from payments import rules
from payments.models.disputes import PaymentDispute
from payments.models.payments import Payment
from payments.models.payouts import Payout
from payments.models.refunds import Refund
from payments.ports import GatewayError, Unknown

log = logging.getLogger(__name__)
Followed = type[Payment] | type[Refund] | type[Payout] | type[PaymentDispute]

PATIENCE = 5
"""So many without an answer in a row, and the gateway is away: the rest is asked about at the next time."""

UNANSWERED = timedelta(minutes=5)
"""A gateway may repeat a failure for a day (it remembers it with the key). Such a one goes to the end of the queue for
so long at least, and for longer the older it is: many of them must not make every round look like an outage."""

_SINCE: dict[Followed, InstrumentedAttribute[datetime]] = {
    Payment: Payment.started_at,
    Refund: Refund.requested_at,
    Payout: Payout.requested_at,
    PaymentDispute: PaymentDispute.opened_at,
}


def follow_each(model: Followed, sync: Callable[[UUID], object], ids: Sequence[UUID]) -> int:
    """Call `sync` for each; stop where the gateway is away. Return how many were followed.

    Calls the gateway: no transaction may be open. What gets no answer is asked about again after `UNANSWERED` or more.
    """
    done = silent = 0
    for object_id in ids:
        try:
            sync(object_id)
        except Unknown:
            log.warning("the gateway does not answer; trying again later", extra={"object_id": str(object_id)})
            _put_off(model, object_id)
            silent += 1
            if silent == PATIENCE:
                break
        except GatewayError:
            log.exception("the gateway refuses to tell", extra={"object_id": str(object_id)})
        else:
            done, silent = done + 1, 0
    return done


@use_case
def _put_off(model: Followed, object_id: UUID) -> None:
    now = clock.now()
    since = db.session.scalars(sa.select(_SINCE[model]).where(model.id == object_id)).one()
    later = max(now + UNANSWERED, rules.next_check(since, now))
    put_off = sa.update(model).where(model.id == object_id, model.check_at <= now).values(check_at=later)
    db.session.execute(put_off.execution_options(synchronize_session=False))
