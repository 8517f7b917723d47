"""The way in of two-way courier (双向寄递): an applicant's originals are collected and brought to the hall. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.events import PapersCancelled, PapersReceived
from delivery.states.parts import STAFF, Part


class PapersState(StrEnum):
    """States of a collection order."""

    REQUESTED = "requested"
    BOOKED = "booked"
    RECEIVED = "received"
    SENT_BACK = "sent_back"
    CANCELLED = "cancelled"


PAPERS = Machine(
    name="papers",
    states=PapersState,
    initial=PapersState.REQUESTED,
    transitions=(
        Transition("take_number", (PapersState.REQUESTED,), PapersState.BOOKED, (Part.SYSTEM,), N_("The courier is ordered")),
        Transition("receive", (PapersState.BOOKED,), PapersState.RECEIVED, STAFF, N_("Received at the hall"), event=PapersReceived, primary=True),
        Transition("send_back", (PapersState.RECEIVED,), PapersState.SENT_BACK, (Part.SYSTEM, Part.HALL, Part.SUPERVISOR), N_("Originals given back")),
        Transition(
            "cancel", (PapersState.REQUESTED, PapersState.BOOKED), PapersState.CANCELLED, (Part.APPLICANT, Part.HALL, Part.SUPERVISOR),
            N_("Cancel the collection"), event=PapersCancelled, needs_reason=True, danger=True,
        ),
    ),
    labels={
        PapersState.REQUESTED: N_("Courier being ordered"),
        PapersState.BOOKED: N_("Courier ordered"),
        PapersState.RECEIVED: N_("Received at the hall"),
        PapersState.SENT_BACK: N_("Originals given back"),
        PapersState.CANCELLED: N_("Collection cancelled"),
    },
    requires={
        PapersState.REQUESTED: ("order_no",),
        PapersState.BOOKED: ("order_no", "waybill_no"),
        PapersState.RECEIVED: ("order_no", "waybill_no", "received_at", "received_by"),
    },
    next_step={
        PapersState.REQUESTED: N_("The courier is asked for a time; this repeats by itself until it answers."),
        PapersState.BOOKED: N_("Have the papers ready in the time window; the hall compares them with your list when they arrive."),
        PapersState.RECEIVED: N_("The originals come back together with the result."),
        PapersState.SENT_BACK: N_("Nothing more is to be done."),
        PapersState.CANCELLED: N_("Nothing more is to be done."),
    },
)  # fmt: skip
