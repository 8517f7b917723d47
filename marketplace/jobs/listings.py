"""What the clock does to offers: they leave the shelf after their last day, with reminders before."""

from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.services import listings

JOBS = (
    Job("marketplace.expire-offers", listings.expire_due, every(minutes=1), N_("Take expired offers off the shelf")),
    Job(
        "marketplace.remind-offers", listings.remind_of_expiry, daily("08:40"), N_("Remind of offers that expire soon")
    ),
)
