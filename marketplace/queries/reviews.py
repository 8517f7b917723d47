"""Reads of ratings: what is asked of whom, what was given, replies and appeals, and the work they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, or_, select

from app.identity.queries import organisations_by_ids
from app.kernel import work_calendar
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.contracts import Contract
from marketplace.models.reviews import ALL_STARS, Rating, RatingAppeal, RatingReply, RatingRequest
from marketplace.policy import Permission, appeal_parts, is_rated_side, request_parts
from marketplace.queries.rulebooks import rule_book
from marketplace.states.parts import Part
from marketplace.states.review import RATING_APPEAL, RATING_REQUEST, AppealState, RequestState

RATER_LABELS: Final[dict[str, str]] = {
    "owner": N_("Rating by the owner"),
    "department": N_("Rating by the approving department"),
    "operator": N_("Inspection by the operator"),
    "agency": N_("Rating of the owner by the agency"),
}


@dataclass(frozen=True)
class RatingView:
    """One rating: stars by dimension (1 to 5), the mean of all in hundredths, and whether it is shown and counts."""

    id: UUID
    rater: str
    contract_id: UUID
    stars: tuple[tuple[str, int], ...]
    overall: int
    comment: str
    on_time: bool
    is_default: bool
    rated_at: datetime
    revealed_at: datetime | None
    struck_at: datetime | None

    @property
    def label(self) -> str:
        """Message id: whose rating it is."""
        return RATER_LABELS[self.rater]


def _view(row: Rating) -> RatingView:
    stars = tuple((name, int(getattr(row, name))) for name in ALL_STARS if getattr(row, name) is not None)
    return RatingView(
        row.id,
        row.rater,
        row.contract_id,
        stars,
        row.stars,
        row.comment,
        row.on_time,
        row.is_default,
        row.rated_at,
        row.revealed_at,
        row.struck_at,
    )


def ratings_of_contract(
    contract_id: UUID, *, sees_hidden: bool = False, rater: str | None = None
) -> tuple[RatingView, ...]:
    """The ratings of one contract that are shown (or all of them), and the one that `rater` gave itself. One statement."""
    statement = select(Rating).where(Rating.contract_id == contract_id).order_by(Rating.rated_at, Rating.id)
    if not sees_hidden:
        statement = statement.where(or_(Rating.revealed_at.is_not(None), Rating.rater == (rater or "")))
    return tuple(_view(row) for row in db.session.scalars(statement))


def shown_ratings(
    *, agency_organisation_id: UUID | None = None, owner_organisation_id: UUID | None = None, number: int = 1
) -> Page[RatingView]:
    """A page of the shown ratings of an agency's services, or of an owner by agencies, newest first. Two statements."""
    statement: Select[Any] = select(Rating).where(Rating.revealed_at.is_not(None))
    if agency_organisation_id is not None:
        statement = statement.where(Rating.agency_organisation_id == agency_organisation_id, Rating.rater != "agency")
    if owner_organisation_id is not None:
        statement = statement.where(Rating.owner_organisation_id == owner_organisation_id, Rating.rater == "agency")
    page = page_of(statement.order_by(Rating.rated_at.desc(), Rating.id), number=number)
    return Page(tuple(_view(row) for row in page.items), page.number, page.size, page.total)


@dataclass(frozen=True)
class RatingPage:
    """One shown rating with its contract's public facts, the reply and the appeal, as one actor may see it."""

    rating: RatingView
    title: str
    number: str
    agency_name: str
    owner_name: str
    reply: str | None
    reply_by: str | None
    replied_at: datetime | None
    appeal_id: UUID | None
    appeal_state: str | None
    appeal_decision: str | None
    appeal_by: datetime
    may_answer: bool
    may_read_appeal: bool
    may_read_contract: bool

    @property
    def state(self) -> str:
        """How it stands, in a word."""
        if self.rating.struck_at is not None:
            return "struck"
        return "in_review" if self.appeal_state == AppealState.SUBMITTED else "valid"

    @property
    def version(self) -> None:
        """Ratings never change."""
        return


def rating_page(actor: Actor, rating_id: UUID) -> RatingPage:
    """One rating for its page. Raises NotFound for one that is not shown yet. Five statements."""
    row = db.session.get(Rating, rating_id)
    if row is None or row.revealed_at is None:
        raise NotFound
    contract = db.session.get(Contract, row.contract_id)
    assert contract is not None  # a foreign key
    names = organisations_by_ids((row.agency_organisation_id, row.owner_organisation_id))
    reply = db.session.get(RatingReply, rating_id)
    appeal = db.session.scalar(select(RatingAppeal).where(RatingAppeal.rating_id == rating_id))
    book = rule_book(contract.rule_book_version)
    sides = {row.agency_organisation_id, row.owner_organisation_id}
    return RatingPage(
        rating=_view(row),
        title=contract.title,
        number=contract.number,
        agency_name=names[row.agency_organisation_id].name,
        owner_name=names[row.owner_organisation_id].name,
        reply=reply.text if reply else None,
        reply_by=reply.replied_by_name if reply else None,
        replied_at=reply.replied_at if reply else None,
        appeal_id=appeal.id if appeal else None,
        appeal_state=appeal.state if appeal else None,
        appeal_decision=appeal.decision if appeal else None,
        appeal_by=work_calendar.current().deadline(row.revealed_at, book.credit_appeal_wd).at,
        may_answer=is_rated_side(actor, row),
        may_read_appeal=bool(appeal and appeal_parts(actor, appeal)),
        may_read_contract=actor.organisation_id in sides or actor.may(Permission.CREDIT_WATCH),
    )


