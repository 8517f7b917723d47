"""Use cases of a contract: drawn up from the award, signed by both sides, delivered, accepted, paid out and closed."""

from marketplace.services.contracts.acceptance import (
    AcceptDeliverable,
    Deliver,
    accept,
    accept_by_silence,
    deliver,
    remind_of_acceptance,
    return_deliverable,
)
from marketplace.services.contracts.deadlines import flag_overdue, renew_provisional_deadline, set_deadline
from marketplace.services.contracts.ending import terminate, terminate_unsigned
from marketplace.services.contracts.money import close, close_if_done, mark_funded
from marketplace.services.contracts.pauses import (
    AskPause,
    ConfirmPause,
    ask_pause,
    confirm_pause,
    lapse_pause,
    refuse_pause,
    resume,
)
from marketplace.services.contracts.signing import SignContract, draw_up_contract, issue_document, sign
from marketplace.services.contracts.telling import Reasoned, locked, tell

__all__ = [
    "AcceptDeliverable",
    "AskPause",
    "ConfirmPause",
    "Deliver",
    "Reasoned",
    "SignContract",
    "accept",
    "accept_by_silence",
    "ask_pause",
    "close",
    "close_if_done",
    "confirm_pause",
    "deliver",
    "draw_up_contract",
    "flag_overdue",
    "issue_document",
    "lapse_pause",
    "locked",
    "mark_funded",
    "refuse_pause",
    "remind_of_acceptance",
    "renew_provisional_deadline",
    "resume",
    "return_deliverable",
    "set_deadline",
    "sign",
    "tell",
    "terminate",
    "terminate_unsigned",
]
