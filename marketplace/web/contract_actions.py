"""How each step of a contract is taken over the web: its schema and its use case."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of
from app.web.schemas import ReasonIn
from marketplace.policy import side_of
from marketplace.queries.contracts import ContractView, contract_view
from marketplace.rules.milestones import MilestonePlan, write_milestones
from marketplace.services import contracts, reviews
from marketplace.states.contract import CLOCK_RUNS, CONTRACT
from marketplace.states.contract import ContractState as S
from marketplace.states.parts import Part
from marketplace.web.schemas.contracts import (
    AcceptIn,
    AskExtensionIn,
    AskPauseIn,
    ConfirmPauseIn,
    DeliverIn,
    EndNoticeIn,
    MediateIn,
    NotifyBreachIn,
    OpenDisputeIn,
    ProposeSettlementIn,
    ProposeTerminationIn,
    PutForwardIn,
    ReasonedIn,
    SignIn,
)
from marketplace.web.schemas.reviews import RateIn


def _shown_document(actor: Actor, contract_id: UUID) -> Mapping[str, Any]:
    return {"document_sha256": contract_view(actor, contract_id).document_sha256}


def _present_terms(actor: Actor, contract_id: UUID) -> Mapping[str, Any]:
    view = contract_view(actor, contract_id)
    plan = [MilestonePlan(one.title, one.share, one.acceptance) for one in view.milestones]
    return {**view.terms, "pay_days": view.pay_days, "milestones": write_milestones(plan), "version": view.version}


_EXTENSION = N_("If the other side agrees, the last day moves by these working days.")
_ENDING = N_("If the other side agrees, the contract ends. Unpaid bills are withdrawn and held money goes back.")

ACTIONS: Mapping[str, Action] = {
    "put_forward": Action(
        contracts.put_forward,
        PutForwardIn,
        done=N_("The text waits for the agency's signature."),
        prefill=_present_terms,
    ),
    "redraft": Action(contracts.redraft, done=N_("You can change the open fields now.")),
    "ask_changes": Action(
        contracts.ask_changes,
        ReasonIn,
        explain=N_("The owner can change only the fields that the template leaves open."),
        done=N_("The owner has been asked."),
    ),
    "sign": Action(contracts.sign, SignIn, done=N_("The contract is signed."), prefill=_shown_document),
    "leave_unsigned": Action(
        contracts.leave_unsigned,
        ReasonedIn,
        explain=N_("Possible once the time to sign is over. The next agency of the ranking is asked."),
        danger=True,
    ),
    "ask_pause": Action(contracts.ask_pause, AskPauseIn, done=N_("The other side has been asked.")),
    "confirm_pause": Action(contracts.confirm_pause, ConfirmPauseIn, done=N_("The clock is paused.")),
    "refuse_pause": Action(contracts.refuse_pause, ReasonedIn, done=N_("The pause is refused.")),
    "resume": Action(contracts.resume, ReasonedIn, done=N_("The clock runs on.")),
    "ask_extension": Action(
        contracts.ask_extension, AskExtensionIn, explain=_EXTENSION, done=N_("The other side has been asked.")
    ),
    "approve_extension": Action(contracts.approve_extension, done=N_("The extension is granted.")),
    "refuse_extension": Action(contracts.refuse_extension, ReasonedIn, done=N_("The extension is refused.")),
    "propose_termination": Action(
        contracts.propose_termination,
        ProposeTerminationIn,
        explain=_ENDING,
        done=N_("The other side has been asked."),
        danger=True,
    ),
    "agree_termination": Action(
        contracts.agree_termination,
        explain=N_("The contract ends at once. Unpaid bills are withdrawn and held money goes back."),
        done=N_("The contract has ended."),
        danger=True,
    ),
    "refuse_termination": Action(contracts.refuse_termination, ReasonedIn, done=N_("The contract goes on.")),
    "deliver": Action(contracts.deliver, DeliverIn, done=N_("The deliverable is handed in. The owner has been told.")),
    "accept": Action(
        contracts.accept,
        AcceptIn,
        done=N_("The deliverable is accepted."),
        explain=N_("The fee of this milestone is paid out to the agency as soon as it is there."),
    ),
    "return_deliverable": Action(contracts.return_deliverable, ReasonedIn, done=N_("The deliverable is returned.")),
    "open_dispute": Action(
        contracts.open_dispute,
        OpenDisputeIn,
        explain=N_("Acceptance and the clock stand still until the dispute is settled."),
        done=N_("The dispute is declared. Propose a settlement."),
        danger=True,
    ),
    "propose_settlement": Action(
        contracts.propose_settlement,
        ProposeSettlementIn,
        label=N_("Propose a settlement"),
        explain=N_("The other side may agree, or propose something else."),
        done=N_("The other side has been asked."),
    ),
    "agree_settlement": Action(
        contracts.agree_settlement,
        label=N_("Agree to the settlement"),
        explain=N_("The proposed settlement is carried out at once."),
        done=N_("The dispute is settled."),
    ),
    "mediate": Action(
        contracts.mediate,
        MediateIn,
        label=N_("Record the mediation"),
        explain=N_("Both sides read the record; it is carried out at once."),
        done=N_("The dispute is settled."),
    ),
    "notify_breach": Action(
        contracts.notify_breach,
        NotifyBreachIn,
        label=N_("Give notice of a breach"),
        explain=N_("The other side gets time to mend it. After that you may end the contract."),
        done=N_("The notice is sent."),
        danger=True,
    ),
    "end_notice": Action(contracts.end_notice, EndNoticeIn, label=N_("End my notice of breach")),
    "terminate_for_breach": Action(
        contracts.terminate_for_breach,
        ReasonedIn,
        explain=N_("The contract ends at once. Unpaid bills are withdrawn and held money goes back."),
        done=N_("The contract has ended."),
        danger=True,
    ),
    "rate": Action(
        reviews.rate,
        RateIn,
        done=N_("Thank you. The rating is shown when the agency has rated too, or when the time is over."),
    ),
    "terminate": Action(contracts.terminate, ReasonedIn, done=N_("The contract is terminated."), danger=True),
}

_IN_FORCE = frozenset({*CLOCK_RUNS, S.PAUSED, S.DELIVERED, S.DISPUTE, S.ACCEPTED, S.RATED})


def actions_for(view: ContractView) -> tuple[ActionView, ...]:
    """What this reader may do with the contract now: its edges whose conditions hold, and the steps beside the machine."""
    href = f"/contracts/{view.id}"
    side = side_of(view.parts)
    own = [one for one in view.notices if one.sent_by == side and one.ended_at is None]
    hidden = set()
    if not any(clock.now() > one.cure_by for one in own):
        hidden.add("terminate_for_breach")
    if clock.now() <= view.sign_by:
        hidden.add("leave_unsigned")
    if not view.template.open_fields:
        hidden |= {"redraft", "ask_changes"}
    table = {name: action for name, action in ACTIONS.items() if name not in hidden}
    found = list(actions_of(CONTRACT, view.state, view.parts, href=href, table=table, version=view.version))

    def offer(name: str, *, primary: bool = False) -> None:
        found.append(action_link(href, name, ACTIONS[name], primary=primary, version=view.version))

    if view.state == S.DISPUTE:
        if Part.COUNTERPARTY in view.parts:
            offer("agree_settlement", primary=True)
        if side is not None:
            offer("propose_settlement", primary=Part.COUNTERPARTY not in view.parts)
        if Part.OPERATOR in view.parts:
            offer("mediate", primary=True)
    if side is not None and own:
        offer("end_notice")
    elif side is not None and view.state in _IN_FORCE:
        offer("notify_breach")
    return tuple(found)
