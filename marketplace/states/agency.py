"""States of an agency's admission and standing (入驻、在册状态), of its certificates, its practitioners and its change requests.

The standing of an admitted agency follows from facts (`rules/standing.py`): open measures, an exit asked for, a change being
checked, offers whose certificate is gone. The edges between these states are taken by whoever causes the fact, or by the clock.
"""

from enum import StrEnum
from typing import Final

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.agencies import (
    AgencyAdmitted,
    AgencyReturned,
    AgencyStandingChanged,
    AgencySubmitted,
    PractitionerChanged,
    QualificationChanged,
)

from .parts import Part


class AgencyState(StrEnum):
    """Where an agency stands between its first draft and the day it leaves."""

    DRAFT = "draft"  # 待提交
    SUBMITTED = "submitted"  # 待核验
    RETURNED = "returned"  # 退回补正
    CANCELLED = "cancelled"  # 已撤回申请
    PUBLICITY = "publicity"  # 公示中
    REJECTED = "rejected"  # 不予入驻
    ACTIVE = "active"  # 已入驻
    RESTRICTED = "restricted"  # 部分受限
    CHANGE_PENDING = "change_pending"  # 变更核验中
    SUSPENDED = "suspended"  # 暂停
    BLACKLISTED = "blacklisted"  # 失信名单
    EXIT_PENDING = "exit_pending"  # 申请退出
    EXITED = "exited"  # 已退出
    REMOVED = "removed"  # 已清退


class QualificationState(StrEnum):
    """Where one certificate stands. "Expiring" is not a state: it is `valid` within 90 days of its expiry date."""

    PENDING = "pending"  # 待核
    VALID = "valid"  # 有效
    REFUSED = "refused"  # 核验不通过
    EXPIRED = "expired"  # 过期
    REVOKED = "revoked"  # 吊销
    GIVEN_UP = "given_up"  # 申请注销


class PractitionerState(StrEnum):
    """Where one practitioner's registration with an agency stands."""

    PENDING = "pending"  # 待核
    VALID = "valid"  # 在册
    REFUSED = "refused"  # 核验不通过
    LEFT = "left"  # 已离职


class ChangeState(StrEnum):
    """Where a request to change what was checked stands. Until it is accepted the old data stay valid."""

    PENDING = "pending"  # 待核
    ACCEPTED = "accepted"  # 已变更
    REFUSED = "refused"  # 不予变更
    WITHDRAWN = "withdrawn"  # 已撤回


_A = AgencyState

IN_BUSINESS: Final[frozenset[AgencyState]] = frozenset({_A.ACTIVE, _A.RESTRICTED, _A.CHANGE_PENDING})
"""Its offers are shown and it may register; a restriction counts for the service types it names only."""

ADMITTED: Final[frozenset[AgencyState]] = IN_BUSINESS | {_A.SUSPENDED, _A.BLACKLISTED, _A.EXIT_PENDING}
"""In the directory, whatever its standing."""

WITH_THE_AGENCY: Final[frozenset[AgencyState]] = frozenset(
    {_A.DRAFT, _A.RETURNED, _A.REJECTED, _A.CANCELLED, _A.EXITED, _A.REMOVED}
)
"""The agency works on its file and may hand it in (after leaving: when the cool-off is over)."""

GONE: Final[frozenset[AgencyState]] = frozenset({_A.EXITED, _A.REMOVED})
"""Left, or was removed."""

_KEEPERS = (Part.OPERATOR, Part.REGULATOR, Part.SYSTEM)

