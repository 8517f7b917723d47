"""GMDRAW/1, the verifiable random draw: canonical files, strict parsers, seed, scores, ranking.

Anybody can repeat a draw from two public files with the standard library alone (``docs/verify_draw.py``), and there is no
secret of the operator that could be withheld. ``draw.txt`` is published before the beacon values of ``beacon.txt`` exist.
Every value has exactly one spelling: a second spelling of the same list or the same beacon would be a second draw to
choose from, so the parsers refuse whatever the writer would not have written.

Source of the protocol: the idea of RFC 3797 (publish the list first, then use public values of the future), with SHA-256,
without modulo bias, and with scores per entry, so that a later withdrawal never changes the order of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Final

MAGIC: Final = "GMDRAW/1"
NO_CONTRIBUTION: Final = "0" * 64
MAX_WEIGHT: Final = 1000
MAX_ENTRIES: Final = 100_000
MIN_BEACON_DELAY_SECONDS: Final = 600
"""A source must become known at least this long after the freeze, so that the list can be challenged before it."""

DRAND: Final = "drand-quicknet"
KUAILE8: Final = "cwl-kl8"
HALL_DICE: Final = "hall-d10"
DEMO: Final = "demo-beacon"
"""Made by this installation itself: proves nothing and is accepted only where a demonstration is asked for."""

DRAND_GENESIS: Final = 1692803367
DRAND_PERIOD: Final = 3

DRAND_CHAIN: Final = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""Hash of the quicknet chain; public relays answer under it."""

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

_DRAW_ID = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,62}[A-Z0-9])?")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_LABEL = re.compile(r"[A-Z0-9]{1,32}")
_FREEZE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_HEX96 = re.compile(r"[0-9a-f]{96}")
_DIGITS40 = re.compile(r"[0-9]{40}")
_KL8 = re.compile(r"[0-9]{2}(?:-[0-9]{2}){19}")


class NotCanonical(ValueError):
    """A draw or beacon file that is not spelled in the one canonical way; the text says where and why."""


@dataclass(frozen=True)
class Source:
    """One announced public value of the future: who makes it and which round or issue of it counts."""

    name: str
    round: str


@dataclass(frozen=True)
class Entry:
    """One participant: unified social credit code, tickets (1..1000), and the 64 hex digits it contributed."""

    code: str
    weight: int = 1
    contribution: str = NO_CONTRIBUTION


