"""The chain of custody (交接链) as a paper."""

from collections.abc import Callable

from app.documents.pdf import Letter
from delivery.documents.times import beijing_time
from delivery.queries import ParcelView
from delivery.queries.custody import Chain, CustodyView

Translate = Callable[[str], str]


def custody_paper(parcel: ParcelView, chain: Chain, translate: Translate) -> bytes:
    """Every hand-over with its proof and digest; gaps are told first."""
    page = Letter(title="寄递交接链记录", issuer=parcel.hall_name, number=parcel.number)
    page.facts(
        [("寄递单号", parcel.number), ("运单号", parcel.waybill_no or ""), ("内件", parcel.contents),
         ("收件人", parcel.receiver.name), ("当前状态", translate(parcel.state_label)), ("现持有人", translate(chain.holder)),
         ("交接次数", str(len(chain.steps))), ("完整性", "完整" if chain.is_whole else "有缺口")],
        columns=2,
    )  # fmt: skip
    page.barcode(parcel.waybill_no or parcel.number)
    if chain.gaps:
        page.heading("缺口")
        page.numbered(translate(each) for each in chain.gaps)
    page.heading("交接记录")
    page.table(
        ["序", "环节", "交出", "接收", "时间", "封签号", "依据", "摘要"],
        [_row(step, translate) for step in chain.steps],
        widths=[0.4, 1.5, 1.4, 1.4, 1.3, 1.2, 1.3, 1.2],
    )
    page.note("每一环节的摘要（SHA-256）包含前一环节的摘要，并写入审计日志；此处列出前十二位。扫码交接记为“扫”。")
    return page.render()


def _row(step: CustodyView, translate: Translate) -> list[str]:
    mark = "（扫）" if step.scanned else ""
    return [
        str(step.position), translate(step.label) + mark, _party(step.giver, step.giver_name, translate),
        _party(step.taker, step.taker_name, translate), beijing_time(step.at), step.seal_no or "", step.proof, step.digest[:12],
    ]  # fmt: skip


def _party(holder: str, name: str, translate: Translate) -> str:
    return f"{translate(holder)}\n{name}" if name else translate(holder)
