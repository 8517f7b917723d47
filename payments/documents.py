"""The receipt of a paid bill, as PDF with its check code."""

from app.documents import issue, pdf
from app.kernel.clock import BEIJING
from app.kernel.db import db, get, lock, use_case
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.words import N_
from payments.events import BillPaid
from payments.models.bills import Bill
from payments.queries import BillView, bill_view
from payments.states import BillKind

RECEIPT = "receipt"
ISSUER = "网上中介超市 统一缴费"
_KINDS = {BillKind.SERVICE_FEE: "中介服务费", BillKind.COURIER_FEE: "寄递费", BillKind.STATUTORY_FEE: "行政事业性收费"}
_AFTER = {
    BillKind.SERVICE_FEE: "本款项由平台代收并托管，成果验收合格后拨付中介服务机构；增值税发票由中介服务机构开具。",
    BillKind.COURIER_FEE: "本款项由平台代收，按期与寄递企业结算。",
    BillKind.STATUTORY_FEE: "本款项直接缴入财政专户；财政电子票据由执收单位开具。",
}


@use_case
def issue_receipt(event: BillPaid) -> None:
    """Issue the receipt of a paid bill, once."""
    bill = lock(Bill, event.bill_id)
    if bill.receipt_document_id is not None or bill.paid_at is None:
        return
    number = next_number("SJ")
    view = bill_view(bill.id)
    paid_on = bill.paid_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    facts = {
        N_("Bill"): bill.number,
        N_("Amount"): f"¥{Money(bill.amount_fen).grouped}",
        N_("Paid at"): paid_on,
        N_("Payee"): view.payee_name or ISSUER,
    }
    issued = issue(
        RECEIPT, number, f"收款收据 {bill.number}", f"bill:{bill.id}", bill.thread_id, facts,
        lambda check: receipt_pdf(view, number, paid_on, check),
    )  # fmt: skip
    get(Bill, bill.id).receipt_document_id = issued.id
    db.session.flush()  # the version must not be raised twice by a later step of the same transaction


def receipt_pdf(bill: BillView, number: str, paid_on: str, check: pdf.Check) -> bytes:
    """The receipt's text: who paid what for what, in figures and in capitals."""
    letter = pdf.Letter(title="收款收据", issuer=ISSUER, number=number, check=check)
    letter.facts(
        (
            ("账单编号", bill.number),
            ("缴款人", bill.payer_name),
            ("收款方", bill.payee_name or ISSUER),
            ("费用类别", _KINDS[BillKind(bill.kind)]),
            ("缴款时间", paid_on),
            ("事由", bill.title),
        )
    )
    rows = [(str(n), line.title, line.basis, Money(line.amount_fen).grouped) for n, line in enumerate(bill.lines, 1)]
    total = Money(bill.amount_fen)
    letter.table(
        ("序号", "项目", "依据", "金额（元）"),
        rows,
        widths=(1, 5, 5, 3),
        align=("center", "left", "left", "right"),
        total=("", "合计", "", total.grouped),
    )
    letter.paragraph(f"合计人民币（大写）：{total.capitals}　　小写：¥{total.grouped}", bold=True)
    letter.note(_AFTER[BillKind(bill.kind)])
    return letter.render()
