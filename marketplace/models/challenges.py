"""Objections (异议), queries (质疑), complaints (投诉) and off-list reports, with their statements, files and recusals."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    Stateful,
    UTCDateTime,
    Versioned,
    append_only,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.rules.challenges import ChallengeKind, ComplaintType, Effect, HandledBy, Side, Standing, Target
from marketplace.states.challenge import CHALLENGE

_WATCHERS = ("role:operator", "role:regulator", "role:auditor")


def _one_of(column: str, values: type[StrEnum], *, optional: bool = False) -> CheckConstraint:
    condition = f"{column} IN ({', '.join(repr(value.value) for value in values)})"
    return named_check(column, f"{column} IS NULL OR {condition}" if optional else condition)


class Challenge(Versioned, Stateful, Base):
    """One challenge by one challenger against one thing, from its filing to its published outcome.

    `matter` names what is challenged ("procurement:<id>:result:<registration>"); with kind and challenger it is unique, so that
    nobody challenges the same thing twice. `answer_by` is the limit of the step that is due, `first_answer_by` the limit that
    stood at the beginning. While `frozen_since` is filled and `released_at` empty, the challenge holds the next step of its
    procurement or admission. `challenger` is "org:<id>" or "user:<id>". Name and contacts are those of the filing; the contacts
    are shown to the challenger and to who decides, to nobody else. Instants are UTC.
    """

    __tablename__ = "challenge"
    object_type: ClassVar[str] = "challenge"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    target: Mapped[str] = mapped_column(String(12))
    complaint_type: Mapped[str | None] = mapped_column(String(32))
    matter: Mapped[str] = mapped_column(String(120))
    previous_id: Mapped[UUID | None] = uuid_fk("challenge.id", nullable=True)
    procurement_id: Mapped[UUID | None] = uuid_fk("procurement.id", nullable=True, index=False)
    agency_id: Mapped[UUID | None] = uuid_fk("agency.id", nullable=True, index=False)
    reference: Mapped[str] = mapped_column(String(120), default="")

    # who
    challenger: Mapped[str] = mapped_column(String(48))
    filed_by: Mapped[UUID]
    challenger_organisation_id: Mapped[UUID | None]
    challenger_name: Mapped[str] = mapped_column(String(200))
    standing: Mapped[str] = mapped_column(String(12))
    contact_phone: Mapped[str] = mapped_column(String(40))
    contact_email: Mapped[str] = mapped_column(String(120), default="")
    against: Mapped[str] = mapped_column(String(12))
    against_name: Mapped[str] = mapped_column(String(200))
    against_organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    handled_by: Mapped[str] = mapped_column(String(12))

    # what
    claim: Mapped[str] = mapped_column(Text)
    grounds: Mapped[str] = mapped_column(Text)
    known_on: Mapped[date | None]

    # when
    state: Mapped[str] = mapped_column(String(16))
    rule_book_version: Mapped[int] = mapped_column(Integer)
    filed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    first_answer_by: Mapped[datetime] = mapped_column(UTCDateTime)
    answer_by: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    evidence_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    extended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    extension_reason: Mapped[str | None] = mapped_column(Text)
    overdue_told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    frozen_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    # the end
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(200))
    decision: Mapped[str | None] = mapped_column(Text)
    public_summary: Mapped[str | None] = mapped_column(Text)
    effect: Mapped[str | None] = mapped_column(String(20))
    excluded_registration_id: Mapped[UUID | None]
    document_id: Mapped[UUID | None]
    serve_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    served_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    served_by_reading: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        UniqueConstraint("kind", "matter", "challenger"),
        Index("ix_challenge_procurement", "procurement_id", "state"),
        Index("ix_challenge_agency", "agency_id", "state"),
        Index("ix_challenge_challenger", "challenger", "filed_at"),
        Index("ix_challenge_state_answer", "state", "answer_by"),
        Index("ix_challenge_decided", "decided_at", "id"),
        _one_of("kind", ChallengeKind),
        _one_of("target", Target),
        _one_of("complaint_type", ComplaintType, optional=True),
        _one_of("against", Side),
        _one_of("standing", Standing),
        _one_of("handled_by", HandledBy),
        _one_of("effect", Effect, optional=True),
        named_check("complaint_has_type", "(kind IN ('complaint', 'off_list')) = (complaint_type IS NOT NULL)"),
        named_check("extension_with_reason", "(extended_at IS NULL) = (extension_reason IS NULL)"),
        named_check("released_was_frozen", "released_at IS NULL OR frozen_since IS NOT NULL"),
        *state_checks(CHALLENGE),
    )

    @property
    def subject(self) -> str:
        """What other domains know this challenge by."""
        return f"challenge:{self.id}"

    def audience(self) -> tuple[str, ...]:
        """The challenger, the other side once it is its business, and those who run and watch the supermarket."""
        readers = [f"user:{self.filed_by}", *_WATCHERS]
        if self.challenger_organisation_id:
            readers.append(f"org:{self.challenger_organisation_id}")
        if self.against_organisation_id and self.is_known_to_other_side:
            readers.append(f"org:{self.against_organisation_id}")
        return tuple(readers)

    @property
    def is_known_to_other_side(self) -> bool:
        """An objection or query at once: that side answers it; a complaint from its acceptance on."""
        return self.kind in {ChallengeKind.OBJECTION, ChallengeKind.QUERY} or self.accepted_at is not None


class ChallengeStatement(Base):
    """What one side put forward after the filing; never changed."""

    __tablename__ = "challenge_statement"

    id: Mapped[UUID] = uuid_pk()
    challenge_id: Mapped[UUID] = uuid_fk("challenge.id")
    side: Mapped[str] = mapped_column(String(12))
    author_id: Mapped[UUID]
    author_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    stated_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(ChallengeStatement)


class ChallengeFile(Base):
    """One piece of evidence; with its hash, never changed. `statement_id` is empty for what came with the filing."""

    __tablename__ = "challenge_file"

    id: Mapped[UUID] = uuid_pk()
    challenge_id: Mapped[UUID] = uuid_fk("challenge.id")
    statement_id: Mapped[UUID | None] = uuid_fk("challenge_statement.id", nullable=True)
    side: Mapped[str] = mapped_column(String(12))
    file_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(ChallengeFile)


class ChallengeRecusal(Base):
    """A person of the operator or the regulator who stepped aside (回避) in one challenge, with the reason."""

    __tablename__ = "challenge_recusal"

    id: Mapped[UUID] = uuid_pk()
    challenge_id: Mapped[UUID] = uuid_fk("challenge.id", index=False)
    user_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    declared_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("challenge_id", "user_id"),)


append_only(ChallengeRecusal)
