"""The award letter (中选通知书): numbered, checkable by its QR code, in the language of the official paper."""

from datetime import datetime
from uuid import UUID

from app.documents import issue, pdf
from app.identity.queries import organisation_name
from app.kernel import clock
from app.kernel.db import get
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules.regions import full_name
from marketplace.rules.selection.gates import FundSource
from marketplace.rules.selection.methods import Method

_METHODS = {
    Method.RANDOM: "随机选取（公开可验证抽取）",
    Method.BID_LOW: "竞价选取（最低价）",
    Method.BID_REF: "竞价选取（参考价）",
    Method.MERIT_CREDIT: "信用择优选取",
    Method.MERIT_PLAN: "方案择优选取",
    Method.COMBINED: "竞价入围后随机选取",
    Method.DIRECT: "直接选取",
}
_FUNDS = {FundSource.FISCAL: "财政性资金", FundSource.SOCIAL: "社会资金", FundSource.MIXED: "财政与社会资金"}


def issue_award_letter(procurement: Procurement, winner: Registration) -> UUID:
    """Issue the letter for the present winner and return the document. Each winner of a succession gets its own number."""
    number = next_number("ZX")
    owner = organisation_name(procurement.owner_organisation_id)
    item = get(ItemVersion, procurement.item_version_id)
    assert procurement.award_fen is not None, "a selected procurement has its price"
    price = Money(procurement.award_fen).yuan
    agency = get(Agency, winner.agency_id)
    confirm_by = _in_beijing(procurement.confirm_by)
    facts = {
        N_("Procurement"): f"{procurement.number} {procurement.title}",
        N_("Project owner"): owner,
        N_("Winner"): winner.name,
        N_("Unified social credit code"): winner.uscc,
        N_("Service item"): item.name,
        N_("Winning amount (yuan)"): price,
        N_("Selected at"): _in_beijing(procurement.selected_at),
        N_("Time limit (working days)"): str(procurement.limit_wd),
    }
    rows = (
        ("采购项目", procurement.title),
        ("采购编号", procurement.number),
        ("项目名称", procurement.project_name),
        ("项目代码", procurement.project_code or ""),
        ("项目业主", owner),
        ("服务事项", item.name),
        ("选取方式", _METHODS[Method(procurement.method)]),
        ("选取时间", _in_beijing(procurement.selected_at)),
        ("公示截止", _in_beijing(procurement.publicity_ends_at)),
        ("中选机构", winner.name),
        ("统一社会信用代码", winner.uscc),
        ("机构地址", agency.address),
        ("中选金额", f"人民币 {price} 元"),
        ("金额说明", procurement.amount_note),
        ("资金来源", _FUNDS[FundSource(procurement.fund_source)]),
        ("服务时限", f"{procurement.limit_wd} 个工作日"),
        ("成果文件", item.deliverable),
        ("服务地点", procurement.place or full_name(procurement.region_code)),
    )

    def render(check: pdf.Check) -> bytes:
        letter = pdf.Letter(title="中选通知书", issuer="网上中介服务超市", number=number, check=check)
        letter.paragraph(f"{winner.name}：", bold=True)
        letter.paragraph(
            f"{owner}的采购项目“{procurement.title}”经公开选取并公示期满，你单位为中选机构，特此通知。", indent=True
        )
        letter.facts(rows)
        letter.paragraph(
            f"请于{confirm_by}（北京时间）前在网上中介服务超市确认中选；逾期未确认视为放弃中选，由公布排序中的下一名递补。",
            indent=True,
        )
        letter.paragraph(
            "确认后请与项目业主在规定期限内签订服务合同。任何单位和个人不得收取中选费用或保证金。", indent=True
        )
        letter.closing("网上中介服务超市", clock.today().strftime("%Y年%m月%d日"))
        letter.seal("网上中介服务超市", "中选专用章")
        return letter.render()

    title = f"中选通知书 {procurement.title}"[:200]
    return issue("award-letter", number, title, procurement.subject, procurement.thread_id, facts, render).id


def _in_beijing(moment: datetime | None) -> str:
    return moment.astimezone(clock.BEIJING).strftime("%Y年%m月%d日 %H:%M") if moment else ""
