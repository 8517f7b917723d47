"""The rule book of a day, and the one a procurement, contract or application pinned."""

from datetime import date

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.rulebook import RuleBookVersion
from marketplace.rulebook import DEFAULT_RULE_BOOK, RuleBook, rule_book_of


def rule_book_in_force(on: date | None = None) -> RuleBook:
    """The rule book in force on a Beijing day (today); the defaults while none has been published."""
    row = db.session.scalar(
        select(RuleBookVersion)
        .where(RuleBookVersion.effective_from <= (on or clock.today()))
        .order_by(RuleBookVersion.effective_from.desc(), RuleBookVersion.version.desc())
        .limit(1)
    )
    return rule_book_of(row.version, row.parameters) if row else DEFAULT_RULE_BOOK


def rule_book(version: int) -> RuleBook:
    """The rule book with this version; raises NotFound."""
    row = db.session.get(RuleBookVersion, version)
    if row is not None:
        return rule_book_of(row.version, row.parameters)
    if version == DEFAULT_RULE_BOOK.version:
        return DEFAULT_RULE_BOOK
    raise NotFound
