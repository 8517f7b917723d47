"""Contracts (合同), their signatures, clock pauses and deliverables (成果文件)."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    UTCDateTime,
    Versioned,
    append_only,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.states.contract import CONTRACT
from marketplace.states.engagement import PaymentMoment


class Contract(Versioned, Stateful, Base):
    """One contract between an owner and the agency that was awarded its procurement.

    `document_text` is what both sides are shown and sign; `document_sha256` is the digest of its UTF-8 bytes. Amounts
    are fen, limits working days. `starts_on`, `deadline_on` and `delivered_on` are Beijing dates; `deadline_on` is
    computed when the clock starts and again whenever a pause or a rework ends, so that a later change of the calendar
    does not move it silently. `deadline_provisional`: it rests on a year whose holidays are not announced yet.
    `limit_wd` is what was agreed, `extended_wd` what was granted since. `terms` holds what the owner filled into the open
    fields of the template `template_edition_id` (None: the built-in standard text). `asked_by` and `answer_by` belong to
    the question that is open (a pause, an extension, an end by agreement) or to the settlement proposed in a dispute.
    """

    __tablename__ = "contract"
    object_type: ClassVar[str] = "contract"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id")
    owner_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    agency_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    item_version_id: Mapped[UUID] = uuid_fk("item_version.id")
    case_subject: Mapped[str | None] = mapped_column(String(60))
    rule_book_version: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    price_fen: Mapped[int] = mapped_column(BigInteger)
    limit_wd: Mapped[int] = mapped_column(Integer)
    document_text: Mapped[str] = mapped_column(Text)
    document_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    template_edition_id: Mapped[UUID | None] = uuid_fk("contract_template_edition.id", nullable=True, index=False)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONValue, default=dict)
    payment_moment: Mapped[str] = mapped_column(String(16), default=PaymentMoment.HELD)
    pay_days: Mapped[int] = mapped_column(Integer, default=30)
    sign_by: Mapped[datetime] = mapped_column(UTCDateTime)
    signing_reminders: Mapped[int] = mapped_column(Integer, default=0)
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    starts_on: Mapped[date | None] = mapped_column(Date)
    deadline_on: Mapped[date | None] = mapped_column(Date)
    deadline_provisional: Mapped[bool] = mapped_column(default=False)
    overdue_since: Mapped[date | None] = mapped_column(Date)
    extended_wd: Mapped[int] = mapped_column(Integer, default=0)
    asked_by: Mapped[str | None] = mapped_column(String(12))
    answer_by: Mapped[datetime | None] = mapped_column(UTCDateTime)

    delivered_on: Mapped[date | None] = mapped_column(Date)
    accept_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acceptance_reminders: Mapped[int] = mapped_column(Integer, default=0)
    rework_count: Mapped[int] = mapped_column(Integer, default=0)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    rate_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    rated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    terminated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    termination_cause: Mapped[str | None] = mapped_column(String(16))
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        # one living contract per award; a terminated one may be followed by that of the next in rank
        Index("ix_contract_owner", "owner_organisation_id", "state", "created_at"),
        Index("ix_contract_agency", "agency_organisation_id", "state", "created_at"),
        Index("ix_contract_state_due", "state", "accept_by"),
        CheckConstraint("price_fen > 0", name="price_positive"),
        CheckConstraint("limit_wd > 0", name="limit_positive"),
        CheckConstraint("extended_wd >= 0", name="extended_not_negative"),
        CheckConstraint("pay_days > 0", name="pay_days_positive"),
        CheckConstraint("owner_organisation_id <> agency_organisation_id", name="two_sides"),
        *state_checks(CONTRACT),
    )

    @property
    def subject(self) -> str:
        """What payments and delivery know this contract by."""
        return f"contract:{self.id}"

    def audience(self) -> tuple[str, ...]:
        """Both sides and those who run and watch the supermarket."""
        return (
            f"org:{self.owner_organisation_id}",
            f"org:{self.agency_organisation_id}",
            "role:operator",
            "role:regulator",
            "role:auditor",
        )


class ContractSignature(Base):
    """One side's signature under one text: who, when (UTC) and the digest of what was shown. Never changed."""

    __tablename__ = "contract_signature"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    side: Mapped[str] = mapped_column(String(12))
    organisation_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(120))
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    document_sha256: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("contract_id", "side"),
        CheckConstraint("side IN ('owner', 'agency')", name="side"),
    )


append_only(ContractSignature)


class ClockPause(Base):
    """A time that does not count: asked for by one side and confirmed by the other, or the owner's review of a version.

    The days after `starts_on` up to and including `ends_on` are taken out of the count once it is `confirmed`.
    `reason` is a `PauseReason`, or `review` for the days between handing in and returning a deliverable.
    """

    __tablename__ = "contract_clock_pause"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    reason: Mapped[str] = mapped_column(String(32))
    explanation: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[str] = mapped_column(String(12))
    asked_by_name: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str] = mapped_column(String(12))
    answered_by_name: Mapped[str | None] = mapped_column(String(120))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer_reason: Mapped[str | None] = mapped_column(Text)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    ended_by_name: Mapped[str | None] = mapped_column(String(120))
    end_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("outcome IN ('asked', 'confirmed', 'refused', 'lapsed', 'dropped')", name="outcome"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="in_order"),
    )


class Deliverable(Base):
    """One uploaded version of the deliverable of a milestone, with the digest of its file and who answers for it.

    `practitioners` lists everybody who signs for the content as {"name", "certificate", "on_register"}, the one who leads first
    (also in `practitioner_name` and `practitioner_certificate`); `on_register`: a checked practitioner of the agency that day; `checklist` the points the agency has confirmed.
    """

    __tablename__ = "deliverable"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    file_id: Mapped[UUID]
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_size: Mapped[int] = mapped_column(BigInteger)
    practitioner_name: Mapped[str] = mapped_column(String(60))
    practitioner_certificate: Mapped[str] = mapped_column(String(60), default="")
    practitioners: Mapped[list[Any]] = mapped_column(JSONValue, default=list)
    milestone: Mapped[int] = mapped_column(Integer, default=1)
    checklist: Mapped[list[Any]] = mapped_column(JSONValue, default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    submitted_by_name: Mapped[str] = mapped_column(String(120))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    returned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    return_reason: Mapped[str | None] = mapped_column(Text)
    decided_by_name: Mapped[str | None] = mapped_column(String(120))

    __table_args__ = (
        UniqueConstraint("contract_id", "number"),
        CheckConstraint("accepted_at IS NULL OR returned_at IS NULL", name="one_decision"),
        CheckConstraint("(returned_at IS NULL) = (return_reason IS NULL)", name="returned_with_reason"),
    )


append_only(Deliverable, mutable=("accepted_at", "returned_at", "return_reason", "decided_by_name"))
