"""What the clock does for money that leaves. Each job derives its work from due rows and may run at any time, in any copy."""

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from payments.agency_documents import agencies_without_statement, issue_statement
from payments.gateways import gateway
from payments.models.disputes import PaymentDispute
from payments.models.payouts import BankAccount, Payout
from payments.outgoing_states import OPEN_DISPUTE, BankAccountState, PayoutState
from payments.queries.agency_statements import agencies_with_money
from payments.services.bank_accounts import activate_bank_account
from payments.services.disputes import alarm_disputes, sync_dispute
from payments.services.following import follow_each
from payments.services.payouts import request_by_calendar, sync_payout
from payments.services.tax_papers import missing_invoices, remind_of_invoice
from payments.terms import terms

_BATCH = 100
_FOLLOWED = (PayoutState.APPROVED, PayoutState.SUBMITTED, PayoutState.IN_TRANSIT, PayoutState.PAID)


def _due(statement: sa.Select[UUID]) -> list[UUID]:
    ids = list(db.session.scalars(statement.limit(_BATCH)))
    db.session.rollback()
    return ids


def follow_payouts() -> int:
    """Send approved payouts, and ask the provider about those under way."""
    due = sa.select(Payout.id).where(
        Payout.state.in_(_FOLLOWED), Payout.check_at <= clock.now(), Payout.gateway == gateway().code
    )
    return follow_each(Payout, sync_payout, _due(due.order_by(Payout.check_at)))


def follow_disputes() -> int:
    """Ask the provider about open disputes."""
    due = sa.select(PaymentDispute.id).where(
        PaymentDispute.state.in_(OPEN_DISPUTE), PaymentDispute.check_at <= clock.now()
    )
    return follow_each(PaymentDispute, sync_dispute, _due(due.order_by(PaymentDispute.check_at)))


def activate_accounts() -> int:
    """Use the accounts whose cooling-off time is over."""
    due = sa.select(BankAccount.id).where(
        BankAccount.state == BankAccountState.COOLING, BankAccount.usable_at <= clock.now()
    )
    return sum(activate_bank_account(one) for one in _due(due))


def is_payout_day(today: date, days: tuple[int, ...]) -> bool:
    """Whether payouts are made on this day; a day that a month lacks is its last one. Pure."""
    last = calendar.monthrange(today.year, today.month)[1]
    return today.day in {min(day, last) for day in days}


def request_payouts() -> int:
    """On payout days, ask for the payout of every agency's balance."""
    today = clock.today()
    if not is_payout_day(today, terms(today).payout_days):
        return 0
    return sum(request_by_calendar(one, today) for one in _all(agencies_with_money))


def issue_statements() -> int:
    """Issue last month's statements that are missing, to agencies with any money or movement."""
    month = (clock.today().replace(day=1) - timedelta(days=1)).replace(day=1)
    found = _all(lambda: agencies_without_statement(month))
    for one in found:
        issue_statement(one, month)
    return len(found)


def _all(listing: Callable[[], list[UUID]]) -> list[UUID]:
    ids = listing()
    db.session.rollback()
    return ids


def ask_for_invoices() -> int:
    """Ask agencies for invoices that are missing."""
    ids = _all(missing_invoices)
    for one in ids:
        remind_of_invoice(one)
    return len(ids)


def watch_disputes() -> int:
    """Alarm about disputes that nobody has answered and whose date is near."""
    return alarm_disputes()


JOBS = (
    Job("payments.payouts", follow_payouts, every(minutes=1), N_("Send payouts and ask the provider about them"), 300),
    Job("payments.disputes", follow_disputes, every(minutes=5), N_("Ask the provider about open disputes"), 300),
    Job("payments.accounts", activate_accounts, every(minutes=5), N_("Use bank accounts after their cooling-off time")),
    Job("payments.payout-days", request_payouts, daily("06:00"), N_("Ask for the payouts of a payout day"), 300),
    Job("payments.statements", issue_statements, daily("03:30"), N_("Issue agencies' monthly statements"), 900),
    Job("payments.invoices", ask_for_invoices, daily("09:00"), N_("Ask for missing invoices"), 300),
    Job("payments.dispute-alarms", watch_disputes, daily("09:10"), N_("Alarm about disputes whose date is near")),
)
