"""Reads of bills, attempts, refunds and the books, as frozen values."""

from payments.queries.bills import (
    BillView,
    PaidBill,
    PaymentView,
    bill_page,
    bill_view,
    bills_of_subject,
    bills_page,
    due_bills,
    payment_page,
    total_due_fen,
    unfinished_bills,
)
from payments.queries.books import (
    AccountView,
    Income,
    PostingView,
    StatementLine,
    TrialBalance,
    account_view,
    accounts_page,
    balances,
    income_of,
    posting_view,
    statement_page,
    trial_balance,
)
from payments.queries.mismatches import CheckView, last_check
from payments.queries.refunds import RefundView, refund_page, refunds_page
from payments.queries.worklist import worklist

__all__ = [
    "AccountView",
    "BillView",
    "CheckView",
    "Income",
    "PaidBill",
    "PaymentView",
    "PostingView",
    "RefundView",
    "StatementLine",
    "TrialBalance",
    "account_view",
    "accounts_page",
    "balances",
    "bill_page",
    "bill_view",
    "bills_of_subject",
    "bills_page",
    "due_bills",
    "income_of",
    "last_check",
    "payment_page",
    "posting_view",
    "refund_page",
    "refunds_page",
    "statement_page",
    "total_due_fen",
    "trial_balance",
    "unfinished_bills",
    "worklist",
]
