"""Comparing the books with a gateway, movement by movement, and reading its notices again."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, in_transaction, new_id, use_case
from app.kernel.inbox import insert_ignore
from payments import ledger, reconciling
from payments.gateways import gateway, gateways
from payments.ledger import AccountType
from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from payments.models.reconciliation import EventCursor, GatewayMovement, ReconciliationRun
from payments.observed import Movement, MovementKind
from payments.ports import PaymentGateway, Unknown
from payments.queries.statements import told_by_statements
from payments.reconciling import Booked, Difference, Told
from payments.services.notices import recall_notices
from payments.services.reconciliation.differences import take_over
from payments.states import MismatchKind

log = logging.getLogger(__name__)
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
_MOVEMENTS_OVERLAP = timedelta(days=7)
"""Movements are listed by the moment of their making and may be listed late."""
_COMPARED = tuple(kind for kind in MismatchKind if kind is not MismatchKind.STUCK)
_SITTINGS = 3


def check_books(actor: Actor = SYSTEM) -> int:
    """Compare every movement at every gateway with the ledger, both ways, and write down what does not fit.

    A gateway that tells its movements is asked, with no transaction open; of the others the imported statements are
    read. One that does not answer does not keep the others from being compared; then raises its Unknown. Returns the
    number of discrepancies.
    """
    assert not in_transaction(), "a call outside must not hold a transaction"
    found, silent = 0, None
    for provider in gateways():
        try:
            found += compare(provider, actor)
        except Unknown as failure:
            silent = failure
    if silent is not None:
        raise silent
    return found


def compare(provider: PaymentGateway, actor: Actor = SYSTEM) -> int:
    """Compare one gateway; return the number of discrepancies. Nothing to compare with is none."""
    told = _listen(provider) if provider.caps.has_statement else told_by_statements(provider.code)
    db.session.rollback()  # ends the read
    return _note(told, actor.user_id) if told is not None else 0


def _listen(provider: PaymentGateway) -> Told:
    """Ask for the movements, and for the balance before and after, until no money moved meanwhile.

    A movement never changes, and what was told before is kept: only what is new, with some days of overlap, is asked
    for. When that does not add up to the balance, all of it is.
    """
    known, since = _told_before(provider.code)
    for _ in range(_SITTINGS):
        started_at = clock.now()
        before = provider.balance_fen()
        moved = known | {movement.ref: movement for movement in provider.movements_since(since)}
        after = provider.balance_fen()
        told = Told(provider.code, started_at, tuple(moved.values()), after)
        if told.net_fen != after:
            known, since = {}, _BEGINNING
        elif before == after:
            break
    return told


def _told_before(code: str) -> tuple[dict[str, Movement], datetime]:
    """The movements that are kept, and since when more of them are to be asked for."""
    rows = db.session.scalars(
        sa.select(GatewayMovement).where(GatewayMovement.gateway == code).order_by(GatewayMovement.at)
    ).all()
    kept = {
        row.ref: Movement(
            row.ref, cast("MovementKind", row.kind), row.gross_fen, row.fee_fen, row.currency, row.at, row.object_ref
        )
        for row in rows
    }
    db.session.rollback()  # ends the read; nothing stays open while we wait for the gateway
    return kept, rows[-1].at - _MOVEMENTS_OVERLAP if rows else _BEGINNING


@use_case
def _note(told: Told, asked_by: UUID | None) -> int:
    _take_turn(told.gateway)
    booked = _booked(told.gateway)
    is_main = told.gateway == gateway().code
    unbalanced, wrong_side = (_unbalanced(), _wrong_side()) if is_main else ((), ())
    found = (*reconciling.differences(told, booked), *unbalanced, *wrong_side)
    tally = reconciling.counts(found)
    run = ReconciliationRun(
        id=new_id(),
        gateway=told.gateway,
        started_at=told.started_at,
        checked_at=clock.now(),
        asked_by=asked_by,
        movements=len(told.movements),
        ours_fen=reconciling.ours_of(told, booked),
        theirs_fen=told.balance_fen,
        net_fen=told.net_fen,
        missing_here=tally[MismatchKind.MISSING_HERE],
        missing_there=tally[MismatchKind.MISSING_THERE],
        amounts=tally[MismatchKind.AMOUNT] - len(unbalanced) - len(wrong_side),
        currencies=tally[MismatchKind.CURRENCY],
        unbalanced=len(unbalanced),
        wrong_side=len(wrong_side),
    )
    db.session.add(run)
    db.session.flush()  # the mismatches refer to the run
    _keep(told.gateway, told.movements)
    take_over(told.gateway, _COMPARED, found, run.id)
    if found or run.ours_fen != run.theirs_fen:
        log.error("the books differ from the gateway", extra={"difference_fen": run.ours_fen - run.theirs_fen})
    return len(found)


def _take_turn(code: str) -> None:
    """Two comparisons of one gateway write down what they found one after the other."""
    insert_ignore(EventCursor, {"gateway": code, "read_until": _BEGINNING})
    db.session.execute(sa.select(EventCursor.gateway).where(EventCursor.gateway == code).with_for_update()).all()


def _booked(code: str) -> dict[str, Booked]:
    """What every posting with a key of this gateway moved there."""
    place = ledger.at_gateway(code).code
    rows = db.session.execute(
        sa.select(
            LedgerTransaction.key,
            sa.func.coalesce(sa.func.sum(LedgerEntry.amount_fen), 0),
            sa.func.max(LedgerEntry.currency),
            LedgerTransaction.posted_at,
            LedgerTransaction.effective_at,
            LedgerTransaction.memo,
            LedgerTransaction.bill_id,
        )
        .outerjoin(
            LedgerEntry,
            sa.and_(
                LedgerEntry.tx_id == LedgerTransaction.id,
                sa.or_(LedgerEntry.account == place, LedgerEntry.account.startswith(f"{place}:", autoescape=True)),
            ),
        )
        .where(LedgerTransaction.key.startswith(f"{code}:", autoescape=True))
        .group_by(LedgerTransaction.id)
        .order_by(LedgerTransaction.id)
    )
    return {
        key: Booked(key, int(net), currency or ledger.CNY, posted_at, effective_at, memo, bill_id)
        for key, net, currency, posted_at, effective_at, memo, bill_id in rows
    }


def _unbalanced() -> tuple[Difference, ...]:
    """Postings whose entries do not sum to zero; only damage to the database can make one."""
    total = sa.func.sum(LedgerEntry.amount_fen)
    rows = db.session.execute(
        sa.select(LedgerEntry.tx_id, total, LedgerEntry.currency)
        .group_by(LedgerEntry.tx_id, LedgerEntry.currency)
        .having(total != 0)
    )
    return tuple(
        Difference(MismatchKind.AMOUNT, f"posting:{tx_id}", "sum(entries)", int(fen), 0, currency)
        for tx_id, fen, currency in rows
    )


def _wrong_side() -> tuple[Difference, ...]:
    """Accounts whose balance stands where it may never stand."""
    total = sa.func.sum(LedgerEntry.amount_fen)
    debit = LedgerAccount.type.in_((AccountType.ASSET.value, AccountType.EXPENSE.value))
    rows = db.session.execute(
        sa.select(LedgerAccount.code, total, LedgerAccount.currency)
        .join(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
        .where(LedgerAccount.may_overdraw.is_(sa.false()))
        .group_by(LedgerAccount.code, LedgerAccount.type, LedgerAccount.currency)
        .having(sa.or_(sa.and_(debit, total < 0), sa.and_(sa.not_(debit), total > 0)))
    )
    return tuple(
        Difference(MismatchKind.AMOUNT, f"account:{code}", code, int(fen), 0, currency) for code, fen, currency in rows
    )


def _keep(code: str, moved: Sequence[Movement]) -> None:
    known = set(db.session.scalars(sa.select(GatewayMovement.ref).where(GatewayMovement.gateway == code)))
    moment = clock.now()
    db.session.add_all(
        GatewayMovement(
            id=new_id(),
            gateway=code,
            ref=movement.ref,
            kind=movement.kind,
            gross_fen=movement.gross_fen,
            fee_fen=movement.fee_fen,
            currency=movement.currency,
            object_ref=movement.object_ref,
            at=movement.at,
            seen_at=moment,
        )
        for movement in moved
        if movement.ref not in known
    )
    db.session.flush()


def recall_missed() -> int:
    """Store the gateway's notices since the cursor, an hour of overlap included, that never reached us; move the cursor.

    The first time everything that is still listed is read. Raises Unknown when the gateway does not answer; the cursor
    then stays, so that nothing is skipped however long it is away.
    """
    code = gateway().code
    started_at = clock.now()
    row = db.session.get(EventCursor, code)
    oldest = started_at - reconciling.LISTABLE
    since = oldest if row is None else max(oldest, row.read_until - reconciling.OVERLAP)
    db.session.rollback()
    found = recall_notices(since)
    _move_cursor(code, started_at)
    return found


@use_case
def _move_cursor(code: str, read_until: datetime) -> None:
    insert_ignore(EventCursor, {"gateway": code, "read_until": read_until})
    db.session.execute(
        sa.update(EventCursor)
        .where(EventCursor.gateway == code, EventCursor.read_until < read_until)
        .values(read_until=read_until)
    )
