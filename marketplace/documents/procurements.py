"""The award letter (中选通知书): numbered, checkable by its QR code, in the language of the official paper."""

from uuid import UUID

from app.documents import issue, pdf
from app.identity.queries import organisation_name
from app.kernel import clock
from app.kernel.db import get
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.words import N_
from marketplace.models.catalogue import ItemVersion
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules.regions import full_name

_METHODS = {"random": "随机选取（公开可验证抽取）"}


def issue_award_letter(procurement: Procurement, winner: Registration) -> UUID:
    """Issue the letter for the present winner and return the document. Each winner of a succession gets its own number."""
    number = next_number("ZX")
    owner = organisation_name(procurement.owner_organisation_id)
    item = get(ItemVersion, procurement.item_version_id)
    price = Money(procurement.price_fen).yuan
    confirm_by = (
        procurement.confirm_by.astimezone(clock.BEIJING).strftime("%Y年%m月%d日 %H:%M")
        if procurement.confirm_by
        else ""
    )
    facts = {
        N_("Procurement"): f"{procurement.number} {procurement.title}",
        N_("Project owner"): owner,
        N_("Winner"): winner.name,
        N_("Unified social credit code"): winner.uscc,
        N_("Service item"): item.name,
        N_("Service price (yuan)"): price,
        N_("Time limit (working days)"): str(procurement.limit_wd),
    }
    rows = (
        ("采购项目", procurement.title),
        ("采购编号", procurement.number),
        ("项目名称", procurement.project_name),
        ("项目业主", owner),
        ("服务事项", item.name),
        ("选取方式", _METHODS[procurement.method]),
        ("中选机构", winner.name),
        ("统一社会信用代码", winner.uscc),
        ("中选金额", f"人民币 {price} 元"),
        ("服务时限", f"{procurement.limit_wd} 个工作日"),
        ("成果文件", item.deliverable),
        ("服务地点", procurement.place or full_name(procurement.region_code)),
    )

    def render(check: pdf.Check) -> bytes:
        letter = pdf.Letter(title="中选通知书", issuer="网上中介服务超市", number=number, check=check)
        letter.paragraph(f"{winner.name}：", bold=True)
        letter.paragraph(
            f"{owner}的采购项目“{procurement.title}”经公开选取并公示无异议，你单位为中选机构，特此通知。", indent=True
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
        return letter.render()

    title = f"中选通知书 {procurement.title}"[:200]
    return issue("award-letter", number, title, procurement.subject, procurement.thread_id, facts, render).id
