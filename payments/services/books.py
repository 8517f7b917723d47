"""Writing postings, and comparing the books with themselves and with the gateway."""

import logging
from datetime import UTC, datetime

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict
from app.kernel.inbox import insert_ignore
from app.kernel.words import N_
from payments import ledger
from payments.gateways import gateway
from payments.ledger import Account, AccountType, Posting
from payments.models.ledger import BooksCheck, LedgerAccount, LedgerEntry, LedgerTransaction
from payments.observed import Movement

log = logging.getLogger(__name__)
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


class Overdrawn(Conflict):
    """A posting would take more from an account than lies there."""

    def __init__(self, account: str) -> None:
        super().__init__("insufficient-held-money", N_("There is not enough money in this account for that."))
        self.account = account


@use_case
def post(posting: Posting) -> bool:
    """Write a posting unless its key is already in the books; return whether it was written.

    Raises Overdrawn, writing nothing, when an account that may not be overdrawn would be. Two racing posts of one key
    wait for each other at the unique key; two racing postings on one account wait at the account's row.
    """
    moment = clock.now()
    accounts = {entry.account.code: entry.account for entry in posting.entries}
    for _code, account in sorted(accounts.items()):
        insert_ignore(LedgerAccount, _account_row(account, moment))
    tx_id = new_id()
    values = {
        "id": tx_id,
        "key": posting.key,
        "kind": posting.kind,
        "effective_at": posting.effective_at,
        "posted_at": moment,
        "memo": posting.memo[:300],
        "bill_id": posting.bill_id,
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


def check_books() -> int:
    """Compare every movement at the gateway with the ledger, both ways, and write the result down.

    Calls the gateway with no transaction open. Returns the number of discrepancies.
    """
    provider = gateway()
    moved = list(provider.movements_since(_BEGINNING))
    theirs = provider.balance_fen()
    return _note_check(provider.code, moved, theirs)


@use_case
def _note_check(code: str, moved: list[Movement], theirs: int) -> int:
    prefix = f"{code}:"
    known = set(
        db.session.scalars(
            sa.select(LedgerTransaction.key).where(LedgerTransaction.key.startswith(prefix, autoescape=True))
        )
    )
    wanted = {ledger.key_of(code, movement) for movement in moved}
    account = ledger.at_gateway(code).code
    check = BooksCheck(
        gateway=code,
        checked_at=clock.now(),
        ours_fen=balances_of([account]).get(account, 0),
        theirs_fen=theirs,
        missing_here=len(wanted - known),
        missing_there=len(known - wanted),
        unbalanced=_count_unbalanced(),
        wrong_side=_count_wrong_side(),
    )
    db.session.add(check)
    found = check.missing_here + check.missing_there + check.unbalanced + check.wrong_side
    if found or check.ours_fen != check.theirs_fen:
        log.error("the books differ from the gateway", extra={"difference_fen": check.ours_fen - check.theirs_fen})
    return found


def _count_unbalanced() -> int:
    wrong = (
        sa.select(LedgerEntry.tx_id)
        .group_by(LedgerEntry.tx_id, LedgerEntry.currency)
        .having(sa.func.sum(LedgerEntry.amount_fen) != 0)
    )
    return db.session.scalar(sa.select(sa.func.count()).select_from(wrong.subquery())) or 0


def _count_wrong_side() -> int:
    total = sa.func.sum(LedgerEntry.amount_fen)
    debit = LedgerAccount.type.in_((AccountType.ASSET.value, AccountType.EXPENSE.value))
    wrong = (
        sa.select(LedgerAccount.code)
        .join(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
        .where(LedgerAccount.may_overdraw.is_(sa.false()))
        .group_by(LedgerAccount.code, LedgerAccount.type)
        .having(sa.or_(sa.and_(debit, total < 0), sa.and_(sa.not_(debit), total > 0)))
    )
    return db.session.scalar(sa.select(sa.func.count()).select_from(wrong.subquery())) or 0
