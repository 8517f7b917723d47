"""What *we* decide about a parcel. What the carrier reports is `delivery.observed`. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.events import (
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
from delivery.states.parts import STAFF, Part


class ParcelState(StrEnum):
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
    MERGED = "merged"


PARCEL = Machine(
    name="parcel",
    states=ParcelState,
    initial=ParcelState.CREATED,
    transitions=(
        Transition(
            "contents_ready", (ParcelState.CREATED,), ParcelState.READY, (Part.SYSTEM, Part.HALL), N_("Contents are ready"), primary=True
        ),
        Transition("pack", (ParcelState.READY,), ParcelState.PACKED, STAFF, N_("Pack"), primary=True),
        Transition("return_to_packer", (ParcelState.PACKED,), ParcelState.READY, STAFF, N_("Return to the packer"), needs_reason=True),
        Transition(
            "check", (ParcelState.PACKED,), ParcelState.BOOKING, STAFF, N_("Confirm the packing"), event=ParcelChecked, primary=True
        ),
        Transition(
            "take_number", (ParcelState.BOOKING,), ParcelState.WAYBILLED, (Part.SYSTEM,), N_("Waybill number received"), event=WaybillTaken
        ),
        Transition(
            "enter_number", (ParcelState.BOOKING,), ParcelState.WAYBILLED, (Part.SUPERVISOR,), N_("Enter the waybill number"),
            event=WaybillTaken,
        ),
        Transition(
            "unbook", (ParcelState.BOOKING,), ParcelState.READY, (Part.SUPERVISOR,), N_("Stop and pack again"), needs_reason=True, danger=True
        ),
        Transition(
            "void_waybill", (ParcelState.WAYBILLED,), ParcelState.READY, (Part.SUPERVISOR,), N_("Give the waybill up"), event=WaybillVoided,
            needs_reason=True, danger=True,
        ),
        Transition(
            "hand_over", (ParcelState.WAYBILLED,), ParcelState.HANDED_OVER, (Part.POST, Part.SUPERVISOR), N_("Handed over to the courier"),
            event=ParcelHandedOver,
        ),
        Transition(
            "deliver", (ParcelState.HANDED_OVER,), ParcelState.DELIVERED, (Part.SYSTEM,), N_("Delivered"), event=ParcelDelivered
        ),
        Transition(
            "confirm_delivery", (ParcelState.HANDED_OVER,), ParcelState.DELIVERED, (Part.SUPERVISOR, Part.HALL), N_("Count as delivered"),
            event=ParcelDelivered, needs_reason=True,
        ),
        Transition(
            "revoke", (ParcelState.DELIVERED, ParcelState.CLOSED), ParcelState.HANDED_OVER, (Part.SYSTEM,), N_("Delivery taken back by the carrier"),
            event=ParcelDeliveryRevoked,
        ),
        Transition("confirm_receipt", (ParcelState.DELIVERED,), ParcelState.CLOSED, (Part.APPLICANT,), N_("I have received it"), primary=True),
        Transition(
            "close", (ParcelState.DELIVERED,), ParcelState.CLOSED, (Part.SYSTEM,), N_("Closed without an objection"), due="close_at"
        ),
        Transition(
            "take_back", (ParcelState.HANDED_OVER,), ParcelState.RETURNED, STAFF, N_("Received back at the hall"), event=ParcelReturned,
        ),
        Transition(
            "to_centre", (ParcelState.RETURNED,), ParcelState.CREATED, STAFF, N_("Back to the certificate centre"), needs_reason=True,
        ),
        Transition(
            "lose_in_hall", (ParcelState.WAYBILLED, ParcelState.RETURNED), ParcelState.LOST, (Part.SUPERVISOR,), N_("Lost in the hall"),
            event=ParcelLost, needs_reason=True, danger=True,
        ),
        Transition("resend", (ParcelState.RETURNED,), ParcelState.READY, STAFF, N_("Send again"), needs_reason=True, primary=True),
        Transition("window_pickup", (ParcelState.RETURNED,), ParcelState.CLOSED, (Part.HALL, Part.SUPERVISOR), N_("Collected at the window"), needs_reason=True),
        Transition("lose", (ParcelState.HANDED_OVER,), ParcelState.LOST, (Part.SYSTEM,), N_("Lost by the carrier"), event=ParcelLost),
        Transition("settle_loss", (ParcelState.LOST,), ParcelState.CLOSED, (Part.SUPERVISOR,), N_("Close after reissue and claim"), needs_reason=True),
        Transition(
            "rebook", (ParcelState.WAYBILLED,), ParcelState.BOOKING, (Part.SYSTEM,), N_("Address changed, new waybill ordered"),
            event=WaybillVoided, needs_reason=True,
        ),
        Transition("merge", (ParcelState.READY,), ParcelState.MERGED, (*STAFF, Part.APPLICANT), N_("Put into another parcel")),
        Transition("split", (ParcelState.MERGED,), ParcelState.READY, (Part.SYSTEM, *STAFF, Part.APPLICANT), N_("Take out again")),
        Transition("close_along", (ParcelState.MERGED,), ParcelState.CLOSED, (Part.SYSTEM,), N_("Closed with its parcel")),
        Transition("lose_along", (ParcelState.MERGED,), ParcelState.LOST, (Part.SYSTEM,), N_("Lost with its parcel"), event=ParcelLost),
        Transition(
            "cancel", (ParcelState.CREATED, ParcelState.READY), ParcelState.CANCELLED, (Part.SYSTEM, Part.HALL, Part.SUPERVISOR), N_("Cancel the delivery"),
            event=ParcelCancelled, needs_reason=True, danger=True,
        ),
    ),
    labels={
        ParcelState.CREATED: N_("Waiting for the certificate"),
        ParcelState.READY: N_("To be packed"),
        ParcelState.PACKED: N_("Packed, second person to check"),
        ParcelState.BOOKING: N_("Waiting for a waybill number"),
        ParcelState.WAYBILLED: N_("To be handed over"),
        ParcelState.HANDED_OVER: N_("With the courier"),
        ParcelState.DELIVERED: N_("Delivered"),
        ParcelState.RETURNED: N_("Back at the hall"),
        ParcelState.LOST: N_("Lost"),
        ParcelState.CLOSED: N_("Closed"),
        ParcelState.CANCELLED: N_("Delivery cancelled"),
        ParcelState.MERGED: N_("Travels in another parcel"),
    },
    requires={
        ParcelState.PACKED: ("packed_by", "seal_no"),
        ParcelState.BOOKING: ("packed_by", "checked_by", "seal_no", "order_no"),
        ParcelState.WAYBILLED: ("waybill_no", "order_no"),
        ParcelState.HANDED_OVER: ("waybill_no", "handed_over_at"),
        ParcelState.DELIVERED: ("waybill_no", "delivered_at"),
        ParcelState.MERGED: ("merged_into_id",),
    },
    next_step={
        ParcelState.CREATED: N_("The certificate is being produced."),
        ParcelState.READY: N_("The hall packs the contents and notes the seal number."),
        ParcelState.PACKED: N_("A second person compares contents, receiver and seal."),
        ParcelState.BOOKING: N_("The waybill number is asked from the carrier; this repeats by itself until it answers."),
        ParcelState.WAYBILLED: N_("Print the label and put the parcel on a hand-over list."),
        ParcelState.HANDED_OVER: N_("The carrier brings it to the receiver."),
        ParcelState.DELIVERED: N_("The receiver confirms; without an objection this closes by itself."),
        ParcelState.RETURNED: N_("Tell the receiver, then send again or keep it for collection at the window."),
        ParcelState.LOST: N_("Reissue the contents and claim the loss."),
        ParcelState.CLOSED: N_("Nothing more is to be done."),
        ParcelState.CANCELLED: N_("Nothing more is to be done."),
        ParcelState.MERGED: N_("Follow the parcel that it travels in."),
    },
)  # fmt: skip
