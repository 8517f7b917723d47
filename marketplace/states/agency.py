"""States of an agency's admission (入驻) and of each qualification certificate (资质证书)."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from marketplace.events.agencies import (
    AgencyAdmitted,
    AgencyReturned,
    AgencyStandingChanged,
    AgencySubmitted,
    QualificationChanged,
)

from .parts import Part


class AgencyState(StrEnum):
    """Where an agency stands between its first draft and the active directory."""

    DRAFT = "draft"  # 待提交
    SUBMITTED = "submitted"  # 待核验
    RETURNED = "returned"  # 退回补正
    PUBLICITY = "publicity"  # 公示中
    ACTIVE = "active"  # 已入驻
    SUSPENDED = "suspended"  # 暂停
    REJECTED = "rejected"  # 不予入驻
    EXITED = "exited"  # 已退出


class QualificationState(StrEnum):
    """Where one certificate stands. "Expiring" is not a state: it is `valid` within 90 days of its expiry date."""

    PENDING = "pending"  # 待核
    VALID = "valid"  # 有效
    REFUSED = "refused"  # 核验不通过
    EXPIRED = "expired"  # 过期
    REVOKED = "revoked"  # 吊销


_A = AgencyState

AGENCY = Machine(
    name="agency",
    states=AgencyState,
    initial=_A.DRAFT,
    transitions=(
        Transition(
            "submit",
            sources=(_A.DRAFT, _A.RETURNED, _A.REJECTED),
            target=_A.SUBMITTED,
            who=(Part.AGENCY,),
            label=N_("Submit for the form check"),
            event=AgencySubmitted,
            primary=True,
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
            who=(Part.OPERATOR,),
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
            "suspend",
            sources=(_A.ACTIVE,),
            target=_A.SUSPENDED,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Suspend"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "resume",
            sources=(_A.SUSPENDED,),
            target=_A.ACTIVE,
            who=(Part.OPERATOR, Part.REGULATOR),
            label=N_("Lift the suspension"),
            event=AgencyStandingChanged,
            needs_reason=True,
        ),
        Transition(
            "exit",
            sources=(_A.ACTIVE, _A.SUSPENDED),
            target=_A.EXITED,
            who=(Part.AGENCY,),
            label=N_("Leave the supermarket"),
            event=AgencyStandingChanged,
            needs_reason=True,
            danger=True,
        ),
    ),
    labels={
        _A.DRAFT: N_("Not submitted yet"),
        _A.SUBMITTED: N_("Waiting for the form check"),
        _A.RETURNED: N_("Returned for correction"),
        _A.PUBLICITY: N_("In publicity"),
        _A.ACTIVE: N_("Admitted"),
        _A.SUSPENDED: N_("Suspended"),
        _A.REJECTED: N_("Rejected"),
        _A.EXITED: N_("Left the supermarket"),
    },
    next_step={
        _A.DRAFT: N_("The agency completes its particulars and documents, then submits."),
        _A.SUBMITTED: N_("The operator checks the form of the documents."),
        _A.RETURNED: N_("The agency corrects what the reasons name and submits again."),
        _A.PUBLICITY: N_("Anyone may object until the publicity ends; then the agency is admitted by itself."),
        _A.ACTIVE: N_("The agency can offer services and register for procurements."),
        _A.SUSPENDED: N_("The agency may not register for procurements until the suspension is lifted."),
        _A.REJECTED: N_("The agency may correct the causes and submit again."),
        _A.EXITED: N_("The agency no longer takes part."),
    },
    requires={
        _A.SUBMITTED: ("submitted_at", "check_due_at", "commitment_signed_at"),
        _A.PUBLICITY: ("publicity_ends_at",),
        _A.ACTIVE: ("admitted_at",),
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
    ),
    labels={
        _Q.PENDING: N_("Waiting for the check"),
        _Q.VALID: N_("Valid"),
        _Q.REFUSED: N_("Check not passed"),
        _Q.EXPIRED: N_("Expired"),
        _Q.REVOKED: N_("Revoked"),
    },
)
