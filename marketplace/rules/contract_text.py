"""The text of a contract as both sides read and sign it. Pure: the same facts always give the same bytes.

The contract is a Chinese document whatever the language of the page, so its text is not a matter for the catalogues.
"""

import hashlib
from dataclasses import dataclass

from app.kernel.money import Money


@dataclass(frozen=True)
class ContractFacts:
    """What goes into the text. Amounts are fen, limits working days, the money term calendar days."""

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
    pay_days: int


def contract_text(facts: ContractFacts) -> str:
    """Compose the document in numbered clauses; lines end in LF and the text in exactly one."""
    price = Money(facts.price_fen)
    return f"""中介服务合同

合同编号：{facts.number}
项目名称：{facts.title}
采购编号：{facts.procurement_number}
委托方（项目业主）：{facts.owner_name}（统一社会信用代码：{facts.owner_uscc or "——"}）
受托方（中介服务机构）：{facts.agency_name}（统一社会信用代码：{facts.agency_uscc or "——"}）

根据《中华人民共和国民法典》和中介服务超市中选结果，双方订立本合同。

一、服务内容
受托方完成“{facts.service_name}”（清单第{facts.service_version}版），并提交成果文件：{facts.deliverable}。事项设定依据：{facts.legal_basis}。

二、服务时限
服务时限为{facts.limit_wd}个工作日，自委托方完成签署之日的次日起算；法定节假日、休息日不计入，调休上班日计入。
一方认为应当暂停计时的，应当在平台说明理由，经对方在{facts.pause_confirm_wd}个工作日内确认后暂停；逾期未确认的，该请求失效。

三、服务费用
服务费用为人民币{price.grouped}元（大写：{price.capitals}），已含完成本服务所需的全部费用，委托方不另行支付其他费用。

四、付款
委托方自合同签署之日起{facts.pay_days}日内通过平台支付服务费用，由平台代为保管；成果文件验收合格后，平台将款项划付受托方。

五、成果提交与验收
受托方通过平台提交成果文件，载明对成果负责的执业人员。委托方应当在收到成果文件之日起{facts.accept_wd}个工作日内验收或者说明理由退回修改；\
退回修改的，计时恢复。委托方逾期未作答复，经平台两次提醒后仍未答复的，视为验收合格。

六、成果质量
受托方对成果文件的真实性、准确性负责。因受托方原因致使成果文件未被审批部门采用的，受托方应当无偿修改。

七、违约责任
受托方逾期提交成果、委托方逾期支付费用的，依照《中华人民共和国民法典》承担违约责任，并记入信用记录。

八、争议解决
因履行本合同发生争议的，双方协商解决；协商不成的，依法向有管辖权的人民法院起诉。

九、生效
本合同经双方以电子方式签署后生效。电子文本以其SHA-256摘要为准。
"""


def document_digest(text: str) -> str:
    """The SHA-256 of the text's UTF-8 bytes, in lower-case hex: what is shown beside the text and stored with each signature."""
    return hashlib.sha256(text.encode()).hexdigest()
