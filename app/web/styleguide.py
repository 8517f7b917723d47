"""Every component in all its states, on one page; exists in development only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, flash, render_template
from marshmallow import fields

from app.kernel.clock import now
from app.kernel.paging import Page
from app.kernel.words import N_
from app.web.actions import ActionView
from app.web.forms import Form
from app.web.guard import public
from app.web.journey import JourneyStep
from app.web.schemas import InputSchema, MoneyField, UploadField, text

bp = Blueprint("styleguide", __name__)


class _EveryWidget(InputSchema):
    project = text(N_("Project name"), hint=N_("As in the approval or filing document."))
    note = text(N_("Remarks"), required=False, widget="textarea")
    budget = MoneyField(required=True, metadata={"label": N_("Budget"), "hint": N_("In yuan, at most two decimals.")})
    limit = fields.Integer(required=True, metadata={"label": N_("Time limit in working days")})
    starts = fields.Date(required=False, metadata={"label": N_("Wished start")})
    closes = fields.DateTime(required=True, metadata={"label": N_("Registration ends")})
    method = fields.String(
        required=True,
        metadata={
            "label": N_("How to choose"),
            "widget": "radio",
            "choices": (("draw", N_("Random draw")), ("quote", N_("Lowest quote"))),
        },
    )
    category = fields.String(
        required=True,
        metadata={"label": N_("Category"), "choices": (("survey", N_("Surveying")), ("audit", N_("Auditing")))},
    )
    region = text(N_("Region"), widget="region")
    licence = UploadField(
        required=True, metadata={"label": N_("Business licence"), "hint": N_("PDF or picture, at most 20 MB.")}
    )
    agree = fields.Boolean(required=True, metadata={"label": N_("I have read the rules of the supermarket.")})
    secret = text(N_("Password"), widget="password")


@dataclass(frozen=True)
class _File:
    name: str
    href: str
    size: int
    sha256: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class _Option:
    value: str
    label: str
    count: int
    selected: bool = False


def _action(
    name: str, label: str, *, needs_form: bool = False, danger: bool = False, primary: bool = False
) -> ActionView:
    return ActionView(
        name=name, label=label, href="/styleguide", needs_form=needs_form, danger=danger, primary=primary, version=3
    )


def _form(*, wrong: bool) -> Form:
    values = {"project": "滨江新城安置房二期", "limit": 15, "method": "draw", "region": "440106"}
    if not wrong:
        return Form(_EveryWidget(), values)
    errors = {
        "budget": [N_("Please fill this in.")],
        "method": [N_("Must be one of the choices.")],
        "closes": [N_("Not a valid datetime.")],
        "licence": [N_("Choose a file.")],
    }
    return Form(_EveryWidget(), {**values, "budget": "12,34", "closes": "next week"}, errors)


def _journey() -> tuple[JourneyStep, ...]:
    at = now() - timedelta(days=30)
    return (
        JourneyStep(title="发布采购公告", at=at, who="滨江城建投资有限公司", facts={"编号": "CG-2026-000123"}, icon="speakerphone"),
        JourneyStep(title="随机抽取中选机构", at=at + timedelta(days=6), who="系统", text="12 家机构报名，11 家合格。", facts={"名单哈希": "9f2c41d0…"}, icon="dice-5"),
        JourneyStep(title="双方签订合同", at=at + timedelta(days=9), who="中正测绘技术有限公司", icon="signature"),
        JourneyStep(title="成果被退回", at=at + timedelta(days=20), who="滨江城建投资有限公司", text="控制点坐标与底图不一致，请补充复核记录。", icon="x", state="failed"),
        JourneyStep(title="重新提交成果", at=at + timedelta(days=24), who="中正测绘技术有限公司", icon="file-certificate", state="now"),
        JourneyStep(title="业主验收", who="滨江城建投资有限公司", icon="clipboard-check", state="next"),
        JourneyStep(title="证照寄达申请人", who="邮政速递", icon="truck-delivery", state="next"),
    )  # fmt: skip


def _rows() -> list[dict[str, object]]:
    return [
        {"name": "滨江新城安置房二期工程测量", "number": "CG-2026-000123", "state": "open", "amount": 12_345_000, "closes": now() + timedelta(days=5), "count": 12},
        {"name": "城北污水处理厂环境影响评价报告编制", "number": "CG-2026-000118", "state": "selected", "amount": 8_800_000, "closes": now() - timedelta(days=2), "count": 7},
        {"name": "西湖小学教学楼消防设施检测", "number": "CG-2026-000097", "state": "failed", "amount": None, "closes": now() - timedelta(days=9), "count": 2},
    ]  # fmt: skip


@bp.get("/styleguide")
@public
def styleguide() -> str:
    flash("已经保存。", "success")
    flash("报名将于今日 17:00 截止。", "warning")
    flash("这一步没有做成：页面已经过时，请重新打开。", "error")
    return render_template(
        "styleguide.html",
        actions=(
            _action("confirm", "确认中选", primary=True),
            _action("ask", "要求澄清", needs_form=True),
            _action("decline", "放弃中选", danger=True),
        ),
        blank=_form(wrong=False),
        wrong=_form(wrong=True),
        journey_steps=_journey(),
        rows=_rows(),
        page=Page(items=(), number=5, size=20, total=243),
        files=(
            _File("测绘成果报告.pdf", "#", 2_483_112, "9f2c41d0" * 8, now(), "第 2 版"),
            _File("控制点坐标.xlsx", "#", 48_220, "11aa22bb" * 8, now()),
        ),
        options=(
            _Option("survey", "工程测量", 128),
            _Option("eia", "环境影响评价", 64, selected=True),
            _Option("fire", "消防设施检测", 1032),
        ),
        deadline=now() + timedelta(days=5),
        day=date(2026, 12, 31),
    )
