"""The payment order (付款通知单) of an agreed monthly bill."""

from typing import Final
from uuid import UUID

from app.documents.pdf import Check, Letter
from app.documents.register import issue, issued_for
from app.identity import queries as identity
from app.kernel.money import Money
from app.kernel.words import N_
from delivery.documents.times import beijing_time
from delivery.models.settlement import CarrierBill

TITLE: Final = "政务寄递费用付款通知单"


def payment_order(bill: CarrierBill, check: Check | None = None) -> bytes:
    """Month, count, billed and agreed amount, both confirmations."""
    hall = identity.organisation_name(bill.hall_organisation_id)
    page = Letter(title=TITLE, issuer=hall, number=bill.payment_order_no or bill.number, check=check)
    page.facts(
        [("账单编号", bill.number), ("账期", bill.month), ("政务大厅", hall), ("账单行数", str(bill.line_count)),
         ("邮政账单金额", f"¥{Money(bill.billed_fen).yuan}"), ("核定付款金额", f"¥{Money(bill.agreed_fen or 0).yuan}"),
         ("账单文件", bill.file_name), ("文件摘要", bill.file_sha256[:16])],
        columns=2,
    )  # fmt: skip
    owed = bill.agreed_fen or 0
    page.paragraph(
        "上列金额经双方核对确认，请按政府采购寄递服务合同约定，由财政国库集中支付。"
        if owed >= 0
        else f"赔付金额超过本期资费，经双方核对确认，由邮政方退付 ¥{Money(-owed).yuan}，缴入国库。",
        indent=True,
    )
    page.signatures(
        [
            ("平台方", [bill.confirmed_name or "", f"时间：{beijing_time(bill.confirmed_at)}"]),
            ("邮政方", [bill.countersigned_name or "", f"时间：{beijing_time(bill.countersigned_at)}"]),
        ]
    )
    return page.render()


def issue_payment_order(bill: CarrierBill) -> None:
    """Issue the order with its check code; repeatable."""
    facts = {
        N_("Hall"): identity.organisation_name(bill.hall_organisation_id),
        N_("Billed month"): bill.month,
        N_("Amount agreed"): f"¥{Money(bill.agreed_fen or 0).yuan}",
    }
    number = bill.payment_order_no or bill.number
    issue(
        "carrier-payment-order",
        number,
        TITLE,
        f"carrier-bill:{bill.id}",
        bill.id,
        facts,
        lambda check: payment_order(bill, check),
    )


def issued_payment_order(bill_id: UUID) -> UUID | None:
    """The stored file of the order, or None before."""
    papers = issued_for(f"carrier-bill:{bill_id}")
    return papers[-1].file_id if papers else None
