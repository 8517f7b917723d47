"""The clock of ratings: reminders, default ratings, requests that lapse."""

from app.kernel.jobs import Job, every
from app.kernel.words import N_
from marketplace.services import reviews


def keep_time_limits() -> int:
    """Remind of requests that end within a day, and settle those whose time is over; each in its own transaction."""
    reminded = sum(reviews.remind(request_id) for request_id in reviews.reminder_ids())
    return reminded + sum(reviews.settle_due(request_id) for request_id in reviews.due_ids())


JOBS = (Job("marketplace.rating-time-limits", keep_time_limits, every(minutes=5), N_("Time limits of ratings")),)
