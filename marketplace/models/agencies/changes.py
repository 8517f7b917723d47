"""Requests to change what was checked (变更申请): the old data stay valid until the operator decides."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    UTCDateTime,
    Versioned,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.rules.changes import ChangeKind
from marketplace.states.agency import AGENCY_CHANGE

_ONE_OF_A_KIND = text("state = 'pending' AND kind IN ('basic', 'representative')")


class AgencyChange(Stateful, Versioned, Base):
    """One request. `proposed` holds the new values, `before` the old ones when it was made.

    A change of qualification or staff rests on a new object (`subject_id`: the pending certificate or practitioner); it is
    accepted or refused with it.
    """

    __tablename__ = "agency_change"
    object_type: ClassVar[str] = "agency_change"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    organisation_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    proposed: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    before: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    note: Mapped[str] = mapped_column(Text, default="")
    file_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(16))
    asked_by_name: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_name: Mapped[str] = mapped_column(String(80), default="")
    decision_reason: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("ix_agency_change_state_due", "state", "due_at"),
        Index(
            "uq_agency_change_pending",
            "agency_id",
            "kind",
            unique=True,
            sqlite_where=_ONE_OF_A_KIND,
            postgresql_where=_ONE_OF_A_KIND,
        ),
        named_check("known_kind", f"kind IN ({', '.join(repr(kind.value) for kind in ChangeKind)})"),
        *state_checks(AGENCY_CHANGE),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency and those who run and watch the supermarket."""
        return (f"org:{self.organisation_id}", "role:operator", "role:regulator", "role:auditor")
