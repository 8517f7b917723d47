"""Moments as papers write them."""

from datetime import datetime

from app.kernel.clock import BEIJING


def beijing_time(moment: datetime | None) -> str:
    """The moment in Beijing time to the minute, or nothing."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""
