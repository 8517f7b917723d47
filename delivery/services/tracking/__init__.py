"""What the carrier reports: asked for, stored once, folded, and only then acted upon.

A push is a hint. It makes the next query due and is kept until a query shows the same event; nothing else changes
through it, because whoever knows the key, or re-splices old blocks, can make one (EMS-PROTOCOL 1.5).
"""

from delivery.services.tracking.alarms import raise_alarm
from delivery.services.tracking.consequences import settle_by_proof
from delivery.services.tracking.decisions import (
    ConfirmDelivery,
    confirm_delivery,
    resend,
    settle_loss,
    take_back,
    window_pickup,
)
from delivery.services.tracking.notices import follow_notices, record_notice
from delivery.services.tracking.polling import poll_due, poll_parcel, record_reports

__all__ = [
    "ConfirmDelivery", "confirm_delivery", "follow_notices", "poll_due", "poll_parcel", "raise_alarm",
    "record_notice", "record_reports", "resend", "settle_by_proof", "settle_loss", "take_back", "window_pickup",
]  # fmt: skip
