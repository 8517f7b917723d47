"""The receipt of a sealed quote as a paper: what was handed in, bound by which commitment, and where the log holds it."""

from uuid import UUID

from app.documents import issue, pdf
from app.kernel import clock
from app.kernel.words import N_
from marketplace.queries.quotes import QuoteView

_STEPS = {"quote": "提交密封报价", "withdrawal": "撤回密封报价"}
_SEALED_IN = {"browser": "在机构浏览器中密封（平台未见报价）", "server": "由服务器代为密封（安全性较弱）"}


def issue_quote_receipt(quote: QuoteView) -> UUID:
    """Issue the paper for one step of a quoting and return its file; a repeat returns the same paper. No price is on it."""
    number = f"{quote.tender}-{quote.bidder[-6:]}-{quote.number}"
    moment = quote.received_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    deadline = quote.deadline_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    facts = {
        N_("Tender"): quote.tender,
        N_("Agency"): quote.name,
        N_("Unified social credit code"): quote.bidder,
        N_("Commitment"): quote.commitment or "—",
        N_("Received at"): moment,
    }
    rows = [
        ("采购项目", quote.title),
        ("密封标识", f"{quote.tender}（第 {quote.round} 轮）"),
        ("报价机构", quote.name),
        ("统一社会信用代码", quote.bidder),
        ("事项", _STEPS[quote.step]),
        ("接收时间（北京时间）", moment),
        ("截止时间（北京时间）", deadline),
        ("承诺值（SHA-256）", quote.commitment or "—"),
        ("密文摘要（SHA-256）", quote.sealed_sha256 or "—"),
        ("密封方式", _SEALED_IN.get(quote.sealed_in or "", "—")),
    ]
    if quote.plan_sha256:
        rows.append(("响应方案密文摘要（SHA-256）", quote.plan_sha256))
    if quote.log is not None:
        rows.append(("公开日志位置", f"第 {quote.log.index} 条，日志头 {quote.log.size}"))

    def render(check: pdf.Check) -> bytes:
        letter = pdf.Letter(title="密封报价回执", issuer="网上中介服务超市", number=number, check=check)
        letter.facts(rows)
        letter.paragraph(
            "本回执证明平台在上述时间收到该密封报价。开启前任何人无法读取报价；开启后，可用公布的报价和随机数重新计算承诺值进行核对。",
            indent=True,
        )
        letter.closing("网上中介服务超市", clock.today().strftime("%Y年%m月%d日"))
        return letter.render()

    title = f"密封报价回执 {quote.title}"[:200]
    return issue("quote-receipt", number, title, f"quote:{quote.id}", quote.thread_id, facts, render).file_id
