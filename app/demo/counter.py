"""Bills of the other kinds at the counter: statutory fees with tariff and reduction, free items, and courier fees."""

from datetime import timedelta
from random import Random

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.db import db, new_id
from payments.models.bills import Bill
from payments.services import BillKind, BillLine, OpenBill, open_bill
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
        title, lines = STATUTORY[number % len(STATUTORY)]
        courier = (BillLine("审批结果寄递（江苏省内，1公斤）", 1_200, "政务专递资费表", "12元/件"),)
        for kind, name, items in (
            (BillKind.STATUTORY_FEE, title, lines),
            (BillKind.COURIER_FEE, "审批结果寄递费", courier),
        ):
            open_bill(SYSTEM, OpenBill(
                thread_id=thread_id, subject=f"demonstration:{new_id()}", kind=kind, title=name,
                payer_organisation_id=payer, payer_user_id=None, payee_organisation_id=None, lines=items,
                due_at=clock.now() + timedelta(days=random.randint(5, 20))))  # fmt: skip
            made += 1
    return made
