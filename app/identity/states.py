"""What may happen to a person's account and to a membership. Pure."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_


class Part(StrEnum):
    """What an actor is towards an account or a membership."""

    ADMINISTRATOR = "administrator"
    ORGANISATION_ADMINISTRATOR = "organisation-administrator"
    SELF = "self"
    SYSTEM = "system"


class UserState(StrEnum):
    """States of an account."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class MembershipState(StrEnum):
    """States of a person's place in an organisation."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"
    ENDED = "ended"


USER = Machine(
    name="user",
    states=UserState,
    initial=UserState.ACTIVE,
    labels={UserState.ACTIVE: N_("Active"), UserState.SUSPENDED: N_("Account suspended")},
    transitions=(
        Transition(
            "suspend",
            sources=(UserState.ACTIVE,),
            target=UserState.SUSPENDED,
            who=(Part.ADMINISTRATOR,),
            label=N_("Suspend the account"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "reinstate",
            sources=(UserState.SUSPENDED,),
            target=UserState.ACTIVE,
            who=(Part.ADMINISTRATOR,),
            label=N_("Reinstate the account"),
            needs_reason=True,
        ),
    ),
)

MEMBERSHIP = Machine(
    name="membership",
    states=MembershipState,
    initial=MembershipState.REQUESTED,
    labels={
        MembershipState.REQUESTED: N_("Waiting for admission"),
        MembershipState.ACTIVE: N_("Active"),
        MembershipState.REFUSED: N_("Refused"),
        MembershipState.ENDED: N_("Ended"),
    },
    next_step={MembershipState.REQUESTED: N_("An administrator of the organisation decides on the request.")},
    transitions=(
        Transition(
            "approve",
            sources=(MembershipState.REQUESTED,),
            target=MembershipState.ACTIVE,
            who=(Part.ORGANISATION_ADMINISTRATOR, Part.ADMINISTRATOR),
            label=N_("Admit the member"),
            primary=True,
        ),
        Transition(
            "refuse",
            sources=(MembershipState.REQUESTED,),
            target=MembershipState.REFUSED,
            who=(Part.ORGANISATION_ADMINISTRATOR, Part.ADMINISTRATOR),
            label=N_("Refuse the request"),
            needs_reason=True,
        ),
        Transition(
            "end",
            sources=(MembershipState.ACTIVE,),
            target=MembershipState.ENDED,
            who=(Part.ORGANISATION_ADMINISTRATOR, Part.ADMINISTRATOR, Part.SELF),
            label=N_("End the membership"),
            needs_reason=True,
            danger=True,
        ),
    ),
)

MACHINES = (USER, MEMBERSHIP)
