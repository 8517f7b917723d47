"""Measures for violations (违规处理), applications for the repair of credit (信用修复), and the stored scores of each day."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    UTCDateTime,
    Versioned,
    append_only,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.rules.sanctions import Ground, Kind, Level, Side
from marketplace.states.credit import REPAIR, SANCTION, RepairState, SanctionState

_WATCHERS = ("role:operator", "role:regulator", "role:auditor")
PUBLISHED = (SanctionState.IN_FORCE, SanctionState.APPEALED, SanctionState.ENDED)
"""In these states everybody may read a measure; a repaired or revoked one is no longer held up to anybody."""


class Sanction(Versioned, Stateful, Base):
    """One violation of one organisation and what follows from it.

    `evidence` is a list of `{"label", "href"}`. `fingerprint` names what the system found, so that it finds it once. `points` are
    taken from the credit from the day of the decision; `kind`, `item_id` and `months` say what else. `ends_at` is the instant
    after the last day of the term, NULL when there is none. `settled_at`: revoked or repaired, from then on it no longer counts.
    """

    __tablename__ = "credit_sanction"
    object_type: ClassVar[str] = "sanction"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    side: Mapped[str] = mapped_column(String(8))
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    agency_id: Mapped[UUID | None] = uuid_fk("agency.id", nullable=True)
    ground: Mapped[str] = mapped_column(String(24))
    level: Mapped[str] = mapped_column(String(8))
    facts: Mapped[str] = mapped_column(Text)
    facts_params: Mapped[dict[str, Any]] = mapped_column(JSONValue, default=dict)
    evidence: Mapped[list[Any]] = mapped_column(JSONValue)
    file_id: Mapped[UUID | None]
    fingerprint: Mapped[str | None] = mapped_column(String(80), unique=True)
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)
    rule_book_version: Mapped[int] = mapped_column(Integer)

    kind: Mapped[str | None] = mapped_column(String(16))
    points: Mapped[int] = mapped_column(Integer, default=0)
    item_id: Mapped[UUID | None] = uuid_fk("service_item.id", nullable=True, index=False)
    months: Mapped[int | None] = mapped_column(Integer)
    proposed_by: Mapped[UUID | None]
    proposed_by_name: Mapped[str | None] = mapped_column(String(120))
    proposed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    statement: Mapped[str | None] = mapped_column(Text)
    stated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state_by: Mapped[datetime | None] = mapped_column(UTCDateTime)

    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[str | None] = mapped_column(Text)
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    appeal_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    appeal: Mapped[str | None] = mapped_column(Text)
    appealed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    appeal_decided_by: Mapped[UUID | None]
    appeal_decided_by_name: Mapped[str | None] = mapped_column(String(120))
    appeal_decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    appeal_decision: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12))

    __table_args__ = (
        Index("ix_credit_sanction_organisation", "organisation_id", "state"),
        Index("ix_credit_sanction_due", "state", "ends_at"),
        CheckConstraint(one_of("side", Side), name="side"),
        CheckConstraint(one_of("ground", Ground), name="ground"),
        CheckConstraint(one_of("level", Level), name="level"),
        CheckConstraint(f"kind IS NULL OR {one_of('kind', Kind)}", name="kind"),
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_persons"),
        CheckConstraint(
            "appeal_decided_by IS NULL OR (appeal_decided_by <> decided_by AND appeal_decided_by <> proposed_by)",
            name="appeal_by_another",
        ),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="term"),
        *state_checks(SANCTION),
    )

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it."""
        return self.state in PUBLISHED

    def audience(self) -> tuple[str, ...]:
        """The side concerned (once it was told), who decides, and everybody while it is published."""
        told = (f"org:{self.organisation_id}",) if self.state != SanctionState.FOUND else ()
        return (*told, *_WATCHERS, "public") if self.is_public else (*told, *_WATCHERS)


class Repair(Versioned, Stateful, Base):
    """An application of the side concerned that a measure no longer counts, with what it has put right."""

    __tablename__ = "credit_repair"
    object_type: ClassVar[str] = "repair"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    sanction_id: Mapped[UUID] = uuid_fk("credit_sanction.id")
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    text: Mapped[str] = mapped_column(Text)
    file_id: Mapped[UUID | None]
    submitted_by: Mapped[UUID]
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    checked_by: Mapped[UUID | None]
    checked_by_name: Mapped[str | None] = mapped_column(String(120))
    publicity_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))

    __table_args__ = (
        Index("ix_credit_repair_organisation", "organisation_id", "state"),
        CheckConstraint(
            "state <> 'granted' OR decided_by <> checked_by",
            name="two_persons",
        ),
        *state_checks(REPAIR),
    )

    @property
    def is_public(self) -> bool:
        """In publicity, and with its outcome: repairs are decided in the open."""
        return self.state in {RepairState.PUBLICITY, RepairState.GRANTED}

    def audience(self) -> tuple[str, ...]:
        """The applicant, who decides, and everybody from the publicity on."""
        own = (f"org:{self.organisation_id}", *_WATCHERS)
        return (*own, "public") if self.is_public else own


class CreditSnapshot(Base):
    """The score of one agency as it counted on one Beijing day, under one formula and rule book; never changed.

    `parts` holds every component with its facts and weights, so that an old selection can be explained and computed again.
    """

    __tablename__ = "credit_snapshot"

    id: Mapped[UUID] = uuid_pk()
    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False)
    day: Mapped[date] = mapped_column(Date)
    formula: Mapped[str] = mapped_column(String(12))
    rule_book_version: Mapped[int] = mapped_column(Integer)
    hundredths: Mapped[int] = mapped_column(Integer)
    grade: Mapped[str] = mapped_column(String(1))
    parts: Mapped[list[Any]] = mapped_column(JSONValue)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("agency_id", "day"),
        Index("ix_credit_snapshot_day", "day", "agency_id"),
        CheckConstraint("hundredths BETWEEN 0 AND 10000", name="bounds"),
        CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name="grade"),
    )


append_only(CreditSnapshot)
