"""Handing in, replacing and withdrawing a sealed quote: in time by the server's clock, bound by its commitment, never readable."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, files
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.quotes import Quote, QuoteStep, SealedIn, SealedPlan, TenderKey
from marketplace.policy import sees_procurement
from marketplace.queries.candidates import agency_of
from marketplace.queries.quotes import QuotingWindow, current_key, quoting_window
from marketplace.rules import sealed_quotes
from marketplace.rules.selection.methods import needs_plan
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services import registrations
from marketplace.services.commands import Register
from marketplace.services.quotes.commands import HandIn, PlainQuote
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import QUOTING

MAX_SEALED_PLAN = files.MAX_BYTES + 1024


@dataclass(frozen=True)
class _OpenRound:
    """A round that takes quotes at `moment`, held against its closing, with the agency's locked registration in it."""

    procurement: Procurement
    registration: Registration
    key: TenderKey
    window: QuotingWindow
    moment: datetime


@use_case
def hand_in(actor: Actor, procurement_id: UUID, command: HandIn) -> UUID:
    """Keep a sealed quote for the round that is open; an earlier one is replaced. Returns the quote.

    An agency that is not registered yet is registered along with its first quote. The instant is taken while the procurement is
    locked against its closing, so every quote is either in time and counted, or refused. A repeated sending of the same quote
    is one quote. Raises Conflict when late or repeated from elsewhere, Refused for what is not a sealed quote.
    """
    _refuse_malformed(command)
    if not actor.has(Role.AGENCY):
        raise NotAllowed
    _register_first(actor, procurement_id, command)
    round_ = _open_round(actor, procurement_id)
    key = round_.key
    if needs_plan(round_.procurement.method) != (command.plan is not None):
        raise Refused("plan-missing", N_("This method asks for a response plan with the quote."), field="plan")
    last = _last(round_)
    if last is not None and last.commitment == command.commitment:
        return last.id
    if db.session.scalar(select(Quote.id).where(Quote.tender_key_id == key.id, Quote.commitment == command.commitment)):
        raise Conflict("quote-repeated", N_("This sealed quote was handed in before. Seal your quote anew."))
    plan = _keep_plan(command.plan)
    facts: dict[str, object] = {
        "tender": key.code,
        "round": key.round,
        "bidder": round_.registration.uscc,
        "commitment": command.commitment,
        "sealed_sha256": hashlib.sha256(command.sealed).hexdigest(),
        "plan_sha256": plan.sha256 if plan else None,
        "sealed_in": command.sealed_in,
    }
    title = N_("Sealed quote handed in") if last is None else N_("Sealed quote replaced")
    return _write(
        actor,
        round_,
        last,
        QuoteStep.QUOTE,
        title,
        facts,
        commitment=command.commitment,
        sealed=command.sealed,
        sealed_in=command.sealed_in,
        plan_id=plan.id if plan else None,
    )


@use_case
def withdraw_quote(actor: Actor, procurement_id: UUID, command: Plain) -> UUID:  # noqa: ARG001 - the last quote counts
    """Take the quote of the open round back; the registration stays. Raises Conflict when there is none, or when late."""
    round_ = _open_round(actor, procurement_id)
    last = _last(round_)
    if last is None or last.step == QuoteStep.WITHDRAWAL:
        raise Conflict("no-quote", N_("There is no quote of yours to withdraw."))
    facts: dict[str, object] = {
        "tender": round_.key.code,
        "round": round_.key.round,
        "bidder": round_.registration.uscc,
        "withdrawn": last.commitment,
    }
    return _write(actor, round_, last, QuoteStep.WITHDRAWAL, N_("Sealed quote withdrawn"), facts)


def seal_for_agency(actor: Actor, procurement_id: UUID, command: PlainQuote) -> tuple[HandIn, str]:
    """Seal a price here because the browser cannot; (what to hand in, the nonce for the agency to keep).

    The weaker way, and labelled so on the receipt: the price passes through this process's memory and is written nowhere.
    Raises Refused for a price that could not count, so that the slip is found while it can be mended.
    """
    procurement = db.session.get(Procurement, procurement_id)
    agency = agency_of(actor.organisation_id)
    if procurement is None or not sees_procurement(actor, procurement) or agency is None:
        raise NotFound
    key = current_key(procurement)
    if key is None:
        raise Conflict("quotes-not-open", N_("No quotes are taken here now."))
    refuse_price(procurement, command.price_fen)
    plan, plan_key = None, sealed_quotes.NO_PLAN
    if command.plan is not None:
        files.check(command.plan)
        plan, plan_key = sealed_quotes.seal_plan(command.plan.name, command.plan.content)
    price, nonce = sealed_quotes.price_of(command.price_fen), sealed_quotes.new_nonce()
    bid = sealed_quotes.Bid(price, nonce, plan_key)
    sent = HandIn(
        commitment=sealed_quotes.commitment(key.code, agency.uscc, price, nonce),
        sealed=sealed_quotes.seal(key.public_key, key.code, agency.uscc, bid),
        plan=plan,
        sealed_in=SealedIn.SERVER,
        contribution=command.contribution,
    )
    return sent, nonce


