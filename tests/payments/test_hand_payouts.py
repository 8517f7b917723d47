"""Payouts by hand: order, voucher, second person or statement; the books move only on the confirmation."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pypdf import PdfReader

from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import Conflict, NotAllowed, Refused
from payments import outgoing_jobs, services
from payments.gateways.stripe import StripeGateway
from payments.models.bank import BankEntry
from payments.models.payouts import Payout, TransferReversal
from payments.queries import balances
from payments.services import DecideEntry, DecideRefund
from payments.services.hand_payouts import (
    Because,
    NotePayoutBack,
    NoteTransfer,
    note_payout_back,
    note_transfer,
    order_transfer,
    pay_by_transfer,
    recall_order,
)
from payments.services.payouts import AskPayout, DecidePayout, approve_payout, ask_payout, sync_payout
from tests.payments.bank_desk import taken_over
from tests.payments.test_held_money import own
from tests.payments.test_outgoing import state_of

MakeAccount = Callable[..., UUID]
MakeBalance = Callable[[int], UUID]


@pytest.fixture
def approved(
    gateway: StripeGateway,
    account: MakeAccount,
    balance: MakeBalance,
    agency: Actor,
    operator: Actor,
    second: Actor,
) -> UUID:
    """An approved payout of 60,000 fen to an account that is paid by bank transfer."""
    pay_by_transfer(operator, account(), Because("支付机构不支持该行"))
    balance(100_000)
    assert agency.organisation_id is not None
    payout_id = ask_payout(agency, agency.organisation_id, AskPayout(60_000))
    approve_payout(second, payout_id, DecidePayout())
    outbox.drain_all()
    return payout_id


def pending(payout_id: UUID) -> dict[str, int]:
    return balances([f"payout_pending:{payout_id}", "bank:main"])


def number_of(payout_id: UUID) -> str:
    row = db.session.get(Payout, payout_id)
    assert row is not None
    return row.number


def test_a_payout_by_hand_leaves_the_books_when_a_second_person_confirms_the_voucher(
    approved: UUID, agency: Actor, operator: Actor, second: Actor
) -> None:
    assert sync_payout(approved) == "approved"
    with clock.at(clock.now() + timedelta(hours=2)):
        assert outgoing_jobs.follow_payouts() == 0  # the provider is never asked
    with pytest.raises(NotAllowed):
        order_transfer(agency, approved, Plain())
    order_transfer(operator, approved, Plain())
    recall_order(operator, approved, Because("单据打印有误"))
    order_transfer(operator, approved, Plain())
    entry_id = note_transfer(operator, approved, NoteTransfer("V1", clock.now()))
    assert (state_of(approved), pending(approved)) == ("in_transit", {f"payout_pending:{approved}": -60_000})
    with pytest.raises(Refused, match="somebody other"):
        services.confirm_entry(operator, entry_id, DecideEntry())
    services.reject_entry(second, entry_id, DecideEntry("回单号录错"))
    assert state_of(approved) == "submitted"
    entry_id = note_transfer(operator, approved, NoteTransfer("V2", clock.now()))
    services.confirm_entry(second, entry_id, DecideEntry())
    outbox.drain_all()
    assert state_of(approved) == "paid"
    assert pending(approved) == {f"payout_pending:{approved}": 0, "bank:main": -60_000}
    assert own(agency) == (40_000, 0)


def test_a_statement_confirms_a_payout_and_its_return(
    approved: UUID, agency: Actor, operator: Actor, second: Actor
) -> None:
    order_transfer(operator, approved, Plain())
    number = number_of(approved)
    taken_over(operator, second, ("支", "600.00", "T1", f"出款{number}"), ("收", "600.00", "T2", f"退汇{number}"))
    assert (state_of(approved), own(agency)) == ("failed", (100_000, 0))
    assert pending(approved) == {f"payout_pending:{approved}": 0, "bank:main": 0}
    entries = db.session.scalars(sa.select(BankEntry).order_by(BankEntry.bank_ref)).all()
    assert [(e.direction, e.payout_id, e.state) for e in entries] == [
        ("out", approved, "confirmed"), ("in", approved, "confirmed"),
    ]  # fmt: skip


def test_a_payout_that_comes_back_later_is_entered_by_hand(
    approved: UUID, agency: Actor, operator: Actor, second: Actor
) -> None:
    order_transfer(operator, approved, Plain())
    with pytest.raises(Conflict, match="not left"):
        note_payout_back(operator, approved, NotePayoutBack("X", clock.now()))
    services.confirm_entry(second, note_transfer(operator, approved, NoteTransfer("V1", clock.now())), DecideEntry())
    back = note_payout_back(operator, approved, NotePayoutBack("V9", clock.now()))
    services.confirm_entry(second, back, DecideEntry())
    assert (state_of(approved), own(agency)) == ("failed", (100_000, 0))


def test_a_refund_after_a_payout_by_hand_becomes_a_debt_and_calls_nothing_back(
    gateway: StripeGateway,
    account: MakeAccount,
    balance: MakeBalance,
    agency: Actor,
    operator: Actor,
    second: Actor,
) -> None:
    pay_by_transfer(operator, account(), Because("支付机构不支持该行"))
    bill_id = balance(60_000)
    assert agency.organisation_id is not None
    payout_id = ask_payout(agency, agency.organisation_id, AskPayout())
    approve_payout(second, payout_id, DecidePayout())
    order_transfer(operator, payout_id, Plain())
    services.confirm_entry(second, note_transfer(operator, payout_id, NoteTransfer("V1", clock.now())), DecideEntry())
    services.approve_refund(second, services.refund(operator, bill_id, "抽查不合格", 20_000), DecideRefund())
    outbox.drain_all()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TransferReversal)) == 0
    assert own(agency) == (0, 20_000)
    balance(30_000)
    assert own(agency) == (10_000, 0)


def test_the_paper_shows_the_whole_number_to_operators_only_and_leaves_a_trace(
    approved: UUID, agency: Actor, operator: Actor, browser: Callable[[Actor], FlaskClient]
) -> None:
    import io

    clerk = browser(operator)
    page = clerk.get(f"/payouts/{approved}").text
    assert f"/payouts/{approved}/actions/order" in page
    assert clerk.get(f"/payouts/{approved}/order.pdf").status_code == 404
    assert clerk.post(f"/payouts/{approved}/actions/order", data={}).status_code == 303
    paper = clerk.get(f"/payouts/{approved}/order.pdf")
    text = PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
    assert "6222021001123456789" in text
    assert (paper.headers["Cache-Control"], number_of(approved) in text) == ("no-store", True)
    assert browser(agency).get(f"/payouts/{approved}/order.pdf").status_code == 403
    trace = sa.select(sa.func.count()).where(AuditEvent.action == "payout.print_order")
    assert db.session.scalar(trace) == 1
    assert "6222021001123456789" not in clerk.get(f"/payouts/{approved}").text


def test_a_payout_that_waits_for_the_provider_is_handed_over_when_the_account_is_paid_by_transfer(
    gateway: StripeGateway,
    account: MakeAccount,
    balance: MakeBalance,
    agency: Actor,
    operator: Actor,
    second: Actor,
) -> None:
    account_id = account()
    balance(50_000)
    assert agency.organisation_id is not None
    payout_id = ask_payout(agency, agency.organisation_id, AskPayout())
    approve_payout(second, payout_id, DecidePayout())
    with pytest.raises(Conflict, match="nothing to do by hand"):
        order_transfer(operator, payout_id, Plain())
    pay_by_transfer(operator, account_id, Because("支付机构拒绝该账户"))
    assert sync_payout(payout_id) == "approved"
    assert balances(["psp:stripe"])["psp:stripe"] > 0
    order_transfer(operator, payout_id, Plain())
    assert state_of(payout_id) == "submitted"
