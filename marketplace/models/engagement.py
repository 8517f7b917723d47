"""What happens around a contract: templates, milestones, questions, disputes, notices of breach, evidence."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.calendar import beijing_date
from app.kernel.db import Base, JSONValue, Stateful, UTCDateTime, Versioned, append_only, uuid_fk, uuid_pk

_SIDE = "IN ('owner', 'agency')"


class ContractTemplate(Versioned, Stateful, Base):
    """The working draft of the contract text of one item, or of all items without their own (`item_id` None).

    `scope` is the id of the item or "all", so that each has one template. What was published is in its editions; `edition` is the number of the newest, 0 while there is none;
    `is_published`: the draft is that edition.
    """

    __tablename__ = "contract_template"
    object_type: ClassVar[str] = "contract_template"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    scope: Mapped[str] = mapped_column(String(36), unique=True)
    item_id: Mapped[UUID | None] = uuid_fk("service_item.id", nullable=True)
    title: Mapped[str] = mapped_column(String(120))
    is_published: Mapped[bool] = mapped_column(default=False)
    edition: Mapped[int] = mapped_column(Integer, default=0)
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_by_name: Mapped[str] = mapped_column(String(120))

    def audience(self) -> tuple[str, ...]:
        """Those who keep the rules."""
        return ("role:operator", "role:regulator", "role:auditor")


class ContractTemplateEdition(Base):
    """One published text. Never changed: contracts refer to it. `content` as `marketplace.services.contracts.templates` writes it."""

    __tablename__ = "contract_template_edition"

    id: Mapped[UUID] = uuid_pk()
    template_id: Mapped[UUID] = uuid_fk("contract_template.id", index=False)
    edition: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(120))
    content: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_by_name: Mapped[str] = mapped_column(String(120))

    __table_args__ = (UniqueConstraint("template_id", "edition"),)


append_only(ContractTemplateEdition)


class Milestone(Base):
    """A part of the service with its share of the price. Amounts are fen; the amounts of a contract sum to its price.

    `due_on` is the Beijing day by which an open bill must be paid. A bill ends in exactly one way: the money is released to
    the agency, refunded to the owner, or the unpaid bill is withdrawn.
    """

    __tablename__ = "contract_milestone"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id", index=False)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(120))
    acceptance: Mapped[str] = mapped_column(Text, default="")
    share: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    bill_id: Mapped[UUID | None]
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    payment_reminders: Mapped[int] = mapped_column(Integer, default=0)
    overdue_since: Mapped[date | None] = mapped_column(Date)
    funded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refund_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refunded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("contract_id", "position"),
        Index("uq_contract_milestone_bill", "bill_id", unique=True),
        Index("ix_contract_milestone_due", "due_at"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("share BETWEEN 1 AND 100", name="share_percent"),
        CheckConstraint("(bill_id IS NULL) = (due_at IS NULL)", name="bill_with_date"),
        CheckConstraint(
            "released_at IS NULL OR (accepted_at IS NOT NULL AND funded_at IS NOT NULL)", name="released_when_earned"
        ),
        CheckConstraint(
            "(CASE WHEN released_at IS NULL THEN 0 ELSE 1 END) + (CASE WHEN refunded_at IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN withdrawn_at IS NULL THEN 0 ELSE 1 END) <= 1",
            name="one_end",
        ),
    )

    @property
    def is_owed(self) -> bool:
        """Whether its bill is open and unpaid."""
        return self.bill_id is not None and self.funded_at is None and self.withdrawn_at is None

    @property
    def is_settled(self) -> bool:
        """Whether no money of it is on its way any more."""
        return self.bill_id is None or any((self.released_at, self.refunded_at, self.withdrawn_at))

    @property
    def due_on(self) -> date | None:
        """The Beijing day until which it must be paid, None while there is no bill."""
        return beijing_date(self.due_at) if self.due_at else None


class ContractQuestion(Base):
    """A question of one side that the other decides: an extension by `days_wd` working days, or an end by agreement."""

    __tablename__ = "contract_question"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    kind: Mapped[str] = mapped_column(String(12))
    days_wd: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(12))
    asked_by_name: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer_by: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[str] = mapped_column(String(12))
    answered_by_name: Mapped[str | None] = mapped_column(String(120))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "uq_contract_question_open",
            "contract_id",
            unique=True,
            sqlite_where=text("outcome = 'asked'"),
            postgresql_where=text("outcome = 'asked'"),
        ),
        CheckConstraint("outcome IN ('asked', 'agreed', 'refused', 'lapsed', 'dropped')", name="outcome"),
        CheckConstraint("(kind = 'extension' AND days_wd > 0) OR (kind = 'end' AND days_wd IS NULL)", name="kind"),
        CheckConstraint(f"asked_by {_SIDE}", name="side"),
    )


class Dispute(Base):
    """A dispute (争议) and its settlement, by agreement of both sides or by the operator's record of the mediation."""

    __tablename__ = "contract_dispute"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    opened_by: Mapped[str] = mapped_column(String(12))
    opened_by_name: Mapped[str] = mapped_column(String(120))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    began_in: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str | None] = mapped_column(String(12))
    proposed_by_name: Mapped[str | None] = mapped_column(String(120))
    proposed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    proposal: Mapped[str | None] = mapped_column(String(12))
    proposal_text: Mapped[str | None] = mapped_column(Text)
    proposed_agency_fen: Mapped[int | None] = mapped_column(BigInteger)
    settlement: Mapped[str | None] = mapped_column(String(12))
    settled_how: Mapped[str | None] = mapped_column(String(12))
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settled_by_name: Mapped[str | None] = mapped_column(String(120))
    settlement_text: Mapped[str | None] = mapped_column(Text)
    agency_fen: Mapped[int | None] = mapped_column(BigInteger)
    days_count: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index(
            "uq_contract_dispute_open",
            "contract_id",
            unique=True,
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        CheckConstraint(f"opened_by {_SIDE}", name="side"),
        CheckConstraint("settlement IS NULL OR settlement IN ('continue', 'accept', 'terminate')", name="settlement"),
        CheckConstraint("settled_how IS NULL OR settled_how IN ('agreement', 'mediation')", name="settled_how"),
        CheckConstraint("(settlement IS NULL) = (settled_at IS NULL)", name="settled_with_outcome"),
    )


