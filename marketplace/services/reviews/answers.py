"""What the rated side may say to a rating: one public reply, and one appeal that somebody else decides."""

from dataclasses import dataclass
from uuid import UUID

from app.identity.notices import notify
from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.events.credit import RatingStruck
from marketplace.models.contracts import Contract
from marketplace.models.reviews import Rating, RatingAppeal, RatingReply
from marketplace.policy import appeal_parts, is_rated_side
from marketplace.queries.rulebooks import rule_book
from marketplace.states.review import RATING_APPEAL, AppealState


@dataclass(frozen=True)
class Reply:
    """A public answer."""

    text: str
    version: int | None = None


@dataclass(frozen=True)
class AppealRating:
    """Why the rating should be struck: `ground` is facts, retaliation, extortion or abuse."""

    ground: str
    text: str
    file: Upload | None = None
    version: int | None = None


@use_case
def reply(actor: Actor, rating_id: UUID, command: Reply) -> None:
    """The rated side answers in public, once. Raises NotFound, NotAllowed, Conflict."""
    rating = _rated(actor, rating_id)
    if db.session.get(RatingReply, rating_id) is not None:
        raise Conflict("replied", N_("You have replied to this rating already."))
    assert actor.user_id is not None
    db.session.add(
        RatingReply(
            rating_id=rating_id,
            text=command.text,
            replied_by=actor.user_id,
            replied_by_name=actor.name,
            replied_at=clock.now(),
        )
    )
    contract = get(Contract, rating.contract_id)
    record(contract, "rating_reply", actor, title=N_("Reply to the rating"), reason=command.text, public=True)


@use_case
def appeal(actor: Actor, rating_id: UUID, command: AppealRating) -> UUID:
    """Appeal against a rating within the rule book's days after it was shown; one appeal for each rating.

    Raises NotFound, NotAllowed, Conflict for a second appeal, Refused when it is too late.
    """
    rating = _rated(actor, rating_id)
    contract = get(Contract, rating.contract_id)
    book, calendar, now = rule_book(contract.rule_book_version), work_calendar.current(), clock.now()
    assert rating.revealed_at is not None
    if now > calendar.deadline(rating.revealed_at, book.credit_appeal_wd).at:
        raise Refused("appeal-period-over", N_("The time for an appeal is over."))
    if db.session.query(RatingAppeal.id).filter_by(rating_id=rating_id).first():
        raise Conflict("appealed", N_("There is an appeal against this rating already."))
    assert actor.user_id is not None
    row = RatingAppeal(
        id=new_id(),
        thread_id=contract.thread_id,
        rating_id=rating_id,
        contract_id=contract.id,
        organisation_id=rating.rated_organisation_id,
        number=next_number("PS"),
        ground=command.ground,
        text=command.text,
        file_id=keep(command.file, actor).id if command.file else None,
        submitted_by=actor.user_id,
        submitted_at=now,
        decide_by=calendar.deadline(now, book.credit_appeal_decision_wd).at,
        state=AppealState.SUBMITTED,
    )
    db.session.add(row)
    db.session.flush()
    record(row, "submitted", actor, title=N_("Appeal against a rating"), detail={"number": row.number})
    _tell(row, None, N_("An appeal against a rating waits: %(number)s"))
    return row.id


@use_case
def grant_appeal(actor: Actor, appeal_id: UUID, command: WithReason) -> None:
    """Strike the rating: it stays on record but counts no longer."""
    row = _decide(actor, appeal_id, "grant", command)
    rating = lock(Rating, row.rating_id)
    rating.struck_at = clock.now()
    contract = get(Contract, row.contract_id)
    event = RatingStruck(rating_id=rating.id, agency_organisation_id=rating.agency_organisation_id)
    record(
        contract,
        "rating_struck",
        actor,
        title=N_("Rating struck"),
        reason=command.reason,
        detail={"appeal": row.number},
        public=True,
        event=event,
    )


@use_case
def dismiss_appeal(actor: Actor, appeal_id: UUID, command: WithReason) -> None:
    """Let the rating stand."""
    _decide(actor, appeal_id, "dismiss", command)


@use_case
def withdraw_appeal(actor: Actor, appeal_id: UUID, command: Plain) -> None:
    """The side that appealed takes it back."""
    row = _locked(actor, appeal_id, command.version)
    move(row, RATING_APPEAL, "withdraw", actor, appeal_parts(actor, row))


def _decide(actor: Actor, appeal_id: UUID, action: str, command: WithReason) -> RatingAppeal:
    row = _locked(actor, appeal_id, command.version)
    rating = get(Rating, row.rating_id)
    if rating.rated_by == actor.user_id:
        raise Conflict("same-person", N_("Somebody else must decide: this is your own rating."))
    row.decided_by, row.decided_by_name, row.decided_at = actor.user_id, actor.name, clock.now()
    row.decision = command.reason
    move(row, RATING_APPEAL, action, actor, appeal_parts(actor, row), reason=command.reason)
    _tell(row, row.organisation_id, N_("Your appeal %(number)s is decided"))
    rater = {"owner": rating.owner_organisation_id, "agency": rating.agency_organisation_id}.get(rating.rater)
    if rater is not None:
        _tell(row, rater, N_("An appeal against your rating is decided: %(number)s"), link=f"/ratings/{rating.id}")
    return row


def _locked(actor: Actor, appeal_id: UUID, seen: int | None) -> RatingAppeal:
    row = lock(RatingAppeal, appeal_id)
    if not appeal_parts(actor, row):
        raise NotFound
    return lock(RatingAppeal, appeal_id, seen=seen)


def _rated(actor: Actor, rating_id: UUID) -> Rating:
    rating = lock(Rating, rating_id)
    if rating.revealed_at is None:
        raise NotFound
    if not is_rated_side(actor, rating):
        raise NotAllowed
    return rating


def _tell(row: RatingAppeal, organisation_id: UUID | None, subject: str, link: str | None = None) -> None:
    notify(
        to_organisation=organisation_id,
        to_role=Role.OPERATOR if organisation_id is None else None,
        kind="rating.appeal",
        subject=subject,
        text=N_("Open the page to read the grounds and the decision: %(number)s"),
        link=link or f"/rating-appeals/{row.id}",
        thread_id=row.thread_id,
        params={"number": row.number},
    )
