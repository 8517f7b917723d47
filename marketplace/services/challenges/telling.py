"""Who is told what about a challenge."""

from typing import Any

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.words import N_
from marketplace.models.challenges import Challenge
from marketplace.rules.challenges import KIND_LABELS, HandledBy


def href(challenge: Challenge) -> str:
    """The page of a challenge."""
    return f"/challenges/{challenge.id}"


def tell_challenger(challenge: Challenge, subject: str, text: str, **params: Any) -> None:
    """Tell the challenger: its organisation, or the person."""
    to_organisation = challenge.challenger_organisation_id
    _tell(
        challenge,
        subject,
        text,
        params,
        to_organisation=to_organisation,
        to_user=None if to_organisation else challenge.filed_by,
    )


def tell_other_side(challenge: Challenge, subject: str, text: str, **params: Any) -> None:
    """Tell the organisation that the challenge is directed against, where it has an account and may know."""
    if challenge.against_organisation_id and challenge.is_known_to_other_side:
        _tell(challenge, subject, text, params, to_organisation=challenge.against_organisation_id)


def tell_deciders(challenge: Challenge, subject: str, text: str, **params: Any) -> None:
    """Tell whoever answers or decides."""
    if challenge.handled_by == HandledBy.OWNER:
        _tell(challenge, subject, text, params, to_organisation=challenge.against_organisation_id)
    else:
        _tell(challenge, subject, text, params, to_role=challenge.handled_by)


def tell_role(challenge: Challenge, role: str, subject: str, text: str, **params: Any) -> None:
    """Tell the holders of a role."""
    _tell(challenge, subject, text, params, to_role=role)


def tell_filed(challenge: Challenge) -> None:
    """The first news of a challenge: to who answers, and a receipt to the challenger."""
    until = challenge.answer_by.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M")
    tell_deciders(
        challenge,
        N_("To be answered: %(number)s"),
        N_("%(kind)s %(number)s was filed. Answer it by %(until)s."),
        until=until,
    )
    tell_challenger(
        challenge,
        N_("Received: %(number)s"),
        N_("Your %(kind)s %(number)s was received. The answer is due by %(until)s."),
        until=until,
    )


def _tell(challenge: Challenge, subject: str, text: str, params: dict[str, Any], **to: Any) -> None:
    facts = {"number": challenge.number, "kind": KIND_LABELS[challenge.kind], **params}
    notify(
        **to,
        kind="challenge.step",
        subject=subject,
        text=text,
        link=href(challenge),
        thread_id=challenge.thread_id,
        params=facts,
    )
