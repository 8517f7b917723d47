"""The hand-over list (交接清单), as a draft and as the issued paper."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.documents.pdf import Check, Letter
from app.documents.register import issue, issued_for
from app.kernel.words import N_
from delivery.documents.times import beijing_time
from delivery.queries import BatchView
from delivery.queries.differences import DifferenceView

OUTCOMES: Final = {"listed": "在单", "taken": "已交", "missing": "缺件"}


RESOLVED: Final = {
    "found": "在厅内找到，随后续清单移交", "left_behind": "留待后续清单移交", "with_carrier": "经核对已由揽投员带走，计入本清单", "lost": "在厅内遗失，由主管登记，证照重新制发",
}  # fmt: skip


def handover_list(batch: BatchView, differences: Sequence[DifferenceView] = (), check: Check | None = None) -> bytes:
    """The list with bar codes, counts and both signatures, and what became of each missing parcel since, line by line.

    Without `check` it says that it is a draft.
    """
    page = Letter(
        title="寄递交接清单",
        issuer=batch.hall_name,
        number=batch.number,
        check=check,
        subtitle="" if check else "草稿，双方签收后生效",
    )
    page.facts(
        [("清单编号", batch.number), ("政务大厅", batch.hall_name), ("建单时间", beijing_time(batch.created_at)),
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
        widths=[0.7, 1.8, 1.9, 0.9, 1.5, 1.8, 1.4, 0.7],
        total=["合计", f"{len(batch.lines)} 件", "", "", "", "", "", ""],
    )  # fmt: skip
    if batch.remark:
        page.paragraph(f"备注：{batch.remark}")
    if differences:
        _resolutions(page, differences)
    page.signatures(
        [
            ("移交方（政务大厅）", [f"签收人：{batch.offered_name or ''}", f"时间：{beijing_time(batch.offered_at)}",
                          f"件数：{batch.offered_count if batch.offered_count is not None else ''}"]),
            ("接收方（邮政）", [f"揽收员：{batch.courier_name or ''}（工号 {batch.courier_staff_no or ''}）",
                        f"经办：{batch.taken_name or ''}", f"时间：{beijing_time(batch.taken_at)}",
                        f"件数：{batch.taken_count if batch.taken_count is not None else ''}"]),
        ]
    )  # fmt: skip
    return page.render()


def _resolutions(page: Letter, differences: Sequence[DifferenceView]) -> None:
    page.heading("缺件处理记录")
    page.table(
        ["序", "运单号", "寄递单号", "处理结果", "说明", "处理人", "处理时间"],
        [
            [str(count), each.waybill_no, each.number, RESOLVED.get(each.resolution, "尚未处理"), each.reason or "",
             each.resolved_name or "", beijing_time(each.resolved_at)]
            for count, each in enumerate(differences, 1)
        ],
        widths=[0.5, 2.0, 2.1, 1.9, 2.1, 0.9, 1.3],
    )  # fmt: skip
    page.note("处理人以本人账号登记，处理过程写入审计日志；双方签字时的清单为同一编号的首份文书。")


def issue_list(batch: BatchView, differences: Sequence[DifferenceView] = ()) -> None:
    """Issue the signed list with its check code; repeatable.

    Each difference that is cleared up gives a further paper (number and how many are cleared up); the first one, as it
    was signed, stays what it is.
    """
    cleared = sum(bool(each.resolution) for each in differences)
    facts = {
        N_("Hall"): batch.hall_name,
        N_("Parcels handed over"): str(batch.taken_count),
        N_("Missing"): str(batch.missing),
        N_("Signed for the hall"): f"{batch.offered_name} {beijing_time(batch.offered_at)}",
        N_("Signed for the courier"): f"{batch.courier_name} {beijing_time(batch.taken_at)}",
    }
    if differences:
        facts[N_("Differences cleared up")] = f"{cleared} / {len(differences)}"
    issue(
        "handover-list", f"{batch.number}-{cleared}" if cleared else batch.number, "寄递交接清单", _subject(batch.id), batch.id, facts,
        lambda check: handover_list(batch, differences, check),
    )  # fmt: skip


def issued_list(batch_id: UUID) -> UUID | None:
    """The stored file of the signed list as it stands now, or None while it is a draft."""
    papers = issued_for(_subject(batch_id))
    return papers[-1].file_id if papers else None


def _subject(batch_id: UUID) -> str:
    return f"handover-batch:{batch_id}"
