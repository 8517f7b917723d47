"""States of a proposed change of the rule book: one person proposes, another one decides."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_

from .parts import Part


class RuleChangeState(StrEnum):
    """Where a proposed change stands."""

    PROPOSED = "proposed"  # 待批准
    PUBLISHED = "published"  # 已公布
    REJECTED = "rejected"  # 不予批准
    WITHDRAWN = "withdrawn"  # 已撤回


_S = RuleChangeState

RULE_CHANGE = Machine(
    name="rule_change",
    states=RuleChangeState,
    initial=_S.PROPOSED,
    transitions=(
        Transition(
            "publish",
            sources=(_S.PROPOSED,),
            target=_S.PUBLISHED,
            who=(Part.REGULATOR,),
            label=N_("Publish this rule book"),
            primary=True,
        ),
        Transition(
            "reject",
            sources=(_S.PROPOSED,),
            target=_S.REJECTED,
            who=(Part.REGULATOR,),
            label=N_("Reject the change"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "withdraw",
            sources=(_S.PROPOSED,),
            target=_S.WITHDRAWN,
            who=(Part.PROPOSER,),
            label=N_("Take the proposal back"),
        ),
    ),
    labels={
        _S.PROPOSED: N_("Waiting for the regulator"),
        _S.PUBLISHED: N_("Published"),
        _S.REJECTED: N_("Rejected"),
        _S.WITHDRAWN: N_("Taken back"),
    },
    next_step={
        _S.PROPOSED: N_("Somebody of the regulator, not the person who proposed it, publishes or rejects it."),
        _S.PUBLISHED: N_("In force from its date on. What began under an earlier version ends under that version."),
        _S.REJECTED: N_("The rule book stays as it was."),
        _S.WITHDRAWN: N_("The rule book stays as it was."),
    },
    requires={_S.PUBLISHED: ("version_published", "decided_at"), _S.REJECTED: ("decided_at",)},
)
