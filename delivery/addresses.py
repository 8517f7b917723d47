"""Taking a pasted line apart: name, mobile number, region, street. Pure.

People paste what a chat or an order page gave them ("李晓燕 139-1234-5678 浙江宁波海曙区中山西路2号1幢301室"). The result is a
proposal that a person confirms; nothing is guessed that the text does not say.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_MOBILE: Final = re.compile(r"(?<!\d)(?:(?:\+|00)?86[\s-]?)?(1[3-9]\d(?:[\s-]?\d){8})(?!\d)")
_LABELS: Final = re.compile(
    r"(?:收货人|收件人|联系人|姓名|名字|手机号码|手机号|手机|联系电话|联系方式|电话号码|电话|所在地区|所在地址|详细地址|收货地址|收件地址|地区|地址)\s*[:：]"
)
_EDGE: Final = " \t\r\n,，;；、。|/\\:：-"
_SPLIT: Final = re.compile(r"[\s,，;；、。|/\\]+")
_ADDRESS_WORDS: Final = re.compile(r"[路街道巷弄号村镇乡区县市栋幢座室楼层组社园苑城厦场院里\d]")
_NAME: Final = re.compile(
    r"[㐀-鿿豈-﫿\U00020000-\U0003ffff·•]{2,15}(?:先生|女士|小姐|老师)?|[A-Za-z][A-Za-z .'-]{1,40}"
)
_SUFFIX: Final = re.compile(
    r"(?:维吾尔自治区|壮族自治区|回族自治区|特别行政区|自治区|自治州|自治县|自治旗|林区|矿区|地区|新区|省|市|盟|州|区|县|旗)$"
)
_STREET: Final = re.compile(r"[东西南北中大新老]?[路街道巷弄号]")
"""What follows a name that is part of a street's: 西湖大道 does not lie in 西湖区 by that."""
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a pasted text says. Empty where it does not; `path` is as long as what was found (province, city, county)."""

    name: str = field(default="", repr=False)
    mobile: str = field(default="", repr=False)
    path: Path = ()
    code: str = ""
    address: str = field(default="", repr=False)


class Gazetteer:
    """The regions as they are looked for in a text: full names, and short ones where they are long enough to be meant."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._below: dict[Path, list[Path]] = {}
        self.codes = {path: code for code, path in paths.items()}
        for path in self.codes:
            self._below.setdefault(path[:-1], []).append(path)

    def longest(self, text: str) -> tuple[Path, int, int]:
        """The deepest region named in `text`, and where its words begin and end. ((), 0, 0) where there is none."""
        best: tuple[Path, int, int] = ((), 0, 0)
        for province in self._below.get((), []):
            found = self._follow(text, province)
            if found and (len(found[0]), -found[1]) > (len(best[0]), -best[1]):
                best = found
        return best if best[0] else self._orphan(text)

    def _follow(self, text: str, province: Path) -> tuple[Path, int, int] | None:
        """The region that begins with this province. A short name alone is no region: 中山西路 does not lie in 山西."""
        found = []
        for begin, spot_end, whole in _spots(text, province[-1]):
            path, end = province, spot_end
            while (step := self._step(text, path, end)) is not None:
                path, end = step
            if whole or len(path) > 1:
                found.append((path, begin, end))
        return max(found, key=lambda each: (len(each[0]), -each[1]), default=None)

    def _step(self, text: str, path: Path, start: int) -> tuple[Path, int] | None:
        """One region down, directly after what was read; a municipality may be named twice, a city may be left out."""
        rest = _skip(text, start)
        again = _starts(text, rest, path[-1]) if path[-1].endswith("市") and len(path) == 1 else 0
        if again:
            start, rest = again, _skip(text, again)
        here = [(len(word), below) for below in self._below.get(path, []) if (word := _read(text, rest, below[-1]))]
        if here:
            length, below = max(here)
            return below, rest + length
        deeper = [
            (len(word), one)
            for below in self._below.get(path, [])
            for one in self._below.get(below, [])
            if (word := _read(text, rest, one[-1], whole=True))
        ]
        if len(deeper) == 1:
            return deeper[0][1], rest + deeper[0][0]
        return None

    def _orphan(self, text: str) -> tuple[Path, int, int]:
        """A city or county without its province, named in full and only once in the country."""
        found = [(len(path[-1]), path, at) for path in self.codes if len(path) > 1 and (at := text.find(path[-1])) >= 0]
        if not found:
            return (), 0, 0
        first = min(at for _, _, at in found)
        at_first = [(length, path) for length, path, at in found if at == first]
        length = max(each for each, _ in at_first)
        paths = [path for each, path in at_first if each == length]
        if len(paths) != 1:
            return (), 0, 0
        path, end = paths[0], first + length
        while (step := self._step(text, path, end)) is not None and step[1] > end:
            path, end = step
        return path, first, end


