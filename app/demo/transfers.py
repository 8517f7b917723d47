"""Bank transfers in the demonstration: found and confirmed, of an unknown payer, waiting for the second clerk."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.shelf import specimen
from app.demo.simulation import Simulation
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.db import db, get
from payments import services
from payments.gateways import gateway_for
from payments.models.bills import Bill
from payments.models.payments import Payment, PaymentBill
from payments.rules import BANK_TRANSFER
from payments.services import BillKind, DecideEntry, EnterMovement, HandInVoucher
from payments.states import BillState, Standing


class BankDesk:
    """Payers who transfer at their own bank, and the two clerks who read the statement."""

    def __init__(self, simulation: Simulation, cast: Cast) -> None:
        self.simulation, self.cast = simulation, cast
        self.first, self.second = cast.panel[Role.OPERATOR], cast.second_operator
        self.payers = {owner.actor.organisation_id: (owner.actor, owner.name) for owner in cast.owners}
        self.account = _account_for(BillKind.SERVICE_FEE)

    def plan(self) -> None:
        """One transfer that pays a bill, and one that nobody can place."""
        if self.account is None:
            return
        self.simulation.plan(self.simulation.end - timedelta(days=5, hours=6), self._found_and_confirmed)
        self.simulation.plan(self.simulation.end - timedelta(days=3, hours=6), self._of_an_unknown_payer)

    def pay(self, payer: Actor, bill_id: UUID, bank_ref: str) -> bool:
        """Pay a bill by a transfer that both clerks have seen. Returns whether it is paid now."""
        account = _account_for(BillKind(get(Bill, bill_id).kind))
        if account is None:
            return False
        _, name = self.payers[payer.organisation_id]
        self._confirm(self._enter(self._start(payer, bill_id), name, bank_ref, account))
        return get(Bill, bill_id).state == BillState.PAID

    def _found_and_confirmed(self) -> None:
        started = self._transfer()
        if started is not None:
            self._confirm(self._enter(*started, "2026110700183321", self.account))

    def _of_an_unknown_payer(self) -> None:
        moved_at = clock.now() - timedelta(hours=3)
        assert self.account is not None
        entry = EnterMovement(self.account, "2026110900027714", "连云港某某商贸有限公司", 320_000, moved_at)
        self._confirm(services.enter_movement(self.first, entry))

    def _confirm(self, entry_id: UUID) -> None:
        services.confirm_entry(self.second, entry_id, DecideEntry())
        outbox.drain_all()

    def leave_open(self) -> None:
        """Today one transfer was found by the first clerk only, and of another one there is just the payer's voucher."""
        if self.account is None:
            return
        with clock.at(clock.now() - timedelta(minutes=50)):
            started = self._transfer()
            if started is not None:
                self._enter(*started, "2026111200064580", self.account)
            self._transfer()
        outbox.drain_all()

    def _transfer(self) -> tuple[UUID, str] | None:
        """A payer chooses the transfer for a bill that is due, and hands the slip in."""
        found = db.session.execute(
            sa.select(Bill.id, Bill.payer_organisation_id)
            .where(
                Bill.state == BillState.OPEN,
                Bill.kind == BillKind.SERVICE_FEE,
                Bill.payer_organisation_id.in_(self.payers),
                ~sa.exists().where(PaymentBill.bill_id == Bill.id, PaymentBill.standing == Standing.LIVE),
            )
            .order_by(Bill.amount_fen.desc())
            .limit(1)
        ).first()
        if found is None:
            return None
        actor, name = self.payers[found.payer_organisation_id]
        payment_id = self._start(actor, found.id)
        return payment_id, name

    def _start(self, actor: Actor, bill_id: UUID) -> UUID:
        payment_id = services.start_payment(actor, bill_id, services.StartPayment(method=BANK_TRANSFER))
        services.send_payment(payment_id)
        db.session.expunge_all()
        services.hand_in_voucher(actor, payment_id, HandInVoucher(specimen("银行转账回单"), "已按页面提示填写附言"))
        return payment_id

    def _enter(self, payment_id: UUID, name: str, bank_ref: str, account: str | None) -> UUID:
        payment = get(Payment, payment_id)
        assert account is not None, "the payer was offered it"
        moved_at = clock.now() - timedelta(minutes=10)
        return services.enter_movement(
            self.first,
            EnterMovement(account, bank_ref, name, payment.amount_fen, moved_at, payment.number),
        )


def _account_for(kind: BillKind) -> str | None:
    """The bank account of this installation that takes such money."""
    here = gateway_for(BANK_TRANSFER, kind)
    return here.code if here is not None else None
