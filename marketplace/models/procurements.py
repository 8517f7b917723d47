"""Procurements (采购项目), their published notices, the declared conflicts, registrations and the verifiable draw."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    UTCDateTime,
    Versioned,
    append_only,
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.rules.selection.gates import FundSource
from marketplace.rules.selection.methods import DrawPurpose, Method
from marketplace.states.procurement import NOT_PUBLIC, PROCUREMENT, FailureCode
from marketplace.states.registration import REGISTRATION

_WATCHERS = ("role:operator", "role:regulator", "role:auditor")


class Procurement(Versioned, Stateful, Base):
    """One purchase of a service by an owner, from the draft of its notice to the closed file.

    Amounts are fen, `limit_wd` working days of service, instants UTC. Deadlines are computed once, when their period starts,
    and stored. `rule_book_version` is pinned when the notice is published. `case_subject` ("case:<uuid>") links an approval
    case, whose `thread_id` is then shared. `round` counts notices of the same need; `previous_id` is the failed round; `failures`
    counts over all of them. `method_terms` is `MethodTerms.to_json()`. Sealed quotes of `quote_round` are taken until `quotes_end_at`;
    the first round ends with the registration. `award_fen` is the price of the present winner.
    """

    __tablename__ = "procurement"
    object_type: ClassVar[str] = "procurement"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    owner_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    created_by: Mapped[UUID | None]
    item_version_id: Mapped[UUID] = uuid_fk("item_version.id")
    case_subject: Mapped[str | None] = mapped_column(String(60), index=True)
    round: Mapped[int] = mapped_column(Integer, default=1)
    previous_id: Mapped[UUID | None] = uuid_fk("procurement.id", nullable=True)

    # what
    title: Mapped[str] = mapped_column(String(200))
    project_name: Mapped[str] = mapped_column(String(200))
    project_code: Mapped[str | None] = mapped_column(String(40))
    region_code: Mapped[str] = mapped_column(String(6))
    place: Mapped[str] = mapped_column(String(200), default="")
    scale: Mapped[str] = mapped_column(String(500), default="")
    content: Mapped[str] = mapped_column(Text)
    limit_wd: Mapped[int] = mapped_column(Integer)

    # money
    fund_source: Mapped[str] = mapped_column(String(12))
    budget_fen: Mapped[int] = mapped_column(BigInteger)
    ceiling_fen: Mapped[int | None] = mapped_column(BigInteger)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    amount_note: Mapped[str] = mapped_column(String(500), default="")

    # who may apply, and how one is chosen
    qualification_rule: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    demanded_grade: Mapped[str] = mapped_column(String(8), default="")
    demanded_region: Mapped[str] = mapped_column(String(6), default="")
    has_avoidance: Mapped[bool] = mapped_column(default=False)
    method: Mapped[str] = mapped_column(String(16))
    method_terms: Mapped[dict[str, Any]] = mapped_column(JSONValue, default=dict, server_default="{}")
    seats: Mapped[int] = mapped_column(Integer, default=1)
    has_witness: Mapped[bool] = mapped_column(default=False)

    # contacts
    contact_name: Mapped[str] = mapped_column(String(80))
    contact_phone: Mapped[str] = mapped_column(String(40))
    complaint_phone: Mapped[str] = mapped_column(String(40))

    state: Mapped[str] = mapped_column(String(24))
    rule_book_version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    registration_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    questions_close_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revised_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    quote_round: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    quotes_open_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    quotes_end_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    beacon_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    compare_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    selected_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    publicity_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    awarded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirm_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    is_extended: Mapped[bool] = mapped_column(default=False)
    failure_code: Mapped[str | None] = mapped_column(String(24))
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    paused_from: Mapped[str | None] = mapped_column(String(24))
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    winner_registration_id: Mapped[UUID | None]
    winner_organisation_id: Mapped[UUID | None]
    award_fen: Mapped[int | None]
    succession_proposed_by: Mapped[UUID | None]
    succession_proposed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    award_document_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_procurement_state_ends", "state", "registration_ends_at", "id"),
        Index("ix_procurement_state_publicity", "state", "publicity_ends_at"),
        Index("ix_procurement_state_confirm", "state", "confirm_by"),
        Index("ix_procurement_owner", "owner_organisation_id", "state", "created_at"),
        Index("ix_procurement_winner", "winner_organisation_id", "state"),
        Index("ix_procurement_published", "published_at", "id"),
        CheckConstraint("budget_fen > 0", name="budget_positive"),
        CheckConstraint("price_fen > 0 AND price_fen <= budget_fen", name="price_within_budget"),
        CheckConstraint(
            "ceiling_fen IS NULL OR (price_fen <= ceiling_fen AND ceiling_fen <= budget_fen)", name="ceiling"
        ),
        CheckConstraint("limit_wd > 0", name="limit_positive"),
        CheckConstraint("seats = 1", name="one_seat"),
        CheckConstraint(
            "award_fen IS NULL OR (award_fen > 0 AND award_fen <= COALESCE(ceiling_fen, budget_fen))", name="award_fen"
        ),
        CheckConstraint("quote_round >= 1 AND failures >= 0", name="counters"),
        CheckConstraint("(winner_registration_id IS NULL) = (winner_organisation_id IS NULL)", name="winner_whole"),
        CheckConstraint(one_of("fund_source", FundSource), name="fund_source"),
        named_check("method", one_of("method", Method)),
        named_check("failure_code", f"failure_code IS NULL OR {one_of('failure_code', FailureCode)}"),
        *state_checks(PROCUREMENT),
    )

    @property
    def subject(self) -> str:
        """What other domains know this procurement by."""
        return f"procurement:{self.id}"

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it: from its first publication on."""
        return self.published_at is not None and self.state not in NOT_PUBLIC

    def audience(self) -> tuple[str, ...]:
        """The owner, those who run and watch the supermarket, and everybody once the notice is public."""
        readers = (f"org:{self.owner_organisation_id}", *_WATCHERS)
        return (*readers, "public") if self.is_public else readers


