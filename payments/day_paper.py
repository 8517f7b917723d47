"""The sheet of a business day on paper: three sides, two signatures."""

from app.documents import pdf
from app.kernel.clock import BEIJING
from app.kernel.money import Money
from payments.documents import ISSUER
from payments.queries.closing import DayFigures, DayView
from payments.states import DayState

_KINDS = {
    "charge": "收款", "refund": "退款", "refund_failure": "退款退回", "transfer": "划转机构", "payout": "提现到银行",
    "fee": "支付机构费用", "other": "其他变动",
}  # fmt: skip
_PLACES = {
    "stripe": "支付机构", "stripe_treasury": "支付机构（财政专户）", "bank": "平台专户", "bank_treasury": "财政专户",
    "alipay": "支付宝", "wechat_pay": "微信支付",
}  # fmt: skip
_METHODS = {"alipay": "支付宝", "wechat_pay": "微信支付", "card": "银行卡", "bank_transfer": "银行转账"}
_STATES = {DayState.OPEN: "未日结", DayState.SIGNED: "已签署，待确认", DayState.CLOSED: "已日结"}


def sheet(day: DayView) -> bytes:
    """The sheet as PDF: what was signed, or for an open day the figures of now."""
    figures = day.figures
    assert figures is not None, "the page fills the figures of an open day"
    letter = pdf.Letter(title="资金日结表", issuer=ISSUER, number=f"RJ-{day.day:%Y%m%d}",
                        subtitle=f"业务日 {day.day:%Y年%m月%d日}（北京时间）　{_STATES[DayState(day.state)]}")  # fmt: skip
    _movements(letter, figures)
    _bank(letter, day, figures)
    if day.open_mismatches:
        letter.paragraph(f"日结时尚未说明的差异：{day.open_mismatches} 项", bold=True)
    if day.reason:
        letter.paragraph(f"说明：{day.reason}")
    signed = day.signed_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if day.signed_at else ""
    confirmed = day.confirmed_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if day.confirmed_at else ""
    letter.signatures(
        (("签署人", (day.signed_by_name or "", signed)), ("确认人", (day.confirmed_by_name or "", confirmed)))
    )
    return letter.render()


def _movements(letter: pdf.Letter, figures: DayFigures) -> None:
    letter.heading("一、账面与支付机构")
    rows = [
        (_PLACES.get(line.gateway, line.gateway), _KINDS.get(line.kind, line.kind), f"{line.ours_count} 笔", Money(line.ours_fen).grouped,
         f"{line.theirs_count} 笔", Money(line.theirs_fen).grouped, Money(line.difference_fen).grouped)
        for line in figures.lines
    ]  # fmt: skip
    difference = figures.ours_fen - figures.theirs_fen
    letter.table(
        ("支付机构", "类别", "账面笔数", "账面净额", "机构笔数", "机构净额", "差额"),
        rows,
        widths=(2, 2.4, 1.7, 2.6, 1.7, 2.6, 2),
        align=("left", "left", "right", "right", "right", "right", "right"),
        total=("", "合计", "", Money(figures.ours_fen).grouped, "", Money(figures.theirs_fen).grouped,
               Money(difference).grouped),
    )  # fmt: skip
    letter.heading("二、收款方式")
    letter.table(
        ("方式", "笔数", "金额（元）"),
        [(_METHODS.get(method, method or "未注明"), str(count), Money(fen).grouped) for method, count, fen in figures.methods],
        align=("left", "right", "right"),
    )  # fmt: skip


def _bank(letter: pdf.Letter, day: DayView, figures: DayFigures) -> None:
    letter.heading("三、银行与托管")

    def shown(fen: int | None) -> str:
        return "—" if fen is None else Money(fen).grouped

    letter.table(
        ("", "账面（元）", "银行对账单（元）"),
        (("转入", Money(figures.bank_in_fen).grouped, shown(day.bank_in_fen)),
         ("转出", Money(figures.bank_out_fen).grouped, shown(day.bank_out_fen))),
        align=("left", "right", "right"),
    )  # fmt: skip
    if figures.balances:
        letter.heading("四、各渠道日终余额")
        letter.table(
            ("账户", "账面（元）", "对方（元）", "差额（元）"),
            [
                (_PLACES.get(one.gateway, one.gateway), Money(one.ours_fen).grouped,
                 "对方未提供" if one.theirs_fen is None else Money(one.theirs_fen).grouped,
                 "—" if one.theirs_fen is None else Money(one.ours_fen - one.theirs_fen).grouped)
                for one in figures.balances
            ],
            align=("left", "right", "right", "right"),
        )  # fmt: skip
    letter.facts((("日终代管资金", f"¥{Money(figures.held_fen).grouped}"),))
