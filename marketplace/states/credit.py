"""States of a measure for a violation (违规处理) and of an application for the repair of credit (信用修复).

Nothing punishes by itself: facts found by the system wait until a person takes them up, another person decides, the side
concerned may appeal within the rule book's days, and a third decision ends it. Measures with a term end by the clock.
"""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.credit import SanctionChanged

from .parts import Part


class SanctionState(StrEnum):
    """Where a measure stands between the finding and its end."""

    FOUND = "found"  # 线索待核
    PROPOSED = "proposed"  # 拟处理(已告知)
    DISMISSED = "dismissed"  # 不予处理
    IN_FORCE = "in_force"  # 执行中
    APPEALED = "appealed"  # 申诉复核中
    ENDED = "ended"  # 期满结束
    REVOKED = "revoked"  # 已撤销
    REPAIRED = "repaired"  # 已修复


class RepairState(StrEnum):
    """Where an application for the repair of credit stands."""

    SUBMITTED = "submitted"  # 待核查
    PUBLICITY = "publicity"  # 公示中
    GRANTED = "granted"  # 准予修复
    REFUSED = "refused"  # 不予修复
    WITHDRAWN = "withdrawn"  # 已撤回


_M = SanctionState
_KEEPERS = (Part.OPERATOR, Part.REGULATOR)

SANCTION = Machine(
    name="sanction",
    states=SanctionState,
    initial=_M.FOUND,
    transitions=(
        Transition(
            "propose",
            sources=(_M.FOUND,),
            target=_M.PROPOSED,
            who=_KEEPERS,
            label=N_("Propose a measure"),
            primary=True,
        ),
        Transition(
            "dismiss",
            sources=(_M.FOUND, _M.PROPOSED),
            target=_M.DISMISSED,
            who=_KEEPERS,
            label=N_("Take no measure"),
            needs_reason=True,
        ),
        Transition(
            "impose",
            sources=(_M.PROPOSED,),
            target=_M.IN_FORCE,
            who=_KEEPERS,
            label=N_("Impose the measure"),
            event=SanctionChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "appeal",
            sources=(_M.IN_FORCE,),
            target=_M.APPEALED,
            who=(Part.PARTY,),
            label=N_("Appeal"),
            needs_reason=True,
            primary=True,
        ),
        Transition(
            "uphold",
            sources=(_M.APPEALED,),
            target=_M.IN_FORCE,
            who=_KEEPERS,
            label=N_("Uphold the measure"),
            needs_reason=True,
            primary=True,
        ),
        Transition(
            "revoke",
            sources=(_M.IN_FORCE, _M.APPEALED),
            target=_M.REVOKED,
            who=_KEEPERS,
            label=N_("Revoke the measure"),
            event=SanctionChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "end",
            sources=(_M.IN_FORCE, _M.APPEALED),
            target=_M.ENDED,
            who=(Part.SYSTEM,),
            label=N_("Term of the measure ended"),
            event=SanctionChanged,
            due="ends_at",
        ),
        Transition(
            "repair",
            sources=(_M.IN_FORCE, _M.ENDED),
            target=_M.REPAIRED,
            who=(Part.SYSTEM,),
            label=N_("Credit repaired"),
            event=SanctionChanged,
        ),
    ),
    labels={
        _M.FOUND: N_("Found in the records"),
        _M.PROPOSED: N_("Measure proposed"),
        _M.DISMISSED: N_("No measure taken"),
        _M.IN_FORCE: N_("Measure in force"),
        _M.APPEALED: N_("Appeal being decided"),
        _M.ENDED: N_("Measure ended"),
        _M.REVOKED: N_("Measure revoked"),
        _M.REPAIRED: N_("Credit repaired"),
    },
    next_step={
        _M.FOUND: N_("A person looks at the evidence and proposes a measure, or takes none."),
        _M.PROPOSED: N_("The side concerned may state its view; a second person decides."),
        _M.DISMISSED: N_("Nothing is left to do."),
        _M.IN_FORCE: N_("It ends with its term. The side concerned may appeal in time and apply for repair later."),
        _M.APPEALED: N_(
            "Somebody who has not decided before decides the appeal; until then the measure stays in force."
        ),
        _M.ENDED: N_("Nothing is left to do; the points taken fade within the year."),
        _M.REVOKED: N_("Nothing is left to do."),
        _M.REPAIRED: N_("Nothing is left to do."),
    },
    requires={
        _M.PROPOSED: ("proposed_by", "proposed_at", "kind"),
        _M.IN_FORCE: ("proposed_by", "decided_by", "decided_at", "starts_on", "kind"),
        _M.APPEALED: ("decided_at", "appealed_at"),
        _M.ENDED: ("decided_at", "ends_at"),
        _M.REVOKED: ("decided_at", "settled_at"),
        _M.REPAIRED: ("decided_at", "settled_at"),
    },
)

_R = RepairState

REPAIR = Machine(
    name="repair",
    states=RepairState,
    initial=_R.SUBMITTED,
    transitions=(
        Transition(
            "publicise",
            sources=(_R.SUBMITTED,),
            target=_R.PUBLICITY,
            who=_KEEPERS,
            label=N_("Conditions met: publicise"),
            primary=True,
        ),
        Transition(
            "grant",
            sources=(_R.PUBLICITY,),
            target=_R.GRANTED,
            who=_KEEPERS,
            label=N_("Grant the repair"),
            needs_reason=True,
            primary=True,
        ),
        Transition(
            "refuse",
            sources=(_R.SUBMITTED, _R.PUBLICITY),
            target=_R.REFUSED,
            who=_KEEPERS,
            label=N_("Refuse the repair"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "withdraw",
            sources=(_R.SUBMITTED, _R.PUBLICITY),
            target=_R.WITHDRAWN,
            who=(Part.PARTY,),
            label=N_("Withdraw the application for repair"),
            danger=True,
        ),
    ),
    labels={
        _R.SUBMITTED: N_("Repair applied for"),
        _R.PUBLICITY: N_("Repair in publicity"),
        _R.GRANTED: N_("Repair granted"),
        _R.REFUSED: N_("Repair refused"),
        _R.WITHDRAWN: N_("Application for repair withdrawn"),
    },
    next_step={
        _R.SUBMITTED: N_("The operator checks the conditions and the evidence."),
        _R.PUBLICITY: N_("Anybody may object until the publicity ends; then a second person decides."),
        _R.GRANTED: N_("Nothing is left to do."),
        _R.REFUSED: N_("A new application can be made after the waiting time."),
        _R.WITHDRAWN: N_("Nothing is left to do."),
    },
    requires={
        _R.PUBLICITY: ("checked_by", "publicity_ends_at"),
        _R.GRANTED: ("checked_by", "decided_by", "decided_at"),
        _R.REFUSED: ("decided_by", "decided_at"),
    },
)
