"""The letters of a notice."""

import pytest

from marketplace.rules.notices.text import has_hidden_control, plain_digits


def test_full_width_digits_become_plain_and_nothing_else_changes() -> None:
    assert plain_digits("１２３４５．６７（甲）𠮷野家，🏗️") == "12345．67（甲）𠮷野家，🏗️"


@pytest.mark.parametrize("text", ["价格\u202e001", "a\u2066b\u2069", "\u200f", "a\x00b", "a\x1bb", "\ud800"])
def test_a_hidden_control_is_seen(text: str) -> None:
    assert has_hidden_control(text)


@pytest.mark.parametrize("text", ["", "𠮷𡈽㐂", "شركة المسح", "חברה", "👩‍👩‍👧 工程", "第一行\r\n第二行\t列", "e\u0301"])
def test_letters_of_the_world_are_no_controls(text: str) -> None:
    assert not has_hidden_control(text)
