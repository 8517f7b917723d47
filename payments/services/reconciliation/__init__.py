"""Keeping the books equal to the gateways: comparisons, what does not fit, and the close of a day."""

from payments.services.reconciliation.closing import (
    ReopenDay,
    SignDay,
    confirm_day,
    open_days,
    remind_of_days,
    reopen_day,
    send_day_back,
    sign_day,
)
from payments.services.reconciliation.mismatches import (
    Explain,
    ask_again,
    book_mismatch,
    close_mismatch,
    reopen_mismatch,
)
from payments.services.reconciliation.runs import check_books, compare, recall_missed
from payments.services.reconciliation.stuck import watch_stuck

__all__ = [
    "Explain",
    "ReopenDay",
    "SignDay",
    "ask_again",
    "book_mismatch",
    "check_books",
    "close_mismatch",
    "compare",
    "confirm_day",
    "open_days",
    "recall_missed",
    "remind_of_days",
    "reopen_day",
    "reopen_mismatch",
    "send_day_back",
    "sign_day",
    "watch_stuck",
]
