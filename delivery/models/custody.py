"""Who held a paper when: every hand-over as one step of a chain that cannot be rewritten."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, append_only, named_check, one_of, uuid_fk, uuid_pk
from delivery.custody import CustodyKind, Holder


class CustodyStep(Base):
    """One hand-over (交接); of a receiver it holds the masked name only. `digest` covers the step and the digest before it, so that no step can be left out later."""

    __tablename__ = "custody_step"

    id: Mapped[UUID] = uuid_pk()
    parcel_id: Mapped[UUID] = uuid_fk("parcel.id", index=False)
    position: Mapped[int] = mapped_column(sa.Integer())
    kind: Mapped[str] = mapped_column(sa.String(16))
    giver: Mapped[str] = mapped_column(sa.String(12))
    giver_name: Mapped[str] = mapped_column(sa.String(80), default="")
    taker: Mapped[str] = mapped_column(sa.String(12))
    taker_name: Mapped[str] = mapped_column(sa.String(80), default="")
    place: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[datetime]
    pieces: Mapped[int] = mapped_column(sa.Integer(), default=1)
    seal_no: Mapped[str | None] = mapped_column(sa.String(40))
    waybill_no: Mapped[str | None] = mapped_column(sa.String(20))
    scanned: Mapped[bool]
    evidence: Mapped[dict[str, Any]]
    """What proves the step: number of the list, key of the carrier's report, hashes of photo and signature."""
    before: Mapped[str] = mapped_column(sa.String(64), default="")
    digest: Mapped[str] = mapped_column(sa.String(64))
    audit_event_id: Mapped[UUID]

    __table_args__ = (
        named_check("kind", one_of("kind", CustodyKind)),
        named_check("holders", f"{one_of('giver', Holder)} AND {one_of('taker', Holder)} AND giver <> taker"),
        sa.UniqueConstraint("parcel_id", "position"),
        sa.Index("ix_custody_step_at", "at"),
    )


append_only(CustodyStep)
