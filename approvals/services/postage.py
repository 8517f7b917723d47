"""Postage that the applicant pays in advance: a bill at the payment counter about a parcel of the delivery domain."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import payments.services as payments
from app.kernel import clock
from app.kernel.access import SYSTEM
from app.kernel.db import get
from app.kernel.words import N_
from approvals.models import Case
from payments.queries import bills_of_subject
from payments.services import BillKind, BillLine, OpenBill

PREFIX: Final = "parcel:"
TO_PAY: Final = timedelta(days=3)
TITLE: Final = "审批结果邮寄费"


def subject_of(parcel_id: UUID) -> str:
    """What payments knows a parcel's postage by."""
    return f"{PREFIX}{parcel_id}"


def parcel_of(subject: str | None) -> UUID | None:
    """The parcel that a bill's subject names, or None for another one's."""
    return UUID(subject.removeprefix(PREFIX)) if subject and subject.startswith(PREFIX) else None


def open_bill(case_id: UUID, parcel_id: UUID, fee_fen: int) -> None:
    """Open the bill once; a repeat finds it. Call inside a transaction."""
    if any(bill.state not in ("void", "refunded") for bill in bills_of_subject(subject_of(parcel_id))):
        return
    case = get(Case, case_id)
    payments.open_bill(
        SYSTEM,
        OpenBill(
            thread_id=case.thread_id, subject=subject_of(parcel_id), kind=BillKind.COURIER_FEE, title=TITLE,
            payer_organisation_id=case.applicant_organisation_id, payer_user_id=case.applicant_user_id,
            payee_organisation_id=None, lines=(BillLine(TITLE, fee_fen, "政务大厅公示资费"),), due_at=clock.now() + TO_PAY,
        ),
    )  # fmt: skip


def withdraw_bill(parcel_id: UUID) -> None:
    """Withdraw the unpaid bill of a parcel that does not leave; bears a repeat."""
    for bill in bills_of_subject(subject_of(parcel_id)):
        if bill.state == "open":
            payments.withdraw_bill(SYSTEM, bill.id, N_("The parcel is not sent"))
