"""Writing down what does not fit: each difference is one row until it is gone or explained."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Role
from app.kernel.db import db, new_id
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments.models.reconciliation import Mismatch
from payments.reconciling import Difference
from payments.states import MISMATCH, MismatchKind, MismatchState, Part


def take_over(
    gateway: str, kinds: Collection[MismatchKind], found: Sequence[Difference], run_id: UUID | None = None
) -> int:
    """Make the open mismatches of these kinds equal to `found`, in the caller's transaction; return how many are new.

    What is gone is resolved; what is there again, or differs by other amounts than the explained ones, is opened again.
    """
    moment = clock.now()
    known = _known(gateway, kinds)
    new = []
    for difference in found:
        row = known.pop((difference.kind.value, difference.ref), None)
        if row is None:
            new.append(_write(gateway, difference, moment, run_id))
        elif _is_news(row, difference):
            _recur(row, difference)
            new.append(row)
    for row in known.values():
        if row.state == MismatchState.OPEN:
            move(row, MISMATCH, "resolve", SYSTEM, {Part.SYSTEM})
    if new:
        _tell(new)
    return len(new)


def _known(gateway: str, kinds: Collection[MismatchKind]) -> dict[tuple[str, str], Mismatch]:
    rows = db.session.scalars(
        sa.select(Mismatch)
        .where(Mismatch.gateway == gateway, Mismatch.kind.in_([kind.value for kind in kinds]))
        .order_by(Mismatch.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(row.kind, row.ref): row for row in rows}


def _write(gateway: str, found: Difference, moment: datetime, run_id: UUID | None) -> Mismatch:
    mismatch_id = new_id()
    row = Mismatch(
        id=mismatch_id,
        thread_id=mismatch_id,
        run_id=run_id,
        gateway=gateway,
        kind=found.kind.value,
        ref=found.ref,
        what=found.what[:300],
        ours_fen=found.ours_fen,
        theirs_fen=found.theirs_fen,
        currency=found.currency,
        moved_at=found.at,
        bill_id=found.bill_id,
        state=MismatchState.OPEN.value,
        found_at=moment,
    )
    db.session.add(row)
    record(row, "find", SYSTEM, title=N_("A difference was found"), detail=_facts(found))
    return row


def _facts(found: Difference) -> dict[str, object]:
    return {"kind": found.kind.value, "ref": found.ref, "ours_fen": found.ours_fen, "theirs_fen": found.theirs_fen}


def _is_news(row: Mismatch, found: Difference) -> bool:
    if row.state == MismatchState.RESOLVED:
        return True
    changed = (row.ours_fen, row.theirs_fen) != (found.ours_fen, found.theirs_fen)
    return row.state == MismatchState.CLOSED and changed


def _recur(row: Mismatch, found: Difference) -> None:
    row.ours_fen, row.theirs_fen = found.ours_fen, found.theirs_fen
    row.closed_by = row.closed_at = None
    move(row, MISMATCH, "recur", SYSTEM, {Part.SYSTEM}, detail=_facts(found))


def _tell(rows: Sequence[Mismatch]) -> None:
    first = rows[0]
    link = f"/books/mismatches/{first.id}" if len(rows) == 1 else "/books/mismatches"
    notify(
        to_role=Role.OPERATOR,
        kind="payment.mismatch",
        subject=N_("The books differ: %(count)s to be explained"),
        text=N_("Find out why, and close it with an explanation. The day cannot be closed without one."),
        link=link,
        params={"count": len(rows)},
    )
