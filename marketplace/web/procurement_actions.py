"""How each step of a procurement or a registration is taken over the web: its schema and its use case."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of
from app.web.schemas import ReasonIn
from marketplace.policy import Permission
from marketplace.queries.procurements import ProcurementView, QuestionView, RegistrationView, procurement_view
from marketplace.rules.selection.direct import decided_by_regulator
from marketplace.rules.selection.methods import needs_quotes, needs_registration
from marketplace.services import after_contract, awards, procurements, registrations, selection
from marketplace.states.parts import Part
from marketplace.states.procurement import EXTENDABLE, PROCUREMENT, RESUME_ACTIONS, ProcurementState
from marketplace.states.question import QUESTION
from marketplace.states.registration import QUOTING, REGISTRATION, RegistrationState
from marketplace.web.notice_values import notice_values
from marketplace.web.schemas.procurements import AnswerIn, ExtendIn, RegisterIn, ReviseIn
from marketplace.web.schemas.selection import DirectIn


def _present_notice(actor: Actor, procurement_id: UUID) -> Mapping[str, Any]:
    return notice_values(procurement_view(actor, procurement_id))


def _present_deadline(actor: Actor, procurement_id: UUID) -> Mapping[str, Any]:
    return {"version": procurement_view(actor, procurement_id).version}


def _named_agency(actor: Actor, procurement_id: UUID) -> Mapping[str, Any]:
    view = procurement_view(actor, procurement_id)
    return {"version": view.version, "ground": "after_failures" if view.state == ProcurementState.FAILED else ""}


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
    "revise": Action(
        procurements.revise_notice,
        ReviseIn,
        explain=N_(
            "A correction is public at once. A change of what is bought, of the money or of who may apply starts the registration period again."
        ),
        done=N_("The change is handed in."),
        prefill=_present_notice,
    ),
    "publish_revision": Action(
        procurements.publish_revision, done=N_("The changed notice is public; registrants are told.")
    ),
    "refuse_revision": Action(
        procurements.refuse_revision,
        ReasonIn,
        explain=N_("The notice stays as published; the time it stood still is added. The owner sees the reason."),
        done=N_("The change was refused."),
    ),
    "drop_revision": Action(
        procurements.drop_revision, done=N_("The notice stays as published; the time it stood still is added.")
    ),
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
    "request_direct": Action(
        selection.request_direct,
        DirectIn,
        explain=N_("The agency is selected when the request is approved. The ground and the reason are published."),
        done=N_("The direct selection is requested."),
        prefill=_named_agency,
    ),
    "approve_direct": Action(
        selection.approve_direct,
        explain=N_("The named agency is selected and the result is in publicity. You cannot approve your own request."),
        done=N_("The direct selection is approved and the result is in publicity."),
    ),
    "refuse_direct": Action(
        selection.refuse_direct,
        ReasonIn,
        explain=N_("The owner sees the reason and decides how to go on."),
        done=N_("The direct selection was refused."),
        danger=True,
    ),
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

QUESTION_ACTIONS: Final[Mapping[str, Action]] = {
    "answer": Action(procurements.answer_question, AnswerIn, done=N_("The answer is public.")),
    "take_back": Action(procurements.take_question_back, done=N_("The question was taken back.")),
    "remove": Action(
        procurements.remove_question,
        ReasonIn,
        explain=N_("Nobody reads the question any more. Its asker sees the reason."),
        danger=True,
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
    hidden.add("revise")  # the page leads to the wizard instead; the API takes the whole notice at once
    if view.is_extended or view.failure_code not in EXTENDABLE:
        hidden.add("extend")
    is_direct = not needs_registration(view.method)
    if view.state == ProcurementState.FAILED:
        hidden |= set() if view.may_go_direct else {"request_direct"}
    else:
        hidden.add("submit" if is_direct else "request_direct")
    decides = Part.REGULATOR if decided_by_regulator(view.fund_source) else Part.OPERATOR
    if view.state == ProcurementState.DIRECT_REQUEST:
        hidden.add("return")
        if decides not in view.parts:
            hidden |= {"approve_direct", "refuse_direct"}
    if view.succession_proposed_by in {None, actor.user_id}:
        hidden.add("succeed")
    table = {name: action for name, action in ACTIONS.items() if name not in hidden}
    found = list(actions_of(PROCUREMENT, view.state, view.parts, href=href, table=table, version=view.version))
    if view.state == ProcurementState.COMPARING and Part.OWNER in view.parts:
        found.insert(0, _comparison_link(href))
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


def question_actions(question: QuestionView) -> tuple[ActionView, ...]:
    """What this reader may do with a question now."""
    href = f"/questions/{question.id}"
    return actions_of(
        QUESTION, question.state, question.parts, href=href, table=QUESTION_ACTIONS, version=question.version
    )


def may_ask(view: ProcurementView, actor: Actor) -> bool:
    """Whether the form for a question makes sense for this reader: an agency, while questions are taken."""
    closes_at = view.questions_close_at
    in_time = view.state == ProcurementState.PUBLISHED and closes_at is not None and clock.now() <= closes_at
    return in_time and actor.may(Permission.REGISTRATION_CREATE)


def _comparison_link(href: str) -> ActionView:
    return ActionView(
        name="compare",
        label=gettext("Compare and decide"),
        href=f"{href}/compare",
        needs_form=True,
        danger=False,
        primary=True,
        method="get",
    )


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
    open_now = view.procurement_state in {ProcurementState.PUBLISHED, ProcurementState.REVISED}
    table = {name: action for name, action in REGISTRATION_ACTIONS.items() if name != "withdraw" or open_now}
    return actions_of(REGISTRATION, view.state, view.parts, href=href, table=table, version=view.version)
