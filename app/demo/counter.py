"""Bills of the other kinds at the counter: statutory fees with tariff and reduction, free items, and courier fees."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.cashier import METHODS, Cashier
from app.demo.people import Cast
from app.demo.simulation import Simulation
from app.demo.transfers import BankDesk
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import beijing_date
from app.kernel.db import db, get, new_id
from payments.models.bills import Bill
from payments.models.tax_papers import TaxPaperKind
from payments.services import BillKind, BillLine, OpenBill, cancel_payment, open_bill
from payments.services.tax_papers import RecordTaxPaper, record_tax_paper
from payments.states import BillState

_SMALL = "小微企业免征（财税〔2019〕53号）"
STATUTORY = (
    (
        "不动产登记费",
        (
            BillLine("不动产登记费（非住宅类）", 0, "发改价格规〔2016〕2559号", "550元/件", 55_000, _SMALL),
            BillLine("不动产权属证书工本费", 1_000, "发改价格规〔2016〕2559号", "第一本免费，每增加一本10元"),
        ),
    ),
    (
        "水土保持补偿费",
        (BillLine("水土保持补偿费（一次性）", 864_000, "苏发改收费发〔2023〕号文", "按占地面积0.8元/平方米减按八折", 216_000, "收费标准降低20%"),),
    ),
    (
        "特种设备检验费",
        (
            BillLine("压力容器定期检验", 126_000, "苏价费〔2017〕号文", "420元/台，共3台"),
            BillLine("检验报告副本", 0, "本项免费"),
        ),
    ),
)  # fmt: skip
COURIER = (BillLine("审批结果寄递（江苏省内，1公斤）", 1_200, "政务专递资费表", "12元/件"),)
PAYING_DAYS: Final = 14
"""So many days before today payers come to the counter every day."""
DECLINED_CARD = "4000000000000002"


def bills_of_other_kinds(random: Random) -> int:
    """Give the payers of open bills a statutory fee and a courier fee each; returns how many were opened."""
    payers = db.session.execute(
        sa.select(Bill.payer_organisation_id, Bill.thread_id)
        .where(Bill.state == BillState.OPEN, Bill.payer_organisation_id.is_not(None))
        .order_by(Bill.number)
    ).all()
    made = 0
    for number, (payer, thread_id) in enumerate(
        dict.fromkeys((row.payer_organisation_id, row.thread_id) for row in payers)
    ):
        due_in = random.randint(5, 20)
        _statutory(payer, thread_id, number, due_in)
        _courier(payer, thread_id, due_in)
        made += 2
    return made


def _statutory(payer: UUID | None, thread_id: UUID, number: int, due_in: int) -> UUID:
    title, lines = STATUTORY[number % len(STATUTORY)]
    return _open(BillKind.STATUTORY_FEE, title, lines, payer, thread_id, due_in)


def _courier(payer: UUID | None, thread_id: UUID, due_in: int) -> UUID:
    return _open(BillKind.COURIER_FEE, "审批结果寄递费", COURIER, payer, thread_id, due_in)


def _open(
    kind: BillKind, title: str, lines: tuple[BillLine, ...], payer: UUID | None, thread_id: UUID, due_in: int
) -> UUID:
    return open_bill(SYSTEM, OpenBill(
        thread_id=thread_id, subject=f"demonstration:{new_id()}", kind=kind, title=title,
        payer_organisation_id=payer, payer_user_id=None, payee_organisation_id=None, lines=lines,
        due_at=clock.now() + timedelta(days=due_in)))  # fmt: skip


class CounterDays:
    """The last days at the counter: fees are paid alone and together, with and without trouble, receipts are recorded."""

    def __init__(self, simulation: Simulation, cast: Cast, cashier: Cashier, bank: BankDesk) -> None:
        self.simulation, self.cast, self.cashier, self.bank = simulation, cast, cashier, bank
        self.home = cast.panel[Role.OWNER]
        self.clerk = cast.panel[Role.OPERATOR]

    def plan(self) -> None:
        """Have somebody pay every day; what is planned after the end of the world does not happen."""
        for day in range(1, PAYING_DAYS + 1):
            payer = self.home if day % 2 else self.cast.owners[day % len(self.cast.owners)].actor
            moment = self.simulation.end - timedelta(days=day, hours=3)
            self.simulation.plan(moment, lambda who=payer, n=day: self._fees_of(who, n))  # type: ignore[misc]
        self.simulation.plan(self.simulation.end - timedelta(days=2, hours=2), self._together)
        self.simulation.plan(self.simulation.end - timedelta(days=1, hours=2), self._declined_and_given_up)

    def _fees_of(self, payer: Actor, number: int) -> None:
        courier = _courier(payer.organisation_id, new_id(), 7)
        self.cashier.pay_together(payer, (courier,), METHODS[(number + 1) % len(METHODS)])
        if number % 3 != 1:
            return
        statutory = _statutory(payer.organisation_id, new_id(), number // 3, 15)
        if self.bank.pay(payer, statutory, f"20261101{number:02d}0066") and number > 1:
            self._fiscal_receipt(statutory, number)

    def _fiscal_receipt(self, bill_id: UUID, number: int) -> None:
        """The treasury issued its e-receipt; the operator records code, number and check code."""
        bill = get(Bill, bill_id)
        assert bill.paid_at is not None, "just paid"
        paper = RecordTaxPaper(
            TaxPaperKind.FISCAL_RECEIPT, f"{2_600_418_000 + 37 * number:010d}", beijing_date(bill.paid_at),
            bill.amount_fen, code="32060126", check_code=f"{7 * number:02d}c4e{number}",
        )  # fmt: skip
        record_tax_paper(self.clerk, bill_id, paper)

    def _together(self) -> None:
        """Three parcels of one payer are paid in one payment."""
        bills = [_courier(self.home.organisation_id, new_id(), 7) for _ in range(3)]
        self.cashier.pay_together(self.home, bills, "alipay")

    def _declined_and_given_up(self) -> None:
        """A card is declined, the payer gives the attempt up and pays with the wallet."""
        bill_id = _courier(self.home.organisation_id, new_id(), 7)
        payment_id, session_ref = self.cashier.open_session(self.home, (bill_id,), "card")
        self.cashier.type_card(session_ref, DECLINED_CARD)
        cancel_payment(self.home, payment_id)
        self.cashier.pay_together(self.home, (bill_id,), "wechat_pay")


def leave_at_the_cashier(cast: Cast, cashier: Cashier) -> None:
    """The payer of the sign-in panel has gone to the cashier and has not paid yet: the attempt can be resumed."""
    home = cast.panel[Role.OWNER]
    cashier.open_session(home, (_courier(home.organisation_id, new_id(), 7),), "wechat_pay")
