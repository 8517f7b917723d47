"""The hand-over list (交接清单), as a draft and as the issued paper."""

from typing import Final
from uuid import UUID

from app.documents.pdf import Check, Letter
from app.documents.register import issue, issued_for
from app.kernel.words import N_
from delivery.documents.times import beijing_time
from delivery.queries import BatchView

OUTCOMES: Final = {"listed": "在单", "taken": "已交", "missing": "缺件"}


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
        widths=[0.5, 1.7, 1.9, 0.9, 1.6, 1.9, 1.2, 0.7],
        total=["合计", f"{len(batch.lines)} 件", "", "", "", "", "", ""],
    )  # fmt: skip
    if batch.remark:
        page.paragraph(f"备注：{batch.remark}")
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


def issue_list(batch: BatchView) -> None:
    """Issue the signed list with its check code; repeatable."""
    facts = {
        N_("Hall"): batch.hall_name,
        N_("Parcels handed over"): str(batch.taken_count),
        N_("Missing"): str(batch.missing),
        N_("Signed for the hall"): f"{batch.offered_name} {beijing_time(batch.offered_at)}",
        N_("Signed for the courier"): f"{batch.courier_name} {beijing_time(batch.taken_at)}",
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
