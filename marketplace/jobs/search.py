"""Keeping the search index fresh: the only writer of it."""

from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.services import search


def renew_index() -> int:
    """Build it anew every night: the freshness of the ranking moves with the days."""
    return search.rebuild().documents


JOBS = (
    Job(
        "marketplace.search-apply",
        search.apply_changes,
        every(seconds=2),
        N_("Take changes into the search index"),
        300,
    ),
    Job(
        "marketplace.search-check",
        search.check,
        every(minutes=30),
        N_("Compare the search index with its checksums"),
        300,
    ),
    Job("marketplace.search-renew", renew_index, daily("03:20"), N_("Build the search index anew"), 600),
)
