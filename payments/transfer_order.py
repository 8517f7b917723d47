"""The paper with which somebody goes to the bank: an order to transfer an agency's money."""

from app.documents import pdf
from app.kernel.clock import BEIJING
from app.kernel.money import Money
from payments.documents import ISSUER
from payments.services.hand_payouts import OrderPaper


def transfer_order_pdf(paper: OrderPaper) -> bytes:
    """The order with the whole account number and two places to sign. `附言` carries the number by which it is matched."""
    amount = Money(paper.amount_fen)
    letter = pdf.Letter(title="付款委托书", issuer=ISSUER, number=paper.number)
    letter.facts((
        ("收款户名", paper.holder_name), ("开户银行", paper.bank_name), ("联行号", paper.branch_code or "—"),
        ("收款账号", paper.account_number), ("附言（必填）", paper.number.rsplit("-", 1)[0]),
        ("签发时间", paper.ordered_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")),
    ))  # fmt: skip
    letter.paragraph(f"付款金额（大写）：{amount.capitals}　　小写：¥{amount.grouped}", bold=True)
    letter.signatures((("经办人", ("", "")), ("复核人", ("", ""))))
    return letter.note("本委托书含完整收款账号，办理后请随银行回单一并归档，作废的须当场销毁。").render()
