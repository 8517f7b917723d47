"""What the clock does to agencies: admission after publicity, expiry of certificates, reminders before it."""

from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from marketplace.services import agencies

JOBS = (
    Job("marketplace.admit", agencies.admit_due, every(seconds=30), N_("Admit agencies whose publicity has ended")),
    Job("marketplace.expire", agencies.expire_due, every(minutes=1), N_("Expire certificates after their last day")),
    Job("marketplace.remind", agencies.remind_of_expiry, daily("08:30"), N_("Remind of certificates that expire soon")),
)
