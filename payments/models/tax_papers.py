"""Tax papers against bills: the agency's VAT e-invoice and its correction, the fiscal e-receipt of statutory money."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
    append_only,
    named_check,
    one_of,
    uuid_fk,
    uuid_pk,
    whole_fen,
)
from app.kernel.words import N_


class TaxPaperKind(StrEnum):
    """A fully digital invoice has 20 digits; the older e-invoice a code and 8 digits; the fiscal receipt 8 and 10."""

    INVOICE = "invoice"
    RED_INVOICE = "red_invoice"
    FISCAL_RECEIPT = "fiscal_receipt"


TAX_PAPER_LABELS = {
    TaxPaperKind.INVOICE: N_("VAT e-invoice"),
    TaxPaperKind.RED_INVOICE: N_("Red-letter invoice (correction)"),
    TaxPaperKind.FISCAL_RECEIPT: N_("Fiscal e-receipt"),
}


class TaxPaper(Base):
    """The record of one paper: number, code, date, amount (fen, positive) and file. `corrects_id`: the invoice undone by it."""

    __tablename__ = "tax_paper"
    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("bill.id")
    kind: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(12), default="")
    number: Mapped[str] = mapped_column(String(20))
    check_code: Mapped[str | None] = mapped_column(String(20))
    issued_on: Mapped[date] = mapped_column(Date)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    file_id: Mapped[UUID | None] = uuid_fk("stored_file.id", nullable=True, index=False)
    corrects_id: Mapped[UUID | None] = uuid_fk("tax_paper.id", nullable=True, index=False)
    recorded_by: Mapped[UUID | None]
    recorded_by_name: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime]

    __table_args__ = (
        named_check("kind", one_of("kind", TaxPaperKind)),
        named_check("amount", "amount_fen > 0"),
        named_check("whole", whole_fen("amount_fen")),
        named_check("corrects", "(kind = 'red_invoice') = (corrects_id IS NOT NULL)"),
        Index("uq_tax_paper_number", "code", "number", unique=True),
        Index("uq_tax_paper_corrects", "corrects_id", unique=True, sqlite_where=sa.text("corrects_id IS NOT NULL"),
              postgresql_where=sa.text("corrects_id IS NOT NULL")),
    )  # fmt: skip


append_only(TaxPaper)


class InvoiceReminder(Base):
    """The agency was asked for the invoice of a bill whose money it has received. Once for each bill."""

    __tablename__ = "invoice_reminder"
    bill_id: Mapped[UUID] = uuid_fk("bill.id", primary_key=True, index=False)
    reminded_at: Mapped[datetime]
