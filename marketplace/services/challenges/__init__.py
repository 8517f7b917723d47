"""Objections, queries, complaints and off-list reports: filing, answering, deciding, and what stands still meanwhile."""

from marketplace.services.challenges.commands import (
    AcceptComplaint,
    ExtendLimit,
    FileComplaint,
    FileObjection,
    FileOffListReport,
    Plea,
    Reject,
    State,
    Uphold,
)
from marketplace.services.challenges.complaints import complain, report_off_list_demand
from marketplace.services.challenges.deciding import (
    accept,
    confirm_receipt,
    count_as_served,
    decline,
    extend,
    hand_over,
    raise_alarm,
    reject,
    settle,
    state,
    step_aside,
    uphold,
    withdraw,
)
from marketplace.services.challenges.filing import MOST_FILES, challenger_of, standing_in_procurement
from marketplace.services.challenges.objections import challenge_procurement, object_to_admission

__all__ = [
    "MOST_FILES",
    "AcceptComplaint",
    "ExtendLimit",
    "FileComplaint",
    "FileObjection",
    "FileOffListReport",
    "Plea",
    "Reject",
    "State",
    "Uphold",
    "accept",
    "challenge_procurement",
    "challenger_of",
    "complain",
    "confirm_receipt",
    "count_as_served",
    "decline",
    "extend",
    "hand_over",
    "object_to_admission",
    "raise_alarm",
    "reject",
    "report_off_list_demand",
    "settle",
    "standing_in_procurement",
    "state",
    "step_aside",
    "uphold",
    "withdraw",
]
