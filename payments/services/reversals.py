"""Transfers called back: money that was refunded after it had been paid out is asked back from the agency's account.

What cannot be called back stays the agency's debt and is withheld from what it receives next.
"""

import logging
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.db import db, get, in_transaction, lock, new_id, use_case
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import ledger, outgoing_ledger
from payments.gateways import gateway
from payments.gateways.outgoing import outgoing
from payments.models.payouts import Payout, TransferReversal
from payments.outgoing_events import TransferReversalRequested
from payments.outgoing_ports import ReversalFact
from payments.outgoing_states import TRANSFER_REVERSAL, PayoutState, ReversalState
from payments.ports import Declined, Refusal
from payments.services.books import balances_of, post
from payments.states import Part

log = logging.getLogger(__name__)


def call_back_for_debt(refund_id: UUID, agency: UUID, amount_fen: int) -> int:
    """Ask the agency's latest transfers back for a debt, in the caller's transaction; return how much is asked for."""
    left = amount_fen
    rows = db.session.scalars(
        sa.select(Payout)
        .where(
            Payout.payee_organisation_id == agency,
            Payout.state.in_((PayoutState.IN_TRANSIT, PayoutState.PAID)),
            Payout.gateway == gateway().code,  # a transfer that people made at the bank cannot be called back
        )
        .order_by(Payout.requested_at.desc())
        .limit(20)
    ).all()
    for row in rows:
        part = min(left, row.amount_fen - _asked(row.id))
        if part > 0:
            _ask(row, refund_id, part)
            left -= part
        if left == 0:
            break
    return amount_fen - left


def _asked(payout_id: UUID) -> int:
    total = sa.select(sa.func.coalesce(sa.func.sum(TransferReversal.amount_fen), 0)).where(
        TransferReversal.payout_id == payout_id, TransferReversal.state != ReversalState.REFUSED
    )
    return int(db.session.scalar(total) or 0)


def _ask(payout: Payout, refund_id: UUID, amount_fen: int) -> None:
    assert payout.transfer_ref is not None, "what is in transit was transferred"
    reversal_id = new_id()
    row = TransferReversal(
        id=reversal_id,
        thread_id=payout.thread_id,
        payout_id=payout.id,
        refund_id=refund_id,
        payee_organisation_id=payout.payee_organisation_id,
        amount_fen=amount_fen,
        state=ReversalState.REQUESTED.value,
        request=outgoing().reversal_request(payout.transfer_ref, amount_fen, reversal_id),
        idempotency_key=f"reversal-{reversal_id}",
        requested_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    record(row, "request", SYSTEM, title=N_("A transfer is called back"), detail={"amount_fen": amount_fen},
           event=TransferReversalRequested(reversal_id))  # fmt: skip


def send_reversal(reversal_id: UUID) -> None:
    """Call the transfer back: the stored request under the stored key. Raises Unknown when the provider does not answer."""
    assert not in_transaction(), "a call outside must not hold a transaction"
    row = get(TransferReversal, reversal_id, fresh=True)
    state, request, key = row.state, row.request, row.idempotency_key
    db.session.rollback()  # ends the read; nothing stays open while we wait for the provider
    if state != ReversalState.REQUESTED:
        return
    try:
        fact = outgoing().reverse(request, key)
    except (Declined, Refusal) as refusal:
        log.warning("a transfer cannot be called back", extra={"reversal_id": str(reversal_id)}, exc_info=refusal)
        _refuse(reversal_id, str(refusal)[:200])
        return
    apply_reversal(reversal_id, fact)


@use_case
def apply_reversal(reversal_id: UUID, fact: ReversalFact) -> None:
    """Take over a reversal with its movement: it ends the debt, the rest is the agency's balance."""
    row = lock(TransferReversal, reversal_id)
    payout = get(Payout, row.payout_id)
    code = ledger.receivable(row.payee_organisation_id).code
    of_debt = min(fact.amount_fen, balances_of([code]).get(code, 0))
    post(
        outgoing_ledger.transfer_back(payout.gateway, fact.movement, row.payee_organisation_id, of_debt, payout.number)
    )
    if row.state == ReversalState.REQUESTED:
        row.gateway_ref = fact.ref
        move(row, TRANSFER_REVERSAL, "finish", SYSTEM, {Part.SYSTEM}, detail={"amount_fen": fact.amount_fen})


@use_case
def _refuse(reversal_id: UUID, problem: str) -> None:
    row = lock(TransferReversal, reversal_id)
    if row.state == ReversalState.REQUESTED:
        row.problem = problem
        move(row, TRANSFER_REVERSAL, "refuse", SYSTEM, {Part.SYSTEM}, detail={"problem": problem})
