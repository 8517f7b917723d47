"""Use cases of searches that a person keeps, and the digest that tells of what is new: each result once, at most one a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import current_app
from sqlalchemy import func, or_, select, update

from app.identity.notices import notify
from app.identity.tokens import new_token
from app.kernel import audit, clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.words import N_
from app.settings import Settings
from marketplace.models.saved_searches import SavedSearch, SavedSearchMatch
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.queries.saved_searches import owner_of_token
from marketplace.search import Filters, Hit, Kind, SearchQuery, Sort
from marketplace.services import search
from marketplace.services.findable import ordinal

MOST_TOLD: Final = 50  # results of one search in one digest; the rest come the next day
LOOK_BACK: Final = timedelta(
    days=1
)  # what reached the index late is still found: the notes keep it from being told twice


@dataclass(frozen=True)
class KeepSearch:
    """A search to keep: its name and the arguments of its address, already checked."""

    name: str
    asked: Mapping[str, Any]


@use_case
def keep(actor: Actor, command: KeepSearch) -> UUID:
    """Keep a search and tell of what is new from now on. Raises NotAllowed, Conflict for a name in use, Refused when full."""
    if actor.user_id is None:
        raise NotAllowed
    names = db.session.scalars(select(SavedSearch.name).where(SavedSearch.user_id == actor.user_id)).all()
    most = rule_book_in_force().search_saved_most
    if len(names) >= most:
        raise Refused(
            "saved-searches-full", N_("You keep %(most)s searches already. Delete one first."), params={"most": most}
        )
    if command.name in names:
        raise Conflict("saved-search-name", N_("You keep a search of this name already."))
    kept = SavedSearch(
        id=new_id(),
        user_id=actor.user_id,
        name=command.name,
        asked=dict(command.asked),
        is_told=True,
        stop_token=new_token(),
        told_until=clock.now(),
        created_at=clock.now(),
    )
    kept.thread_id = kept.id
    db.session.add(kept)
    db.session.flush()
    _note(kept, "keep", actor)
    return kept.id


@use_case
def tell(actor: Actor, search_id: UUID, *, is_told: bool) -> None:
    """Switch the alerts of a kept search on or off. Raises NotFound for other people's."""
    kept = _own(actor, search_id)
    if kept.is_told != is_told:
        kept.is_told, kept.told_until = is_told, clock.now()
        _note(kept, "tell" if is_told else "silence", actor)


@use_case
def drop(actor: Actor, search_id: UUID) -> None:
    """Delete a kept search. Raises NotFound for other people's."""
    kept = _own(actor, search_id)
    _note(kept, "drop", actor)
    db.session.delete(kept)


@use_case
def stop(token: str) -> int:
    """End the alerts of all searches of whoever holds the link of a mail; no sign-in. Returns how many. Raises NotFound."""
    owner = owner_of_token(token)
    audit.append(
        action="saved-search.stop", object_type="user", object_id=owner, actor=SYSTEM, body={"by": "link of a mail"}
    )
    done = db.session.execute(
        update(SavedSearch).where(SavedSearch.user_id == owner, SavedSearch.is_told.is_(True)).values(is_told=False)
    )
    return done.rowcount  # type: ignore[attr-defined,no-any-return]  # an UPDATE has one


def _note(kept: SavedSearch, step: str, actor: Actor) -> None:
    audit.append(
        action=f"saved-search.{step}",
        object_type=SavedSearch.object_type,
        object_id=kept.id,
        actor=actor,
        body={"name": kept.name},
    )


def _own(actor: Actor, search_id: UUID) -> SavedSearch:
    kept = lock(SavedSearch, search_id)
    if actor.user_id is None or kept.user_id != actor.user_id:
        raise NotFound
    return kept


# the digest


def tell_due() -> int:
    """Tell everybody whose kept searches found something new and who was not told today. Returns how many were told."""
    users = db.session.scalars(
        select(SavedSearch.user_id)
        .where(SavedSearch.is_told.is_(True))
        .group_by(SavedSearch.user_id)
        .having(or_(func.max(SavedSearch.told_on).is_(None), func.max(SavedSearch.told_on) < clock.today()))
        .order_by(SavedSearch.user_id)
    ).all()
    return sum(_tell(user_id) for user_id in users)


@use_case
def _tell(user_id: UUID) -> bool:
    rows = db.session.scalars(
        select(SavedSearch).where(SavedSearch.user_id == user_id).order_by(SavedSearch.name).with_for_update()
    ).all()
    today, moment = clock.today(), clock.now()
    if any(row.told_on is not None and row.told_on >= today for row in rows):
        return False  # another worker was quicker
    found: dict[str, int] = {}
    for kept in rows:
        hits = _new_results(kept) if kept.is_told else []
        if hits is None:
            return False  # the index is being built: tomorrow, or in some minutes
        for hit in hits:
            db.session.add(
                SavedSearchMatch(saved_search_id=kept.id, kind=str(hit.kind), document_id=hit.id, told_at=moment)
            )
        if hits:
            found[kept.name] = len(hits)
        if len(hits) < MOST_TOLD:
            kept.told_until = moment
    if not found:
        return False
    for kept in rows:
        if kept.name in found:
            kept.told_on = today
    settings: Settings = current_app.extensions["chaoshi_settings"]
    stop_link = f"{settings.public_url.rstrip('/')}/saved-searches/stop/{rows[0].stop_token}"
    notify(
        to_user=user_id,
        kind="search.alert",
        subject=N_("New results of your saved searches: %(count)s"),
        text=N_("%(names)s. To end these alerts without signing in: %(stop)s"),
        link="/saved-searches",
        params={
            "count": sum(found.values()),
            "names": "; ".join(f"{name} ({count})" for name, count in found.items()),
            "stop": stop_link,
        },
    )
    return True


def _new_results(kept: SavedSearch) -> list[Hit] | None:
    """What a kept search finds that it has not told of; None while there is no index."""
    since = max(kept.created_at, kept.told_until - LOOK_BACK)
    page = search.find(query_of(kept.asked, since_ordinal=ordinal(since)))
    if page.is_fallback:
        return None
    told = set(
        db.session.execute(
            select(SavedSearchMatch.kind, SavedSearchMatch.document_id).where(
                SavedSearchMatch.saved_search_id == kept.id
            )
        ).all()
    )
    return [hit for hit in page.hits if (str(hit.kind), hit.id) not in told][:MOST_TOLD]


def query_of(asked: Mapping[str, Any], *, since_ordinal: int | None = None) -> SearchQuery:
    """The index's question for kept arguments: the newest first, published since a moment."""
    low, _, high = (asked.get("price") or "-").partition("-")
    return SearchQuery(
        text=asked.get("q") or "",
        filters=Filters(
            kinds=(Kind(asked.get("kind") or Kind.LISTING),),
            categories=tuple(asked.get("category") or ()),
            regions=tuple(asked.get("city") or ()),
            max_limit_wd=asked.get("limit"),
            min_price_fen=int(low) if low else None,
            max_price_fen=int(high) if high else None,
            price_modes=tuple(asked.get("price_mode") or ()),
            grades=tuple(asked.get("grade") or ()),
            min_rating=asked.get("rating"),
            min_on_time=asked.get("on_time"),
            min_ordinal=since_ordinal,
        ),
        sort=Sort.NEWEST,
        limit=20 * MOST_TOLD,
    )
