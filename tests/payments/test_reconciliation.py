"""Differences between the books and the gateway, who closes them, and the close of a day."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from app.identity.models import Notice
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db, new_id, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotFound, Refused
from payments import ledger, reconciling
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.models.payments import Payment
from payments.models.reconciliation import DayClose, EventCursor, GatewayMovement, Mismatch
from payments.observed import Movement
from payments.queries import PaymentView, balances, closing
from payments.reconciling import Booked, Told
from payments.services import StartPayment, post, reconciliation, start_payment, sync_payment
from payments.services.reconciliation import Explain, ReopenDay, SignDay
from payments.states import DayState, MismatchKind, MismatchState
from tests.builders import a_member

MakeBill = Callable[..., UUID]
Pay = Callable[..., PaymentView]
Clock = Callable[[datetime], None]
NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)


def movement(ref: str, gross: int, fee: int = 0, currency: str = "CNY") -> Movement:
    return Movement(ref, "charge", gross, fee, currency, NOON, f"ch_{ref}")


def booked(ref: str, net: int, currency: str = "CNY", posted_at: datetime = NOON) -> tuple[str, Booked]:
    key = f"stripe:{ref}"
    return key, Booked(key, net, currency, posted_at, NOON, "memo", None)


def told(*movements: Movement, balance: int | None = None) -> Told:
    net = sum(m.net_fen for m in movements if m.currency == "CNY")
    return Told("stripe", NOON, movements, net if balance is None else balance)


# --- pure -------------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 500)), max_size=8))
def test_equal_sides_have_no_differences(amounts: list[tuple[int, int]]) -> None:
    moved = [movement(f"txn_{n}", gross, fee) for n, (gross, fee) in enumerate(amounts)]
    ours = dict(booked(m.ref, m.net_fen) for m in moved)
    assert reconciling.differences(told(*moved), ours) == ()
    assert reconciling.ours_of(told(*moved), ours) == sum(m.net_fen for m in moved)


def test_each_kind_of_difference_is_named() -> None:
    ours = dict([booked("same", 90), booked("amount", 50), booked("currency", 100, "HKD"), booked("ours", 7)])
    theirs = told(movement("same", 100, 10), movement("amount", 100), movement("currency", 100), movement("theirs", 5))
    found = {(d.kind, d.ref, d.ours_fen, d.theirs_fen) for d in reconciling.differences(theirs, ours)}
    assert found == {
        (MismatchKind.AMOUNT, "amount", 50, 100),
        (MismatchKind.CURRENCY, "currency", 100, 100),
        (MismatchKind.MISSING_HERE, "theirs", None, 5),
        (MismatchKind.MISSING_THERE, "ours", 7, None),
    }


def test_the_sum_of_the_movements_must_be_the_balance() -> None:
    (found,) = reconciling.differences(told(movement("a", 100), balance=99), dict([booked("a", 100)]))
    assert (found.kind, found.ref, found.ours_fen, found.theirs_fen) == (MismatchKind.AMOUNT, "balance", 100, 99)


def test_what_was_posted_while_we_asked_is_not_missing_there() -> None:
    late = dict([booked("late", 100, posted_at=NOON + timedelta(seconds=1))])
    assert reconciling.differences(told(), late) == ()
    assert reconciling.ours_of(told(), late) == 0


# --- through the gateway ----------------------------------------------------------------------------------------------


def a_stray_charge(fen: int = 5_000) -> str:
    """A posting of ours for a movement that the gateway never made; returns its reference."""
    ref = f"txn_stray{fen}"
    post(ledger.charge_set_aside("stripe", Movement(ref, "charge", fen, 0, "CNY", clock.now(), "ch_x"), "stray"))
    return ref


def paid(owner: Actor, a_bill: MakeBill, pay: Pay, fen: int = 10_000) -> UUID:
    bill_id = a_bill(fen)
    payment_id = start_payment(owner, bill_id, StartPayment(method="alipay"))
    from payments.services import send_payment

    send_payment(payment_id)
    pay(bill_id)
    return payment_id


def the_mismatch() -> Mismatch:
    db.session.expire_all()
    return db.session.scalars(sa.select(Mismatch)).one()


def test_a_payment_we_never_heard_of_is_missing_here_until_it_is_known(
    gateway: StripeGateway, owner: Actor, operator: Actor, a_bill: MakeBill, pay_at_cashier: Pay
) -> None:
    payment_id = paid(owner, a_bill, pay_at_cashier)
    assert reconciliation.check_books() == 1
    row = the_mismatch()
    assert (row.kind, row.state, row.ours_fen) == (MismatchKind.MISSING_HERE, MismatchState.OPEN, None)
    assert row.theirs_fen == db.session.scalar(sa.select(GatewayMovement.gross_fen - GatewayMovement.fee_fen))
    notices = db.session.scalars(sa.select(Notice).where(Notice.kind == "payment.mismatch")).all()
    assert [notice.user_id for notice in notices] == [operator.user_id]
    assert reconciliation.check_books() == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mismatch)) == 1  # the same one, not a second row

    sync_payment(payment_id)
    assert reconciliation.check_books() == 0
    assert the_mismatch().state == MismatchState.RESOLVED


def test_only_what_is_new_is_asked_for_until_it_does_not_add_up(
    gateway: StripeGateway, owner: Actor, a_bill: MakeBill, pay_at_cashier: Pay, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    listed = StripeGateway.movements_since

    def movements_since(self: StripeGateway, moment: datetime) -> Iterator[Movement]:
        asked.append(moment)
        return listed(self, moment)

    monkeypatch.setattr(StripeGateway, "movements_since", movements_since)
    sync_payment(paid(owner, a_bill, pay_at_cashier))
    assert reconciliation.check_books() == 0
    latest = db.session.scalars(sa.select(GatewayMovement.at)).one()
    db.session.rollback()
    assert reconciliation.check_books() == 0
    assert asked == [datetime(2020, 1, 1, tzinfo=UTC), latest - timedelta(days=7)]

    with transaction() as session:  # kept, but never told: the kept movements are more than the balance
        session.add(GatewayMovement(
            id=new_id(), gateway="stripe", ref="txn_invented", kind="charge", gross_fen=100, fee_fen=0, currency="CNY",
            object_ref="ch_invented", at=latest, seen_at=latest))  # fmt: skip
    assert reconciliation.check_books() == 0
    assert asked[2:] == [latest - timedelta(days=7), datetime(2020, 1, 1, tzinfo=UTC)]


def test_who_books_a_mismatch_does_not_close_it(
    gateway: StripeGateway, owner: Actor, operator: Actor, a_bill: MakeBill, pay_at_cashier: Pay
) -> None:
    paid(owner, a_bill, pay_at_cashier)
    reconciliation.check_books()
    row = the_mismatch()
    reconciliation.book_mismatch(operator, row.id, Explain("顾客线下重复付款", row.version))
    assert balances(["suspense:unmatched"]) == {"suspense:unmatched": -10_000}
    assert db.session.scalar(sa.select(LedgerTransaction.posted_by)) == operator.user_id
    assert reconciliation.check_books() == 0
    assert the_mismatch().state == MismatchState.BOOKED  # not gone by itself: a second person must look
    with pytest.raises(Refused, match="somebody other"):
        reconciliation.close_mismatch(operator, row.id, Explain("看过了"))
    assert the_mismatch().state == MismatchState.BOOKED
    second = a_member(Role.OPERATOR)
    reconciliation.close_mismatch(second, row.id, Explain("与支付机构后台核对一致"))
    closed = the_mismatch()
    assert (closed.state, closed.closed_by, closed.note) == (
        MismatchState.CLOSED,
        second.user_id,
        "与支付机构后台核对一致",
    )
    with pytest.raises(IllegalTransition):
        reconciliation.close_mismatch(second, row.id, Explain("再关一次"))


def test_a_closed_mismatch_comes_back_only_with_other_amounts_or_by_hand(
    gateway: StripeGateway, operator: Actor
) -> None:
    a_stray_charge()
    assert reconciliation.check_books() == 1
    row = the_mismatch()
    assert (row.kind, row.ours_fen, row.theirs_fen) == (MismatchKind.MISSING_THERE, 5_000, None)
    with pytest.raises(Conflict, match="missing in our books"):
        reconciliation.book_mismatch(operator, row.id, Explain("补记"))
    reconciliation.close_mismatch(operator, row.id, Explain("测试数据"))
    assert reconciliation.check_books() == 1
    assert the_mismatch().state == MismatchState.CLOSED
    reconciliation.reopen_mismatch(operator, row.id, Explain("原因有误"))
    reopened = the_mismatch()
    assert (reopened.state, reopened.closed_by) == (MismatchState.OPEN, None)
    with pytest.raises(NotFound):
        reconciliation.close_mismatch(a_member(Role.OWNER), row.id, Explain("不该"))


def test_the_database_keeps_the_two_persons_apart(gateway: StripeGateway, operator: Actor) -> None:
    a_stray_charge()
    reconciliation.check_books()
    same = {"booked_by": operator.user_id, "closed_by": operator.user_id}
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.update(Mismatch).values(**same))


def test_stuck_payments_are_listed_and_go_by_themselves(
    gateway: StripeGateway, owner: Actor, a_bill: MakeBill, clock_at: Clock
) -> None:
    clock_at(NOON)
    payment_id = start_payment(owner, a_bill(), StartPayment(method="alipay"))
    clock_at(NOON + timedelta(minutes=9))
    assert reconciliation.watch_stuck() == 0
    clock_at(NOON + timedelta(minutes=11))
    assert reconciliation.watch_stuck() == 1
    assert reconciliation.watch_stuck() == 0
    row = the_mismatch()
    assert (row.kind, row.ref, row.ours_fen) == (MismatchKind.STUCK, f"payment:{payment_id}", 1_280_000)
    with transaction() as session:
        session.execute(sa.update(Payment).values(state="failed"))
    assert reconciliation.watch_stuck() == 0
    assert the_mismatch().state == MismatchState.RESOLVED


def test_the_cursor_waits_for_a_gateway_that_is_away(
    app: Flask, gateway: StripeGateway, clock_at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def listed(moment: datetime, _unknown: object) -> list[object]:
        asked.append(moment)
        return []

    monkeypatch.setattr(gateway, "notices_since", listed)
    clock_at(NOON)
    reconciliation.recall_missed()
    clock_at(NOON + timedelta(hours=7))
    reconciliation.recall_missed()
    assert asked == [NOON - timedelta(days=30), NOON - timedelta(hours=1)]
    assert db.session.scalars(sa.select(EventCursor.read_until)).one() == NOON + timedelta(hours=7)


# --- the close of a day -----------------------------------------------------------------------------------------------


def a_day(clock_at: Clock) -> UUID:
    """The sheet of the 18th, looked at on the 19th, compared."""
    clock_at(NOON + timedelta(days=1))
    reconciliation.open_days()
    reconciliation.check_books()
    return db.session.scalars(sa.select(DayClose.id).where(DayClose.day == NOON.date())).one()


def a_movement(fen: int, kind: str = "charge") -> None:
    """One that both sides know."""
    moved = Movement(f"txn_{kind}{fen}", "charge", fen, 100, "CNY", NOON, "ch_1")
    post(ledger.charge_set_aside("stripe", moved, "测试"))
    with transaction() as session:
        session.add(GatewayMovement(gateway="stripe", ref=moved.ref, kind=kind, gross_fen=fen, fee_fen=100, currency="CNY",
                                    object_ref="ch_1", at=NOON, seen_at=NOON))  # fmt: skip


def test_a_day_is_signed_by_one_and_confirmed_by_another(
    gateway: StripeGateway, operator: Actor, clock_at: Clock
) -> None:
    clock_at(NOON)
    a_movement(5_000)
    close_id = a_day(clock_at)  # the simulator knows nothing of it: one mismatch stays open
    assert reconciliation.open_days() == 0
    figures = closing.figures_of(NOON.date())
    (line,) = figures.lines
    assert (line.kind, line.ours_count, line.ours_fen, line.theirs_count, line.theirs_fen, line.fee_fen) == (
        "charge", 1, 4_900, 1, 4_900, 100)  # fmt: skip
    assert (figures.held_fen, figures.fits) == (5_000, True)
    with pytest.raises(Refused) as refusal:
        reconciliation.sign_day(operator, close_id, SignDay(0, 0))
    assert refusal.value.code == "open-mismatches"
    reconciliation.sign_day(operator, close_id, SignDay(0, 0, "模拟环境不认识这笔款"))
    with pytest.raises(Refused, match="other than"):
        reconciliation.confirm_day(operator, close_id, Plain())
    second = a_member(Role.OPERATOR)
    reconciliation.confirm_day(second, close_id, Plain())
    row = db.session.get_one(DayClose, close_id)
    assert (row.state, row.signed_by, row.confirmed_by, row.open_mismatches) == (
        DayState.CLOSED, operator.user_id, second.user_id, 1)  # fmt: skip
    reconciliation.reopen_day(second, close_id, ReopenDay("漏记一笔"))
    assert (row.state, row.signed_by, row.confirmed_by) == (DayState.OPEN, None, None)


def test_signed_figures_that_change_are_not_confirmed(gateway: StripeGateway, operator: Actor, clock_at: Clock) -> None:
    clock_at(NOON)
    a_movement(5_000)
    close_id = a_day(clock_at)
    reconciliation.sign_day(operator, close_id, SignDay(0, 0, "见差异说明"))
    a_movement(7_000)
    with pytest.raises(Conflict, match="changed"):
        reconciliation.confirm_day(a_member(Role.OPERATOR), close_id, Plain())
    assert db.session.get_one(DayClose, close_id).state == DayState.SIGNED


def test_a_bank_that_says_otherwise_needs_a_reason(gateway: StripeGateway, operator: Actor, clock_at: Clock) -> None:
    clock_at(NOON)
    a_movement(5_000)
    close_id = a_day(clock_at)
    with transaction() as session:
        session.execute(sa.delete(Mismatch))
    with pytest.raises(Refused) as refusal:
        reconciliation.sign_day(operator, close_id, SignDay(1, 0))
    assert (refusal.value.code, refusal.value.field) == ("day-does-not-fit", "reason")
    reconciliation.sign_day(operator, close_id, SignDay(0, 0))
    assert db.session.get_one(DayClose, close_id).state == DayState.SIGNED


def test_a_day_is_not_signed_before_its_end_or_uncompared(
    gateway: StripeGateway, operator: Actor, clock_at: Clock
) -> None:
    clock_at(NOON)
    a_movement(5_000)
    clock_at(NOON + timedelta(days=1))
    reconciliation.open_days()
    (close_id,) = db.session.scalars(sa.select(DayClose.id)).all()
    with pytest.raises(Conflict) as refusal:
        reconciliation.sign_day(operator, close_id, SignDay(0, 0))
    assert refusal.value.code == "day-not-compared"
    clock_at(NOON + timedelta(hours=1))
    with pytest.raises(Refused) as early:
        reconciliation.sign_day(operator, close_id, SignDay(0, 0))
    assert early.value.code == "day-not-over"


def test_the_flows_of_thirty_days(app: Flask, clock_at: Clock) -> None:
    clock_at(NOON)
    a_movement(5_000)
    flows = closing.flows(NOON.date() + timedelta(days=1))
    assert len(flows) == 30
    assert [(f.intake_fen, f.difference_fen) for f in flows if f.intake_fen] == [(4_900, 0)]


def test_the_pages(
    gateway: StripeGateway, as_role: Callable[..., FlaskClient], operator: Actor, clock_at: Clock
) -> None:
    clock_at(NOON)
    a_movement(5_000)
    close_id = a_day(clock_at)
    client = as_role("operator")
    row = the_mismatch()
    tx_id = db.session.scalars(sa.select(LedgerTransaction.id)).first()
    for address in ("/books", "/books/chart", "/books?day=2026-11-17", "/books/mismatches", f"/books/mismatches/{row.id}",
                    "/books/days", f"/books/days/{close_id}", f"/books/postings/{tx_id}",
                    "/books/accounts/psp:stripe?since=2026-11-18&until=2026-11-18"):  # fmt: skip
        assert client.get(address).status_code == 200, address
    csv = client.get("/books/mismatches.csv").get_data(as_text=True)
    assert "50.00" in csv or "49.00" in csv
    assert client.get(f"/books/days/{close_id}/sheet.pdf").data.startswith(b"%PDF")
    assert "49.00" in client.get(f"/books/days/{close_id}/sheet.csv").get_data(as_text=True)
    assert client.get("/books/accounts/psp:stripe/statement.csv").status_code == 200
    assert client.get("/api/books/days").get_json()["items"][0]["state"] == "open"
    refused = client.post(f"/api/books/days/{close_id}/actions/sign", json={"bank_in": "0", "bank_out": "1.005"})
    assert refused.status_code == 422
    assert as_role("agency").get("/books/days").status_code == 403
