"""Papers of the delivery: our own label where the carrier gives none, and the hand-over list (交接清单).

Both are in Chinese: they are read by the hall's and the carrier's staff.
"""

from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.documents.pdf import Check, Label, Letter
from app.documents.register import issue, issued_for
from app.kernel.words import N_
from delivery import rules
from delivery.queries import BatchView, ParcelView

BEIJING: Final = ZoneInfo("Asia/Shanghai")
TRACKING_PAGE: Final = "https://mini.ems.com.cn/youzheng/mini/"
_WIDTH: Final = 76.0
_HEIGHT: Final = 130.0
OUTCOMES: Final = {"listed": "在单", "taken": "已交", "missing": "缺件"}


def own_label(parcel: ParcelView, hall_phone: str, hall_address: str, *, simulated: bool) -> bytes:
    """A 76×130 mm label in the zones of GB/T 41833, masked; for a number whose label the carrier did not give."""
    assert parcel.waybill_no is not None
    page = Label(_WIDTH, _HEIGHT, title=f"面单 {parcel.waybill_no}", author=parcel.hall_name)
    page.text(4, 9, "特快专递" + ("（模拟，不可寄递）" if simulated else ""), size=13, bold=True)
    page.text(_WIDTH - 4, 9, "自制面单", size=7, align="right")
    page.line(3, 12, _WIDTH - 3, 12)
    page.code128(3, 14, parcel.waybill_no, width=_WIDTH - 6, height=15)
    page.text(_WIDTH / 2, 34, parcel.waybill_no, size=12, bold=True, align="center")
    page.line(3, 37, _WIDTH - 3, 37)
    page.text(4, 44, parcel.destination_name or parcel.receiver.city, size=16, bold=True)
    page.text(_WIDTH - 4, 44, parcel.route_code or "", size=10, align="right")
    page.line(3, 48, _WIDTH - 3, 48)
    receiver = parcel.receiver
    page.text(4, 55, "收", size=13, bold=True)
    page.text(13, 55, f"{rules.masked_name(receiver.name)}  {_masked(receiver.mobile)}", size=11, bold=True)
    page.lines(13, 61, _WIDTH - 17, _label_address(parcel), size=9, most=3)
    page.line(3, 74, _WIDTH - 3, 74, weight=0.3)
    page.text(4, 81, "寄", size=13, bold=True)
    page.text(13, 81, f"{parcel.hall_name}  {_masked(hall_phone)}", size=9)
    page.lines(13, 86, _WIDTH - 17, hall_address, size=8, most=2)
    page.line(3, 93, _WIDTH - 3, 93, weight=0.3)
    page.text(4, 98, f"内件：文件 {parcel.contents[:14]}", size=8)
    page.text(4, 103, f"重量：{parcel.weight_g} g　封签：{parcel.seal_no or ''}", size=8)
    page.text(4, 108, f"订单号：{parcel.order_no or ''}", size=8)
    page.box(3, 112, _WIDTH - 25, 14)
    page.text(5, 117, "签收人：", size=8)
    page.text(5, 123, "时间：", size=8)
    page.qr(_WIDTH - 20, 110, TRACKING_PAGE + parcel.waybill_no, size=17)
    return page.render()


def handover_list(batch: BatchView, check: Check | None = None) -> bytes:
    """The list with bar codes, counts and both signatures; without `check` it says that it is a draft."""
    page = Letter(
        title="寄递交接清单",
        issuer=batch.hall_name,
        number=batch.number,
        check=check,
        subtitle="" if check else "草稿，双方签收后生效",
    )
    page.facts(
        [("清单编号", batch.number), ("政务大厅", batch.hall_name), ("建单时间", _time(batch.created_at)),
         ("件数", str(len(batch.lines))), ("实交件数", "" if batch.taken_count is None else str(batch.taken_count)),
         ("缺件", str(batch.missing))],
        columns=2,
    )  # fmt: skip
    page.barcode(batch.number)
    page.table(
        ["序", "运单号", "寄递单号", "收件人", "收件地", "内件", "封签号", "状态"],
        [
            [str(count), line.waybill_no, line.number, line.receiver, line.place, line.contents, line.seal_no,
             OUTCOMES.get(line.outcome, line.outcome)]
            for count, line in enumerate(batch.lines, 1)
        ],
        widths=[0.5, 1.7, 1.9, 0.9, 1.6, 1.9, 1.2, 0.7],
        total=["合计", f"{len(batch.lines)} 件", "", "", "", "", "", ""],
    )  # fmt: skip
    if batch.remark:
        page.paragraph(f"备注：{batch.remark}")
    page.signatures(
        [
            ("移交方（政务大厅）", [f"签收人：{batch.offered_name or ''}", f"时间：{_time(batch.offered_at)}",
                          f"件数：{batch.offered_count if batch.offered_count is not None else ''}"]),
            ("接收方（邮政）", [f"揽收员：{batch.courier_name or ''}（工号 {batch.courier_staff_no or ''}）",
                        f"经办：{batch.taken_name or ''}", f"时间：{_time(batch.taken_at)}",
                        f"件数：{batch.taken_count if batch.taken_count is not None else ''}"]),
        ]
    )  # fmt: skip
    return page.render()


def issue_list(batch: BatchView) -> None:
    """Issue the signed list with its check code; repeatable."""
    facts = {
        N_("Hall"): batch.hall_name,
        N_("Parcels handed over"): str(batch.taken_count),
        N_("Missing"): str(batch.missing),
        N_("Signed for the hall"): f"{batch.offered_name} {_time(batch.offered_at)}",
        N_("Signed for the courier"): f"{batch.courier_name} {_time(batch.taken_at)}",
    }
    issue(
        "handover-list", batch.number, "寄递交接清单", _subject(batch.id), batch.id, facts,
        lambda check: handover_list(batch, check),
    )  # fmt: skip


def issued_list(batch_id: UUID) -> UUID | None:
    """The stored file of the signed list, or None while it is a draft."""
    papers = issued_for(_subject(batch_id))
    return papers[-1].file_id if papers else None


def _subject(batch_id: UUID) -> str:
    return f"handover-batch:{batch_id}"


def _label_address(parcel: ParcelView) -> str:
    receiver = parcel.receiver
    if receiver.masked:
        return receiver.line
    return f"{receiver.prov}{receiver.city}{receiver.county}{rules.street_only(receiver.address)}"


def _masked(mobile: str) -> str:
    return mobile if "*" in mobile else rules.masked_mobile(mobile)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""