class BreachNotice(Base):
    """One side's notice that the other breaks the contract, with the time to mend it (违约通知、补正期限)."""

    __tablename__ = "contract_breach_notice"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    kind: Mapped[str] = mapped_column(String(20))
    facts: Mapped[str] = mapped_column(Text)
    sent_by: Mapped[str] = mapped_column(String(12))
    sent_by_name: Mapped[str] = mapped_column(String(120))
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cure_by: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_how: Mapped[str | None] = mapped_column(String(12))
    end_text: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint(f"sent_by {_SIDE}", name="side"),
        CheckConstraint("ended_how IS NULL OR ended_how IN ('mended', 'withdrawn', 'terminated')", name="ended_how"),
        CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name="ended_with_reason"),
    )


class Evidence(Base):
    """A file that supports a step of a contract: a pause, a question, a dispute or a notice of breach. Never changed."""

    __tablename__ = "contract_evidence"

    id: Mapped[UUID] = uuid_pk()
    contract_id: Mapped[UUID] = uuid_fk("contract.id")
    about: Mapped[str] = mapped_column(String(12))
    about_id: Mapped[UUID]
    file_id: Mapped[UUID]
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_size: Mapped[int] = mapped_column(BigInteger)
    side: Mapped[str] = mapped_column(String(12))
    uploaded_by_name: Mapped[str] = mapped_column(String(120))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (CheckConstraint("about IN ('pause', 'question', 'dispute', 'breach')", name="about"),)


append_only(Evidence)
