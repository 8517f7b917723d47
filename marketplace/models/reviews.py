"""Ratings of finished services (服务评价): requests to rate, ratings, replies, appeals, and the use of deliverables in approvals."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, UTCDateTime, Versioned, append_only, state_checks, uuid_fk, uuid_pk
from marketplace.states.review import RATING_APPEAL, RATING_REQUEST

DIMENSIONS = ("quality", "timeliness", "attitude", "fee", "conformity")
"""What an owner rates; a department rates the first two, an inspection quality and conformity."""
OWNER_DIMENSIONS = ("response", "payment", "clarity")
"""What an agency rates of its owner."""
ALL_STARS = (*DIMENSIONS, *OWNER_DIMENSIONS, "overall")
RATERS = ("owner", "department", "operator", "agency")
_RATER = f"rater IN ({', '.join(repr(rater) for rater in RATERS)})"
_WATCHERS = ("role:operator", "role:regulator", "role:auditor")


class Rating(Base):
    """One rating by one side of one contract. Never changed; only shown (`revealed_at`) and, after an appeal, struck.

    Each dimension is 1 to 5 stars; which are filled depends on `rater`. `stars` is the mean of all of them in hundredths. `on_time`
    is what the clock said, not what the rater thinks. `is_default`: entered by the rule because the owner did not rate; nobody's
    name stands under it. Owner and agency see each other's rating only when both are in or the time is over (`revealed_at`).
    """

    __tablename__ = "rating"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id", index=False)
    rater: Mapped[str] = mapped_column(String(12), default="owner")
    agency_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    owner_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    quality: Mapped[int | None] = mapped_column(Integer)
    timeliness: Mapped[int | None] = mapped_column(Integer)
    attitude: Mapped[int | None] = mapped_column(Integer)
    fee: Mapped[int | None] = mapped_column(Integer)
    conformity: Mapped[int | None] = mapped_column(Integer)
    response: Mapped[int | None] = mapped_column(Integer)
    payment: Mapped[int | None] = mapped_column(Integer)
    clarity: Mapped[int | None] = mapped_column(Integer)
    overall: Mapped[int | None] = mapped_column(Integer)
    stars: Mapped[int] = mapped_column(Integer)
    comment: Mapped[str] = mapped_column(Text, default="")
    on_time: Mapped[bool]
    is_default: Mapped[bool] = mapped_column(default=False)
    rated_by: Mapped[UUID | None]
    rated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revealed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    struck_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("contract_id", "rater"),
        Index("ix_rating_agency", "agency_organisation_id", "rated_at"),
        Index("ix_rating_owner", "owner_organisation_id", "rated_at"),
        CheckConstraint(_RATER, name="rater"),
        CheckConstraint("stars BETWEEN 100 AND 500", name="mean_stars"),
        CheckConstraint("(rated_by IS NULL) = is_default", name="default_has_no_name"),
        CheckConstraint("rater = 'agency' OR quality IS NOT NULL", name="service_rated"),
        CheckConstraint(
            "rater <> 'agency' OR (response IS NOT NULL AND payment IS NOT NULL AND clarity IS NOT NULL)",
            name="owner_rated",
        ),
        *(CheckConstraint(f"{name} IS NULL OR {name} BETWEEN 1 AND 5", name=f"{name}_stars") for name in ALL_STARS),
    )

    @property
    def rated_organisation_id(self) -> UUID:
        """The side that was rated."""
        return self.owner_organisation_id if self.rater == "agency" else self.agency_organisation_id

    @property
    def counts(self) -> bool:
        """Whether everybody sees it and it counts."""
        return self.revealed_at is not None and self.struck_at is None


append_only(Rating, mutable=("revealed_at", "struck_at"))


class RatingRequest(Versioned, Stateful, Base):
    """One side's turn to rate one contract, until `due_at`. `asked_organisation_id` is NULL for the operator's inspection."""

    __tablename__ = "rating_request"
    object_type: ClassVar[str] = "rating_request"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    contract_id: Mapped[UUID] = uuid_fk("contract.id", index=False)
    rater: Mapped[str] = mapped_column(String(12))
    asked_organisation_id: Mapped[UUID | None] = uuid_fk("organisation.id", nullable=True, index=False)
    agency_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    owner_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    number: Mapped[str] = mapped_column(String(24))
    title: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12))

    __table_args__ = (
        UniqueConstraint("contract_id", "rater"),
        Index("ix_rating_request_due", "state", "due_at"),
        Index("ix_rating_request_asked", "asked_organisation_id", "state"),
        CheckConstraint(_RATER, name="rater"),
        *state_checks(RATING_REQUEST),
    )

    def audience(self) -> tuple[str, ...]:
        """Who was asked, and the watchers: who else has rated is told to nobody before both are in."""
        asked = (f"org:{self.asked_organisation_id}",) if self.asked_organisation_id else ()
        return (*asked, *_WATCHERS)


class RatingReply(Base):
    """The public answer of the rated side; one for each rating, never changed."""

    __tablename__ = "rating_reply"

    rating_id: Mapped[UUID] = uuid_fk("rating.id", primary_key=True, index=False)
    text: Mapped[str] = mapped_column(Text)
    replied_by: Mapped[UUID]
    replied_by_name: Mapped[str] = mapped_column(String(120))
    replied_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(RatingReply)


class RatingAppeal(Versioned, Stateful, Base):
    """The rated side's appeal against one rating; one for each rating."""

    __tablename__ = "rating_appeal"
    object_type: ClassVar[str] = "rating_appeal"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    rating_id: Mapped[UUID] = mapped_column()
    contract_id: Mapped[UUID] = uuid_fk("contract.id", index=False)
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    number: Mapped[str] = mapped_column(String(24), unique=True)
    ground: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    file_id: Mapped[UUID | None]
    submitted_by: Mapped[UUID]
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decide_by: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))

    __table_args__ = (
        UniqueConstraint("rating_id"),
        Index("ix_rating_appeal_state", "state", "decide_by"),
        CheckConstraint("ground IN ('facts', 'retaliation', 'extortion', 'abuse')", name="ground"),
        *state_checks(RATING_APPEAL),
    )

    def audience(self) -> tuple[str, ...]:
        """The side that appeals, and who decides."""
        return (f"org:{self.organisation_id}", *_WATCHERS)


class DeliverableUse(Base):
    """An approving department has decided a case with the deliverable of this contract; `first_pass`: granted without a correction."""

    __tablename__ = "deliverable_use"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id", index=False)
    agency_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    department_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    case_number: Mapped[str] = mapped_column(String(24))
    first_pass: Mapped[bool]
    used_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("contract_id"),
        Index("ix_deliverable_use_agency", "agency_organisation_id", "used_at"),
    )


append_only(DeliverableUse)
