"""The printed bill with its payment code, and the receipt of a paid bill with its check code, as PDF."""

from typing import cast

from flask import current_app

from app.documents import issue, pdf
from app.kernel.clock import BEIJING
from app.kernel.db import db, get, lock, use_case
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.outbox import publish
from app.kernel.words import N_
from app.settings import Settings
from payments import pay_codes
from payments.events import BillPaid, ReceiptIssued
from payments.gateways import offered
from payments.models.bills import Bill
from payments.queries import BillView, bill_view
from payments.rules import BANK_TRANSFER, BillLine
from payments.states import BillKind, BillState

RECEIPT = "receipt"
ISSUER = "网上中介超市 统一缴费"
_KINDS = {BillKind.SERVICE_FEE: "中介服务费", BillKind.COURIER_FEE: "寄递费", BillKind.STATUTORY_FEE: "行政事业性收费"}
_RECEIVERS = {BillKind.STATUTORY_FEE: "财政专户", BillKind.COURIER_FEE: "寄递企业"}
_ONLINE = "扫描上方二维码，或打开网址输入20位缴款码，即可查看账单并用支付宝、微信支付或银行卡缴款，无须登录。"
_LOOK_UP = "扫描上方二维码，或打开网址输入20位缴款码，即可查看账单。"
_HOW_TO_PAY = (
    "缴款人登录后可选择银行转账：按页面所示账户与附言转账，并上传回单。",
    "请勿向其他账户付款。缴款成功后可下载收据。",
)
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
    publish(ReceiptIssued(bill.id))
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


def bill_pdf(bill: BillView) -> bytes:
    """The bill on paper: items with basis, tariff and reduction, the payment code with its QR, and how to pay."""
    settings = cast("Settings", current_app.extensions["chaoshi_settings"])
    address = f"{settings.public_url.rstrip('/')}/pay/code/{bill.pay_code}"
    letter = pdf.Letter(title="缴款通知单", issuer=ISSUER, number=bill.number)
    letter.facts(
        (
            ("缴款人", bill.payer_name),
            ("收款方", bill.payee_name or _RECEIVERS.get(BillKind(bill.kind), ISSUER)),
            ("费用类别", _KINDS[BillKind(bill.kind)]),
            ("缴款期限", bill.due_at.astimezone(BEIJING).strftime("%Y-%m-%d")),
            ("事由", bill.title),
        )
    )
    rows = [
        (
            str(n),
            line.title,
            "；".join(part for part in (line.basis, line.standard) if part),
            _reduction(line),
            _asked(line),
        )
        for n, line in enumerate(bill.lines, 1)
    ]
    total = Money(bill.amount_fen)
    letter.table(
        ("序号", "项目", "依据与标准", "减免", "应缴（元）"),
        rows,
        widths=(1, 4, 5, 3, 2.4),
        align=("center", "left", "left", "left", "right"),
        total=("", "合计", "", "", total.grouped),
    )
    letter.paragraph(f"应缴合计（大写）：{total.capitals}　　小写：¥{total.grouped}", bold=True)
    if bill.state == BillState.OPEN:
        letter.qr(address, f"缴款码　{pay_codes.printed(bill.pay_code)}", address)
        online = set(offered(BillKind(bill.kind), bill.amount_fen)) - {BANK_TRANSFER}
        letter.numbered((_ONLINE if online else _LOOK_UP, *_HOW_TO_PAY))
    else:
        letter.paragraph("本账单已无须缴款。", bold=True)
    letter.note(_AFTER[BillKind(bill.kind)])
    return letter.render()


def _asked(line: BillLine) -> str:
    return "免费" if line.amount_fen == 0 else Money(line.amount_fen).grouped


def _reduction(line: BillLine) -> str:
    return f"{line.reduction} -{Money(line.reduction_fen).grouped}" if line.reduction_fen else "—"
