"""The text of a contract as both sides read and sign it. Pure: the same template and facts always give the same bytes.

The contract is a Chinese document whatever the language of the page, so its text is not a matter for the catalogues.
A template is a text with placeholders in braces. Most stand for facts of the award and cannot be changed by anybody; the
owner fills in only those that the template opens.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.kernel.errors import Refused
from app.kernel.money import Money
from app.kernel.words import N_
from marketplace.rules.milestones import MilestonePlan, check_milestones
from marketplace.states.engagement import PaymentMoment

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_BRACE: Final = re.compile(r"[{}]")
NOTHING: Final = "无"


class OpenField(StrEnum):
    """What a template may leave to the owner."""

    DELIVERY_PLACE = "delivery_place"
    COPIES = "copies"
    CONTACT = "contact"
    SPECIAL_TERMS = "special_terms"
    PAY_DAYS = "pay_days"
    MILESTONES = "milestones"


OPEN_FIELD_LABELS: Final = {
    OpenField.DELIVERY_PLACE: N_("Place and form of delivery"),
    OpenField.COPIES: N_("Copies of the deliverable"),
    OpenField.CONTACT: N_("Contact person of the owner"),
    OpenField.SPECIAL_TERMS: N_("Special agreements"),
    OpenField.PAY_DAYS: N_("Days to pay"),
    OpenField.MILESTONES: N_("Milestones"),
}
TEXT_FIELDS: Final = (OpenField.DELIVERY_PLACE, OpenField.COPIES, OpenField.CONTACT, OpenField.SPECIAL_TERMS)
"""Open fields whose text goes into the document as it was typed."""

FACT_LABELS: Final = {
    "number": N_("Contract number"),
    "title": N_("Project"),
    "procurement_number": N_("Number of the procurement"),
    "owner_name": N_("Name of the owner"),
    "owner_uscc": N_("Credit code of the owner"),
    "agency_name": N_("Name of the agency"),
    "agency_uscc": N_("Credit code of the agency"),
    "service_name": N_("Service item"),
    "service_version": N_("Version of the item list entry"),
    "legal_basis": N_("Legal basis"),
    "deliverable": N_("Deliverable"),
    "price": N_("Contract price"),
    "price_capitals": N_("Contract price in capitals"),
    "limit_wd": N_("Time limit in working days"),
    "accept_wd": N_("Working days to accept"),
    "pause_confirm_wd": N_("Working days to confirm a pause"),
    "payment_clause": N_("Clause of payment"),
    "milestone_clause": N_("Clause of milestones"),
}
FACT_NAMES: Final = frozenset(FACT_LABELS)
INDISPENSABLE: Final = (
    *("number", "owner_name", "agency_name", "service_name", "deliverable", "price", "price_capitals", "limit_wd"),
    *("accept_wd", "payment_clause", "milestone_clause"),
)
"""Without these a text is no contract that the clock and the counter could follow."""


@dataclass(frozen=True)
class Template:
    """What a regulator publishes: the text, which fields the owner fills in and which of them must be, and defaults."""

    body: str
    open_fields: tuple[str, ...]
    required_fields: tuple[str, ...]
    milestones: tuple[MilestonePlan, ...]
    checklist: tuple[str, ...]
    payment_moment: str
    pay_days: int


@dataclass(frozen=True)
class Terms:
    """What the owner agreed in the open fields: texts by field, days to pay (calendar days) and milestones."""

    texts: Mapping[str, str]
    pay_days: int
    milestones: tuple[MilestonePlan, ...]


@dataclass(frozen=True)
class ContractFacts:
    """What goes into the text from the award and the rule book. Amounts are fen, limits working days."""

    number: str
    title: str
    service_name: str
    service_version: int
    legal_basis: str
    deliverable: str
    procurement_number: str
    owner_name: str
    owner_uscc: str
    agency_name: str
    agency_uscc: str
    price_fen: int
    limit_wd: int
    accept_wd: int
    pause_confirm_wd: int
    late_interest_bp: int


STANDARD_BODY: Final = """中介服务合同

合同编号：{number}
项目名称：{title}
采购编号：{procurement_number}
委托方（项目业主）：{owner_name}（统一社会信用代码：{owner_uscc}）
受托方（中介服务机构）：{agency_name}（统一社会信用代码：{agency_uscc}）

