"""From text to terms: one analysis for documents and for queries.

NFKC, lower case, traditional to simplified; runs of Chinese characters become overlapping pairs plus the last character alone, so
that every part of a name is found and a single character is a prefix search; other letters and digits become words.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, NamedTuple

import opencc

MAX_CHARACTERS: Final = 64
MAX_TERMS: Final = 16
_CHARACTERS: Final = r"㐀-䶿一-鿿豈-﫿〇\U00020000-\U0003ffff"
_RUNS: Final = re.compile(rf"[{_CHARACTERS}]+|[^\W_{_CHARACTERS}]+")
_HAN: Final = re.compile(rf"[{_CHARACTERS}]")


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def normalise(text: str) -> str:
    """Compatibility forms, case and traditional characters levelled."""
    return str(_simplifier().convert(unicodedata.normalize("NFKC", text).lower()))


def is_han(text: str) -> bool:
    """Whether `text` starts with a Chinese character."""
    return bool(_HAN.match(text))


def runs(normalised: str) -> Iterator[str]:
    """Runs of Chinese characters and words of other scripts, in order. Mixed words such as `gb50180标准` split at the change."""
    return (match.group() for match in _RUNS.finditer(normalised))


def pairs(run: str) -> tuple[str, ...]:
    """The terms of one run of Chinese characters in a query: its overlapping pairs (at least two characters)."""
    return tuple(run[i : i + 2] for i in range(len(run) - 1))


def document_terms(text: str) -> Iterator[str]:
    """Every term of a document's text, repeated as often as it occurs."""
    for run in runs(normalise(text)):
        if is_han(run):
            yield from pairs(run)
            yield run[-1]
        else:
            yield run


@dataclass(frozen=True, slots=True)
class Words:
    """A query as its words: runs of Chinese characters and words of other scripts, cut to what a query may cost."""

    runs: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.runs)


def query_words(text: str) -> Words:
    """The words of a query. Longer queries are cut to 64 characters and 16 terms; wildcards and operators mean nothing."""
    kept: list[str] = []
    budget = MAX_TERMS
    for run in dict.fromkeys(runs(normalise(text[:MAX_CHARACTERS]))):
        if budget <= 0:
            break
        cost = max(len(run) - 1, 1) if is_han(run) else 1
        kept.append(run[: budget + 1] if is_han(run) and cost > budget else run)
        budget -= cost
    return Words(tuple(kept))


class Span(NamedTuple):
    """A piece of a text, and whether it is what was looked for."""

    text: str
    is_match: bool


@lru_cache(maxsize=8192)
def _normalised_character(character: str) -> str:
    return normalise(character)


def highlight(text: str, marked: tuple[str, ...]) -> tuple[Span, ...]:
    """Cut `text` at the occurrences of the `marked` words, compared in their normalised form, shown as written."""
    pieces = [_normalised_character(character) for character in text]
    flat = "".join(pieces)
    found = list(_pattern(marked).finditer(flat)) if marked else []
    if not found:
        return (Span(text, is_match=False),) if text else ()
    if len(flat) == len(text):
        places = [(match.start(), match.end()) for match in found]
    else:  # a character whose normal form has another length: ligatures, full-width forms of several letters
        origin = [place for place, piece in enumerate(pieces) for _ in piece]
        places = [(origin[match.start()], origin[match.end() - 1] + 1) for match in found]
    return tuple(_spans(text, places))


@lru_cache(maxsize=512)
def _pattern(marked: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for word in sorted(marked, key=len, reverse=True)))


def _spans(text: str, places: list[tuple[int, int]]) -> Iterator[Span]:
    at = begun = 0
    for start, end in places:
        if start > at:  # matches that touch are shown as one
            if at > begun:
                yield Span(text[begun:at], is_match=True)
            yield Span(text[at:start], is_match=False)
            begun = start
        at = end
    if at > begun:
        yield Span(text[begun:at], is_match=True)
    if at < len(text):
        yield Span(text[at:], is_match=False)
