"""States of a challenge: an objection (异议), a query (质疑), a complaint (投诉) or an off-list report (清单外事项举报).

One machine for all four: an objection, a query and an off-list report are answered in one step by their addressee; a complaint
is first accepted or not, then decided by its handler. Which edges a person may take follows from the part, and the parts follow
from the kind (`marketplace.policy.challenge_parts`).
"""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.challenges import ChallengeDecided

from .parts import Part


class ChallengeState(StrEnum):
    """Where a challenge stands."""

    FILED = "filed"  # 已提出
    ACCEPTED = "accepted"  # 已受理
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    UPHELD = "upheld"  # 成立
    REJECTED = "rejected"  # 不成立
    WITHDRAWN = "withdrawn"  # 已撤回
    SETTLED = "settled"  # 终止处理


_C = ChallengeState

CHALLENGE = Machine(
    name="challenge",
    states=ChallengeState,
    initial=_C.FILED,
    transitions=(
        Transition(
            "accept",
            sources=(_C.FILED,),
            target=_C.ACCEPTED,
            who=(Part.HANDLER,),
            label=N_("Accept the complaint"),
            primary=True,
        ),
        Transition(
            "decline",
            sources=(_C.FILED,),
            target=_C.NOT_ACCEPTED,
            who=(Part.HANDLER,),
            label=N_("Do not accept the complaint"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "uphold",
            sources=(_C.FILED,),
            target=_C.UPHELD,
            who=(Part.ADDRESSEE,),
            label=N_("Uphold"),
            event=ChallengeDecided,
            primary=True,
        ),
        Transition(
            "uphold",
            sources=(_C.ACCEPTED,),
            target=_C.UPHELD,
            who=(Part.HANDLER,),
            label=N_("Uphold"),
            event=ChallengeDecided,
            primary=True,
        ),
        Transition(
            "reject",
            sources=(_C.FILED,),
            target=_C.REJECTED,
            who=(Part.ADDRESSEE,),
            label=N_("Answer: not justified"),
            event=ChallengeDecided,
        ),
        Transition(
            "reject",
            sources=(_C.ACCEPTED,),
            target=_C.REJECTED,
            who=(Part.HANDLER,),
            label=N_("Answer: not justified"),
            event=ChallengeDecided,
        ),
        Transition(
            "withdraw",
            sources=(_C.FILED, _C.ACCEPTED),
            target=_C.WITHDRAWN,
            who=(Part.CHALLENGER,),
            label=N_("Withdraw the challenge"),
            danger=True,
        ),
        Transition(
            "settle",
            sources=(_C.FILED, _C.ACCEPTED),
            target=_C.SETTLED,
            who=(Part.SYSTEM,),
            label=N_("Ended: what was challenged no longer stands"),
        ),
    ),
    labels={
        _C.FILED: N_("Waiting for an answer"),
        _C.ACCEPTED: N_("Accepted, being examined"),
        _C.NOT_ACCEPTED: N_("Not accepted"),
        _C.UPHELD: N_("Upheld"),
        _C.REJECTED: N_("Not justified"),
        _C.WITHDRAWN: N_("Challenge withdrawn"),
        _C.SETTLED: N_("Ended without a decision"),
    },
    requires={
        _C.ACCEPTED: ("accepted_at", "answer_by"),
        _C.NOT_ACCEPTED: ("decided_at", "decision"),
        _C.UPHELD: ("decided_at", "decision", "public_summary", "effect"),
        _C.REJECTED: ("decided_at", "decision", "public_summary"),
        _C.WITHDRAWN: ("decided_at",),
        _C.SETTLED: ("decided_at",),
    },
    next_step={
        _C.FILED: N_("Whoever it is addressed to answers within the limit; until then you may withdraw it."),
        _C.ACCEPTED: N_("Both sides put forward their evidence; then the handler decides within the limit."),
        _C.NOT_ACCEPTED: N_("The reasons stand below."),
        _C.UPHELD: N_("The decision and what follows from it stand below."),
        _C.REJECTED: N_("The answer stands below. Whoever is not satisfied may take the next step within its limit."),
        _C.WITHDRAWN: N_("Nothing more to do. The same matter cannot be challenged again by the same challenger."),
        _C.SETTLED: N_("Nothing more to do: what was challenged no longer stands."),
    },
)

OPEN: frozenset[str] = frozenset({_C.FILED, _C.ACCEPTED})
"""Challenges that still wait for somebody."""
