"""What the clock does to agencies: admission after publicity, ends of measures, expiry of certificates, departures, reminders."""

from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.services import agencies

JOBS = (
    Job("marketplace.admit", agencies.admit_due, every(seconds=30), N_("Admit agencies whose publicity has ended")),
    Job("marketplace.expire", agencies.expire_due, every(minutes=1), N_("Expire certificates after their last day")),
    Job("marketplace.measures", agencies.lift_due, every(minutes=1), N_("End measures after their last day")),
    Job("marketplace.staff", agencies.release_due, every(minutes=1), N_("Let practitioners go after their last day")),
    Job(
        "marketplace.departures", agencies.leave_due, every(minutes=10), N_("Let agencies leave that have nothing open")
    ),
    Job("marketplace.remind", agencies.remind_of_expiry, daily("08:30"), N_("Remind of certificates that expire soon")),
)
