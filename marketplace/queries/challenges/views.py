"""One challenge as an actor may see it: what was said, by whom, until when, and what came of it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import UnknownYear
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.challenges import Challenge, ChallengeFile, ChallengeRecusal, ChallengeStatement
from marketplace.models.procurements import Procurement, Registration
from marketplace.policy import challenge_parts
from marketplace.queries.challenges.people import acted_before, stepped_aside
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.challenges import (
    ChallengeKind,
    Effect,
    HandledBy,
    Involvement,
    Side,
    Target,
    complaint_ends,
    involvement,
    possible_effects,
)
from marketplace.states.challenge import OPEN, ChallengeState
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import REGISTRATION


@dataclass(frozen=True)
class FileView:
    """One piece of evidence."""

    id: UUID
    name: str
    size: int
    sha256: str
    side: str
    uploaded_at: datetime


@dataclass(frozen=True)
class StatementView:
    """What one side put forward."""

    side: str
    author_name: str
    text: str
    stated_at: datetime
    files: tuple[FileView, ...]


@dataclass(frozen=True)
class RecusalView:
    """Somebody who stepped aside."""

    name: str
    reason: str
    declared_at: datetime


@dataclass(frozen=True)
class ChallengeView:
    """One challenge. Contacts are empty for those who neither filed nor decide it. `involved` says why the reader must not decide."""

    id: UUID
    thread_id: UUID
    number: str
    version: int
    kind: str
    target: str
    complaint_type: str | None
    state: str
    previous_id: UUID | None
    next_id: UUID | None
    procurement_id: UUID | None
    procurement_number: str
    procurement_title: str
    agency_id: UUID | None
    reference: str
    challenger_name: str
    standing: str
    contact_phone: str
    contact_email: str
    against: str
    against_name: str
    handled_by: str
    claim: str
    grounds: str
    known_on: date | None
    filed_at: datetime
    answer_by: datetime
    accepted_at: datetime | None
    evidence_by: datetime | None
    extended_at: datetime | None
    extension_reason: str | None
    frozen_since: datetime | None
    released_at: datetime | None
    decided_at: datetime | None
    decided_by_name: str | None
    decision: str | None
    public_summary: str | None
    effect: str | None
    excluded_name: str
    document_id: UUID | None
    serve_by: datetime | None
    served_at: datetime | None
    served_by_reading: bool
    files: tuple[FileView, ...]
    statements: tuple[StatementView, ...]
    recusals: tuple[RecusalView, ...]
    parts: frozenset[Part]
    involved: Involvement | None
    complain_by: datetime | None

    @property
    def title(self) -> str:
        """How pages of its actions name it."""
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_overdue(self) -> bool:
        """Whether the step that is due has not been taken in its limit."""
        return self.is_open and clock.now() > self.answer_by

    @property
    def may_decide(self) -> bool:
        """Whether this reader answers or decides now."""
        return bool(self.parts & {Part.HANDLER, Part.ADDRESSEE}) and self.involved is None


def challenge_view(actor: Actor, challenge_id: UUID) -> ChallengeView:
    """One challenge; NotFound for all but its sides and those who run and watch the supermarket. At most nine statements."""
    c = db.session.get(Challenge, challenge_id, populate_existing=True)
    held = challenge_parts(actor, c) if c is not None else frozenset()
    if c is None or not held:
        raise NotFound
    procurement = db.session.get(Procurement, c.procurement_id) if c.procurement_id else None
    excluded = db.session.get(Registration, c.excluded_registration_id) if c.excluded_registration_id else None
    reads_contacts = bool(held - {Part.RESPONDENT, Part.ADDRESSEE, Part.PUBLIC})
    next_id = db.session.scalar(select(Challenge.id).where(Challenge.previous_id == c.id).limit(1))
    by_statement = _files(c.id)
    return ChallengeView(
        **{name: getattr(c, name) for name in _SAME},
        next_id=next_id,
        procurement_number=procurement.number if procurement else "",
        procurement_title=procurement.title if procurement else "",
        contact_phone=c.contact_phone if reads_contacts else "",
        contact_email=c.contact_email if reads_contacts else "",
        excluded_name=excluded.name if excluded else "",
        files=by_statement.get(None, ()),
        statements=_statements(c.id, by_statement),
        recusals=_recusals(c.id),
        parts=held,
        involved=_involved(actor, c, held),
        complain_by=_complain_by(c),
    )


_SAME = (
    *("id", "thread_id", "number", "version", "kind", "target", "complaint_type", "state", "previous_id"),
    *(
        "procurement_id",
        "agency_id",
        "reference",
        "challenger_name",
        "standing",
        "against",
        "against_name",
        "handled_by",
    ),
    *("claim", "grounds", "known_on", "filed_at", "answer_by", "accepted_at", "evidence_by", "extended_at"),
    *("extension_reason", "frozen_since", "released_at", "decided_at", "decided_by_name", "decision", "public_summary"),
    *("effect", "document_id", "serve_by", "served_at", "served_by_reading"),
)


def _files(challenge_id: UUID) -> dict[UUID | None, tuple[FileView, ...]]:
    rows = db.session.scalars(
        select(ChallengeFile).where(ChallengeFile.challenge_id == challenge_id).order_by(ChallengeFile.id)
    )
    found: dict[UUID | None, tuple[FileView, ...]] = {}
    for row in rows:
        view = FileView(row.id, row.name, row.size, row.sha256, row.side, row.uploaded_at)
        found[row.statement_id] = (*found.get(row.statement_id, ()), view)
    return found


def _statements(challenge_id: UUID, files: dict[UUID | None, tuple[FileView, ...]]) -> tuple[StatementView, ...]:
    rows = db.session.scalars(
        select(ChallengeStatement)
        .where(ChallengeStatement.challenge_id == challenge_id)
        .order_by(ChallengeStatement.stated_at, ChallengeStatement.id)
    )
    return tuple(StatementView(r.side, r.author_name, r.text, r.stated_at, files.get(r.id, ())) for r in rows)


def _recusals(challenge_id: UUID) -> tuple[RecusalView, ...]:
    rows = db.session.scalars(
        select(ChallengeRecusal)
        .where(ChallengeRecusal.challenge_id == challenge_id)
        .order_by(ChallengeRecusal.declared_at)
    )
    return tuple(RecusalView(r.name, r.reason, r.declared_at) for r in rows)


def _involved(actor: Actor, c: Challenge, held: frozenset[Part]) -> Involvement | None:
    if not held & {Part.HANDLER, Part.ADDRESSEE} or (Part.RESPONDENT in held and c.handled_by == HandledBy.OWNER):
        return None
    return involvement(
        actor.user_id,
        actor.organisation_id,
        stepped_aside=stepped_aside(c.id),
        sides={o for o in (c.challenger_organisation_id, c.against_organisation_id) if o},
        acted_before=acted_before(c),
    )


def _complain_by(c: Challenge) -> datetime | None:
    """Until when the challenger may go on to a complaint; None when there is none to bring now."""
    if c.kind not in {ChallengeKind.OBJECTION, ChallengeKind.QUERY}:
        return None
    answered = c.state in {ChallengeState.UPHELD, ChallengeState.REJECTED}
    if not answered and not (c.state == ChallengeState.FILED and clock.now() > c.answer_by):
        return None
    try:
        since = c.decided_at or c.first_answer_by
        ends_at = complaint_ends(rule_book(c.rule_book_version), work_calendar.current(), since)
    except UnknownYear:
        return None
    return ends_at if clock.now() <= ends_at else None


def evidence_file(actor: Actor, challenge_id: UUID, file_id: UUID) -> UUID:
    """The stored file behind a piece of evidence; NotFound for whoever may not see the challenge."""
    challenge_view(actor, challenge_id)
    found = db.session.scalar(
        select(ChallengeFile.file_id).where(ChallengeFile.id == file_id, ChallengeFile.challenge_id == challenge_id)
    )
    if found is None:
        raise NotFound
    return found


def effects_of(challenge_id: UUID) -> tuple[Effect, ...]:
    """What may follow when this challenge is upheld now."""
    c = db.session.get(Challenge, challenge_id)
    if c is None:
        return ()
    procurement = db.session.get(Procurement, c.procurement_id) if c.procurement_id else None
    stage = None
    if procurement is not None:
        paused = procurement.state == ProcurementState.PAUSED
        stage = procurement.paused_from if paused else procurement.state
    return possible_effects(stage, is_admission=c.target == Target.ADMISSION)


def excludable(challenge_id: UUID) -> tuple[tuple[UUID, str], ...]:
    """The agencies of the frozen list that a decision may exclude: (registration, name)."""
    c = db.session.get(Challenge, challenge_id)
    if c is None or c.procurement_id is None:
        return ()
    edge = next(e for e in REGISTRATION.transitions if e.action == "exclude")
    rows = db.session.execute(
        select(Registration.id, Registration.name)
        .where(Registration.procurement_id == c.procurement_id, Registration.state.in_(edge.sources))
        .order_by(Registration.uscc)
    )
    return tuple((row.id, row.name) for row in rows)


def side_name(view: ChallengeView, side: str) -> str:
    """Who wrote a statement, by name where the side has one."""
    if side == Side.CHALLENGER:
        return view.challenger_name
    return view.against_name if side == view.against else ""
