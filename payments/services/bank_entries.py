"""Making a line of a bank statement an entry of ours: what every kind of line has in common."""

from uuid import UUID

import sqlalchemy as sa

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, new_id
from app.kernel.errors import NotAllowed, Refused
from app.kernel.numbering import next_number
from app.kernel.transitions import record
from app.kernel.words import N_
from payments.errors import entered_twice
from payments.models.bank import BankEntry
from payments.models.bills import WATCHERS
from payments.policy import Permission
from payments.states import BankEntryState, Part


def check_clerk(actor: Actor) -> None:
    """Raises NotAllowed for everybody who does not read the bank's statements."""
    if not actor.may(Permission.BANK_ENTER):
        raise NotAllowed


def clerk_parts(actor: Actor) -> frozenset[Part]:
    """What the actor is towards entries, statements and unmatched money."""
    return frozenset({Part.OPERATOR}) if actor.may(Permission.BANK_ENTER) else frozenset()


def make_entry(actor: Actor, entry: BankEntry, *, tell: bool = True) -> UUID:
    """Write an entry down, in the caller's transaction; somebody else confirms it.

    Raises Refused for a movement of the future, Conflict for one that was entered before.
    """
    if entry.moved_at > clock.now():
        raise Refused("bank-date", N_("The movement cannot lie in the future."), field="moved_at")
    known = sa.select(BankEntry.id).where(
        BankEntry.gateway == entry.gateway,
        BankEntry.bank_ref == entry.bank_ref,
        BankEntry.state != BankEntryState.REJECTED,
    )
    if db.session.scalar(known) is not None:
        raise entered_twice()
    assert actor.user_id is not None, "a clerk is signed in"
    entry.id = new_id()
    entry.number = next_number("YH")
    entry.entered_by, entry.entered_at = actor.user_id, clock.now()
    entry.readers = list(WATCHERS)
    db.session.add(entry)
    db.session.flush()  # the same movement entered at the same moment is refused here, by the partial unique index
    record(entry, "enter", actor, title=N_("Bank entry made"), detail={"amount_fen": entry.amount_fen})
    if tell:
        notify(to_role=Role.OPERATOR, kind="payment.bank-entry", subject=N_("A bank entry waits for confirmation: %(number)s"),
               text=N_("Compare it with the bank statement. Whoever entered it cannot confirm it."),
               link=f"/bank-entries/{entry.id}", thread_id=entry.thread_id, params={"number": entry.number})  # fmt: skip
    return entry.id
