"""What was agreed for one parcel beside its receiver: where it goes, who pays, the promised day, the receiver's link."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, named_check, one_of, uuid_fk
from delivery.terms import FeeMode


class FeeState(StrEnum):
    """What became of the postage that an applicant owes."""

    NONE = "none"
    OWED = "owed"
    PAID = "paid"


class ParcelTerms(Base):
    """One row a parcel. `fee_fen` is the posted tariff at the time of the order."""

    __tablename__ = "parcel_terms"

    parcel_id: Mapped[UUID] = mapped_column(sa.ForeignKey("parcel.id"), primary_key=True)
    collection_point_id: Mapped[UUID | None] = uuid_fk("collection_point.id", nullable=True)
    fee_mode: Mapped[str] = mapped_column(sa.String(12), default=FeeMode.GOVERNMENT)
    fee_fen: Mapped[int] = mapped_column(sa.BigInteger(), default=0)
    fee_state: Mapped[str] = mapped_column(sa.String(8), default=FeeState.NONE)
    promised_on: Mapped[date | None] = mapped_column(sa.Date())
    preferred_day: Mapped[date | None] = mapped_column(sa.Date())
    own_contents: Mapped[str | None] = mapped_column(sa.String(200))
    """What was in this parcel before another one was put into it."""
    serve_alarm_wd: Mapped[int | None] = mapped_column(sa.Integer())
    """The last alarm that was given, in working days before the end; each is given once."""
    link_no: Mapped[int] = mapped_column(sa.Integer(), default=0)
    """Counted up to make every earlier link of the receiver void."""
    code_tries: Mapped[int] = mapped_column(sa.Integer(), default=0)
    """Wrong pick-up codes since the last right one, at the door, in the hall and on the web together."""
    code_locked_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("fee_mode", one_of("fee_mode", FeeMode)),
        named_check("fee_state", one_of("fee_state", FeeState)),
        named_check("fee", "fee_fen >= 0"),
    )
