"""The rounds of a tender: which takes quotes, which waits for its opening, how many agencies quoted, what was opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.kernel import clock, work_calendar
from app.kernel.db import db
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.quotes import HolderKey, Quote, QuoteResult, QuoteStep, TenderKey
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.opening_keys import Holder
from marketplace.rules.selection.quotes import OpenedQuote
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import RegistrationState

_P = ProcurementState
_STANDS = (Registration.state != RegistrationState.WITHDRAWN, Quote.received_at >= Registration.registered_at)
"""A quote goes with its registration; who registers again quotes again."""


@dataclass(frozen=True, slots=True)
class QuotingWindow:
    """A round in which quotes are taken: from `opens_at` up to and including `ends_at`."""

    round: int
    opens_at: datetime
    ends_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether a quote would be taken now."""
        return self.opens_at <= clock.now() <= self.ends_at


def quoting_window(procurement: Procurement) -> QuotingWindow | None:
    """The round that takes quotes in the present state: the first with the registration, later ones while bidding."""
    p = procurement
    if p.state == _P.PUBLISHED and p.published_at is not None and p.registration_ends_at is not None:
        return QuotingWindow(1, p.published_at, p.registration_ends_at)
    if p.state == _P.BIDDING and p.quotes_open_at is not None and p.quotes_end_at is not None:
        return QuotingWindow(p.quote_round, p.quotes_open_at, p.quotes_end_at)
    return None


def round_ended_at(procurement: Procurement) -> datetime | None:
    """The deadline of the round that waits for its opening."""
    return procurement.registration_ends_at if procurement.quote_round == 1 else procurement.quotes_end_at


def opening_due(procurement: Procurement) -> datetime | None:
    """Until when two shares must be given; None outside an opening. Raises UnknownYear."""
    ended = round_ended_at(procurement)
    if procurement.state != _P.OPENING or ended is None:
        return None
    return work_calendar.current().deadline(ended, rule_book(procurement.rule_book_version).bid_opening_wd).at


def current_key(procurement: Procurement) -> TenderKey | None:
    """The key of the present round: the newest one made for it."""
    return db.session.scalar(
        select(TenderKey)
        .where(TenderKey.procurement_id == procurement.id, TenderKey.round == procurement.quote_round)
        .order_by(TenderKey.made_at.desc(), TenderKey.id.desc())
        .limit(1)
    )


def holder_keys(owner_organisation_id: UUID) -> tuple[HolderKey, ...]:
    """The opening codes, by their public halves, to which a new tender of this owner is sealed: its own and the supervision's."""
    return tuple(
        db.session.scalars(
            select(HolderKey)
            .where(
                HolderKey.retired_at.is_(None),
                (HolderKey.organisation_id == owner_organisation_id) | (HolderKey.holder == Holder.SUPERVISION),
            )
            .order_by(HolderKey.made_at, HolderKey.id)
        )
    )


def last_quotes(tender_key_id: UUID) -> Sequence[tuple[Quote, Registration]]:
    """The last quote of every agency that did not withdraw it, with its registration, in the order of the credit codes."""
    later = aliased(Quote)
    rows = db.session.execute(
        select(Quote, Registration)
        .join(Registration, Registration.id == Quote.registration_id)
        .outerjoin(
            later,
            (later.tender_key_id == Quote.tender_key_id)
            & (later.registration_id == Quote.registration_id)
            & (later.number > Quote.number),
        )
        .where(Quote.tender_key_id == tender_key_id, Quote.step == QuoteStep.QUOTE, later.id.is_(None))
        .where(*_STANDS)
        .order_by(Registration.uscc)
    )
    return [(quote, registration) for quote, registration in rows]


def number_of_quotes(tender_key_id: UUID) -> int:
    """How many agencies stand with a quote in a round; public at any time."""
    later = aliased(Quote)
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Quote)
            .join(Registration, Registration.id == Quote.registration_id)
            .outerjoin(
                later,
                (later.tender_key_id == Quote.tender_key_id)
                & (later.registration_id == Quote.registration_id)
                & (later.number > Quote.number),
            )
            .where(Quote.tender_key_id == tender_key_id, Quote.step == QuoteStep.QUOTE, later.id.is_(None))
            .where(*_STANDS)
        )
        or 0
    )


def opened_quotes(procurement_id: UUID, round_: int | None = None) -> tuple[OpenedQuote, ...]:
    """Every quote of a procurement that was opened, invalid ones too, in the order of round and credit code.

    `round_` narrows it to one round. Empty before the opening. A price that could not be read is 0. One statement.
    """
    statement = (
        select(QuoteResult, Quote, TenderKey.round, Registration.uscc)
        .join(Quote, Quote.id == QuoteResult.quote_id)
        .join(TenderKey, TenderKey.id == QuoteResult.tender_key_id)
        .join(Registration, Registration.id == Quote.registration_id)
        .where(TenderKey.procurement_id == procurement_id)
        .order_by(TenderKey.round, Registration.uscc, Quote.id)
    )
    if round_ is not None:
        statement = statement.where(TenderKey.round == round_)
    return tuple(
        OpenedQuote(
            registration_id=quote.registration_id,
            uscc=uscc,
            round=number,
            price_fen=result.price_fen or 0,
            sealed_at=quote.received_at,
            invalid_because=result.invalid_because,
            plan_file_id=result.plan_file_id,
        )
        for result, quote, number, uscc in db.session.execute(statement)
    )