def _skip(text: str, start: int) -> int:
    while start < len(text) and text[start] in _EDGE:
        start += 1
    return start


@lru_cache(maxsize=8192)
def _short(name: str) -> str:
    short = _SUFFIX.sub("", name)
    return short if len(short) >= 2 else name


def _read(text: str, at: int, name: str, *, whole: bool = False) -> str:
    """The words at `at` that mean `name`, with its suffix if it is written; empty where they do not."""
    if text.startswith(name, at):
        return name
    if whole:
        return ""
    short = _short(name)
    if short == name or not text.startswith(short, at) or _STREET.match(text, at + len(short)):
        return ""
    return short


def _starts(text: str, at: int, name: str) -> int:
    word = _read(text, at, name)
    return at + len(word) if word else 0


def _spots(text: str, name: str) -> list[tuple[int, int, bool]]:
    """Where a name stands: begin, end, and whether in full. A short name before street words is a street's."""
    spots = []
    for word, whole in ((name, True), (_short(name), False)):
        at = text.find(word) if whole or word != name else -1
        while at >= 0:
            spots.append((at, at + len(word), whole))
            at = text.find(word, at + 1)
    return spots


def parse(text: str, gazetteer: Gazetteer) -> Parsed:
    """Take a pasted text apart. Never raises; what is not there stays empty."""
    plain = "".join(
        each
        for each in unicodedata.normalize("NFKC", text[:500])
        if unicodedata.category(each)[0] != "C" or each in "\n\t"
    )
    plain = _LABELS.sub(" ", plain)
    mobile = ""
    if found := _MOBILE.search(plain):
        mobile = re.sub(r"\D", "", found[1])
        plain = f"{plain[: found.start()]}\n{plain[found.end() :]}"
    path, begin, end = gazetteer.longest(plain)
    if path:
        before, after = plain[:begin].strip(_EDGE), plain[end:].strip(_EDGE)
        name, rest = _name_in(before)
        if not name:
            name, after = _name_at_an_end(after)
        address = " ".join(part for part in (rest, after) if part)
    else:
        name, address = _name_at_an_end(plain.strip(_EDGE))
    return Parsed(name, mobile, path, gazetteer.codes.get(path, ""), " ".join(_SPLIT.split(address.strip(_EDGE))))


def _name_in(text: str) -> tuple[str, str]:
    parts = [each.strip(_EDGE) for each in re.split(r"[\n,，;；、。|]+", text) if each.strip(_EDGE)]
    parts = [one for each in parts for one in ([each] if each.isascii() else each.split())]
    for each in parts:
        if _is_name(each):
            return each, " ".join(one for one in parts if one is not each)
    return "", text


def _is_name(text: str) -> bool:
    """Two to six characters, more with a dot between (买买提·吐尔逊) or in letters; no word of a street in it."""
    longest = 6 if re.fullmatch(r"[^A-Za-z·•]+", text) else 40
    return len(text) <= longest and _NAME.fullmatch(text) is not None


def _name_at_an_end(text: str) -> tuple[str, str]:
    """A name that stands apart before or after the street; a part with street words is none."""
    parts = [each for each in re.split(r"[\s,，;；|]+", text) if each]
    if len(parts) < 2:
        return "", text
    for each in (parts[-1], parts[0]):
        if _is_name(each) and not _ADDRESS_WORDS.search(each):
            return each, " ".join(one for one in parts if one is not each)
    return "", text


def agrees(text: str, names: Iterable[str]) -> bool:
    """Whether at least two of the region names that a carrier proposes occur in the text (EMS-PROTOCOL 2.7)."""
    plain = unicodedata.normalize("NFKC", text)
    return sum(1 for name in dict.fromkeys(names) if name and (name in plain or _short(name) in plain)) >= 2
