"""Table of contents of the payments domain."""

from collections.abc import Callable

from app.kernel.words import N_
from app.manifest import Domain, Topic
from payments import gateways, queries
from payments.bank_states import BANK_STATEMENT, UNMATCHED_MONEY
from payments.commands import payments_cli
from payments.handlers import HANDLERS
from payments.jobs import JOBS, keep_address
from payments.outgoing_jobs import JOBS as OUTGOING_JOBS
from payments.outgoing_states import BANK_ACCOUNT, PAYMENT_DISPUTE, PAYOUT, TRANSFER_REVERSAL
from payments.outward import WEBHOOK_EVENTS
from payments.policy import GRANTS
from payments.services import reconciliation as reconciliation_jobs
from payments.states import BANK_ENTRY, BILL, DAY_CLOSE, MISMATCH, PAYMENT, REFUND
from payments.web import (
    api,
    bank,
    books,
    books_api,
    by_code,
    counter,
    money_api,
    money_pages,
    pages,
    reconciliation,
    statements,
    unmatched,
    webhooks,
)


def _href(prefix: str) -> Callable[[str], str]:
    return lambda object_id: f"{prefix}/{object_id}"


def _begin() -> None:
    keep_address()
    reconciliation_jobs.open_days()


DOMAIN = Domain(
    name="payments",
    machines=(
        BILL,
        PAYMENT,
        REFUND,
        MISMATCH,
        DAY_CLOSE,
        BANK_ENTRY,
        BANK_STATEMENT,
        UNMATCHED_MONEY,
        PAYOUT,
        BANK_ACCOUNT,
        TRANSFER_REVERSAL,
        PAYMENT_DISPUTE,
    ),
    handlers=(HANDLERS,),
    jobs=(*JOBS, *OUTGOING_JOBS),
    blueprints=(
        pages.bp,
        counter.bp,
        by_code.bp,
        bank.bp,
        statements.bp,
        unmatched.bp,
        api.bp,
        money_pages.bp,
        money_api.bp,
        books.bp,
        books_api.bp,
        reconciliation.bp,
        reconciliation.api,
        webhooks.bp,
    ),
    grants=GRANTS,
    navigation=(*pages.NAVIGATION, *bank.NAVIGATION, *money_pages.NAVIGATION),
    worklist=queries.worklist,
    object_href={
        "bill": _href("/bills"),
        "payment": _href("/pay/return"),
        "refund": _href("/refunds"),
        "bank_entry": _href("/bank-entries"),
        "bank_statement": _href("/bank-statements"),
        "unmatched_money": _href("/unmatched-money"),
        "payout": _href("/payouts"),
        "bank_account": _href("/bank-accounts"),
        "payment_dispute": _href("/disputes"),
        "mismatch": _href("/books/mismatches"),
        "day_close": _href("/books/days"),
    },
    notice_topics=(Topic("payment", N_("Bills and payments")),),
    commands=(payments_cli,),
    webhook_events=WEBHOOK_EVENTS,
    init_app=gateways.init_app,
    on_start=_begin,
)