根据《中华人民共和国民法典》和中介服务超市中选结果，双方订立本合同。

一、服务内容
受托方完成“{service_name}”（清单第{service_version}版），并提交成果文件：{deliverable}。事项设定依据：{legal_basis}。

二、服务时限
服务时限为{limit_wd}个工作日，自委托方完成签署之日的次日起算；法定节假日、休息日不计入，调休上班日计入。
一方认为应当暂停计时的，应当在平台说明理由，经对方在{pause_confirm_wd}个工作日内确认后暂停；逾期未确认的，该请求失效。
一方可以在平台申请延长服务时限，经对方同意后以平台记载的顺延截止日为准。

三、服务费用
服务费用为人民币{price}元（大写：{price_capitals}），已含完成本服务所需的全部费用，委托方不另行支付其他费用。
{milestone_clause}

四、付款
{payment_clause}

五、成果提交与验收
受托方通过平台提交成果文件，载明对成果负责的执业人员。委托方应当在收到成果文件之日起{accept_wd}个工作日内验收或者说明理由退回修改；退回修改的，计时恢复。\
委托方逾期未作答复，经平台两次提醒后仍未答复的，视为验收合格。
成果交付地点与方式：{delivery_place}。成果份数：{copies}。委托方联系人：{contact}。

六、成果质量
受托方对成果文件的真实性、准确性负责。因受托方原因致使成果文件未被审批部门采用的，受托方应当无偿修改。

七、违约责任
受托方逾期提交成果、委托方逾期支付费用的，依照《中华人民共和国民法典》承担违约责任，并记入信用记录。
一方违约的，对方可以在平台发出违约通知并给予合理的补正期限；期满未补正的，可以解除合同。

八、争议解决
因履行本合同发生争议的，双方协商解决，或者申请平台运营机构调解；协商、调解不成的，依法向有管辖权的人民法院起诉。

九、特别约定
{special_terms}。

