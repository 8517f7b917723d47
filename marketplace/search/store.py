"""The durable index: Whoosh segments, written by exactly one process.

Only this module knows Whoosh. A document is one weighted bag of terms plus one stored record; nothing is queried here.
An index directory holds pickles and is therefore code: it stays where only we write.
"""

import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from whoosh import fields, formats, index
from whoosh.reading import SegmentReader
from whoosh.system import pack_uint
from whoosh.util.text import utf8encode

from .analysis import document_terms
from .contract import GRADES, PRICE_MODES, Change, Document, Kind
from .packed import sync_directory
from .pinyin import syllables

NAMED_KINDS: Final = frozenset({Kind.ITEM, Kind.AGENCY})  # whose titles can be completed and typed in pinyin


@dataclass(frozen=True, slots=True)
class Weights:
    """How often a term of each part counts."""

    title: int = 3
    names: int = 2
    text: int = 1


class WeightedTerms(fields.FieldType):
    """A bag of terms with their weights, given as a mapping; no positions, nothing stored."""

    def __init__(self) -> None:
        self.format = formats.Frequency()
        self.analyzer = None
        self.scorable = False  # lengths are counted from the postings
        self.stored = False
        self.unique = False
        self.vector = None
        self.column_type = None
        self.multitoken_query = "default"

    def index(self, value: dict[str, int], **_: Any) -> Generator[tuple[bytes, int, float | int, bytes], Any, None]:
        """Yield (term, frequency, weight, encoded frequency), as Whoosh asks of a field."""
        for term, count in value.items():
            yield utf8encode(term)[0], count, float(count), pack_uint(count)

    def to_bytes(self, value: str | bytes) -> bytes:
        """A term as the index keeps it."""
        return value if isinstance(value, bytes) else value.encode()


def _schema() -> fields.Schema:
    return fields.Schema(key=fields.ID(unique=True), terms=WeightedTerms(), record=fields.STORED())


def key_of(kind: Kind, document_id: Any) -> str:
    """The unique term of one document."""
    return f"{kind}:{document_id.hex}"


def weighted_terms(document: Document, weights: Weights) -> dict[str, int]:
    """Every term of a document with its weight."""
    bag: dict[str, int] = {}
    for text, weight in (
        (document.title, weights.title),
        (document.names, weights.names),
        (document.text, weights.text),
    ):
        for term in document_terms(text):
            bag[term] = bag.get(term, 0) + weight
    return bag


def record_of(document: Document) -> tuple[Any, ...]:
    """What the snapshot needs of a document besides its terms."""
    read = "\t".join(syllables(document.title)) if document.kind in NAMED_KINDS else ""
    return (
        str(document.kind),
        document.id.hex,
        document.title if document.kind in NAMED_KINDS else "",
        read,
        document.category or "",
        int(document.region or 0),
        -1 if document.limit_wd is None else document.limit_wd,
        -1 if document.price_fen is None else document.price_fen,
        -1 if document.price_mode is None else PRICE_MODES.index(document.price_mode),
        -1 if document.grade is None else GRADES.index(document.grade),
        -1 if document.rating is None else document.rating,
        -1 if document.on_time is None else document.on_time,
        document.quality,
        document.ordinal,
    )


class WhooshStore:
    """One Whoosh index directory, opened by the writer."""

    def __init__(self, directory: Path, *, create: bool = False) -> None:
        self._directory = directory
        if create:
            directory.mkdir(parents=True)
            self._index = index.create_in(str(directory), _schema())
        else:
            self._index = index.open_dir(str(directory))

    def write(self, changes: Iterable[Change], weights: Weights, *, memory_mb: int = 128) -> int:
        """Commit a batch whose ids are distinct, and make it survive a power loss. Returns how many changes it held."""
        writer = self._index.writer(limitmb=memory_mb)
        count = 0
        try:
            for change in changes:
                count += 1
                writer.delete_by_term("key", key_of(change.kind, change.id))
                if change.document is not None:
                    self._add(writer, change.document, weights)
            writer.commit()
        except BaseException:
            writer.cancel()
            raise
        self._sync()
        return count

    def fill(self, documents: Iterable[Document], weights: Weights, *, memory_mb: int = 256) -> int:
        """Commit many new documents into an empty index."""
        writer = self._index.writer(limitmb=memory_mb)
        count = 0
        try:
            for document in documents:
                count += 1
                self._add(writer, document, weights)
            writer.commit()
        except BaseException:
            writer.cancel()
            raise
        self._sync()
        return count

    def segments(self) -> Iterator[tuple[str, SegmentReader]]:
        """The committed segments by name, in the order of the index. The caller closes each reader."""
        reader = self._index.reader()  # type: ignore[no-untyped-call]  # the library does not type it
        try:
            for leaf, _base in reader.leaf_readers():
                if leaf.doc_count_all():
                    yield leaf.segment().segment_id(), leaf
        finally:
            reader.close()

    def close(self) -> None:
        """Release the index."""
        self._index.close()  # type: ignore[no-untyped-call]

    @staticmethod
    def _add(writer: Any, document: Document, weights: Weights) -> None:
        writer.add_document(
            key=key_of(document.kind, document.id), terms=weighted_terms(document, weights), record=record_of(document)
        )

    def _sync(self) -> None:
        # Whoosh syncs nothing itself; without this a power loss can leave an empty table of contents.
        for path in self._directory.iterdir():
            if path.is_file():
                handle = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        sync_directory(self._directory)
