"""Refusals of delivery that more than one use case gives. Pure."""

from typing import Final

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


def other_seal(scanned: str) -> Refused:
    """The second person holds another envelope than the one that is shown."""
    return Refused(
        "other-seal", N_("Seal %(seal)s is not the one noted for this parcel: take the right envelope, or return it to the packer."),
        field="seal_no", params={"seal": scanned},
    )  # fmt: skip


def not_on_list(code: str, *, suggestions: tuple[str, ...] = (), misread: bool = False) -> Refused:
    """A scanned code is no parcel of this hall; with the codes that it may have meant."""
    facts = {"code": code, "near": "、".join(suggestions)}
    message = N_("No parcel of this hall carries the code %(code)s.")
    if misread and suggestions:
        message = N_(
            "The check digit of %(code)s does not agree: the bar code is damaged or was misread. Did you mean %(near)s?"
        )
    elif misread:
        message = N_(
            "The check digit of %(code)s does not agree: the bar code is damaged or was misread. Scan again, or type the number below the bars."
        )
    elif suggestions:
        message = N_("No parcel of this hall carries the code %(code)s. Did you mean %(near)s?")
    return Refused("unknown-code", message, field="code", params=facts, suggestions=list(suggestions))


def old_label(code: str, present: str) -> Refused:
    """A label of an earlier round is still on the envelope."""
    return Refused(
        "old-label", N_("%(code)s is an old label: this parcel now goes as %(present)s. Remove the old label."), field="code",
        params={"code": code, "present": present}, suggestions=[present],
    )  # fmt: skip


def of_another_hall(code: str, hall: str) -> Refused:
    """A parcel that does not belong here. Named because it lies on this desk and has to go there."""
    return Refused(
        "other-hall", N_("%(code)s belongs to another hall: %(hall)s. Set it aside for the transfer bag."), field="code",
        params={"code": code, "hall": hall},
    )  # fmt: skip


_NOT_NOW: Final = {
    "created": N_("Parcel %(number)s has no contents yet: the certificate is being produced."),
    "ready": N_("Parcel %(number)s is not packed yet."),
    "packed": N_("Parcel %(number)s is packed, but a second person has not checked it yet."),
    "booking": N_("Parcel %(number)s has no waybill number yet; it is being asked for."),
    "handed_over": N_("Parcel %(number)s was handed to the courier already."),
    "delivered": N_("Parcel %(number)s is delivered already."),
    "returned": N_("Parcel %(number)s lies on the returns desk: decide there first."),
    "lost": N_("Parcel %(number)s is noted as lost: tell the supervisor that it is here."),
    "closed": N_("Parcel %(number)s is closed."),
    "cancelled": N_("The delivery of parcel %(number)s was cancelled: give it back to the certificate centre."),
}


def wrong_turn(number: str, state: str) -> Conflict:
    """A parcel that cannot go onto a list now, with the reason."""
    message = _NOT_NOW.get(state, N_("Parcel %(number)s cannot be put on a hand-over list now."))
    return Conflict("wrong-state", message, params={"number": number}, state=state)


def already_listed(number: str, batch: str) -> Conflict:
    """A parcel stands on one open list at most."""
    return Conflict(
        "already-listed",
        N_("Parcel %(number)s already stands on list %(batch)s."),
        params={"number": number, "batch": batch},
    )
