"""States of a contract and its performance (合同·履约).

The agency signs first and the owner last: the owner's signature is what starts the working-day clock. A question for
a pause, an extension or an end by agreement is a state of its own, because it is then the other side's turn; the clock
runs on until it is answered. A dispute freezes acceptance and the clock until both sides or the operator settle it.
"""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.contracts import ContractClosed, ContractSigned, ContractTerminated, DeliverableAccepted

from .parts import Part


class ContractState(StrEnum):
    """Where a contract stands between the award and its end."""

    TO_DRAFT = "to_draft"  # 待拟
    TO_SIGN_AGENCY = "to_sign_agency"  # 待机构签署
    TO_SIGN_OWNER = "to_sign_owner"  # 待业主签署
    RUNNING = "running"  # 服务中
    PAUSE_ASKED = "pause_asked"  # 暂停待确认
    PAUSED = "paused"  # 暂停计时
    EXTENSION_ASKED = "extension_asked"  # 申请延期
    TERMINATION_ASKED = "termination_asked"  # 协商解除
    DELIVERED = "delivered"  # 成果已提交
    DISPUTE = "dispute"  # 争议
    ACCEPTED = "accepted"  # 已验收
    RATED = "rated"  # 已评价
    CLOSED = "closed"  # 办结
    TERMINATED = "terminated"  # 解除


_C = ContractState
CLOCK_RUNS = (_C.RUNNING, _C.PAUSE_ASKED, _C.EXTENSION_ASKED, _C.TERMINATION_ASKED)
"""States in which the working-day clock counts."""

QUESTIONS = (_C.PAUSE_ASKED, _C.EXTENSION_ASKED, _C.TERMINATION_ASKED)
"""States in which one side has asked and the other has to answer by `answer_by`."""

UNSIGNED = (_C.TO_DRAFT, _C.TO_SIGN_AGENCY, _C.TO_SIGN_OWNER)
SIDES = (Part.OWNER, Part.AGENCY)

