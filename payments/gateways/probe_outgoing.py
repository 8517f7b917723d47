"""Conformance steps of money that goes out, through the adapter itself: accounts, transfers, payouts, refunds, disputes.

Stripe's documented test triggers make the outcome: bank account numbers that refuse, cards whose refund waits or comes
back, a card that is disputed, and evidence that wins or loses.
"""

from uuid import UUID, uuid4

import stripe

from payments.gateways.probing import FEN, Probe, Step, confirmed, key_of, must, refused, until
from payments.gateways.stripe_outgoing import StripeOutgoing
from payments.outgoing_ports import DisputeFact, NotSettled

GOOD_ACCOUNT, CLOSED_ACCOUNT = "000123456789", "000111111113"
_PART = 1_000
_TOO_MUCH = 99_999_999
_HOLDER = "Probe"


def _outgoing(probe: Probe) -> StripeOutgoing:
    return StripeOutgoing(probe.client())


def _account(probe: Probe) -> str:
    organisation_id, key = uuid4(), f"probe-{uuid4()}"
    opened = [_outgoing(probe).open_account(_HOLDER, GOOD_ACCOUNT, None, organisation_id, key) for _ in range(2)]
    must(opened[0] == opened[1], "the same key opened two accounts, expected one")
    probe.made["account"] = opened[0]
    return opened[0]


def _transfer(probe: Probe) -> str:
    for _ in range(2):  # enough balance for what follows, whatever the fee
        confirmed(probe, "pm_card_bypassPending")
    payout_id: UUID = uuid4()
    request = _outgoing(probe).transfer_request(probe.made["account"], FEN, payout_id, "probe")
    key = f"probe-{uuid4()}"
    first, again = (_outgoing(probe).transfer(request, key) for _ in range(2))
    must(first.ref == again.ref, "the same key transferred twice, expected once")
    must(first.movement.net_fen == -FEN, f"the movement is over {first.movement.net_fen}, expected {-FEN}")
    probe.made |= {"transfer": first.ref, "payout_id": payout_id, "transfer_movement": first.movement.ref}
    return first.ref


def _transfer_listed(probe: Probe) -> str:
    listed = probe.v1.balance_transactions.list({"limit": 100})
    found = any(one.id == probe.made["transfer_movement"] for one in listed.auto_paging_iter())
    must(found, "the transfer's movement is not listed, expected it among the balance's movements")
    return str(probe.made["transfer_movement"])


def _transfer_found(probe: Probe) -> str:
    found = _outgoing(probe).search_transfer(probe.made["payout_id"])
    ref = found.ref if found is not None else None
    must(ref == probe.made["transfer"], f"found {ref}, expected {probe.made['transfer']}")
    return str(ref)


def _unsettled(probe: Probe) -> str:
    request = _outgoing(probe).transfer_request(probe.made["account"], _TOO_MUCH, uuid4(), "probe")
    try:
        _outgoing(probe).transfer(request, f"probe-{uuid4()}")
    except NotSettled:
        return "balance_insufficient"
    must(condition=False, told="was accepted, expected balance_insufficient")
    return ""


def _called_back(probe: Probe) -> str:
    request = _outgoing(probe).reversal_request(probe.made["transfer"], _PART, uuid4())
    key = f"probe-{uuid4()}"
    first, again = (_outgoing(probe).reverse(request, key) for _ in range(2))
    must(first.ref == again.ref, "the same key called it back twice, expected once")
    must(first.movement.net_fen == _PART, f"the movement is over {first.movement.net_fen}, expected {_PART}")
    back = sum(one.amount_fen for one in _outgoing(probe).fetch_transfer(probe.made["transfer"]).reversals)
    must(back == _PART, f"the transfer says that {back} fen are back, expected {_PART}")
    return first.ref


def _not_more_back(probe: Probe) -> str:
    reversals = probe.v1.transfers.reversals
    return refused(lambda: reversals.create(probe.made["transfer"], {"amount": FEN}), stripe.InvalidRequestError)


def _paid_out(probe: Probe) -> str:
    return _payout(probe, "paid")


def _sent_back(probe: Probe) -> str:
    key = f"probe-{uuid4()}"
    _outgoing(probe).change_account(probe.made["account"], _HOLDER, CLOSED_ACCOUNT, None, key)
    return _payout(probe, "failed")


