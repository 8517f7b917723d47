"""Refusals of delivery that more than one use case gives. Pure."""

from app.kernel.errors import Conflict, Refused
from app.kernel.words import N_


def same_person() -> Refused:
    """The second signature or check must come from somebody else."""
    return Refused("second-person-needed", N_("A second person has to do this: you did the first part yourself."))


def seal_taken(seal_no: str) -> Refused:
    """A seal number is used once."""
    return Refused(
        "seal-used", N_("Seal %(seal)s is already on another parcel."), field="seal_no", params={"seal": seal_no}
    )


def not_on_list(code: str) -> Refused:
    """A scanned code is no parcel that can be put on this list."""
    return Refused(
        "unknown-code", N_("No parcel of this hall carries the code %(code)s."), field="code", params={"code": code}
    )


def wrong_turn(number: str, state: str) -> Conflict:
    """A parcel that is not ready for this, with its present state in words."""
    return Conflict(
        "wrong-state",
        N_("Parcel %(number)s cannot be put on a hand-over list now."),
        params={"number": number},
        state=state,
    )


def already_listed(number: str, batch: str) -> Conflict:
    """A parcel stands on one open list at most."""
    return Conflict(
        "already-listed",
        N_("Parcel %(number)s already stands on list %(batch)s."),
        params={"number": number, "batch": batch},
    )
