"""Money by bank transfer, without a provider: whole stories that need no simulator."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, new_id
from app.kernel.files import Upload
from payments import outgoing_jobs, services
from payments.observed import Movement
from payments.outgoing_ports import DisputeFact
from payments.queries import bill_page
from payments.services import BillKind, BillLine, DecideEntry, EnterMovement, HandInVoucher, OpenBill, StartPayment
from payments.services.bank_accounts import (
    DecideBankAccount,
    EnterBankAccount,
    check_bank_account,
    confirm_bank_account,
    enter_bank_account,
)
from payments.services.disputes import apply_dispute
from payments.services.payouts import AskPayout, ask_payout
from tests.builders import a_member

SLIP = Upload("回单.txt", "电汇凭证".encode())
FEN = 100_000


@dataclass(frozen=True)
class Transferred:
    """A service fee of 1,000 yuan that was transferred: found and confirmed by two clerks."""

    owner: Actor
    agency: Actor
    clerks: tuple[Actor, Actor]
    bill_id: UUID
    payment_id: UUID
    voucher_id: UUID


def transferred() -> Transferred:
    """A paid bill whose money is held."""
    owner, agency = a_member(Role.OWNER), a_member(Role.AGENCY)
    one, other = a_member(Role.OPERATOR), a_member(Role.OPERATOR)
    due_at = clock.now() + timedelta(days=30)
    bill_id = services.open_bill(SYSTEM, OpenBill(
        new_id(), f"contract:{new_id()}", BillKind.SERVICE_FEE, "环境影响报告书编制", owner.organisation_id, None,
        agency.organisation_id, (BillLine("编制费", FEN, "合同第五条"),), due_at))  # fmt: skip
    payment_id = services.start_payment(owner, bill_id, StartPayment("bank_transfer"))
    services.send_payment(payment_id)
    voucher_id = services.hand_in_voucher(owner, payment_id, HandInVoucher(SLIP))
    reference = bill_page(owner, bill_id).payments[0].number
    moved_at = clock.now() - timedelta(hours=1)
    entry = EnterMovement("bank", f"2026{payment_id.hex[:10]}", "江城市水务集团有限公司", FEN, moved_at, reference)
    services.confirm_entry(other, services.enter_movement(one, entry), DecideEntry())
    outbox.drain_all()
    db.session.expire_all()
    return Transferred(owner, agency, (one, other), bill_id, payment_id, voucher_id)


def refund_asked() -> UUID:
    """A refund that waits for its approval."""
    made = transferred()
    return services.refund(made.clerks[0], made.bill_id, "减少点位", 10_000)


def payout_asked() -> UUID:
    """A payout that waits for its approval."""
    made = transferred()
    one, other = made.clerks
    account = EnterBankAccount("某公司", "某银行", "6222021001123456", SLIP)
    account_id = enter_bank_account(made.agency, account)
    check_bank_account(one, account_id, DecideBankAccount())
    confirm_bank_account(other, account_id, DecideBankAccount())
    with clock.at(clock.now() + timedelta(days=4)):
        assert outgoing_jobs.activate_accounts() == 1
    services.release_held(SYSTEM, made.bill_id, "验收合格")
    assert made.agency.organisation_id is not None
    return ask_payout(made.agency, made.agency.organisation_id, AskPayout(1_000))


def disputed() -> UUID:
    """A dispute of the payer's bank that waits for our answer."""
    made = transferred()
    now = clock.now()
    moved = Movement("txn_dispute", "other", -FEN, 0, "CNY", now, "dp_1")
    fact = DisputeFact("dp_1", "needs_response", FEN, "CNY", "fraudulent", now + timedelta(days=7), now, (moved,))
    return apply_dispute(made.payment_id, fact)
