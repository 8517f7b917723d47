"""Bank statements: the rows of a file, what each is to us, two persons, and books that are compared with every account."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.commands import Plain
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, Refused
from app.kernel.files import Upload
from app.kernel.spreadsheets import csv_of
from payments import ledger, services
from payments.bank_statements import (
    TEMPLATE,
    Awaited,
    KnownLine,
    StatementLine,
    codes_in,
    judge,
    numbers_in,
    read_statement,
)
from payments.bank_states import LineVerdict as V
from payments.gateways.stripe import StripeGateway
from payments.models.bank import BankEntry
from payments.models.reconciliation import DayClose, Mismatch, ReconciliationRun
from payments.models.statements import BankStatement, BankStatementLine, UnmatchedMoney
from payments.observed import Movement
from payments.queries import balances, bill_view, closing
from payments.services import DecideEntry, DecideRefund, EnterMovement, post, reconciliation
from payments.services.reconciliation import SignDay
from payments.services.statements import Discard, HandInStatement, apply_statement, discard_statement, hand_in_statement
from payments.states import MismatchKind
from tests.payments.bank_desk import SENDER, handed_in, statement_file, taken_over, transfer, yesterday

MakeBill = Callable[..., UUID]
DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


# --- pure -------------------------------------------------------------------------------------------------------------


def test_rows_are_read_with_their_direction_fen_and_beijing_time() -> None:
    lines, problems = read_statement(
        (
            TEMPLATE,
            ("2026-11-20 09:30:05", "收", "12,800.00", "R1", " 某公司 ", "JK-2026-000123"),
            ("20261120", "借", "0.01", "R2", "某公司", ""),
            ("", "", "", "", "", ""),
        ),
        DAY, DAY,
    )  # fmt: skip
    assert problems == ()
    assert lines == (
        StatementLine(
            2, "R1", "in", 1_280_000, datetime(2026, 11, 20, 1, 30, 5, tzinfo=UTC), "某公司", "JK-2026-000123"
        ),
        StatementLine(3, "R2", "out", 1, NOON, "某公司", ""),
    )


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (("2026-11-21", "收", "1", "R", "x", ""), "moved_at"), (("2026-13-01", "收", "1", "R", "x", ""), "moved_at"),
        (("2026-11-20", "?", "1", "R", "x", ""), "direction"), (("2026-11-20", "收", "1.001", "R", "x", ""), "amount"),
        (("2026-11-20", "收", "-1", "R", "x", ""), "amount"), (("2026-11-20", "收", "NaN", "R", "x", ""), "amount"),
        (("2026-11-20", "收", "1", "", "x", ""), "bank_ref"), (("2026-11-20", "收", "1", "a b", "x", ""), "bank_ref"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_row_and_column(row: tuple[str, ...], column: str) -> None:
    lines, problems = read_statement((TEMPLATE, row), DAY, DAY)
    assert lines == ()
    assert [(one.row, one.column) for one in problems] == [(2, column)]


def test_missing_columns_and_serial_numbers_that_come_twice() -> None:
    assert {one.column for one in read_statement((("交易时间", "金额"),), DAY, DAY)[1]} == {
        "direction", "bank_ref", "counterparty", "reference",
    }  # fmt: skip
    same = ("2026-11-20", "收", "1", "R", "x", "")
    lines, problems = read_statement((TEMPLATE, same, same), DAY, DAY)
    assert (len(lines), [(one.row, one.column) for one in problems]) == (1, [(3, "bank_ref")])


def test_references_are_found_however_the_sender_writes_them() -> None:
    assert numbers_in("付 jk2026000123 和 CK-2026-000045") == {"JK-2026-000123", "CK-2026-000045"}
    assert numbers_in("项目款 JK-2026 000123") == {"JK-2026-000123"}
    assert codes_in("缴款码2611 2345 6789 0123 4565") == {"26112345678901234565"}
    assert numbers_in("货款") == codes_in("货款") == frozenset()


def a_line(ref: str, direction: str, fen: int, words: str = "") -> StatementLine:
    return StatementLine(2, ref, direction, fen, NOON, SENDER, words)


def test_every_line_gets_its_verdict_and_nothing_is_matched_twice_or_by_amount_alone() -> None:
    pay, out, refund, known, entered = (uuid4() for _ in range(5))
    awaited = (
        Awaited(pay, V.PAYMENT, frozenset({"JK-2026-000001"}), 500),
        Awaited(out, V.PAYOUT, frozenset({"CK-2026-000001"}), 700),
        Awaited(refund, V.REFUND, frozenset({"JK-2026-000002"}), 30),
    )
    seen = {"K1": KnownLine(known, "in", 100, True), "K2": KnownLine(entered, "in", 100, False)}
    lines = (
        a_line("K1", "in", 100), a_line("K2", "in", 100), a_line("K1", "out", 100), a_line("K2", "in", 99),
        a_line("1", "in", 500, "JK-2026-000001"), a_line("2", "in", 500, "JK-2026-000001"), a_line("3", "in", 500),
        a_line("4", "out", 700, "CK-2026-000001"), a_line("5", "in", 700, "CK-2026-000001"),
        a_line("6", "out", 31, "JK-2026-000002"), a_line("7", "out", 30, "退款 JK-2026-000002"),
    )  # fmt: skip
    assert [(one.verdict, one.matched_id) for one in judge(lines, seen, awaited)] == [
        (V.KNOWN, known), (V.CONFIRMS, entered), (V.DIFFERS, known), (V.DIFFERS, entered),
        (V.PAYMENT, pay), (V.UNMATCHED, None), (V.UNMATCHED, None),
        (V.PAYOUT, out), (V.PAYOUT_BACK, out), (V.UNKNOWN_OUT, None), (V.REFUND, refund),
    ]  # fmt: skip
    (other,) = judge((a_line("1", "in", 499, "JK-2026-000001"),), {}, awaited)
    assert (other.verdict, other.matched_id) == (V.PAYMENT_AMOUNT, pay)


# --- through the services ---------------------------------------------------------------------------------------------


def verdicts(statement_id: UUID) -> list[str]:
    rows = sa.select(BankStatementLine.verdict).where(BankStatementLine.statement_id == statement_id)
    return list(db.session.scalars(rows.order_by(BankStatementLine.row)))


def mismatches(gateway: str = "bank") -> set[tuple[str, str, int | None, int | None]]:
    rows = db.session.scalars(sa.select(Mismatch).where(Mismatch.gateway == gateway, Mismatch.state == "open"))
    return {(row.kind, row.ref, row.ours_fen, row.theirs_fen) for row in rows}


@pytest.mark.postgresql
def test_a_statement_credits_what_it_names_sets_the_rest_aside_and_closes_the_account(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    by_number, by_code, by_hand = a_bill(12_345), a_bill(500), a_bill(900)
    _, number = transfer(owner, by_number)
    transfer(owner, by_code)
    _, typed = transfer(owner, by_hand)
    at = clock.now() - timedelta(days=1)
    services.enter_movement(operator, EnterMovement("bank", "S3", SENDER, 900, at, typed))
    rows = (
        ("收", "123.45", "S1", f"合同款{number}"), ("收", "5.00", "S2", bill_view(by_code).pay_code),
        ("收", "9.00", "S3", ""), ("收", "70.00", "S4", "往来款"), ("支", "1.00", "S5", "账户管理费"),
    )  # fmt: skip
    statement_id = handed_in(operator, *rows, balances=(1_000, 1_000 + 12_345 + 500 + 900 + 7_000 - 100))
    assert verdicts(statement_id) == ["payment", "payment", "confirms", "unmatched", "unknown_out"]
    assert balances(["bank:main"]) == {}  # the dry run moved nothing
    with pytest.raises(Refused, match="somebody other"):
        apply_statement(operator, statement_id, Plain())
    assert balances(["bank:main"]) == {}
    apply_statement(second, statement_id, Plain())
    outbox.drain_all()
    db.session.expire_all()
    assert [bill_view(one).state for one in (by_number, by_code, by_hand)] == ["paid"] * 3
    assert balances(["bank:main", "suspense:unmatched"]) == {"bank:main": 20_745, "suspense:unmatched": -7_000}
    assert mismatches() == {("missing_here", "S5", None, -100)}
    run = db.session.scalars(sa.select(ReconciliationRun).where(ReconciliationRun.gateway == "bank")).one()
    assert (run.ours_fen, run.theirs_fen, run.movements) == (20_745, 20_645, 5)
    entries = db.session.scalars(sa.select(BankEntry).order_by(BankEntry.bank_ref)).all()
    assert [(e.bank_ref, e.state) for e in entries] == [(f"S{n}", "confirmed") for n in range(1, 5)]
    assert all(e.entered_by == operator.user_id and e.decided_by == second.user_id for e in entries)
    with pytest.raises(IllegalTransition):
        apply_statement(second, statement_id, Plain())
    with pytest.raises(Refused, match="handed in already"):
        handed_in(operator, *rows)


def test_what_we_have_and_the_bank_has_not_and_amounts_that_differ_become_mismatches(
    gateway: StripeGateway, operator: Actor, second: Actor
) -> None:
    at = clock.now() - timedelta(days=1)
    for ref, fen in (("M1", 100), ("M2", 200)):
        entry = services.enter_movement(operator, EnterMovement("bank", ref, SENDER, fen, at))
        services.confirm_entry(second, entry, DecideEntry())
    old = services.enter_movement(operator, EnterMovement("bank", "M0", SENDER, 5, at - timedelta(days=3)))
    services.confirm_entry(second, old, DecideEntry())  # of a day that no statement covers: nobody knows yet
    outbox.drain_all()
    assert services.check_books() == 0  # no statement, nothing to compare with
    statement_id = taken_over(operator, second, ("收", "1.50", "M1", ""))
    assert verdicts(statement_id) == ["differs"]
    assert mismatches() == {("amount", "M1", 100, 150), ("missing_there", "M2", 200, None)}
    assert mismatches("stripe") == set()
    assert services.check_books() == 2
    assert len(mismatches()) == 2  # the same two, not four


def test_a_wrong_amount_for_an_announced_transfer_goes_back_and_its_refund_is_found_on_the_next_statement(
    gateway: StripeGateway, a_bill: MakeBill, owner: Actor, operator: Actor, second: Actor
) -> None:
    bill_id = a_bill(1_000)
    _, number = transfer(owner, bill_id)
    taken_over(operator, second, ("收", "9.99", "W1", number))
    from payments.queries import bill_page

    (refund,) = bill_page(owner, bill_id).refunds
    assert (refund.amount_fen, refund.state, bill_view(bill_id).state) == (999, "requested", "open")
    services.approve_refund(operator, refund.id, DecideRefund())
    outbox.drain_all()
    with clock.at(clock.now() + timedelta(days=1)):
        assert verdicts(taken_over(second, operator, ("支", "9.99", "W2", f"退款{number}"))) == ["refund"]
    assert bill_page(owner, bill_id).refunds[0].state == "succeeded"
    assert balances(["bank:main", "suspense:unmatched"]) == {"bank:main": 0, "suspense:unmatched": 0}
    assert mismatches() == set()


def test_files_that_cannot_count_are_refused_and_change_nothing(
    app: Flask, owner: Actor, operator: Actor, second: Actor
) -> None:
    day, file = yesterday(), statement_file((("收", "1.00", "F1", ""),))
    for command, field in (
        (HandInStatement("bank", day, day - timedelta(days=1), file), "last_day"),
        (HandInStatement("bank", day, clock.today(), file), "last_day"),
        (HandInStatement("stripe", day, day, file), "gateway"),
        (HandInStatement("bank", day, day, file, opening_fen=5), "closing_fen"),
    ):
        with pytest.raises(Refused) as refusal:
            hand_in_statement(operator, command)
        assert refusal.value.field == field
    with pytest.raises(NotAllowed):
        hand_in_statement(owner, HandInStatement("bank", day, day, file))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BankStatement)) == 0
    missing_a_line = handed_in(operator, ("收", "1.00", "F1", ""), balances=(0, 101))
    with pytest.raises(Conflict, match="problems"):
        apply_statement(second, missing_a_line, Plain())
    discard_statement(second, missing_a_line, Discard("少一行"))
    taken_over(operator, second, ("收", "1.00", "F1", ""))
    with pytest.raises(Refused, match="covered"):
        handed_in(operator, ("收", "2.00", "F2", ""))
    assert balances(["bank:main"]) == {"bank:main": 100}


def test_the_database_wants_two_persons_for_a_statement_and_a_reason_for_money_that_leaves(
    app: Flask, operator: Actor
) -> None:
    statement_id = handed_in(operator, ("收", "1.00", "D1", ""))
    values = {"state": "applied", "applied_by": operator.user_id, "applied_by_name": "x", "applied_at": clock.now()}
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.update(BankStatement).where(BankStatement.id == statement_id).values(**values))
    services.enter_movement(operator, EnterMovement("bank", "D2", SENDER, 1, clock.now()))
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.update(BankEntry).values(direction="out"))


# --- the close of a day -----------------------------------------------------------------------------------------------


def test_the_close_of_a_day_shows_the_balance_of_every_account(
    gateway: StripeGateway, operator: Actor, second: Actor
) -> None:
    day = yesterday()
    at = clock.now() - timedelta(days=1)
    post(ledger.charge_set_aside("stripe", Movement("txn_1", "charge", 300, 0, "CNY", at, "ch"), "Stripe"))
    before = {one.gateway: (one.ours_fen, one.theirs_fen) for one in closing.figures_of(day).balances}
    assert before == {"stripe": (300, 0), "bank": (0, None), "bank_treasury": (0, None)}
    assert closing.bank_told(day) is None
    # the account existed before: what lies there is what the statement ends with, not the sum of its lines
    taken_over(operator, second, ("收", "70.00", "B1", "往来款"), ("支", "1.00", "B2", "费"), balances=(50_000, 56_900))
    taken_over(operator, second, ("收", "3.00", "T1", "登记费"), gateway="bank_treasury")
    figures = closing.figures_of(day)
    after = {one.gateway: (one.ours_fen, one.theirs_fen) for one in figures.balances}
    assert after == {"stripe": (300, 0), "bank": (7_000, 56_900), "bank_treasury": (300, None)}
    earlier = {one.gateway: one.theirs_fen for one in closing.figures_of(day - timedelta(days=1)).balances}
    assert earlier == {"stripe": 0, "bank": None, "bank_treasury": None}
    assert closing.DayFigures.from_json(figures.to_json()) == figures
    assert closing.bank_told(day) == (7_000, 100)
    assert {(line.gateway, line.kind, line.ours_fen, line.theirs_fen) for line in figures.lines} == {
        ("stripe", "charge", 300, 0), ("bank", "charge", 7_000, 7_000), ("bank", "other", 0, -100),
        ("bank_treasury", "charge", 300, 300),
    }  # fmt: skip


def test_a_statement_of_several_days_tells_the_balance_of_each(operator: Actor, second: Actor) -> None:
    last = yesterday()
    rows = [
        TEMPLATE,
        (f"{last - timedelta(days=1)} 10:00:00", "收", "70.00", "D1", SENDER, ""),
        (f"{last} 10:00:00", "支", "20.00", "D2", SENDER, ""),
    ]
    file = Upload("对账单.csv", csv_of(rows))
    made = hand_in_statement(operator, HandInStatement("bank", last - timedelta(days=1), last, file, 1_000, 6_000))
    apply_statement(second, made, Plain())
    told = [
        next(one.theirs_fen for one in closing.figures_of(day).balances if one.gateway == "bank")
        for day in (last - timedelta(days=2), last - timedelta(days=1), last)
    ]
    assert told == [None, 8_000, 6_000]


def test_bank_money_without_a_statement_needs_a_reason_to_be_signed(
    gateway: StripeGateway, operator: Actor, second: Actor
) -> None:
    at = clock.now() - timedelta(days=1)
    entry = services.enter_movement(operator, EnterMovement("bank", "C1", SENDER, 700, at))
    services.confirm_entry(second, entry, DecideEntry())
    reconciliation.open_days()
    services.check_books()
    close = db.session.scalars(sa.select(DayClose).where(DayClose.day == yesterday())).one()
    with pytest.raises(Refused, match="do not agree"):
        reconciliation.sign_day(operator, close.id, SignDay(700, 0))
    taken_over(operator, second, ("收", "7.00", "C1", ""))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(UnmatchedMoney)) == 1
    reconciliation.sign_day(operator, close.id, SignDay(700, 0))
    assert mismatches() == set()


def test_a_silent_provider_does_not_keep_the_bank_from_being_compared(
    gateway: StripeGateway, operator: Actor, second: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from payments.ports import Unknown

    def silent() -> int:
        raise Unknown("timeout")

    entry = services.enter_movement(operator, EnterMovement("bank", "U1", SENDER, 5, clock.now() - timedelta(days=1)))
    services.confirm_entry(second, entry, DecideEntry())
    outbox.drain_all()
    statement_id = handed_in(operator, ("收", "0.06", "U1", ""))
    apply_statement(second, statement_id, Plain())
    monkeypatch.setattr(gateway, "balance_fen", silent)
    db.session.rollback()
    with pytest.raises(Unknown):
        services.check_books()
    assert mismatches() == {(MismatchKind.AMOUNT.value, "U1", 5, 6)}
