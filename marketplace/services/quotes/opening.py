"""The opening: two holders give their shares after the deadline, then all quotes are read, checked and published at once."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import select

from app.identity.notices import notify
from app.kernel import clock, files
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, DomainError, NotAllowed, Refused
from app.kernel.inbox import insert_ignore
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.quotes import (
    HolderKey,
    OpeningReminder,
    Quote,
    QuoteOpening,
    QuoteResult,
    SealedPlan,
    ShareEntry,
    TenderKey,
    TenderShare,
)
from marketplace.policy import holder_of
from marketplace.queries.quotes import current_key, last_quotes, opening_due, round_ended_at
from marketplace.rules import opening_keys, sealed_quotes
from marketplace.rules.opening_keys import SHARES_NEEDED, Holder
from marketplace.rules.sealed_quotes import Bid, CannotOpen
from marketplace.rules.selection.methods import needs_plan
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services import selection, vault
from marketplace.services.procurements import facts_of, href, in_beijing, locked
from marketplace.services.quotes.commands import GiveShare
from marketplace.services.quotes.quoting import limit_of
from marketplace.services.selection.deciding import fail
from marketplace.states.procurement import FailureCode, ProcurementState
from marketplace.states.registration import ON_LIST

log = logging.getLogger(__name__)
NOT_LISTED = N_("The agency was not on the list at the deadline.")
REMINDERS = 3
"""Times that the holders are asked for their shares, spread over the time they have."""


@use_case
def give_share(actor: Actor, procurement_id: UUID, command: GiveShare) -> bool:
    """Give one holder's share of the ended round; True when it was the second one and all quotes are open now.

    Refused before the deadline by this server's clock and by the database's own. Raises NotAllowed for those who hold no share,
    Conflict when too early, given already or given by the same person, Refused for a code or share that does not fit.
    """
    procurement = locked(actor, procurement_id)
    holder = holder_of(actor, procurement)
    if holder is None or actor.user_id is None:
        raise NotAllowed
    key, deadline = _ended_round(procurement)
    entries = db.session.scalars(select(ShareEntry).where(ShareEntry.tender_key_id == key.id)).all()
    if any(entry.holder == holder for entry in entries):
        raise Conflict("share-given", N_("This holder's share was given already. Another holder gives the second one."))
    if any(entry.entered_by == actor.user_id for entry in entries):
        raise Conflict("same-person", N_("You gave one share already. A second person gives the other one."))
    share = _share_of(actor, key, holder, command)
    db.session.add(
        ShareEntry(
            tender_key_id=key.id,
            holder=holder,
            sealed=vault.lock_away(share, f"{key.code}|{holder}|given"),
            entered_by=actor.user_id,
            entered_by_name=actor.name,
            entered_at=clock.now(),
            deadline_at=deadline,
        )
    )
    db.session.flush()
    detail = {"tender": key.code, "holder": holder, "given": len(entries) + 1, "needed": SHARES_NEEDED}
    record(procurement, "share_given", actor, title=N_("Share of the key given"), detail=detail, public=True)
    if len(entries) + 1 < SHARES_NEEDED:
        return False
    earlier = tuple(vault.take_out(entry.sealed, f"{key.code}|{entry.holder}|given") for entry in entries)
    _open_all(procurement, key, deadline, opening_keys.join(key.public_key, (*earlier, share)))
    return True


def _ended_round(procurement: Procurement) -> tuple[TenderKey, datetime]:
    key = current_key(procurement)
    deadline = round_ended_at(procurement)
    if key is None or procurement.state != ProcurementState.OPENING or deadline is None:
        raise Conflict("opening-not-due", N_("These quotes do not wait for their opening."))
    if not (clock.now() > deadline and _database_moment() > deadline):
        raise Conflict("opening-too-early", N_("No share is taken before the deadline of the quotes."))
    return key, deadline


def _database_moment() -> datetime:
    """The database's own clock, so that a web server whose clock runs ahead opens nothing early; moved like ours in a rehearsal."""
    if db.engine.dialect.name != "postgresql":
        return clock.now()  # SQLite has no clock but this machine's
    moved_by = clock.now() - clock.real_time()
    moment: datetime = db.session.scalars(select(sa.func.clock_timestamp())).one()
    return moment.astimezone(UTC) + moved_by


def _share_of(actor: Actor, key: TenderKey, holder: Holder, command: GiveShare) -> bytes:
    """The holder's share: taken from the vault, as the browser sent it, or opened here with the code. Raises Refused."""
    rows = db.session.execute(
        select(TenderShare, HolderKey.organisation_id)
        .outerjoin(HolderKey, HolderKey.id == TenderShare.holder_key_id)
        .where(TenderShare.tender_key_id == key.id, TenderShare.holder == holder)
    ).all()
    if holder is Holder.PLATFORM:
        share = vault.take_out(rows[0].TenderShare.sealed, f"{key.code}|{holder}")
    elif command.share is not None:
        share = command.share
    else:
        mine = [row.TenderShare for row in rows if row.organisation_id == actor.organisation_id]
        share = _opened_with(command.code or "", key, holder, mine)
    if opening_keys.share_digest(key.code, holder, share) not in {row.TenderShare.digest for row in rows}:
        raise Refused("wrong-share", N_("This is not the share of this tender."), field="code")
    return share


