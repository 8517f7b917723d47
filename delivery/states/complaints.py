"""A receiver's complaint about a delivery: the hall answers within its term, the operator decides what is escalated. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.states.parts import Part


class ComplaintState(StrEnum):
    """States of a complaint."""

    FILED = "filed"
    ANSWERED = "answered"
    ESCALATED = "escalated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


COMPLAINT = Machine(
    name="delivery-complaint",
    states=ComplaintState,
    initial=ComplaintState.FILED,
    transitions=(
        Transition("answer", (ComplaintState.FILED,), ComplaintState.ANSWERED, (Part.HALL, Part.SUPERVISOR), N_("Answer the complaint"), primary=True),
        Transition("withdraw", (ComplaintState.FILED,), ComplaintState.WITHDRAWN, (Part.APPLICANT,), N_("Withdraw the complaint")),
        Transition("accept", (ComplaintState.ANSWERED,), ComplaintState.CLOSED, (Part.APPLICANT,), N_("Accept the answer"), primary=True),
        Transition("escalate", (ComplaintState.ANSWERED,), ComplaintState.ESCALATED, (Part.APPLICANT,), N_("Take it to the operator"), needs_reason=True),
        Transition("overdue", (ComplaintState.FILED,), ComplaintState.ESCALATED, (Part.SYSTEM,), N_("Not answered in time, passed to the operator"), due="reply_due_at"),
        Transition("settle", (ComplaintState.ANSWERED,), ComplaintState.CLOSED, (Part.SYSTEM,), N_("Closed without a further objection"), due="close_at"),
        Transition("decide", (ComplaintState.ESCALATED,), ComplaintState.CLOSED, (Part.OPERATOR,), N_("Decide the complaint"), needs_reason=True, primary=True),
    ),
    labels={
        ComplaintState.FILED: N_("Waiting for the hall's answer"),
        ComplaintState.ANSWERED: N_("Answered by the hall"),
        ComplaintState.ESCALATED: N_("With the operator"),
        ComplaintState.CLOSED: N_("Settled"),
        ComplaintState.WITHDRAWN: N_("Withdrawn"),
    },
    requires={
        ComplaintState.FILED: ("reply_due_at",),
        ComplaintState.ANSWERED: ("answer", "answered_at", "close_at"),
        ComplaintState.ESCALATED: ("escalated_at",),
    },
    next_step={
        ComplaintState.FILED: N_("The hall answers within the term; otherwise the operator takes the complaint."),
        ComplaintState.ANSWERED: N_("Accept the answer, or take the complaint to the operator."),
        ComplaintState.ESCALATED: N_("The operator hears both sides and decides."),
        ComplaintState.CLOSED: N_("Nothing more is to be done."),
        ComplaintState.WITHDRAWN: N_("Nothing more is to be done."),
    },
)  # fmt: skip
