"""The search contract written down again as plainly as possible: loops over documents, no index, no arrays.

It shares with the product only the analysis of texts; what a query means, what is counted and how it is ranked is told anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log

from marketplace.search import Document, Facet, Filters, Kind, SearchQuery, Sort
from marketplace.search.analysis import document_terms, is_han, pairs, query_words


@dataclass
class BruteForce:
    documents: list[Document]
    weights: tuple[int, int, int] = (3, 2, 1)
    bags: list[dict[str, int]] = field(init=False)
    known: dict[str, dict[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bags = [self._bag(document) for document in self.documents]
        self.lengths = [sum(bag.values()) for bag in self.bags]
        self.average = sum(self.lengths) / len(self.lengths) if self.lengths else 1.0

    def _bag(self, document: Document) -> dict[str, int]:
        bag: dict[str, int] = {}
        for text, weight in zip((document.title, document.names, document.text), self.weights, strict=True):
            for term in document_terms(text):
                bag[term] = bag.get(term, 0) + weight
        return bag

    def _impact(self, place: int, term: str) -> int:
        count = self.bags[place].get(term, 0)
        if not count:
            return 0
        damping = 1.2 * (1 - 0.75 + 0.75 * self.lengths[place] / self.average)
        return max(1, round(255 * count / (count + damping)))

    def _leaves(self, text: str) -> list[Callable[[str], bool]]:
        tests: list[Callable[[str], bool]] = []
        for run in query_words(text).runs:
            if is_han(run) and len(run) > 1:
                tests += [lambda term, pair=pair: term == pair for pair in pairs(run)]
            elif is_han(run) or len(run) > 1:
                tests.append(lambda term, run=run: term.startswith(run))
            else:
                tests.append(lambda term, run=run: term == run)
        return tests

    def scored(self, text: str) -> dict[int, int]:
        """Text score by place of every document that satisfies every word."""
        if text not in self.known:
            self.known[text] = self._scored(text)
        return self.known[text]

    def _scored(self, text: str) -> dict[int, int]:
        leaves = self._leaves(text)
        found = dict.fromkeys(range(len(self.documents)), 0)
        for holds in leaves:
            impacts = {
                place: max((self._impact(place, term) for term in bag if holds(term)), default=0)
                for place, bag in enumerate(self.bags)
            }
            having = sum(1 for impact in impacts.values() if impact)
            rarity = max(1, round(256 * log(1 + (len(self.documents) - having + 0.5) / (having + 0.5))))
            found = {p: s + rarity * impacts[p] for p, s in found.items() if impacts[p]}
        return found

    def passes(self, document: Document, filters: Filters, without: Facet | None = None) -> bool:
        def known(value: int | None) -> int:
            return -1 if value is None else value

        price = known(document.price_fen)
        tests = {
            Facet.KIND: not filters.kinds or document.kind in filters.kinds,
            Facet.CATEGORY: not filters.categories or document.category in filters.categories,
            Facet.CITY: not filters.regions or any(_covers(code, document.region) for code in filters.regions),
            Facet.LIMIT: filters.max_limit_wd is None or 0 <= known(document.limit_wd) <= filters.max_limit_wd,
            Facet.PRICE: (filters.min_price_fen is None and filters.max_price_fen is None)
            or (
                price >= max(filters.min_price_fen or 0, 0)
                and price <= (filters.max_price_fen if filters.max_price_fen is not None else price)
            ),
            Facet.PRICE_MODE: not filters.price_modes or document.price_mode in filters.price_modes,
            Facet.GRADE: not filters.grades or document.grade in filters.grades,
            Facet.RATING: filters.min_rating is None or known(document.rating) >= max(filters.min_rating, 0),
        }
        on_time = filters.min_on_time is None or known(document.on_time) >= max(filters.min_on_time, 0)
        recent = filters.min_ordinal is None or document.ordinal >= filters.min_ordinal
        return on_time and recent and all(ok for facet, ok in tests.items() if facet is not without)

    def ids(self, query: SearchQuery) -> list[object]:
        """The ids of all results in order."""
        scores = self.scored(query.text)
        kept = [p for p in scores if self.passes(self.documents[p], query.filters)]
        return [self.documents[p].id for p in sorted(kept, key=lambda p: self._order(query, p, scores), reverse=True)]

    def _order(self, query: SearchQuery, place: int, scores: dict[int, int]) -> tuple[float, int]:
        document = self.documents[place]
        far = float("-inf")
        primary: dict[Sort, float] = {
            Sort.RELEVANCE: (scores[place] + 1) * document.quality if any(scores.values()) else document.quality,
            Sort.NEWEST: document.ordinal,
            Sort.LIMIT: far if document.limit_wd is None else -document.limit_wd,
            Sort.PRICE: far if document.price_fen is None else -document.price_fen,
            Sort.PRICE_DESC: far if document.price_fen is None else document.price_fen,
            Sort.RATING: far if document.rating is None else document.rating,
            Sort.ON_TIME: far if document.on_time is None else document.on_time,
        }
        return primary[query.sort], document.ordinal

    def count(self, query: SearchQuery, facet: Facet) -> dict[str, int]:
        """The counts of a facet with its own filter taken away; zeroes left out."""
        kept = [self.documents[p] for p in self.scored(query.text)]
        kept = [d for d in kept if self.passes(d, query.filters, without=facet)]
        counts: dict[str, int] = {}
        for document in kept:
            for value in _values(facet, document):
                counts[value] = counts.get(value, 0) + 1
        return counts


def _covers(code: str, region: str | None) -> bool:
    if region is None:
        return False
    if code.endswith("0000"):
        return region[:2] == code[:2]
    if region.endswith("0000"):
        return region[:2] == code[:2]
    if code.endswith("00"):
        return region[:4] == code[:4]
    return region in {code, code[:4] + "00"}


def _values(facet: Facet, document: Document) -> list[str]:
    if facet is Facet.KIND:
        return [str(document.kind)]
    if facet is Facet.CATEGORY:
        return [document.category] if document.category else []
    if facet is Facet.CITY:
        return [document.region[:4] + "00"] if document.region else []
    if facet is Facet.LIMIT:
        return [
            str(step) for step in (5, 10, 15, 20, 30) if document.limit_wd is not None and document.limit_wd <= step
        ]
    if facet is Facet.PRICE_MODE:
        return [document.price_mode] if document.price_mode else []
    if facet is Facet.GRADE:
        return [document.grade] if document.grade else []
    if facet is Facet.RATING:
        return [str(step) for step in (450, 400, 300) if document.rating is not None and document.rating >= step]
    price = document.price_fen
    if price is None:
        return []
    ranges = ((0, 499_999), (500_000, 999_999), (1_000_000, 2_999_999), (3_000_000, 9_999_999))
    inside = [f"{low}-{high}" for low, high in ranges if low <= price <= high]
    return inside or ["10000000-"]


KINDS = tuple(Kind)
