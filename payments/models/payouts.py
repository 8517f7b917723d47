"""Payouts to agencies, the bank accounts they go to, and transfers called back."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    named_check,
    one_of,
    state_checks,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.models.bills import WATCHERS
from payments.outgoing_states import BANK_ACCOUNT, CHANGING, PAYOUT, SENT_PAYOUT, TRANSFER_REVERSAL


class BankAccount(Versioned, Stateful, Base):
    """An agency's account. The number is stored sealed; `masked` is what people see.

    `connect_ref` is the provider's id of the agency, `is_known` that it has been told of this account. `by_transfer`: the
    provider cannot pay this account, people do it by bank transfer.
    """

    __tablename__ = "bank_account"
    object_type: ClassVar[str] = "bank_account"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    holder_name: Mapped[str] = mapped_column(String(120))
    bank_name: Mapped[str] = mapped_column(String(120))
    branch_code: Mapped[str | None] = mapped_column(String(12))
    sealed_number: Mapped[str] = mapped_column(Text)
    masked: Mapped[str] = mapped_column(String(40))
    proof_file_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(16))
    entered_by: Mapped[UUID]
    entered_by_name: Mapped[str] = mapped_column(String(120))
    entered_at: Mapped[datetime]
    checked_by: Mapped[UUID | None]
    confirmed_by: Mapped[UUID | None]
    usable_at: Mapped[datetime | None]
    connect_ref: Mapped[str | None] = mapped_column(String(120))
    is_known: Mapped[bool] = mapped_column(default=False)
    by_transfer: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        named_check("two_persons", "confirmed_by IS NULL OR (checked_by IS NOT NULL AND confirmed_by <> checked_by)"),
        Index("uq_bank_account_active", "organisation_id", unique=True, sqlite_where=sa.text("state = 'active'"),
              postgresql_where=sa.text("state = 'active'")),
        Index("uq_bank_account_changing", "organisation_id", unique=True,
              sqlite_where=sa.text(one_of("state", CHANGING)), postgresql_where=sa.text(one_of("state", CHANGING))),
        *state_checks(BANK_ACCOUNT),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The agency and those who watch."""
        return (f"org:{self.organisation_id}", *WATCHERS)


class Payout(Versioned, Stateful, Base):
    """Money on its way to an agency's bank: a transfer to its account at the provider, then a payout from there.

    `request` and the keys are stored before the provider is called. `attempt` counts transfers that were refused for
    want of settled balance: each has its own key, since the refusal is remembered with the key. `requested_by` is None
    for a payout by the calendar; that one needs two approvals. A payout by hand has a bank account of ours as its
    `gateway`; `transfer_ref` is then the number of the order, `gateway_ref` the bank's serial number.
    """

    __tablename__ = "payout"
    object_type: ClassVar[str] = "payout"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    payee_organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    bank_account_id: Mapped[UUID] = uuid_fk("bank_account.id", index=False)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    gateway: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    request: Mapped[dict[str, Any] | None] = mapped_column(JSONValue)
    transfer_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    gateway_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    scheduled_on: Mapped[date | None] = mapped_column(Date)
    requested_by: Mapped[UUID | None]
    first_approved_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    check_at: Mapped[datetime]
    problem: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        UniqueConstraint("payee_organisation_id", "scheduled_on"),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("two_persons", "approved_by IS NULL OR (requested_by IS NOT NULL AND approved_by <> requested_by)"
                    " OR (first_approved_by IS NOT NULL AND approved_by <> first_approved_by)"),
        Index("ix_payout_check", "check_at", sqlite_where=sa.text(one_of("state", ("approved", *SENT_PAYOUT, "paid"))),
              postgresql_where=sa.text(one_of("state", ("approved", *SENT_PAYOUT, "paid")))),
        Index("ix_payout_state", "state", "requested_at"),
        *state_checks(PAYOUT),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The agency and those who watch."""
        return (f"org:{self.payee_organisation_id}", *WATCHERS)


class TransferReversal(Versioned, Stateful, Base):
    """A transfer, or a part of it, called back because its money was refunded to a payer."""

    __tablename__ = "transfer_reversal"
    object_type: ClassVar[str] = "transfer_reversal"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    payout_id: Mapped[UUID] = uuid_fk("payout.id")
    refund_id: Mapped[UUID] = uuid_fk("refund.id")
    payee_organisation_id: Mapped[UUID]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    gateway_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    requested_at: Mapped[datetime]
    problem: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        *state_checks(TRANSFER_REVERSAL),
    )

    def audience(self) -> tuple[str, ...]:
        """The agency and those who watch."""
        return (f"org:{self.payee_organisation_id}", *WATCHERS)
