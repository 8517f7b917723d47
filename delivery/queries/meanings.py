"""What states and reports are called, how they are coloured, and whose turn they leave; pure tables."""

from collections.abc import Mapping
from typing import Final

from app.kernel.words import N_
from delivery.observed import Status
from delivery.states import BatchState, ParcelState

TONES: Final[Mapping[str, str]] = {
    ParcelState.CREATED: "neutral", ParcelState.READY: "waiting", ParcelState.PACKED: "waiting", ParcelState.BOOKING: "waiting", ParcelState.WAYBILLED: "waiting",
    ParcelState.HANDED_OVER: "active", ParcelState.DELIVERED: "success", ParcelState.RETURNED: "warning", ParcelState.LOST: "danger", ParcelState.CLOSED: "neutral",
    ParcelState.CANCELLED: "neutral", ParcelState.MERGED: "waiting", BatchState.OPEN: "waiting", BatchState.OFFERED: "waiting", BatchState.TAKEN_OVER: "success",
}  # fmt: skip
STATUS_LABELS: Final[Mapping[Status, str]] = {
    Status.LABEL_CREATED: N_("Waiting for collection"),
    Status.COLLECTED: N_("Collected by the carrier"),
    Status.IN_TRANSIT: N_("In transit"),
    Status.OUT_FOR_DELIVERY: N_("Out for delivery"),
    Status.AVAILABLE_FOR_PICKUP: N_("Ready to be collected by the receiver"),
    Status.DELIVERED: N_("Delivered, says the carrier"),
    Status.DELIVERY_FAILED: N_("Delivery attempt failed"),
    Status.RETURNING: N_("On its way back to the hall"),
    Status.RETURNED: N_("Brought back to the hall by the carrier"),
    Status.LOST: N_("Lost by the carrier"),
    Status.CANCELLED: N_("Order cancelled at the carrier"),
    Status.EXCEPTION: N_("The carrier reports a problem"),
    Status.UNKNOWN: N_("Unknown report"),
}
STATUS_TONES: Final[Mapping[Status, str]] = {
    Status.COLLECTED: "active", Status.IN_TRANSIT: "active", Status.OUT_FOR_DELIVERY: "active",
    Status.AVAILABLE_FOR_PICKUP: "waiting", Status.DELIVERED: "success", Status.DELIVERY_FAILED: "warning",
    Status.RETURNING: "warning", Status.RETURNED: "warning", Status.LOST: "danger", Status.EXCEPTION: "danger",
}  # fmt: skip
SIGNER_LABELS: Final[Mapping[str, str]] = {
    "in_person": N_("the receiver in person"),
    "proxy": N_("somebody on the receiver's behalf"),
    "pickup_point": N_("a locker or pick-up point"),
    "unattended": N_("left without anybody taking it"),
    "other": N_("another way"),
    "claim": N_("settled by a claim"),
    "unstated": N_("not stated"),
}
NEXT_BY_STATUS: Final[Mapping[Status, tuple[str, str]]] = {
    Status.LABEL_CREATED: (N_("The courier signed for it; the carrier has not scanned it yet."), N_("Carrier")),
    Status.OUT_FOR_DELIVERY: (
        N_("The courier brings it today. Have the pick-up code or an identity card ready."),
        N_("Receiver"),
    ),
    Status.AVAILABLE_FOR_PICKUP: (N_("The receiver collects it where the carrier keeps it."), N_("Receiver")),
    Status.DELIVERED: (
        N_("Somebody took it, but not the receiver in person: the hall finds out whether it arrived."),
        N_("Hall staff"),
    ),
    Status.DELIVERY_FAILED: (N_("The carrier tries again, or the hall calls the receiver."), N_("Carrier")),
    Status.RETURNING: (
        N_("Scan it back in when it arrives; then send again or keep it for collection."),
        N_("Carrier"),
    ),
    Status.RETURNED: (
        N_("Scan it back in when it arrives; then send again or keep it for collection."),
        N_("Hall staff"),
    ),
    Status.EXCEPTION: (N_("The hall asks the carrier."), N_("Hall staff")),
    Status.CANCELLED: (N_("The hall asks the carrier."), N_("Hall staff")),
}
"""What a parcel with the courier waits for, and whose turn that is, by what the carrier reports."""
TURNS: Final[Mapping[str, str]] = {
    ParcelState.CREATED: N_("Certificate centre"),
    ParcelState.READY: N_("Hall staff"),
    ParcelState.PACKED: N_("A second person in the hall"),
    ParcelState.BOOKING: N_("Carrier"),
    ParcelState.WAYBILLED: N_("Postal staff"),
    ParcelState.HANDED_OVER: N_("Carrier"),
    ParcelState.DELIVERED: N_("Receiver"),
    ParcelState.RETURNED: N_("Hall staff"),
    ParcelState.LOST: N_("Postal supervisor"),
}
