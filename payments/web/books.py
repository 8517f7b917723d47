"""Pages of the books: trial balance, accounts, postings down to the facts, the chart, and downloads."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, stream_with_context
from flask_babel import gettext as _

from app.kernel import clock
from app.kernel.calendar import start_of_day
from app.kernel.clock import BEIJING
from app.kernel.money import Money
from app.kernel.timeline import thread_entries
from app.web import parsing
from app.web.forms import Form
from app.web.guard import requires
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer, csv_line
from payments import chart, exports, queries
from payments.policy import Permission
from payments.queries import books as reads
from payments.queries.drilldown import Fact, fact_of_account, posting_facts
from payments.queries.mismatches import unfinished_by_kind
from payments.web import wording
from payments.web.books_schemas import OverviewQuery, SpanQuery

bp = Blueprint("books", __name__, template_folder="../templates")


@bp.app_context_processor
def _links() -> dict[str, Any]:
    return {"fact_href": fact_href, "books_unfinished": lambda: sum(unfinished_by_kind().values())}


def fact_href(fact: Fact) -> str | None:
    """The page of an object behind a posting, wherever it belongs."""
    for domain in current_app.extensions["chaoshi_domains"]:
        build = domain.object_href.get(fact.type)
        if build is not None:
            return str(build(fact.id))
    return None


def end_of(day: date | None) -> datetime | None:
    """The instant at which a Beijing day is over."""
    return start_of_day(day + timedelta(days=1)) if day is not None else None


def start_of(day: date | None) -> datetime | None:
    """The instant at which a Beijing day begins."""
    return start_of_day(day) if day is not None else None


def _beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


@bp.get("/books")
@requires(Permission.BOOKS_READ)
def overview() -> str:
    """Trial balance as of any day, the last comparison with the provider, and the accounts."""
    wanted = parsing.query(OverviewQuery)
    return render_template(
        "payments/books/overview.html",
        balance=queries.trial_balance(end_of(wanted["day"])),
        check=queries.last_check(),
        checks=queries.last_checks(),
        page=queries.accounts_page(family=wanted["family"], number=wanted["page"]),
        family=wanted["family"],
        day=wanted["day"],
        form=Form(OverviewQuery(only=("day",)), {"day": wanted["day"]}),
    )


@bp.get("/books/chart")
@requires(Permission.BOOKS_READ)
def accounts_chart() -> str:
    """The chart of accounts, in words."""
    sums = {family: credit - debit for family, _type, debit, credit in queries.trial_balance().families}
    return render_template("payments/books/chart.html", families=chart.CHART, sums=sums)


@bp.get("/books/accounts/<code>")
@requires(Permission.BOOKS_READ)
def account(code: str) -> str:
    """The statement of one account over a span of days, down to the postings behind it."""
    wanted = parsing.query(SpanQuery)
    since, until = start_of(wanted["since"]), end_of(wanted["until"])
    return render_template(
        "payments/books/account.html",
        account=queries.account_view(code),
        kept_for=fact_of_account(code),
        frame=reads.statement_frame(code, since, until),
        statement=queries.statement_page(code, wanted["page"], since=since, until=until),
        form=Form(SpanQuery(only=("since", "until")), {"since": wanted["since"], "until": wanted["until"]}),
    )


@bp.get("/books/postings/<uuid:tx_id>")
@requires(Permission.BOOKS_READ)
def posting(tx_id: UUID) -> str:
    """One posting with both sides, the facts behind it, the provider's ids, and the story it belongs to."""
    found = posting_facts(tx_id)
    entries = thread_entries(found.thread_id, current_actor()) if found.thread_id is not None else ()
    return render_template(
        "payments/books/posting.html", found=found, posting=found.posting, entries=tuple(reversed(entries))
    )


# --- downloads --------------------------------------------------------------------------------------------------------


def _streamed(name: str, lines: Iterable[str], mimetype: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(iter(lines)), mimetype=mimetype, headers=headers)


@bp.get("/books/trial-balance.csv")
@requires(Permission.BOOKS_READ)
def trial_balance_csv() -> Response:
    """The trial balance as of a day."""
    wanted = parsing.query(OverviewQuery)
    balance = queries.trial_balance(end_of(wanted["day"]))
    rows = [
        (family, wording.family_text(family), kind, *(Money(fen).yuan for fen in (debit, credit, debit - credit)))
        for family, kind, debit, credit in balance.families
    ]
    total = ("", _("Total (zero when the books are right)"), "", "", "", Money(balance.total_fen).yuan)
    name = f"trial-balance-{wanted['day'] or clock.today()}.csv"
    return csv_answer(name, ("Accounts", "What lies there", "Type", "Debit", "Credit", "Difference"), (*rows, total))


@bp.get("/books/accounts/<code>/statement.csv")
@requires(Permission.BOOKS_READ)
def statement_csv(code: str) -> Response:
    """The statement of one account over a span of days, newest first."""
    wanted = parsing.query(SpanQuery)
    queries.account_view(code)
    lines = reads.statement_lines(code, start_of(wanted["since"]), end_of(wanted["until"]))

    def text() -> Iterator[str]:
        yield "\ufeff" + csv_line((_("When"), _("What for"), _("Kind"), _("Key"), _("Amount"), _("Balance")))
        for line in lines:
            yield csv_line((_beijing(line.effective_at), line.memo, wording.posting_text(line.kind), line.key,
                            Money(line.amount_fen).yuan, Money(line.balance_fen).yuan))  # fmt: skip

    return _streamed("statement.csv", text(), "text/csv; charset=utf-8")


@bp.get("/books/journal.csv")
@requires(Permission.BOOKS_READ)
def journal_csv() -> Response:
    """Every side of every posting of a span of days, oldest first."""
    wanted = parsing.query(SpanQuery)
    entries = reads.journal(start_of(wanted["since"]), end_of(wanted["until"]))
    heads = ("When", "Written down at", "Key", "Kind", "What for", "Ledger account", "Debit", "Credit", "Currency")

    def text() -> Iterator[str]:
        yield "\ufeff" + csv_line(_(head) for head in heads)
        for e in entries:
            debit, credit = max(e.amount_fen, 0), max(-e.amount_fen, 0)
            yield csv_line((_beijing(e.effective_at), _beijing(e.posted_at), e.key, wording.posting_text(e.kind), e.memo,
                            e.account, Money(debit).yuan, Money(credit).yuan, e.currency))  # fmt: skip

    return _streamed(f"journal-{clock.today()}.csv", text(), "text/csv; charset=utf-8")


@bp.get("/books/journal.beancount")
@requires(Permission.BOOKS_READ)
def journal_beancount() -> Response:
    """The books from the beginning until the end of a day, for beancount."""
    last = parsing.query(SpanQuery)["until"] or clock.today()
    lines = exports.beancount(reads.accounts_until(end_of(last)), reads.journal(None, end_of(last)), last, "Chaoshi")
    return _streamed(f"books-{last}.beancount", lines, "text/plain; charset=utf-8")
