"""What surrounds a notice, as an actor may read it: questions, versions with their differences, reasons, alarms, unfinished forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel import work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import beijing_date
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.notices import (
    NoticeForm,
    NoticeQuestion,
    NoticeRevision,
    NoticeTemplate,
    RelationAlarm,
    ThresholdReason,
)
from marketplace.models.procurements import Procurement, ProcurementNotice, Registration
from marketplace.policy import Permission, question_parts, sees_procurement
from marketplace.rules.notices.changes import Change, changes
from marketplace.rules.notices.conditions import HiddenThreshold, hidden_thresholds
from marketplace.rules.relations import LABELS as RELATION_LABELS
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState
from marketplace.states.question import SHOWN

_P = ProcurementState


@dataclass(frozen=True)
class QuestionView:
    """A question as an actor may see it; `asker_name` is "" for whoever may not know it yet."""

    id: UUID
    procurement_id: UUID
    thread_id: UUID
    number: str
    title: str
    text: str
    asked_at: datetime
    answer_by: datetime
    answer: str | None
    answered_at: datetime | None
    state: str
    version: int
    asker_name: str
    is_mine: bool
    parts: frozenset[Part]


def questions_of(actor: Actor, procurement_id: UUID) -> tuple[QuestionView, ...]:
    """The questions about a notice, oldest first: the public ones, and the actor's own in every state. Two statements."""
    procurement = _seen(actor, procurement_id)
    rows = db.session.scalars(
        select(NoticeQuestion)
        .where(NoticeQuestion.procurement_id == procurement_id)
        .order_by(NoticeQuestion.asked_at, NoticeQuestion.id)
    ).all()
    return tuple(_question(actor, row, procurement) for row in rows if row.state in SHOWN or _is_mine(actor, row))


def question_view(actor: Actor, question_id: UUID) -> QuestionView:
    """One question; NotFound for a removed or taken back one of somebody else, and for a notice that is not theirs to see."""
    row = db.session.get(NoticeQuestion, question_id, populate_existing=True)
    if row is None or not (row.state in SHOWN or _is_mine(actor, row) or actor.may(Permission.PROCUREMENT_SUPERVISE)):
        raise NotFound
    return _question(actor, row, _seen(actor, row.procurement_id))


def _is_mine(actor: Actor, row: NoticeQuestion) -> bool:
    return actor.organisation_id == row.organisation_id


def _question(actor: Actor, row: NoticeQuestion, procurement: Procurement) -> QuestionView:
    over = procurement.closed_at is not None and procurement.state not in {_P.PUBLISHED, _P.REVISED, _P.PAUSED}
    return QuestionView(
        id=row.id,
        procurement_id=procurement.id,
        thread_id=row.thread_id,
        number=procurement.number,
        title=procurement.title,
        text=row.text,
        asked_at=row.asked_at,
        answer_by=row.answer_by,
        answer=row.answer,
        answered_at=row.answered_at,
        state=row.state,
        version=row.version,
        asker_name=row.asker_name if over or _is_mine(actor, row) else "",
        is_mine=_is_mine(actor, row),
        parts=question_parts(actor, row),
    )


def _seen(actor: Actor, procurement_id: UUID) -> Procurement:
    procurement = db.session.get(Procurement, procurement_id)
    if procurement is None or not sees_procurement(actor, procurement):
        raise NotFound
    return procurement


# --- versions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoticeVersion:
    """One published version of a notice with what it changed in the one before it, and why."""

    version: int
    sha256: str
    published_at: datetime
    changes: tuple[Change, ...]
    reason: str
    is_substantive: bool


def notice_versions(actor: Actor, procurement_id: UUID) -> tuple[NoticeVersion, ...]:
    """Every published version, the newest first. Three statements."""
    _seen(actor, procurement_id)
    rows = db.session.scalars(
        select(ProcurementNotice)
        .where(ProcurementNotice.procurement_id == procurement_id)
        .order_by(ProcurementNotice.version)
    ).all()
    revisions = {
        row.notice_version: row
        for row in db.session.scalars(select(NoticeRevision).where(NoticeRevision.procurement_id == procurement_id))
    }
    found = []
    before: ProcurementNotice | None = None
    for row in rows:
        revision = revisions.get(row.version)
        found.append(
            NoticeVersion(
                version=row.version,
                sha256=row.sha256,
                published_at=row.published_at,
                changes=changes(before.content, row.content) if before else (),
                reason=revision.reason if revision else "",
                is_substantive=bool(revision and revision.is_substantive),
            )
        )
        before = row
    return tuple(reversed(found))


@dataclass(frozen=True)
class RevisionView:
    """A proposed change that waits for its check: what it would change, and why."""

    changed: tuple[str, ...]
    content: dict[str, Any]
    reason: str
    is_substantive: bool
    proposed_at: datetime


def open_revision_of(procurement_id: UUID) -> RevisionView | None:
    """The change that waits for the operator, if there is one."""
    row = db.session.scalar(
        select(NoticeRevision).where(NoticeRevision.procurement_id == procurement_id, NoticeRevision.outcome.is_(None))
    )
    if row is None:
        return None
    return RevisionView(tuple(row.changed), row.content, row.reason, row.is_substantive, row.proposed_at)


