"""Sealed quotes (密封报价): the keys of those who hold a share, a tender's key and its shares, quotes, and the opening.

Every table only grows. Before an opening no row holds a price or a key that opens one; after it the prices stand in `opened_quote`.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UTCDateTime, append_only, named_check, one_of, uuid_fk, uuid_pk
from marketplace.rules.opening_keys import Holder
from marketplace.rules.sealed_quotes import SEALED_BYTES


class SealedIn(StrEnum):
    """Where a secret was made or a quote was sealed; the server's own hand is the weaker one and is labelled so."""

    BROWSER = "browser"
    SERVER = "server"


class QuoteStep(StrEnum):
    """What an agency did with its quote."""

    QUOTE = "quote"  # 报价 (also a replacement)
    WITHDRAWAL = "withdrawal"  # 撤回报价


class HolderKey(Base):
    """The public half of an organisation's opening code (开标密钥). New tenders are sealed to the newest one that is not retired."""

    __tablename__ = "holder_key"

    id: Mapped[UUID] = uuid_pk()
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    holder: Mapped[str] = mapped_column(String(16))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_in: Mapped[str] = mapped_column(String(8))
    made_by: Mapped[UUID | None]
    made_by_name: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        named_check("holder", "holder IN ('owner', 'supervision')"),
        named_check("made_in", one_of("made_in", SealedIn)),
    )


append_only(HolderKey, mutable=("retired_at",))


class TenderKey(Base):
    """The key of one round of one tender: its public half. `code` is the tender's name in every commitment of the round.

    A round that is opened and bid again gets a new key; the newest of a round counts.
    """

    __tablename__ = "tender_key"

    id: Mapped[UUID] = uuid_pk()
    procurement_id: Mapped[UUID] = uuid_fk("procurement.id", index=False)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    round: Mapped[int] = mapped_column(Integer)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("ix_tender_key_procurement", "procurement_id", "round", "id"),
        CheckConstraint("round >= 1", name="round"),
    )


append_only(TenderKey)


class TenderShare(Base):
    """One share of a tender's private key, sealed to a holder's key (owner, supervision) or to the vault (platform).

    `digest` recognises the share without knowing it. Several keys of the supervision may hold the same share.
    """

    __tablename__ = "tender_share"

    id: Mapped[UUID] = uuid_pk()
    tender_key_id: Mapped[UUID] = uuid_fk("tender_key.id")
    holder: Mapped[str] = mapped_column(String(16))
    holder_key_id: Mapped[UUID | None] = uuid_fk("holder_key.id", nullable=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("tender_key_id", "holder", "holder_key_id"),
        named_check("holder", one_of("holder", Holder)),
        named_check("platform", "(holder = 'platform') = (holder_key_id IS NULL)"),
    )


append_only(TenderShare)


class SealedPlan(Base):
    """A response plan (方案) as it was handed in: encrypted with a key that is sealed with the price. Nobody reads it before the opening."""

    __tablename__ = "sealed_plan"

    id: Mapped[UUID] = uuid_pk()
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(SealedPlan)


class Quote(Base):
    """One step of an agency's quoting in one round: a sealed quote, its replacement or its withdrawal; the last one counts.

    `received_at` was taken with the procurement locked against its closing. `audit_event_id` is the entry in the public log
    whose place the receipt names.
    """

    __tablename__ = "quote"

    id: Mapped[UUID] = uuid_pk()
    tender_key_id: Mapped[UUID] = uuid_fk("tender_key.id", index=False)
    registration_id: Mapped[UUID] = uuid_fk("registration.id")
    step: Mapped[str] = mapped_column(String(12))
    number: Mapped[int] = mapped_column(Integer)
    commitment: Mapped[str | None] = mapped_column(String(64))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_in: Mapped[str | None] = mapped_column(String(8))
    plan_id: Mapped[UUID | None] = uuid_fk("sealed_plan.id", nullable=True)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_by: Mapped[UUID | None]
    audit_event_id: Mapped[UUID]

    __table_args__ = (
        UniqueConstraint("tender_key_id", "registration_id", "number"),
        UniqueConstraint("tender_key_id", "commitment"),
        named_check("in_time", "received_at <= deadline_at"),
        named_check("step", one_of("step", QuoteStep)),
        named_check(
            "whole",
            "(step = 'quote' AND commitment IS NOT NULL AND sealed IS NOT NULL AND sealed_in IS NOT NULL)"
            " OR (step = 'withdrawal' AND commitment IS NULL AND sealed IS NULL AND plan_id IS NULL)",
        ),
        named_check("sealed", f"sealed IS NULL OR length(sealed) = {SEALED_BYTES}"),
        named_check("sealed_in", f"sealed_in IS NULL OR {one_of('sealed_in', SealedIn)}"),
    )


append_only(Quote)


class ShareEntry(Base):
    """One share given for an opening, by one signed-in person. A second one must come from another holder and another person."""

    __tablename__ = "share_entry"

    id: Mapped[UUID] = uuid_pk()
    tender_key_id: Mapped[UUID] = uuid_fk("tender_key.id", index=False)
    holder: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    entered_by: Mapped[UUID]
    entered_by_name: Mapped[str] = mapped_column(String(120))
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("tender_key_id", "holder"),
        UniqueConstraint("tender_key_id", "entered_by"),
        named_check("holder", one_of("holder", Holder)),
        named_check("after_deadline", "entered_at > deadline_at"),
    )


append_only(ShareEntry)


class QuoteOpening(Base):
    """The opening (开启) of one round: all its quotes at once, in one transaction, once."""

    __tablename__ = "quote_opening"

    tender_key_id: Mapped[UUID] = uuid_fk("tender_key.id", primary_key=True, index=False)
    quotes: Mapped[int] = mapped_column(Integer)
    valid: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UTCDateTime)
    audit_event_id: Mapped[UUID]

    __table_args__ = (
        named_check("after_deadline", "opened_at > deadline_at"),
        named_check("counts", "valid >= 0 AND valid <= quotes"),
    )


append_only(QuoteOpening)


class QuoteResult(Base):
    """One opened quote as it was published: price, number and whether it counts. An unreadable one has no price and is kept too."""

    __tablename__ = "quote_result"

    quote_id: Mapped[UUID] = uuid_fk("quote.id", primary_key=True, index=False)
    tender_key_id: Mapped[UUID] = uuid_fk("quote_opening.tender_key_id")
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    nonce: Mapped[str | None] = mapped_column(String(64))
    invalid_because: Mapped[str | None] = mapped_column(Text)
    plan_file_id: Mapped[UUID | None] = uuid_fk("stored_file.id", nullable=True)

    __table_args__ = (
        named_check("whole", "(price_fen IS NULL) = (nonce IS NULL)"),
        named_check("valid", "invalid_because IS NOT NULL OR price_fen > 0"),
    )


append_only(QuoteResult)


class OpeningReminder(Base):
    """That the holders were asked for their shares for the first, second or third time."""

    __tablename__ = "opening_reminder"

    tender_key_id: Mapped[UUID] = uuid_fk("tender_key.id", primary_key=True, index=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(OpeningReminder)
