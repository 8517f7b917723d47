"""The rules of money that leaves: payouts, disputes, parts of bills. Added to the others by `Story`'s child here."""

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import rule

from app.kernel.access import SYSTEM
from app.kernel.db import db
from payments import services
from payments.models.disputes import PaymentDispute
from payments.models.payments import Payment
from payments.models.payouts import Payout
from payments.outgoing_states import OPEN_DISPUTE, PayoutState
from payments.services.payouts import AskPayout, DecidePayout, approve_payout, ask_payout
from payments.simulator.faults import Fault
from payments.states import PaymentState
from tests.payments.stories.machine import NETWORK, PICK, Story, picked

PART = st.sampled_from((1, 50, 9_000))


class OutgoingStory(Story):
    """A story in which money also leaves."""

    @rule(pick=PICK, fen=PART)
    def release_a_part(self, pick: int, fen: int) -> None:
        self.world.quietly(lambda: services.release_held(SYSTEM, picked(self.bills, pick), "阶段验收", fen))

    @rule(pick=PICK, fen=PART, network=NETWORK)
    def refund_a_part(self, pick: int, fen: int, network: Fault | None) -> None:
        self.world.quietly(lambda: services.refund(SYSTEM, picked(self.bills, pick), "范围缩减", fen))
        self.decide(999, yes=True, network=network)

    @rule(fen=st.sampled_from((None, 1, 5_000)), network=NETWORK)
    def pay_out(self, fen: int | None, network: Fault | None) -> None:
        agency = self.world.agency
        assert agency.organisation_id is not None
        organisation = agency.organisation_id
        self.world.quietly(lambda: ask_payout(agency, organisation, AskPayout(fen)))
        asked = db.session.scalar(sa.select(Payout.id).where(Payout.state == PayoutState.REQUESTED).limit(1))
        if asked is None:
            return
        self.world.quietly(lambda: approve_payout(self.world.operators[0], asked, DecidePayout()))
        self.world.strike(network)
        self.world.work()

    @rule(pick=PICK, fen=PART)
    def a_payers_bank_disputes(self, pick: int, fen: int) -> None:
        succeeded = sa.select(Payment.payment_ref).where(Payment.state == PaymentState.SUCCEEDED).order_by(Payment.id)
        refs = list(db.session.scalars(succeeded))
        db.session.rollback()
        if not refs:
            return
        store = self.world.simulator.backend.store
        with store.transaction():
            intent = store.find(str(refs[pick % len(refs)]))
            charge = store.find(intent["latest_charge"]) if intent else None
        if charge and not charge["disputed"] and charge["amount"] - charge["amount_refunded"] >= fen:
            self.world.control("disputes", charge=charge["id"], amount=fen)

    @rule(outcome=st.sampled_from(("won", "lost")))
    def the_bank_decides(self, outcome: str) -> None:
        ref = db.session.scalar(
            sa.select(PaymentDispute.gateway_ref).where(PaymentDispute.state.in_(OPEN_DISPUTE)).limit(1)
        )
        if ref:
            self.world.control("dispute-decisions", dispute=ref, outcome=outcome)

    @rule()
    def a_bank_sends_a_payout_back(self) -> None:
        ref = db.session.scalar(sa.select(Payout.gateway_ref).where(Payout.state == PayoutState.PAID).limit(1))
        if ref:
            self.world.control("payout-failures", payout=ref)