十、生效
本合同经双方以电子方式签署后生效。电子文本以其SHA-256摘要为准。
"""

STANDARD_TEMPLATE: Final = Template(
    body=STANDARD_BODY,
    open_fields=tuple(OpenField),
    required_fields=(),
    milestones=(MilestonePlan("提交全部成果文件并验收合格", 100, "成果文件齐全，符合采购公告和国家、行业标准"),),
    checklist=("成果文件签字、盖章齐全", "内容与采购公告的服务内容一致", "引用的标准和数据现行有效"),
    payment_moment=PaymentMoment.HELD,
    pay_days=30,
)
"""What holds while no regulator has published a template: edition 0 of the standard text."""


def check_template(template: Template, most_pay_days: int) -> None:
    """Raises Refused for a text with unknown or missing placeholders, open fields that it never uses, or wrong defaults."""
    used = set(_PLACEHOLDER.findall(template.body))
    unknown = sorted(used - FACT_NAMES - set(TEXT_FIELDS))
    if unknown or _BRACE.search(_PLACEHOLDER.sub("", template.body)):
        raise Refused(
            "template-placeholder",
            N_("Unknown placeholder: %(names)s"),
            field="body",
            params={"names": ", ".join(unknown) or "{ }"},
        )
    missing = [name for name in INDISPENSABLE if name not in used]
    if missing:
        raise Refused(
            "template-incomplete", N_("The text lacks: %(names)s"), field="body", params={"names": ", ".join(missing)}
        )
    unused = [name for name in template.open_fields if name in set(TEXT_FIELDS) and name not in used]
    if unused or not set(template.required_fields) <= set(template.open_fields):
        raise Refused(
            "template-fields",
            N_("A field that the owner fills in must stand in the text, and be open."),
            field="open_fields",
        )
    check_pay_days(template.pay_days, most_pay_days)
    check_milestones(template.milestones, price_fen=10_000)


def check_pay_days(days: int, most: int) -> None:
    """Raises Refused for a payment period of no day or beyond the legal maximum (calendar days)."""
    if not 1 <= days <= most:
        raise Refused(
            "pay-days",
            N_("Between 1 and %(most)s days can be agreed for payment."),
            field="pay_days",
            params={"most": most},
        )


def agreed_terms(
    template: Template,
    typed: Mapping[str, str],
    pay_days: int | None,
    milestones: Sequence[MilestonePlan],
    most_pay_days: int,
) -> Terms:
    """What the owner typed into the open fields, with the template's defaults for the rest.

    Raises Refused for a field that the template does not open, a required one left blank, or a forbidden period.
    """
    given = {name: text.strip() for name, text in typed.items() if text and text.strip()}
    filled = {*given, *([OpenField.PAY_DAYS] if pay_days else []), *([OpenField.MILESTONES] if milestones else [])}
    for name in sorted(filled - set(template.open_fields)):
        raise Refused("field-not-open", N_("The template does not open this field."), field=name)
    for name in template.required_fields:
        if name not in filled:
            raise Refused("field-missing", N_("Please fill this in."), field=name)
    days = pay_days or template.pay_days
    check_pay_days(days, most_pay_days)
    return Terms(given, days, tuple(milestones) or template.milestones)


def is_complete(template: Template) -> bool:
    """Whether the text can be put forward without the owner: no required field is open."""
    return not template.required_fields


def contract_text(template: Template, facts: ContractFacts, terms: Terms) -> str:
    """Fill the template in; lines end in LF and the text in exactly one. What people typed is never read as a placeholder."""
    price = Money(facts.price_fen)
    values: dict[str, str] = {
        "number": facts.number,
        "title": facts.title,
        "procurement_number": facts.procurement_number,
        "owner_name": facts.owner_name,
        "owner_uscc": facts.owner_uscc or "——",
        "agency_name": facts.agency_name,
        "agency_uscc": facts.agency_uscc or "——",
        "service_name": facts.service_name,
        "service_version": str(facts.service_version),
        "legal_basis": facts.legal_basis,
        "deliverable": facts.deliverable,
        "price": price.grouped,
        "price_capitals": price.capitals,
        "limit_wd": str(facts.limit_wd),
        "accept_wd": str(facts.accept_wd),
        "pause_confirm_wd": str(facts.pause_confirm_wd),
        "payment_clause": _payment_clause(template.payment_moment, terms.pay_days, facts.late_interest_bp),
        "milestone_clause": _milestone_clause(terms.milestones, facts.price_fen),
        **{str(name): _one_line(terms.texts.get(name, "")) or NOTHING for name in TEXT_FIELDS},
    }
    text = _PLACEHOLDER.sub(lambda match: values[match[1]], template.body.replace("\r\n", "\n"))
    return text.rstrip("\n") + "\n"


def _one_line(text: str) -> str:
    return "；".join(line.strip() for line in text.splitlines() if line.strip()).rstrip("。；")


def _milestone_clause(milestones: Sequence[MilestonePlan], price_fen: int) -> str:
    amounts = check_milestones(milestones, price_fen)
    lines = [f"服务费用分{len(milestones)}个节点结算，各节点费用合计等于服务费用："]
    for number, (one, amount) in enumerate(zip(milestones, amounts, strict=True), 1):
        criterion = f"；验收要求：{one.acceptance}" if one.acceptance else ""
        lines.append(f"（{number}）{one.title}，占{one.share}%，人民币{Money(amount).grouped}元{criterion}。")
    return "\n".join(lines)


def _payment_clause(moment: str, days: int, basis_points: int) -> str:
    interest = f"逾期支付的，自逾期之日起按每日万分之{_number(basis_points)}支付逾期利息（《保障中小企业款项支付条例》第十七条）。"
    if moment == PaymentMoment.ON_ACCEPTANCE:
        return f"委托方自各节点成果验收合格之日起{days}日内通过平台支付该节点费用。{interest}"
    return (
        f"委托方自合同签署之日起{days}日内通过平台支付首个节点的费用，其后各节点自上一节点验收合格之日起{days}日内支付，"
        f"由平台代为保管；该节点成果验收合格后，平台将款项划付受托方。{interest}"
    )


def _number(count: int) -> str:
    return "〇一二三四五六七八九十"[count] if 0 <= count <= 10 else str(count)


def document_digest(text: str) -> str:
    """The SHA-256 of the text's UTF-8 bytes, in lower-case hex: what is shown beside the text and stored with each signature."""
    return hashlib.sha256(text.encode()).hexdigest()
