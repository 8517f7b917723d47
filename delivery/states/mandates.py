"""A letter of authority (委托书) by which a receiver lets a named agent sign. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.states.parts import Part


class LetterState(StrEnum):
    """A letter holds from its grant until it is revoked or its validity ends."""

    GRANTED = "granted"
    REVOKED = "revoked"
    EXPIRED = "expired"


LETTER = Machine(
    name="letter-of-authority",
    states=LetterState,
    initial=LetterState.GRANTED,
    transitions=(
        Transition("revoke", (LetterState.GRANTED,), LetterState.REVOKED, (Part.APPLICANT,), N_("Revoke the letter of authority"), needs_reason=True, danger=True),
        Transition("expire", (LetterState.GRANTED,), LetterState.EXPIRED, (Part.SYSTEM,), N_("Letter of authority expired"), due="valid_until"),
    ),
    labels={
        LetterState.GRANTED: N_("In force"),
        LetterState.REVOKED: N_("Revoked by the applicant"),
        LetterState.EXPIRED: N_("Expired"),
    },
    requires={LetterState.REVOKED: ("ended_at",), LetterState.EXPIRED: ("ended_at",)},
    next_step={
        LetterState.GRANTED: N_("The agent shows the document named here and the pick-up code."),
        LetterState.REVOKED: N_("Nothing more is to be done."),
        LetterState.EXPIRED: N_("Nothing more is to be done."),
    },
)  # fmt: skip
