"""The arrays that queries run over: taken from each new segment after a commit, mapped read-only by every web process."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
from whoosh.reading import SegmentReader

from .analysis import is_han, normalise
from .contract import Kind
from .packed import Array, open_packed, write_packed

K1: Final = 1.2
B: Final = 0.75
KINDS: Final[tuple[Kind, ...]] = tuple(Kind)

Ids = npt.NDArray[np.int32]
Impacts = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Postings:
    """The documents of one term, ascending, with their impacts: BM25 without the rarity, in 255ths, at least 1."""

    ids: Ids
    impacts: Impacts


def impacts(frequencies: Array, lengths: Array, average_length: float) -> Impacts:
    """BM25's frequency part in 255ths. The average length is fixed for an index, so that segments can be merged and compared."""
    damping = K1 * (1 - B + B * lengths / average_length)
    return np.maximum(1, np.rint(255 * frequencies / (frequencies + damping))).astype(np.uint8)


class PackedStrings(Sequence[bytes]):
    """Byte strings in two mapped arrays; sorted ones are searched by halving, without unpacking them."""

    def __init__(self, blob: Array, offsets: Array) -> None:
        self._blob = blob.data
        self._offsets = offsets.data

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        return bytes(self._blob[self._offsets[index] : self._offsets[index + 1]])

    def find(self, word: bytes) -> int | None:
        """The place of `word`, or None."""
        place = bisect_left(self, word)
        return place if place < len(self) and self[place] == word else None

    def prefixed(self, prefix: bytes, cap: int) -> range:
        """The places of the strings that begin with `prefix`, at most `cap`."""
        start = bisect_left(self, prefix)
        end = bisect_left(self, prefix + b"\xff", lo=start)
        return range(start, min(end, start + cap))


def _packed_strings(prefix: str, strings: Sequence[bytes]) -> dict[str, Array]:
    offsets = np.zeros(len(strings) + 1, np.uint32)
    np.cumsum([len(s) for s in strings], out=offsets[1:]) if strings else None
    return {f"{prefix}.blob": np.frombuffer(b"".join(strings), np.uint8), f"{prefix}.offsets": offsets}


def export_segment(
    reader: SegmentReader, path: Path, categories: list[str], average_length: float | None
) -> tuple[int, float]:
    """Write the arrays of one Whoosh segment; returns (CRC-32, average length used).

    `categories` is the index-wide list of category codes; new ones are appended. Without an average length it is taken from here.
    """
    count = reader.doc_count_all()
    terms, starts, ids, frequencies = _postings(reader)
    lengths = np.bincount(ids, weights=frequencies, minlength=count)
    average = average_length or float(lengths.mean()) or 1.0
    arrays: dict[str, Array] = {
        **_packed_strings("terms", terms),
        "postings.starts": starts,
        "postings.ids": ids,
        "postings.impacts": impacts(frequencies, lengths[ids], average),
        **_columns(reader, count, categories),
    }
    return write_packed(path, arrays), average


def _postings(reader: SegmentReader) -> tuple[list[bytes], Array, Array, Array]:
    terms: list[bytes] = []
    starts: list[int] = [0]
    ids: list[int] = []
    frequencies: list[float] = []
    for term in reader.lexicon("terms"):
        matcher = reader.postings("terms", term)
        while matcher.is_active():
            ids.append(matcher.id())
            frequencies.append(matcher.weight())
            matcher.next()
        terms.append(bytes(term))
        starts.append(len(ids))
    return terms, np.asarray(starts, np.int64), np.asarray(ids, np.int32), np.asarray(frequencies, np.float64)


_LABELS: Final = {
    "kind": np.int8,
    "category": np.int16,
    "region": np.int32,
    "limit": np.int16,
    "price": np.int64,
    "price_mode": np.int8,
    "grade": np.int8,
    "rating": np.int16,
    "on_time": np.int16,
    "quality": np.int16,
    "ordinal": np.int64,
}


def _columns(reader: SegmentReader, count: int, categories: list[str]) -> dict[str, Array]:
    ordinal_of = {code: i for i, code in enumerate(categories)}
    rows: list[tuple[int, ...]] = []
    keys = bytearray()
    names: list[tuple[str, str, int]] = []
    for number in range(count):
        (
            kind,
            key,
            title,
            read,
            category,
            region,
            limit,
            price,
            price_mode,
            grade,
            rating,
            on_time,
            quality,
            ordinal,
        ) = reader.stored_fields(number)["record"]
        keys += bytes.fromhex(key)
        if category not in ordinal_of:
            ordinal_of[category] = len(categories)
            categories.append(category)
        rows.append(
            (
                KINDS.index(Kind(kind)),
                ordinal_of[category],
                region,
                limit,
                price,
                price_mode,
                grade,
                rating,
                on_time,
                quality,
                ordinal,
            )
        )
        if title:
            names.append((title, read, number))
    table = np.asarray(rows, np.int64).reshape(count, len(_LABELS))
    columns: dict[str, Array] = {
        label: table[:, place].astype(kind) for place, (label, kind) in enumerate(_LABELS.items())
    }
    return {**columns, "keys": np.frombuffer(bytes(keys), np.uint8), **_name_tables(names)}


