"""States of an approval case (办件) with the national state codes, of a certificate and of the service of the result (送达)."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from approvals.events import CaseDecided


class Part(StrEnum):
    """Who an actor is to one case."""

    APPLICANT = "applicant"  # the person who applied, or a member of the organisation that did
    WINDOW = "window"  # clerk of the combined window (综合窗口): receives and accepts, does not decide
    DEPARTMENT = "department"  # the approving department of this case's item: decides, does not receive
    CERTIFICATE_CENTRE = "certificate_centre"  # prints certificates for every department (制证中心)
    WATCHER = "watcher"  # regulator or auditor: reads along
    SYSTEM = "system"


class CaseState(StrEnum):
    """Where a case stands. Every state from the receipt on has a national code."""

    SUBMITTED = "submitted"  # 待接件 (before the national vocabulary begins)
    RECEIVED = "received"  # 1 已接件
    WITHDRAWN = "withdrawn"  # 2 已撤件
    ACCEPTED = "accepted"  # 3 已受理
    OUT_OF_REMIT = "out_of_remit"  # 4 不受理
    REFUSED = "refused"  # 5 不予受理
    CORRECTION = "correction"  # 6 补正开始
    CORRECTED = "corrected"  # 7 补正结束
    HANDLING = "handling"  # 8 部门开始办理
    SPECIAL_PROCEDURE = "special_procedure"  # 9 特别程序开始
    SPECIAL_PROCEDURE_ENDED = "special_procedure_ended"  # 10 特别程序结束
    APPROVED = "approved"  # 11 办结(通过)
    APPROVED_WITH_TOLERANCE = "approved_with_tolerance"  # 12 办结(容缺通过)
    REJECTED = "rejected"  # 13 办结(不通过)
    RECALLED = "recalled"  # 14 撤回
    REVOKED = "revoked"  # 15 撤销


WITHOUT_RESULT = (
    CaseState.WITHDRAWN,
    CaseState.OUT_OF_REMIT,
    CaseState.REFUSED,
    CaseState.RECALLED,
    CaseState.REVOKED,
)
"""Cases that end without a result to be served."""

NATIONAL_CODES: dict[CaseState, int] = {
    CaseState.RECEIVED: 1,
    CaseState.WITHDRAWN: 2,
    CaseState.ACCEPTED: 3,
    CaseState.OUT_OF_REMIT: 4,
    CaseState.REFUSED: 5,
    CaseState.CORRECTION: 6,
    CaseState.CORRECTED: 7,
    CaseState.HANDLING: 8,
    CaseState.SPECIAL_PROCEDURE: 9,
    CaseState.SPECIAL_PROCEDURE_ENDED: 10,
    CaseState.APPROVED: 11,
    CaseState.APPROVED_WITH_TOLERANCE: 12,
    CaseState.REJECTED: 13,
    CaseState.RECALLED: 14,
    CaseState.REVOKED: 15,
}

DECIDED = frozenset({CaseState.APPROVED, CaseState.APPROVED_WITH_TOLERANCE, CaseState.REJECTED})
GRANTED = frozenset({CaseState.APPROVED, CaseState.APPROVED_WITH_TOLERANCE})
IN_HAND = frozenset({CaseState.HANDLING, CaseState.SPECIAL_PROCEDURE, CaseState.SPECIAL_PROCEDURE_ENDED})

_S = CaseState
_CHECKED_AT_THE_WINDOW = (_S.RECEIVED, _S.CORRECTED)

CASE = Machine(
    name="case",
    states=CaseState,
    initial=_S.SUBMITTED,
    labels={
        _S.SUBMITTED: N_("Waiting for receipt"),
        _S.RECEIVED: N_("Application received"),
        _S.WITHDRAWN: N_("Withdrawn by the applicant"),
        _S.ACCEPTED: N_("Accepted for handling"),
        _S.OUT_OF_REMIT: N_("Not within remit"),
        _S.REFUSED: N_("Acceptance refused"),
        _S.CORRECTION: N_("Correction asked for"),
        _S.CORRECTED: N_("Correction handed in"),
        _S.HANDLING: N_("Handled by the department"),
        _S.SPECIAL_PROCEDURE: N_("In a special procedure"),
        _S.SPECIAL_PROCEDURE_ENDED: N_("Special procedure ended"),
        _S.APPROVED: N_("Application approved"),
        _S.APPROVED_WITH_TOLERANCE: N_("Approved, material to follow"),
        _S.REJECTED: N_("Not approved"),
        _S.RECALLED: N_("Application recalled"),
        _S.REVOKED: N_("Approval revoked"),
    },
    next_step={
        _S.SUBMITTED: N_("The window looks at the application and receives it."),
        _S.RECEIVED: N_("The window accepts the application, asks for a correction or refuses it with reasons."),
        _S.ACCEPTED: N_("The department takes the case in hand; the statutory limit runs."),
        _S.CORRECTION: N_("The applicant adds what is missing."),
        _S.CORRECTED: N_("The window checks the correction."),
        _S.HANDLING: N_("The department decides within the statutory limit."),
        _S.SPECIAL_PROCEDURE: N_("The hearing, inspection or expert review takes place."),
        _S.SPECIAL_PROCEDURE_ENDED: N_("The department decides within the statutory limit."),
        _S.APPROVED: N_("The certificate is made and served on the applicant."),
        _S.APPROVED_WITH_TOLERANCE: N_("The certificate is served; the applicant hands in the missing material."),
        _S.REJECTED: N_("The written decision is served on the applicant."),
        _S.WITHDRAWN: N_("Nothing is left to do."),
        _S.OUT_OF_REMIT: N_("Apply to the authority in charge."),
        _S.REFUSED: N_("A new application can be made once the reason has gone."),
        _S.RECALLED: N_("Nothing is left to do."),
        _S.REVOKED: N_("Nothing is left to do."),
    },
    transitions=(
        Transition(
            "receive",
            sources=(_S.SUBMITTED,),
            target=_S.RECEIVED,
            who=(Part.WINDOW,),
            label=N_("Receive the application"),
            primary=True,
        ),
        Transition(
            "withdraw",
            sources=(_S.SUBMITTED, _S.RECEIVED, _S.CORRECTION),
            target=_S.WITHDRAWN,
            who=(Part.APPLICANT,),
            label=N_("Withdraw the application"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "accept",
            sources=_CHECKED_AT_THE_WINDOW,
            target=_S.ACCEPTED,
            who=(Part.WINDOW,),
            label=N_("Accept for handling"),
            primary=True,
        ),
        Transition(
            "turn_away",
            sources=(_S.RECEIVED,),
            target=_S.OUT_OF_REMIT,
            who=(Part.WINDOW,),
            label=N_("Not within remit"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "refuse",
            sources=_CHECKED_AT_THE_WINDOW,
            target=_S.REFUSED,
            who=(Part.WINDOW,),
            label=N_("Refuse acceptance"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "ask_correction",
            sources=(_S.RECEIVED,),
            target=_S.CORRECTION,
            who=(Part.WINDOW,),
            label=N_("Ask for a correction"),
            needs_reason=True,
        ),
        Transition(
            "correct",
            sources=(_S.CORRECTION,),
            target=_S.CORRECTED,
            who=(Part.APPLICANT,),
            label=N_("Hand in the correction"),
            needs_reason=True,
            primary=True,
        ),
        Transition(
            "start_handling",
            sources=(_S.ACCEPTED,),
            target=_S.HANDLING,
            who=(Part.DEPARTMENT,),
            label=N_("Take in hand"),
            primary=True,
        ),
        Transition(
            "start_special_procedure",
            sources=(_S.HANDLING,),
            target=_S.SPECIAL_PROCEDURE,
            who=(Part.DEPARTMENT,),
            label=N_("Start a special procedure"),
            needs_reason=True,
        ),
        Transition(
            "end_special_procedure",
            sources=(_S.SPECIAL_PROCEDURE,),
            target=_S.SPECIAL_PROCEDURE_ENDED,
            who=(Part.DEPARTMENT,),
            label=N_("End the special procedure"),
            primary=True,
        ),
        Transition(
            "continue_handling",
            sources=(_S.SPECIAL_PROCEDURE_ENDED,),
            target=_S.HANDLING,
            who=(Part.SYSTEM,),
            label=N_("Go on handling"),
        ),
        Transition(
            "approve",
            sources=(_S.HANDLING,),
            target=_S.APPROVED,
            who=(Part.DEPARTMENT,),
            label=N_("Approve the application"),
            event=CaseDecided,
            primary=True,
        ),
        Transition(
            "approve_with_tolerance",
            sources=(_S.HANDLING,),
            target=_S.APPROVED_WITH_TOLERANCE,
            who=(Part.DEPARTMENT,),
            label=N_("Approve, material to follow"),
            event=CaseDecided,
            needs_reason=True,
        ),
        Transition(
            "reject",
            sources=(_S.HANDLING,),
            target=_S.REJECTED,
            who=(Part.DEPARTMENT,),
            label=N_("Reject the application"),
            event=CaseDecided,
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "recall",
            sources=(_S.HANDLING,),
            target=_S.RECALLED,
            who=(Part.APPLICANT,),
            label=N_("Recall the application"),
            needs_reason=True,
            danger=True,
        ),
        Transition(
            "revoke",
            sources=(_S.APPROVED, _S.APPROVED_WITH_TOLERANCE),
            target=_S.REVOKED,
            who=(Part.DEPARTMENT,),
            label=N_("Revoke the approval"),
            needs_reason=True,
            danger=True,
        ),
    ),
    requires={
        _S.RECEIVED: ("received_at",),
        _S.ACCEPTED: ("accepted_at", "clock_starts_on"),
        _S.HANDLING: ("accepted_at", "clock_starts_on"),
        _S.SPECIAL_PROCEDURE: ("accepted_at", "clock_starts_on"),
        _S.SPECIAL_PROCEDURE_ENDED: ("accepted_at", "clock_starts_on"),
        _S.APPROVED: ("accepted_at", "decided_at", "serve_by"),
        _S.APPROVED_WITH_TOLERANCE: ("accepted_at", "decided_at", "serve_by"),
        _S.REJECTED: ("accepted_at", "decided_at", "serve_by"),
    },
)


class CertificateState(StrEnum):
    """Where the paper (or electronic) certificate stands."""

    QUEUED = "queued"  # 待制证
    PRINTED = "printed"  # 已制证
    SPOILED = "spoiled"  # 作废 (misprinted or lost; the serial is never used again)


_P = CertificateState

CERTIFICATE = Machine(
    name="certificate",
    states=CertificateState,
    initial=_P.QUEUED,
    labels={
        _P.QUEUED: N_("Waiting to be made"),
        _P.PRINTED: N_("Certificate made"),
        _P.SPOILED: N_("Certificate spoiled"),
    },
    next_step={
        _P.QUEUED: N_("The certificate centre makes the certificate."),
        _P.PRINTED: N_("The certificate is served on the applicant."),
        _P.SPOILED: N_("A new one has been queued in its place."),
    },
    transitions=(
        Transition(
            "print",
            sources=(_P.QUEUED,),
            target=_P.PRINTED,
            who=(Part.CERTIFICATE_CENTRE, Part.SYSTEM),
            label=N_("Make the certificate"),
            primary=True,
        ),
        Transition(
            "spoil",
            sources=(_P.PRINTED,),
            target=_P.SPOILED,
            who=(Part.CERTIFICATE_CENTRE, Part.SYSTEM),
            label=N_("Spoiled, make a new one"),
            needs_reason=True,
            danger=True,
        ),
    ),
    requires={_P.PRINTED: ("serial", "printed_at"), _P.SPOILED: ("serial", "printed_at")},
)


class ServiceState(StrEnum):
    """Where the service of the result on the applicant stands (送达)."""

    CHOSEN = "chosen"  # 已选择送达方式
    READY = "ready"  # 待送达
    SERVED = "served"  # 已送达


class ServiceMode(StrEnum):
    """How the applicant wants the result (送达方式)."""

    ELECTRONIC = "electronic"  # 电子送达
    WINDOW = "window"  # 窗口自取
    COURIER = "courier"  # 邮寄送达
    DEPOSIT = "deposit"  # 寄存领取：邮政自提、代收点


SERVICE_MODE_LABELS = {
    ServiceMode.ELECTRONIC: N_("Electronic certificate"),
    ServiceMode.WINDOW: N_("Collect at the window"),
    ServiceMode.COURIER: N_("By courier"),
    ServiceMode.DEPOSIT: N_("By post to a collection point near me"),
}
CARRIED = (ServiceMode.COURIER, ServiceMode.DEPOSIT)
"""The ways that need a parcel."""


class Signatory(StrEnum):
    """Who may sign for the courier's envelope."""

    SELF = "self"
    AGENT = "agent"


