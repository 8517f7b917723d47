"""What people do about a mismatch: ask again, book it, explain it, open it again."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.db import db, get, lock, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.transitions import move
from app.kernel.words import N_
from payments import ledger
from payments.models.ledger import LedgerTransaction
from payments.models.reconciliation import GatewayMovement, Mismatch
from payments.observed import Movement
from payments.policy import books_parts_seen
from payments.ports import GatewayError
from payments.services.books import post
from payments.services.payments import GatewayUnreachable, sync_payment
from payments.services.reconciliation.runs import check_books, recall_missed
from payments.services.reconciliation.stuck import watch_stuck
from payments.services.refunds import sync_refund
from payments.states import MISMATCH, MismatchKind


@dataclass(frozen=True)
class Explain:
    """Why a mismatch stands as it does, and the version of it that the page showed."""

    reason: str
    version: int | None = None


def same_person_booked() -> Refused:
    """Refuse to check one's own booking."""
    return Refused("same-person", N_("A mismatch is closed by somebody other than the one who booked it."))


@use_case
def book_mismatch(actor: Actor, mismatch_id: UUID, command: Explain) -> None:
    """Write a movement that we do not know into the books as unexplained money; somebody else checks and closes.

    Raises Conflict for anything but a movement that is missing here.
    """
    row = lock(Mismatch, mismatch_id, seen=command.version)
    movement = db.session.scalar(
        sa.select(GatewayMovement).where(GatewayMovement.gateway == row.gateway, GatewayMovement.ref == row.ref)
    )
    if row.kind != MismatchKind.MISSING_HERE or movement is None:
        raise Conflict("not-bookable", N_("Only a movement that is missing in our books can be booked."))
    row.booked_by = actor.user_id
    row.note = command.reason
    move(row, MISMATCH, "book", actor, books_parts_seen(actor), reason=command.reason)
    moved = Movement(movement.ref, "other", movement.gross_fen, movement.fee_fen, movement.currency, movement.at,
                     movement.object_ref)  # fmt: skip
    memo = f"{movement.kind} {movement.object_ref}: {command.reason}"
    posting = ledger.unexplained(row.gateway, moved, memo)
    post(posting, subject=f"mismatch:{row.id}", posted_by=actor.user_id)


@use_case
def close_mismatch(actor: Actor, mismatch_id: UUID, command: Explain) -> None:
    """Close a mismatch with its explanation. Raises Refused for the person who booked what it is about."""
    row = lock(Mismatch, mismatch_id, seen=command.version)
    if actor.user_id is not None and actor.user_id in (row.booked_by, _posted_by(row)):
        raise same_person_booked()
    row.note = command.reason
    row.closed_by = actor.user_id
    row.closed_at = clock.now()
    move(row, MISMATCH, "close", actor, books_parts_seen(actor), reason=command.reason)


def _posted_by(row: Mismatch) -> UUID | None:
    return db.session.scalar(
        sa.select(LedgerTransaction.posted_by).where(LedgerTransaction.key == f"{row.gateway}:{row.ref}")
    )


@use_case
def reopen_mismatch(actor: Actor, mismatch_id: UUID, command: Explain) -> None:
    """Open a closed mismatch again, with a reason."""
    row = lock(Mismatch, mismatch_id, seen=command.version)
    row.closed_by = row.closed_at = None
    move(row, MISMATCH, "reopen", actor, books_parts_seen(actor), reason=command.reason)


def ask_again(actor: Actor, mismatch_id: UUID) -> None:
    """Ask the gateway about this mismatch now and compare again. Raises GatewayUnreachable when it does not answer.

    Calls outside with no transaction open.
    """
    row = get(Mismatch, mismatch_id)
    kind, ref = MismatchKind(row.kind), row.ref
    books_parts_seen(actor)
    db.session.rollback()
    try:
        if kind is MismatchKind.STUCK:
            _push(ref)
            watch_stuck()
        else:
            recall_missed()
            check_books(actor)
    except GatewayError as failure:
        raise GatewayUnreachable from failure


def _push(ref: str) -> None:
    family, _, name = ref.partition(":")
    if family == "payment":
        sync_payment(UUID(name))
    elif family == "refund":
        sync_refund(UUID(name))
    elif family == "task":
        outbox.revive(UUID(name))
