"""The clock of credit: the score of the day, terms that end, and what the records show."""

from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.services import credit, sanctions


def end_terms() -> int:
    """End the sanctions whose last day is over; each in its own transaction."""
    return sum(sanctions.end(sanction_id) for sanction_id in sanctions.due_ids())


JOBS = (
    Job("marketplace.credit-of-the-day", credit.take_snapshots, daily("00:10"), N_("Credit scores of the day")),
    Job("marketplace.sanction-terms", end_terms, every(minutes=1), N_("Terms of measures that end")),
    Job("marketplace.violations", credit.find_violations, daily("03:40"), N_("Violations that the records show")),
)
