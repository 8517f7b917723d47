"""The books of the demonstration: compared every night, closed every morning, with differences found and explained."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.cashier import Cashier
from app.demo.people import Cast
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from payments.gateways import gateway
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.reconciliation import DayClose, Mismatch
from payments.queries.closing import day_page
from payments.services import reconciliation
from payments.services.reconciliation import Explain, ReopenDay, SignDay
from payments.states import DayState, MismatchKind, MismatchState

DAILY: Final = 12
"""So many last days are compared and closed each by each; those before them once a week."""


class BookKeepers:
    """Two operators who compare, explain and close. What they find is made at the provider, not written into our tables."""

    def __init__(self, simulation: Simulation, cast: Cast, cashier: Cashier) -> None:
        self.simulation, self.cashier = simulation, cashier
        self.first, self.second = cast.panel[Role.OPERATOR], cast.second_operator

    def plan(self) -> None:
        """Weekly, then daily, closes; and what goes wrong at the provider in the last days."""
        last = clock.beijing_day(self.simulation.end)
        days = (self.simulation.end - self.simulation.start).days
        for back in (*range(days - days % 7, DAILY, -7), *range(DAILY, 0, -1)):
            day = last - timedelta(days=back)
            self.simulation.plan(at_hour(day, 2.5), reconciliation.check_books)
            self.simulation.plan(at_hour(day, 2.6), reconciliation.watch_stuck)
            self.simulation.plan(at_hour(day, 8.9), self._close_what_is_over)
        self.simulation.plan(at_hour(last - timedelta(days=9), 15), lambda: self._stray(100))
        self.simulation.plan(at_hour(last - timedelta(days=8), 8.5), self._book_the_stray)
        self.simulation.plan(at_hour(last - timedelta(days=6), 16), self._fee_corrected)
        self.simulation.plan(at_hour(last - timedelta(days=5), 8.5), self._explain_the_fee)
        self.simulation.plan(at_hour(last - timedelta(days=3), 15), lambda: self._stray(8_800))

    # --- closing days ---------------------------------------------------------------------------------------------

    def _close_what_is_over(self) -> None:
        reconciliation.open_days()
        rows = sa.select(DayClose.id).where(DayClose.state == DayState.OPEN).order_by(DayClose.day)
        for number, close_id in enumerate(db.session.scalars(rows).all()):
            one, other = (self.first, self.second) if number % 2 else (self.second, self.first)
            self._sign(one, close_id)
            reconciliation.confirm_day(other, close_id, Plain())

    def _sign(self, actor: Actor, close_id: UUID) -> None:
        view = day_page(actor, close_id)
        assert view.figures is not None, "an open day shows the figures of now"
        fits = view.figures.fits and not view.open_mismatches
        reason = None if fits else "差异已登记在对账差异清单，正在与支付机构核实，不影响当日资金划付。"
        command = SignDay(view.figures.bank_in_fen, view.figures.bank_out_fen, reason)
        reconciliation.sign_day(actor, close_id, command)

    def leave_open(self) -> None:
        """Today the books were compared; yesterday's close was sent back once, is signed, and waits for the second person."""
        reconciliation.check_books()
        reconciliation.watch_stuck()
        reconciliation.open_days()
        newest = sa.select(DayClose.id).where(DayClose.state == DayState.OPEN).order_by(DayClose.day)
        left = db.session.scalars(newest).all()
        for close_id in left[:1]:
            self._sign(self.second, close_id)
            why = "银行流水少记一笔，请补登后重新签字。"
            reconciliation.send_day_back(self.first, close_id, ReopenDay(why))
            self._sign(self.second, close_id)
        self._stray(1_000)
        reconciliation.check_books(self.first)
        booked = self._newest(MismatchKind.MISSING_HERE)
        if booked is not None:
            reconciliation.book_mismatch(self.first, booked, Explain("服务商后台的连通性测试付款，先记入待查款项。"))

    # --- what goes wrong at the provider -----------------------------------------------------------------------------

    def _stray(self, fen: int) -> None:
        """Somebody tries a payment in the provider's own dashboard: money comes in that we know nothing of."""
        here = gateway()
        assert isinstance(here, StripeGateway), "the cashier of the demonstration"
        here.client.v1.payment_intents.create({
            "amount": fen, "currency": "cny", "confirm": True, "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"], "description": "后台连通性测试",
        })  # fmt: skip

    def _book_the_stray(self) -> None:
        found = self._newest(MismatchKind.MISSING_HERE)
        if found is not None:
            reconciliation.book_mismatch(
                self.first, found, Explain("支付机构技术人员在后台做的测试付款，先记入待查款项。")
            )
            why = "已与支付机构客户经理电话核实并取得书面说明，测试款由其原路退回。"
            reconciliation.close_mismatch(self.second, found, Explain(why))

    def _fee_corrected(self) -> None:
        """The provider corrects the fee of a charge of the day before."""
        key = db.session.scalar(
            sa.select(LedgerTransaction.key)
            .where(LedgerTransaction.kind == "charge", LedgerTransaction.key.startswith(f"{gateway().code}:"))
            .order_by(LedgerTransaction.effective_at.desc())
            .limit(1)
        )
        db.session.rollback()
        if key is not None:
            self.cashier.correct_fee(key.partition(":")[2], 6)

    def _explain_the_fee(self) -> None:
        found = self._newest(MismatchKind.AMOUNT)
        if found is not None:
            why = "支付机构补收境外卡手续费0.06元，附其更正通知；差额列入手续费支出。"
            reconciliation.close_mismatch(self.second, found, Explain(why))

    @staticmethod
    def _newest(kind: MismatchKind) -> UUID | None:
        return db.session.scalar(
            sa.select(Mismatch.id)
            .where(Mismatch.kind == kind, Mismatch.state == MismatchState.OPEN, Mismatch.gateway == gateway().code)
            .order_by(Mismatch.found_at.desc(), Mismatch.id.desc())
            .limit(1)
        )
