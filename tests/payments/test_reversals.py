"""Refunds of money that was paid out, where the agency's account still has it: the transfer comes back, to the fen."""

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa

from app.kernel import outbox
from app.kernel.access import Actor
from app.kernel.db import db
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.models.payouts import Payout, TransferReversal
from payments.queries import balances, bill_view
from payments.services import DecideRefund
from payments.services.payouts import sync_payout
from payments.services.reversals import send_reversal
from payments.simulator.application import Simulator
from tests.payments.test_held_money import own
from tests.payments.test_outgoing import approved, pass_time, state_of
from tests.payments.test_payment_services import books_agree, control


def test_a_refund_after_release_calls_the_transfer_back_and_the_rest_comes_back_when_the_bank_refuses(
    gateway: StripeGateway, simulator: Simulator, balance: Callable[[int], UUID], account: Callable[..., UUID],
    agency: Actor, operator: Actor, second: Actor,
) -> None:  # fmt: skip
    account()
    bill_id = balance(100_000)
    payout_id = approved(agency, operator)
    outbox.drain_all()
    pass_time(simulator)
    assert (sync_payout(payout_id), own(agency)) == ("paid", (0, 0))
    held_before = balances(["psp:stripe"])["psp:stripe"]
    row = db.session.get(Payout, payout_id)
    assert row is not None
    bank_ref = row.gateway_ref
    db.session.rollback()
    control(
        simulator, "/payout-failures", payout=bank_ref
    )  # its bank returned it to the agency's account; we do not know
    refund_id = services.refund(operator, bill_id, "抽查不合格", 30_000)
    services.approve_refund(second, refund_id, DecideRefund())
    assert own(agency) == (0, 30_000)  # what the agency no longer has with us is its debt
    outbox.drain_all()
    (reversal,) = db.session.scalars(sa.select(TransferReversal))
    reversal_id = reversal.id
    assert (reversal.state, reversal.amount_fen, own(agency)) == ("done", 30_000, (0, 0))
    assert balances([f"refund_pending:{refund_id}"]) == {f"refund_pending:{refund_id}": 0}
    assert balances(["psp:stripe"])["psp:stripe"] == held_before  # 30,000 came back and went to the payer
    assert bill_view(bill_id).state == "released"
    books_agree()
    db.session.rollback()
    send_reversal(reversal_id)  # a repeat moves nothing
    assert own(agency) == (0, 0)
    db.session.rollback()
    assert sync_payout(payout_id) == "failed"  # now we hear of the bank: the other 70,000 come back
    assert (state_of(payout_id), own(agency)) == ("failed", (70_000, 0))
    assert balances([f"payout_pending:{payout_id}"]) == {f"payout_pending:{payout_id}": 0}
    assert balances(["psp:stripe"])["psp:stripe"] == held_before + 70_000
    books_agree()
