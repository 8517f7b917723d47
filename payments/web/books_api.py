"""The books as JSON. Amounts are integer fen, instants UTC, days Beijing days."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from app.kernel.words import N_
from app.web import parsing
from app.web.guard import requires
from app.web.operations import operation
from payments import queries
from payments.policy import Permission
from payments.queries import books as reads
from payments.queries.drilldown import posting_facts
from payments.web.books import end_of, start_of
from payments.web.books_schemas import OverviewQuery, SpanQuery

bp = Blueprint("books_api", __name__, url_prefix="/api")


@bp.get("/books/trial-balance")
@requires(Permission.BOOKS_READ)
@operation(N_("Read the trial balance"), query=OverviewQuery, tag="books")
def read_trial_balance() -> Response:
    """Debits and credits by account family as of the end of a day; their difference is zero."""
    balance = queries.trial_balance(end_of(parsing.query(OverviewQuery)["day"]))
    families = [
        {"family": family, "type": kind, "debit_fen": debit, "credit_fen": credit}
        for family, kind, debit, credit in balance.families
    ]
    return jsonify(families=families, total_fen=balance.total_fen)


@bp.get("/books/accounts/<code>")
@requires(Permission.BOOKS_READ)
@operation(N_("Read the statement of an account"), query=SpanQuery, tag="books")
def read_account(code: str) -> Response:
    """One account with its balances around a span of days and a page of its statement, newest first."""
    wanted = parsing.query(SpanQuery)
    since, until = start_of(wanted["since"]), end_of(wanted["until"])
    account = queries.account_view(code)
    frame = reads.statement_frame(code, since, until)
    page = queries.statement_page(code, wanted["page"], since=since, until=until)
    return jsonify(
        code=account.code,
        type=account.type,
        currency=account.currency,
        balance_fen=account.balance_fen,
        opening_fen=frame.opening_fen,
        closing_fen=frame.closing_fen,
        statement=[_line_json(line) for line in page.items],
        page=page.number,
        pages=page.pages,
        total=page.total,
    )


@bp.get("/books/postings/<uuid:tx_id>")
@requires(Permission.BOOKS_READ)
@operation(N_("Read a posting with the facts behind it"), tag="books")
def read_posting(tx_id: UUID) -> Response:
    """One posting with both sides (debit positive), its facts and the provider's ids."""
    found = posting_facts(tx_id)
    posting = found.posting
    return jsonify(
        id=str(posting.id),
        key=posting.key,
        kind=posting.kind,
        memo=posting.memo,
        effective_at=posting.effective_at.isoformat(),
        posted_at=posting.posted_at.isoformat(),
        entries=[{"account": account, "amount_fen": fen} for account, fen in posting.entries],
        facts=[{"type": fact.type, "id": fact.id, "name": fact.name} for fact in found.facts],
        gateway_refs=[{"type": kind, "ref": ref} for kind, ref in found.gateway_refs],
    )


def _line_json(line: queries.StatementLine) -> dict[str, Any]:
    return {
        "tx_id": str(line.tx_id),
        "at": line.effective_at.isoformat(),
        "key": line.key,
        "kind": line.kind,
        "memo": line.memo,
        "bill_id": str(line.bill_id) if line.bill_id else None,
        "amount_fen": line.amount_fen,
        "balance_fen": line.balance_fen,
    }
