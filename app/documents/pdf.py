"""Pages as PDF on ReportLab with an embedded Chinese font: letters (`Letter`) and labels (`Label`).

The callers pass finished text in one language; nothing here decides what a document says. Every text is escaped, and
a character that the font does not hold becomes the geta mark 〓, so a gap is seen instead of a blank.
"""

from __future__ import annotations

import functools
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

import segno
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    HRFlowable,
    Image,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

FONTS: Final = Path(__file__).parent / "fonts"
REGULAR: Final = "NotoSansSC"
BOLD: Final = "NotoSansSC-Bold"
CHINESE: Final = "zh_Hans_CN"
INK: Final = colors.HexColor("#1b2430")
MUTED: Final = colors.HexColor("#5b6675")
RULE: Final = colors.HexColor("#c9d1db")
SHADE: Final = colors.HexColor("#f3f6fa")
ACCENT: Final = colors.HexColor("#a61b1b")
GETA: Final = "〓"
_CJK: Final = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")

Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Check:
    """Where a reader can check the paper: the code in groups of four and the address that the QR code holds."""

    code: str
    url: str


@dataclass(frozen=True)
class Words:
    """The few words that the page furniture itself needs, in the language of the document."""

    page: str = "第 %(page)d 页 共 %(pages)d 页"
    number: str = "编号"
    check: str = "扫码或访问下列网址核验真伪"
    check_code: str = "核验码"


ENGLISH: Final = Words(
    page="Page %(page)d of %(pages)d",
    number="No.",
    check="Scan or visit to check this document",
    check_code="Check code",
)


@functools.cache
def _fonts() -> frozenset[int]:
    """Register both weights once per process; returns the characters that they hold."""
    regular = TTFont(REGULAR, str(FONTS / "NotoSansSC-Regular.ttf"))
    bold = TTFont(BOLD, str(FONTS / "NotoSansSC-Bold.ttf"))
    pdfmetrics.registerFont(regular)
    pdfmetrics.registerFont(bold)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return frozenset(regular.face.charToGlyph) & frozenset(bold.face.charToGlyph)


def printable(text: str) -> str:
    """The text with every character that cannot be printed shown as 〓 (line breaks stay)."""
    known = _fonts()
    return "".join(char if char == "\n" or ord(char) in known else GETA for char in text.replace("\t", " "))


