"""What the clock does for identity."""

from __future__ import annotations

from app.identity import rate_limits, sessions
from app.kernel.jobs import Job, daily
from app.kernel.words import N_

JOBS = (
    Job(
        "identity.forget-attempts",
        rate_limits.forget_old,
        daily("03:10"),
        N_("Delete old counters of sign-in attempts"),
    ),
    Job("identity.forget-sessions", sessions.forget_ended, daily("03:15"), N_("Delete sessions that ended long ago")),
)