class ProcurementNotice(Base):
    """One published version of a notice. Its content is frozen with its digest; an extension publishes the next version.

    `content` holds every public field as it was published; `sha256` is the digest of its canonical JSON.
    """

    __tablename__ = "procurement_notice"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id")
    version: Mapped[int] = mapped_column(Integer)
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_by: Mapped[UUID | None]

    __table_args__ = (UniqueConstraint("procurement_id", "version"),)


append_only(ProcurementNotice)


class AvoidedAgency(Base):
    """An agency the owner must avoid (回避) in one procurement, with the declared reason."""

    __tablename__ = "avoided_agency"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id")
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))

    __table_args__ = (UniqueConstraint("procurement_id", "uscc"),)


class Registration(Versioned, Stateful, Base):
    """One agency's registration (报名) for one procurement; withdrawn and renewed in the same row.

    `contribution` are the 64 hex digits it adds to the draw. `eligibility` and `final_eligibility` are `Verdict.to_json()`
    of the moment of registration and of the deadline. Name and code are those of that moment. `credit_points` (0 to 100) are those
    of the day of the deadline, where the method goes by credit.
    """

    __tablename__ = "registration"
    object_type: ClassVar[str] = "registration"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    agency_id: Mapped[UUID] = uuid_fk("agency.id")
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    owner_organisation_id: Mapped[UUID]
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    contribution: Mapped[str] = mapped_column(String(64))
    eligibility: Mapped[list[Any]] = mapped_column(JSONValue)
    final_eligibility: Mapped[list[Any] | None] = mapped_column(JSONValue)
    credit_points: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    registered_by: Mapped[UUID | None]
    registered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("procurement_id", "agency_id"),
        Index("ix_registration_organisation", "organisation_id", "state", "registered_at"),
        Index("ix_registration_procurement", "procurement_id", "state", "uscc"),
        CheckConstraint("length(contribution) = 64", name="contribution"),
        *state_checks(REGISTRATION),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency and the watchers; the owner learns who registered from the frozen list, not before."""
        return (f"org:{self.organisation_id}", *_WATCHERS)


class Draw(Base):
    """One frozen draw. Nothing here can be written again: `draw_file` are the canonical bytes of `draw.txt`.

    `challenge_ends_at` ends the time in which a missing or wrongly listed participant can stop the draw; the announced
    values become public at `beacon_due_at`, not before it.
    """

    __tablename__ = "draw"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id")
    code: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(16), default=DrawPurpose.SELECTION, server_default="selection")
    is_demonstration: Mapped[bool]
    sources: Mapped[list[Any]] = mapped_column(JSONValue)
    entries: Mapped[int] = mapped_column(Integer)
    draw_file: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    frozen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    challenge_ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    beacon_due_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (CheckConstraint("beacon_due_at > frozen_at", name="beacon_after_freeze"),)


append_only(Draw)


class DrawValueEntry(Base):
    """One person's reading of one announced value. Two different persons must enter the same text; none can be changed."""

    __tablename__ = "draw_value_entry"

    id: Mapped[UUID] = uuid_pk()
    draw_id: Mapped[UUID] = uuid_fk("draw.id", index=False)
    source: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(200))
    entered_by: Mapped[UUID | None]
    entered_by_name: Mapped[str] = mapped_column(String(120))
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("draw_id", "source", "entered_by", "value"),)


append_only(DrawValueEntry)


class DrawOutcome(Base):
    """The beacon file and the seed of a draw; one per draw, never changed."""

    __tablename__ = "draw_outcome"

    draw_id: Mapped[UUID] = uuid_fk("draw.id", primary_key=True, index=False)
    beacon_file: Mapped[bytes] = mapped_column(LargeBinary)
    seed: Mapped[str] = mapped_column(String(64))
    ranked_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(DrawOutcome)


class DrawRank(Base):
    """One place of the complete order; successions follow it, it is never computed again."""

    __tablename__ = "draw_rank"

    draw_id: Mapped[UUID] = uuid_fk("draw.id", primary_key=True, index=False)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    registration_id: Mapped[UUID] = uuid_fk("registration.id")
    uscc: Mapped[str] = mapped_column(String(18))
    score: Mapped[str] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("draw_id", "uscc"),)


append_only(DrawRank)
