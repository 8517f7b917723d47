"""What happens at the desk of a hall beside the parcels: the day that is closed, the claim against the carrier. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.states.parts import Part


class HallDayState(StrEnum):
    """States of the closing of a hall's day (日终盘点)."""

    COUNTED = "counted"
    SIGNED = "signed"


HALL_DAY = Machine(
    name="hall-day",
    states=HallDayState,
    initial=HallDayState.COUNTED,
    transitions=(
        Transition(
            "sign", (HallDayState.COUNTED,), HallDayState.SIGNED, (Part.SUPERVISOR,), N_("Sign the hall's day"), primary=True
        ),
    ),
    labels={
        HallDayState.COUNTED: N_("Counted, supervisor to sign"),
        HallDayState.SIGNED: N_("Day closed"),
    },
    requires={HallDayState.SIGNED: ("signed_by", "signed_at")},
    next_step={
        HallDayState.COUNTED: N_("A supervisor who did not count compares the shelves and signs."),
        HallDayState.SIGNED: N_("Nothing more is to be done."),
    },
)  # fmt: skip


class ClaimState(StrEnum):
    """States of a claim (索赔) against the carrier."""

    FILED = "filed"
    GRANTED = "granted"
    REFUSED = "refused"
    PAID = "paid"
    WITHDRAWN = "withdrawn"


CLAIM = Machine(
    name="carrier-claim",
    states=ClaimState,
    initial=ClaimState.FILED,
    transitions=(
        Transition("grant", (ClaimState.FILED,), ClaimState.GRANTED, (Part.SUPERVISOR,), N_("The carrier grants it"), primary=True),
        Transition("refuse", (ClaimState.FILED,), ClaimState.REFUSED, (Part.SUPERVISOR,), N_("The carrier refuses it"), needs_reason=True),
        Transition("object", (ClaimState.REFUSED,), ClaimState.FILED, (Part.SUPERVISOR,), N_("Object to the refusal"), needs_reason=True),
        Transition("pay", (ClaimState.GRANTED,), ClaimState.PAID, (Part.SUPERVISOR, Part.SYSTEM), N_("The compensation arrived"), primary=True),
        Transition(
            "withdraw", (ClaimState.FILED,), ClaimState.WITHDRAWN, (Part.SUPERVISOR,), N_("Withdraw the claim"), needs_reason=True, danger=True
        ),
    ),
    labels={
        ClaimState.FILED: N_("The carrier is to answer"),
        ClaimState.GRANTED: N_("Granted, to be paid"),
        ClaimState.REFUSED: N_("Refused by the carrier"),
        ClaimState.PAID: N_("Compensation received"),
        ClaimState.WITHDRAWN: N_("Claim withdrawn"),
    },
    requires={
        ClaimState.GRANTED: ("granted_fen", "answered_at"),
        ClaimState.REFUSED: ("answered_at",),
        ClaimState.PAID: ("granted_fen", "paid_at"),
    },
    next_step={
        ClaimState.FILED: N_("The carrier answers until the day shown; enter its answer here."),
        ClaimState.GRANTED: N_("It is deducted from the next monthly bill, or paid."),
        ClaimState.REFUSED: N_("Accept the refusal, or object to it with the papers."),
        ClaimState.PAID: N_("Nothing more is to be done."),
        ClaimState.WITHDRAWN: N_("Nothing more is to be done."),
    },
)  # fmt: skip