def calendar_moved(procurement: Any) -> tuple[int, ...]:
    """Years of the running registration whose working-day table came into force after the notice was published.

    The stored deadline stays; the page says why it may not fit the calendar any more.
    """
    if procurement.published_at is None or procurement.registration_ends_at is None:
        return ()
    first, last = beijing_date(procurement.published_at).year, beijing_date(procurement.registration_ends_at).year
    return tuple(
        year
        for year, moment in sorted(work_calendar.in_force_since().items())
        if first <= year <= last and moment > procurement.published_at
    )


# --- what the operator reads ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JustifiedThreshold:
    """A phrase that looks like a hidden threshold, with the owner's reason ("" while there is none)."""

    threshold: HiddenThreshold
    reason: str


def thresholds_of(procurement: Any) -> tuple[JustifiedThreshold, ...]:
    """The suspicious phrases of a notice with their reasons. One statement."""
    texts = {name: getattr(procurement, name) or "" for name in ("title", "content", "scale", "amount_note")}
    found = hidden_thresholds(texts)
    rows = db.session.scalars(select(ThresholdReason).where(ThresholdReason.procurement_id == procurement.id))
    reasons = {row.key: row.reason for row in rows}
    return tuple(JustifiedThreshold(one, reasons.get(one.key, "")) for one in found)


@dataclass(frozen=True)
class AlarmView:
    """Two registrants that their files show to be related."""

    one: str
    other: str
    kind: str
    detail: str
    excludes: bool
    found_at: datetime

    @property
    def label(self) -> str:
        """Message id of the kind of relation."""
        return RELATION_LABELS[self.kind]


def alarms_of(actor: Actor, procurement_id: UUID) -> tuple[AlarmView, ...]:
    """The alarms of a procurement, for those who run and watch the supermarket; nothing for anybody else."""
    if not actor.may(Permission.PROCUREMENT_SUPERVISE):
        return ()
    rows = db.session.scalars(
        select(RelationAlarm)
        .where(RelationAlarm.procurement_id == procurement_id)
        .order_by(RelationAlarm.found_at, RelationAlarm.id)
    ).all()
    wanted = {row.one_registration_id for row in rows} | {row.other_registration_id for row in rows}
    found = db.session.execute(select(Registration.id, Registration.name).where(Registration.id.in_(wanted)))
    names = {row.id: row.name for row in found}
    return tuple(
        AlarmView(
            names[row.one_registration_id],
            names[row.other_registration_id],
            row.kind,
            row.detail,
            row.excludes,
            row.found_at,
        )
        for row in rows
    )


# --- the owner's wizard -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FormView:
    """An unfinished form of the wizard."""

    id: UUID
    procurement_id: UUID | None
    content: dict[str, Any]
    case_link: str | None
    saved_by_name: str
    saved_at: datetime
    version: int


def form_of(actor: Actor, form_id: UUID) -> FormView:
    """An unfinished form of the actor's organisation; NotFound else."""
    row = db.session.get(NoticeForm, form_id, populate_existing=True)
    if row is None or actor.organisation_id is None or row.organisation_id != actor.organisation_id:
        raise NotFound
    return _form(row)


def form_for(actor: Actor, procurement_id: UUID) -> FormView | None:
    """The unfinished changes of a procurement, if any."""
    row = db.session.scalar(
        select(NoticeForm).where(
            NoticeForm.procurement_id == procurement_id, NoticeForm.organisation_id == actor.organisation_id
        )
    )
    return _form(row) if row else None


def unfinished_forms(organisation_id: UUID) -> Sequence[FormView]:
    """The new notices an owner has begun, the newest first."""
    rows = db.session.scalars(
        select(NoticeForm)
        .where(NoticeForm.organisation_id == organisation_id, NoticeForm.procurement_id.is_(None))
        .order_by(NoticeForm.saved_at.desc(), NoticeForm.id.desc())
    )
    return [_form(row) for row in rows]


def _form(row: NoticeForm) -> FormView:
    return FormView(
        row.id, row.procurement_id, dict(row.content), row.case_link, row.saved_by_name, row.saved_at, row.version
    )


@dataclass(frozen=True)
class TemplateView:
    """A notice an owner keeps to start others from."""

    id: UUID
    name: str
    content: dict[str, Any]
    made_by_name: str
    made_at: datetime


def templates_of(organisation_id: UUID) -> Sequence[TemplateView]:
    """An owner's templates by name."""
    rows = db.session.scalars(
        select(NoticeTemplate).where(NoticeTemplate.organisation_id == organisation_id).order_by(NoticeTemplate.name)
    )
    return [_template(row) for row in rows]


def template_of(actor: Actor, template_id: UUID) -> TemplateView:
    """A template of the actor's organisation; NotFound else."""
    row = db.session.get(NoticeTemplate, template_id)
    if row is None or actor.organisation_id is None or row.organisation_id != actor.organisation_id:
        raise NotFound
    return _template(row)


def _template(row: NoticeTemplate) -> TemplateView:
    return TemplateView(row.id, row.name, dict(row.content), row.made_by_name, row.made_at)