CONTRACT = Machine(
    name="contract",
    states=ContractState,
    initial=_C.TO_DRAFT,
    labels={
        _C.TO_DRAFT: N_("Text to be filled in"),
        _C.TO_SIGN_AGENCY: N_("To be signed by the agency"),
        _C.TO_SIGN_OWNER: N_("To be signed by the owner"),
        _C.RUNNING: N_("In service"),
        _C.PAUSE_ASKED: N_("Pause to be confirmed"),
        _C.PAUSED: N_("Clock paused"),
        _C.EXTENSION_ASKED: N_("Extension to be decided"),
        _C.TERMINATION_ASKED: N_("End by agreement proposed"),
        _C.DELIVERED: N_("Deliverable handed in"),
        _C.DISPUTE: N_("In dispute"),
        _C.ACCEPTED: N_("Deliverable accepted"),
        _C.RATED: N_("Service rated"),
        _C.CLOSED: N_("Contract closed"),
        _C.TERMINATED: N_("Contract terminated"),
    },
    next_step={
        _C.TO_DRAFT: N_("The owner fills in the fields that the template leaves open and puts the text forward."),
        _C.TO_SIGN_AGENCY: N_("The agency reads the contract and signs it."),
        _C.TO_SIGN_OWNER: N_("The owner reads the contract and signs it; the clock starts with this signature."),
        _C.RUNNING: N_("The agency does the work and hands in the deliverable."),
        _C.PAUSE_ASKED: N_("The other side confirms or refuses the pause; without an answer the question lapses."),
        _C.PAUSED: N_("As soon as the cause has gone, either side lets the clock run on."),
        _C.EXTENSION_ASKED: N_(
            "The other side decides about the later last day; without an answer the question lapses."
        ),
        _C.TERMINATION_ASKED: N_("The other side agrees or refuses; without an answer the proposal lapses."),
        _C.DISPUTE: N_("Both sides agree on a settlement, or the operator records the result of the mediation."),
        _C.DELIVERED: N_("The owner accepts the deliverable or returns it with reasons."),
        _C.ACCEPTED: N_("The owner rates the service."),
        _C.RATED: N_("The bill is settled, then the contract is closed."),
        _C.CLOSED: N_("Nothing is left to do."),
        _C.TERMINATED: N_("Nothing is left to do."),
    },
    transitions=(
        Transition(
            "put_forward",
            sources=(_C.TO_DRAFT,),
            target=_C.TO_SIGN_AGENCY,
            who=(Part.OWNER, Part.SYSTEM),
            label=N_("Put the text forward for signature"),
            primary=True,
        ),
        Transition(
            "redraft",
            sources=(_C.TO_SIGN_AGENCY,),
            target=_C.TO_DRAFT,
            who=(Part.OWNER,),
            label=N_("Change the open fields"),
        ),
        Transition(
            "ask_changes",
            sources=(_C.TO_SIGN_AGENCY,),
            target=_C.TO_DRAFT,
            who=(Part.AGENCY,),
            label=N_("Ask for a change of the text"),
            needs_reason=True,
        ),
        Transition(
            "sign",
            sources=(_C.TO_SIGN_AGENCY,),
            target=_C.TO_SIGN_OWNER,
            who=(Part.AGENCY,),
            label=N_("Sign the contract"),
            primary=True,
        ),
        Transition(
            "sign",
            sources=(_C.TO_SIGN_OWNER,),
            target=_C.RUNNING,
            who=(Part.OWNER,),
            label=N_("Sign the contract"),
            event=ContractSigned,
            primary=True,
        ),
        Transition(
            "ask_pause",
            sources=(_C.RUNNING,),
            target=_C.PAUSE_ASKED,
            who=(Part.OWNER, Part.AGENCY),
            label=N_("Ask for a pause"),
        ),
        Transition(
            "confirm_pause",
            sources=(_C.PAUSE_ASKED,),
            target=_C.PAUSED,
            who=(Part.COUNTERPARTY, Part.OPERATOR),
            label=N_("Confirm the pause"),
            primary=True,
        ),
        Transition(
            "refuse_pause",
            sources=(_C.PAUSE_ASKED,),
            target=_C.RUNNING,
            who=(Part.COUNTERPARTY, Part.OPERATOR),
            label=N_("Refuse the pause"),
            needs_reason=True,
        ),
        Transition(
            "lapse_pause",
            sources=(_C.PAUSE_ASKED,),
            target=_C.RUNNING,
            who=(Part.SYSTEM,),
            label=N_("Question for a pause lapsed"),
            due="answer_by",
        ),
        Transition(
            "resume",
            sources=(_C.PAUSED,),
            target=_C.RUNNING,
            who=(Part.OWNER, Part.AGENCY, Part.OPERATOR),
            label=N_("Let the clock run on"),
            needs_reason=True,
            primary=True,
        ),
        Transition(
            "ask_extension",
            sources=(_C.RUNNING,),
            target=_C.EXTENSION_ASKED,
            who=SIDES,
            label=N_("Ask for an extension"),
        ),
        Transition(
            "approve_extension",
            sources=(_C.EXTENSION_ASKED,),
            target=_C.RUNNING,
            who=(Part.COUNTERPARTY,),
            label=N_("Approve the extension"),
            primary=True,
        ),
        Transition(
            "refuse_extension",
            sources=(_C.EXTENSION_ASKED,),
            target=_C.RUNNING,
            who=(Part.COUNTERPARTY,),
            label=N_("Refuse the extension"),
            needs_reason=True,
        ),
        Transition(
            "lapse_extension",
            sources=(_C.EXTENSION_ASKED,),
            target=_C.RUNNING,
            who=(Part.SYSTEM,),
            label=N_("Question for an extension lapsed"),
            due="answer_by",
        ),
        Transition(
            "propose_termination",
            sources=(_C.RUNNING,),
            target=_C.TERMINATION_ASKED,
            who=SIDES,
            label=N_("Propose to end the contract"),
            danger=True,
        ),
        Transition(
            "agree_termination",
            sources=(_C.TERMINATION_ASKED,),
            target=_C.TERMINATED,
            who=(Part.COUNTERPARTY,),
            label=N_("Agree to end the contract"),
            event=ContractTerminated,
            danger=True,
        ),
        Transition(
            "refuse_termination",
            sources=(_C.TERMINATION_ASKED,),
            target=_C.RUNNING,
            who=(Part.COUNTERPARTY,),
            label=N_("Refuse to end the contract"),
            needs_reason=True,
        ),
        Transition(
            "lapse_termination",
            sources=(_C.TERMINATION_ASKED,),
            target=_C.RUNNING,
            who=(Part.SYSTEM,),
            label=N_("Proposal to end the contract lapsed"),
            due="answer_by",
        ),
        Transition(
            "open_dispute",
            sources=(_C.RUNNING, _C.PAUSED, _C.DELIVERED),
            target=_C.DISPUTE,
            who=SIDES,
            label=N_("Declare a dispute"),
            danger=True,
        ),
        Transition(
            "settle_continue",
            sources=(_C.DISPUTE,),
            target=_C.RUNNING,
            who=(Part.COUNTERPARTY, Part.OPERATOR),
            label=N_("Dispute settled: the work goes on"),
        ),
        Transition(
            "settle_accept",
            sources=(_C.DISPUTE,),
            target=_C.ACCEPTED,
            who=(Part.COUNTERPARTY, Part.OPERATOR),
            label=N_("Dispute settled: the deliverable is accepted"),
            event=DeliverableAccepted,
        ),
        Transition(
            "settle_accept_part",
            sources=(_C.DISPUTE,),
            target=_C.RUNNING,
            who=(Part.COUNTERPARTY, Part.OPERATOR),
            label=N_("Dispute settled: the milestone is accepted"),
        ),
        Transition(
            "settle_terminate",
            sources=(_C.DISPUTE,),
            target=_C.TERMINATED,
            who=(Part.COUNTERPARTY, Part.OPERATOR),
            label=N_("Dispute settled: the contract ends"),
            event=ContractTerminated,
        ),
        Transition(
            "terminate_for_breach",
            sources=(_C.RUNNING, _C.PAUSED, _C.DELIVERED),
            target=_C.TERMINATED,
            who=SIDES,
            label=N_("End the contract because of a breach"),
            event=ContractTerminated,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "deliver",
            sources=CLOCK_RUNS,
            target=_C.DELIVERED,
            who=(Part.AGENCY,),
            label=N_("Hand in the deliverable"),
            primary=True,
        ),
        Transition(
            "accept",
            sources=(_C.DELIVERED,),
            target=_C.ACCEPTED,
            who=(Part.OWNER,),
            label=N_("Accept the deliverable"),
            event=DeliverableAccepted,
            primary=True,
        ),
        Transition(
            "accept_by_silence",
            sources=(_C.DELIVERED,),
            target=_C.ACCEPTED,
            who=(Part.SYSTEM,),
            label=N_("Accepted by silence"),
            event=DeliverableAccepted,
            due="accept_by",
        ),
        Transition(
            "accept_part",
            sources=(_C.DELIVERED,),
            target=_C.RUNNING,
            who=(Part.OWNER,),
            label=N_("Milestone accepted"),
        ),
        Transition(
            "accept_part_by_silence",
            sources=(_C.DELIVERED,),
            target=_C.RUNNING,
            who=(Part.SYSTEM,),
            label=N_("Milestone accepted by silence"),
            due="accept_by",
        ),
        Transition(
            "return_deliverable",
            sources=(_C.DELIVERED,),
            target=_C.RUNNING,
            who=(Part.OWNER,),
            label=N_("Return for rework"),
            needs_reason=True,
        ),
        Transition(
            "rate",
            sources=(_C.ACCEPTED,),
            target=_C.RATED,
            who=(Part.OWNER,),
            label=N_("Rate the service"),
            primary=True,
        ),
        Transition(
            "close",
            sources=(_C.ACCEPTED, _C.RATED),
            target=_C.CLOSED,
            who=(Part.SYSTEM,),
            label=N_("Close the contract"),
            event=ContractClosed,
        ),
        Transition(
            "leave_unsigned",
            sources=(_C.TO_SIGN_AGENCY,),
            target=_C.TERMINATED,
            who=(Part.OWNER,),
            label=N_("Leave the unsigned contract"),
            event=ContractTerminated,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "leave_unsigned",
            sources=(_C.TO_DRAFT, _C.TO_SIGN_OWNER),
            target=_C.TERMINATED,
            who=(Part.AGENCY,),
            label=N_("Leave the unsigned contract"),
            event=ContractTerminated,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "terminate",
            sources=UNSIGNED,
            target=_C.TERMINATED,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Terminate the contract"),
            event=ContractTerminated,
            needs_reason=True,
            danger=True,
        ),
    ),
    requires={
        _C.RUNNING: ("signed_at", "starts_on"),
        _C.PAUSE_ASKED: ("signed_at", "answer_by", "asked_by"),
        _C.EXTENSION_ASKED: ("signed_at", "answer_by", "asked_by"),
        _C.TERMINATION_ASKED: ("signed_at", "answer_by", "asked_by"),
        _C.PAUSED: ("signed_at",),
        _C.DISPUTE: ("signed_at",),
        _C.DELIVERED: ("signed_at", "delivered_on", "accept_by"),
        _C.ACCEPTED: ("signed_at", "delivered_on", "accepted_at", "rate_by"),
        _C.RATED: ("accepted_at", "rated_at"),
        _C.CLOSED: ("accepted_at", "closed_at"),
        _C.TERMINATED: ("terminated_at", "termination_cause"),
    },
)
