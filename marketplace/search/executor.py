"""Runs queries over the arrays of a snapshot: words, filters, facets and sorting, all exact."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .analysis import is_han, pairs, query_words
from .contract import GRADES, PRICE_MODES, Facet, FacetValue, Filters, Hit, SearchPage, SearchQuery, Sort
from .packed import Array
from .ranking import best, rarity
from .snapshot import KINDS, Ids, Postings, Segment, is_spelling
from .spelling import Names

MAX_EXPANSION: Final = 200  # terms that a prefix may stand for
MAX_ALTERNATIVES: Final = 24  # readings of one pinyin word
LIMIT_STEPS: Final = (5, 10, 15, 20, 30)  # working days
PRICE_STEPS: Final = (500_000, 1_000_000, 3_000_000, 10_000_000)  # fen
RATING_STEPS: Final = (450, 400, 300)  # hundredths of a star

Scores = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Leaf(NamedTuple):
    """One term, or all terms that begin with it."""

    term: str
    is_prefix: bool


Alternative = tuple[Leaf, ...]  # all of these
Clause = tuple[Alternative, ...]  # any of these


class Matched(NamedTuple):
    """Documents of one segment, ascending, with their text scores."""

    ids: Ids
    scores: Scores


@dataclass(frozen=True, slots=True)
class _Columns:
    """The values of the matched documents of all segments, side by side."""

    kind: Array
    category: Array
    region: Array
    limit: Array
    price: Array
    price_mode: Array
    grade: Array
    rating: Array
    on_time: Array
    quality: Array
    ordinal: Array


class Executor:
    """One visible generation of the index."""

    def __init__(self, segments: Sequence[Segment], categories: Sequence[str], generation: int) -> None:
        self.generation = generation
        self.documents = sum(segment.live_count for segment in segments)
        self._segments = tuple(segments)
        self._categories = tuple(categories)
        self._category_of = {code: place for place, code in enumerate(categories)}
        self.names = Names(self._segments)

    def search(self, query: SearchQuery) -> SearchPage:
        """Answer one query; when no document holds its words, try the nearest spelling once."""
        clauses, marked = self._clauses(query.text)
        corrected: str | None = None
        matched = self._match(clauses)
        if clauses and not any(len(found.ids) for found in matched):
            corrected = self.names.corrected(query_words(query.text).runs, self._is_known)
            if corrected is not None:
                clauses, marked = self._clauses(corrected)
                matched = self._match(clauses)
        return self._page(query, matched, marked, corrected)

    # words -> clauses

    def _clauses(self, text: str) -> tuple[list[Clause], tuple[str, ...]]:
        clauses: list[Clause] = []
        marked: list[str] = []
        for run in query_words(text).runs:
            marked.append(run)
            if is_han(run):
                clauses.extend(
                    (_han(run),) if len(run) == 1 else (((Leaf(pair, is_prefix=False),),) for pair in pairs(run))
                )
                continue
            alternatives: list[Alternative] = [(Leaf(run, is_prefix=len(run) > 1),)]
            if is_spelling(run):
                readings = self._readings(run)
                marked.extend(readings)
                alternatives.extend(alternative for reading in readings for alternative in _han(reading))
            clauses.append(tuple(alternatives))
        return clauses, tuple(marked)

    def _readings(self, word: str) -> list[str]:
        found: dict[str, None] = {}
        for segment in self._segments:
            for reading, _number in segment.spelt_as(word, MAX_EXPANSION):
                found[reading] = None
        return list(found)[:MAX_ALTERNATIVES]

    def _is_known(self, run: str) -> bool:
        clauses, _marked = self._clauses(run)
        return any(len(found.ids) for found in self._match(clauses))

    # clauses -> documents

    def _match(self, clauses: Sequence[Clause]) -> list[Matched]:
        """For each segment the documents that satisfy every clause; without clauses, all."""
        if not clauses:
            return [Matched(_all_live(segment), np.zeros(segment.live_count, np.int64)) for segment in self._segments]
        # Rarity is counted over all segments, so the postings are looked up once and kept for both passes.
        leaves = {leaf for clause in clauses for alternative in clause for leaf in alternative}
        found = {leaf: [_postings(segment, leaf) for segment in self._segments] for leaf in leaves}
        weight = {leaf: rarity(self.documents, sum(len(p.ids) for p in per)) for leaf, per in found.items()}
        return [
            self._match_segment(segment, clauses, {leaf: (found[leaf][place], weight[leaf]) for leaf in leaves})
            for place, segment in enumerate(self._segments)
        ]

    @staticmethod
    def _match_segment(
        segment: Segment, clauses: Sequence[Clause], leaves: dict[Leaf, tuple[Postings, int]]
    ) -> Matched:
        parts: list[Matched] = []
        for clause in clauses:
            options = [
                _all_of([_weighed(*leaves[leaf]) for leaf in alternative], segment.count) for alternative in clause
            ]
            parts.append(options[0] if len(options) == 1 else _any_of(options, segment.count))
        return _all_of(parts, segment.count)

    # documents -> page

    def _page(
        self, query: SearchQuery, matched: Sequence[Matched], marked: tuple[str, ...], corrected: str | None
    ) -> SearchPage:
        columns = self._gather(matched)
        scores = _joined([found.scores for found in matched], np.int64)
        tests = dict(self._tests(query.filters, columns))
        failed = np.zeros(len(scores), np.uint8)
        for passed in tests.values():
            failed += ~passed
        kept = np.flatnonzero(failed == 0) if tests else np.arange(len(scores))
        facets = {facet: self._count(facet, columns, failed, tests.get(facet)) for facet in query.facets}
        hits = self._hits(query, matched, columns, scores, kept)
        return SearchPage(len(kept), hits, facets, self.generation, marked, corrected)

    def _gather(self, matched: Sequence[Matched]) -> _Columns:
        return _Columns(
            **{
                name: _joined(
                    [
                        column if len(found.ids) == segment.count else column[found.ids]
                        for segment, found in zip(self._segments, matched, strict=True)
                        for column in (getattr(segment, name),)
                    ],
                    np.int64,
                )
                for name in _Columns.__slots__
            }
        )

    def _tests(self, filters: Filters, columns: _Columns) -> Iterator[tuple[Facet | str, Mask]]:
        if filters.kinds:
            yield Facet.KIND, np.isin(columns.kind, [KINDS.index(kind) for kind in filters.kinds])
        if filters.categories:
            wanted = [self._category_of[code] for code in filters.categories if code in self._category_of]
            yield Facet.CATEGORY, np.isin(columns.category, wanted)
        if filters.regions:
            yield Facet.CITY, _any_mask([_in_region(columns.region, int(code)) for code in filters.regions])
        if filters.max_limit_wd is not None:
            yield Facet.LIMIT, (columns.limit >= 0) & (columns.limit <= filters.max_limit_wd)
        if filters.min_price_fen is not None or filters.max_price_fen is not None:
            low = max(filters.min_price_fen or 0, 0)
            passed = columns.price >= low
            yield (
                Facet.PRICE,
                passed if filters.max_price_fen is None else passed & (columns.price <= filters.max_price_fen),
            )
        if filters.price_modes:
            yield Facet.PRICE_MODE, _one_of(columns.price_mode, PRICE_MODES, filters.price_modes)
        if filters.grades:
            yield Facet.GRADE, _one_of(columns.grade, GRADES, filters.grades)
        if filters.min_rating is not None:
            yield Facet.RATING, columns.rating >= max(filters.min_rating, 0)
        if filters.min_on_time is not None:
            yield "on_time", columns.on_time >= max(filters.min_on_time, 0)
        if filters.min_ordinal is not None:
            yield "ordinal", columns.ordinal >= filters.min_ordinal

    def _count(self, facet: Facet, columns: _Columns, failed: Array, own: Mask | None) -> tuple[FacetValue, ...]:
        """The counts of one facet with its own filter taken away: what choosing another value would give."""
        others = failed if own is None else failed - (~own).astype(np.uint8)
        rows = np.flatnonzero(others == 0)
        return tuple(_COUNTERS[facet](self, columns, rows))

    def _by_kind(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        counts = np.bincount(columns.kind[rows], minlength=len(KINDS))
        return (FacetValue(str(kind), int(counts[place])) for place, kind in enumerate(KINDS) if counts[place])

    def _by_category(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        counts = np.bincount(columns.category[rows], minlength=len(self._categories))
        return (
            FacetValue(code, int(counts[place]))
            for place, code in enumerate(self._categories)
            if code and counts[place]
        )

    def _by_city(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        counts = np.bincount(columns.region[rows] // 100)
        return (FacetValue(f"{city}00", int(counts[city])) for city in np.flatnonzero(counts) if city)

    def _by_limit(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        values = columns.limit[rows]
        return (FacetValue(str(s), int(np.count_nonzero((values >= 0) & (values <= s)))) for s in LIMIT_STEPS)

    def _by_price(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        values = columns.price[rows]
        edges = (0, *PRICE_STEPS)
        for low, high in zip(edges, (*PRICE_STEPS, None), strict=True):
            inside = (values >= low) if high is None else (values >= low) & (values <= high - 1)
            yield FacetValue(f"{low}-{'' if high is None else high - 1}", int(np.count_nonzero(inside)))

    def _by_price_mode(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        return _counted(columns.price_mode[rows], PRICE_MODES)

    def _by_grade(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        return _counted(columns.grade[rows], GRADES)

    def _by_rating(self, columns: _Columns, rows: Array) -> Iterator[FacetValue]:
        values = columns.rating[rows]
        return (FacetValue(str(step), int(np.count_nonzero(values >= step))) for step in RATING_STEPS)

    def _hits(
        self, query: SearchQuery, matched: Sequence[Matched], columns: _Columns, scores: Scores, kept: Array
    ) -> tuple[Hit, ...]:
        last = query.offset + query.limit
        if query.limit <= 0 or query.offset >= len(kept):
            return ()
        every = len(kept) == len(scores)
        primary = _primary(query.sort, columns, scores)
        ordinal = np.asarray(columns.ordinal, np.int64)
        order = best(primary if every else primary[kept], ordinal if every else ordinal[kept], last)
        chosen = kept[order[query.offset : last]]
        starts = np.cumsum([0, *(len(found.ids) for found in matched)])
        return tuple(self._hit(int(row), matched, starts, scores, columns) for row in chosen)

    def _hit(self, row: int, matched: Sequence[Matched], starts: Array, scores: Scores, columns: _Columns) -> Hit:
        place = int(np.searchsorted(starts, row, side="right")) - 1
        kind, document_id = self._segments[place].document(int(matched[place].ids[row - starts[place]]))
        grade = int(columns.grade[row])
        known = GRADES[grade] if grade >= 0 else None
        return Hit(kind, document_id, int(scores[row]), int(columns.quality[row]), known)


_COUNTERS: Final[dict[Facet, Callable[[Executor, _Columns, Array], Iterable[FacetValue]]]] = {
    Facet.KIND: Executor._by_kind,  # noqa: SLF001 - the table of this class's own counters
    Facet.CATEGORY: Executor._by_category,  # noqa: SLF001
    Facet.CITY: Executor._by_city,  # noqa: SLF001
    Facet.LIMIT: Executor._by_limit,  # noqa: SLF001
    Facet.PRICE: Executor._by_price,  # noqa: SLF001
    Facet.PRICE_MODE: Executor._by_price_mode,  # noqa: SLF001
    Facet.RATING: Executor._by_rating,  # noqa: SLF001
    Facet.GRADE: Executor._by_grade,  # noqa: SLF001
}

_UNKNOWN_LAST: Final = np.iinfo(np.int64).min


def _primary(sort: Sort, columns: _Columns, scores: Scores) -> Scores:
    """What to sort by, higher first; an unknown value comes last."""
    if sort is Sort.RELEVANCE:
        # Without words every text score is 0, and the published factors alone decide.
        return (scores + 1) * columns.quality if len(scores) and scores.any() else np.asarray(columns.quality, np.int64)
    if sort is Sort.NEWEST:
        return np.asarray(columns.ordinal, np.int64)
    column, sign = {
        Sort.LIMIT: (columns.limit, -1),
        Sort.PRICE: (columns.price, -1),
        Sort.PRICE_DESC: (columns.price, 1),
        Sort.RATING: (columns.rating, 1),
        Sort.ON_TIME: (columns.on_time, 1),
    }[sort]
    values = np.asarray(column, np.int64)
    return np.where(values < 0, _UNKNOWN_LAST + 1, sign * values)


def _in_region(regions: Array, code: int) -> Mask:
    """Inside `code`, or offered in the wider division that `code` lies in."""
    province, city = code // 10000 * 10000, code // 100 * 100
    if code == province:
        return np.asarray(regions // 10000 == code // 10000)
    inside = regions // 100 == code // 100 if code == city else (regions == code) | (regions == city)
    return np.asarray(inside | (regions == province))


def _one_of(values: Array, known: Sequence[str], wanted: Sequence[str]) -> Mask:
    return np.isin(values, [known.index(value) for value in wanted if value in known])


def _counted(values: Array, known: Sequence[str]) -> Iterator[FacetValue]:
    counts = np.bincount(values[values >= 0], minlength=len(known))
    return (FacetValue(value, int(counts[place])) for place, value in enumerate(known) if counts[place])


def _any_mask(masks: Sequence[Mask]) -> Mask:
    return np.asarray(np.logical_or.reduce(masks))


def _han(run: str) -> Clause:
    if len(run) == 1:
        return ((Leaf(run, is_prefix=True),),)
    return (tuple(Leaf(pair, is_prefix=False) for pair in pairs(run)),)


def _all_live(segment: Segment) -> Ids:
    ids = np.arange(segment.count, dtype=np.int32) if segment.live is None else np.flatnonzero(segment.live)
    return np.asarray(ids, np.int32)


def _postings(segment: Segment, leaf: Leaf) -> Postings:
    word = leaf.term.encode()
    if not leaf.is_prefix:
        place = segment.terms.find(word)
        return segment.postings(place) if place is not None else _NOTHING
    found = [segment.postings(place) for place in segment.terms.prefixed(word, MAX_EXPANSION)]
    if len(found) < 2:
        return found[0] if found else _NOTHING
    strongest = np.zeros(segment.count, np.uint8)
    for postings in found:
        strongest[postings.ids] = np.maximum(strongest[postings.ids], postings.impacts)
    ids = np.flatnonzero(strongest).astype(np.int32)
    return Postings(ids, strongest[ids])


_NOTHING: Final = Postings(np.empty(0, np.int32), np.empty(0, np.uint8))


def _weighed(postings: Postings, weight: int) -> Matched:
    return Matched(postings.ids, postings.impacts.astype(np.int64) * weight)


def _all_of(parts: Sequence[Matched], count: int) -> Matched:
    """Documents that are in every part, scores added; the shortest list leads."""
    ordered = sorted(parts, key=lambda part: len(part.ids))
    ids, scores = ordered[0]
    for other in ordered[1:]:
        if not len(ids):
            break
        if len(other.ids) > 16 * len(ids):
            places = np.searchsorted(other.ids, ids)
            places[places == len(other.ids)] = 0
            common = other.ids[places] == ids
            ids, scores = ids[common], scores[common] + other.scores[places[common]]
        else:
            spread = np.zeros(count, np.int64)
            spread[other.ids] = other.scores
            added = spread[ids]
            common = added > 0
            ids, scores = ids[common], scores[common] + added[common]
    return Matched(ids, scores)


def _any_of(parts: Sequence[Matched], count: int) -> Matched:
    """Documents that are in any part, with the best of their scores."""
    spread = np.zeros(count, np.int64)
    for part in parts:
        spread[part.ids] = np.maximum(spread[part.ids], part.scores)
    ids = np.flatnonzero(spread).astype(np.int32)
    return Matched(ids, spread[ids])


def _joined(parts: Sequence[Any], kind: Any) -> Any:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, kind)
