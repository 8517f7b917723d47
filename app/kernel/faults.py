"""Named points at which a test may kill the process, to prove that nothing is lost or done twice.

Inert unless the environment names a point: `CHAOSHI_FAULT=outbox-before-settle` dies at its first pass,
`CHAOSHI_FAULT=outbox-before-settle:3` at its third. `CHAOSHI_FAULT=*:40` dies at the fortieth pass of any point.
"""

from __future__ import annotations

import os
import signal
from typing import Final

ANY: Final = "*"


def _armed() -> tuple[str, int]:
    name, _, count = os.environ.get("CHAOSHI_FAULT", "").partition(":")
    return name, int(count or "1")


_name, _remaining = _armed()


def point(name: str) -> None:
    """Pass a named point of the code; die here, without any clean-up, when a test has armed it."""
    if not _name:
        return
    global _remaining  # noqa: PLW0603 - one process, one countdown
    if _name in {name, ANY}:
        _remaining -= 1
        if _remaining <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
