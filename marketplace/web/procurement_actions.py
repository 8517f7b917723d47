"""How each step of a procurement or a registration is taken over the web: its schema and its use case."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext

from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of
from app.web.schemas import ReasonIn
from marketplace.policy import Permission
from marketplace.queries.procurements import ProcurementView, RegistrationView, procurement_view
from marketplace.rules.selection.methods import needs_quotes
from marketplace.services import after_contract, awards, procurements, registrations, selection
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, RESUME_ACTIONS, ProcurementState
from marketplace.states.registration import QUOTING, REGISTRATION, RegistrationState
from marketplace.web.schemas.procurements import ExtendIn, RegisterIn


def _present_deadline(actor: Actor, procurement_id: UUID) -> Mapping[str, Any]:
    return {"version": procurement_view(actor, procurement_id).version}


ACTIONS: Final[Mapping[str, Action]] = {
    "submit": Action(procurements.submit_notice, done=N_("The notice is submitted.")),
    "take_back": Action(procurements.take_back, done=N_("The notice is a draft again.")),
    "return": Action(
        procurements.return_notice,
        ReasonIn,
        explain=N_("The owner sees the reason and corrects the notice."),
        done=N_("The notice was returned to its owner."),
    ),
    "publish": Action(procurements.publish_notice, done=N_("The notice is public; matching agencies are told.")),
    "discard": Action(procurements.discard_draft, ReasonIn, danger=True),
    "withdraw": Action(
        procurements.withdraw_notice,
        ReasonIn,
        explain=N_("Registered agencies are told, and everybody can read the reason."),
        done=N_("The notice was withdrawn."),
        danger=True,
    ),
    "void": Action(
        procurements.void_procurement,
        ReasonIn,
        explain=N_("The procurement ends here. Everybody can read the reason."),
        danger=True,
    ),
    "pause": Action(
        procurements.pause_procurement,
        ReasonIn,
        explain=N_("Every period stands still until you decide the challenge."),
    ),
    **{action: Action(procurements.resume_procurement, ReasonIn) for action in RESUME_ACTIONS.values()},
    "select_again": Action(
        after_contract.select_again,
        explain=N_("The next agency of the published ranking is proposed; without one the procurement fails."),
        done=N_("Another agency is looked for."),
    ),
    "close_ended": Action(
        after_contract.close_ended,
        explain=N_("Nothing more can be done in this procurement afterwards."),
        done=N_("The file is closed."),
    ),
    "extend": Action(
        procurements.extend_registration,
        ExtendIn,
        explain=N_("Those who registered stay registered. A registration can be extended once."),
        done=N_("Registration is open again."),
        prefill=_present_deadline,
    ),
    "republish": Action(procurements.republish, done=N_("The draft of the new round is ready.")),
    "cancel": Action(procurements.cancel_procurement, ReasonIn, danger=True),
    "abandon_draw": Action(selection.abandon_draw, ReasonIn, danger=True),
    "confirm": Action(awards.confirm_award, done=N_("The award is confirmed; the contract is ready to be signed.")),
    "give_up": Action(
        awards.give_up_award,
        ReasonIn,
        explain=N_("The next of the ranking takes your place. Given-up awards are counted."),
        done=N_("The award was given up."),
        danger=True,
    ),
    "strike_out": Action(
        awards.strike_out_winner,
        ReasonIn,
        explain=N_("The next of the ranking follows. Everybody can read the reason."),
        danger=True,
    ),
    "succeed": Action(
        awards.approve_succession,
        ReasonIn,
        explain=N_(
            "A second person approves. There is no choice in whom: the next of the published ranking is selected."
        ),
        done=N_("The succession is approved and the result is in publicity."),
    ),
    "propose_succession": Action(
        awards.propose_succession,
        label=N_("Propose the succession"),
        done=N_("Proposed. A second person must approve it."),
    ),
    "register": Action(
        registrations.register, RegisterIn, label=N_("Register for this notice"), done=N_("Your agency is registered.")
    ),
}

REGISTRATION_ACTIONS: Final[Mapping[str, Action]] = {
    "withdraw": Action(registrations.withdraw_registration, done=N_("The registration was withdrawn.")),
    "step_back": Action(
        registrations.step_back,
        ReasonIn,
        explain=N_("Your entry stays in the published file and is skipped. The order of the others does not change."),
        danger=True,
    ),
}


def actions_for(view: ProcurementView, actor: Actor) -> tuple[ActionView, ...]:
    """What this actor may do with this procurement now, the registration and the two-person steps included."""
    href = f"/procurements/{view.id}"
    hidden = set(RESUME_ACTIONS.values()) - {RESUME_ACTIONS.get(view.paused_from or "")}
    if view.is_extended:
        hidden.add("extend")
    if view.succession_proposed_by in {None, actor.user_id}:
        hidden.add("succeed")
    table = {name: action for name, action in ACTIONS.items() if name not in hidden}
    found = list(actions_of(PROCUREMENT, view.state, view.parts, href=href, table=table, version=view.version))
    if needs_quotes(view.method):
        found[:0] = _quoting_links(view, actor, href)
    elif may_register(view):
        found.insert(0, action_link(href, "register", ACTIONS["register"], primary=True, version=view.version))
    waiting = view.state == ProcurementState.RESELECT and view.succession_proposed_by is None
    if waiting and actor.may(Permission.PROCUREMENT_SUCCESSION):
        found.insert(
            0,
            action_link(href, "propose_succession", ACTIONS["propose_succession"], primary=True, version=view.version),
        )
    return tuple(found)


def _quoting_links(view: ProcurementView, actor: Actor, href: str) -> list[ActionView]:
    """Where a method asks for sealed quotes: registering is quoting, and the opening has its own page."""

    def link(name: str, label: str, *, primary: bool) -> ActionView:
        return ActionView(name, gettext(label), f"{href}/{name}", needs_form=True, danger=False, primary=primary)

    takes_part = view.own_registration is not None and view.own_registration.state in QUOTING
    takes_quotes = view.is_open or view.state == ProcurementState.BIDDING
    found = []
    if may_register(view):
        found.append(link("quote", N_("Register and quote"), primary=True))
    elif takes_part and takes_quotes:
        found.append(link("quote", N_("Quote"), primary=True))
    if view.state == ProcurementState.OPENING and actor.may(Permission.KEY_HOLD):
        found.append(link("opening", N_("Give your share of the key"), primary=True))
    elif view.published_at is not None:
        found.append(link("opening", N_("Sealed quotes"), primary=False))
    return found


def may_register(view: ProcurementView) -> bool:
    """Whether the button *Register* makes sense for this reader: open, eligible, and not registered."""
    own = view.own_registration
    free = own is None or own.state in {RegistrationState.WITHDRAWN, RegistrationState.INELIGIBLE}
    return view.is_open and view.own_verdict is not None and view.own_verdict.is_eligible and free


def registration_actions(view: RegistrationView) -> tuple[ActionView, ...]:
    """What this actor may do with a registration now."""
    if Part.AGENCY not in view.parts:
        return ()
    href = f"/registrations/{view.id}"
    open_now = view.procurement_state == ProcurementState.PUBLISHED
    table = {name: action for name, action in REGISTRATION_ACTIONS.items() if name != "withdraw" or open_now}
    return actions_of(REGISTRATION, view.state, view.parts, href=href, table=table, version=view.version)
