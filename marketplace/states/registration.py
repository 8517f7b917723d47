"""States of one agency's registration (报名) for one procurement.

A sealed quote is handed in while the agency is registered, and has a row of its own; its opening moves the registration on.
"""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_

from .parts import Part


class RegistrationState(StrEnum):
    """Where a registration stands."""

    REGISTERED = "registered"  # 已报名
    WITHDRAWN = "withdrawn"  # 取消报名
    INELIGIBLE = "ineligible"  # 资格不符
    AVOIDED = "avoided"  # 回避
    QUALIFIED = "qualified"  # 入围
    OPENED = "opened"  # 报价已开启
    SHORTLISTED = "shortlisted"  # 入小名单
    STEPPED_BACK = "stepped_back"  # 冻结后退出
    RESERVE = "reserve"  # 候补
    WON = "won"  # 中选
    LOST = "lost"  # 未中选
    EXCLUDED = "excluded"  # 作废
    CONFIRMED = "confirmed"  # 已确认
    GAVE_UP = "gave_up"  # 放弃中选
    LAPSED = "lapsed"  # 逾期未确认
    STRUCK_OUT = "struck_out"  # 取消中选


_R = RegistrationState
_LISTED = (_R.QUALIFIED, _R.OPENED, _R.SHORTLISTED)
_SYSTEM = (Part.SYSTEM,)

REGISTRATION = Machine(
    name="registration",
    states=RegistrationState,
    initial=_R.REGISTERED,
    transitions=(
        Transition(
            "withdraw",
            sources=(_R.REGISTERED,),
            target=_R.WITHDRAWN,
            who=(Part.AGENCY,),
            label=N_("Withdraw the registration"),
            danger=True,
        ),
        Transition(
            "register_again",
            sources=(_R.WITHDRAWN, _R.INELIGIBLE),
            target=_R.REGISTERED,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Register again"),
            primary=True,
        ),
        Transition(
            "qualify",
            sources=(_R.REGISTERED,),
            target=_R.QUALIFIED,
            who=_SYSTEM,
            label=N_("On the frozen list"),
        ),
        Transition(
            "disqualify",
            sources=(_R.REGISTERED,),
            target=_R.INELIGIBLE,
            who=_SYSTEM,
            label=N_("Not eligible at the deadline"),
        ),
        Transition(
            "avoid",
            sources=(_R.REGISTERED,),
            target=_R.AVOIDED,
            who=_SYSTEM,
            label=N_("Left out: avoidance"),
        ),
        Transition(
            "open",
            sources=(_R.QUALIFIED,),
            target=_R.OPENED,
            who=_SYSTEM,
            label=N_("Quote opened"),
        ),
        Transition(
            "shortlist",
            sources=(_R.QUALIFIED, _R.OPENED),
            target=_R.SHORTLISTED,
            who=_SYSTEM,
            label=N_("On the small list"),
        ),
        Transition(
            "step_back",
            sources=(*_LISTED, _R.RESERVE),
            target=_R.STEPPED_BACK,
            who=(Part.AGENCY,),
            label=N_("Step back from the draw"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "exclude",
            sources=(*_LISTED, _R.RESERVE),
            target=_R.EXCLUDED,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Excluded by rule"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "win",
            sources=(*_LISTED, _R.RESERVE),
            target=_R.WON,
            who=_SYSTEM,
            label=N_("Selected"),
        ),
        Transition(
            "stand_by",
            sources=(*_LISTED, _R.LOST),  # the lost are called back when a signed contract ends before its time
            target=_R.RESERVE,
            who=_SYSTEM,
            label=N_("In reserve"),
        ),
        Transition(
            "lose",
            sources=(_R.REGISTERED, *_LISTED, _R.RESERVE),
            target=_R.LOST,
            who=_SYSTEM,
            label=N_("Not selected"),
        ),
        Transition(
            "confirm",
            sources=(_R.WON,),
            target=_R.CONFIRMED,
            who=(Part.AGENCY,),
            label=N_("Award confirmed"),
        ),
        Transition(
            "give_up",
            sources=(_R.WON,),
            target=_R.GAVE_UP,
            who=(Part.AGENCY,),
            label=N_("Award given up"),
            needs_reason=True,
        ),
        Transition(
            "lapse",
            sources=(_R.WON,),
            target=_R.LAPSED,
            who=_SYSTEM,
            label=N_("Not confirmed in time"),
        ),
        Transition(
            "strike_out",
            sources=(_R.WON, _R.CONFIRMED),
            target=_R.STRUCK_OUT,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Award taken back"),
            needs_reason=True,
        ),
    ),
    labels={
        _R.REGISTERED: N_("Agency registered"),
        _R.WITHDRAWN: N_("Registration withdrawn"),
        _R.INELIGIBLE: N_("Not eligible"),
        _R.AVOIDED: N_("Avoidance"),
        _R.QUALIFIED: N_("On the frozen list"),
        _R.OPENED: N_("Quote opened"),
        _R.SHORTLISTED: N_("On the small list"),
        _R.STEPPED_BACK: N_("Stepped back"),
        _R.RESERVE: N_("In reserve"),
        _R.WON: N_("Selected"),
        _R.LOST: N_("Not selected"),
        _R.EXCLUDED: N_("Excluded"),
        _R.CONFIRMED: N_("Award confirmed"),
        _R.GAVE_UP: N_("Award given up"),
        _R.LAPSED: N_("Award lapsed"),
        _R.STRUCK_OUT: N_("Award taken back"),
    },
    next_step={
        _R.REGISTERED: N_("Eligibility is checked again at the deadline."),
        _R.WITHDRAWN: N_("You may register again until the deadline."),
        _R.QUALIFIED: N_("Wait for the selection."),
        _R.OPENED: N_("Wait for the selection."),
        _R.SHORTLISTED: N_("The owner chooses from the small list."),
        _R.RESERVE: N_("You move up when the winner drops out."),
        _R.WON: N_("Confirm the award when the publicity of the result has ended."),
        _R.CONFIRMED: N_("Sign the contract."),
    },
    requires={},
)

STRUCK: frozenset[str] = frozenset({_R.STEPPED_BACK, _R.EXCLUDED, _R.GAVE_UP, _R.LAPSED, _R.STRUCK_OUT})
"""Registrations that stand on a frozen list and are skipped by its ranking."""

OPEN: frozenset[str] = frozenset({_R.REGISTERED, *_LISTED, _R.RESERVE, _R.WON, _R.CONFIRMED})
"""Registrations that still take part."""

ON_LIST: frozenset[str] = STRUCK | {*_LISTED, _R.RESERVE, _R.WON, _R.CONFIRMED, _R.LOST}
"""Registrations that stand on the frozen list."""

WAITING: frozenset[str] = frozenset(_LISTED)
"""Registrations on the frozen list about which nothing is decided yet."""

QUOTING: frozenset[str] = WAITING | {_R.REGISTERED}
"""Registrations that may hand in a sealed quote while a round takes them."""
