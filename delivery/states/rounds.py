"""What we decide about a courier's round. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.states.parts import Part


class RoundState(StrEnum):
    """States of a courier's round."""

    PLANNED = "planned"
    OUT = "out"
    DONE = "done"
    CANCELLED = "cancelled"


PLANNERS = (Part.POST, Part.SUPERVISOR)

ROUND = Machine(
    name="courier-round",
    states=RoundState,
    initial=RoundState.PLANNED,
    transitions=(
        Transition("set_out", (RoundState.PLANNED,), RoundState.OUT, (Part.COURIER,), N_("Set out"), primary=True),
        Transition("finish", (RoundState.OUT,), RoundState.DONE, (Part.COURIER,), N_("End the round"), primary=True),
        Transition(
            "end_for_courier", (RoundState.OUT,), RoundState.DONE, (Part.SUPERVISOR,), N_("End the round for the courier"),
            needs_reason=True, danger=True,
        ),
        Transition("cancel", (RoundState.PLANNED,), RoundState.CANCELLED, PLANNERS, N_("Drop the round"), needs_reason=True, danger=True),
    ),
    labels={
        RoundState.PLANNED: N_("Round is planned"),
        RoundState.OUT: N_("Courier is out"),
        RoundState.DONE: N_("Round ended"),
        RoundState.CANCELLED: N_("Round dropped"),
    },
    requires={
        RoundState.OUT: ("set_out_at", "storage_key"),
        RoundState.DONE: ("set_out_at", "finished_at"),
    },
    next_step={
        RoundState.PLANNED: N_("The courier opens the round on the handset and sets out."),
        RoundState.OUT: N_("The courier records every stop; records arrive whenever there is a connection."),
        RoundState.DONE: N_("Nothing more is to be done."),
        RoundState.CANCELLED: N_("Nothing more is to be done."),
    },
)  # fmt: skip
