"""Full-text search over the public market.

Whoosh keeps the index (durable segments, one writer); queries run over memory-mapped arrays taken from its segments, because that
is two orders of magnitude faster than its Python matchers. No Whoosh type crosses the border of this package.
"""

from .contract import (
    GRADES,
    PRICE_MODES,
    Change,
    Document,
    Facet,
    FacetValue,
    Filters,
    Generation,
    Hit,
    IndexBusyError,
    IndexHealth,
    IndexUnavailableError,
    Kind,
    SearchIndex,
    SearchPage,
    SearchQuery,
    Sort,
    Suggestion,
)
from .index import WhooshIndex

__all__ = [
    "GRADES",
    "PRICE_MODES",
    "Change",
    "Document",
    "Facet",
    "FacetValue",
    "Filters",
    "Generation",
    "Hit",
    "IndexBusyError",
    "IndexHealth",
    "IndexUnavailableError",
    "Kind",
    "SearchIndex",
    "SearchPage",
    "SearchQuery",
    "Sort",
    "Suggestion",
    "WhooshIndex",
]
