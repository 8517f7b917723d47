"""Pure rules of an engagement: milestone shares, contract text, interest, extensions, acceptance by silence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import WorkCalendar
from app.kernel.errors import Refused
from marketplace.rulebook import RuleBook
from marketplace.rules.acceptance import (
    accept_by_after_reminder,
    is_accepted_by_silence,
    is_reminder_due,
)
from marketplace.rules.contract_text import (
    STANDARD_BODY,
    STANDARD_TEMPLATE,
    ContractFacts,
    Terms,
    agreed_terms,
    check_template,
    contract_text,
    document_digest,
)
from marketplace.rules.extensions import check_extension, most_days
from marketplace.rules.milestones import MilestonePlan, check_milestones, read_milestones, write_milestones
from marketplace.rules.service_clock import Pause, ServiceClock, read_clock
from payments.late_payment import LatePayment, late_payment

CALENDAR = WorkCalendar({})
BOOK = RuleBook()
FACTS = ContractFacts(
    number="HT-2026-000001",
    title="滨江新城一期地形测量服务",
    service_name="地形测量",
    service_version=1,
    legal_basis="《测绘法》",
    deliverable="测量成果报告",
    procurement_number="CG-2026-000001",
    owner_name="滨江新城建设指挥部",
    owner_uscc="11320100MB0000001X",
    agency_name="江岸测绘有限公司",
    agency_uscc="",
    price_fen=1_800_001,
    limit_wd=10,
    accept_wd=5,
    pause_confirm_wd=2,
    late_interest_bp=5,
)


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    """One to ten whole per cents that make 100."""
    count = draw(st.integers(1, 10))
    cuts = sorted(draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True)))
    return [after - before for before, after in zip([0, *cuts], [*cuts, 100], strict=True)]


@given(shares(), st.integers(1_000, 10**12))
def test_milestones_sum_to_the_price_and_none_is_off_by_a_fen(parts: list[int], price: int) -> None:
    amounts = check_milestones([MilestonePlan(f"节点{n}", share) for n, share in enumerate(parts)], price)
    assert sum(amounts) == price
    assert all(abs(amount * 100 - price * share) < 100 for amount, share in zip(amounts, parts, strict=True))


@pytest.mark.parametrize(
    ("plan", "price", "code"),
    [
        ([], 100_000, "milestone-count"),
        ([MilestonePlan(str(n), 9) for n in range(11)], 100_000, "milestone-count"),
        ([MilestonePlan("一", 50), MilestonePlan("二", 49)], 100_000, "milestone-shares"),
        ([MilestonePlan("一", 100), MilestonePlan("二", 0)], 100_000, "milestone-shares"),
        ([MilestonePlan(" ", 100)], 100_000, "milestone-title"),
        ([MilestonePlan("一", 99), MilestonePlan("二", 1)], 1, "milestone-amount"),
    ],
)
def test_milestones_that_cannot_be(plan: list[MilestonePlan], price: int, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_milestones(plan, price)
    assert caught.value.code == code


def test_milestones_are_read_as_people_type_them() -> None:
    text = "外业测量 | 30 | 观测数据齐全\n\n内业成图｜３０％｜\n成果验收 | 40%"
    plan = read_milestones(text)
    assert plan == (
        MilestonePlan("外业测量", 30, "观测数据齐全"),
        MilestonePlan("内业成图", 30, ""),
        MilestonePlan("成果验收", 40, ""),
    )
    assert read_milestones(write_milestones(plan)) == plan
    with pytest.raises(Refused) as caught:
        read_milestones("外业测量 | 30\n成果验收 40")
    assert (caught.value.code, caught.value.params) == ("milestone-line", {"number": 2})


def test_the_standard_text_is_filled_completely() -> None:
    plan = (MilestonePlan("外业", 30, "数据齐全"), MilestonePlan("成果", 70))
    text = contract_text(STANDARD_TEMPLATE, FACTS, Terms({"special_terms": "见{price}附件\n二"}, 45, plan))
    assert "{deliverable}" not in text
    assert "（1）外业，占30%，人民币5,400.00元；验收要求：数据齐全。" in text
    assert "（2）成果，占70%，人民币12,600.01元。" in text
    assert "45日内" in text
    assert "每日万分之五" in text
    assert "见{price}附件；二。" in text, "what was typed is never read as a placeholder"
    assert (text.endswith("\n"), text.endswith("\n\n")) == (True, False)
    assert document_digest(text) == document_digest(
        contract_text(STANDARD_TEMPLATE, FACTS, Terms({"special_terms": "见{price}附件\n二"}, 45, plan))
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": STANDARD_BODY + "{secret}"}, "template-placeholder"),
        ({"body": STANDARD_BODY + "{"}, "template-placeholder"),
        ({"body": STANDARD_BODY.replace("{payment_clause}", "")}, "template-incomplete"),
        ({"body": STANDARD_BODY.replace("{copies}", "一")}, "template-fields"),
        ({"open_fields": (), "required_fields": ("copies",)}, "template-fields"),
        ({"pay_days": 61}, "pay-days"),
        ({"pay_days": 0}, "pay-days"),
        ({"milestones": ()}, "milestone-count"),
    ],
)
def test_a_template_that_would_make_no_contract_is_refused(change: dict[str, object], code: str) -> None:
    check_template(STANDARD_TEMPLATE, 60)
    with pytest.raises(Refused) as caught:
        check_template(replace(STANDARD_TEMPLATE, **change), 60)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_the_owner_fills_in_only_what_is_open() -> None:
    template = replace(STANDARD_TEMPLATE, open_fields=("copies", "pay_days"), required_fields=("copies",))
    terms = agreed_terms(template, {"copies": " 一式四份 "}, None, (), 60)
    assert (terms.texts, terms.pay_days, terms.milestones) == (
        {"copies": "一式四份"},
        30,
        STANDARD_TEMPLATE.milestones,
    )
    for typed, days, code, field in (
        ({"copies": "四份", "special_terms": "垫资"}, None, "field-not-open", "special_terms"),
        ({}, None, "field-missing", "copies"),
        ({"copies": "四份"}, 61, "pay-days", "pay_days"),
    ):
        with pytest.raises(Refused) as caught:
            agreed_terms(template, typed, days, (), 60)
        assert (caught.value.code, caught.value.field) == (code, field)


# Order 802, art. 17: 0.05 % a day; by hand: 1,800.00 yuan x 0.0005 = 0.90 yuan a day
@pytest.mark.parametrize(
    ("amount", "paid", "today", "expected"),
    [
        (180_000, None, date(2026, 7, 1), LatePayment(0, 0)),  # the day itself is in time
        (180_000, None, date(2026, 7, 2), LatePayment(1, 90)),
        (180_000, date(2026, 7, 31), date(2026, 12, 1), LatePayment(30, 2_700)),
        (180_000, date(2026, 6, 1), date(2026, 12, 1), LatePayment(0, 0)),
        (1_000, None, date(2026, 7, 2), LatePayment(1, 1)),  # half a fen is rounded up, once
        (1_000, None, date(2026, 7, 4), LatePayment(3, 2)),
        (100_000_000, None, date(2027, 7, 1), LatePayment(365, 18_250_000)),
    ],
)
def test_interest_on_late_payment(amount: int, paid: date | None, today: date, expected: LatePayment) -> None:
    assert late_payment(amount, date(2026, 7, 1), paid, today, 5) == expected


def test_an_extension_moves_the_last_day_over_the_holidays() -> None:
    clock = ServiceClock(10, date(2026, 9, 15))
    assert read_clock(clock, CALENDAR, date(2026, 9, 16)).planned_finish == date(
        2026, 9, 29
    )  # Sunday 20 is worked, Friday 25 is free
    longer = replace(clock, limit_wd=15)  # 1 to 7 October are holidays, Saturday 10 October is worked
    assert read_clock(longer, CALENDAR, date(2026, 9, 16)).planned_finish == date(2026, 10, 12)
    paused = replace(longer, pauses=(Pause(date(2026, 9, 16), date(2026, 9, 18)),))
    assert read_clock(paused, CALENDAR, date(2026, 9, 21)).planned_finish == date(2026, 10, 14)


@pytest.mark.parametrize(
    ("days", "granted", "times", "code"),
    [
        (0, 0, 0, "extension-days"),
        (6, 0, 0, "extension-days"),
        (3, 3, 1, "extension-days"),
        (1, 0, 2, "extension-times"),
    ],
)
def test_extensions_have_a_limit(days: int, granted: int, times: int, code: str) -> None:
    check_extension(5, 10, 0, 0, BOOK)
    check_extension(2, 10, 3, 1, BOOK)
    assert most_days(10, 3, BOOK) == 2
    with pytest.raises(Refused) as caught:
        check_extension(days, 10, granted, times, BOOK)
    assert caught.value.code == code


# handed in on Monday 8 June 2026: the five working days end on Monday 15 June, 23:59:59 in Beijing
LIMIT = datetime(2026, 6, 15, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "sent", "due"),
    [
        (datetime(2026, 6, 11, 15, 59, 59, tzinfo=UTC), 0, False),
        (datetime(2026, 6, 11, 16, 0, tzinfo=UTC), 0, True),  # the last working day but one is Friday 12 June
        (datetime(2026, 6, 14, 15, 59, 59, tzinfo=UTC), 1, False),
        (datetime(2026, 6, 14, 16, 0, tzinfo=UTC), 1, True),
        (datetime(2026, 6, 20, tzinfo=UTC), 2, False),
    ],
)
def test_reminders_come_on_the_last_two_working_days(moment: datetime, sent: int, due: bool) -> None:
    assert is_reminder_due(LIMIT, sent, moment, CALENDAR) is due


@given(st.integers(-400, 400), st.integers(0, 2))
def test_silence_is_acceptance_only_after_limit_and_both_reminders(hours: int, sent: int) -> None:
    now = LIMIT + timedelta(hours=hours)
    assert is_accepted_by_silence(LIMIT, sent, now) is (hours > 0 and sent == 2)
    assert is_accepted_by_silence(None, sent, now) is False


def test_a_late_reminder_leaves_one_more_working_day() -> None:
    assert accept_by_after_reminder(LIMIT, LIMIT, CALENDAR) == LIMIT
    late = LIMIT + timedelta(hours=1)  # already 16 June in Beijing
    assert accept_by_after_reminder(LIMIT, late, CALENDAR) == datetime(2026, 6, 17, 15, 59, 59, tzinfo=UTC)