def _name_tables(names: list[tuple[str, str, int]]) -> dict[str, Array]:
    """Names, and every tail of a name by its pinyin and by its initials, sorted for prefix look-ups."""
    spelt: list[tuple[bytes, int, int]] = []
    initials: list[tuple[bytes, int, int]] = []
    lengths: list[bytes] = []
    for place, (_title, read, _number) in enumerate(names):
        parts = [s.encode() for s in read.split("\t")]
        heads = [p[:1] for p in parts]
        lengths.append(bytes(min(len(p), 255) for p in parts))
        for start, part in enumerate(parts):
            if part.isalnum() and part.isascii():
                spelt.append((b"".join(parts[start:]), place, start))
                initials.append((b"".join(heads[start:]), place, start))
    spelt.sort()
    initials.sort()
    tables = {
        **_packed_strings("names", [title.encode() for title, _, _ in names]),
        **_packed_strings("syllables", lengths),
        "names.document": np.asarray([number for _, _, number in names], np.int32),
    }
    for label, rows in (("spelt", spelt), ("initials", initials)):
        tables |= _packed_strings(label, [text for text, _, _ in rows])
        tables[f"{label}.name"] = np.asarray([place for _, place, _ in rows], np.int32)
        tables[f"{label}.start"] = np.asarray([start for _, _, start in rows], np.uint8)
    return tables


class Segment:
    """One immutable segment as arrays, plus which of its documents are still live."""

    def __init__(self, path: Path, live: npt.NDArray[np.bool_] | None) -> None:
        arrays = open_packed(path)
        self.terms = PackedStrings(arrays["terms.blob"], arrays["terms.offsets"])
        self._starts = arrays["postings.starts"].data
        self._ids: Ids = arrays["postings.ids"]
        self._impacts: Impacts = arrays["postings.impacts"]
        self.kind = arrays["kind"]
        self.category = arrays["category"]
        self.region = arrays["region"]
        self.limit = arrays["limit"]
        self.price = arrays["price"]
        self.price_mode = arrays["price_mode"]
        self.grade = arrays["grade"]
        self.rating = arrays["rating"]
        self.on_time = arrays["on_time"]
        self.quality = arrays["quality"]
        self.ordinal = arrays["ordinal"]
        self._keys = arrays["keys"]
        self.names = PackedStrings(arrays["names.blob"], arrays["names.offsets"])
        self._syllables = PackedStrings(arrays["syllables.blob"], arrays["syllables.offsets"])
        self._name_document = arrays["names.document"]
        self._spelt = PackedStrings(arrays["spelt.blob"], arrays["spelt.offsets"])
        self._spelt_at = (arrays["spelt.name"], arrays["spelt.start"])
        self._initials = PackedStrings(arrays["initials.blob"], arrays["initials.offsets"])
        self._initials_at = (arrays["initials.name"], arrays["initials.start"])
        self.count = len(self.kind)
        self.live = live
        self.live_count = self.count if live is None else int(np.count_nonzero(live))

    def postings(self, place: int) -> Postings:
        """The postings of the term at `place`, without what was deleted."""
        a, b = self._starts[place], self._starts[place + 1]
        ids, strengths = self._ids[a:b], self._impacts[a:b]
        if self.live is None:
            return Postings(ids, strengths)
        kept = self.live[ids]
        return Postings(ids[kept], strengths[kept])

    def document(self, number: int) -> tuple[Kind, UUID]:
        """Kind and id of a document."""
        return KINDS[self.kind[number]], UUID(bytes=self._keys[16 * number : 16 * number + 16].tobytes())

    def named(self) -> Iterator[tuple[str, int]]:
        """(title, document number) of every live document that can be completed by name."""
        for place, title in enumerate(self.names):
            number = int(self._name_document[place])
            if self.live is None or self.live[number]:
                yield title.decode(), number

    def spelt_as(self, letters: str, cap: int) -> Iterator[tuple[str, int]]:
        """(the Chinese characters that `letters` spell, document number): by whole or begun syllables, then by initials."""
        wanted = letters.encode()
        for place in self._spelt.prefixed(wanted, cap):
            name, start = int(self._spelt_at[0][place]), int(self._spelt_at[1][place])
            yield self._tail(name, start, self._syllables_in(name, start, len(wanted)))
        if len(wanted) > 1:
            for place in self._initials.prefixed(wanted, cap):
                name, start = int(self._initials_at[0][place]), int(self._initials_at[1][place])
                yield self._tail(name, start, len(wanted))

    def spellings(self, initial: str) -> Iterator[tuple[str, int]]:
        """(letters, document number) of every tail of a name whose pinyin begins with `initial`."""
        for place in self._spelt.prefixed(initial.encode(), len(self._spelt)):
            yield self._spelt[place].decode(), int(self._name_document[self._spelt_at[0][place]])

    def _syllables_in(self, name: int, start: int, letters: int) -> int:
        taken = 0
        for count, length in enumerate(self._syllables[name][start:], 1):
            taken += length
            if taken >= letters:
                return count
        return 0

    def _tail(self, name: int, start: int, count: int) -> tuple[str, int]:
        title = normalise(self.names[name].decode())
        return title[start : start + count], int(self._name_document[name])


def is_spelling(word: str) -> bool:
    """Whether a word of a query could be pinyin or initials."""
    return word.isascii() and word.isalpha() and not is_han(word)