@dataclass(frozen=True)
class DrawList:
    """The frozen list of a draw. ``frozen_at`` is aware UTC with whole seconds; entries are ordered by code."""

    draw_id: str
    seats: int
    frozen_at: datetime
    sources: tuple[Source, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Beacon:
    """The published value of one announced source."""

    source: Source
    value: str


@dataclass(frozen=True)
class Rank:
    """One place of the complete order; the first ``seats`` places are selected."""

    place: int
    code: str
    score: str
    selected: bool


@dataclass(frozen=True)
class DrawResult:
    """The list hash (what ``sha256sum draw.txt`` prints), the seed, and the complete order of all entries."""

    list_hash: str
    seed: str
    ranking: tuple[Rank, ...]


def is_credit_code(code: str) -> bool:
    """Whether ``code`` is an 18-character unified social credit code with a right check digit (GB 32100)."""
    if len(code) != 18 or any(character not in _USCC_ALPHABET for character in code):
        return False
    total = sum(
        _USCC_ALPHABET.index(character) * weight for character, weight in zip(code, _USCC_WEIGHTS, strict=False)
    )
    return _USCC_ALPHABET[(31 - total % 31) % 31] == code[17]


def drand_round_at(moment: datetime) -> int:
    """The first quicknet round published at or after ``moment`` (aware)."""
    seconds = moment.timestamp() - DRAND_GENESIS
    if seconds < 0:
        raise ValueError("quicknet did not exist yet")
    return int(-(-seconds // DRAND_PERIOD)) + 1


def drand_published_at(round_number: int) -> datetime:
    """When quicknet publishes ``round_number`` (>= 1)."""
    return datetime.fromtimestamp(DRAND_GENESIS + DRAND_PERIOD * (round_number - 1), UTC)


def published_at(source: Source) -> datetime | None:
    """When the value of ``source`` becomes public, where its round says so (quicknet, demonstration); else None."""
    seconds = _published_unix(source)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def public_address(source: Source) -> str | None:
    """Where anybody can look the value of `source` up; None for a source without such an address."""
    return f"https://api.drand.sh/{DRAND_CHAIN}/public/{source.round}" if source.name == DRAND else None


def write_draw(draw: DrawList) -> bytes:
    """The canonical bytes of ``draw.txt``; entries may come in any order. Raises NotCanonical for an impossible draw."""
    lines = [MAGIC, f"draw: {draw.draw_id}", f"select: {draw.seats}", f"freeze: {_stamp(draw.frozen_at)}"]
    lines += [f"source: {source.name} {source.round}" for source in draw.sources]
    entries = sorted(draw.entries, key=lambda entry: entry.code)
    lines += [f"entry: {entry.code} {entry.weight} {entry.contribution}" for entry in entries]
    data = _join(lines)
    parse_draw(data, demonstration=True)
    return data


def write_beacons(draw: DrawList, values: Sequence[str]) -> bytes:
    """The canonical bytes of ``beacon.txt`` for the announced sources, in their order."""
    if len(values) != len(draw.sources):
        raise NotCanonical("one value per announced source is needed")
    lines = [f"{source.name} {source.round} {value}" for source, value in zip(draw.sources, values, strict=True)]
    data = _join(lines)
    parse_beacons(data, draw)
    return data


def parse_draw(data: bytes, *, demonstration: bool = False) -> DrawList:
    """Read ``draw.txt`` strictly. Raises NotCanonical for anything :func:`write_draw` would not write.

    ``demonstration`` must be asked for where the list names the demonstration beacon.
    """
    lines = _lines(data)
    if lines[0] != MAGIC:
        raise NotCanonical(f"the first line must be {MAGIC}")
    reader = _Reader(lines[1:])
    draw_id = reader.one("draw: ")
    if not _DRAW_ID.fullmatch(draw_id):
        raise NotCanonical("the draw id must be capital letters, digits and inner hyphens")
    seats = _number(reader.one("select: "), "select")
    frozen_at = _moment(reader.one("freeze: "))
    sources = tuple(_source(text, frozen_at) for text in reader.many("source: "))
    entries = tuple(_entry(text) for text in reader.many("entry: "))
    reader.end()
    _check_sources(sources, demonstration=demonstration)
    _check_entries(entries, seats)
    return DrawList(draw_id, seats, frozen_at, sources, entries)


def parse_beacons(data: bytes, draw: DrawList) -> tuple[Beacon, ...]:
    """Read ``beacon.txt`` strictly against the sources announced in ``draw``. Raises NotCanonical."""
    lines = _lines(data)
    if len(lines) != len(draw.sources):
        raise NotCanonical("beacon.txt must have exactly one line per announced source")
    return tuple(_beacon(line, source) for line, source in zip(lines, draw.sources, strict=True))


def check_value(source_name: str, value: str) -> None:
    """Refuse (NotCanonical) a beacon value that is not in the one spelling of its source."""
    shapes = {DRAND: _HEX96, KUAILE8: _KL8, HALL_DICE: _DIGITS40, DEMO: _HEX64}
    shape = shapes.get(source_name)
    if shape is None:
        raise NotCanonical(f"unknown source {source_name}")
    if not shape.fullmatch(value):
        raise NotCanonical(f"the value of {source_name} is not in its canonical spelling")
    if source_name == KUAILE8:
        numbers = [int(part) for part in value.split("-")]
        if numbers != sorted(set(numbers)) or numbers[0] < 1 or numbers[-1] > 80:
            raise NotCanonical("Kuaile 8 values are twenty different numbers 01-80 in ascending order")


def list_hash(draw_file: bytes) -> str:
    """SHA-256 of ``draw.txt``, as ``sha256sum`` prints it."""
    return sha256(draw_file).hexdigest()


def rank(draw_file: bytes, beacon_file: bytes, *, demonstration: bool = False) -> DrawResult:
    """Check both files and compute the complete order. Raises NotCanonical when either is not canonical."""
    draw = parse_draw(draw_file, demonstration=demonstration)
    parse_beacons(beacon_file, draw)
    digest = sha256(draw_file).digest()
    seed = sha256(b"GMDRAW/1 seed\n" + digest + beacon_file).digest()
    scored = sorted((score(seed, entry.code, entry.weight), entry.code) for entry in draw.entries)
    ranking = tuple(
        Rank(place, code, value.hex(), selected=place <= draw.seats)
        for place, (value, code) in enumerate(scored, start=1)
    )
    return DrawResult(digest.hex(), seed.hex(), ranking)


def score(seed: bytes, code: str, weight: int) -> bytes:
    """The smallest hash over the tickets of an entry: exactly successive weighted sampling without replacement."""
    prefix = sha256(b"GMDRAW/1 score\n" + seed + code.encode("ascii") + b"\n")
    best = b"\xff" * 32
    for ticket in range(weight):
        hasher = prefix.copy()
        hasher.update(b"%d" % ticket)
        best = min(best, hasher.digest())
    return best


def successor(ranking: Iterable[Rank], skipped: frozenset[str]) -> Rank | None:
    """The best-placed entry that is not ``skipped`` (withdrawn, gave up, lapsed, struck out); None when exhausted."""
    return next((row for row in ranking if row.code not in skipped), None)


class _Reader:
    """Takes prefixed lines in their fixed order."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._next = 0

    def one(self, prefix: str) -> str:
        if self._next >= len(self._lines) or not self._lines[self._next].startswith(prefix):
            raise NotCanonical(f"line {self._next + 2} must begin with {prefix.strip()}")
        text = self._lines[self._next][len(prefix) :]
        self._next += 1
        return text

    def many(self, prefix: str) -> list[str]:
        found = []
        while self._next < len(self._lines) and self._lines[self._next].startswith(prefix):
            found.append(self.one(prefix))
        return found

    def end(self) -> None:
        if self._next != len(self._lines):
            raise NotCanonical(f"line {self._next + 2} is not expected here")


def _join(lines: Iterable[str]) -> bytes:
    try:
        return ("\n".join(lines) + "\n").encode("ascii")
    except UnicodeEncodeError as error:
        raise NotCanonical("only ASCII is allowed") from error


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise NotCanonical("only ASCII is allowed, without a byte order mark") from error
    if not text.endswith("\n"):
        raise NotCanonical("the file must end with one line feed")
    if any(character < " " and character != "\n" for character in text) or "\x7f" in text:
        raise NotCanonical("control characters are not allowed; lines end with LF only")
    lines = text[:-1].split("\n")
    if any(line == "" for line in lines):
        raise NotCanonical("empty lines are not allowed")
    return lines


def _number(text: str, what: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise NotCanonical(f"{what} must be a positive decimal number without leading zeros")
    return int(text)


def _stamp(moment: datetime) -> str:
    if moment.tzinfo is None or moment.microsecond:
        raise NotCanonical("the freeze must be aware and in whole seconds")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    if not _FREEZE.fullmatch(text):
        raise NotCanonical("freeze must be YYYY-MM-DDThh:mm:ssZ")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise NotCanonical("freeze is not a real moment") from error


def _published_unix(source: Source) -> int | None:
    if source.name == DRAND:
        return DRAND_GENESIS + DRAND_PERIOD * (int(source.round) - 1)
    return int(source.round) if source.name == DEMO else None


def _source(text: str, frozen_at: datetime) -> Source:
    parts = text.split(" ")
    if len(parts) != 2:
        raise NotCanonical("a source is a name and a round")
    source = Source(*parts)
    if source.name in (DRAND, DEMO):
        _number(source.round, f"the round of {source.name}")
    elif source.name in (KUAILE8, HALL_DICE):
        if not _LABEL.fullmatch(source.round):
            raise NotCanonical(f"the issue of {source.name} must be capital letters and digits")
    else:
        raise NotCanonical(f"unknown source {source.name}")
    public = _published_unix(source)
    if public is not None and public < frozen_at.timestamp() + MIN_BEACON_DELAY_SECONDS:
        raise NotCanonical(f"{source.name} {source.round} is known less than 600 s after the freeze")
    return source


def _entry(text: str) -> Entry:
    parts = text.split(" ")
    if len(parts) != 3:
        raise NotCanonical("an entry is a code, a weight and a contribution")
    code, weight, contribution = parts
    if not is_credit_code(code):
        raise NotCanonical(f"{code} is not a unified social credit code")
    tickets = _number(weight, "the weight")
    if tickets > MAX_WEIGHT:
        raise NotCanonical(f"a weight is at most {MAX_WEIGHT}")
    if not _HEX64.fullmatch(contribution):
        raise NotCanonical("a contribution is 64 lower-case hex digits")
    return Entry(code, tickets, contribution)


def _check_sources(sources: tuple[Source, ...], *, demonstration: bool) -> None:
    if not sources:
        raise NotCanonical("at least one source must be announced")
    if len({source.name for source in sources}) != len(sources):
        raise NotCanonical("a source may be announced only once")
    if not demonstration and any(source.name == DEMO for source in sources):
        raise NotCanonical("the demonstration beacon is accepted only where a demonstration is asked for")


def _check_entries(entries: tuple[Entry, ...], seats: int) -> None:
    if not entries or len(entries) > MAX_ENTRIES:
        raise NotCanonical("a draw needs between one and 100000 entries")
    codes = [entry.code for entry in entries]
    if any(first >= second for first, second in pairwise(codes)):
        raise NotCanonical("entries must be in ascending order of their codes, each once")
    if seats > len(entries):
        raise NotCanonical("there are fewer entries than seats")


def _beacon(line: str, source: Source) -> Beacon:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != source.name or parts[1] != source.round:
        raise NotCanonical(f"expected the value of {source.name} {source.round}")
    check_value(source.name, parts[2])
    return Beacon(source, parts[2])
