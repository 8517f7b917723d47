"""Reads of the searches that a person keeps."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import func, select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.saved_searches import SavedSearch, SavedSearchMatch


@dataclass(frozen=True, slots=True)
class SavedSearchView:
    """One kept search. `href` asks it again, the newest first; `told` counts the results it has told of."""

    id: UUID
    name: str
    asked: dict[str, Any]
    is_told: bool
    told_on: date | None
    told: int
    created_at: datetime
    version: int

    @property
    def href(self) -> str:
        """The page of its results."""
        return f"/search?{urlencode(self.asked, doseq=True)}"


def saved_searches(actor: Actor) -> tuple[SavedSearchView, ...]:
    """The actor's own, by name. One statement."""
    told = (
        select(func.count())
        .select_from(SavedSearchMatch)
        .where(SavedSearchMatch.saved_search_id == SavedSearch.id)
        .correlate(SavedSearch)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(SavedSearch, told).where(SavedSearch.user_id == actor.user_id).order_by(SavedSearch.name)
    )
    return tuple(
        SavedSearchView(s.id, s.name, s.asked, s.is_told, s.told_on, count, s.created_at, s.version)
        for s, count in rows
    )


def owner_of_token(token: str) -> UUID:
    """Whose mails a stop link ends. Raises NotFound."""
    owner = db.session.scalar(select(SavedSearch.user_id).where(SavedSearch.stop_token == token))
    if owner is None:
        raise NotFound
    return owner
