"""What all filings have in common: who files, once, with which evidence, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from app.identity.queries import organisation_name
from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.db import db, new_id
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import Upload, keep
from app.kernel.numbering import next_number
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.challenges import Challenge, ChallengeFile
from marketplace.models.procurements import Procurement, Registration
from marketplace.rulebook import RuleBook
from marketplace.rules.challenges import (
    NUMBER_PREFIXES,
    ChallengeKind,
    ComplaintType,
    HandledBy,
    Side,
    Standing,
    Target,
    answer_deadline,
)
from marketplace.services.challenges.commands import Plea
from marketplace.services.challenges.telling import tell_filed
from marketplace.states.challenge import OPEN, ChallengeState
from marketplace.states.registration import RegistrationState

MOST_FILES = 5
_OFFICIALS = (Role.OPERATOR, Role.REGULATOR, Role.AUDITOR, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Matter:
    """What is challenged and who stands on the other side."""

    kind: ChallengeKind
    target: Target
    key: str
    standing: Standing
    against: Side
    against_name: str
    handled_by: HandledBy
    against_organisation_id: UUID | None = None
    procurement_id: UUID | None = None
    agency_id: UUID | None = None
    thread_id: UUID | None = None
    previous_id: UUID | None = None
    complaint_type: ComplaintType | None = None
    known_on: date | None = None
    reference: str = ""


def matter_key(procurement: Procurement, target: Target) -> str:
    """The result of another winner is another matter; so is the list or the result of another round of registration."""
    extra = procurement.winner_registration_id if target is Target.RESULT else procurement.closed_at
    return f"procurement:{procurement.id}:{target}:{extra if target is not Target.NOTICE else ''}"[:120]


def standing_in_procurement(actor: Actor, procurement: Procurement) -> Standing:
    """What somebody is to a procurement; the sides of the result are PARTY, those who run and watch OFFICIAL."""
    organisation = actor.organisation_id
    if actor.has(*_OFFICIALS):
        return Standing.OFFICIAL
    if organisation is not None and organisation == procurement.owner_organisation_id:
        return Standing.PARTY
    if not actor.has(Role.AGENCY) or organisation is None:
        return Standing.PERSON
    registered = db.session.scalar(
        select(Registration.id).where(
            Registration.procurement_id == procurement.id,
            Registration.organisation_id == organisation,
            Registration.state != RegistrationState.WITHDRAWN,
        )
    )
    return Standing.REGISTRANT if registered else Standing.AGENCY


def challenger_of(actor: Actor) -> str:
    """Who challenges: the organisation where one acts for one, else the person."""
    return f"org:{actor.organisation_id}" if actor.organisation_id else f"user:{actor.user_id}"


def require_person(actor: Actor) -> None:
    """Challenges are brought under one's real name; those who decide them bring none."""
    if actor.user_id is None or actor.has(*_OFFICIALS):
        raise NotAllowed


def standing_of(actor: Actor, *, own: bool) -> Standing:
    if actor.has(*_OFFICIALS):
        return Standing.OFFICIAL
    if own and actor.organisation_id is not None:
        return Standing.PARTY
    if actor.has(Role.AGENCY):
        return Standing.AGENCY
    return Standing.OWNER if actor.has(Role.OWNER) else Standing.PERSON


def file_challenge(actor: Actor, matter: Matter, plea: Plea, book: RuleBook) -> Challenge:
    """Write the challenge down with its evidence and tell who answers. Raises Conflict for the same matter twice, or too many."""
    challenger = challenger_of(actor)
    _refuse_repeated(challenger, matter, book)
    assert actor.user_id is not None
    now = clock.now()
    answer_by = answer_deadline(matter.kind, book, work_calendar.current(), now)
    identifier = new_id()
    challenge = Challenge(
        id=identifier,
        thread_id=matter.thread_id or identifier,
        number=next_number(NUMBER_PREFIXES[matter.kind]),
        kind=matter.kind,
        target=matter.target,
        complaint_type=matter.complaint_type,
        matter=matter.key,
        previous_id=matter.previous_id,
        reference=matter.reference[:120],
        known_on=matter.known_on,
        procurement_id=matter.procurement_id,
        agency_id=matter.agency_id,
        challenger=challenger,
        filed_by=actor.user_id,
        challenger_organisation_id=actor.organisation_id,
        challenger_name=organisation_name(actor.organisation_id) if actor.organisation_id else actor.name,
        standing=matter.standing,
        contact_phone=plea.contact_phone.strip(),
        contact_email=(plea.contact_email or "").strip(),
        against=matter.against,
        against_name=matter.against_name,
        against_organisation_id=matter.against_organisation_id,
        handled_by=matter.handled_by,
        claim=plea.claim.strip(),
        grounds=plea.grounds.strip(),
        state=ChallengeState.FILED,
        rule_book_version=book.version,
        filed_at=now,
        first_answer_by=answer_by,
        answer_by=answer_by,
    )
    db.session.add(challenge)
    db.session.flush()
    keep_files(actor, challenge, plea.files, Side.CHALLENGER)
    record(challenge, "filed", actor, title=N_("Challenge filed"), detail={"number": challenge.number})
    tell_filed(challenge)
    return challenge


def _refuse_repeated(challenger: str, matter: Matter, book: RuleBook) -> None:
    earlier = db.session.scalar(
        select(Challenge).where(
            Challenge.kind == matter.kind, Challenge.matter == matter.key, Challenge.challenger == challenger
        )
    )
    if earlier is not None and earlier.state == ChallengeState.WITHDRAWN:
        raise Conflict(
            "challenge-withdrawn",
            N_("You withdrew %(number)s; the same matter cannot be challenged again."),
            params={"number": earlier.number},
        )
    if earlier is not None:
        raise Conflict(
            "challenge-exists",
            N_("You have challenged this already: %(number)s."),
            params={"number": earlier.number},
        )
    count = db.session.scalar(
        select(func.count()).select_from(Challenge).where(Challenge.challenger == challenger, Challenge.state.in_(OPEN))
    )
    if (count or 0) >= book.open_challenges_limit:
        raise Conflict("too-many-challenges", N_("Too many of your challenges are still open. Wait for their answers."))


def keep_files(
    actor: Actor,
    challenge: Challenge,
    uploads: Sequence[Upload],
    side: Side,
    *,
    statement_id: UUID | None = None,
) -> None:
    """Store the evidence of one side. Raises Refused for too many, and as `keep` does."""
    if len(uploads) > MOST_FILES:
        raise Refused(
            "too-many-files", N_("At most %(count)s files at once."), field="files", params={"count": MOST_FILES}
        )
    for upload in uploads:
        stored = keep(upload, actor)
        db.session.add(
            ChallengeFile(
                id=new_id(),
                challenge_id=challenge.id,
                statement_id=statement_id,
                side=side,
                file_id=stored.id,
                name=stored.name,
                sha256=stored.sha256,
                size=stored.size,
                uploaded_at=clock.now(),
            )
        )
    db.session.flush()
