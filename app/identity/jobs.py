"""What the clock does for identity."""

from __future__ import annotations

from app.identity import rate_limits, sessions
from app.identity.services import notices
from app.kernel.jobs import Job, daily
from app.kernel.words import N_

JOBS = (
    Job("identity.digests", notices.send_digests, daily("07:30"), N_("Mail the daily digests"), lease_seconds=300),
    Job(
        "identity.forget-attempts",
        rate_limits.forget_old,
        daily("03:10"),
        N_("Delete old counters of sign-in attempts"),
    ),
    Job("identity.forget-sessions", sessions.forget_ended, daily("03:15"), N_("Delete sessions that ended long ago")),
)