SIGNATORY_LABELS = {
    Signatory.SELF: N_("Only the receiver in person"),
    Signatory.AGENT: N_("The receiver or an agent with the pick-up code"),
}

_V = ServiceState

SERVICE = Machine(
    name="service",
    states=ServiceState,
    initial=_V.CHOSEN,
    labels={
        _V.CHOSEN: N_("Chosen, waiting for the decision"),
        _V.READY: N_("Ready to be served"),
        _V.SERVED: N_("Served"),
    },
    transitions=(
        Transition(
            "make_ready",
            sources=(_V.CHOSEN,),
            target=_V.READY,
            who=(Part.SYSTEM,),
            label=N_("The result is ready"),
        ),
        Transition(
            "take_back",
            sources=(_V.READY,),
            target=_V.CHOSEN,
            who=(Part.SYSTEM,),
            label=N_("The result is made again"),
        ),
        Transition(
            "serve",
            sources=(_V.READY,),
            target=_V.SERVED,
            who=(Part.WINDOW, Part.SYSTEM),
            label=N_("Hand over to the applicant"),
            primary=True,
        ),
        Transition(
            "reopen",
            sources=(_V.SERVED,),
            target=_V.READY,
            who=(Part.SYSTEM,),
            label=N_("Delivery revoked by the carrier"),
        ),
    ),
    requires={_V.SERVED: ("served_at", "signer_name")},
)

MACHINES = (CASE, CERTIFICATE, SERVICE)
