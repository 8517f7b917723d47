"""What the clock does to openings: ask the holders for their shares, and let a selection fail whose quotes nobody opens."""

from typing import Final

from app.kernel.jobs import Job, every
from app.kernel.words import N_
from marketplace.jobs.procurements import walk
from marketplace.models.procurements import Procurement
from marketplace.services import quotes
from marketplace.states.procurement import ProcurementState

_WAITING: Final = Procurement.state == ProcurementState.OPENING


def run_due() -> int:
    """Fail what is overdue, then remind."""
    return walk(quotes.overdue_opening, _WAITING) + walk(quotes.remind_holders, _WAITING)


JOBS = (
    Job(
        "marketplace.openings",
        run_due,
        every(seconds=30),
        N_("Ask for shares of the key; fail openings that are overdue"),
    ),
)