@dataclass(frozen=True)
class RequestView:
    """A request to rate, as the asked side or a watcher sees it."""

    id: UUID
    thread_id: UUID
    number: str
    title: str
    rater: str
    state: str
    version: int
    contract_id: UUID
    agency_name: str
    owner_name: str
    opened_at: datetime
    due_at: datetime
    settled_at: datetime | None
    parts: frozenset[Part]

    @property
    def label(self) -> str:
        """Message id: whose rating is asked for."""
        return RATER_LABELS[self.rater]


def request_view(actor: Actor, request_id: UUID) -> RequestView:
    """One request. Raises NotFound, also for one of others. Two statements."""
    row = db.session.get(RatingRequest, request_id)
    parts = request_parts(actor, row) if row else frozenset()
    if row is None or not parts:
        raise NotFound
    names = organisations_by_ids((row.agency_organisation_id, row.owner_organisation_id))
    return RequestView(
        row.id,
        row.thread_id,
        row.number,
        row.title,
        row.rater,
        row.state,
        row.version,
        row.contract_id,
        names[row.agency_organisation_id].name,
        names[row.owner_organisation_id].name,
        row.opened_at,
        row.due_at,
        row.settled_at,
        parts,
    )


@dataclass(frozen=True)
class AppealView:
    """An appeal against a rating, as the sides and who decides see it."""

    id: UUID
    thread_id: UUID
    number: str
    title: str
    state: str
    version: int
    rating: RatingView
    contract_number: str
    party_name: str
    ground: str
    text: str
    file_id: UUID | None
    submitted_at: datetime
    decide_by: datetime
    decided_at: datetime | None
    decided_by_name: str | None
    decision: str | None
    parts: frozenset[Part]


def appeal_view(actor: Actor, appeal_id: UUID) -> AppealView:
    """One appeal. Raises NotFound, also for one of others. Four statements."""
    row = db.session.get(RatingAppeal, appeal_id)
    parts = appeal_parts(actor, row) if row else frozenset()
    if row is None or not parts:
        raise NotFound
    rating, contract = db.session.get(Rating, row.rating_id), db.session.get(Contract, row.contract_id)
    assert rating is not None
    assert contract is not None
    return AppealView(
        row.id,
        row.thread_id,
        row.number,
        contract.title,
        row.state,
        row.version,
        _view(rating),
        contract.number,
        organisations_by_ids([row.organisation_id])[row.organisation_id].name,
        row.ground,
        row.text,
        row.file_id,
        row.submitted_at,
        row.decide_by,
        row.decided_at,
        row.decided_by_name,
        row.decision,
        parts,
    )


# --- the workbench ------------------------------------------------------------------------------------------------

_RATER_OF_ROLE: Final = {
    Role.AGENCY: "agency",
    Role.APPROVING_DEPARTMENT: "department",
}


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """Ratings that are asked of the actor, and appeals that wait for a decision. At most two statements.

    The owner's rating stands in the line of its contract.
    """
    items: list[WorkItem] = []
    role = next((role for role in _RATER_OF_ROLE if actor.has(role)), None)
    mine = select(RatingRequest).where(RatingRequest.state == RequestState.OPEN).order_by(RatingRequest.due_at)
    if role is not None and actor.organisation_id is not None:
        mine = mine.where(
            RatingRequest.asked_organisation_id == actor.organisation_id, RatingRequest.rater == _RATER_OF_ROLE[role]
        )
        items += [_request_item(row) for row in db.session.scalars(mine.limit(100))]
    if actor.has(Role.OPERATOR):
        mine = mine.where(RatingRequest.rater == "operator")
        items += [_request_item(row) for row in db.session.scalars(mine.limit(100))]
    if actor.has(Role.OPERATOR, Role.REGULATOR):
        open_appeals = select(RatingAppeal).where(RatingAppeal.state == AppealState.SUBMITTED)
        rows = db.session.scalars(open_appeals.order_by(RatingAppeal.decide_by).limit(100))
        items += [_appeal_item(row) for row in rows]
    return items


def _request_item(row: RatingRequest) -> WorkItem:
    return WorkItem(
        turn=Turn.MINE,
        kind=N_("Rating"),
        number=row.number,
        title=row.title,
        state=RATING_REQUEST.labels[RequestState(row.state)],
        step=RATER_LABELS[row.rater],
        href=f"/rating-requests/{row.id}",
        due_at=row.due_at,
        updated_at=row.opened_at,
    )


def _appeal_item(row: RatingAppeal) -> WorkItem:
    return WorkItem(
        turn=Turn.MINE,
        kind=N_("Appeal against a rating"),
        number=row.number,
        title=row.text[:80],
        state=RATING_APPEAL.labels[AppealState(row.state)],
        step=N_("Decide the appeal"),
        href=f"/rating-appeals/{row.id}",
        due_at=row.decide_by,
        updated_at=row.submitted_at,
    )