def _payout(probe: Probe, wanted: str) -> str:
    account, key = probe.made["account"], f"probe-{uuid4()}"
    payout_id = uuid4()
    told, again = (_outgoing(probe).pay_out(account, _PART, payout_id, key) for _ in range(2))
    must(told.ref == again.ref, "the same key paid out twice, expected once")
    status = until(probe, "the payout", lambda: _outgoing(probe).fetch_pay_out(account, told.ref).status, wanted)
    return f"{told.ref} {status}"


def _refund_waits(probe: Probe) -> str:
    intent = confirmed(probe, "pm_card_pendingRefund")
    made = probe.v1.refunds.create({"payment_intent": intent.id, "amount": _PART}, key_of(probe))
    must(made.status == "pending", f"status {made.status}, expected pending")
    until(probe, "the refund", lambda: str(probe.v1.refunds.retrieve(made.id).status), "succeeded")
    return f"{made.id} pending, then succeeded"


def _refund_comes_back(probe: Probe) -> str:
    intent = confirmed(probe, "pm_card_refundFail")
    made = probe.v1.refunds.create({"payment_intent": intent.id, "amount": _PART}, key_of(probe))
    must(made.status == "succeeded", f"status {made.status}, expected succeeded at first")
    until(probe, "the refund", lambda: str(probe.v1.refunds.retrieve(made.id).status), "failed")
    failed = probe.v1.refunds.retrieve(made.id, {"expand": ["failure_balance_transaction"]})
    back = failed.failure_balance_transaction
    must(back is not None and back.amount == _PART, f"the movement back is {back}, expected one over {_PART}")
    return f"{made.id} succeeded, then failed"


def _dispute(probe: Probe) -> str:
    fact = _disputed(probe)
    must(fact.status == "needs_response", f"status {fact.status}, expected needs_response")
    taken = sum(movement.gross_fen for movement in fact.movements)
    must(taken == -FEN, f"{taken} fen were taken, expected {-FEN}")
    probe.made["dispute"] = fact.ref
    return fact.ref


def _disputed(probe: Probe) -> DisputeFact:
    intent = confirmed(probe, "pm_card_createDispute")
    until(probe, "the charge", lambda: str(len(_outgoing(probe).disputes_of(intent.id))), "1")
    (fact,) = _outgoing(probe).disputes_of(intent.id)
    return fact


def _won(probe: Probe) -> str:
    return _answered(probe, probe.made["dispute"], "winning_evidence", "won")


def _lost(probe: Probe) -> str:
    return _answered(probe, _disputed(probe).ref, "losing_evidence", "lost")


def _answered(probe: Probe, ref: str, evidence: str, wanted: str) -> str:
    _outgoing(probe).answer_dispute(ref, evidence, f"probe-{uuid4()}")
    return until(probe, "the dispute", lambda: _outgoing(probe).fetch_dispute(ref).status, wanted)


_CONNECT = "Connect is not switched on, or not for this country: agencies cannot be paid through it"
OUTGOING: tuple[Step, ...] = (
    ("an agency's account opens once for its key", _account, _CONNECT),
    ("a transfer moves once for its key", _transfer, "a repeated request would pay twice: do not use this address"),
    ("its movement is listed", _transfer_listed, "the books cannot be compared: the key may not read movements"),
    ("a transfer is found by our own id", _transfer_found, "a transfer whose answer was lost could not be found again"),
    ("a transfer above the balance is refused", _unsettled, "payouts before settlement would be taken for our mistakes"),
    ("a part is called back once for its key", _called_back, "a repeated request would call back twice: do not use this address"),
    ("more than is left is not called back", _not_more_back, "reversals are not limited by the transfer"),
    ("a payout reaches the bank", _paid_out, "the account's capability `transfers` or its bank account is not active"),
    ("a payout to a closed account comes back", _sent_back, "failed payouts would be taken for paid ones"),
    ("a refund may wait and then succeed", _refund_waits, "refunds to wallets would be told as done too early"),
    ("a refund may come back after success", _refund_comes_back, "money that came back would stay unknown"),
    ("a dispute takes the money at once", _dispute, "the key may not read disputes: their money would be missing"),
    ("evidence wins a dispute", _won, "the key may not answer disputes: answer them in the dashboard"),
    ("a dispute may be lost", _lost, "lost disputes would stay open here"),
)  # fmt: skip
