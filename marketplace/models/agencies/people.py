"""The people behind an agency: representatives, shareholders, and its practitioners (执业人员).

An identity number is never stored: `id_digest` is a keyed digest that finds the same person again, `id_masked` is what pages show.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, UTCDateTime, Versioned, named_check, state_checks, uuid_fk, uuid_pk
from marketplace.rules.people import PersonPart
from marketplace.states.agency import PRACTITIONER

_FULL_TIME = text("is_full_time AND state IN ('pending', 'valid')")
_STILL = text("ended_at IS NULL")


class AgencyPerson(Base):
    """A person or body that stands behind an agency: legal or authorised representative, shareholder, actual controller.

    Conflicts between participants are found by `id_digest` (of an identity number or of a unified social credit code).
    `share_permille` is a shareholder's part in thousandths. A row ends (`ended_at`), it is never deleted.
    """

    __tablename__ = "agency_person"

    id: Mapped[UUID] = uuid_pk()
    agency_id: Mapped[UUID] = uuid_fk("agency.id", index=False)
    part: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(120))
    is_body: Mapped[bool] = mapped_column(Boolean, default=False)
    id_digest: Mapped[str] = mapped_column(String(64))
    id_masked: Mapped[str] = mapped_column(String(24))
    mobile: Mapped[str] = mapped_column(String(20), default="")
    share_permille: Mapped[int | None] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("ix_agency_person_agency", "agency_id", "ended_at"),
        Index("ix_agency_person_digest", "id_digest"),
        # One legal representative at a time, and nobody twice in the same part.
        Index(
            "uq_agency_person_representative",
            "agency_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL AND part = 'legal_representative'"),
            postgresql_where=text("ended_at IS NULL AND part = 'legal_representative'"),
        ),
        Index(
            "uq_agency_person_still",
            "agency_id",
            "part",
            "id_digest",
            unique=True,
            sqlite_where=_STILL,
            postgresql_where=_STILL,
        ),
        named_check("known_part", f"part IN ({', '.join(repr(part.value) for part in PersonPart)})"),
        named_check("share_in_thousandths", "share_permille IS NULL OR share_permille BETWEEN 1 AND 1000"),
    )


class Practitioner(Stateful, Versioned, Base):
    """A practitioner on an agency's staff. A person is full-time at one agency at a time: the database holds it.

    `leaves_on` is the last day on the staff, once it is known; `leaves_at` the instant after it.
    """

    __tablename__ = "practitioner"
    object_type: ClassVar[str] = "practitioner"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    organisation_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(60))
    id_digest: Mapped[str] = mapped_column(String(64), index=True)
    id_masked: Mapped[str] = mapped_column(String(24))
    is_full_time: Mapped[bool] = mapped_column(Boolean)
    title: Mapped[str] = mapped_column(String(60), default="")
    employed_from: Mapped[date]
    leaves_on: Mapped[date | None]
    leaves_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    insurance_file_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index(
            "uq_practitioner_full_time",
            "id_digest",
            unique=True,
            sqlite_where=_FULL_TIME,
            postgresql_where=_FULL_TIME,
        ),
        Index("ix_practitioner_state_leaves", "state", "leaves_at"),
        *state_checks(PRACTITIONER),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency and those who run and watch the supermarket; the public sees the masked name on the agency's page."""
        return (f"org:{self.organisation_id}", "role:operator", "role:regulator", "role:auditor")
