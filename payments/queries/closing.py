"""The figures of a business day (Beijing), from three sides: our books, the gateways, and the bank; and of the last days."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.kernel.access import Actor
from app.kernel.calendar import start_of_day
from app.kernel.db import db, get
from app.kernel.paging import Page, page_of
from payments import ledger
from payments.gateways import gateways
from payments.models.ledger import LedgerEntry, LedgerTransaction
from payments.models.payments import Payment
from payments.models.reconciliation import DayClose, GatewayMovement, ReconciliationRun
from payments.policy import books_parts_seen
from payments.queries.mismatches import unfinished_until
from payments.queries.statements import bank_balances, covered_days
from payments.states import DayState, Part

_LIKE_THEIRS = {"suspense": "charge", "unexplained": "other", "given_back": "refund"}
"""What a posting of ours is called at a gateway, where it is not known there."""


@dataclass(frozen=True)
class DayLine:
    """All movements of one kind at one gateway on a day: number and net sum by our books and by the gateway (fen)."""

    gateway: str
    kind: str
    ours_count: int
    ours_fen: int
    theirs_count: int
    theirs_fen: int
    gross_fen: int
    fee_fen: int

    @property
    def difference_fen(self) -> int:
        return self.ours_fen - self.theirs_fen

    @property
    def fits(self) -> bool:
        return self.difference_fen == 0 and self.ours_count == self.theirs_count


@dataclass(frozen=True)
class GatewayBalance:
    """Our balance at a gateway at the end of a day: by our books, and by what the gateway or the bank's statements told.

    `theirs_fen` is None where nobody has told it: no statement of the account covers the day, or it names no balance.
    """

    gateway: str
    ours_fen: int
    theirs_fen: int | None

    @property
    def fits(self) -> bool:
        return self.ours_fen == self.theirs_fen


@dataclass(frozen=True)
class DayFigures:
    """What a day's close is about; amounts in fen. `bank_in_fen` and `bank_out_fen` are what our books expect there."""

    lines: tuple[DayLine, ...]
    methods: tuple[tuple[str, int, int], ...]
    bank_in_fen: int
    bank_out_fen: int
    held_fen: int
    balances: tuple[GatewayBalance, ...] = ()

    @property
    def ours_fen(self) -> int:
        return sum(line.ours_fen for line in self.lines)

    @property
    def theirs_fen(self) -> int:
        return sum(line.theirs_fen for line in self.lines)

    @property
    def fits(self) -> bool:
        return all(line.fits for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """Plain values, to be stored with the signature."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "DayFigures":
        return cls(
            tuple(DayLine(**line) for line in stored["lines"]),
            tuple((str(method), int(count), int(fen)) for method, count, fen in stored["methods"]),
            stored["bank_in_fen"],
            stored["bank_out_fen"],
            stored["held_fen"],
            tuple(GatewayBalance(**one) for one in stored.get("balances", ())),
        )


def figures_of(day: date) -> DayFigures:
    """The figures of a day as they are now, in a fixed number of statements."""
    since, until = start_of_day(day), start_of_day(day + timedelta(days=1))
    theirs = {f"{row.gateway}:{row.ref}": row for row in _told(since, until)}
    bank_in, bank_out = _bank(since, until)
    return DayFigures(
        _lines(_booked(since, until), theirs),
        _methods(since, until),
        bank_in,
        bank_out,
        _held_until(until),
        _balances(day, until),
    )


def _balances(day: date, until: datetime) -> tuple[GatewayBalance, ...]:
    """What lies at each gateway at the end of a day. Four statements."""
    ours, theirs, at_banks = _ours_until(until), _theirs_until(until), bank_balances(day, until)
    found = []
    for one in gateways():
        told = theirs.get(one.code, 0) if one.caps.has_statement else at_banks.get(one.code)
        found.append(GatewayBalance(one.code, ours.get(ledger.at_gateway(one.code).code, 0), told))
    return tuple(sorted(found, key=lambda balance: balance.gateway))


def _ours_until(until: datetime) -> dict[str, int]:
    rows = db.session.execute(
        sa.select(LedgerEntry.account, sa.func.sum(LedgerEntry.amount_fen))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(
            LedgerTransaction.effective_at < until,
            LedgerEntry.account.in_([ledger.at_gateway(one.code).code for one in gateways()]),
        )
        .group_by(LedgerEntry.account)
    )
    return {account: int(fen) for account, fen in rows}


def _theirs_until(until: datetime) -> dict[str, int]:
    rows = db.session.execute(
        sa.select(GatewayMovement.gateway, sa.func.sum(GatewayMovement.gross_fen - GatewayMovement.fee_fen))
        .where(GatewayMovement.at < until, GatewayMovement.currency == ledger.CNY)
        .group_by(GatewayMovement.gateway)
    )
    return {code: int(fen) for code, fen in rows}


def bank_told(day: date) -> tuple[int, int] | None:
    """What came into and left our own bank accounts on a day by their statements; None unless they cover the day (fen)."""
    accounts = [code for code, place in ledger.BANK_ACCOUNTS.items() if place.startswith("bank:")]
    if not set(accounts) <= set(covered_days(day, day)):
        return None
    told = [row for row in _told(start_of_day(day), start_of_day(day + timedelta(days=1))) if row.gateway in accounts]
    return sum(max(row.gross_fen, 0) for row in told), sum(max(-row.gross_fen, 0) for row in told)


def _told(since: datetime, until: datetime) -> Sequence[GatewayMovement]:
    return db.session.scalars(
        sa.select(GatewayMovement).where(
            GatewayMovement.at >= since, GatewayMovement.at < until, GatewayMovement.currency == ledger.CNY
        )
    ).all()


def _booked(since: datetime, until: datetime) -> Sequence[Any]:
    return db.session.execute(
        sa.select(LedgerTransaction.key, LedgerTransaction.kind, sa.func.sum(LedgerEntry.amount_fen))
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.effective_at >= since,
            LedgerTransaction.effective_at < until,
            sa.or_(
                LedgerEntry.account.startswith("psp:"), LedgerEntry.account.in_(list(ledger.BANK_ACCOUNTS.values()))
            ),
            LedgerEntry.currency == ledger.CNY,
        )
        .group_by(LedgerTransaction.id, LedgerTransaction.key, LedgerTransaction.kind)
    ).all()


def _lines(booked: Sequence[Any], theirs: Mapping[str, GatewayMovement]) -> tuple[DayLine, ...]:
    sums: dict[tuple[str, str], list[int]] = {}

    def add(gateway: str, kind: str, *amounts: int) -> None:
        known = sums.setdefault((gateway, kind), [0] * 6)
        for place, amount in enumerate(amounts):
            known[place] += amount

    for key, kind, net in booked:
        movement = theirs.get(key)
        named = movement.kind if movement is not None else _LIKE_THEIRS.get(kind, kind)
        add(key.partition(":")[0], named, 1, int(net), 0, 0, 0, 0)
    for row in theirs.values():
        add(row.gateway, row.kind, 0, 0, 1, row.gross_fen - row.fee_fen, row.gross_fen, row.fee_fen)
    return tuple(DayLine(gateway, kind, *amounts) for (gateway, kind), amounts in sorted(sums.items()))


def _methods(since: datetime, until: datetime) -> tuple[tuple[str, int, int], ...]:
    """Payments that arrived on the day, by method: number and gross sum."""
    rows = db.session.execute(
        sa.select(sa.func.coalesce(Payment.method, ""), sa.func.count(), sa.func.sum(Payment.amount_fen))
        .where(Payment.succeeded_at >= since, Payment.succeeded_at < until)
        .group_by(sa.func.coalesce(Payment.method, ""))
        .order_by(sa.func.coalesce(Payment.method, ""))
    )
    return tuple((method, int(count), int(fen)) for method, count, fen in rows)


def _bank(since: datetime, until: datetime) -> tuple[int, int]:
    """What came into and went out of our bank accounts on the day, by our books."""
    fen = LedgerEntry.amount_fen
    row = db.session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((fen > 0, fen), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((fen < 0, -fen), else_=0)), 0),
        )
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(
            LedgerTransaction.effective_at >= since,
            LedgerTransaction.effective_at < until,
            LedgerEntry.account.startswith("bank:"),
        )
    ).one()
    return int(row[0]), int(row[1])


def _held_until(until: datetime) -> int:
    """Money of others that lay with us at the end of the day: held, owed and on its way."""
    families = ("escrow:", "payable:", "refund_pending:", "payout_pending:", "suspense:", "dispute_hold:",
                "courier_payable", "treasury_payable")  # fmt: skip
    total = db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount_fen), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(
            LedgerTransaction.effective_at < until,
            LedgerEntry.currency == ledger.CNY,
            sa.or_(*(LedgerEntry.account.startswith(family, autoescape=True) for family in families)),
        )
    )
    return -int(total or 0)


# --- the closes themselves --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DayView:
    """One business day. Once signed, `figures` are those that were signed; before, those of now."""

    id: UUID
    thread_id: UUID
    day: date
    state: str
    figures: DayFigures | None
    bank_in_fen: int | None
    bank_out_fen: int | None
    open_mismatches: int
    reason: str | None
    signed_by: UUID | None
    signed_by_name: str | None
    signed_at: datetime | None
    confirmed_by: UUID | None
    confirmed_by_name: str | None
    confirmed_at: datetime | None
    version: int
    compared_at: datetime | None = None
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return self.day.isoformat()

    @property
    def bank_fits(self) -> bool:
        return self.figures is not None and (self.bank_in_fen, self.bank_out_fen) == (
            self.figures.bank_in_fen,
            self.figures.bank_out_fen,
        )


def _view(row: DayClose) -> DayView:
    return DayView(
        row.id,
        row.thread_id,
        row.day,
        row.state,
        DayFigures.from_json(row.figures) if row.figures is not None else None,
        row.bank_in_fen,
        row.bank_out_fen,
        row.open_mismatches,
        row.reason,
        row.signed_by,
        row.signed_by_name,
        row.signed_at,
        row.confirmed_by,
        row.confirmed_by_name,
        row.confirmed_at,
        row.version,
    )


def compared_since(moment: datetime) -> datetime | None:
    """When the books were last compared with every gateway that tells its movements, if that was after `moment`."""
    rows = db.session.execute(
        sa.select(ReconciliationRun.gateway, sa.func.max(ReconciliationRun.checked_at))
        .where(ReconciliationRun.checked_at >= moment)
        .group_by(ReconciliationRun.gateway)
    )
    asked: dict[str, datetime] = {str(code): checked_at for code, checked_at in rows}
    times = [asked.get(one.code) for one in gateways() if one.caps.has_statement]
    return None if None in times else min(time for time in times if time is not None)


def day_page(actor: Actor, close_id: UUID) -> DayView:
    """A day with everything that its page shows; raises NotFound for everybody who has nothing to do with the books."""
    parts = books_parts_seen(actor)
    view = _view(get(DayClose, close_id))
    end = start_of_day(view.day + timedelta(days=1))
    view = replace(view, parts=parts, compared_at=compared_since(end))
    if view.state == DayState.OPEN:
        return replace(view, figures=figures_of(view.day), open_mismatches=unfinished_until(end))
    return view


def days_page(*, state: str | None = None, number: int = 1) -> Page[DayView]:
    """Days, newest first."""
    statement = sa.select(DayClose).order_by(DayClose.day.desc())
    if state:
        statement = statement.where(DayClose.state == state)
    page: Page[DayClose] = page_of(statement, number=number)
    return Page([_view(row) for row in page.items], page.number, page.size, page.total)


# --- the last days, for the plot --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DayFlow:
    """What came in, went back, was paid out on a day and was held at its end; what our books differ by (fen)."""

    day: date
    intake_fen: int
    refunds_fen: int
    payouts_fen: int
    held_fen: int
    difference_fen: int


def _day_of(column: Any) -> Any:
    """The Beijing day of an instant, as text, on both databases."""
    if db.engine.dialect.name == "postgresql":
        return sa.func.to_char(sa.func.timezone("Asia/Shanghai", column), "YYYY-MM-DD")
    return sa.func.date(column, "+8 hours")


def flows(last: date, days: int = 30) -> tuple[DayFlow, ...]:
    """The flows of the `days` days that end with `last`, oldest first, in a fixed number of statements.

    The difference is that to the gateways that tell their movements; a bank account's is told day by day.
    """
    first = last - timedelta(days=days - 1)
    since, until = start_of_day(first), start_of_day(last + timedelta(days=1))
    moved = _net_by_day(LedgerEntry.account.startswith("psp:"), since, until)
    at_bank = _net_by_day(LedgerEntry.account.in_(list(ledger.BANK_ACCOUNTS.values())), since, until)
    told = _told_by_day(since, until)
    held_by_day = _net_by_day(LedgerEntry.account.startswith("escrow:"), since, until)
    held = -_balance_until("escrow:", since)
    found = []
    for number in range(days):
        day = first + timedelta(days=number)
        key = day.isoformat()
        kinds, bank = moved.get(key, {}), at_bank.get(key, {})
        held -= sum(held_by_day.get(key, {}).values())
        found.append(
            DayFlow(
                day,
                intake_fen=_of_kinds((kinds, bank), "charge", "suspense"),
                refunds_fen=-_of_kinds((kinds, bank), "refund", "given_back"),
                payouts_fen=-_of_kinds((kinds, bank), "payout", "transfer"),
                held_fen=held,
                difference_fen=sum(kinds.values()) - told.get(key, 0),
            )
        )
    return tuple(found)


def _of_kinds(sums: Sequence[Mapping[str, int]], *beginnings: str) -> int:
    return sum(fen for kinds in sums for kind, fen in kinds.items() if kind.startswith(beginnings))


def _net_by_day(accounts: sa.ColumnElement[bool], since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    day = _day_of(LedgerTransaction.effective_at)
    rows = db.session.execute(
        sa.select(day, LedgerTransaction.kind, sa.func.sum(LedgerEntry.amount_fen))
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.effective_at >= since,
            LedgerTransaction.effective_at < until,
            accounts,
            LedgerEntry.currency == ledger.CNY,
        )
        .group_by(day, LedgerTransaction.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for key, kind, fen in rows:
        found.setdefault(str(key), {})[kind] = int(fen)
    return found


def _told_by_day(since: datetime, until: datetime) -> dict[str, int]:
    day = _day_of(GatewayMovement.at)
    rows = db.session.execute(
        sa.select(day, sa.func.sum(GatewayMovement.gross_fen - GatewayMovement.fee_fen))
        .where(
            GatewayMovement.at >= since,
            GatewayMovement.at < until,
            GatewayMovement.currency == ledger.CNY,
            GatewayMovement.gateway.in_([one.code for one in gateways() if one.caps.has_statement]),
        )
        .group_by(day)
    )
    return {str(key): int(fen) for key, fen in rows}


def _balance_until(family: str, until: datetime) -> int:
    total = db.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount_fen), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
        .where(LedgerTransaction.effective_at < until, LedgerEntry.account.startswith(family),
               LedgerEntry.currency == ledger.CNY)
    )  # fmt: skip
    return int(total or 0)
