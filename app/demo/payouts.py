"""Money that leaves, in the demonstration: bank accounts in their states, payouts by calendar and by hand, invoices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.shelf import Shelf
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.calendar import beijing_date
from app.kernel.db import db
from app.kernel.files import Upload
from app.kernel.money import Money
from payments.models.bills import Bill
from payments.models.payouts import Payout
from payments.models.tax_papers import TaxPaperKind
from payments.outgoing_jobs import activate_accounts, follow_payouts, request_payouts
from payments.outgoing_states import PayoutState
from payments.queries.agency_money import balance_of
from payments.queries.agency_statements import agencies_with_money
from payments.services import bank_accounts as accounts
from payments.services import payouts
from payments.services.tax_papers import RecordTaxPaper, record_tax_paper
from payments.states import BillKind, BillState

BANKS = (
    "中国建设银行连云港分行",
    "中国工商银行连云港海州支行",
    "江苏银行连云港分行",
    "中国农业银行赣榆支行",
    "交通银行连云港分行",
)
PROOF = Upload("开户许可证.txt", "开户许可证（基本存款账户信息）".encode())
NO_SUCH_ACCOUNT = "000111111116"
"""A number to which payouts fail, as in the provider's own documentation: one agency mistyped its account."""
PAYING_DAYS: Final = 32
"""So many days before today payouts are made; some of the first agencies have entered their accounts before."""
FIRST, LATER = 4, 2
"""Agencies whose accounts are in use, and those whose accounts wait for their checks today."""


class Payouts:
    """Agencies enter accounts; on payout days the calendar asks, two operators approve, and one bank sends it back."""

    def __init__(self, simulation: Simulation, cast: Cast, shelf: Shelf) -> None:
        self.simulation, self.cast, self.shelf = simulation, cast, shelf
        self.first, self.second = cast.panel[Role.OPERATOR], cast.second_operator
        self.entered: list[Actor] = []

    def plan(self) -> None:
        """Accounts first, then every day what the worker and the operators do about payouts."""
        last = clock.beijing_day(self.simulation.end)
        for weeks in range(5):
            self.simulation.plan(at_hour(last - timedelta(days=PAYING_DAYS + 6 - 7 * weeks), 9), self._enter_first)
        for back in range(PAYING_DAYS, -1, -1):
            day = last - timedelta(days=back)
            self.simulation.plan(at_hour(day, 6), self._morning)
            if back > 0:
                self.simulation.plan(at_hour(day, 10.4), self._approve_all)
                self.simulation.plan(at_hour(day, 16), self._follow)
        self.simulation.plan(at_hour(last - timedelta(days=2), 9.3), self._correct_the_mistyped)

    def _enter_first(self) -> None:
        """The first agencies that have received money; the second one mistypes its number."""
        for actor in [actor for actor in self._rich() if actor not in self.entered][: FIRST - len(self.entered)]:
            number = len(self.entered)
            account_id = _enter(actor, number, NO_SUCH_ACCOUNT if number == 1 else None)
            self._check(account_id)
            self._confirm(account_id)
            self.entered.append(actor)

    def _rich(self) -> list[Actor]:
        """People of agencies whose balance may be paid out, that of the sign-in panel first."""
        own = self.cast.panel[Role.AGENCY].organisation_id
        rich = [one for one in agencies_with_money() if one in self.shelf.people and balance_of(one).payable_fen > 0]
        rich.sort(key=lambda one: (one != own, -balance_of(one).payable_fen, str(one)))
        return [self.shelf.people[one] for one in rich]

    def _check(self, account_id: UUID) -> None:
        accounts.check_bank_account(self.first, account_id, accounts.DecideBankAccount())

    def _confirm(self, account_id: UUID) -> None:
        accounts.confirm_bank_account(self.second, account_id, accounts.DecideBankAccount())

    def _morning(self) -> None:
        activate_accounts()
        outbox.drain_all()
        request_payouts()

    def _approve_all(self) -> None:
        for payout_id in self._waiting():
            payouts.approve_payout(self.first, payout_id, payouts.DecidePayout())
            payouts.approve_payout(self.second, payout_id, payouts.DecidePayout())
        outbox.drain_all()

    @staticmethod
    def _waiting() -> list[UUID]:
        by_calendar = (Payout.state == PayoutState.REQUESTED, Payout.requested_by.is_(None))
        return list(db.session.scalars(sa.select(Payout.id).where(*by_calendar).order_by(Payout.id)))

    @staticmethod
    def _follow() -> None:
        follow_payouts()
        outbox.drain_all()

    def _correct_the_mistyped(self) -> None:
        """After the failure the agency enters its account again; it cools off until tomorrow."""
        if len(self.entered) > 1:
            account_id = _enter(self.entered[1], 6, None)
            self._check(account_id)
            self._confirm(account_id)

    def leave_open(self) -> None:
        """Today a payout waits for approval, one is on its way, and new accounts wait for their checks."""
        for actor in self.entered[:1] + self.entered[2:3]:
            self._ask(actor, approve=actor is not self.entered[0])
        newcomers = [actor for actor in self._rich() if actor not in self.entered][:LATER]
        for number, actor in enumerate(newcomers):
            account_id = _enter(actor, FIRST + number, None)
            if number == 0:
                self._check(account_id)
        outbox.drain_all()
        self._invoices()

    def _ask(self, actor: Actor, *, approve: bool) -> None:
        assert actor.organisation_id is not None, "an agency's member"
        balance = balance_of(actor.organisation_id)
        if balance.block is not None or balance.payable_fen < 2:
            return
        wanted = payouts.AskPayout(balance.payable_fen // 2)
        payout_id = payouts.ask_payout(actor, actor.organisation_id, wanted)
        if approve:
            payouts.approve_payout(self.first, payout_id, payouts.DecidePayout())
            outbox.drain_all()

    def _invoices(self) -> None:
        """Agencies have recorded the invoices of two thirds of what they received; one was corrected."""
        rows = db.session.scalars(
            sa.select(Bill)
            .where(Bill.state == BillState.RELEASED, Bill.kind == BillKind.SERVICE_FEE)
            .order_by(Bill.number)
        ).all()
        for number, row in enumerate(rows[-30:]):
            actor = self.shelf.people.get(row.payee_organisation_id) if row.payee_organisation_id else None
            if actor is None or number % 3 == 2 or row.released_at is None:
                continue
            digits = f"26322000000{Money(row.amount_fen).fen % 1000:03d}{number:06d}"
            paper = RecordTaxPaper(TaxPaperKind.INVOICE, digits, beijing_date(row.released_at), row.amount_fen)
            record_tax_paper(actor, row.id, paper)


def _enter(actor: Actor, number: int, typed: str | None) -> UUID:
    account = typed or f"6222{number}3101{7 + number % 3}0012{3456 + 111 * number}"
    name = f"{actor.name}所在单位"
    return accounts.enter_bank_account(
        actor, accounts.EnterBankAccount(name, BANKS[number % len(BANKS)], account, PROOF)
    )
