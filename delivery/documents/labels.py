"""Our own label (自制面单), where the carrier gives none: the zones of GB/T 41833, name and telephone masked."""

from typing import Final

from app.documents.pdf import Label
from delivery import rules
from delivery.queries import ParcelView

TRACKING_PAGE: Final = "https://mini.ems.com.cn/youzheng/mini/"
_WIDTH: Final = 76.0
_HEIGHT: Final = 130.0


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
    page.lines(13, 61, _WIDTH - 17, receiver.line, size=9, most=3)
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


def _masked(mobile: str) -> str:
    return mobile if "*" in mobile else rules.masked_mobile(mobile)