AGENCY = Machine(
    name="agency",
    states=AgencyState,
    initial=_A.DRAFT,
    transitions=(
        Transition(
            "submit",
            sources=(_A.DRAFT, _A.RETURNED, _A.REJECTED, _A.CANCELLED, _A.EXITED, _A.REMOVED),
            target=_A.SUBMITTED,
            who=(Part.AGENCY,),
            label=N_("Submit for the form check"),
            event=AgencySubmitted,
            primary=True,
        ),
        Transition(
            "cancel",
            sources=(_A.DRAFT, _A.RETURNED, _A.SUBMITTED),
            target=_A.CANCELLED,
            who=(Part.AGENCY,),
            label=N_("Take the application back"),
            danger=True,
        ),
        Transition(
            "return",
            sources=(_A.SUBMITTED,),
            target=_A.RETURNED,
            who=(Part.OPERATOR,),
            label=N_("Return for correction"),
            event=AgencyReturned,
            needs_reason=True,
        ),
        Transition(
            "reject",
            sources=(_A.SUBMITTED, _A.PUBLICITY),
            target=_A.REJECTED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Reject"),
            event=AgencyReturned,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "pass",
            sources=(_A.SUBMITTED,),
            target=_A.PUBLICITY,
            who=(Part.OPERATOR,),
            label=N_("Pass the form check"),
            primary=True,
        ),
        Transition(
            "admit",
            sources=(_A.PUBLICITY,),
            target=_A.ACTIVE,
            who=(Part.SYSTEM,),
            label=N_("Admit to the directory"),
            event=AgencyAdmitted,
            due="publicity_ends_at",
        ),
        Transition(
            "restrict",
            sources=(_A.ACTIVE,),
            target=_A.RESTRICTED,
            who=_KEEPERS,
            label=N_("Restrict for a service"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "suspend",
            sources=(_A.ACTIVE, _A.RESTRICTED, _A.CHANGE_PENDING, _A.EXIT_PENDING, _A.BLACKLISTED),
            target=_A.SUSPENDED,
            who=_KEEPERS,
            label=N_("Suspend"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "blacklist",
            sources=(_A.ACTIVE, _A.RESTRICTED, _A.CHANGE_PENDING, _A.EXIT_PENDING, _A.SUSPENDED),
            target=_A.BLACKLISTED,
            who=_KEEPERS,
            label=N_("Put on the blacklist"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "restore",
            sources=(_A.RESTRICTED, _A.SUSPENDED, _A.BLACKLISTED),
            target=_A.ACTIVE,
            who=_KEEPERS,
            label=N_("Restore the standing"),
            event=AgencyStandingChanged,
            needs_reason=True,
        ),
        Transition(
            "remove",
            sources=(_A.ACTIVE, _A.RESTRICTED, _A.CHANGE_PENDING, _A.EXIT_PENDING, _A.SUSPENDED, _A.BLACKLISTED),
            target=_A.REMOVED,
            who=_KEEPERS,
            label=N_("Remove from the supermarket"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "request_change",
            sources=(_A.ACTIVE, _A.RESTRICTED),
            target=_A.CHANGE_PENDING,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Ask for a change to be checked"),
        ),
        Transition(
            "settle_change",
            sources=(_A.CHANGE_PENDING,),
            target=_A.ACTIVE,
            who=(Part.OPERATOR, Part.AGENCY, Part.SYSTEM),
            label=N_("Change decided"),
        ),
        Transition(
            "ask_exit",
            sources=(_A.ACTIVE, _A.RESTRICTED, _A.CHANGE_PENDING),
            target=_A.EXIT_PENDING,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Ask to leave the supermarket"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "stay",
            sources=(_A.EXIT_PENDING,),
            target=_A.ACTIVE,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Stay in the supermarket"),
            event=AgencyStandingChanged,
        ),
        Transition(
            "exit",
            sources=(_A.EXIT_PENDING, _A.SUSPENDED),
            target=_A.EXITED,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Leave the supermarket"),
            event=AgencyStandingChanged,
            danger=True,
        ),
    ),
    labels={
        _A.DRAFT: N_("Not submitted yet"),
        _A.SUBMITTED: N_("Waiting for the form check"),
        _A.RETURNED: N_("Returned for correction"),
        _A.CANCELLED: N_("Application withdrawn"),
        _A.PUBLICITY: N_("In publicity"),
        _A.REJECTED: N_("Rejected"),
        _A.ACTIVE: N_("Admitted"),
        _A.RESTRICTED: N_("Partly restricted"),
        _A.CHANGE_PENDING: N_("Change being checked"),
        _A.SUSPENDED: N_("Suspended"),
        _A.BLACKLISTED: N_("On the blacklist"),
        _A.EXIT_PENDING: N_("Leaving"),
        _A.EXITED: N_("Left the supermarket"),
        _A.REMOVED: N_("Removed"),
    },
    next_step={
        _A.DRAFT: N_("The agency completes its particulars and documents, then submits."),
        _A.SUBMITTED: N_("The operator checks the form of the documents."),
        _A.RETURNED: N_("The agency corrects what the reasons name and submits again."),
        _A.CANCELLED: N_("The agency may take the file up again and submit it."),
        _A.PUBLICITY: N_("Anyone may object until the publicity ends; then the agency is admitted by itself."),
        _A.REJECTED: N_("The agency may correct the causes and submit again."),
        _A.ACTIVE: N_("The agency can offer services and register for procurements."),
        _A.RESTRICTED: N_("Some services are closed to the agency for now; it offers all others as usual."),
        _A.CHANGE_PENDING: N_("The operator checks the change. What was checked before stays valid until then."),
        _A.SUSPENDED: N_("The agency may not register for procurements until the suspension is lifted."),
        _A.BLACKLISTED: N_("The agency is barred until a decision on the repair of its credit."),
        _A.EXIT_PENDING: N_("The agency takes on nothing new and leaves when everything open is finished."),
        _A.EXITED: N_("The agency no longer takes part. It may apply again after the waiting time."),
        _A.REMOVED: N_("The agency was struck off. It may apply again after the waiting time."),
    },
    requires={
        _A.SUBMITTED: ("submitted_at", "check_due_at", "commitment_signed_at"),
        _A.PUBLICITY: ("publicity_ends_at",),
        **dict.fromkeys(sorted(ADMITTED - {_A.EXIT_PENDING}), ("admitted_at",)),
        _A.EXIT_PENDING: ("admitted_at", "exit_asked_at"),
        _A.EXITED: ("left_at", "may_reapply_at"),
        _A.REMOVED: ("left_at", "may_reapply_at"),
    },
)

_Q = QualificationState

QUALIFICATION = Machine(
    name="qualification",
    states=QualificationState,
    initial=_Q.PENDING,
    transitions=(
        Transition(
            "accept",
            sources=(_Q.PENDING,),
            target=_Q.VALID,
            who=(Part.OPERATOR,),
            label=N_("Certificate checked, valid"),
            event=QualificationChanged,
            primary=True,
        ),
        Transition(
            "refuse",
            sources=(_Q.PENDING,),
            target=_Q.REFUSED,
            who=(Part.OPERATOR,),
            label=N_("Refuse the certificate"),
            needs_reason=True,
        ),
        Transition(
            "expire",
            sources=(_Q.VALID,),
            target=_Q.EXPIRED,
            who=(Part.SYSTEM,),
            label=N_("Certificate expired"),
            event=QualificationChanged,
            due="expires_at",
        ),
        Transition(
            "revoke",
            sources=(_Q.VALID,),
            target=_Q.REVOKED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Certificate revoked by its issuer"),
            event=QualificationChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "give_up",
            sources=(_Q.PENDING, _Q.VALID),
            target=_Q.GIVEN_UP,
            who=(Part.AGENCY,),
            label=N_("Give the certificate up"),
            event=QualificationChanged,
            needs_reason=True,
            danger=True,
        ),
    ),
    labels={
        _Q.PENDING: N_("Waiting for the check"),
        _Q.VALID: N_("Valid"),
        _Q.REFUSED: N_("Check not passed"),
        _Q.EXPIRED: N_("Expired"),
        _Q.REVOKED: N_("Revoked"),
        _Q.GIVEN_UP: N_("Given up"),
    },
)

_P = PractitionerState

PRACTITIONER = Machine(
    name="practitioner",
    states=PractitionerState,
    initial=_P.PENDING,
    transitions=(
        Transition(
            "accept",
            sources=(_P.PENDING,),
            target=_P.VALID,
            who=(Part.OPERATOR,),
            label=N_("Practitioner checked"),
            event=PractitionerChanged,
            primary=True,
        ),
        Transition(
            "refuse",
            sources=(_P.PENDING,),
            target=_P.REFUSED,
            who=(Part.OPERATOR,),
            label=N_("Refuse the practitioner"),
            needs_reason=True,
        ),
        Transition(
            "leave",
            sources=(_P.PENDING, _P.VALID),
            target=_P.LEFT,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Practitioner leaves"),
            event=PractitionerChanged,
            due="leaves_at",
            danger=True,
        ),
    ),
    labels={
        _P.PENDING: N_("Waiting for the check"),
        _P.VALID: N_("On the staff"),
        _P.REFUSED: N_("Check not passed"),
        _P.LEFT: N_("Has left"),
    },
)

_C = ChangeState

AGENCY_CHANGE = Machine(
    name="agency_change",
    states=ChangeState,
    initial=_C.PENDING,
    transitions=(
        Transition(
            "accept",
            sources=(_C.PENDING,),
            target=_C.ACCEPTED,
            who=(Part.OPERATOR,),
            label=N_("Accept the change"),
            primary=True,
        ),
        Transition(
            "refuse",
            sources=(_C.PENDING,),
            target=_C.REFUSED,
            who=(Part.OPERATOR,),
            label=N_("Refuse the change"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "withdraw",
            sources=(_C.PENDING,),
            target=_C.WITHDRAWN,
            who=(Part.AGENCY, Part.SYSTEM),
            label=N_("Take the request back"),
        ),
    ),
    labels={
        _C.PENDING: N_("Waiting for the check"),
        _C.ACCEPTED: N_("Change accepted"),
        _C.REFUSED: N_("Change refused"),
        _C.WITHDRAWN: N_("Request taken back"),
    },
    next_step={
        _C.PENDING: N_("The operator checks the change. What was checked before stays valid until then."),
    },
    requires={_C.PENDING: ("due_at",), _C.ACCEPTED: ("decided_at",), _C.REFUSED: ("decided_at",)},
)
