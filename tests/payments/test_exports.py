"""The books as beancount reads them: no errors, and every balance proven by the reader."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from beancount import loader
from beancount.core import data
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.db import new_id
from payments import exports, ledger
from payments.observed import Movement
from payments.queries import books, statement_page, trial_balance
from payments.services import post
from payments.states import BillKind

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)


def some_postings() -> UUID:
    """A charge on the 18th, its refund on the 20th, with awkward words."""
    bill_id = new_id()
    charge = Movement("txn_1", "charge", 100_000, 600, "CNY", NOON, "ch_1")
    held = ledger.destination(BillKind.SERVICE_FEE, bill_id)
    post(ledger.charge_settled("stripe", charge, [ledger.Credit(bill_id, held, 100_000)], '滨河路"管廊"\\\n环评'))
    refund_id = new_id()
    post(ledger.refund_held(refund_id, [(ledger.escrow(bill_id), 100_000)], NOON + timedelta(days=2), "退款", bill_id))
    back = Movement("txn_2", "refund", -100_000, 0, "CNY", NOON + timedelta(days=2), "re_1")
    post(ledger.refund_moved("stripe", back, refund_id, "退款", bill_id))
    return bill_id


def loaded(until: datetime | None, last: datetime) -> list[object]:
    text = "".join(
        exports.beancount(books.accounts_until(until), books.journal(None, until), last.date(), 'Chaoshi "x"')
    )
    entries, errors, _options = loader.load_string(text)
    assert errors == []
    return list(entries)


def test_beancount_reads_the_books_and_proves_every_balance(app: Flask) -> None:
    some_postings()
    entries = loaded(None, NOON + timedelta(days=2))
    postings = [e for e in entries if isinstance(e, data.Transaction)]
    balances = [e for e in entries if isinstance(e, data.Balance)]
    assert [len(p.postings) for p in postings] == [3, 2, 2]
    assert postings[0].narration == '滨河路"管廊"\\ 环评'
    assert postings[0].meta["key"] == "stripe:txn_1"
    assert {b.account.split(":")[1]: str(b.amount.number) for b in balances} == {
        "Psp": "-6.00", "Psp-fee": "6.00", "Escrow": "0.00", "Refund-pending": "0.00"}  # fmt: skip
    assert sum(b.amount.number for b in balances) == 0


def test_a_wrong_balance_would_be_noticed(app: Flask) -> None:
    some_postings()
    lines = list(
        exports.beancount(books.accounts_until(None), books.journal(None, None), NOON.date() + timedelta(days=2), "x")
    )
    wrong = "".join(line.replace("-6.00 CNY", "-7.00 CNY") if " balance " in line else line for line in lines)
    _entries, errors, _options = loader.load_string(wrong)
    assert len(errors) == 1


def test_the_books_as_of_a_day(app: Flask) -> None:
    bill_id = some_postings()
    night = datetime(2026, 11, 18, 16, tzinfo=UTC)  # midnight in Beijing
    loaded(night, NOON)
    then = {family: credit - debit for family, _type, debit, credit in trial_balance(night).families}
    now = {family: credit - debit for family, _type, debit, credit in trial_balance().families}
    assert (then["escrow"], now["escrow"], then["psp"], now["psp"]) == (100_000, 0, -99_400, 600)
    code = ledger.escrow(bill_id).code
    frame = books.statement_frame(code, night, None)
    assert (frame.opening_fen, frame.increase_fen, frame.decrease_fen, frame.closing_fen) == (100_000, 0, 100_000, 0)
    (line,) = statement_page(code, since=night).items
    assert (line.amount_fen, line.balance_fen) == (-100_000, 0)
    assert [item.balance_fen for item in statement_page(code).items] == [0, 100_000]


def test_the_downloads(app: Flask, as_role: Callable[..., FlaskClient]) -> None:
    bill_id = some_postings()
    client = as_role("auditor")
    text = client.get("/books/journal.beancount?until=2026-11-18").get_data(as_text=True)
    assert "2026-11-19 balance Assets:Psp:Stripe  994.00 CNY" in text
    csv = client.get("/books/journal.csv?since=2026-11-20&until=2026-11-20").get_data(as_text=True)
    assert csv.count("\n") == 5
    statement = client.get(f"/books/accounts/escrow:{bill_id}/statement.csv").get_data(as_text=True)
    assert "1000.00" in statement
    assert client.get("/api/books/accounts/psp:stripe?until=2026-11-18").get_json()["closing_fen"] == 99_400
    assert client.get("/books/accounts/psp:nowhere").status_code == 404
