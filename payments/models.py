"""Bills and their lines, attempts to pay, refunds, the ledger, and what we know of the gateway's notices."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    Versioned,
    append_only,
    extra_ddl,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from payments.ledger import AccountType
from payments.states import BILL, LIVE, PAYMENT, REFUND, UNFINISHED_REFUND, BillKind

WATCHERS = ("role:operator", "role:regulator", "role:auditor")


def _one_of(column: str, values: Any) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Bill(Versioned, Stateful, Base):
    """What one payer owes for one subject. `amount_fen` is the sum of its lines; `due_at` does not make it vanish."""

    __tablename__ = "bill"
    object_type: ClassVar[str] = "bill"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    subject: Mapped[str] = mapped_column(String(60), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    payer_organisation_id: Mapped[UUID | None] = uuid_fk("organisation.id", nullable=True, index=False)
    payer_user_id: Mapped[UUID | None] = uuid_fk("app_user.id", nullable=True, index=False)
    payee_organisation_id: Mapped[UUID | None] = uuid_fk("organisation.id", nullable=True, index=False)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    state: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    receipt_document_id: Mapped[UUID | None]

    __table_args__ = (
        named_check("kind", _one_of("kind", BillKind)),
        named_check("amount", "amount_fen > 0"),
        named_check("currency", "currency = 'CNY'"),
        named_check("payer", "payer_organisation_id IS NOT NULL OR payer_user_id IS NOT NULL"),
        named_check("payee", "(kind = 'service_fee') = (payee_organisation_id IS NOT NULL)"),
        Index("ix_bill_payer_organisation", "payer_organisation_id", "state", "due_at"),
        Index("ix_bill_payer_user", "payer_user_id", "state", "due_at"),
        Index("ix_bill_payee", "payee_organisation_id", "state", "opened_at"),
        Index("ix_bill_state", "state", "due_at"),
        *state_checks(BILL),
    )

    def audience(self) -> tuple[str, ...]:
        """Payer, payee and those who watch."""
        keys = [f"org:{i}" for i in (self.payer_organisation_id, self.payee_organisation_id) if i]
        if self.payer_user_id:
            keys.append(f"user:{self.payer_user_id}")
        return (*keys, *WATCHERS)


class BillItem(Base):
    """One line of a bill; an amount of 0 says that this item is free."""

    __tablename__ = "bill_line"
    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id", index=False)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    basis: Mapped[str] = mapped_column(String(500))
    __table_args__ = (UniqueConstraint("bill_id", "position"), named_check("amount", "amount_fen >= 0"))


append_only(BillItem)


class Payment(Versioned, Stateful, Base):
    """One attempt to pay a bill at a gateway.

    `request` and `idempotency_key` are stored before the gateway is called, and what is sent is always what is stored.
    At most one attempt of a bill is live (partial unique index): a double click or a second tab meets the first one.
    """

    __tablename__ = "payment"
    object_type: ClassVar[str] = "payment"

    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id", index=False)
    thread_id: Mapped[UUID]
    attempt: Mapped[int] = mapped_column(Integer)
    gateway: Mapped[str] = mapped_column(String(16))
    method: Mapped[str | None] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    state: Mapped[str] = mapped_column(String(16))
    request: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    session_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    payment_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    cashier_url: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(String(80))
    misfit: Mapped[str | None] = mapped_column(String(24))
    started_by: Mapped[UUID | None]
    readers: Mapped[list[Any]] = mapped_column(JSONValue)
    started_at: Mapped[datetime]
    check_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("bill_id", "attempt"),
        named_check("amount", "amount_fen > 0"),
        Index("uq_payment_live", "bill_id", unique=True, sqlite_where=sa.text(_one_of("state", LIVE)),
              postgresql_where=sa.text(_one_of("state", LIVE))),
        Index("uq_payment_credited", "bill_id", unique=True, sqlite_where=sa.text("state = 'succeeded'"),
              postgresql_where=sa.text("state = 'succeeded'")),
        Index("ix_payment_check", "check_at", sqlite_where=sa.text(_one_of("state", LIVE)),
              postgresql_where=sa.text(_one_of("state", LIVE))),
        *state_checks(PAYMENT),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """The payer's side and those who watch; a payee is told when money has arrived, not of attempts."""
        return tuple(self.readers)


