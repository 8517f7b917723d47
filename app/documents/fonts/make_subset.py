# mypy: ignore-errors
"""Make NotoSansSC-<weight>.ttf here from Debian's fonts-noto-cjk: `python make_subset.py Regular` (needs fontTools).

ReportLab embeds TrueType outlines only, so the CFF curves are converted; 1.2 font units of error are invisible in print.
"""

import sys
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont, newTable

HERE = Path(__file__).parent
DROPPED = ["VORG", "vhea", "vmtx", "GSUB", "GPOS", "GDEF", "BASE", "DSIG"]


def characters() -> set[int]:
    """ASCII, GB 2312 and the characters of names.txt."""
    found = set(range(0x20, 0x7F)) | {ord(char) for char in (HERE / "names.txt").read_text("utf-8").strip()}
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            found.update(map(ord, bytes((high, low)).decode("gb2312", errors="ignore")))
    return found


def subset(font: TTFont) -> None:
    options = Options(layout_features=[], hinting=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], glyph_names=False)
    options.notdef_outline = True
    options.desubroutinize = True
    options.drop_tables += DROPPED
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)


def to_truetype(font: TTFont) -> None:
    order, shapes, outlines = font.getGlyphOrder(), font.getGlyphSet(), {}
    for name in order:
        pen = TTGlyphPen(shapes)
        shapes[name].draw(Cu2QuPen(pen, 1.2, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    del font["CFF "]
    for name in order:
        outlines[name].recalcBounds(font["glyf"])
        font["hmtx"][name] = (font["hmtx"][name][0], getattr(outlines[name], "xMin", 0))
    font["maxp"].tableVersion = 0x00010000
    zeros = "maxTwilightPoints maxStorage maxFunctionDefs maxInstructionDefs maxStackElements maxSizeOfInstructions"
    zeros += " maxComponentElements maxPoints maxContours maxCompositePoints maxCompositeContours maxComponentDepth"
    for name in zeros.split():
        setattr(font["maxp"], name, 0)
    font["maxp"].maxZones = 1
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def main(weight: str) -> None:
    collection = TTCollection(f"/usr/share/fonts/opentype/noto/NotoSansCJK-{weight}.ttc")
    font = next(face for face in collection.fonts if face["name"].getDebugName(1).startswith("Noto Sans CJK SC"))
    subset(font)
    to_truetype(font)
    font.save(HERE / f"NotoSansSC-{weight}.ttf")


if __name__ == "__main__":
    main(sys.argv[1])
