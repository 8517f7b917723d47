"""The letter of commitment (入驻承诺书): a draft to be stamped, and the numbered letter of an agency that signed online."""

from uuid import UUID

from app.documents import issue, pdf
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.numbering import next_number
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.rules.onboarding import COMMITMENT_POINTS

KIND = "commitment-letter"
ISSUER = "网上中介服务超市"


def draft_commitment(name: str, uscc: str, representative: str) -> bytes:
    """The letter without number, for signature and stamp on paper."""
    return _letter(name, uscc, representative, signer="", number="", check=None)


def issue_commitment(agency: Agency, actor: Actor) -> UUID:
    """Issue the letter that the agency signed online; who signed and when stand on it. Returns the document."""
    number = next_number("CN")
    signed = clock.now().astimezone(clock.BEIJING).strftime("%Y年%m月%d日 %H:%M")
    facts = {
        N_("Agency"): agency.name,
        N_("Unified social credit code"): agency.uscc,
        N_("Signed online at"): signed,
    }

    def render(check: pdf.Check) -> bytes:
        signer = f"{actor.name}，{signed}（北京时间）在线签署"
        return _letter(agency.name, agency.uscc, agency.legal_representative, signer=signer, number=number, check=check)

    title = f"入驻承诺书 {agency.name}"[:200]
    return issue(KIND, number, title, f"agency:{agency.id}", agency.thread_id, facts, render, actor=actor).id


def _letter(name: str, uscc: str, representative: str, *, signer: str, number: str, check: pdf.Check | None) -> bytes:
    letter = pdf.Letter(title="入驻承诺书", issuer=ISSUER, number=number, check=check)
    letter.paragraph(f"{ISSUER}运营机构：", bold=True)
    letter.paragraph("本机构申请入驻网上中介服务超市，郑重承诺：", indent=True)
    letter.numbered(COMMITMENT_POINTS)
    letter.paragraph(
        "违反上述承诺的，自愿接受信用扣分、暂停、列入失信名单、清退等处理，并承担相应法律责任。", indent=True
    )
    letter.facts((("机构名称", name), ("统一社会信用代码", uscc), ("法定代表人", representative)))
    if signer:
        letter.facts((("签署", signer),))
        letter.closing(name, clock.today().strftime("%Y年%m月%d日"))
    else:
        letter.signatures((("承诺机构（盖章）", ("法定代表人（签字）：", "日期：")),))
    return letter.render()
