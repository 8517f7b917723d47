"""Letters of authority (委托书)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, Versioned, named_check, one_of, state_checks, uuid_fk, uuid_pk
from delivery.doorstep import IdType
from delivery.states import LETTER, LetterState


class LetterScope(StrEnum):
    """What the agent may do."""

    DOOR = "door"
    WINDOW = "window"
    BOTH = "both"


class LetterOfAuthority(Base, Versioned, Stateful):
    """One letter for one parcel. At most one is in force."""

    __tablename__ = "letter_of_authority"
    object_type: ClassVar[str] = "letter-of-authority"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    thread_id: Mapped[UUID]
    hall_organisation_id: Mapped[UUID]
    applicant_user_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(sa.String(12), default=LetterState.GRANTED)
    agent_name: Mapped[str] = mapped_column(sa.String(60))
    agent_id_type: Mapped[str] = mapped_column(sa.String(20))
    agent_id_last4: Mapped[str] = mapped_column(sa.String(4))
    scope: Mapped[str] = mapped_column(sa.String(8))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    file_id: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        *state_checks(LETTER),
        named_check("agent_id_type", one_of("agent_id_type", IdType)),
        named_check("scope", one_of("scope", LetterScope)),
        named_check("validity", "valid_until > valid_from"),
        sa.Index("ix_letter_of_authority_due", "state", "valid_until"),
        sa.Index(
            "uq_letter_of_authority_granted", "parcel_id", unique=True, sqlite_where=sa.text("state = 'granted'"),
            postgresql_where=sa.text("state = 'granted'"),
        ),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The hall and the applicant."""
        return (f"org:{self.hall_organisation_id}", f"user:{self.applicant_user_id}")
