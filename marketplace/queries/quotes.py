"""What may be read of quotes: before an opening their number, after it every price; no query here returns a sealed text."""

from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from marketplace.models.procurements import Registration
from marketplace.models.quotes import Quote, QuoteResult, TenderKey
from marketplace.rules.selection.quotes import OpenedQuote


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
