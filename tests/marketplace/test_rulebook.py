"""The rule book: published parameters, a change by two persons, and what runs on under the version it began with."""

from collections.abc import Callable
from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given

from app.kernel import clock
from app.kernel.access import Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict, NotAllowed, Refused
from marketplace.models.rulebook import RuleBookVersion, RuleChange
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.rulebook import DEFAULT_RULE_BOOK, PARAMETERS
from marketplace.rules.rulebook_changes import differences, wrong_values
from marketplace.services import rulebooks
from marketplace.services.rulebooks import ProposeChange
from tests.builders import a_member

AsRole = Callable[..., FlaskClient]


def changed(**values: object) -> dict[str, object]:
    return {**DEFAULT_RULE_BOOK.as_parameters(), **{key.replace("__", "."): value for key, value in values.items()}}


def a_proposal(parameters: dict[str, object] | None = None, day: date | None = None) -> ProposeChange:
    day = day or clock.today() + timedelta(days=10)
    return ProposeChange(parameters or changed(award__confirm_wd=4), "云政办发〔2026〕31号", "确认时限过短", day)


def test_the_next_version_holds_from_its_day_and_pinned_ones_stay(app: Flask) -> None:
    change = rulebooks.propose(a_member(Role.OPERATOR), a_proposal())
    rulebooks.publish(a_member(Role.REGULATOR), change, Plain())
    day = clock.today() + timedelta(days=10)
    assert rule_book_in_force().award_confirm_wd == 2
    assert rule_book_in_force(day - timedelta(days=1)).version == 1
    assert (rule_book_in_force(day).version, rule_book_in_force(day).award_confirm_wd) == (2, 4)
    assert rule_book(1).award_confirm_wd == 2


def test_nobody_decides_the_own_proposal(app: Flask) -> None:
    regulator = a_member(Role.REGULATOR)
    change = rulebooks.propose(regulator, a_proposal())
    with pytest.raises(NotAllowed):
        rulebooks.publish(regulator, change, Plain())
    with pytest.raises(NotAllowed):
        rulebooks.publish(a_member(Role.OPERATOR), change, Plain())
    assert db.session.get_one(RuleChange, change).state == "proposed"
    assert db.session.query(RuleBookVersion).count() == 0


def test_one_proposal_at_a_time_and_only_by_those_who_may(app: Flask) -> None:
    with pytest.raises(NotAllowed):
        rulebooks.propose(a_member(Role.AUDITOR), a_proposal())
    first = rulebooks.propose(a_member(Role.OPERATOR), a_proposal())
    with pytest.raises(Conflict):
        rulebooks.propose(a_member(Role.REGULATOR), a_proposal())
    rulebooks.reject(a_member(Role.REGULATOR), first, WithReason("须先征求意见"))
    rulebooks.propose(a_member(Role.REGULATOR), a_proposal())
    assert db.session.query(RuleChange).count() == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (lambda: a_proposal(changed()), "rule-book-unchanged"),
        (lambda: a_proposal(day=clock.today()), "rule-day-past"),
        (lambda: a_proposal(changed(award__confirm_wd=-1)), "rule-value-wrong"),
        (lambda: a_proposal(changed(bidref__base_percent_set=[95, 101])), "rule-value-wrong"),
        (lambda: a_proposal({**changed(), "award.confirm_days": 3}), "rule-value-wrong"),
    ],
)
def test_what_cannot_be_proposed(app: Flask, command: Callable[[], ProposeChange], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        rulebooks.propose(a_member(Role.OPERATOR), command())
    assert refusal.value.code == code
    assert db.session.query(RuleChange).count() == 0


def test_a_proposal_whose_day_has_come_is_not_published(app: Flask) -> None:
    change = rulebooks.propose(a_member(Role.OPERATOR), a_proposal())
    with clock.at(clock.now() + timedelta(days=10)), pytest.raises(Refused):
        rulebooks.publish(a_member(Role.REGULATOR), change, Plain())
    assert db.session.query(RuleBookVersion).count() == 0


@given(st.sampled_from(PARAMETERS), st.one_of(st.none(), st.text(max_size=3), st.integers(max_value=-1), st.booleans()))
def test_no_parameter_takes_a_value_of_another_kind(parameter: object, value: object) -> None:
    from marketplace.rulebook import Parameter

    assert isinstance(parameter, Parameter)
    if isinstance(parameter.default, bool) and isinstance(value, bool):
        return
    if isinstance(parameter.default, str):
        return
    assert [wrong.parameter for wrong in wrong_values({parameter.key: value})] == [parameter]


def test_the_defaults_are_right_and_differ_from_nothing() -> None:
    defaults = DEFAULT_RULE_BOOK.as_parameters()
    assert wrong_values(defaults) == ()
    assert differences(defaults, defaults) == ()
    (only,) = differences(defaults, changed(rating__weights=[4, 4, 2]))
    assert (only.parameter.key, only.before, only.after) == ("rating.weights", [5, 3, 2], [4, 4, 2])


def test_pages_from_the_proposal_to_the_public_version(as_role: AsRole, client: FlaskClient) -> None:
    operator = as_role("operator")
    form = operator.get("/rules/changes/new").get_data(as_text=True)
    assert 'name="award_confirm_wd"' in form
    values = {p.name: ", ".join(map(str, p.default)) if isinstance(p.default, tuple) else p.default for p in PARAMETERS}
    values |= {p.name: f"{p.default / 100:.2f}" for p in PARAMETERS if p.unit == "fen" and isinstance(p.default, int)}
    values = {key: value for key, value in values.items() if value is not False}
    day = (clock.today() + timedelta(days=5)).isoformat()
    said = {"basis": "云政办发〔2026〕31号", "reason": "确认时限过短", "effective_from": day, "award_confirm_wd": "4"}
    wrong = operator.post("/rules/changes/new", data={**values, **said, "draw_beacon_hour": "24"})
    assert wrong.status_code == 422
    assert "云政办发〔2026〕31号" in wrong.get_data(as_text=True)
    made = operator.post("/rules/changes/new", data={**values, **said})
    assert made.status_code == 303, made.get_data(as_text=True)
    where = made.headers["Location"]
    assert "确认时限过短" in as_role("auditor").get(where).get_data(as_text=True)
    assert as_role("owner").get(where).status_code == 403
    assert as_role("regulator").post(f"{where}/actions/publish").status_code == 303
    page = client.get("/rules/2").get_data(as_text=True)
    assert "2 → 4" in page
    assert client.get("/rules").status_code == 200
    assert client.get("/rules/3").status_code == 404
    assert client.get("/api/rules/2").get_json()["parameters"]["award.confirm_wd"] == 4
