"""What we decide about a hand-over batch. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.events import BatchTakenOver
from delivery.states.parts import STAFF, Part


class BatchState(StrEnum):
    """States of a hand-over batch."""

    OPEN = "open"
    OFFERED = "offered"
    TAKEN_OVER = "taken_over"
    CANCELLED = "cancelled"


BATCH = Machine(
    name="handover-batch",
    states=BatchState,
    initial=BatchState.OPEN,
    transitions=(
        Transition("offer", (BatchState.OPEN,), BatchState.OFFERED, STAFF, N_("Sign for the hall"), primary=True),
        Transition("reopen", (BatchState.OFFERED,), BatchState.OPEN, STAFF, N_("Change the list"), needs_reason=True),
        Transition(
            "take_over", (BatchState.OFFERED,), BatchState.TAKEN_OVER, (Part.POST, Part.SUPERVISOR), N_("Sign for the courier"),
            event=BatchTakenOver, primary=True,
        ),
        Transition("cancel", (BatchState.OPEN,), BatchState.CANCELLED, STAFF, N_("Drop the list"), needs_reason=True, danger=True),
    ),
    labels={
        BatchState.OPEN: N_("List is being filled"),
        BatchState.OFFERED: N_("Signed by the hall, courier to sign"),
        BatchState.TAKEN_OVER: N_("Handed over"),
        BatchState.CANCELLED: N_("List dropped"),
    },
    requires={
        BatchState.OFFERED: ("offered_by", "offered_at", "offered_count"),
        BatchState.TAKEN_OVER: ("offered_by", "offered_at", "offered_count", "taken_by", "taken_at", "taken_count", "courier_name"),
    },
    next_step={
        BatchState.OPEN: N_("Scan every parcel onto the list, then sign for the hall."),
        BatchState.OFFERED: N_("The courier counts, marks what is missing, and signs."),
        BatchState.TAKEN_OVER: N_("Nothing more is to be done."),
        BatchState.CANCELLED: N_("Nothing more is to be done."),
    },
)  # fmt: skip