class Letter:
    """A document on A4 pages: letterhead, title, flowing content, page numbers, and the check mark on every page.

    Methods add content in reading order; `render()` returns the PDF. The same calls give the same bytes.
    """

    def __init__(
        self,
        *,
        title: str,
        issuer: str,
        number: str = "",
        check: Check | None = None,
        language: str = CHINESE,
        subtitle: str = "",
        author: str = "",
    ) -> None:
        _fonts()
        self._title = title
        self._issuer = issuer
        self._number = number
        self._check = check
        self._language = language
        self._author = author or issuer
        self._words = Words() if language.startswith("zh") else ENGLISH
        self._story: list[Flowable] = []
        self._add(self._text(title, size=19, bold=True, align="center", leading=28))
        if subtitle:
            self._add(self._text(subtitle, size=10.5, align="center", color=MUTED))
        if number:
            self._add(self._text(f"{self._words.number} {number}", size=9.5, align="center", color=MUTED))
        self.space(5)

    # --- content ---

    def heading(self, text: str) -> Letter:
        """A section heading; never left alone at the foot of a page."""
        self._add(
            CondPageBreak(26 * mm),
            Spacer(1, 3 * mm),
            self._text(text, size=12, bold=True, leading=19),
            Spacer(1, 1 * mm),
        )
        return self

    def paragraph(self, text: str, *, bold: bool = False, align: Align = "left", indent: bool = False) -> Letter:
        """Running text. `indent` starts it two characters in, as Chinese letters do."""
        style = self._style(10.5, bold=bold, align=align, leading=18)
        if indent:
            style.firstLineIndent = 21
        self._add(Paragraph(self._markup(text), self._wrapping(style, text)), Spacer(1, 1.6 * mm))
        return self

    def numbered(self, texts: Iterable[str]) -> Letter:
        """Clauses with Arabic numbers."""
        for count, text in enumerate(texts, 1):
            rows = [[self._text(f"{count}.", size=10.5), self._text(text, size=10.5, leading=17.5)]]
            self._add(Table(rows, colWidths=[9 * mm, self._width - 9 * mm], style=_PLAIN))
        return self

    def facts(self, facts: Iterable[tuple[str, str]], *, columns: int = 1) -> Letter:
        """Labels and values in a ruled grid, `columns` pairs to the row."""
        cells = [
            (self._text(label, size=9.5, color=MUTED), self._text(value or "—", size=10)) for label, value in facts
        ]
        while len(cells) % columns:
            cells.append((self._text("", size=9.5), self._text("", size=10)))
        rows = [
            [part for pair in cells[start : start + columns] for part in pair]
            for start in range(0, len(cells), columns)
        ]
        label_width = 34 * mm if columns == 1 else 25 * mm
        value_width = self._width / columns - label_width
        shade = [("BACKGROUND", (2 * column, 0), (2 * column, -1), SHADE) for column in range(columns)]
        table = Table(rows, colWidths=[label_width, value_width] * columns, style=TableStyle([*_GRID, *shade]))
        self._add(table, Spacer(1, 3 * mm))
        return self

    def table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        widths: Sequence[float] | None = None,
        align: Sequence[Align] | None = None,
        total: Sequence[str] | None = None,
    ) -> Letter:
        """A table whose header repeats on each page. `widths` are shares; `total` is a bold last row."""
        aligns: Sequence[Align] = align or ["left"] * len(header)
        lines = [[self._text(text, size=9, bold=True, align=side) for text, side in zip(header, aligns, strict=True)]]
        lines += [
            [self._text(text, size=9.2, align=side) for text, side in zip(row, aligns, strict=True)] for row in rows
        ]
        style = [*_GRID, ("BACKGROUND", (0, 0), (-1, 0), SHADE)]
        if total:
            lines.append(
                [self._text(text, size=9.5, bold=True, align=side) for text, side in zip(total, aligns, strict=True)]
            )
            style.append(("LINEABOVE", (0, -1), (-1, -1), 0.9, INK))
        shares = widths or [1] * len(header)
        table = Table(
            lines,
            colWidths=[self._width * share / sum(shares) for share in shares],
            repeatRows=1,
            style=TableStyle(style),
        )
        self._add(table, Spacer(1, 3 * mm))
        return self

    def barcode(self, value: str, caption: str = "") -> Letter:
        """A Code 128 bar code with its text below."""
        self._add(KeepTogether([_Bars(value), self._text(caption or value, size=9, align="center"), Spacer(1, 2 * mm)]))
        return self

    def qr(self, value: str, *captions: str) -> Letter:
        """A QR code of 34 mm in the middle with lines of text below; never split."""
        lines = [
            self._text(text, size=11 if n == 0 else 9, bold=n == 0, align="center") for n, text in enumerate(captions)
        ]
        self._add(Spacer(1, 2 * mm), KeepTogether([_Square(value, self._width), *lines, Spacer(1, 3 * mm)]))
        return self

    def picture(self, content: bytes, caption: str = "", *, width: float = 60.0) -> Letter:
        """A PNG or JPEG, `width` millimetres wide at most and 40 high, with a line below it."""
        image = Image(io.BytesIO(content))
        scale = min(width * mm / image.imageWidth, 40 * mm / image.imageHeight)
        image.drawWidth, image.drawHeight, image.hAlign = image.imageWidth * scale, image.imageHeight * scale, "LEFT"
        self._add(KeepTogether([image, self._text(caption, size=8.5, color=MUTED)]), Spacer(1, 3 * mm))
        return self

    def signatures(self, parties: Sequence[tuple[str, Sequence[str]]]) -> Letter:
        """The closing block: each party's name over its lines (signer, time, hash), side by side, never split."""
        cells: list[Any] = [
            [
                self._text(party, size=10.5, bold=True, leading=17),
                *(self._text(line, size=8.8, leading=14, color=MUTED) for line in lines),
            ]
            for party, lines in parties
        ]
        width = self._width / max(len(parties), 1)
        box = Table(
            [cells],
            colWidths=[width] * len(parties),
            style=TableStyle([*_GRID, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 12)]),
        )
        self._add(Spacer(1, 4 * mm), KeepTogether([box]))
        return self

    def closing(self, *lines: str) -> Letter:
        """Issuer and date at the right foot of a letter."""
        self._add(
            Spacer(1, 8 * mm), KeepTogether([self._text(line, size=11, align="right", leading=19) for line in lines])
        )
        return self

    def seal(self, around: str, below: str) -> Letter:
        """The picture of a round seal over the closing lines at the right foot. What proves the paper is its check code."""
        self._add(_Seal(around, below, self._width))
        return self

    def note(self, text: str) -> Letter:
        """Small print."""
        self._add(self._text(text, size=8.5, color=MUTED, leading=13), Spacer(1, 1 * mm))
        return self

    def space(self, millimetres: float) -> Letter:
        self._add(Spacer(1, millimetres * mm))
        return self

    def rule(self) -> Letter:
        self._add(HRFlowable(width="100%", thickness=0.5, color=RULE, spaceBefore=4, spaceAfter=6))
        return self

    # --- output ---

    def render(self) -> bytes:
        out = io.BytesIO()
        document = BaseDocTemplate(
            out,
            pagesize=A4,
            leftMargin=_LEFT,
            rightMargin=_LEFT,
            topMargin=_TOP,
            bottomMargin=_BOTTOM,
            title=self._title,
            author=self._author,
            subject=self._number,
            lang=self._language.replace("_", "-"),
            invariant=1,
        )
        frame = Frame(_LEFT, _BOTTOM, A4[0] - 2 * _LEFT, A4[1] - _TOP - _BOTTOM, 0, 0, 0, 0)
        document.addPageTemplates(PageTemplate(frames=[frame]))
        document.build(list(self._story), canvasmaker=functools.partial(_NumberedCanvas, furniture=self._furniture))
        return out.getvalue()

    @property
    def _width(self) -> float:
        return A4[0] - 2 * _LEFT

    def _furniture(self, canvas: Canvas, page: int, pages: int) -> None:
        width, height = A4
        canvas.setFillColor(ACCENT)
        canvas.rect(_LEFT, height - 17.2 * mm, 3, 12, stroke=0, fill=1)
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 10.5)
        canvas.drawString(_LEFT + 8, height - 16.4 * mm, printable(self._issuer))
        canvas.setFont(REGULAR, 8.5)
        canvas.setFillColor(MUTED)
        canvas.drawRightString(width - _LEFT, height - 16.4 * mm, printable(self._number))
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
        canvas.line(_LEFT, height - 20 * mm, width - _LEFT, height - 20 * mm)
        canvas.line(_LEFT, 29 * mm, width - _LEFT, 29 * mm)
        canvas.drawRightString(width - _LEFT, 22 * mm, self._words.page % {"page": page, "pages": pages})
        if self._check:
            draw_qr(canvas, self._check.url, _LEFT, 9 * mm, 18 * mm)
            left = _LEFT + 21 * mm
            canvas.drawString(left, 22 * mm, self._words.check)
            canvas.setFont(REGULAR, 8)
            canvas.drawString(left, 17.4 * mm, self._check.url)
            canvas.setFont(BOLD, 8.5)
            canvas.drawString(left, 12.8 * mm, f"{self._words.check_code} {self._check.code}")

    def _add(self, *flowables: Flowable) -> None:
        self._story.extend(flowables)

    def _text(
        self,
        text: str,
        *,
        size: float,
        bold: bool = False,
        align: Align = "left",
        color: Any = INK,
        leading: float | None = None,
    ) -> Paragraph:
        style = self._style(size, bold=bold, align=align, leading=leading or size * 1.5)
        style.textColor = color
        return Paragraph(self._markup(text), self._wrapping(style, text))

    def _style(self, size: float, *, bold: bool, align: Align, leading: float) -> ParagraphStyle:
        return ParagraphStyle(
            "text",
            fontName=BOLD if bold else REGULAR,
            fontSize=size,
            leading=leading,
            alignment=_ALIGNMENT[align],
            textColor=INK,
        )

    def _wrapping(self, style: ParagraphStyle, text: str) -> ParagraphStyle:
        """Break between any two characters where the text is Chinese, between words where it is not."""
        if _CJK.search(text):
            style.wordWrap = "CJK"
        else:
            style.splitLongWords = 1
        return style

    def _markup(self, text: str) -> str:
        return escape(printable(text)).replace("\n", "<br/>")


