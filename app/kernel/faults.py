"""Named points at which tests make the program fail or die; silent otherwise.

CHAOSHI_FAULT="outbox-before-settle:kill" kills the process at that point the first time it is reached,
"name:raise" raises there.
"""

import os
import signal


class InjectedFault(Exception):
    """Raised at a named point because a test asked for it."""


def point(name: str) -> None:
    """Fail here if the environment names this point."""
    wanted = os.environ.get("CHAOSHI_FAULT", "")
    if not wanted:
        return
    where, _, what = wanted.partition(":")
    if where != name:
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise InjectedFault(name)
