"""The record of tax papers against bills: VAT e-invoices of agencies, their corrections, fiscal e-receipts.

The platform does not issue them: it keeps number, date, amount and file, refuses a number twice, and asks for what is missing.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import record
from app.kernel.words import N_
from payments.invoice_files import INVOICE_TYPES
from payments.models.bills import Bill
from payments.models.held import Release
from payments.models.tax_papers import InvoiceReminder, TaxPaper, TaxPaperKind
from payments.policy import Permission, parts_seen
from payments.services.bills import tell_payee, tell_payer
from payments.states import BillKind, BillState, Part
from payments.terms import terms

K = TaxPaperKind
_NUMBERS = {
    K.INVOICE: (re.compile(r"(?:|[0-9]{10}|[0-9]{12})"), re.compile(r"[0-9]{8}|[0-9]{20}")),
    K.RED_INVOICE: (re.compile(r"(?:|[0-9]{10}|[0-9]{12})"), re.compile(r"[0-9]{8}|[0-9]{20}")),
    K.FISCAL_RECEIPT: (re.compile(r"[0-9]{8}"), re.compile(r"[0-9]{10}")),
}


@dataclass(frozen=True)
class RecordTaxPaper:
    """What the paper says; the amount in fen, always positive. `corrects`: the number of the invoice that a red one undoes."""

    kind: TaxPaperKind
    number: str
    issued_on: date
    amount_fen: int
    code: str = ""
    check_code: str | None = None
    corrects: UUID | None = None
    file: Upload | None = None
    version: int | None = None


def check_numbers(kind: TaxPaperKind, code: str, number: str) -> None:
    """Raises Refused for numbers that such a paper cannot have. A fully digital invoice has 20 digits and no code."""
    codes, numbers = _NUMBERS[kind]
    if not numbers.fullmatch(number):
        raise Refused(
            "paper-number",
            N_("An invoice number has 20 digits (8 with a code), a fiscal receipt number 10."),
            field="number",
        )
    if not codes.fullmatch(code) or (kind is not K.FISCAL_RECEIPT and (len(number) == 8) != bool(code)):
        raise Refused(
            "paper-code",
            N_(
                "An invoice of 8 digits has a code of 10 or 12 digits, one of 20 digits none; a fiscal receipt a code of 8."
            ),
            field="code",
        )


@use_case
def record_tax_paper(actor: Actor, bill_id: UUID, command: RecordTaxPaper) -> UUID:
    """Record a paper against a paid bill.

    Invoices are recorded by the agency, fiscal receipts of statutory money by the operator. Raises NotAllowed, Conflict
    for a number that is known already, Refused for numbers, dates or amounts that cannot be.
    """
    bill = lock(Bill, bill_id, seen=command.version)
    parts = parts_seen(actor, bill)
    is_fiscal = command.kind is K.FISCAL_RECEIPT
    if not actor.may(Permission.INVOICE_RECORD) or (Part.OPERATOR if is_fiscal else Part.PAYEE) not in parts:
        raise NotAllowed
    if is_fiscal != (bill.kind == BillKind.STATUTORY_FEE):
        raise Refused(
            "paper-kind", N_("Statutory money has fiscal receipts, service fees have invoices."), field="kind"
        )
    if bill.paid_at is None:
        raise Conflict("bill-unpaid", N_("This bill is not paid yet."))
    code, number = command.code.strip(), command.number.strip()
    check_numbers(command.kind, code, number)
    if command.issued_on > clock.today():
        raise Refused("paper-date", N_("The date lies in the future."), field="issued_on")
    corrected = _corrected(bill, command)
    limit = corrected.amount_fen if corrected else _not_invoiced(bill)
    if not 1 <= command.amount_fen <= limit:
        raise Refused("paper-amount", N_("The amount is more than what is left of this bill."), field="amount_fen")
    known = sa.select(TaxPaper.id).where(TaxPaper.code == code, TaxPaper.number == number)
    if db.session.scalar(known) is not None:
        raise Conflict("paper-known", N_("This number is recorded already, for this or another bill."))
    file_id = keep(command.file, actor, also=INVOICE_TYPES).id if command.file is not None else None
    row = TaxPaper(
        id=new_id(), bill_id=bill.id, kind=command.kind.value, code=code, number=number, check_code=command.check_code,
        issued_on=command.issued_on, amount_fen=command.amount_fen, file_id=file_id,
        corrects_id=corrected.id if corrected else None, recorded_by=actor.user_id, recorded_by_name=actor.name,
        recorded_at=clock.now(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()  # the same number at the same time is refused here, by the unique index
    facts = {"number": number, "amount_fen": command.amount_fen}
    record(bill, "tax_paper", actor, title=N_("Tax paper recorded"), detail=facts)
    tell_payer(bill, "tax-paper", N_("A tax paper was recorded: %(number)s"),
               N_("%(title)s: you can download it from the bill. Amount: %(amount)s yuan."), amount_fen=command.amount_fen)  # fmt: skip
    return row.id


def _corrected(bill: Bill, command: RecordTaxPaper) -> TaxPaper | None:
    if command.kind is not K.RED_INVOICE:
        return None
    if command.corrects is None:
        raise Refused("paper-corrects", N_("Choose the invoice that is corrected."), field="corrects")
    found = get(TaxPaper, command.corrects)
    if found.bill_id != bill.id or found.kind != K.INVOICE:
        raise Refused("paper-corrects", N_("Choose the invoice that is corrected."), field="corrects")
    if db.session.scalar(sa.select(TaxPaper.id).where(TaxPaper.corrects_id == found.id)) is not None:
        raise Conflict("paper-corrected", N_("This invoice is corrected already."))
    if command.amount_fen != found.amount_fen:
        raise Refused("paper-amount", N_("A correction has the amount of the invoice it undoes."), field="amount_fen")
    return found


def _not_invoiced(bill: Bill) -> int:
    signed = sa.case((TaxPaper.kind == K.RED_INVOICE.value, -TaxPaper.amount_fen), else_=TaxPaper.amount_fen)
    total = sa.select(sa.func.coalesce(sa.func.sum(signed), 0)).where(TaxPaper.bill_id == bill.id)
    return bill.amount_fen - int(db.session.scalar(total) or 0)


def missing_invoices(limit: int = 100) -> list[UUID]:
    """Bills whose money the agency has received for longer than the rule book's days, without any invoice nor reminder."""
    before = clock.now() - timedelta(days=terms().invoice_remind_days)
    released = sa.select(sa.func.min(Release.released_at)).where(Release.bill_id == Bill.id).scalar_subquery()
    return list(
        db.session.scalars(
            sa.select(Bill.id)
            .where(
                Bill.kind == BillKind.SERVICE_FEE.value,
                Bill.state.in_((BillState.PAID, BillState.RELEASED)),
                released <= before,
                ~sa.exists().where(TaxPaper.bill_id == Bill.id),
                ~sa.exists().where(InvoiceReminder.bill_id == Bill.id),
            )
            .order_by(Bill.id)
            .limit(limit)
        )
    )


@use_case
def remind_of_invoice(bill_id: UUID) -> None:
    """Ask the agency, once, for the invoice of money that it has received."""
    bill = lock(Bill, bill_id)
    if db.session.get(InvoiceReminder, bill.id) is not None:
        return
    db.session.add(InvoiceReminder(bill_id=bill.id, reminded_at=clock.now()))
    tell_payee(bill, "invoice-missing", N_("An invoice is missing: %(number)s"),
               N_("%(title)s: you received the money. Record your VAT e-invoice on the page of the bill."))  # fmt: skip
