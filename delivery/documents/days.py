"""The closing of a hall's day (日终盘点表) as a numbered paper."""

from typing import Final
from uuid import UUID

from app.documents.pdf import Check, Letter
from app.documents.register import issue, issued_for
from app.identity import queries as identity
from app.kernel.words import N_
from delivery.documents.times import beijing_time
from delivery.models.desk import HallDay

SHELF_NAMES: Final = {
    "ready": "待封装",
    "packed": "待复核",
    "booking": "待取号",
    "waybilled": "待交接",
    "returned": "退件台",
}
OPEN_NAMES: Final = {"lists": "未双签清单", "differences": "交接差异", "exceptions": "逾期异常"}
FLOW_NAMES: Final = {"packed": "今日封装", "handed_over": "今日交接", "delivered": "今日妥投", "returned": "今日退回"}


def day_paper(day: HallDay, check: Check | None = None) -> bytes:
    """Shelves, what is carried over and why, what moved, both signatures."""
    hall = identity.organisation_name(day.hall_organisation_id)
    page = Letter(
        title="寄递日终盘点表",
        issuer=hall,
        number=day.number,
        check=check,
        subtitle="" if check else "草稿，主管签署后生效",
    )
    page.facts(
        [("日期", day.day.isoformat()), ("政务大厅", hall), *((name, str(day.flow.get(key, 0))) for key, name in FLOW_NAMES.items())],
        columns=2,
    )  # fmt: skip
    page.heading("货架盘点")
    total = sum(each["counted"] for each in day.shelves)
    page.table(
        ["货架", "系统数", "实点数", "结转原因"],
        [[SHELF_NAMES[each["shelf"]], str(each["expected"]), str(each["counted"]), each["reason"]] for each in day.shelves],
        widths=[1.2, 0.8, 0.8, 3.2], total=["合计", str(total), str(total), ""],
    )  # fmt: skip
    page.heading("结转事项")
    page.table(
        ["事项", "件数", "原因"],
        [[OPEN_NAMES[each["kind"]], str(each["count"]), each["reason"]] for each in day.open_items],
        widths=[1.2, 0.8, 4.0],
    )
    if day.remark:
        page.paragraph(f"备注：{day.remark}")
    page.signatures(
        [
            ("盘点人", [day.counted_name, f"时间：{beijing_time(day.counted_at)}"]),
            ("主管", [day.signed_name or "", f"时间：{beijing_time(day.signed_at)}"]),
        ]
    )
    return page.render()


def issue_day(day: HallDay) -> None:
    """Issue the signed day with its check code; repeatable."""
    facts = {
        N_("Hall"): identity.organisation_name(day.hall_organisation_id),
        N_("Day"): day.day.isoformat(),
        N_("Parcels on the shelves"): str(sum(each["counted"] for each in day.shelves)),
        N_("Counted by"): f"{day.counted_name} {beijing_time(day.counted_at)}",
        N_("Signed by"): f"{day.signed_name} {beijing_time(day.signed_at)}",
    }
    issue(
        "hall-day",
        day.number,
        "寄递日终盘点表",
        f"hall-day:{day.id}",
        day.id,
        facts,
        lambda check: day_paper(day, check),
    )


def issued_day(day_id: UUID) -> UUID | None:
    """The stored file of the signed paper, or None before."""
    papers = issued_for(f"hall-day:{day_id}")
    return papers[-1].file_id if papers else None
