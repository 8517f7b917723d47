"""Our own label (自制面单), where the carrier gives none: the zones of GB/T 41833, name and telephone masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.documents.pdf import Label
from delivery import rules
from delivery.queries import ParcelView

TRACKING_PAGE: Final = "https://mini.ems.com.cn/youzheng/mini/"


class Sheet(StrEnum):
    """Label paper in millimetres."""

    SMALL = "76x130"
    MEDIUM = "100x150"
    LARGE = "100x180"

    @property
    def size(self) -> tuple[int, int]:
        width, _, height = self.value.partition("x")
        return int(width), int(height)


@dataclass(frozen=True)
class HallAddress:
    """The sender as a label prints it."""

    phone: str
    address: str


def own_label(parcel: ParcelView, sender: HallAddress, *, simulated: bool, sheet: Sheet = Sheet.SMALL) -> bytes:
    """A label in the zones of GB/T 41833, masked; for a number whose label the carrier did not give."""
    return own_labels([(parcel, sender)], simulated=simulated, sheet=sheet)


def own_labels(
    parcels: Sequence[tuple[ParcelView, HallAddress]], *, simulated: bool, sheet: Sheet = Sheet.SMALL
) -> bytes:
    """One sheet for each parcel, in one file. Raises ValueError without a parcel."""
    if not parcels:
        raise ValueError("no labels without parcels")
    first = parcels[0][0]
    page = Label(*sheet.size, title=f"面单 {first.waybill_no}", author=first.hall_name)
    for count, (parcel, sender) in enumerate(parcels):
        if count:
            page.page()
        _draw(page, parcel, sender, simulated=simulated, sheet=sheet)
    return page.render()


def _draw(page: Label, parcel: ParcelView, sender: HallAddress, *, simulated: bool, sheet: Sheet) -> None:
    assert parcel.waybill_no is not None
    width, height = sheet.size
    grow = width / 76  # letters and columns of the wider papers
    stretch = height / 130  # rows of the longer papers

    def y(row: float) -> float:
        return row * stretch

    page.text(4, y(9), "特快专递" + ("（模拟，不可寄递）" if simulated else ""), size=13 * grow, bold=True)
    page.text(width - 4, y(9), "自制面单", size=7 * grow, align="right")
    page.line(3, y(12), width - 3, y(12))
    page.code128(3, y(14), parcel.waybill_no, width=width - 6, height=15 * stretch)
    page.text(width / 2, y(34), parcel.waybill_no, size=12 * grow, bold=True, align="center")
    page.line(3, y(37), width - 3, y(37))
    page.text(4, y(44), parcel.destination_name or parcel.receiver.city, size=16 * grow, bold=True)
    page.text(width - 4, y(44), parcel.route_code or "", size=10 * grow, align="right")
    page.line(3, y(48), width - 3, y(48))
    receiver, left = parcel.receiver, 13 * grow
    page.text(4, y(55), "收", size=13 * grow, bold=True)
    page.text(left, y(55), f"{rules.masked_name(receiver.name)}  {_masked(receiver.mobile)}", size=11 * grow, bold=True)
    page.lines(left, y(61), width - left - 4, receiver.line, size=9 * grow, most=3)
    page.line(3, y(74), width - 3, y(74), weight=0.3)
    page.text(4, y(81), "寄", size=13 * grow, bold=True)
    page.text(left, y(81), f"{parcel.hall_name}  {_masked(sender.phone)}", size=8 * grow)
    page.lines(left, y(86), width - left - 4, sender.address, size=8 * grow, most=2)
    page.line(3, y(93), width - 3, y(93), weight=0.3)
    page.text(4, y(98), f"内件：文件 {parcel.contents[:14]}", size=8 * grow)
    page.text(4, y(103), f"重量：{parcel.weight_g} g　封签：{parcel.seal_no or ''}", size=8 * grow)
    page.text(4, y(108), f"订单号：{parcel.order_no or ''}", size=8 * grow)
    code = 17 * grow
    page.box(3, y(112), width - code - 8, 14 * stretch)
    page.text(5, y(117), "签收人：", size=8 * grow)
    page.text(5, y(123), "时间：", size=8 * grow)
    page.qr(width - code - 3, y(128) - code, TRACKING_PAGE + parcel.waybill_no, size=code)


def _masked(mobile: str) -> str:
    return mobile if "*" in mobile else rules.masked_mobile(mobile)
