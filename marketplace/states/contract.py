"""States of a contract and its performance (合同·履约).

The agency signs first and the owner last: the owner's signature is what starts the working-day clock. A question for
a pause is a state of its own, because it is then the other side's turn; the clock runs on until it is confirmed.
"""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.contracts import ContractClosed, ContractSigned, ContractTerminated, DeliverableAccepted

from .parts import Part


class ContractState(StrEnum):
    """Where a contract stands between the award and its end."""

    TO_SIGN_AGENCY = "to_sign_agency"  # 待机构签署
    TO_SIGN_OWNER = "to_sign_owner"  # 待业主签署
    RUNNING = "running"  # 服务中
    PAUSE_ASKED = "pause_asked"  # 暂停待确认
    PAUSED = "paused"  # 暂停计时
    DELIVERED = "delivered"  # 成果已提交
    ACCEPTED = "accepted"  # 已验收
    RATED = "rated"  # 已评价
    CLOSED = "closed"  # 办结
    TERMINATED = "terminated"  # 解除


class PauseReason(StrEnum):
    """Why the clock may stand still (BUSINESS-RULES 2.9 rule 3)."""

    BASE_DATA_MISSING = "base_data_missing"
    SCOPE_CHANGED = "scope_changed"
    SITE_NOT_ACCESSIBLE = "site_not_accessible"
    PUBLICITY = "publicity"
    EXPERT_REVIEW = "expert_review"
    HEARING = "hearing"
    THIRD_PARTY_TESTING = "third_party_testing"
    FORCE_MAJEURE = "force_majeure"
    SEASON = "season"
    COMPLAINT = "complaint"
    PAYMENT_OVERDUE = "payment_overdue"


PAUSE_REASON_LABELS = {
    PauseReason.BASE_DATA_MISSING: N_("The owner has not supplied base data"),
    PauseReason.SCOPE_CHANGED: N_("The owner changed the scope"),
    PauseReason.SITE_NOT_ACCESSIBLE: N_("The site is not accessible"),
    PauseReason.PUBLICITY: N_("Publicity required by law"),
    PauseReason.EXPERT_REVIEW: N_("Expert review or technical assessment"),
    PauseReason.HEARING: N_("Hearing"),
    PauseReason.THIRD_PARTY_TESTING: N_("Testing by a third party"),
    PauseReason.FORCE_MAJEURE: N_("Force majeure"),
    PauseReason.SEASON: N_("Field survey season"),
    PauseReason.COMPLAINT: N_("Suspended by a complaint"),
    PauseReason.PAYMENT_OVERDUE: N_("A milestone payment of the owner is overdue"),
}

_C = ContractState
_CLOCK_RUNS = (_C.RUNNING, _C.PAUSE_ASKED)

CONTRACT = Machine(
    name="contract",
    states=ContractState,
    initial=_C.TO_SIGN_AGENCY,
    labels={
        _C.TO_SIGN_AGENCY: N_("To be signed by the agency"),
        _C.TO_SIGN_OWNER: N_("To be signed by the owner"),
        _C.RUNNING: N_("In service"),
        _C.PAUSE_ASKED: N_("Pause to be confirmed"),
        _C.PAUSED: N_("Clock paused"),
        _C.DELIVERED: N_("Deliverable handed in"),
        _C.ACCEPTED: N_("Deliverable accepted"),
        _C.RATED: N_("Service rated"),
        _C.CLOSED: N_("Contract closed"),
        _C.TERMINATED: N_("Contract terminated"),
    },
    next_step={
        _C.TO_SIGN_AGENCY: N_("The agency reads the contract and signs it."),
        _C.TO_SIGN_OWNER: N_("The owner reads the contract and signs it; the clock starts with this signature."),
        _C.RUNNING: N_("The agency does the work and hands in the deliverable."),
        _C.PAUSE_ASKED: N_("The other side confirms or refuses the pause; without an answer the question lapses."),
        _C.PAUSED: N_("As soon as the cause has gone, either side lets the clock run on."),
        _C.DELIVERED: N_("The owner accepts the deliverable or returns it with reasons."),
        _C.ACCEPTED: N_("The owner rates the service."),
        _C.RATED: N_("The bill is settled, then the contract is closed."),
        _C.CLOSED: N_("Nothing is left to do."),
        _C.TERMINATED: N_("Nothing is left to do."),
    },
    transitions=(
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
            due="pause_answer_by",
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
            "deliver",
            sources=_CLOCK_RUNS,
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
            "terminate",
            sources=(_C.TO_SIGN_AGENCY, _C.TO_SIGN_OWNER),
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
        _C.PAUSE_ASKED: ("signed_at", "pause_answer_by", "pause_asked_by"),
        _C.PAUSED: ("signed_at",),
        _C.DELIVERED: ("signed_at", "delivered_on", "accept_by"),
        _C.ACCEPTED: ("signed_at", "delivered_on", "accepted_at", "rate_by"),
        _C.RATED: ("accepted_at", "rated_at"),
        _C.CLOSED: ("accepted_at", "closed_at"),
    },
)
