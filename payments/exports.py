"""The books for other programs: beancount (plain-text double entry), as lines. Pure.

Amounts are yuan with two decimals, days are Beijing days; every account ends with an assertion of its balance, so that
a reader of the file proves it.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Protocol
from uuid import UUID

from app.kernel.calendar import beijing_date
from app.kernel.money import Money

_ROOTS = {"asset": "Assets", "liability": "Liabilities", "income": "Income", "expense": "Expenses"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9-]+")


class Account(Protocol):
    """An account with its first instant and its balance (debit positive, fen)."""

    @property
    def code(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def first_at(self) -> datetime: ...
    @property
    def balance_fen(self) -> int: ...


class Entry(Protocol):
    """One side of one posting; the sides of a posting follow each other."""

    @property
    def tx_id(self) -> UUID: ...
    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def memo(self) -> str: ...
    @property
    def effective_at(self) -> datetime: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def account(self) -> str: ...
    @property
    def amount_fen(self) -> int: ...
    @property
    def currency(self) -> str: ...


def account_name(code: str, account_type: str) -> str:
    """The name of an account in beancount: each part begins with a capital letter or a figure."""
    parts = [_NOT_IN_NAMES.sub("-", part).strip("-") for part in code.split(":")]
    if parts[0] == account_type and len(parts) > 1:
        parts = parts[1:]  # `expense:psp_fee` is Expenses:Psp-fee
    return ":".join([_ROOTS[account_type], *(part[:1].upper() + part[1:] for part in parts if part)])


def beancount(accounts: Iterable[Account], entries: Iterable[Entry], last: date, title: str) -> Iterator[str]:
    """The whole file, line by line: openings, transactions oldest first, and the balances of the day after `last`."""
    known = list(accounts)
    names = {account.code: account_name(account.code, account.type) for account in known}
    yield f'option "title" "{_quoted(title)}"\n'
    for currency in sorted({account.currency for account in known}):
        yield f'option "operating_currency" "{currency}"\n'
    yield "\n"
    for account in known:
        yield f"{beijing_date(account.first_at)} open {names[account.code]} {account.currency}\n"
    for _tx, group in groupby(entries, key=lambda entry: entry.tx_id):
        sides = list(group)
        head = sides[0]
        yield f'\n{beijing_date(head.effective_at)} * "{_quoted(head.memo or head.kind)}"\n'
        yield f'  key: "{_quoted(head.key)}"\n  kind: "{_quoted(head.kind)}"\n'
        if head.subject:
            yield f'  subject: "{_quoted(head.subject)}"\n'
        for side in sides:
            yield f"  {names[side.account]}  {Money(side.amount_fen).yuan} {side.currency}\n"
    yield "\n"
    for account in known:
        yield f"{last + timedelta(days=1)} balance {names[account.code]}  {Money(account.balance_fen).yuan} {account.currency}\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
