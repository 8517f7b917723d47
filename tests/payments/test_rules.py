"""Totals, payees, limits and the pause between questions to the gateway."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kernel.errors import Refused
from payments import rules
from payments.rules import BillLine
from payments.states import BillKind

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_the_total_is_the_sum_of_the_lines_and_a_free_item_costs_nothing() -> None:
    assert rules.total_of((BillLine("报告书", 99, ""), BillLine("评审", 0, "本项免费"), BillLine("加印", 1, ""))) == 100


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((), "bill-empty"),
        ((BillLine("x", 0, ""),), "bill-amount"),
        ((BillLine("x", -1, ""),), "line-amount"),
        ((BillLine("x", 1.5, ""),), "line-amount"),  # type: ignore[arg-type]
        ((BillLine("x", True, ""),), "line-amount"),
    ],
)
def test_a_bill_that_cannot_be(lines: tuple[BillLine, ...], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        rules.total_of(lines)
    assert refusal.value.code == code


def test_only_service_fees_have_a_payee() -> None:
    rules.check_payee(BillKind.SERVICE_FEE, has_payee=True)
    rules.check_payee(BillKind.STATUTORY_FEE, has_payee=False)
    for kind, has_payee in (
        (BillKind.SERVICE_FEE, False),
        (BillKind.STATUTORY_FEE, True),
        (BillKind.COURIER_FEE, True),
    ):
        with pytest.raises(Refused):
            rules.check_payee(kind, has_payee=has_payee)


def test_the_edges_of_what_one_session_takes() -> None:
    rules.check_amount(99_999_999, 99_999_999)
    with pytest.raises(Refused):
        rules.check_amount(100_000_000, 99_999_999)


def test_a_bill_is_overdue_only_while_it_is_open() -> None:
    assert rules.is_overdue("open", NOW - timedelta(seconds=1), NOW)
    assert not rules.is_overdue("open", NOW, NOW)
    assert not rules.is_overdue("paid", NOW - timedelta(days=9), NOW)


def test_questions_come_soon_at_first_and_never_more_than_half_an_hour_apart() -> None:
    assert rules.next_check(NOW, NOW) == NOW + timedelta(minutes=1)
    assert rules.next_check(NOW - timedelta(hours=1), NOW) == NOW + timedelta(minutes=15)
    assert rules.next_check(NOW - timedelta(days=1), NOW) == NOW + timedelta(minutes=30)
