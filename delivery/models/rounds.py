"""A courier's day: the round and its stops."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, Versioned, named_check, one_of, state_checks, uuid_fk, uuid_pk
from delivery.states import ROUND, RoundState


class CourierRound(Base, Versioned, Stateful):
    """What one courier brings to doors on one day (投递清单)."""

    __tablename__ = "courier_round"
    object_type: ClassVar[str] = "courier-round"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    hall_organisation_id: Mapped[UUID]
    courier_user_id: Mapped[UUID]
    courier_name: Mapped[str] = mapped_column(sa.String(80))
    work_day: Mapped[date]
    state: Mapped[str] = mapped_column(sa.String(12), default=RoundState.PLANNED)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    set_out_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    storage_key: Mapped[str | None] = mapped_column(sa.String(44))
    """Base64 of the 32 bytes that protect this round on the handset; forgotten when the round ends."""

    handset_no: Mapped[int] = mapped_column(sa.Integer(), default=1, server_default="1")
    """Counted up when the handset is replaced or given up: what an earlier one still sends is kept and does not count."""

    __table_args__ = (
        *state_checks(ROUND),
        named_check("key_dies", "storage_key IS NULL OR state = 'out'"),
        sa.Index("ix_courier_round_hall", "hall_organisation_id", "work_day"),
        sa.Index("ix_courier_round_courier", "courier_user_id", "state"),
    )

    @property
    def thread_id(self) -> UUID:
        """A round is its own journey; each of its parcels has another."""
        return self.id

    def audience(self) -> tuple[str, ...]:
        """The hall; the courier reads it on the handset."""
        return (f"org:{self.hall_organisation_id}",)


class StopState(StrEnum):
    """What became of a stop."""

    OPEN = "open"
    DELIVERED = "delivered"
    FAILED = "failed"
    TAKEN_OFF = "taken_off"
    """Taken off the round. The courier may still have it on the handset, so a late record of it is accepted as proof."""


class RoundStop(Base):
    """One parcel on one round."""

    __tablename__ = "round_stop"

    id: Mapped[UUID] = uuid_pk()
    round_id: Mapped[UUID] = uuid_fk("courier_round.id")
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id")
    position: Mapped[int] = mapped_column(sa.Integer())
    outcome: Mapped[str] = mapped_column(sa.String(12), default=StopState.OPEN)

    __table_args__ = (
        named_check("outcome", one_of("outcome", StopState)),
        sa.UniqueConstraint("round_id", "parcel_id"),
        # a parcel lies on one unfinished stop at most
        sa.Index(
            "uq_round_stop_open", "parcel_id", unique=True, sqlite_where=sa.text("outcome = 'open'"),
            postgresql_where=sa.text("outcome = 'open'"),
        ),
    )  # fmt: skip
