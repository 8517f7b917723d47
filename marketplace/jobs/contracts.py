"""The clock of contracts: lapsed questions, acceptance by silence, overdue flags, closing."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Milestone
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.acceptance import REMINDERS
from marketplace.services import contracts
from marketplace.services.contracts.money import REMIND_DAYS_BEFORE
from marketplace.states.contract import CLOCK_RUNS, UNSIGNED
from marketplace.states.contract import ContractState as S

BATCH = 200


def keep_time_limits() -> int:
    """Take every step whose moment has come; each contract in its own transaction."""
    now = clock.now()
    filing = timedelta(days=rule_book_in_force().filing_auto_close_days)
    return (
        _each(contracts.lapse_pause, Contract.state == S.PAUSE_ASKED, Contract.answer_by < now)
        + _each(
            contracts.lapse_question,
            Contract.state.in_((S.EXTENSION_ASKED, S.TERMINATION_ASKED)),
            Contract.answer_by < now,
        )
        + _each(contracts.remind_of_signing, Contract.state.in_(UNSIGNED), Contract.signing_reminders < 2)
        + _each(
            contracts.remind_of_acceptance, Contract.state == S.DELIVERED, Contract.acceptance_reminders < REMINDERS
        )
        + _each(contracts.accept_by_silence, Contract.state == S.DELIVERED, Contract.accept_by < now)
        + _each(contracts.close, Contract.state == S.ACCEPTED, Contract.rate_by < now, ~_lacks(Milestone.released_at))
        + _each(contracts.close, Contract.state.in_((S.ACCEPTED, S.RATED)), Contract.accepted_at < now - filing)
        + _each(contracts.watch_payment, _owes(now))
        + _each(contracts.settle, Contract.state == S.TERMINATED, Contract.settled_at.is_(None))
        + _each(
            contracts.flag_overdue,
            Contract.state.in_(CLOCK_RUNS),
            Contract.deadline_on < clock.today(),
            Contract.overdue_since.is_(None),
        )
    )


def renew_provisional_deadlines() -> int:
    """Compute deadlines again that rested on a calendar year that was not announced yet."""
    return _each(
        contracts.renew_provisional_deadline,
        Contract.state.in_(CLOCK_RUNS),
        Contract.deadline_provisional.is_(True),
    )


def _lacks(column: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    """Some milestone of the contract lacks this moment."""
    return exists().where(Milestone.contract_id == Contract.id, column.is_(None))


def _owes(now: datetime) -> ColumnElement[bool]:
    """Some fee is unpaid and due soon without a reminder, or overdue without a flag."""
    soon = now + timedelta(days=REMIND_DAYS_BEFORE)
    return exists().where(
        Milestone.contract_id == Contract.id,
        Milestone.funded_at.is_(None),
        Milestone.withdrawn_at.is_(None),
        or_(
            and_(Milestone.due_at < soon, Milestone.payment_reminders == 0),
            and_(Milestone.due_at < now, Milestone.overdue_since.is_(None)),
        ),
    )


def _each(run: Callable[[UUID], bool], *conditions: ColumnElement[bool]) -> int:
    due: Sequence[UUID] = db.session.scalars(
        select(Contract.id).where(*conditions).order_by(Contract.id).limit(BATCH)
    ).all()
    return sum(run(contract_id) for contract_id in due)


JOBS = (
    Job("marketplace.contract-time-limits", keep_time_limits, every(minutes=1), N_("Time limits of contracts")),
    Job(
        "marketplace.provisional-deadlines",
        renew_provisional_deadlines,
        daily("04:10"),
        N_("Deadlines that rested on an unannounced calendar"),
    ),
)
