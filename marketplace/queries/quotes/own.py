"""An agency's own side of the quoting: the open round, what it handed in and the receipts; never a price, which nobody here knows."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import audit
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.quotes import Quote, QuoteStep, SealedPlan, TenderKey
from marketplace.policy import sees_procurement
from marketplace.queries.candidates import agency_of
from marketplace.queries.quotes.rounds import QuotingWindow, current_key, number_of_quotes, quoting_window
from marketplace.rules.selection.methods import needs_plan, needs_quotes
from marketplace.rules.selection.terms import MethodTerms
from marketplace.states.registration import QUOTING


@dataclass(frozen=True)
class QuoteView:
    """One step of an agency's quoting with what its receipt says. `log` is the place in the public log, None until numbered."""

    id: UUID
    procurement_id: UUID
    thread_id: UUID
    title: str
    tender: str
    round: int
    bidder: str
    name: str
    number: int
    step: str
    commitment: str | None
    sealed_sha256: str | None
    sealed_in: str | None
    plan_sha256: str | None
    received_at: datetime
    deadline_at: datetime
    audit_event_id: UUID
    log: audit.Receipt | None
    is_last: bool = True

    def to_json(self) -> dict[str, Any]:
        """The receipt as a file: everything by which its holder proves what was handed in and when."""
        event = db.session.get(audit.AuditEvent, self.audit_event_id)
        logged = None
        if event is not None and event.body is not None and event.salt is not None:
            logged = {"salt": event.salt.hex(), "body": event.body.decode()}
        return {
            "protocol": "GMBID/1",
            "tender": self.tender,
            "round": self.round,
            "bidder": self.bidder,
            "name": self.name,
            "step": self.step,
            "number": self.number,
            "commitment": self.commitment,
            "sealed_sha256": self.sealed_sha256,
            "sealed_in": self.sealed_in,
            "plan_sha256": self.plan_sha256,
            "received_at": self.received_at.isoformat(),
            "deadline_at": self.deadline_at.isoformat(),
            "event": logged,
            "log": self.log
            and {
                "index": self.log.index,
                "leaf": self.log.leaf.hex(),
                "size": self.log.size,
                "unixtime": self.log.unixtime,
                "root": self.log.root.hex(),
                "key_id": self.log.key_id,
                "signature": self.log.signature.hex(),
                "path": [node.hex() for node in self.log.path],
            },
        }


@dataclass(frozen=True)
class QuotingView:
    """What the quote page of an agency needs. Amounts in fen; `key` is the tender's public key in hex."""

    procurement_id: UUID
    number: str
    title: str
    method: str
    window: QuotingWindow | None
    rounds: int
    tender: str | None
    key: str | None
    bidder: str
    name: str
    is_registered: bool
    ceiling_fen: int
    floor_fen: int | None
    needs_plan: bool
    quotes: int
    steps: tuple[QuoteView, ...]

    @property
    def standing(self) -> QuoteView | None:
        """The quote of the present round that counts now, if one stands."""
        last = next((step for step in self.steps if step.tender == self.tender), None)
        return last if last is not None and last.step == QuoteStep.QUOTE else None

    @property
    def is_open(self) -> bool:
        """Whether a quote would be taken now."""
        return self.window is not None and self.window.is_open and self.key is not None


def quoting_view(actor: Actor, procurement_id: UUID) -> QuotingView:
    """The quote page's facts for the actor's agency. Raises NotFound without an agency, or where no quotes are asked for."""
    procurement = db.session.get(Procurement, procurement_id)
    agency = agency_of(actor.organisation_id)
    if procurement is None or agency is None or not sees_procurement(actor, procurement):
        raise NotFound
    if not needs_quotes(procurement.method):
        raise NotFound
    key = current_key(procurement)
    registration = db.session.scalar(
        select(Registration).where(Registration.procurement_id == procurement.id, Registration.agency_id == agency.id)
    )
    terms = MethodTerms.from_json(procurement.method_terms)
    return QuotingView(
        procurement_id=procurement.id,
        number=procurement.number,
        title=procurement.title,
        method=procurement.method,
        window=quoting_window(procurement),
        rounds=terms.rounds,
        tender=key.code if key else None,
        key=key.public_key.hex() if key else None,
        bidder=agency.uscc,
        name=agency.name,
        is_registered=registration is not None and registration.state in QUOTING,
        ceiling_fen=procurement.budget_fen if procurement.ceiling_fen is None else procurement.ceiling_fen,
        floor_fen=terms.floor_fen,
        needs_plan=needs_plan(procurement.method),
        quotes=number_of_quotes(key.id) if key else 0,
        steps=_steps(procurement, registration) if registration else (),
    )


def own_quote(actor: Actor, quote_id: UUID) -> QuoteView:
    """One of the actor's agency's own quotes, for its receipt. Raises NotFound for everybody else, the operator too."""
    row = db.session.execute(
        select(Quote, Registration, Procurement)
        .join(Registration, Registration.id == Quote.registration_id)
        .join(Procurement, Procurement.id == Registration.procurement_id)
        .where(Quote.id == quote_id)
    ).one_or_none()
    if row is None or actor.organisation_id is None or row.Registration.organisation_id != actor.organisation_id:
        raise NotFound
    return next(step for step in _steps(row.Procurement, row.Registration) if step.id == quote_id)


def _steps(procurement: Procurement, registration: Registration) -> tuple[QuoteView, ...]:
    """Every step of one agency, newest first."""
    rows = db.session.execute(
        select(Quote, TenderKey.code, TenderKey.round, SealedPlan.sha256)
        .join(TenderKey, TenderKey.id == Quote.tender_key_id)
        .outerjoin(SealedPlan, SealedPlan.id == Quote.plan_id)
        .where(Quote.registration_id == registration.id)
        .order_by(TenderKey.made_at.desc(), TenderKey.round.desc(), Quote.number.desc())
    ).all()
    seen: set[UUID] = set()
    steps = []
    for quote, code, round_, plan in rows:
        steps.append(
            QuoteView(
                id=quote.id,
                procurement_id=procurement.id,
                thread_id=procurement.thread_id,
                title=procurement.title,
                tender=code,
                round=round_,
                bidder=registration.uscc,
                name=registration.name,
                number=quote.number,
                step=quote.step,
                commitment=quote.commitment,
                sealed_sha256=hashlib.sha256(quote.sealed).hexdigest() if quote.sealed else None,
                sealed_in=quote.sealed_in,
                plan_sha256=plan,
                received_at=quote.received_at,
                deadline_at=quote.deadline_at,
                audit_event_id=quote.audit_event_id,
                log=audit.receipt(quote.audit_event_id),
                is_last=quote.tender_key_id not in seen,
            )
        )
        seen.add(quote.tender_key_id)
    return tuple(steps)
