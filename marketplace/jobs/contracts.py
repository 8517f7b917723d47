"""The clock of contracts: lapsed questions, acceptance by silence, overdue flags, closing."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.kernel import clock
from app.kernel.db import db
from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.models.contracts import Contract
from marketplace.services import contracts
from marketplace.states.contract import ContractState as S

BATCH = 200


def keep_time_limits() -> int:
    """Take every step whose moment has come; each contract in its own transaction."""
    now = clock.now()
    return (
        _each(contracts.lapse_pause, Contract.state == S.PAUSE_ASKED, Contract.pause_answer_by < now)
        + _each(contracts.remind_of_acceptance, Contract.state == S.DELIVERED, Contract.acceptance_reminders < 2)
        + _each(contracts.accept_by_silence, Contract.state == S.DELIVERED, Contract.accept_by < now)
        + _each(
            contracts.close, Contract.state == S.ACCEPTED, Contract.rate_by < now, Contract.released_at.is_not(None)
        )
        + _each(
            contracts.flag_overdue,
            Contract.state.in_((S.RUNNING, S.PAUSE_ASKED)),
            Contract.deadline_on < clock.today(),
            Contract.overdue_since.is_(None),
        )
    )


def renew_provisional_deadlines() -> int:
    """Compute deadlines again that rested on a calendar year that was not announced yet."""
    return _each(
        contracts.renew_provisional_deadline,
        Contract.state.in_((S.RUNNING, S.PAUSE_ASKED)),
        Contract.deadline_provisional.is_(True),
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
