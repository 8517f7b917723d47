"""DIRECT (直接选取): the owner names the agency; when that is allowed, and the published result.

Typical practice, each number a parameter: small amounts, an emergency, the continuation of an earlier service, after repeated
failures, and private money without a limit. Public money needs the record of a collective decision and an approval.
"""

from marketplace.rulebook import RuleBook
from marketplace.rules.selection.gates import is_public_money
from marketplace.rules.selection.outcome import Inputs, Reason, ReasonCode, Step, conclude, failed, listed
from marketplace.rules.selection.terms import DirectGround


def next_step(inputs: Inputs, book: RuleBook) -> Step:  # noqa: ARG001 - every method has the same signature
    """The named agency alone."""
    named = inputs.choice.registration_id if inputs.choice else None
    found = [entrant for entrant in listed(inputs) if entrant.registration_id == named]
    if not found or inputs.choice is None:
        return failed(inputs, "ranking_exhausted")
    return conclude(inputs, [(found[0], Reason(ReasonCode.NAMED, {"why": inputs.choice.reason}))], {})


def allowed_grounds(book: RuleBook, *, fund_source: str, price_fen: int, failures: int) -> tuple[DirectGround, ...]:
    """The grounds (理由) on which this purchase may choose directly; empty when it may not."""
    found = []
    if not is_public_money(fund_source):
        found.append(DirectGround.OWN_CHOICE)
    else:
        if price_fen <= book.direct_max_amount_fen:
            found.append(DirectGround.SMALL_AMOUNT)
        found += [DirectGround.EMERGENCY, DirectGround.CONTINUITY]
    if failures >= book.direct_after_failures:
        found.append(DirectGround.AFTER_FAILURES)
    return tuple(found)


def needs_document(fund_source: str) -> bool:
    """Whether the record of a collective decision (集体决策) must come with the request."""
    return is_public_money(fund_source)


def decided_by_regulator(fund_source: str) -> bool:
    """Whether the regulator decides the request (public money) and not the operator."""
    return is_public_money(fund_source)
