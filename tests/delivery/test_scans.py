"""Near codes and check digits of what was scanned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.rules import check_digit
from delivery.scans import is_misread, near, right_digit

NUMBER = "1000000001460"


def numbers() -> st.SearchStrategy[str]:
    serial = st.integers(0, 99_999_999).map(lambda value: f"{value:08d}")
    return serial.map(lambda text: f"10{text}{check_digit(text)}60")


@pytest.mark.parametrize(
    "scanned",
    ["1000000001450", "100000001460", "10000000014600", "1000000010460", "1000000?01460", "10000**001460", "1460", "JD1000000001460"[2:6] + "000001460"],
)  # fmt: skip
def test_a_near_code_is_suggested(scanned: str) -> None:
    assert near(scanned, [NUMBER, "1199999999999"]) == (() if scanned == NUMBER else (NUMBER,))


@pytest.mark.parametrize("scanned", ["146", "???????????60", "1000000002470", "", "FQ1"])
def test_a_far_code_is_not(scanned: str) -> None:
    assert near(scanned, [NUMBER]) == ()


def test_at_most_three_and_the_likeliest_first() -> None:
    known = [f"100000000{n}460" for n in range(6)]
    assert near("0460", known) == ("1000000000460",)
    assert len(near("1000000009460", known)) == 3


@given(numbers(), st.integers(2, 9), st.integers(1, 9))
def test_one_wrong_digit_is_a_misread(number: str, place: int, step: int) -> None:
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert not is_misread(number)
    assert near(wrong, [number]) == (number,)
    if is_misread(wrong):
        right = right_digit(wrong)
        assert right is not None
        assert not is_misread(right)
