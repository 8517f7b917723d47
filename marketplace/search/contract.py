"""What the rest of the product says to a search index and hears from it: plain values only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID


class Kind(StrEnum):
    """What a document is about. The order is the order of the tabs."""

    LISTING = "listing"
    AGENCY = "agency"
    ITEM = "item"
    NOTICE = "notice"


class Sort(StrEnum):
    """How results are ordered; ties always fall to the newer document."""

    RELEVANCE = "relevance"
    LIMIT = "limit"
    PRICE = "price"
    PRICE_DESC = "price_desc"
    RATING = "rating"
    ON_TIME = "on_time"
    NEWEST = "newest"


class Facet(StrEnum):
    """By what results can be counted and narrowed."""

    KIND = "kind"
    CATEGORY = "category"
    CITY = "city"
    LIMIT = "limit"
    PRICE = "price"
    PRICE_MODE = "price_mode"
    RATING = "rating"
    GRADE = "grade"


PRICE_MODES: Final = ("fixed", "from", "negotiable")
GRADES: Final = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Document:
    """One findable thing. None means unknown or not applicable, and never matches a filter on that field.

    `limit_wd` working days; `price_fen` integer fen; `rating` hundredths of a star (100 to 500); `on_time` per mille (0 to 1000).
    `price_mode` is one of `PRICE_MODES`, `grade` the agency's credit grade, one of `GRADES`.
    `title` weighs most, then `names` (agency, category, region), then `text`. `quality` is the published factor of the ranking
    in thousandths (1000 is neutral). `ordinal` grows with the time of publication and breaks ties.
    """

    kind: Kind
    id: UUID
    title: str
    names: str = ""
    text: str = ""
    category: str | None = None
    region: str | None = None
    limit_wd: int | None = None
    price_fen: int | None = None
    price_mode: str | None = None
    grade: str | None = None
    rating: int | None = None
    on_time: int | None = None
    quality: int = 1000
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """Put `document` in place of whatever had its id, or, when it is None, take the id out."""

    kind: Kind
    id: UUID
    document: Document | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What results must satisfy; empty tuples and None ask for nothing.

    `regions` are division codes: a city also finds what is offered in its counties and what is offered in the whole province.
    Prices are fen, `max_limit_wd` working days, `min_rating` hundredths of a star, `min_on_time` per mille; `min_ordinal` asks
    for what was published at that moment or later.
    """

    kinds: tuple[Kind, ...] = ()
    categories: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    max_limit_wd: int | None = None
    min_price_fen: int | None = None
    max_price_fen: int | None = None
    price_modes: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    min_rating: int | None = None
    min_on_time: int | None = None
    min_ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One question. `facets` names what to count; `offset` and `limit` are numbers of results."""

    text: str = ""
    filters: Filters = field(default_factory=Filters)
    facets: tuple[Facet, ...] = ()
    sort: Sort = Sort.RELEVANCE
    offset: int = 0
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: `text_score` comes from the words, `quality` (thousandths) from the published factors."""

    kind: Kind
    id: UUID
    text_score: int
    quality: int
    grade: str | None = None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet with the number of results it would leave, all other filters kept."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The answer. `total` and the counts are exact. `corrected` is the text searched for instead, when the words were misspelt."""

    total: int
    hits: tuple[Hit, ...]
    facets: dict[Facet, tuple[FacetValue, ...]]
    generation: int
    marked: tuple[str, ...] = ()
    corrected: str | None = None
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name to complete what is being typed."""

    text: str
    kind: Kind
    id: UUID


@dataclass(frozen=True, slots=True)
class Generation:
    """Which commit of the index is visible, and how many live documents it holds."""

    number: int
    documents: int


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """Whether the index can answer; `reason` says why not."""

    is_ready: bool
    generation: int
    documents: int
    segments: int
    reason: str = ""


class IndexUnavailableError(Exception):
    """There is no index, or it is damaged: rebuild it from the database and answer from the database meanwhile."""


class IndexBusyError(Exception):
    """Another process is the writer."""


class SearchIndex(Protocol):
    """What every backend offers; one contract test suite runs against each."""

    def search(self, query: SearchQuery) -> SearchPage:
        """Answer one query. Raises IndexUnavailableError."""
        ...

    def suggest(self, prefix: str, limit: int = 10) -> tuple[Suggestion, ...]:
        """Names that complete `prefix`: Chinese, pinyin, initials, or with a typing error. Raises IndexUnavailableError."""
        ...

    def apply(self, changes: Iterable[Change]) -> Generation:
        """Take in a batch; the last change of an id counts; repeating a batch changes nothing. Raises IndexBusyError."""
        ...

    def rebuild(self, source: Iterable[Document]) -> Generation:
        """Build anew beside the old index, then switch at once. Raises IndexBusyError."""
        ...

    def generation(self) -> Generation:
        """Which generation is visible. Raises IndexUnavailableError."""
        ...

    def health(self) -> IndexHealth:
        """Whether it can answer; never raises."""
        ...
