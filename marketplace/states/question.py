"""States of a question (公开问答) that an agency asks about a notice."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_

from .parts import Part


class QuestionState(StrEnum):
    """Where a question stands."""

    ASKED = "asked"  # 待答复
    ANSWERED = "answered"  # 已答复
    TAKEN_BACK = "taken_back"  # 已撤回
    UNANSWERED = "unanswered"  # 逾期未答复
    REMOVED = "removed"  # 已删除


_Q = QuestionState

QUESTION = Machine(
    name="notice_question",
    states=QuestionState,
    initial=_Q.ASKED,
    transitions=(
        Transition(
            "answer",
            sources=(_Q.ASKED,),
            target=_Q.ANSWERED,
            who=(Part.OWNER,),
            label=N_("Answer the question"),
            primary=True,
        ),
        Transition(
            "take_back",
            sources=(_Q.ASKED,),
            target=_Q.TAKEN_BACK,
            who=(Part.AGENCY,),
            label=N_("Take the question back"),
        ),
        Transition(
            "remove",
            sources=(_Q.ASKED, _Q.ANSWERED, _Q.UNANSWERED),
            target=_Q.REMOVED,
            who=(Part.OPERATOR,),
            label=N_("Remove the question"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "lapse",
            sources=(_Q.ASKED,),
            target=_Q.UNANSWERED,
            who=(Part.SYSTEM,),
            label=N_("Not answered before the deadline"),
        ),
    ),
    labels={
        _Q.ASKED: N_("Waiting for an answer"),
        _Q.ANSWERED: N_("Answered"),
        _Q.TAKEN_BACK: N_("Question taken back"),
        _Q.UNANSWERED: N_("Not answered"),
        _Q.REMOVED: N_("Question removed"),
    },
    requires={_Q.ANSWERED: ("answer", "answered_at")},
    next_step={_Q.ASKED: N_("The owner answers; question and answer are public.")},
)

SHOWN: frozenset[str] = frozenset({_Q.ASKED, _Q.ANSWERED, _Q.UNANSWERED})
"""Questions that everybody reads."""
