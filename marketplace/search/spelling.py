"""Names to complete and to correct: the titles of items and agencies, held once for a generation when first asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from rapidfuzz import fuzz, process

from .analysis import is_han, normalise, query_words
from .contract import Kind, Suggestion
from .snapshot import Segment, is_spelling

MIN_LIKENESS: Final = 66.0  # of 100; one wrong character in three still counts as a misspelling


@dataclass(frozen=True, slots=True)
class _Name:
    title: str
    normal: str
    kind: Kind
    id: UUID


class Names:
    """What can be suggested: items before agencies, beginnings before the middle."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments

    @cached_property
    def _names(self) -> tuple[_Name, ...]:
        found = [
            _Name(title, normalise(title), *segment.document(number))
            for segment in self._segments
            for title, number in segment.named()
        ]
        return tuple(sorted(found, key=lambda name: (name.kind is not Kind.ITEM, len(name.title), name.title)))

    def suggest(self, prefix: str, limit: int) -> tuple[Suggestion, ...]:
        """Names that begin with, contain, are spelt like or nearly read `prefix`."""
        wanted = "".join(query_words(prefix).runs)
        if not wanted or limit <= 0:
            return ()
        chosen: dict[UUID, Suggestion] = {}
        for name in self._candidates(wanted):
            chosen.setdefault(name.id, Suggestion(name.title, name.kind, name.id))
            if len(chosen) >= limit:
                break
        return tuple(chosen.values())

    def _candidates(self, wanted: str) -> list[_Name]:
        names = self._names
        found = [n for n in names if n.normal.startswith(wanted)]
        found += [n for n in names if wanted in n.normal[1:]]
        if is_spelling(wanted):
            ids = {
                segment.document(number)[1] for segment in self._segments for _, number in segment.spelt_as(wanted, 200)
            }
            found += [n for n in names if n.id in ids]
        if not found and len(wanted) > 2:
            near = process.extract(
                wanted, [n.normal for n in names], scorer=fuzz.partial_ratio, score_cutoff=MIN_LIKENESS, limit=10
            )
            found = [names[place] for _, _, place in near]
        return found

    def corrected(self, runs: Sequence[str], is_known: Callable[[str], bool]) -> str | None:
        """The query with every unknown word replaced by the likest piece of a name; None when nothing is like it."""
        replaced = False
        words: list[str] = []
        for run in runs:
            if is_known(run):
                words.append(run)
                continue
            better = self._likest(run)
            if better is None:
                return None
            words.append(better)
            replaced = True
        return " ".join(words) if replaced else None

    def _likest(self, run: str) -> str | None:
        if len(run) < 2 or not self._names:
            return None
        if not is_han(run):
            return self._likest_spelling(run)
        found = process.extractOne(
            run,
            [n.normal for n in self._names],
            scorer=fuzz.partial_ratio,
            score_cutoff=MIN_LIKENESS if len(run) > 2 else 50.0,
        )
        if found is None:
            return None
        aligned = fuzz.partial_ratio_alignment(run, found[0])
        return found[0][aligned.dest_start : aligned.dest_end].strip() or None if aligned else None

    def _likest_spelling(self, word: str) -> str | None:
        if not is_spelling(word) or len(word) < 4:
            return None
        spellings = [(text, name) for segment in self._segments for text, name in segment.spellings(word[0])]
        found = process.extractOne(
            word, [text[: len(word)] for text, _ in spellings], scorer=fuzz.ratio, score_cutoff=75.0
        )
        return found[0] if found else None
