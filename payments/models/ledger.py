"""The books: accounts, postings and their entries, append-only."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    append_only,
    extra_ddl,
    iso_currency,
    named_check,
    one_of,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from payments.ledger import AccountType


class LedgerAccount(Base):
    """A place where money lies. Its balance is the sum of its entries; no column holds one."""

    __tablename__ = "ledger_account"
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    type: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    owner_organisation_id: Mapped[UUID | None] = mapped_column(index=True)
    may_overdraw: Mapped[bool]
    opened_at: Mapped[datetime]
    __table_args__ = (named_check("type", one_of("type", AccountType)),)


class LedgerTransaction(Base):
    """One posting. `key` makes it happen once; `effective_at` is when the money moved, `posted_at` when we wrote it.

    `subject` names the fact behind it ("payment:<uuid>", "refund:<uuid>", "bill:<uuid>"), `posted_by` the person who
    booked it by hand (None for what follows from a fact).
    """

    __tablename__ = "ledger_tx"
    id: Mapped[UUID] = uuid_pk()
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    effective_at: Mapped[datetime] = mapped_column(index=True)
    posted_at: Mapped[datetime]
    memo: Mapped[str] = mapped_column(String(300))
    bill_id: Mapped[UUID | None] = mapped_column(index=True)
    subject: Mapped[str | None] = mapped_column(String(80), index=True)
    posted_by: Mapped[UUID | None]


class LedgerEntry(Base):
    """One side of a posting: debit positive, credit negative. `bill_id` where one posting concerns several bills."""

    __tablename__ = "ledger_entry"
    id: Mapped[UUID] = uuid_pk()
    tx_id: Mapped[UUID] = uuid_fk("ledger_tx.id")
    account: Mapped[str] = mapped_column(sa.ForeignKey("ledger_account.code"))
    bill_id: Mapped[UUID | None]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    __table_args__ = (
        named_check("moves", "amount_fen <> 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("currency", iso_currency("currency")),
        Index("ix_ledger_entry_account", "account", "id", "amount_fen"),
        Index("ix_ledger_entry_bill_id", "bill_id"),
    )


append_only(LedgerAccount)

append_only(LedgerTransaction)

append_only(LedgerEntry)


extra_ddl(
    LedgerEntry,
    sqlite=(  # SQLite has no deferred triggers: post() checks the balance, and the daily job checks it again
        (
            "CREATE TRIGGER ledger_entry_holds BEFORE INSERT ON ledger_entry WHEN NEW.account LIKE 'escrow:%' AND EXISTS "
            "(SELECT 1 FROM bill WHERE id = replace(substr(NEW.account, 8), '-', '') AND kind <> 'service_fee') "
            "BEGIN SELECT RAISE(ABORT, 'only the money of a service fee is held'); END"
        ),
    ),
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
        (
            "CREATE FUNCTION ledger_entry_holds() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF EXISTS (SELECT 1 FROM bill WHERE id = substr(NEW.account, 8)::uuid AND kind <> 'service_fee') THEN "
            "RAISE EXCEPTION 'only the money of a service fee is held' USING ERRCODE = 'integrity_constraint_violation'; "
            "END IF; RETURN NEW; END $$"
        ),
        (
            "CREATE TRIGGER ledger_entry_holds BEFORE INSERT ON ledger_entry FOR EACH ROW "
            "WHEN (NEW.account LIKE 'escrow:%') EXECUTE FUNCTION ledger_entry_holds()"
        ),
    ),
)
