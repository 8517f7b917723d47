"""Certificates: qualifications of an agency (资质证书) and practising certificates of its people (执业证书), and their reminders."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Stateful, UTCDateTime, Versioned, append_only, state_checks, uuid_fk, uuid_pk
from marketplace.models.agencies.agency import Agency
from marketplace.states.agency import QUALIFICATION

_CURRENT = text("state IN ('pending', 'valid')")


class Qualification(Stateful, Versioned, Base):
    """One certificate. `practitioner_id` names the person who holds it; None: the agency itself.

    `expires_on` is the last Beijing day on which it is valid, None means unlimited; `expires_at` is the instant after that day:
    the moment the system expires it. A renewed certificate is a new row, entered while the old one still counts.
    """

    __tablename__ = "qualification"
    object_type: ClassVar[str] = "qualification"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    organisation_id: Mapped[UUID]
    practitioner_id: Mapped[UUID | None] = uuid_fk("practitioner.id", nullable=True)
    kind: Mapped[str] = mapped_column(String(40))
    grade: Mapped[str] = mapped_column(String(8), default="")
    number: Mapped[str] = mapped_column(String(60))
    issuer: Mapped[str] = mapped_column(String(120), default="")
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    file_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    agency: Mapped[Agency] = relationship(back_populates="qualifications", lazy="raise")

    __table_args__ = (
        Index(
            "uq_qualification_current",
            "agency_id",
            "kind",
            "number",
            "expires_on",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_qualification_state_expires", "state", "expires_at"),
        *state_checks(QUALIFICATION),
    )

    def audience(self) -> tuple[str, ...]:
        """Certificates are public facts once they are valid; the papers behind them are not."""
        return (f"org:{self.organisation_id}", "role:operator", "role:regulator", "role:auditor")


class ExpiryReminder(Base):
    """One reminder that a certificate expires, at one distance in days. The key makes each distance happen once."""

    __tablename__ = "qualification_reminder"

    id: Mapped[UUID] = uuid_pk()
    qualification_id: Mapped[UUID] = uuid_fk("qualification.id", index=False)
    days: Mapped[int] = mapped_column(Integer)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("qualification_id", "days"),)


append_only(ExpiryReminder)
