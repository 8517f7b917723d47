"""What staff read about a task and about a carrier that does not answer. Catalogue messages."""

from typing import Final

from app.kernel.words import N_
from delivery.doorstep import IdType
from delivery.models.tasks import TaskKind

TASK_TITLES: Final = {
    TaskKind.BOOKING_REFUSED: N_("The carrier refused the order"),
    TaskKind.BOOKING_UNCLEAR: N_("The carrier may already hold this order"),
    TaskKind.EXTRA_WAYBILL: N_("A second waybill exists and could not be cancelled"),
    TaskKind.MISSING_AT_HANDOVER: N_("Missing when the list was handed over"),
    TaskKind.NOT_COLLECTED: N_("Handed over, but not collected"),
    TaskKind.STALLED: N_("No report for a long time"),
    TaskKind.DELIVERY_FAILED: N_("Could not be delivered"),
    TaskKind.DOUBTFUL_DELIVERY: N_("Delivered, but not to the receiver in person"),
    TaskKind.DELIVERY_REVOKED: N_("The carrier took the delivery back"),
    TaskKind.RETURNING: N_("On its way back to the hall"),
    TaskKind.LOST: N_("Lost by the carrier"),
    TaskKind.CONTRADICTION: N_("Reports contradict each other"),
    TaskKind.UNKNOWN_CODE: N_("Report with an unknown code"),
    TaskKind.UNCONFIRMED_NOTICE: N_("Notice that the carrier does not confirm"),
    TaskKind.DISPUTED: N_("The receiver says it did not arrive"),
    TaskKind.CUSTODY_GAP: N_("The chain of hand-overs has a gap"),
    TaskKind.KEPT_TOO_LONG: N_("Kept for collection, but not collected"),
    TaskKind.CALL_RECEIVER: N_("Came back: call the receiver"),
    TaskKind.CLAIM_UNANSWERED: N_("The carrier has not answered a claim"),
    TaskKind.SOURCES_DISAGREE: N_("The second source tells another story"),
    TaskKind.DOUBTFUL_PROOF: N_("The courier's record does not prove the delivery"),
    TaskKind.TWO_DELIVERIES: N_("Two couriers recorded a delivery of this parcel"),
    TaskKind.CODE_LOCKED: N_("The pick-up code was wrong five times"),
    TaskKind.SERVE_DEADLINE: N_("The statutory term to serve it is running out"),
    TaskKind.WISH: N_("The receiver wants another day"),
    TaskKind.INTERCEPT: N_("The receiver wants the parcel stopped"),
}
WAYS_OUT: Final = {
    TaskKind.BOOKING_REFUSED: N_("Correct the receiver's address or telephone, then ask again."),
    TaskKind.BOOKING_UNCLEAR: N_("Ask the carrier for the number of this order and enter it; do not order again."),
    TaskKind.EXTRA_WAYBILL: N_("Ask the carrier to stop the number named here, so that only one is live."),
    TaskKind.MISSING_AT_HANDOVER: N_(
        "Look for the parcel. Found: put it on the next list. Not found: tell the supervisor."
    ),
    TaskKind.NOT_COLLECTED: N_("Ask the courier whether the parcel was scanned."),
    TaskKind.STALLED: N_("Ask the carrier (11183) for the parcel; open a claim if it cannot be found."),
    TaskKind.DELIVERY_FAILED: N_("Call the receiver: another time, another address, or collection at the post office."),
    TaskKind.DOUBTFUL_DELIVERY: N_(
        "Call the receiver. Received: count as delivered with a reason. Otherwise ask the carrier."
    ),
    TaskKind.DELIVERY_REVOKED: N_("The receiver was told. Watch for the next attempt."),
    TaskKind.RETURNING: N_("Scan it back in when it arrives; then send again or keep it for collection."),
    TaskKind.LOST: N_("Have the contents issued again and claim the loss."),
    TaskKind.CONTRADICTION: N_("Ask the carrier which report is right."),
    TaskKind.UNKNOWN_CODE: N_("Tell the operator, so that the code table is completed."),
    TaskKind.UNCONFIRMED_NOTICE: N_(
        "Nothing was changed. If it repeats, tell the operator: the key may be known to others."
    ),
    TaskKind.SOURCES_DISAGREE: N_("Nothing was changed. Ask the carrier (11183) which of the two is right."),
    TaskKind.DISPUTED: N_("Call the receiver and ask the carrier for the proof of delivery."),
    TaskKind.CUSTODY_GAP: N_(
        "Find out who held the paper in between and note it here; look at the chain of the parcel."
    ),
    TaskKind.KEPT_TOO_LONG: N_(
        "Call the receiver again; then send it again or give it back to the certificate centre."
    ),
    TaskKind.CALL_RECEIVER: N_("Ask for another time or address, then decide at the returns desk."),
    TaskKind.CLAIM_UNANSWERED: N_("Ask the carrier (11183) for the answer and enter it at the claim."),
    TaskKind.DOUBTFUL_PROOF: N_(
        "Look at the proof and call the receiver. Received: count as delivered with a reason. Otherwise ask the courier."
    ),
    TaskKind.TWO_DELIVERIES: N_("Compare both proofs and ask both couriers: only one of them can be right."),
    TaskKind.CODE_LOCKED: N_("Ask the courier and the receiver what happened; then let the code be tried again."),
    TaskKind.SERVE_DEADLINE: N_(
        "Send it today, or have the receiver collect it at the window: the term is set by law."
    ),
    TaskKind.WISH: N_("Tell the carrier (11183) the day that the receiver named."),
    TaskKind.INTERCEPT: N_("Ask the carrier (11183) to stop the parcel and bring it back, then send it again."),
}

