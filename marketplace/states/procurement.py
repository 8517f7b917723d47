"""States of a procurement project (采购项目), from the owner's draft to the closed file.

Every selection method walks the same states; which of `OPENING`, `BIDDING`, `COMPARING` and `SELECTING` it passes is decided by
`marketplace.rules.selection.engine`. The contract's part (signed, in service, accepted) is reported by the contract and follows it
here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.procurements import (
    AwardConfirmed,
    AwardIssued,
    ComparisonOpened,
    DirectRequested,
    NoticeReturned,
    NoticeRevised,
    NoticeSubmitted,
    ProcurementFailed,
    ProcurementPublished,
    ProcurementStopped,
    RegistrationClosed,
    SelectionDecided,
    WinnerLost,
)

from .parts import Part


class ProcurementState(StrEnum):
    """Where a procurement stands."""

    DRAFT = "draft"  # 草稿
    SUBMITTED = "submitted"  # 待审核
    RETURNED = "returned"  # 退回
    PUBLISHED = "published"  # 已公告、报名中
    REVISED = "revised"  # 变更公告中
    REGISTRATION_CLOSED = "registration_closed"  # 报名截止
    OPENING = "opening"  # 待开启报价
    BIDDING = "bidding"  # 竞价中（第二轮起）
    COMPARING = "comparing"  # 比选中
    SELECTING = "selecting"  # 选取中
    SELECTED = "selected"  # 已选取、待公示
    RESULT_PUBLICITY = "result_publicity"  # 中选公示
    AWARDED = "awarded"  # 已发中选通知书
    CONFIRMED = "confirmed"  # 中选机构已确认
    CONTRACTED = "contracted"  # 已签合同
    IN_SERVICE = "in_service"  # 服务中
    ACCEPTED = "accepted"  # 成果已验收
    CLOSED = "closed"  # 已办结
    RESELECT = "reselect"  # 重新选取
    PAUSED = "paused"  # 暂停
    FAILED = "failed"  # 流标
    DIRECT_REQUEST = "direct_request"  # 申请直接选取
    REPUBLISHED = "republished"  # 已重新公告
    WITHDRAWN = "withdrawn"  # 撤回公告
    CANCELLED = "cancelled"  # 废置
    VOID = "void"  # 置为无效
    TERMINATED = "terminated"  # 服务中止


class FailureCode(StrEnum):
    """Why a procurement failed (流标原因). Stored; the public text is in FAILURE_TEXTS."""

    NO_REGISTRATION = "no_registration"
    POOL_TOO_SMALL = "pool_too_small"
    RANKING_EXHAUSTED = "ranking_exhausted"
    SOURCE_DEAD = "source_dead"
    TOO_FEW_QUOTES = "too_few_quotes"
    NOT_COMPARED = "not_compared"
    QUOTES_NOT_OPENED = "quotes_not_opened"
    CHALLENGE_UPHELD = "challenge_upheld"


FAILURE_TEXTS: Mapping[str, str] = {
    FailureCode.NO_REGISTRATION: N_("No agency registered."),
    FailureCode.POOL_TOO_SMALL: N_("Fewer qualified agencies than the rules demand."),
    FailureCode.RANKING_EXHAUSTED: N_("Every agency of the ranking gave up, lapsed or was struck out."),
    FailureCode.CHALLENGE_UPHELD: N_("A challenge was upheld; the selection was cancelled."),
    FailureCode.SOURCE_DEAD: N_("An announced public source has published no value for too long; the draw is void."),
    FailureCode.TOO_FEW_QUOTES: N_("Fewer valid quotes than the rules demand."),
    FailureCode.QUOTES_NOT_OPENED: N_("Two shares of the key were not given in time; the quotes stay sealed for ever."),
    FailureCode.NOT_COMPARED: N_("The owner did not compare the plans in time."),
}

EXTENDABLE: frozenset[str] = frozenset({FailureCode.NO_REGISTRATION, FailureCode.POOL_TOO_SMALL})
"""Failures after which the registration may be extended: no quote was opened and no list was ranked, so nobody knows anything."""

_P = ProcurementState

PROCUREMENT = Machine(
    name="procurement",
    states=ProcurementState,
    initial=_P.DRAFT,
    transitions=(
        Transition(
            "submit",
            sources=(_P.DRAFT, _P.RETURNED),
            target=_P.SUBMITTED,
            who=(Part.OWNER,),
            label=N_("Submit the notice"),
            event=NoticeSubmitted,
            primary=True,
        ),
        Transition(
            "take_back",
            sources=(_P.SUBMITTED,),
            target=_P.DRAFT,
            who=(Part.OWNER,),
            label=N_("Take the notice back"),
        ),
        Transition(
            "return",
            sources=(_P.SUBMITTED, _P.DIRECT_REQUEST),
            target=_P.RETURNED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Return to the owner"),
            event=NoticeReturned,
            needs_reason=True,
        ),
        Transition(
            "publish",
            sources=(_P.SUBMITTED,),
            target=_P.PUBLISHED,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Publish the notice"),
            event=ProcurementPublished,
            primary=True,
        ),
        Transition(
            "discard",
            sources=(_P.DRAFT, _P.RETURNED),
            target=_P.VOID,
            who=(Part.OWNER,),
            label=N_("Discard the draft"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "revise",
            sources=(_P.PUBLISHED,),
            target=_P.REVISED,
            who=(Part.OWNER,),
            label=N_("Change the notice"),
            needs_reason=True,
        ),
        Transition(
            "publish_revision",
            sources=(_P.REVISED,),
            target=_P.PUBLISHED,
            who=(Part.OPERATOR, Part.SYSTEM),
            label=N_("Publish the changed notice"),
            event=NoticeRevised,
            primary=True,
        ),
        Transition(
            "refuse_revision",
            sources=(_P.REVISED,),
            target=_P.PUBLISHED,
            who=(Part.OPERATOR,),
            label=N_("Refuse the change; the notice stays"),
            needs_reason=True,
        ),
        Transition(
            "drop_revision",
            sources=(_P.REVISED,),
            target=_P.PUBLISHED,
            who=(Part.OWNER,),
            label=N_("Drop the change; the notice stays"),
        ),
        Transition(
            "withdraw",
            sources=(_P.PUBLISHED, _P.REVISED),
            target=_P.WITHDRAWN,
            who=(Part.OWNER,),
            label=N_("Withdraw the notice"),
            event=ProcurementStopped,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "close",
            sources=(_P.PUBLISHED,),
            target=_P.REGISTRATION_CLOSED,
            who=(Part.SYSTEM,),
            label=N_("Registration closed"),
            event=RegistrationClosed,
            due="registration_ends_at",
        ),
        Transition(
            "start_selection",
            sources=(_P.REGISTRATION_CLOSED, _P.OPENING, _P.COMPARING),
            target=_P.SELECTING,
            who=(Part.SYSTEM,),
            label=N_("List frozen, selection started"),
        ),
        Transition(
            "await_opening",
            sources=(_P.REGISTRATION_CLOSED, _P.BIDDING),
            target=_P.OPENING,
            who=(Part.SYSTEM,),
            label=N_("The sealed quotes wait for their opening"),
        ),
        Transition(
            "start_round",
            sources=(_P.OPENING,),
            target=_P.BIDDING,
            who=(Part.SYSTEM,),
            label=N_("A further bidding round was announced"),
        ),
        Transition(
            "start_comparison",
            sources=(_P.OPENING, _P.SELECTING),
            target=_P.COMPARING,
            who=(Part.SYSTEM,),
            label=N_("The owner compares"),
            event=ComparisonOpened,
        ),
        Transition(
            "compare",
            sources=(_P.COMPARING,),
            target=_P.SELECTED,
            who=(Part.OWNER, Part.SYSTEM),
            label=N_("Comparison decided"),
            due="compare_by",
            primary=True,
        ),
        Transition(
            "fail",
            sources=(_P.REGISTRATION_CLOSED, _P.OPENING, _P.COMPARING, _P.SELECTING, _P.RESELECT),
            target=_P.FAILED,
            who=(Part.SYSTEM,),
            label=N_("Selection failed"),
            event=ProcurementFailed,
        ),
        Transition(
            "abandon_draw",
            sources=(_P.SELECTING,),
            target=_P.FAILED,
            who=(Part.OPERATOR,),
            label=N_("Declare the draw void: its source is dead"),
            event=ProcurementFailed,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "select",
            sources=(_P.OPENING, _P.SELECTING),
            target=_P.SELECTED,
            who=(Part.SYSTEM,),
            label=N_("Ranking computed"),
        ),
        Transition(
            "publish_result",
            sources=(_P.SELECTED,),
            target=_P.RESULT_PUBLICITY,
            who=(Part.SYSTEM,),
            label=N_("Result published"),
            event=SelectionDecided,
        ),
        Transition(
            "award",
            sources=(_P.RESULT_PUBLICITY,),
            target=_P.AWARDED,
            who=(Part.SYSTEM,),
            label=N_("Award letter issued"),
            event=AwardIssued,
            due="publicity_ends_at",
        ),
        Transition(
            "confirm",
            sources=(_P.AWARDED,),
            target=_P.CONFIRMED,
            who=(Part.WINNER,),
            label=N_("Confirm the award"),
            event=AwardConfirmed,
            primary=True,
        ),
        Transition(
            "give_up",
            sources=(_P.AWARDED,),
            target=_P.RESELECT,
            who=(Part.WINNER,),
            label=N_("Give up the award"),
            event=WinnerLost,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "lapse",
            sources=(_P.AWARDED,),
            target=_P.RESELECT,
            who=(Part.SYSTEM,),
            label=N_("Award lapsed: not confirmed in time"),
            event=WinnerLost,
            due="confirm_by",
        ),
        Transition(
            "strike_out",
            sources=(_P.RESULT_PUBLICITY, _P.AWARDED, _P.CONFIRMED),
            target=_P.RESELECT,
            who=(Part.OPERATOR,),
            label=N_("Strike the winner out"),
            event=WinnerLost,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "cancel_result",
            sources=(_P.PAUSED, _P.RESULT_PUBLICITY, _P.AWARDED, _P.CONFIRMED),
            target=_P.RESELECT,
            who=(Part.SYSTEM,),
            label=N_("Result cancelled: a challenge was upheld"),
            event=WinnerLost,
            needs_reason=True,
        ),
        Transition(
            "cancel_selection",
            sources=(
                _P.PAUSED,
                _P.OPENING,
                _P.BIDDING,
                _P.COMPARING,
                _P.SELECTING,
                _P.RESULT_PUBLICITY,
                _P.AWARDED,
                _P.CONFIRMED,
            ),
            target=_P.FAILED,
            who=(Part.SYSTEM,),
            label=N_("Selection cancelled: a challenge was upheld"),
            event=ProcurementFailed,
            needs_reason=True,
        ),
        Transition(
            "annul",
            sources=(
                _P.PUBLISHED,
                _P.OPENING,
                _P.BIDDING,
                _P.COMPARING,
                _P.SELECTING,
                _P.PAUSED,
                _P.RESULT_PUBLICITY,
                _P.AWARDED,
                _P.CONFIRMED,
            ),
            target=_P.VOID,
            who=(Part.SYSTEM,),
            label=N_("Set invalid: a challenge was upheld"),
            event=ProcurementStopped,
            needs_reason=True,
        ),
        Transition(
            "succeed",
            sources=(_P.RESELECT,),
            target=_P.SELECTED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Approve the next of the ranking"),
            primary=True,
        ),
        Transition(
            "pause",
            sources=(_P.PUBLISHED, _P.OPENING, _P.BIDDING, _P.COMPARING, _P.SELECTING, _P.RESULT_PUBLICITY),
            target=_P.PAUSED,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Pause because of a challenge"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "resume_registration",
            sources=(_P.PAUSED,),
            target=_P.PUBLISHED,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Resume the registration"),
            needs_reason=True,
        ),
        Transition(
            "resume_selection",
            sources=(_P.PAUSED,),
            target=_P.SELECTING,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Resume the selection"),
            needs_reason=True,
        ),
        Transition(
            "resume_opening",
            sources=(_P.PAUSED,),
            target=_P.OPENING,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Resume the opening of the quotes"),
            needs_reason=True,
        ),
        Transition(
            "resume_bidding",
            sources=(_P.PAUSED,),
            target=_P.BIDDING,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Resume the bidding round"),
            needs_reason=True,
        ),
        Transition(
            "resume_comparison",
            sources=(_P.PAUSED,),
            target=_P.COMPARING,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Resume the comparison"),
            needs_reason=True,
        ),
        Transition(
            "resume_publicity",
            sources=(_P.PAUSED,),
            target=_P.RESULT_PUBLICITY,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Resume the publicity of the result"),
            needs_reason=True,
        ),
        Transition(
            "void",
            sources=(
                *(
                    _P.SUBMITTED,
                    _P.PUBLISHED,
                    _P.REVISED,
                    _P.REGISTRATION_CLOSED,
                    _P.OPENING,
                    _P.BIDDING,
                    _P.COMPARING,
                    _P.SELECTING,
                ),
                *(_P.PAUSED, _P.RESELECT, _P.DIRECT_REQUEST),
            ),
            target=_P.VOID,
            who=(Part.OPERATOR,),
            label=N_("Set the procurement invalid"),
            event=ProcurementStopped,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "extend",
            sources=(_P.FAILED,),
            target=_P.PUBLISHED,
            who=(Part.OWNER,),
            label=N_("Extend the registration once"),
            event=ProcurementPublished,
            primary=True,
        ),
        Transition(
            "republish",
            sources=(_P.FAILED,),
            target=_P.REPUBLISHED,
            who=(Part.OWNER,),
            label=N_("Prepare a new round"),
        ),
        Transition(
            "request_direct",
            sources=(_P.DRAFT, _P.RETURNED, _P.FAILED),
            target=_P.DIRECT_REQUEST,
            who=(Part.OWNER,),
            label=N_("Request a direct selection"),
            event=DirectRequested,
        ),
        Transition(
            "approve_direct",
            sources=(_P.DIRECT_REQUEST,),
            target=_P.SELECTED,
            who=(Part.OPERATOR, Part.REGULATOR, Part.SYSTEM),
            label=N_("Approve the direct selection"),
            primary=True,
        ),
        Transition(
            "refuse_direct",
            sources=(_P.DIRECT_REQUEST,),
            target=_P.FAILED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Refuse the direct selection"),
            event=ProcurementFailed,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "cancel",
            sources=(_P.FAILED, _P.WITHDRAWN, _P.DIRECT_REQUEST),
            target=_P.CANCELLED,
            who=(Part.OWNER, Part.OPERATOR),
            label=N_("Abandon the procurement"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "sign",
            sources=(_P.CONFIRMED,),
            target=_P.CONTRACTED,
            who=(Part.SYSTEM,),
            label=N_("Contract signed"),
        ),
        Transition(
            "start_service",
            sources=(_P.CONTRACTED,),
            target=_P.IN_SERVICE,
            who=(Part.SYSTEM,),
            label=N_("Service started"),
        ),
        Transition(
            "accept",
            sources=(_P.IN_SERVICE,),
            target=_P.ACCEPTED,
            who=(Part.SYSTEM,),
            label=N_("Deliverable accepted"),
        ),
        Transition(
            "terminate",
            sources=(_P.CONTRACTED, _P.IN_SERVICE),
            target=_P.TERMINATED,
            who=(Part.SYSTEM,),
            label=N_("Service terminated"),
        ),
        Transition(
            "lose_contract",
            sources=(_P.CONFIRMED,),
            target=_P.RESELECT,
            who=(Part.SYSTEM,),
            label=N_("Contract not signed: the next of the ranking is asked"),
        ),
        Transition(
            "select_again",
            sources=(_P.TERMINATED,),
            target=_P.RESELECT,
            who=(Part.OWNER,),
            label=N_("Select another agency"),
            primary=True,
        ),
        Transition(
            "close_ended",
            sources=(_P.TERMINATED,),
            target=_P.CLOSED,
            who=(Part.OWNER,),
            label=N_("Close the file"),
        ),
        Transition(
            "close_file",
            sources=(_P.ACCEPTED,),
            target=_P.CLOSED,
            who=(Part.SYSTEM,),
            label=N_("File closed"),
        ),
    ),
    labels={
        _P.DRAFT: N_("Draft notice"),
        _P.SUBMITTED: N_("Notice waiting for its check"),
        _P.RETURNED: N_("Notice returned"),
        _P.PUBLISHED: N_("Open for registration"),
        _P.REVISED: N_("Change of the notice in check"),
        _P.REGISTRATION_CLOSED: N_("Registration closed"),
        _P.OPENING: N_("Quotes wait for their opening"),
        _P.BIDDING: N_("Bidding round open"),
        _P.COMPARING: N_("Owner compares"),
        _P.SELECTING: N_("Selection under way"),
        _P.SELECTED: N_("Selected"),
        _P.RESULT_PUBLICITY: N_("Result in publicity"),
        _P.AWARDED: N_("Award letter issued"),
        _P.CONFIRMED: N_("Award confirmed"),
        _P.CONTRACTED: N_("Contract signed"),
        _P.IN_SERVICE: N_("In service"),
        _P.ACCEPTED: N_("Deliverable accepted"),
        _P.CLOSED: N_("Closed"),
        _P.RESELECT: N_("Waiting for the next of the ranking"),
        _P.PAUSED: N_("Paused"),
        _P.FAILED: N_("Failed"),
        _P.DIRECT_REQUEST: N_("Direct selection requested"),
        _P.REPUBLISHED: N_("Continued in a new round"),
        _P.WITHDRAWN: N_("Notice withdrawn"),
        _P.CANCELLED: N_("Abandoned"),
        _P.VOID: N_("Invalid"),
        _P.TERMINATED: N_("Service terminated"),
    },
    requires={
        _P.SUBMITTED: ("submitted_at",),
        _P.PUBLISHED: ("published_at", "registration_ends_at"),
        _P.BIDDING: ("quotes_open_at", "quotes_end_at"),
        _P.COMPARING: ("compare_by",),
        _P.REVISED: ("published_at", "registration_ends_at", "revised_at", "check_by"),
        _P.SELECTED: ("winner_registration_id",),
        _P.RESULT_PUBLICITY: ("winner_registration_id", "publicity_ends_at"),
        _P.AWARDED: ("winner_registration_id", "awarded_at", "confirm_by"),
        _P.CONFIRMED: ("winner_registration_id", "confirmed_at"),
        _P.FAILED: ("failure_code",),
        _P.PAUSED: ("paused_from", "paused_at"),
    },
    next_step={
        _P.DRAFT: N_("The owner completes the notice and submits it."),
        _P.SUBMITTED: N_("The operator checks the form of the notice, then publishes or returns it."),
        _P.RETURNED: N_("The owner corrects what the reason names and submits again."),
        _P.PUBLISHED: N_("Agencies register until the deadline."),
        _P.REVISED: N_("The operator checks the change; meanwhile the registration stands still and loses no time."),
        _P.REGISTRATION_CLOSED: N_("The system checks eligibility again and freezes the list."),
        _P.OPENING: N_("Two holders of the key open all sealed quotes together."),
        _P.BIDDING: N_("Agencies on the list may lower their quotes until the round ends."),
        _P.COMPARING: N_("The owner compares and decides with reasons; the sheet is published."),
        _P.SELECTING: N_("The frozen list is public; the announced public values decide the order."),
        _P.SELECTED: N_("The system publishes the result."),
        _P.RESULT_PUBLICITY: N_("Anyone may object until the publicity ends; then the award letter is issued."),
        _P.AWARDED: N_("The winner confirms or gives up."),
        _P.CONFIRMED: N_("Owner and winner sign the contract."),
        _P.CONTRACTED: N_("The service starts."),
        _P.IN_SERVICE: N_("The agency delivers within the time limit."),
        _P.ACCEPTED: N_("The owner rates the service; then the file is closed."),
        _P.CLOSED: N_("Nothing more to do."),
        _P.RESELECT: N_("Two persons of the operator approve the next agency of the published ranking."),
        _P.PAUSED: N_(
            "The challenge is answered first. Then the rest of the period runs on, or the consequences of the answer follow."
        ),
        _P.FAILED: N_("The owner extends the registration once, prepares a new round, or abandons the procurement."),
        _P.DIRECT_REQUEST: N_("The request is decided: by the regulator for public money, else by the operator."),
        _P.REPUBLISHED: N_("See the new round."),
        _P.WITHDRAWN: N_("The owner may abandon the procurement or publish a new one."),
        _P.CANCELLED: N_("Nothing more to do."),
        _P.VOID: N_("Nothing more to do."),
        _P.TERMINATED: N_("The owner selects another agency, or closes the file once the accounts are settled."),
    },
)


@dataclass(frozen=True)
class Turn:
    """Whose turn it is in a state (None: nobody's) and which column of the procurement holds the deadline."""

    part: Part | None
    deadline: str | None = None


TURNS: Mapping[ProcurementState, Turn] = {
    _P.DRAFT: Turn(Part.OWNER),
    _P.SUBMITTED: Turn(Part.OPERATOR, "check_by"),
    _P.RETURNED: Turn(Part.OWNER),
    _P.PUBLISHED: Turn(Part.REGISTRANT, "registration_ends_at"),
    _P.REVISED: Turn(Part.OPERATOR, "check_by"),
    _P.REGISTRATION_CLOSED: Turn(Part.SYSTEM),
    _P.OPENING: Turn(Part.SYSTEM),
    _P.BIDDING: Turn(Part.REGISTRANT, "quotes_end_at"),
    _P.COMPARING: Turn(Part.OWNER, "compare_by"),
    _P.SELECTING: Turn(Part.SYSTEM, "beacon_due_at"),
    _P.SELECTED: Turn(Part.SYSTEM),
    _P.RESULT_PUBLICITY: Turn(Part.PUBLIC, "publicity_ends_at"),
    _P.AWARDED: Turn(Part.WINNER, "confirm_by"),
    _P.CONFIRMED: Turn(Part.OWNER),
    _P.CONTRACTED: Turn(Part.WINNER),
    _P.IN_SERVICE: Turn(Part.WINNER),
    _P.ACCEPTED: Turn(Part.OWNER),
    _P.RESELECT: Turn(Part.OPERATOR),
    _P.PAUSED: Turn(Part.OPERATOR),
    _P.FAILED: Turn(Part.OWNER),
    _P.DIRECT_REQUEST: Turn(Part.OPERATOR),
    _P.WITHDRAWN: Turn(Part.OWNER),
    _P.TERMINATED: Turn(Part.OWNER),
}
"""States that are missing here wait for nobody."""

NOT_PUBLIC: frozenset[ProcurementState] = frozenset({_P.DRAFT, _P.SUBMITTED, _P.RETURNED})
"""Before publication only the owner, the operator and the supervision see a procurement; a discarded draft never was public."""

RESUME_ACTIONS: Mapping[str, str] = {
    _P.PUBLISHED: "resume_registration",
    _P.OPENING: "resume_opening",
    _P.BIDDING: "resume_bidding",
    _P.COMPARING: "resume_comparison",
    _P.SELECTING: "resume_selection",
    _P.RESULT_PUBLICITY: "resume_publicity",
}
"""The one action that leads from a pause back to where it began."""
