"""Agencies (中介服务机构), their documents, their qualification certificates and their record."""

from datetime import date, datetime
from typing import Any, ClassVar
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
from marketplace.states.agency import AGENCY, QUALIFICATION


class Agency(Stateful, Versioned, Base):
    """An organisation's admission to the supermarket.

    `uscc` is the unified social credit code (GB 32100-2015). `check_due_at` and `publicity_ends_at` are computed once from the rule
    book pinned in `rule_book_version`, so a later holiday change or rule change does not move them. Instants are UTC.
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
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    qualifications: Mapped[list["Qualification"]] = relationship(back_populates="agency", lazy="raise")

    __table_args__ = (
        Index("ix_agency_state_name", "state", "name", "id"),
        Index("ix_agency_state_due", "state", "publicity_ends_at"),
        *state_checks(AGENCY),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency itself and those who run and watch the supermarket."""
        return (f"org:{self.organisation_id}", "role:operator", "role:regulator", "role:auditor")


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


class Qualification(Stateful, Versioned, Base):
    """One qualification certificate (资质证书). `expires_on` is the last Beijing day on which it is valid; None means unlimited.

    `expires_at` is the instant after that day: the moment the system expires the certificate.
    """

    __tablename__ = "qualification"
    object_type: ClassVar[str] = "qualification"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    organisation_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(40))
    grade: Mapped[str] = mapped_column(String(8), default="")
    number: Mapped[str] = mapped_column(String(60))
    issuer: Mapped[str] = mapped_column(String(120), default="")
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    file_id: Mapped[UUID | None]
    reminded_days: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    agency: Mapped[Agency] = relationship(back_populates="qualifications", lazy="raise")

    __table_args__ = (
        UniqueConstraint("agency_id", "kind", "number"),
        Index("ix_qualification_state_expires", "state", "expires_at"),
        *state_checks(QUALIFICATION),
    )

    def audience(self) -> tuple[str, ...]:
        """Certificates are public facts once they are valid; the papers behind them are not."""
        return (f"org:{self.organisation_id}", "role:operator", "role:regulator", "role:auditor")


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
