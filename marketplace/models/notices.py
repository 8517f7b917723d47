"""What surrounds a purchase notice: the wizard's unfinished form, templates, revisions, questions, reasons and alarms."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    UTCDateTime,
    Versioned,
    append_only,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.rules.relations import Kind
from marketplace.states.question import QUESTION


class NoticeForm(Versioned, Base):
    """What an owner has typed into the publish wizard and not finished; saved at every step, as it was typed.

    Without `procurement_id` it becomes a new draft; with one it changes that draft, or proposes a change of that published notice.
    `case_link` is the signed link to an approval case with which the wizard was opened.
    """

    __tablename__ = "notice_form"

    id: Mapped[UUID] = uuid_pk()
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    procurement_id: Mapped[UUID | None] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    case_link: Mapped[str | None] = mapped_column(String(600))
    saved_by: Mapped[UUID | None]
    saved_by_name: Mapped[str] = mapped_column(String(120), default="")
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_notice_form_organisation", "organisation_id", "saved_at"),)


class NoticeTemplate(Base):
    """A notice an owner keeps to start others from: the wizard's values without dates and conflicts."""

    __tablename__ = "notice_template"

    id: Mapped[UUID] = uuid_pk()
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    name: Mapped[str] = mapped_column(String(80))
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(String(120), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("organisation_id", "name"),)


class NoticeRevision(Base):
    """A change that an owner proposed for its published notice, with the decision.

    `content` is `NoticeDraft` as plain values; `changed` the paths of the frozen notice that it changes. `notice_version` is the
    version it became. `outcome` is None while the form check is open.
    """

    __tablename__ = "notice_revision"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id")
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    changed: Mapped[list[Any]] = mapped_column(JSONValue)
    is_substantive: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[UUID | None]
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(12))
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    notice_version: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        named_check("outcome", "outcome IS NULL OR outcome IN ('published', 'refused', 'dropped')"),
        named_check("decided_whole", "(outcome IS NULL) = (decided_at IS NULL)"),
        named_check("published_as", "(notice_version IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'published')"),
    )


class ThresholdReason(Base):
    """Why a purchase needs a phrase that looks like a hidden threshold; the operator reads it at the form check.

    `key` is `HiddenThreshold.key`: the kind and the phrase, so that a changed phrase needs a new reason.
    """

    __tablename__ = "threshold_reason"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    key: Mapped[str] = mapped_column(String(400))
    reason: Mapped[str] = mapped_column(String(1000))
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("procurement_id", "key"),)


class NoticeQuestion(Versioned, Stateful, Base):
    """A question that an agency asked about a published notice, with the owner's answer. Both are public.

    Who asked is not shown before the registration ends: `audience` leaves the owner and the operator out. `answer_by` is computed
    once, when the question is asked.
    """

    __tablename__ = "notice_question"
    object_type: ClassVar[str] = "notice_question"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    owner_organisation_id: Mapped[UUID]
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    asker_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer_by: Mapped[datetime] = mapped_column(UTCDateTime)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(16))

    __table_args__ = (
        Index("ix_notice_question_procurement", "procurement_id", "asked_at"),
        Index("ix_notice_question_state", "state", "answer_by"),
        Index("ix_notice_question_organisation", "organisation_id"),
        *state_checks(QUESTION),
    )

    def audience(self) -> tuple[str, ...]:
        """The asker and the supervision; whoever may not know the asker reads the question on the notice instead."""
        return (f"org:{self.organisation_id}", "role:regulator", "role:auditor")


class RelationAlarm(Base):
    """Two registrants of one notice that their files show to be related; seen by the supervision, never by competitors.

    `relations` are (kind, detail) pairs. `excludes` says that the rule book of the notice keeps such registrants out.
    """

    __tablename__ = "relation_alarm"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    one_registration_id: Mapped[UUID] = uuid_fk("registration.id", index=False)
    other_registration_id: Mapped[UUID] = uuid_fk("registration.id", index=False)
    kind: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String(300))
    excludes: Mapped[bool]
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("procurement_id", "one_registration_id", "other_registration_id", "kind"),
        Index("ix_relation_alarm_found", "found_at"),
        named_check("kind", f"kind IN ({', '.join(repr(kind.value) for kind in Kind)})"),
        named_check("in_order", "one_registration_id < other_registration_id"),
    )


append_only(NoticeRevision, mutable=("outcome", "decided_by", "decided_at", "notice_version"))
append_only(RelationAlarm)
