"""Money that goes back, in the demonstration: refunds in every state, and disputes of payers' banks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.demo.cashier import Cashier
from app.demo.people import Cast
from app.demo.simulation import Simulation
from app.kernel import clock, outbox
from app.kernel.access import Role
from app.kernel.db import db, get
from payments import services
from payments.gateways import gateway
from payments.gateways.stripe import StripeGateway
from payments.models.bills import Bill
from payments.models.disputes import PaymentDispute
from payments.models.payments import Payment, PaymentBill
from payments.models.refunds import Refund
from payments.services.disputes import AnswerDispute, answer_dispute, find_disputes, sync_dispute
from payments.states import BillKind, BillState, Standing

_LONG = 40 * 24 * 3600
WALLETS = ("alipay", "wechat_pay")


class MoneyBack:
    """Refunds asked for by one operator and decided by another, and a dispute that was answered and won."""

    def __init__(self, simulation: Simulation, cast: Cast, cashier: Cashier) -> None:
        self.simulation, self.cashier = simulation, cashier
        self.first, self.second = cast.panel[Role.OPERATOR], cast.second_operator

    def plan(self) -> None:
        """Spread them over the last two weeks."""
        end = self.simulation.end
        self.simulation.plan(end - timedelta(days=12, hours=5), self._lost_on_its_way)
        self.simulation.plan(end - timedelta(days=9, hours=5), self._refunded)
        self.simulation.plan(end - timedelta(days=6, hours=5), self._refused)
        self.simulation.plan(end - timedelta(days=4, hours=5), self._sent_back_by_the_wallet)
        self.simulation.plan(end - timedelta(days=8, hours=4), self._dispute_won)

    def _ask(self, reason: str, *, kind: BillKind = BillKind.COURIER_FEE, part: float = 1.0) -> UUID | None:
        """Ask for a refund of the newest bill that a wallet paid and nobody has asked back yet."""
        found = _paid(kind, WALLETS)
        if found is None:
            return None
        amount = max(1, round(get(Bill, found).amount_fen * part) // 100 * 100)
        return services.refund(self.first, found, reason, amount)

    def _approve(self, refund_id: UUID) -> None:
        services.approve_refund(self.second, refund_id, services.DecideRefund())
        outbox.drain_all()

    def _lost_on_its_way(self) -> None:
        """The wallet takes the refund and does not say for weeks that it has arrived: it is found as stuck."""
        with self.cashier.slow_refunds(_LONG):
            refund_id = self._ask("申请人改为到窗口自取，退回寄递费")
            if refund_id is not None:
                self._approve(refund_id)

    def _refunded(self) -> None:
        refund_id = self._ask("邮件未按承诺时限送达，按服务承诺退回寄递费")
        if refund_id is not None:
            self._approve(refund_id)
            later = self.simulation.now + timedelta(hours=1)
            self.simulation.plan(later, lambda: _follow(refund_id))

    def _refused(self) -> None:
        refund_id = self._ask("申请人称重复缴费")
        if refund_id is not None:
            why = "经核对银行流水，该笔寄递费只收到一次，无重复缴费。"
            services.reject_refund(self.second, refund_id, services.DecideRefund(reason=why))

    def _sent_back_by_the_wallet(self) -> None:
        refund_id = self._ask("一次寄递两本证照，多收一件费用")
        if refund_id is not None:
            self._approve(refund_id)
            ref = get(Refund, refund_id).gateway_ref
            assert ref is not None, "the simulator answered"
            self.cashier.fail_refund(ref)
            _follow(refund_id)

    def _dispute_won(self) -> None:
        """The holder of a card disputes a courier fee; our answer convinces the bank."""
        dispute_id = _disputed(self.cashier, BillKind.COURIER_FEE)
        if dispute_id is None:
            return
        answer = "该件由申请人本人于签收日凭取件码签收，附投递签收记录与轨迹。"
        answer_dispute(self.first, dispute_id, AnswerDispute(answer))
        outbox.drain_all()
        self.cashier.decide(get(PaymentDispute, dispute_id).gateway_ref, "won")
        sync_dispute(dispute_id)

    def leave_open(self) -> None:
        """Today one refund waits for approval, one is on its way, and a card payment of a running service is disputed."""
        self._ask("现场采样点位由12个减为10个，按合同单价退回差额", kind=BillKind.SERVICE_FEE, part=0.1)
        with self.cashier.slow_refunds(_LONG), clock.at(clock.now() - timedelta(minutes=20)):
            refund_id = self._ask("同一批结果合并寄递，退回一件寄递费")
            if refund_id is not None:
                self._approve(refund_id)
        _disputed(self.cashier, BillKind.SERVICE_FEE)
        outbox.drain_all()


def _follow(refund_id: UUID) -> None:
    db.session.rollback()
    services.sync_refund(refund_id)


def _paid(kind: BillKind, methods: tuple[str, ...]) -> UUID | None:
    """The newest paid bill of a kind that was paid by one of these methods and of which nothing was asked back."""
    return db.session.scalar(
        _credited(kind, methods).with_only_columns(Bill.id).where(~sa.exists().where(Refund.bill_id == Bill.id))
    )


def _credited(kind: BillKind, methods: tuple[str, ...]) -> sa.Select[Payment]:
    return (
        sa.select(Payment)
        .join(PaymentBill, PaymentBill.payment_id == Payment.id)
        .join(Bill, Bill.id == PaymentBill.bill_id)
        .where(PaymentBill.standing == Standing.CREDITED, Payment.method.in_(methods),
               Bill.kind == kind, Bill.state == BillState.PAID)
        .order_by(Payment.started_at.desc(), Bill.number)
        .limit(1)
    )  # fmt: skip


def _disputed(cashier: Cashier, kind: BillKind) -> UUID | None:
    """Have the newest card payment of such bills disputed; returns the dispute."""
    payment = db.session.scalar(_credited(kind, ("card",)))
    if payment is None or payment.payment_ref is None:
        return None
    payment_id, ref = payment.id, payment.payment_ref
    db.session.rollback()
    here = gateway()
    assert isinstance(here, StripeGateway), "the cashier of the demonstration"
    cashier.dispute(str(here.client.v1.payment_intents.retrieve(ref).latest_charge))
    find_disputes(payment_id)
    return db.session.scalar(sa.select(PaymentDispute.id).where(PaymentDispute.payment_id == payment_id))
