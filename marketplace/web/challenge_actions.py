"""How each step of a challenge is taken over the web: its schema and its use case."""

from collections.abc import Mapping
from typing import Final

from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of
from app.web.schemas import ReasonIn
from marketplace.policy import Permission
from marketplace.queries.challenges import ChallengeView
from marketplace.rules.challenges import HandledBy
from marketplace.services import challenges
from marketplace.states.challenge import CHALLENGE, ChallengeState
from marketplace.states.parts import Part
from marketplace.web.schemas.challenges import AcceptIn, ExtendIn, RejectIn, StateIn, UpholdIn

ACTIONS: Final[Mapping[str, Action]] = {
    "accept": Action(
        challenges.accept,
        AcceptIn,
        explain=N_(
            "The other side gets the complaint and a limit for its statement; the limit of the decision starts."
        ),
        done=N_("The complaint is accepted. Both sides were told."),
    ),
    "decline": Action(
        challenges.decline,
        ReasonIn,
        explain=N_("The challenger reads the reason."),
        done=N_("The complaint was not accepted."),
        danger=True,
    ),
    "uphold": Action(
        challenges.uphold,
        UpholdIn,
        explain=N_("What follows happens at once, with your answer. It cannot be taken back."),
        done=N_("Upheld. Both sides were told, and the summary is public."),
    ),
    "reject": Action(
        challenges.reject,
        RejectIn,
        explain=N_("What stood still runs on from where it stopped."),
        done=N_("Answered. Both sides were told, and the summary is public."),
    ),
    "withdraw": Action(
        challenges.withdraw,
        explain=N_("What stood still runs on. You cannot challenge the same matter again."),
        done=N_("Withdrawn."),
        danger=True,
    ),
    "state": Action(
        challenges.state,
        StateIn,
        label=N_("Add a statement or evidence"),
        explain=N_("Both sides and who decides read it. It cannot be changed afterwards."),
        done=N_("The statement stands in the file."),
    ),
    "step_aside": Action(
        challenges.step_aside,
        ReasonIn,
        label=N_("Step aside"),
        explain=N_("You decide nothing in this matter from then on; somebody else does."),
        done=N_("You stepped aside. Somebody else decides."),
        danger=True,
    ),
    "hand_over": Action(
        challenges.hand_over,
        ReasonIn,
        label=N_("Hand over to the regulator"),
        explain=N_("The regulator decides instead of the operator."),
        done=N_("Handed over to the regulator."),
    ),
    "extend": Action(
        challenges.extend,
        ExtendIn,
        label=N_("Extend the limit"),
        explain=N_("Once, with the reason; both sides are told."),
        done=N_("The limit is extended."),
    ),
    "confirm_receipt": Action(
        challenges.confirm_receipt,
        label=N_("Confirm the receipt of the decision"),
        done=N_("The receipt is confirmed."),
    ),
}


def actions_for(view: ChallengeView, actor: Actor) -> tuple[ActionView, ...]:
    """What this actor may do with this challenge now."""
    href = f"/challenges/{view.id}"
    table = dict(ACTIONS)
    if view.involved is not None:
        table = {
            name: action for name, action in table.items() if name not in {"accept", "decline", "uphold", "reject"}
        }
    found = list(actions_of(CHALLENGE, view.state, view.parts, href=href, table=table, version=view.version))
    found += [
        action_link(href, name, ACTIONS[name], version=view.version, primary=name == "confirm_receipt")
        for name in _further(view, actor)
    ]
    return tuple(found)


def _further(view: ChallengeView, actor: Actor) -> list[str]:
    names = []
    decides = bool(view.parts & {Part.HANDLER, Part.ADDRESSEE})
    official = actor.may(Permission.CHALLENGE_HANDLE)
    if Part.CHALLENGER in view.parts and view.serve_by is not None and view.served_at is None:
        names.append("confirm_receipt")
    if view.is_open and (view.parts & {Part.CHALLENGER, Part.RESPONDENT} or official):
        names.append("state")
    extendable = view.state == ChallengeState.ACCEPTED and view.extended_at is None and not view.is_overdue
    if extendable and Part.HANDLER in view.parts:
        names.append("extend")
    if official and view.is_open and decides:
        if view.involved is None:
            names.append("step_aside")
        if view.handled_by == HandledBy.OPERATOR and Part.OPERATOR in view.parts:
            names.append("hand_over")
    return names
