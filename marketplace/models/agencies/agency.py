"""Agencies (中介服务机构), the papers and services of their admission, the measures against them, and their record."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

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
from marketplace.rules.standing import MeasureKind
from marketplace.states.agency import AGENCY

if TYPE_CHECKING:
    from marketplace.models.agencies.certificates import Qualification


class Agency(Stateful, Versioned, Base):
    """An organisation's admission to the supermarket.

    `uscc` is the unified social credit code (GB 32100-2015). `check_due_at` and `publicity_ends_at` are computed once from the rule
    book pinned in `rule_book_version`, so a later holiday change or rule change does not move them. While `open_objections` is above
    zero the admission waits. `may_reapply_at` ends the cool-off of one that left or was removed. Instants are UTC.
    """

    __tablename__ = "agency"
    object_type: ClassVar[str] = "agency"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), unique=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(24))
    region_code: Mapped[str] = mapped_column(String(6))
    address: Mapped[str] = mapped_column(String(200), default="")
    legal_representative: Mapped[str] = mapped_column(String(60), default="")
    contact_name: Mapped[str] = mapped_column(String(60), default="")
    contact_mobile: Mapped[str] = mapped_column(String(20), default="")
    contact_email: Mapped[str] = mapped_column(String(120), default="")
    introduction: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16))
    rule_book_version: Mapped[int] = mapped_column(Integer)
    commitment_signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    commitment_signed_by: Mapped[UUID | None]
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    publicity_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    admitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    open_objections: Mapped[int] = mapped_column(Integer, default=0)
    exit_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    may_reapply_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    qualifications: Mapped[list["Qualification"]] = relationship(back_populates="agency", lazy="raise")

    __table_args__ = (
        Index("ix_agency_state_name", "state", "name", "id"),
        Index("ix_agency_state_due", "state", "publicity_ends_at"),
        named_check("objections_counted", "open_objections >= 0"),
        *state_checks(AGENCY),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency itself and those who run and watch the supermarket."""
        return (f"org:{self.organisation_id}", "role:operator", "role:regulator", "role:auditor")


class ChosenService(Base):
    """A service item that the agency wants to offer: what its checklist asks for follows from these."""

    __tablename__ = "agency_service"

    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False, primary_key=True)
    item_id: Mapped[UUID] = uuid_fk("service_item.id", primary_key=True)


class AgencyMeasure(Base):
    """A measure that bears on an agency's standing: restriction for one item, suspension, blacklist, removal.

    `item_id` names the service of a restriction. `source` says what it rests on (`sanction:<id>`, or "" for a decision of the
    desk). It holds until `ends_at` (None: until it is lifted). Only its end is ever written later.
    """

    __tablename__ = "agency_measure"

    id: Mapped[UUID] = uuid_pk()
    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False)
    kind: Mapped[str] = mapped_column(String(16))
    item_id: Mapped[UUID | None] = uuid_fk("service_item.id", nullable=True)
    reason: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(80), default="")
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lift_reason: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("ix_agency_measure_open", "agency_id", "lifted_at"),
        Index("ix_agency_measure_due", "lifted_at", "ends_at"),
        named_check("known_measure", f"kind IN ({', '.join(repr(kind.value) for kind in MeasureKind)})"),
        named_check("restriction_names_its_service", "(kind = 'restrict') = (item_id IS NOT NULL)"),
    )


class AgencyDocument(Base):
    """One uploaded paper of the admission file: business licence, letter of commitment, identity paper, authority."""

    __tablename__ = "agency_document"

    id: Mapped[UUID] = uuid_pk()
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    kind: Mapped[str] = mapped_column(String(32))
    file_id: Mapped[UUID]
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FormCheck(Base):
    """One form check by the operator: what was looked at, what was found, what was decided. Never changed afterwards.

    `findings` maps a checklist key (`licence`, `commitment`, `qualification:<id>`) to `{"passed": bool, "reason": str}`.
    """

    __tablename__ = "agency_form_check"

    id: Mapped[UUID] = uuid_pk()
    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False)
    round: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    findings: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    checked_by: Mapped[UUID]
    checked_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("agency_id", "round"),)


class AgencyRecord(Base):
    """The record of an agency, folded from finished contracts and ratings; what search and the agency page show.

    Percentages and ratings are kept as their parts (counts and sums) so that no rounding piles up. `rating_sum` adds ratings in
    hundredths of a star (1.00 to 5.00 as 100 to 500).
    """

    __tablename__ = "agency_record"

    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False, primary_key=True)
    awards: Mapped[int] = mapped_column(Integer, default=0)
    delivered: Mapped[int] = mapped_column(Integer, default=0)
    delivered_on_time: Mapped[int] = mapped_column(Integer, default=0)
    rating_count: Mapped[int] = mapped_column(Integer, default=0)
    rating_sum: Mapped[int] = mapped_column(Integer, default=0)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (named_check("on_time_within_delivered", "delivered_on_time <= delivered"),)


append_only(FormCheck)
append_only(AgencyMeasure, mutable=("lifted_at", "lift_reason"))
