"""The close of a business day: signed by one person, confirmed by another, on figures that nobody can change between."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.calendar import beijing_date, start_of_day
from app.kernel.commands import Plain
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments.models.ledger import LedgerTransaction
from payments.models.reconciliation import DayClose
from payments.policy import books_parts_seen
from payments.queries.closing import compared_since, figures_of
from payments.queries.mismatches import unfinished_until
from payments.states import DAY_CLOSE, DayState

OLDEST = 400
"""Days that are opened backwards at most, when the books are older than this feature."""
LATE_AFTER = timedelta(hours=36)
"""From the end of a day until its close is called late: noon of the day after the next."""


@dataclass(frozen=True)
class SignDay:
    """What the bank's statement of the day says (fen), and why something does not fit, where it does not."""

    bank_in: int
    bank_out: int
    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class ReopenDay:
    """Why a day is taken back."""

    reason: str
    version: int | None = None


def not_compared() -> Conflict:
    """Refuse to sign a day before the gateway was asked about all of it."""
    return Conflict(
        "day-not-compared", N_("The books were not yet compared with the provider since that day ended. Compare first.")
    )


@use_case
def open_days() -> int:
    """Make the sheet of every business day that has ended since the first posting; remind of those left open.

    Bears a repeat. Returns how many are new.
    """
    last = clock.today() - timedelta(days=1)
    known = set(db.session.scalars(sa.select(DayClose.day)))
    first_at = db.session.scalar(sa.select(sa.func.min(LedgerTransaction.effective_at)))
    if first_at is None:
        return 0
    first = max(beijing_date(first_at), last - timedelta(days=OLDEST))
    wanted = (first + timedelta(days=n) for n in range((last - first).days + 1))
    made = [_open(day) for day in wanted if day not in known]
    return len(made)


def _open(day: date) -> DayClose:
    close_id = new_id()
    row = DayClose(id=close_id, thread_id=close_id, day=day, state=DayState.OPEN.value, open_mismatches=0)
    db.session.add(row)
    record(row, "open", SYSTEM, title=N_("The day's sheet was opened"), detail={"day": day.isoformat()})
    return row


@use_case
def remind_of_days() -> int:
    """Tell the operators which days are still not closed long after their end; return how many."""
    before = beijing_date(clock.now() - LATE_AFTER)
    late = db.session.scalar(sa.select(sa.func.count()).where(DayClose.state != DayState.CLOSED, DayClose.day < before))
    if late:
        notify(
            to_role=Role.OPERATOR,
            kind="payment.day-late",
            subject=N_("Days not closed: %(count)s"),
            text=N_("Sign them, and have them confirmed by a second person."),
            link="/books/days?state=open",
            params={"count": late},
        )
    return late or 0


@use_case
def sign_day(actor: Actor, close_id: UUID, command: SignDay) -> None:
    """Sign the day's figures as they are now.

    Raises Conflict before the gateway was asked about the whole day, Refused for a day that is not over, and where
    something does not fit or is not explained and no reason is given.
    """
    row = lock(DayClose, close_id, seen=command.version)
    end = start_of_day(row.day + timedelta(days=1))
    if clock.now() < end:
        raise Refused("day-not-over", N_("This day is not over yet."))
    if compared_since(end) is None:
        raise not_compared()
    figures = figures_of(row.day)
    unexplained = unfinished_until(end)
    if unexplained and not command.reason:
        raise Refused("open-mismatches", N_("There are mismatches that nobody has explained. Say why the day is closed nevertheless."),
                      field="reason")  # fmt: skip
    bank_fits = (figures.bank_in_fen, figures.bank_out_fen) == (command.bank_in, command.bank_out)
    if not (bank_fits and figures.fits) and not command.reason:
        raise Refused("day-does-not-fit", N_("The three sides do not agree. Say why."), field="reason")
    row.figures = figures.to_json()
    row.bank_in_fen, row.bank_out_fen = command.bank_in, command.bank_out
    row.open_mismatches = unexplained
    row.reason = command.reason
    row.signed_by, row.signed_by_name, row.signed_at = actor.user_id, actor.name, clock.now()
    move(row, DAY_CLOSE, "sign", actor, books_parts_seen(actor), reason=command.reason,
         detail={"ours_fen": figures.ours_fen, "theirs_fen": figures.theirs_fen})  # fmt: skip
    notify(
        to_role=Role.OPERATOR,
        kind="payment.day-signed",
        subject=N_("The close of %(day)s waits for a second person"),
        text=N_("Read the figures and confirm them, or send them back."),
        link=f"/books/days/{row.id}",
        params={"day": row.day.isoformat()},
    )


@use_case
def confirm_day(actor: Actor, close_id: UUID, command: Plain) -> None:
    """Confirm a signed day as the second person.

    Raises Refused for the one who signed, Conflict when the books have changed since: it is sent back and signed anew.
    """
    row = lock(DayClose, close_id, seen=command.version)
    if row.signed_by is not None and row.signed_by == actor.user_id:
        raise Refused("same-person", N_("A day is confirmed by somebody other than the one who signed it."))
    if row.state == DayState.SIGNED and row.figures != _as_stored(figures_of(row.day).to_json()):
        raise Conflict("figures-changed", N_("The figures have changed since they were signed. Send the day back."))
    row.confirmed_by, row.confirmed_by_name, row.confirmed_at = actor.user_id, actor.name, clock.now()
    move(row, DAY_CLOSE, "confirm", actor, books_parts_seen(actor))


def _as_stored(figures: object) -> object:
    """As JSON gives it back: lists for tuples."""
    if isinstance(figures, dict):
        return {key: _as_stored(value) for key, value in figures.items()}
    return [_as_stored(value) for value in figures] if isinstance(figures, list | tuple) else figures


@use_case
def send_day_back(actor: Actor, close_id: UUID, command: ReopenDay) -> None:
    """Refuse a signed day, with a reason: it is to be signed again."""
    _take_back(actor, close_id, command, "send_back")


@use_case
def reopen_day(actor: Actor, close_id: UUID, command: ReopenDay) -> None:
    """Open a closed day again, with a reason; its signatures stay in the log."""
    _take_back(actor, close_id, command, "reopen")


def _take_back(actor: Actor, close_id: UUID, command: ReopenDay, action: str) -> None:
    row = lock(DayClose, close_id, seen=command.version)
    stood = {"signed_by": row.signed_by_name, "confirmed_by": row.confirmed_by_name, "figures": row.figures}
    row.confirmed_by = row.confirmed_by_name = row.confirmed_at = None
    row.signed_by = row.signed_by_name = row.signed_at = None
    row.figures = row.bank_in_fen = row.bank_out_fen = row.reason = None
    row.open_mismatches = 0
    move(row, DAY_CLOSE, action, actor, books_parts_seen(actor), reason=command.reason, detail=stood)
