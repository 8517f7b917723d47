"""What may be read of quotes: before an opening their number and one's own receipts, after it every price.

No query returns a share or a key that opens a quote, except a holder's own sealed share to that holder.
"""

from marketplace.queries.quotes.opening import (
    HolderView,
    OpenedView,
    OpeningView,
    opening_views,
    own_code,
    table_of,
    worklist,
)
from marketplace.queries.quotes.own import QuoteView, QuotingView, own_quote, quoting_view
from marketplace.queries.quotes.rounds import (
    QuotingWindow,
    current_key,
    holder_keys,
    last_quotes,
    number_of_quotes,
    opened_quotes,
    opening_due,
    quoting_window,
    round_ended_at,
)

__all__ = [
    "HolderView",
    "OpenedView",
    "OpeningView",
    "QuoteView",
    "QuotingView",
    "QuotingWindow",
    "current_key",
    "holder_keys",
    "last_quotes",
    "number_of_quotes",
    "opened_quotes",
    "opening_due",
    "opening_views",
    "own_code",
    "own_quote",
    "quoting_view",
    "quoting_window",
    "round_ended_at",
    "table_of",
    "worklist",
]
