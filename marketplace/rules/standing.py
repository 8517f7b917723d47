"""The standing of an admitted agency (在册状态), decided from facts alone, and the step that leads there. Pure.

Source: BUSINESS-RULES 4.1 and the ladder of 2.12. The gravest fact wins; when it ends, the next one shows.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.kernel.words import N_
from marketplace.states.agency import ADMITTED, AgencyState


class MeasureKind(StrEnum):
    """Measures that bear on the standing, the lightest first."""

    RESTRICT = "restrict"
    SUSPEND = "suspend"
    BLACKLIST = "blacklist"
    REMOVE = "remove"


MEASURE_LABELS: Final[dict[MeasureKind, str]] = {
    MeasureKind.RESTRICT: N_("Restricted for a service"),
    MeasureKind.SUSPEND: N_("Suspension"),
    MeasureKind.BLACKLIST: N_("Blacklist"),
    MeasureKind.REMOVE: N_("Removal"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What bears on the standing. `is_limited`: a restriction is in force, or an offer's certificate is gone."""

    is_blacklisted: bool = False
    is_suspended: bool = False
    is_leaving: bool = False
    has_change_pending: bool = False
    is_limited: bool = False


def standing(facts: Facts) -> AgencyState:
    """The state that these facts ask for."""
    if facts.is_blacklisted:
        return AgencyState.BLACKLISTED
    if facts.is_suspended:
        return AgencyState.SUSPENDED
    if facts.is_leaving:
        return AgencyState.EXIT_PENDING
    if facts.has_change_pending:
        return AgencyState.CHANGE_PENDING
    return AgencyState.RESTRICTED if facts.is_limited else AgencyState.ACTIVE


_FROM_ACTIVE: Final = {
    AgencyState.BLACKLISTED: "blacklist",
    AgencyState.SUSPENDED: "suspend",
    AgencyState.EXIT_PENDING: "ask_exit",
    AgencyState.CHANGE_PENDING: "request_change",
    AgencyState.RESTRICTED: "restrict",
}
_TO_ACTIVE: Final = {
    AgencyState.RESTRICTED: "restore",
    AgencyState.SUSPENDED: "restore",
    AgencyState.BLACKLISTED: "restore",
    AgencyState.CHANGE_PENDING: "settle_change",
    AgencyState.EXIT_PENDING: "stay",
}
_DIRECT: Final = {
    AgencyState.BLACKLISTED: ADMITTED,
    AgencyState.SUSPENDED: ADMITTED,
    AgencyState.EXIT_PENDING: {AgencyState.ACTIVE, AgencyState.RESTRICTED, AgencyState.CHANGE_PENDING},
    AgencyState.CHANGE_PENDING: {AgencyState.ACTIVE, AgencyState.RESTRICTED},
    AgencyState.RESTRICTED: {AgencyState.ACTIVE},
}


def next_action(state: str, facts: Facts) -> str | None:
    """The edge to take from `state` towards what `facts` ask for; None when it stands there already.

    At most two edges lead from any admitted state to any other. Raises ValueError for a state outside the directory.
    """
    present = AgencyState(state)
    if present not in ADMITTED:
        raise ValueError(f"{state} is no standing of an admitted agency")
    wanted = standing(facts)
    if present == wanted:
        return None
    if present in _DIRECT.get(wanted, ()):
        return _FROM_ACTIVE[wanted]
    return _TO_ACTIVE[present]
