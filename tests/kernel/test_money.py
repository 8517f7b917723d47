import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.money import MAX_FEN, InvalidAmount, Money

amounts = st.integers(-MAX_FEN, MAX_FEN)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("1", 100),
        ("1.5", 150),
        ("1.05", 105),
        ("0.01", 1),
        ("-12.30", -1230),
        ("9999999999999.99", 999999999999999),
    ],
)
def test_reads_yuan_exactly(text, fen) -> None:
    assert Money.from_yuan(text) == Money(fen)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1.",
        ".5",
        "1.005",
        "01",
        "1,000",
        "1e3",
        "+1",
        "--1",
        "１",
        "¥1",
        "NaN",
        "99999999999999",
        1,
        1.5,
        None,
        b"1",
    ],
)
def test_refuses_what_is_not_an_amount(text) -> None:
    with pytest.raises(InvalidAmount):
        Money.from_yuan(text)


@pytest.mark.parametrize("fen", [1.0, True, "1", None, MAX_FEN + 1, -MAX_FEN - 1])
def test_refuses_other_numbers(fen) -> None:
    with pytest.raises(InvalidAmount):
        Money(fen)


def test_shows_two_decimals_and_groups() -> None:
    assert Money(-5).yuan == "-0.05"
    assert Money(128050).yuan == "1280.50"
    assert Money(123456789).grouped == "1,234,567.89"
    assert Money(-123456789).grouped == "-1,234,567.89"


@pytest.mark.parametrize(
    ("fen", "words"),
    [  # the examples of 《支付结算办法》 annex 1, section 3, and the edges around them
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (168032, "壹仟陆佰捌拾元叁角贰分"),
        (10700053, "壹拾万柒仟元伍角叁分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (32504, "叁佰贰拾伍元零肆分"),
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (-100, "负壹元整"),
        (1000000100, "壹仟万零壹元整"),
        (100000000000, "壹拾亿元整"),
    ],
)
def test_writes_banking_capitals(fen, words) -> None:
    assert Money(fen).capitals == words


@given(amounts)
def test_text_and_amount_are_the_same_thing(fen) -> None:
    assert Money.from_yuan(Money(fen).yuan) == Money(fen)


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_allocation_loses_no_fen_and_is_fair(fen, shares) -> None:
    parts = Money(fen).allocate(shares)
    assert sum(part.fen for part in parts) == fen
    for part, share in zip(parts, shares, strict=True):
        assert abs(part.fen * sum(shares) - fen * share) < sum(shares)


def test_allocation_gives_the_odd_fen_to_the_earlier_equal() -> None:
    assert Money(100).allocate((1, 1, 1)) == (Money(34), Money(33), Money(33))
    assert Money(-100).allocate((1, 1, 1)) == (Money(-34), Money(-33), Money(-33))
    assert Money(5).allocate((0, 1)) == (Money(0), Money(5))


@pytest.mark.parametrize("shares", [(), (0, 0), (1, -1), (-1, 2)])
def test_allocation_refuses_weights_without_a_meaning(shares) -> None:
    with pytest.raises(InvalidAmount):
        Money(100).allocate(shares)


def test_percent_rounds_half_up_away_from_zero() -> None:
    assert Money(10001).percent(50) == Money(50)
    assert Money(10100).percent(50) == Money(51)
    assert Money(-10100).percent(50) == Money(-51)


def test_multiplies_only_by_whole_numbers() -> None:
    assert Money(105) * 3 == Money(315)
    with pytest.raises(InvalidAmount):
        Money(105) * 1.5
