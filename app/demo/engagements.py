"""Contract templates of the demonstration, and contracts in the states that people clear quickly."""

from __future__ import annotations

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.shelf import Shelf
from app.kernel import outbox
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.files import Upload
from marketplace.models.contracts import Contract
from marketplace.rules.contract_text import STANDARD_BODY
from marketplace.services import contracts
from marketplace.services.contracts.templates import TemplateContent, begin_template, publish_template
from marketplace.states.contract import ContractState
from marketplace.states.engagement import BreachKind, Settlement

SURVEY = TemplateContent(
    title="勘察测绘类服务合同（示范文本）",
    body=STANDARD_BODY,
    milestones=(
        "外业工作完成 | 30 | 外业原始记录齐全，经委托方现场核验\n"
        "成果初稿 | 30 | 初稿内容完整，通过内部三级校审\n"
        "成果定稿 | 40 | 通过专家评审或者审批部门技术审查"
    ),
    payment_moment="held",
    pay_days=30,
    open_fields=("delivery_place", "copies", "contact", "special_terms", "pay_days", "milestones"),
    checklist="成果报告签字、盖章齐全\n附图、附表与正文一致\n引用的标准、规范现行有效\n原始数据随成果一并移交",
)
REPORT = TemplateContent(
    title="评估报告类服务合同（示范文本）",
    body=STANDARD_BODY,
    milestones="报告送审稿 | 50 | 内容达到送审深度\n报告报批稿 | 50 | 按评审意见修改完善",
    payment_moment="on_acceptance",
    pay_days=30,
    open_fields=("copies", "contact", "special_terms"),
    checklist="报告签字、盖章齐全\n评审意见逐条落实\n结论明确",
)


def publish_templates(cast: Cast, shelf: Shelf) -> None:
    """The regulator publishes texts of its own for every third item; the standard text holds for the others."""
    regulator = cast.panel[Role.REGULATOR]
    for position, item in enumerate(shelf.items[::3]):
        content = REPORT if position % 2 else SURVEY
        publish_template(regulator, begin_template(regulator, item.item_id, content), Plain())


def leave_open(cast: Cast, shelf: Shelf) -> None:
    """Leave an extension, a breach, a dispute and an end by agreement undecided, as far as contracts in service allow."""
    outbox.drain_all()
    owners = {one.actor.organisation_id: one.actor for one in cast.owners}
    running = db.session.scalars(
        sa.select(Contract).where(Contract.state == ContractState.RUNNING).order_by(Contract.number)
    ).all()
    sides = [(row, owners[row.owner_organisation_id], shelf.people[row.agency_organisation_id]) for row in running]
    for step, (row, owner, agency) in zip((_extend, _breach, _dispute, _end), sides, strict=False):
        step(row, owner, agency)
    outbox.drain_all()


def _extend(row: Contract, _owner: Actor, agency: Actor) -> None:
    proof = Upload("气象证明.txt", "本月上旬连续降雨9日，外业无法开展。".encode())
    days = max(1, row.limit_wd // 4)
    text = "连续降雨，外业工作无法按计划开展，申请顺延。"
    contracts.ask_extension(agency, row.id, contracts.AskExtension(days, text, proof))


def _breach(row: Contract, owner: Actor, _agency: Actor) -> None:
    text = "约定的阶段成果未按计划提交，经两次催告仍未提交。"
    contracts.notify_breach(owner, row.id, contracts.NotifyBreach(BreachKind.LATE_DELIVERY, text))


def _dispute(row: Contract, owner: Actor, agency: Actor) -> None:
    text = "委托方要求增加两处监测点，受托方认为超出合同范围。"
    contracts.open_dispute(agency, row.id, contracts.OpenDispute(text))
    proposal = "增加一处监测点，费用不变，服务时限顺延五个工作日。"
    contracts.propose_settlement(owner, row.id, contracts.ProposeSettlement(Settlement.CONTINUE, proposal))


def _end(row: Contract, owner: Actor, _agency: Actor) -> None:
    text = "项目选址调整，原服务内容不再需要。"
    contracts.propose_termination(owner, row.id, contracts.ProposeTermination(text))
