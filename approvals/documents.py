"""The certificate and the written refusal as PDF. Pure: facts and check mark in, bytes out."""

from dataclasses import dataclass
from datetime import date

from app.documents.pdf import Check, Letter


@dataclass(frozen=True)
class CertificateFacts:
    """What the paper says."""

    title: str
    serial: str
    department: str
    holder: str
    project_name: str
    item_name: str
    legal_basis: str
    case_number: str
    decided_on: date
    decision_text: str
    granted: bool


def certificate_pdf(facts: CertificateFacts, check: Check) -> bytes:
    """One page: holder, project, item, basis, decision, serial as bar code, issuer and date."""
    letter = Letter(title=facts.title, issuer=facts.department, number=facts.serial, check=check)
    letter.facts(
        [
            ("持有人" if facts.granted else "申请人", facts.holder),
            ("项目名称", facts.project_name),
            ("审批事项", facts.item_name),
            ("法律依据", facts.legal_basis),
            ("办件编号", facts.case_number),
        ]
    )
    if facts.granted:
        letter.paragraph(f"经审查，{facts.holder}的上述申请符合法定条件，准予行政许可。", indent=True)
    else:
        letter.paragraph(f"经审查，{facts.holder}的上述申请不符合法定条件，决定不予行政许可。", indent=True)
        letter.paragraph(
            "申请人对本决定不服的，可以自收到本决定书之日起六十日内申请行政复议，或者在六个月内向人民法院提起行政诉讼。",
            indent=True,
        )
    if facts.decision_text:
        letter.paragraph(f"{'备注' if facts.granted else '理由'}：{facts.decision_text}", indent=True)
    letter.barcode(facts.serial)
    day = facts.decided_on
    letter.closing(facts.department, f"{day.year}年{day.month}月{day.day}日")
    return letter.render()
