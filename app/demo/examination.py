"""What must be true at the end of a simulated year: every procurement ended or waits for somebody, the books balance, the log holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.kernel import audit, clock, outbox
from app.kernel.db import db
from app.kernel.words import N_
from app.webhooks.services import DeliveryDue
from marketplace.models.procurements import Procurement
from marketplace.services import selection
from marketplace.states.parts import Part
from marketplace.states.procurement import TURNS, ProcurementState
from payments.models.ledger import LedgerEntry


@dataclass
class Findings:
    """Counts to be read, and problems, each of which is a defect of the product."""

    states: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    facts: dict[str, object] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The findings as lines of text."""
        yield "methods: " + ", ".join(f"{method} {count}" for method, count in self.methods.most_common())
        yield "states: " + ", ".join(f"{state} {count}" for state, count in self.states.most_common())
        for name, value in self.facts.items():
            yield f"{name}: {value}"


def examine() -> Findings:
    """Look at everything the year left behind. Reads only, but for the replays, which write what they found."""
    found = Findings()
    for row in db.session.scalars(sa.select(Procurement)):
        found.states[row.state] += 1
        found.methods[row.method] += 1
        if is_stuck(row):
            found.problems.append(f"{row.number} is stuck in {row.state}")
    db.session.rollback()
    _books(found)
    _log(found)
    replayed = selection.replay_all()
    found.facts[N_("Results decided again")] = replayed
    alarms = selection.count_of_alarms()
    if alarms:
        found.problems.append(f"{alarms} results come out differently when they are decided again")
    return found


def is_stuck(procurement: Procurement) -> bool:
    """Whether the machine owes a step: it is the system's turn, and the deadline, if any, has passed.

    Waiting for a person is explained by the state; a state without a turn is an end.
    """
    turn = TURNS.get(ProcurementState(procurement.state))
    if turn is None or turn.part not in {Part.SYSTEM, Part.PUBLIC, Part.REGISTRANT}:
        return False
    due = getattr(procurement, turn.deadline) if turn.deadline else None
    if turn.deadline is None:
        return procurement.state in {ProcurementState.REGISTRATION_CLOSED, ProcurementState.SELECTED}
    return due is None or due < clock.now()


def _books(found: Findings) -> None:
    totals = db.session.execute(
        sa.select(LedgerEntry.currency, sa.func.sum(LedgerEntry.amount_fen)).group_by(LedgerEntry.currency)
    ).all()
    found.facts[N_("Ledger entries")] = db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry))
    for currency, total in totals:
        if total != 0:
            found.problems.append(f"the books are off by {total} {currency}")


def _log(found: Findings) -> None:
    verdict = audit.verify()
    found.facts[N_("Audit events")] = verdict.events
    found.problems += list(verdict.problems)
    left = db.session.scalars(
        sa.select(outbox.OutboxMessage.event).where(
            outbox.OutboxMessage.done_at.is_(None),
            outbox.OutboxMessage.due_at <= clock.now(),
            outbox.OutboxMessage.event != DeliveryDue.name,  # a partner who does not answer is tried again for days
        )
    ).all()
    if left:
        found.problems.append(f"{len(left)} messages of the outbox were not handled: {', '.join(sorted(set(left)))}")