_NOT_REACHED: Final = N_("The carrier could not be reached. It is asked again by itself; nothing is lost.")
_NO_ANSWER: Final = N_(
    "The carrier did not answer in time. Whether it took the request is not known; the same request is repeated and cannot "
    "make a second order."
)
_BROKEN: Final = N_("The carrier's answer could not be read. The same request is repeated by itself.")
_TROUBLE: Final = N_("The carrier's system reports trouble of its own. It is asked again by itself.")
_BLOCKED: Final = N_(
    "A gateway blocked the request. It is asked again by itself; if this lasts, tell the operator to check the network release."
)
_REFUSED: Final = N_("The carrier refused the request. Correct what it names, then ask again.")
_BUSY: Final = N_("The carrier answers too many requests at the moment. It is asked again by itself.")
_PROBLEMS: Final = {
    "connection-refused": _NOT_REACHED, "connection-lost": _NO_ANSWER, "ConnectionError": _NOT_REACHED,
    "ConnectTimeout": _NOT_REACHED, "InvalidURL": _NOT_REACHED, "ReadTimeout": _NO_ANSWER, "unreadable": _BROKEN,
    "BadReply": _BROKEN, "ChunkedEncodingError": _BROKEN, "S00001": _TROUBLE, "http-405": _BLOCKED, "http-403": _BLOCKED,
    "http-429": _BUSY, "B00001": _REFUSED,
}  # fmt: skip


def carrier_problem(problem: str) -> str:
    """The catalogue message for a stored failure ("<code> <the carrier's words>"): what happened and what follows."""
    code = problem.split(" ", 1)[0].rstrip(";")
    if code.startswith("http-5"):
        return _TROUBLE
    return _PROBLEMS.get(code, _BROKEN)


ID_TYPES: Final = {
    IdType.RESIDENT_CARD: N_("Resident identity card"),
    IdType.HOUSEHOLD_BOOK: N_("Household register"),
    IdType.MILITARY_OR_POLICE: N_("Military or police card"),
    IdType.TRAVEL_PERMIT: N_("Travel permit (Hong Kong, Macao, Taiwan)"),
    IdType.PASSPORT: N_("Passport"),
    IdType.DRIVING_LICENCE: N_("Driving licence"),
}