class Label:
    """One sheet of a given size, drawn by position: millimetres from the top left corner.

    For carrier labels and stickers. `page()` starts a further sheet.
    """

    def __init__(self, width: float, height: float, *, title: str = "", author: str = "") -> None:
        _fonts()
        self._height = height
        self._out = io.BytesIO()
        self._canvas = Canvas(self._out, pagesize=(width * mm, height * mm), invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setAuthor(author)

    def text(
        self, x: float, y: float, text: str, *, size: float = 9, bold: bool = False, align: Align = "left"
    ) -> Label:
        """One line; (x, y) is the left, right or middle end of its base line. `size` in points."""
        self._canvas.setFillColor(colors.black)
        self._canvas.setFont(BOLD if bold else REGULAR, size)
        draw = {
            "left": self._canvas.drawString,
            "right": self._canvas.drawRightString,
            "center": self._canvas.drawCentredString,
        }[align]
        draw(x * mm, self._up(y), printable(text))
        return self

    def lines(
        self, x: float, y: float, width: float, text: str, *, size: float = 9, bold: bool = False, most: int = 3
    ) -> float:
        """Wrapped text from base line `y` down, at most `most` lines (the last then ends in …). Returns the next base line."""
        font = BOLD if bold else REGULAR
        wrapped = wrap(text, font, size, width * mm)
        shown = wrapped[:most]
        if len(wrapped) > most:
            shown[-1] = shown[-1][:-1] + "…"
        for line in shown:
            self.text(x, y, line, size=size, bold=bold)
            y += size * 1.35 / mm
        return y

    def line(self, x1: float, y1: float, x2: float, y2: float, *, weight: float = 0.6) -> Label:
        self._canvas.setStrokeColor(colors.black)
        self._canvas.setLineWidth(weight)
        self._canvas.line(x1 * mm, self._up(y1), x2 * mm, self._up(y2))
        return self

    def box(
        self, x: float, y: float, width: float, height: float, *, weight: float = 0.6, filled: bool = False
    ) -> Label:
        self._canvas.setStrokeColor(colors.black)
        self._canvas.setFillColor(colors.black)
        self._canvas.setLineWidth(weight)
        self._canvas.rect(x * mm, self._up(y + height), width * mm, height * mm, fill=int(filled))
        return self

    def code128(self, x: float, y: float, value: str, *, width: float, height: float) -> Label:
        """Bars whose quiet zones lie inside `width`; (x, y) is the top left corner."""
        bars = Code128(value, barWidth=1, barHeight=height * mm, quiet=True, humanReadable=False)
        bars.barWidth = width * mm / bars.width
        scaled = Code128(value, barWidth=bars.barWidth, barHeight=height * mm, quiet=True, humanReadable=False)
        scaled.drawOn(self._canvas, x * mm, self._up(y + height))
        return self

    def qr(self, x: float, y: float, value: str, *, size: float) -> Label:
        draw_qr(self._canvas, value, x * mm, self._up(y + size), size * mm)
        return self

    def page(self) -> Label:
        self._canvas.showPage()
        return self

    def render(self) -> bytes:
        self._canvas.save()
        return self._out.getvalue()

    def _up(self, y: float) -> float:
        return (self._height - y) * mm


def wrap(text: str, font: str, size: float, width: float) -> list[str]:
    """Break text at `width` points, between any two characters (labels are Chinese addresses)."""
    _fonts()
    found: list[str] = []
    for paragraph in printable(text).split("\n"):
        line = ""
        for char in paragraph:
            if line and pdfmetrics.stringWidth(line + char, font, size) > width:
                found.append(line)
                line = ""
            line += char
        found.append(line)
    return found


def draw_qr(canvas: Canvas, value: str, x: float, y: float, size: float) -> None:
    """Draw a QR code (level M, quiet zone of 2 modules inside `size`) with its lower left corner at (x, y), in points."""
    rows = [bytearray(row) for row in segno.make(value, error="m", micro=False).matrix_iter(border=2)]
    module = size / len(rows)
    canvas.saveState()
    canvas.setFillColor(colors.white)
    canvas.rect(x, y, size, size, stroke=0, fill=1)
    canvas.setFillColor(colors.black)
    for number, row in enumerate(rows):
        start = None
        for column, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                # runs overlap by a hair, or viewers show white seams between the modules
                canvas.rect(
                    x + start * module,
                    y + size - (number + 1) * module,
                    (column - start) * module,
                    module * 1.02,
                    stroke=0,
                    fill=1,
                )
                start = None
    canvas.restoreState()


class _Bars(Flowable):
    """A centred Code 128 flowable 16 mm high."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self._bars = Code128(value, barWidth=0.42 * mm, barHeight=16 * mm, quiet=True)

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:  # noqa: ARG002
        self._available = available_width
        return available_width, 18 * mm

    def draw(self) -> None:
        self._bars.drawOn(self.canv, (self._available - self._bars.width) / 2, 1 * mm)


class _Square(Flowable):
    """A centred QR code of 34 mm."""

    SIZE = 34 * mm

    def __init__(self, value: str, width: float) -> None:
        super().__init__()
        self._value, self._full = value, width

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:  # noqa: ARG002
        return available_width, self.SIZE

    def draw(self) -> None:
        draw_qr(self.canv, self._value, (self._full - self.SIZE) / 2, 0, self.SIZE)


class _Seal(Flowable):
    """A round red seal with a star, drawn upwards over what stands before it; takes no room itself."""

    def __init__(self, around: str, below: str, width: float) -> None:
        super().__init__()
        self._around, self._below, self._full = printable(around), printable(below), width

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:  # noqa: ARG002
        return available_width, 0

    def draw(self) -> None:
        canvas, radius = self.canv, 19 * mm
        canvas.saveState()
        canvas.translate(self._full - 26 * mm, 10 * mm)
        canvas.setStrokeColor(ACCENT)
        canvas.setFillColor(ACCENT)
        canvas.setStrokeAlpha(0.72)
        canvas.setFillAlpha(0.72)
        canvas.setLineWidth(2.2)
        canvas.circle(0, 0, radius, stroke=1, fill=0)
        self._ring(canvas, radius - 12)
        self._star(canvas, 6.2 * mm)
        canvas.setFont(BOLD, 8.5)
        canvas.drawCentredString(0, -radius + 8 * mm, self._below)
        canvas.restoreState()

    def _ring(self, canvas: Canvas, radius: float) -> None:
        """The name along the upper arc, read clockwise."""
        step = min(26.0, 230 / max(len(self._around) - 1, 1))
        start = step * (len(self._around) - 1) / 2
        canvas.setFont(BOLD, 10)
        for place, character in enumerate(self._around):
            canvas.saveState()
            canvas.rotate(start - place * step)
            canvas.drawCentredString(0, radius - 3, character)
            canvas.restoreState()

    def _star(self, canvas: Canvas, radius: float) -> None:
        path = canvas.beginPath()
        for corner in range(10):
            angle = math.radians(90 + corner * 36)
            reach = radius if corner % 2 == 0 else radius * 0.382
            point = (reach * math.cos(angle), reach * math.sin(angle))
            path.lineTo(*point) if corner else path.moveTo(*point)
        path.close()
        canvas.drawPath(path, stroke=0, fill=1)


class _NumberedCanvas(Canvas):
    """Keeps the pages until their number is known, then adds the furniture to each."""

    def __init__(self, *arguments: Any, furniture: Callable[[Canvas, int, int], None], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._furniture = furniture
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the name of the base class
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self._furniture(self, number, len(self._pages))
            super().showPage()
        super().save()


_ALIGNMENT: Final[Mapping[Align, Literal[0, 1, 2]]] = {"left": 0, "center": 1, "right": 2}
_LEFT: Final = 20 * mm
_TOP: Final = 27 * mm
_BOTTOM: Final = 34 * mm
_GRID: Final[list[Any]] = [
    ("GRID", (0, 0), (-1, -1), 0.5, RULE),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ("LEFTPADDING", (0, 0), (-1, -1), 6),
    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
]
_PLAIN: Final = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)
