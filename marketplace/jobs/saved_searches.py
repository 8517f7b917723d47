"""The digest of kept searches."""

from app.kernel.jobs import Job, every
from app.kernel.words import N_
from marketplace.services import saved_searches

JOBS = (
    Job(
        "marketplace.saved-searches",
        saved_searches.tell_due,
        every(minutes=15),
        N_("Tell people of new results of their saved searches"),
        300,
    ),
)
