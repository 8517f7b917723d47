"""Writing postings."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict
from app.kernel.inbox import insert_ignore, insert_new
from app.kernel.words import N_
from payments import ledger
from payments.ledger import Account, Posting
from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction


class Overdrawn(Conflict):
    """A posting would take more from an account than lies there."""

    def __init__(self, account: str) -> None:
        super().__init__("insufficient-held-money", N_("There is not enough money in this account for that."))
        self.account = account


@use_case
def post(posting: Posting, *, subject: str | None = None, posted_by: UUID | None = None) -> bool:
    """Write a posting unless its key is already in the books; return whether it was written.

    `subject` names the fact behind it where the posting does not tell; `posted_by` who booked it by hand.

    Raises Overdrawn, writing nothing, when an account that may not be overdrawn would be. Two racing posts of one key
    wait for each other at the unique key; two racing postings on one account wait at the account's row.
    """
    moment = clock.now()
    accounts = {entry.account.code: entry.account for entry in posting.entries}
    insert_new(LedgerAccount, [_account_row(account, moment) for _code, account in sorted(accounts.items())])
    tx_id = new_id()
    values = {
        "id": tx_id,
        "key": posting.key,
        "kind": posting.kind,
        "effective_at": posting.effective_at,
        "posted_at": moment,
        "memo": posting.memo[:300],
        "bill_id": posting.bill_id,
        "subject": subject or ledger.subject_of(posting),
        "posted_by": posted_by,
    }
    if not insert_ignore(LedgerTransaction, values):
        return False
    _lock_accounts(list(accounts))
    db.session.add_all(
        LedgerEntry(
            tx_id=tx_id, account=e.account.code, bill_id=e.bill_id, amount_fen=e.amount_fen, currency=e.account.currency
        )
        for e in posting.entries
    )  # fmt: skip
    db.session.flush()  # the balances below must see these entries
    balances = balances_of(list(accounts))
    for code, account in accounts.items():
        if ledger.stands_wrong(account, balances.get(code, 0)):
            raise Overdrawn(code)
    return True


def _account_row(account: Account, moment: datetime) -> dict[str, object]:
    return {
        "code": account.code,
        "type": account.type.value,
        "currency": account.currency,
        "owner_organisation_id": account.owner_organisation_id,
        "may_overdraw": account.may_overdraw,
        "opened_at": moment,
    }


def _lock_accounts(codes: list[str]) -> None:
    db.session.execute(
        sa.select(LedgerAccount.code)
        .where(LedgerAccount.code.in_(codes))
        .order_by(LedgerAccount.code)
        .with_for_update()
    ).all()


def balances_of(codes: list[str]) -> dict[str, int]:
    """Balance by account, debit positive, in fen."""
    rows = db.session.execute(
        sa.select(LedgerEntry.account, sa.func.sum(LedgerEntry.amount_fen))
        .where(LedgerEntry.account.in_(codes))
        .group_by(LedgerEntry.account)
    )
    return {code: int(total) for code, total in rows}