def refuse_price(procurement: Procurement, price_fen: int) -> None:
    """Refuse a price that the opening would declare invalid. Nothing of it is kept or logged."""
    floor = MethodTerms.from_json(procurement.method_terms).floor_fen
    if price_fen <= 0:
        raise Refused("quote-not-positive", sealed_quotes.NOT_POSITIVE, field="price")
    if price_fen > limit_of(procurement):
        raise Refused("quote-above-ceiling", sealed_quotes.ABOVE_CEILING, field="price")
    if floor is not None and price_fen < floor:
        raise Refused("quote-below-floor", sealed_quotes.BELOW_FLOOR, field="price")


def limit_of(procurement: Procurement) -> int:
    """The highest price that counts, in fen: the ceiling, or the budget where none was set."""
    return procurement.budget_fen if procurement.ceiling_fen is None else procurement.ceiling_fen


def _refuse_malformed(command: HandIn) -> None:
    if not sealed_quotes.is_commitment(command.commitment):
        raise Refused("bad-commitment", N_("The commitment is 64 hex digits in lower case."), field="commitment")
    if len(command.sealed) != sealed_quotes.SEALED_BYTES:
        raise Refused("bad-sealed-quote", N_("This is not a sealed quote."), field="sealed")
    if command.plan is not None and not sealed_quotes.PLAN_NONCE_BYTES < len(command.plan) <= MAX_SEALED_PLAN:
        raise files.TooLarge


def _register_first(actor: Actor, procurement_id: UUID, command: HandIn) -> None:
    """Register the agency when the first round is open and it takes no part yet."""
    state = db.session.execute(
        select(Procurement.state, Registration.state)
        .outerjoin(
            Registration,
            (Registration.procurement_id == Procurement.id) & (Registration.organisation_id == actor.organisation_id),
        )
        .where(Procurement.id == procurement_id)
    ).one_or_none()
    if state is not None and state[0] == ProcurementState.PUBLISHED and state[1] not in QUOTING:
        registrations.register(actor, procurement_id, Register(command.contribution))


def _open_round(actor: Actor, procurement_id: UUID) -> _OpenRound:
    """The open round, held against its closing but shared among the quoting agencies. Raises NotFound, Conflict."""
    held = select(Procurement).where(Procurement.id == procurement_id).with_for_update(read=True)
    procurement = db.session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    if procurement is None or not sees_procurement(actor, procurement):
        raise NotFound
    window = quoting_window(procurement)
    key = current_key(procurement) if window else None
    if window is None or key is None:
        raise Conflict("quotes-not-open", N_("No quotes are taken here now."))
    found = db.session.scalar(
        select(Registration.id).where(
            Registration.procurement_id == procurement_id, Registration.organisation_id == actor.organisation_id
        )
    )
    if found is None or not actor.has(Role.AGENCY):
        raise NotFound
    registration = lock(Registration, found)
    if registration.state not in QUOTING:
        raise Conflict("takes-no-part", N_("Your agency takes no part in this selection."))
    moment = clock.now()
    _refuse_late(window, moment)
    return _OpenRound(procurement, registration, key, window, moment)


def _refuse_late(window: QuotingWindow, moment: datetime) -> None:
    if moment < window.opens_at:
        raise Conflict("round-not-open", N_("This round has not begun."))
    if moment > window.ends_at:
        raise Conflict(
            "quotes-ended",
            N_("Quotes were taken until %(until)s (Beijing time). A late quote cannot be accepted."),
            params={"until": window.ends_at.astimezone(clock.BEIJING).strftime("%Y-%m-%d %H:%M:%S")},
        )


def _last(round_: _OpenRound) -> Quote | None:
    return db.session.scalar(
        select(Quote)
        .where(Quote.tender_key_id == round_.key.id, Quote.registration_id == round_.registration.id)
        .order_by(Quote.number.desc())
        .limit(1)
    )


def _keep_plan(content: bytes | None) -> SealedPlan | None:
    if content is None:
        return None
    row = SealedPlan(
        id=new_id(),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content=content,
        received_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    return row


def _write(
    actor: Actor,
    round_: _OpenRound,
    last: Quote | None,
    step: QuoteStep,
    title: str,
    facts: dict[str, object],
    **sealed: object,
) -> UUID:
    logged = record(round_.registration, f"quote_{step}", actor, title=title, detail=facts)
    db.session.flush()
    row = Quote(
        id=new_id(),
        tender_key_id=round_.key.id,
        registration_id=round_.registration.id,
        step=step,
        number=last.number + 1 if last else 1,
        received_at=round_.moment,
        deadline_at=round_.window.ends_at,
        received_by=actor.user_id,
        audit_event_id=logged.id,
        **sealed,
    )
    db.session.add(row)
    db.session.flush()
    return row.id
