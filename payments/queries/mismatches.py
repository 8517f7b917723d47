"""Reads of comparisons with the gateways, and of what did not fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.paging import Page, page_of
from payments.gateways import gateway
from payments.models.reconciliation import Mismatch, ReconciliationRun
from payments.policy import books_parts_seen
from payments.states import UNFINISHED_MISMATCH, MismatchKind, Part


@dataclass(frozen=True)
class CheckView:
    """One comparison of the books with a gateway; amounts in fen."""

    id: UUID
    gateway: str
    checked_at: datetime
    movements: int
    ours_fen: int
    theirs_fen: int
    net_fen: int
    missing_here: int
    missing_there: int
    amounts: int
    currencies: int
    unbalanced: int
    wrong_side: int

    @property
    def found(self) -> int:
        return (
            self.missing_here + self.missing_there + self.amounts + self.currencies + self.unbalanced + self.wrong_side
        )

    @property
    def is_clean(self) -> bool:
        return self.found == 0 and self.ours_fen == self.theirs_fen


def _check_view(row: ReconciliationRun) -> CheckView:
    return CheckView(
        row.id,
        row.gateway,
        row.checked_at,
        row.movements,
        row.ours_fen,
        row.theirs_fen,
        row.net_fen,
        row.missing_here,
        row.missing_there,
        row.amounts,
        row.currencies,
        row.unbalanced,
        row.wrong_side,
    )


def last_check() -> CheckView | None:
    """The last comparison with the main gateway, if there was one."""
    found = last_checks()
    return next((one for one in found if one.gateway == gateway().code), None)


def last_checks() -> tuple[CheckView, ...]:
    """The last comparison with each gateway, the main one first. One statement."""
    newest = sa.func.row_number().over(
        partition_by=ReconciliationRun.gateway,
        order_by=(ReconciliationRun.checked_at.desc(), ReconciliationRun.id.desc()),
    )
    ranked = sa.select(ReconciliationRun.id, newest.label("place")).subquery()
    rows = db.session.scalars(
        sa.select(ReconciliationRun).join(ranked, ranked.c.id == ReconciliationRun.id).where(ranked.c.place == 1)
    )
    main = gateway().code
    return tuple(sorted((_check_view(row) for row in rows), key=lambda one: (one.gateway != main, one.gateway)))


def checks_page(number: int = 1) -> Page[CheckView]:
    """All comparisons, newest first."""
    order = (ReconciliationRun.checked_at.desc(), ReconciliationRun.id)
    page: Page[ReconciliationRun] = page_of(sa.select(ReconciliationRun).order_by(*order), number=number)
    return Page([_check_view(row) for row in page.items], page.number, page.size, page.total)


@dataclass(frozen=True)
class MismatchView:
    """Something that stands differently here and there; amounts in fen, None where a side has nothing."""

    id: UUID
    thread_id: UUID
    gateway: str
    kind: str
    ref: str
    what: str
    ours_fen: int | None
    theirs_fen: int | None
    currency: str
    moved_at: datetime | None
    bill_id: UUID | None
    state: str
    note: str | None
    found_at: datetime
    booked_by: UUID | None
    booked_by_name: str
    closed_by: UUID | None
    closed_by_name: str
    closed_at: datetime | None
    version: int
    parts: frozenset[Part] = frozenset()

    @property
    def title(self) -> str:
        return self.ref

    @property
    def difference_fen(self) -> int:
        return (self.ours_fen or 0) - (self.theirs_fen or 0)

    @property
    def is_open(self) -> bool:
        return self.state in UNFINISHED_MISMATCH


def _views(rows: Sequence[Mismatch]) -> list[MismatchView]:
    people = identity.persons_by_ids({i for row in rows for i in (row.booked_by, row.closed_by) if i is not None})

    def name(user_id: UUID | None) -> str:
        return people[user_id].name if user_id in people else ""

    return [
        MismatchView(
            row.id,
            row.thread_id,
            row.gateway,
            row.kind,
            row.ref,
            row.what,
            row.ours_fen,
            row.theirs_fen,
            row.currency,
            row.moved_at,
            row.bill_id,
            row.state,
            row.note,
            row.found_at,
            row.booked_by,
            name(row.booked_by),
            row.closed_by,
            name(row.closed_by),
            row.closed_at,
            row.version,
        )
        for row in rows
    ]


def mismatch_page(actor: Actor, mismatch_id: UUID) -> MismatchView:
    """One mismatch with the actor's parts; raises NotFound for everybody who has nothing to do with the books."""
    parts = books_parts_seen(actor)
    (view,) = _views([get(Mismatch, mismatch_id)])
    return replace(view, parts=parts)


def _wanted(kind: str | None, state: str | None) -> sa.Select[Mismatch]:
    statement = sa.select(Mismatch).order_by(Mismatch.found_at.desc(), Mismatch.id)
    if kind:
        statement = statement.where(Mismatch.kind == kind)
    if state == "unfinished":
        return statement.where(Mismatch.state.in_(UNFINISHED_MISMATCH))
    return statement.where(Mismatch.state == state) if state else statement


def mismatches_page(*, kind: str | None = None, state: str | None = None, number: int = 1) -> Page[MismatchView]:
    """Mismatches by kind and state ("unfinished" for all that still need somebody), newest first."""
    page: Page[Mismatch] = page_of(_wanted(kind, state), number=number)
    return Page(_views(page.items), page.number, page.size, page.total)


def all_mismatches(*, kind: str | None = None, state: str | None = None, most: int = 10_000) -> Iterable[MismatchView]:
    """The same for a download."""
    return _views(db.session.scalars(_wanted(kind, state).limit(most)).all())


def unfinished_by_kind() -> dict[MismatchKind, int]:
    """How many mismatches of each kind still need somebody."""
    rows = db.session.execute(
        sa.select(Mismatch.kind, sa.func.count()).where(Mismatch.state.in_(UNFINISHED_MISMATCH)).group_by(Mismatch.kind)
    )
    found = {kind: int(count) for kind, count in rows}
    return {kind: found.get(kind.value, 0) for kind in MismatchKind}


def unfinished_until(moment: datetime) -> int:
    """How many mismatches about money that moved before `moment` still need somebody."""
    when = sa.func.coalesce(Mismatch.moved_at, Mismatch.found_at)
    statement = sa.select(sa.func.count()).where(Mismatch.state.in_(UNFINISHED_MISMATCH), when < moment)
    return db.session.scalar(statement) or 0