class Refund(Versioned, Stateful, Base):
    """Money on its way back. `source` is the account that it was held from; approval is another person's."""

    __tablename__ = "refund"
    object_type: ClassVar[str] = "refund"

    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id")
    payment_id: Mapped[UUID] = uuid_fk("payment.id", index=False)
    thread_id: Mapped[UUID]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(60))
    request: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    gateway_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    requested_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]
    readers: Mapped[list[Any]] = mapped_column(JSONValue)
    requested_at: Mapped[datetime]
    check_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        named_check("amount", "amount_fen > 0"),
        named_check("two_persons", "approved_by IS NULL OR requested_by IS NULL OR approved_by <> requested_by"),
        Index("uq_refund_unfinished", "payment_id", unique=True,
              sqlite_where=sa.text(_one_of("state", UNFINISHED_REFUND)),
              postgresql_where=sa.text(_one_of("state", UNFINISHED_REFUND))),
        Index("ix_refund_state", "state", "check_at"),
        *state_checks(REFUND),
    )  # fmt: skip

    def audience(self) -> tuple[str, ...]:
        """As the bill's."""
        return tuple(self.readers)


class LedgerAccount(Base):
    """A place where money lies. Its balance is the sum of its entries; no column holds one."""

    __tablename__ = "ledger_account"
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    type: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    owner_organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    may_overdraw: Mapped[bool]
    opened_at: Mapped[datetime]
    __table_args__ = (named_check("type", _one_of("type", AccountType)),)


class LedgerTransaction(Base):
    """One posting. `key` makes it happen once; `effective_at` is when the money moved, `posted_at` when we wrote it."""

    __tablename__ = "ledger_tx"
    id: Mapped[UUID] = uuid_pk()
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    effective_at: Mapped[datetime] = mapped_column(index=True)
    posted_at: Mapped[datetime]
    memo: Mapped[str] = mapped_column(String(300))
    bill_id: Mapped[UUID | None] = mapped_column(index=True)


class LedgerEntry(Base):
    """One side of a posting: debit positive, credit negative."""

    __tablename__ = "ledger_entry"
    id: Mapped[UUID] = uuid_pk()
    tx_id: Mapped[UUID] = uuid_fk("ledger_tx.id")
    account: Mapped[str] = mapped_column(sa.ForeignKey("ledger_account.code"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    __table_args__ = (
        named_check("moves", "amount_fen <> 0"),
        Index("ix_ledger_entry_account", "account", "id", "amount_fen"),
    )


append_only(LedgerAccount)
append_only(LedgerTransaction)
append_only(LedgerEntry)
extra_ddl(
    LedgerEntry,
    sqlite=(),  # SQLite has no deferred triggers: post() checks, and the daily job checks again
    postgresql=(
        (
            "CREATE FUNCTION ledger_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF (SELECT sum(amount_fen) FROM ledger_entry WHERE tx_id = NEW.tx_id AND currency = NEW.currency) <> 0 THEN "
            "RAISE EXCEPTION 'posting % does not balance', NEW.tx_id USING ERRCODE = 'integrity_constraint_violation'; "
            "END IF; RETURN NULL; END $$"
        ),
        (
            "CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balances()"
        ),
    ),
)


class GatewayAddress(Base):
    """Where the gateway sends its notices, with the secrets they are signed with (the present and the previous one), sealed."""

    __tablename__ = "gateway_address"
    gateway: Mapped[str] = mapped_column(String(16), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    ref: Mapped[str] = mapped_column(String(120))
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    registered_at: Mapped[datetime]


class BooksCheck(Base):
    """One comparison of the books with the gateway: what is missing on either side, and the two balances (fen)."""

    __tablename__ = "books_check"
    id: Mapped[UUID] = uuid_pk()
    gateway: Mapped[str] = mapped_column(String(16))
    checked_at: Mapped[datetime] = mapped_column(index=True)
    ours_fen: Mapped[int] = mapped_column(BigInteger)
    theirs_fen: Mapped[int] = mapped_column(BigInteger)
    missing_here: Mapped[int] = mapped_column(Integer)
    missing_there: Mapped[int] = mapped_column(Integer)
    unbalanced: Mapped[int] = mapped_column(Integer)
    wrong_side: Mapped[int] = mapped_column(Integer)


append_only(BooksCheck)
