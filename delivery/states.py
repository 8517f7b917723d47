"""What *we* decide about a parcel and a hand-over batch. What the carrier reports is `delivery.observed`. Pure."""

from enum import StrEnum
from typing import Final

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.events import (
    BatchTakenOver,
    ParcelCancelled,
    ParcelChecked,
    ParcelDelivered,
    ParcelDeliveryRevoked,
    ParcelHandedOver,
    ParcelLost,
    ParcelReturned,
    WaybillTaken,
    WaybillVoided,
)


class Part(StrEnum):
    """The parts an actor can play towards a parcel or batch."""

    SYSTEM = "system"
    HALL = "hall"
    """Window clerk or certificate centre of the hall."""
    POST = "post"
    """Postal staff on duty in the hall."""
    SUPERVISOR = "supervisor"
    APPLICANT = "applicant"


STAFF: Final = (Part.HALL, Part.POST, Part.SUPERVISOR)


class P(StrEnum):
    """States of a delivery order (BUSINESS-RULES 4.9) as far as we decide them."""

    CREATED = "created"
    READY = "ready"
    PACKED = "packed"
    BOOKING = "booking"
    WAYBILLED = "waybilled"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    RETURNED = "returned"
    LOST = "lost"
    CLOSED = "closed"
    CANCELLED = "cancelled"


PARCEL = Machine(
    name="parcel",
    states=P,
    initial=P.CREATED,
    transitions=(
        Transition(
            "contents_ready", (P.CREATED,), P.READY, (Part.SYSTEM, Part.HALL), N_("Contents are ready"), primary=True
        ),
        Transition("pack", (P.READY,), P.PACKED, STAFF, N_("Pack"), primary=True),
        Transition("return_to_packer", (P.PACKED,), P.READY, STAFF, N_("Return to the packer"), needs_reason=True),
        Transition(
            "check", (P.PACKED,), P.BOOKING, STAFF, N_("Confirm the packing"), event=ParcelChecked, primary=True
        ),
        Transition(
            "take_number", (P.BOOKING,), P.WAYBILLED, (Part.SYSTEM,), N_("Waybill number received"), event=WaybillTaken
        ),
        Transition(
            "enter_number", (P.BOOKING,), P.WAYBILLED, (Part.SUPERVISOR,), N_("Enter the waybill number"),
            event=WaybillTaken,
        ),
        Transition(
            "unbook", (P.BOOKING,), P.READY, (Part.SUPERVISOR,), N_("Stop and pack again"), needs_reason=True, danger=True
        ),
        Transition(
            "void_waybill", (P.WAYBILLED,), P.READY, (Part.SUPERVISOR,), N_("Give the waybill up"), event=WaybillVoided,
            needs_reason=True, danger=True,
        ),
        Transition(
            "hand_over", (P.WAYBILLED,), P.HANDED_OVER, (Part.POST, Part.SUPERVISOR), N_("Handed over to the courier"),
            event=ParcelHandedOver,
        ),
        Transition(
            "deliver", (P.HANDED_OVER,), P.DELIVERED, (Part.SYSTEM,), N_("Delivered"), event=ParcelDelivered
        ),
        Transition(
            "confirm_delivery", (P.HANDED_OVER,), P.DELIVERED, (Part.SUPERVISOR, Part.HALL), N_("Count as delivered"),
            event=ParcelDelivered, needs_reason=True,
        ),
        Transition(
            "revoke", (P.DELIVERED, P.CLOSED), P.HANDED_OVER, (Part.SYSTEM,), N_("Delivery taken back by the carrier"),
            event=ParcelDeliveryRevoked,
        ),
        Transition("confirm_receipt", (P.DELIVERED,), P.CLOSED, (Part.APPLICANT,), N_("I have received it"), primary=True),
        Transition(
            "close", (P.DELIVERED,), P.CLOSED, (Part.SYSTEM,), N_("Closed without an objection"), due="close_at"
        ),
        Transition(
            "take_back", (P.HANDED_OVER,), P.RETURNED, STAFF, N_("Received back at the hall"), event=ParcelReturned,
        ),
        Transition("resend", (P.RETURNED,), P.READY, STAFF, N_("Send again"), needs_reason=True, primary=True),
        Transition("window_pickup", (P.RETURNED,), P.CLOSED, (Part.HALL, Part.SUPERVISOR), N_("Collected at the window"), needs_reason=True),
        Transition("lose", (P.HANDED_OVER,), P.LOST, (Part.SYSTEM,), N_("Lost by the carrier"), event=ParcelLost),
        Transition("settle_loss", (P.LOST,), P.CLOSED, (Part.SUPERVISOR,), N_("Close after reissue and claim"), needs_reason=True),
        Transition(
            "cancel", (P.CREATED, P.READY), P.CANCELLED, (Part.SYSTEM, Part.HALL, Part.SUPERVISOR), N_("Cancel the delivery"),
            event=ParcelCancelled, needs_reason=True, danger=True,
        ),
    ),
    labels={
        P.CREATED: N_("Waiting for the certificate"),
        P.READY: N_("To be packed"),
        P.PACKED: N_("Packed, second person to check"),
        P.BOOKING: N_("Waiting for a waybill number"),
        P.WAYBILLED: N_("To be handed over"),
        P.HANDED_OVER: N_("With the courier"),
        P.DELIVERED: N_("Delivered"),
        P.RETURNED: N_("Back at the hall"),
        P.LOST: N_("Lost"),
        P.CLOSED: N_("Closed"),
        P.CANCELLED: N_("Delivery cancelled"),
    },
    requires={
        P.PACKED: ("packed_by", "seal_no"),
        P.BOOKING: ("packed_by", "checked_by", "seal_no", "order_no"),
        P.WAYBILLED: ("waybill_no", "order_no"),
        P.HANDED_OVER: ("waybill_no", "handed_over_at"),
        P.DELIVERED: ("waybill_no", "delivered_at"),
    },
    next_step={
        P.CREATED: N_("The certificate is being produced."),
        P.READY: N_("The hall packs the contents and notes the seal number."),
        P.PACKED: N_("A second person compares contents, receiver and seal."),
        P.BOOKING: N_("The waybill number is asked from the carrier; this repeats by itself until it answers."),
        P.WAYBILLED: N_("Print the label and put the parcel on a hand-over list."),
        P.HANDED_OVER: N_("The carrier brings it to the receiver."),
        P.DELIVERED: N_("The receiver confirms; without an objection this closes by itself."),
        P.RETURNED: N_("Tell the receiver, then send again or keep it for collection at the window."),
        P.LOST: N_("Reissue the contents and claim the loss."),
        P.CLOSED: N_("Nothing more is to be done."),
        P.CANCELLED: N_("Nothing more is to be done."),
    },
)  # fmt: skip


