"""The parts an actor can play towards an object of the marketplace.

Transitions and routes name a part; `marketplace.policy` is the only place that decides who plays it.
"""

from enum import StrEnum


class Part(StrEnum):
    """Who an actor is to one object. A person may play several parts at once, or none."""

    OWNER = "owner"  # the purchaser (项目业主) of this procurement or contract
    AGENCY = "agency"  # works for the agency this object belongs to
    REGISTRANT = "registrant"  # works for an agency that registered for this procurement
    WINNER = "winner"  # works for the agency that was selected
    COUNTERPARTY = "counterparty"  # the side of a contract that was asked for its consent
    PROPOSER = "proposer"  # the person who proposed a change of the rules
    PARTY = "party"  # the side that a measure or a rating concerns
    OPERATOR = "operator"  # runs the supermarket (运营机构)
    REGULATOR = "regulator"  # industry regulator or management body (主管部门)
    CHALLENGER = "challenger"  # filed this objection, query or complaint
    RESPONDENT = "respondent"  # works for the side it is directed against
    ADDRESSEE = "addressee"  # answers this objection, query or report
    HANDLER = "handler"  # decides this complaint
    APPROVER = "approver"  # approving department that uses the deliverable
    PUBLIC = "public"  # anybody
    SYSTEM = "system"  # the clock, and reactions to facts of other domains
