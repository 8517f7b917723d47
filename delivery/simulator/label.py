"""The simulator's label: the zones of GB/T 41833, masked, with 模拟 in every place where a sorter would look."""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from delivery.rules import masked_address, masked_mobile, masked_name

SIZES: Final = {"129": (76, 129), "149": (76, 149), "179": (100, 179)}
_FONT: Final = "SimulatorSans"
_FONT_FILE: Final = Path(__file__).resolve().parents[2] / "app" / "documents" / "fonts" / "NotoSansSC-Bold.ttf"


def draw(waybill_no: str, order: dict[str, Any], label_type: str) -> bytes:
    """The label of one order as a one-page PDF of the size of `label_type`."""
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(_FONT, str(_FONT_FILE)))
    width, height = SIZES[label_type]
    output = BytesIO()
    page = Canvas(output, pagesize=(width * mm, height * mm), invariant=1)
    page.setTitle(f"模拟面单 {waybill_no}")
    _heading(page, width, height)
    _number(page, width, height, waybill_no)
    _parties(page, height, order)
    _foot(page, width, waybill_no, order)
    page.showPage()
    page.save()
    return output.getvalue()


def _write(page: Canvas, x: float, y: float, size: float, text: str) -> None:
    page.setFont(_FONT, size)
    page.drawString(x * mm, y * mm, text)


def _heading(page: Canvas, width: int, height: int) -> None:
    _write(page, 4, height - 9, 15, "模拟 · 不可寄递")
    page.setFont(_FONT, 8)
    page.drawRightString((width - 4) * mm, (height - 8.5) * mm, "特快专递（模拟）")
    page.line(3 * mm, (height - 12) * mm, (width - 3) * mm, (height - 12) * mm)


def _number(page: Canvas, width: int, height: int, waybill_no: str) -> None:
    barcode = Code128(waybill_no, barHeight=14 * mm, barWidth=0.33 * mm, quiet=0)
    barcode.drawOn(page, (width * mm - barcode.width) / 2, (height - 29) * mm)
    page.setFont(_FONT, 11)
    page.drawCentredString(width / 2 * mm, (height - 34) * mm, waybill_no)
    _write(page, 4, height - 43, 16, "模拟 380D-56-04-17")
    page.line(3 * mm, (height - 46) * mm, (width - 3) * mm, (height - 46) * mm)


def _parties(page: Canvas, height: int, order: dict[str, Any]) -> None:
    top = height - 53
    for title, side in (("收", order.get("receiver") or {}), ("寄", order.get("sender") or {})):
        name, mobile = str(side.get("name", "")), str(side.get("mobile", ""))
        regions = [str(side.get(part, "")) for part in ("prov", "city", "county")]
        _write(page, 4, top, 12, title)
        _write(page, 12, top, 11, f"{masked_name(name)}  {masked_mobile(mobile)}")
        address = masked_address(regions[0], regions[1], regions[2], str(side.get("address", "")))
        for line, start in enumerate(range(0, min(len(address), 36), 18)):
            _write(page, 12, top - 5 - 4.5 * line, 9, address[start : start + 18])
        top -= 20


def _foot(page: Canvas, width: int, waybill_no: str, order: dict[str, Any]) -> None:
    cargos = order.get("cargos") or [{}]
    _write(page, 4, 30, 9, f"内件：文件 {str(cargos[0].get('cargoName', ''))[:14]}")
    _write(page, 4, 24, 9, f"重量：{order.get('weight', '')} g   订单号：{order.get('logisticsOrderNo', '')}")
    page.rect(3 * mm, 6 * mm, (width - 6) * mm, 13 * mm)
    _write(page, 5, 14, 8, "签收人：              时间：")
    _write(page, 5, 8, 8, f"模拟面单 {waybill_no}，由演示系统生成")
