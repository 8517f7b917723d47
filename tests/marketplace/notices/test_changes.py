"""Which changes of a notice are substantive."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rules.notices.changes import MINOR, by_the_owner, changes, restarts_period

CONTENT: dict[str, Any] = {
    "number": "CG-2026-000001",
    "round": 1,
    "title": "滨江新城一期地形测量服务",
    "project": {"name": "滨江新城一期", "code": None, "region": "320102", "place": "", "scale": ""},
    "content": "1:500 地形测量",
    "limit_wd": 10,
    "money": {
        "fund_source": "fiscal",
        "budget_fen": 200_000_00,
        "ceiling_fen": None,
        "price_fen": 180_000_00,
        "note": "",
    },
    "qualification_rule": {"kind": "mapping", "grade": "B"},
    "demanded_region": "",
    "avoided": [],
    "selection": {"method": "random", "seats": 1, "witness": False, "sources": ["drand-quicknet"]},
    "contacts": {"name": "周敏", "phone": "025-83210001", "complaint_phone": "025-12345"},
    "registration_ends_at": "2026-11-19T09:00:00+00:00",
    "rule_book": 1,
}


def changed(path: str, value: Any) -> dict[str, Any]:
    content = deepcopy(CONTENT)
    place = content
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    place[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("content", "1:1000 地形测量"),
        ("limit_wd", 12),
        ("money.budget_fen", 210_000_00),
        ("money.price_fen", 150_000_00),
        ("money.ceiling_fen", 190_000_00),
        ("money.fund_source", "social"),
        ("qualification_rule", {"kind": "mapping", "grade": "A"}),
        ("demanded_region", "320100"),
        ("avoided", [{"uscc": "91320100MA00000017", "name": "甲", "reason": "控股"}]),
        ("selection.method", "bid_low"),
        ("project.region", "320103"),
        ("project.name", "滨江新城二期"),
        ("selection.a_field_of_tomorrow", 3),
    ],
)
def test_a_change_of_what_agencies_decide_on_restarts_the_period(path: str, value: Any) -> None:
    (change,) = changes(CONTENT, changed(path, value))
    assert (change.path, change.new, change.is_substantive) == (path, value, True)
    assert restarts_period((change,))


@pytest.mark.parametrize("path", sorted(MINOR - {"item.approval_served"}))
def test_a_correction_restarts_nothing(path: str) -> None:
    (change,) = changes(CONTENT, changed(path, "改正"))
    assert not restarts_period((change,))
    assert by_the_owner((change,)) == (change,)


def test_what_the_publication_sets_is_no_change_of_the_owner() -> None:
    found = changes(CONTENT, changed("registration_ends_at", "2026-11-30T09:00:00+00:00"))
    assert [change.path for change in found] == ["registration_ends_at"]
    assert by_the_owner(found) == ()
    assert not restarts_period(found)


def test_a_field_that_vanishes_is_a_change() -> None:
    content = deepcopy(CONTENT)
    del content["limit_wd"]
    (change,) = changes(CONTENT, content)
    assert (change.path, change.old, change.new, change.is_substantive) == ("limit_wd", 10, None, True)


names = st.sampled_from(["a", "b", "title", "money", "avoided"])
values = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "甲", "乙"])
contents = st.dictionaries(names, values | st.dictionaries(names, values, max_size=3), max_size=4)


@given(contents)
def test_nothing_changes_between_equal_notices(content: dict[str, Any]) -> None:
    assert changes(content, deepcopy(content)) == ()


@given(contents, contents)
def test_a_change_back_names_the_same_fields(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = changes(one, other), changes(other, one)
    assert {(c.path, c.is_substantive) for c in there} == {(c.path, c.is_substantive) for c in back}
