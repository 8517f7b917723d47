"""Which passwords are accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.passwords import MAXIMUM, common_passwords, weakness

SHORT = "Use at least 12 characters."
COMMON = "This password is among the first ones that attackers try. Choose another one."
OWN = "Do not build the password from your name, your address or the name of this platform."


@pytest.mark.asvs("6.2.1")
def test_eleven_characters_are_too_few_and_twelve_are_enough() -> None:
    assert weakness("kettle-moo-7") is None
    assert weakness("kettle-moo7") == SHORT


def test_staff_need_fifteen() -> None:
    assert weakness("kettle-moo-7", staff=True) == "Use at least 15 characters."
    assert weakness("kettle-moo-7-up", staff=True) is None


@pytest.mark.asvs("6.2.9")
def test_sixty_four_characters_and_more_are_allowed_up_to_the_maximum() -> None:
    assert weakness("kettle moon " * 6) is None
    assert weakness(("kettle moon bridge " * 20)[: MAXIMUM + 1]) == "Use at most 128 characters."


@pytest.mark.asvs("6.2.5")
@pytest.mark.parametrize("password", ["只有汉字的密码也可以用的呀", "alllowercaseletters", "918273645546372819"])
def test_no_composition_is_asked_for(password: str) -> None:
    assert weakness(password) is None


@pytest.mark.asvs("6.2.4")
@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "PASSWORDpassword", "123456123456", "aaaaaaaaaaaaaaa", "abcdefghijklmnop", "1qaz2wsx1qaz2wsx"],
)
def test_what_attackers_try_first_is_refused(password: str) -> None:
    assert weakness(password) == COMMON


@pytest.mark.asvs("6.2.4")
def test_the_shipped_list_is_long_enough() -> None:
    assert len(common_passwords()) >= 10_000
    assert {"password", "qwerty", "1qaz2wsx"} <= common_passwords()


def test_own_words_and_the_platform_are_refused() -> None:
    assert weakness("liming.liming1", own_words=("李明", "liming")) == OWN
    assert weakness("chaoshi-chaoshi", own_words=()) == OWN
    assert weakness("liming went over the bridge", own_words=("liming",)) is None


@given(st.text(max_size=11))
def test_nothing_short_passes(password: str) -> None:
    assert weakness(password) is not None