def _opened_with(code: str, key: TenderKey, holder: Holder, shares: Sequence[TenderShare]) -> bytes:
    for row in shares:
        try:
            return opening_keys.unseal_share(code, key.code, holder, row.sealed)
        except opening_keys.BadCode as failure:
            raise Refused("bad-code", N_("The opening code has a slip. It has 28 signs."), field="code") from failure
        except opening_keys.WrongShare:
            continue
    raise Refused(
        "wrong-code",
        N_("This code does not open the share. Use the code that was in force at publication."),
        field="code",
    )


# --- reading and publishing all quotes --------------------------------------------------------------------------


def _open_all(procurement: Procurement, key: TenderKey, deadline: datetime, private_key: bytes) -> None:
    """Read every last quote, keep each with its verdict, publish, and let the selection go on. One transaction, once."""
    rows = last_quotes(key.id)
    results = [_result(procurement, key, quote, registration, private_key) for quote, registration in rows]
    valid = sum(result.invalid_because is None for result in results)
    detail = {
        "tender": key.code,
        "round": key.round,
        "quotes": len(results),
        "valid": valid,
        "prices": {
            registration.uscc: result.price_fen for result, (_, registration) in zip(results, rows, strict=True)
        },
    }
    logged = record(procurement, "quotes_opened", SYSTEM, title=N_("All quotes opened"), detail=detail, public=True)
    db.session.flush()
    opening = QuoteOpening(
        tender_key_id=key.id,
        quotes=len(results),
        valid=valid,
        opened_at=clock.now(),
        deadline_at=deadline,
        audit_event_id=logged.id,
    )
    db.session.add(opening)
    db.session.flush()
    db.session.add_all(results)
    db.session.flush()
    selection.advance(procurement)


def _result(
    procurement: Procurement, key: TenderKey, quote: Quote, registration: Registration, private_key: bytes
) -> QuoteResult:
    result = QuoteResult(quote_id=quote.id, tender_key_id=key.id)
    assert quote.sealed is not None
    assert quote.commitment is not None
    try:
        bid = sealed_quotes.unseal(private_key, key.code, registration.uscc, quote.sealed)
    except CannotOpen:
        result.invalid_because = sealed_quotes.UNREADABLE
        return result
    result.price_fen, result.nonce = bid.price_fen, bid.nonce
    if registration.state not in ON_LIST:
        result.invalid_because = NOT_LISTED
        return result
    result.invalid_because = sealed_quotes.why_invalid(
        bid,
        quote.commitment,
        key.code,
        registration.uscc,
        ceiling_fen=limit_of(procurement),
        floor_fen=MethodTerms.from_json(procurement.method_terms).floor_fen,
    )
    if needs_plan(procurement.method):
        result.plan_file_id, why = _plan(quote, bid)
        result.invalid_because = result.invalid_because or why
    return result


def _plan(quote: Quote, bid: Bid) -> tuple[UUID | None, str | None]:
    """The plan that came with a quote as a stored file, or why there is none."""
    row = db.session.get(SealedPlan, quote.plan_id) if quote.plan_id else None
    if row is None:
        return None, sealed_quotes.PLAN_MISSING
    try:
        name, content = sealed_quotes.unseal_plan(row.content, bid.plan_key)
        return files.keep(files.Upload(name, content)).id, None
    except (CannotOpen, DomainError):
        return None, sealed_quotes.PLAN_UNREADABLE


# --- a share that does not come ---------------------------------------------------------------------------------


@use_case
def remind_holders(procurement_id: UUID) -> bool:
    """Ask the holders for their shares: at once, and again twice while none or one has come. False when nothing is due."""
    procurement = lock(Procurement, procurement_id)
    due, ended, key = opening_due(procurement), round_ended_at(procurement), current_key(procurement)
    if due is None or ended is None or key is None or clock.now() > due:
        return False
    number = int((clock.now() - ended) / ((due - ended) / REMINDERS)) + 1
    values = {"tender_key_id": key.id, "number": min(max(number, 1), REMINDERS), "sent_at": clock.now()}
    if not insert_ignore(OpeningReminder, values):
        return False
    given = set(db.session.scalars(select(ShareEntry.holder).where(ShareEntry.tender_key_id == key.id)))
    subject = N_("Open the quotes: %(title)s")
    text = N_("The quotes of %(number)s wait for two shares of the key, until %(until)s. Give yours now.")
    params = {**facts_of(procurement), "until": in_beijing(due)}
    addressees: dict[Holder, dict[str, object]] = {
        Holder.OWNER: {"to_organisation": procurement.owner_organisation_id},
        Holder.SUPERVISION: {"to_role": "regulator"},
        Holder.PLATFORM: {"to_role": "operator"},
    }
    for holder, to in addressees.items():
        if holder not in given:
            notify(
                **to,  # type: ignore[arg-type]  # one of the two addressees of the table above
                kind="procurement.opening",
                subject=subject,
                text=text,
                link=f"{href(procurement.id)}/opening",
                thread_id=procurement.thread_id,
                params=params,
            )
    return True


@use_case
def overdue_opening(procurement_id: UUID) -> bool:
    """Let a selection fail whose quotes nobody opened in time. They stay sealed for ever; False when not due."""
    procurement = lock(Procurement, procurement_id)
    due = opening_due(procurement)
    if due is None or clock.now() <= due:
        return False
    fail(procurement, FailureCode.QUOTES_NOT_OPENED, 0)
    return True