class B(StrEnum):
    """States of a hand-over batch."""

    OPEN = "open"
    OFFERED = "offered"
    TAKEN_OVER = "taken_over"
    CANCELLED = "cancelled"


BATCH = Machine(
    name="handover-batch",
    states=B,
    initial=B.OPEN,
    transitions=(
        Transition("offer", (B.OPEN,), B.OFFERED, STAFF, N_("Sign for the hall"), primary=True),
        Transition("reopen", (B.OFFERED,), B.OPEN, STAFF, N_("Change the list"), needs_reason=True),
        Transition(
            "take_over", (B.OFFERED,), B.TAKEN_OVER, (Part.POST, Part.SUPERVISOR), N_("Sign for the courier"),
            event=BatchTakenOver, primary=True,
        ),
        Transition("cancel", (B.OPEN,), B.CANCELLED, STAFF, N_("Drop the list"), needs_reason=True, danger=True),
    ),
    labels={
        B.OPEN: N_("List is being filled"),
        B.OFFERED: N_("Signed by the hall, courier to sign"),
        B.TAKEN_OVER: N_("Handed over"),
        B.CANCELLED: N_("List dropped"),
    },
    requires={
        B.OFFERED: ("offered_by", "offered_at", "offered_count"),
        B.TAKEN_OVER: ("offered_by", "offered_at", "offered_count", "taken_by", "taken_at", "taken_count", "courier_name"),
    },
    next_step={
        B.OPEN: N_("Scan every parcel onto the list, then sign for the hall."),
        B.OFFERED: N_("The courier counts, marks what is missing, and signs."),
        B.TAKEN_OVER: N_("Nothing more is to be done."),
        B.CANCELLED: N_("Nothing more is to be done."),
    },
)  # fmt: skip

MACHINES: Final = (PARCEL, BATCH)
