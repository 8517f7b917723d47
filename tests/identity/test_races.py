"""Limits and one-time secrets hold when eight requests come at the same moment, on both databases."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.identity import rate_limits, security
from app.identity.models import LoginAttempt, User
from app.identity.services import accounts, sign_in
from app.kernel.db import db, transaction
from app.kernel.errors import Refused, TooManyRequests
from tests.identity.builders import MONDAY, PASSWORD, a_code, a_person
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
ClockAt = Callable[[datetime], None]


def at_monday(work: Callable[[int], object]) -> Callable[[int], object]:
    """The clock of the test, in the thread too (context variables are not handed down)."""
    from app.kernel import clock

    def run(number: int) -> object:
        with clock.at(MONDAY):
            return work(number)

    return run


def test_forty_parallel_guesses_get_ten_looks(app: Flask) -> None:
    limit = rate_limits.Limit("race", 10, timedelta(minutes=15))

    def guess(_number: int) -> int:
        allowed = 0
        for _ in range(5):
            try:
                rate_limits.attempt(limit, "somebody")
                allowed += 1
            except TooManyRequests:
                continue
        return allowed

    answers = together(app, at_monday(guess))
    assert sum(answers) == 10
    assert db.session.scalars(select(LoginAttempt.count)).one() == 40


def test_one_code_lets_one_request_in(app: Flask, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    user = a_person()
    seed = security.new_totp_secret()
    with transaction() as session:
        row = session.get_one(User, user.id)
        row.tf_totp_secret, row.totp_enabled_at = seed, MONDAY
    user_id, code = user.id, a_code(app, seed, MONDAY)
    db.session.remove()

    answers = together(app, at_monday(lambda _number: sign_in.check_code(user_id, code)), workers=4)
    assert sorted(type(one).__name__ for one in answers) == ["CodeRefused", "CodeRefused", "CodeRefused", "NoneType"]


def test_one_recovery_code_lets_one_request_in(app: Flask, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    user = a_person()
    with transaction() as session:
        row = session.get_one(User, user.id)
        row.tf_totp_secret, row.totp_enabled_at = security.new_totp_secret(), MONDAY
        codes = security.new_recovery_codes(row)
    user_id = user.id
    db.session.remove()

    answers = together(app, at_monday(lambda _number: sign_in.check_code(user_id, codes[0])), workers=4)
    assert sum(one is None for one in answers) == 1
    assert len(db.session.get_one(User, user_id).mf_recovery_codes) == 9


def test_one_reset_link_sets_one_password(app: Flask, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    user = a_person()
    token = security.reset_token(user)
    db.session.remove()

    answers = together(
        app, at_monday(lambda number: accounts.reset_password(token, f"a good sentence number {number}")), workers=4
    )
    assert sum(one is None for one in answers) == 1
    assert {one.code for one in answers if isinstance(one, Refused)} == {"link-refused"}


def test_one_address_makes_one_account(app: Flask, clock_at: ClockAt) -> None:
    clock_at(MONDAY)
    wanted = accounts.Register("new@example.test", "王芳", PASSWORD, "zh_Hans_CN")
    answers = together(app, at_monday(lambda _number: accounts.register(wanted, "203.0.113.9")), workers=4)
    assert all(one is None for one in answers), answers
    assert len(list(db.session.scalars(select(User)))) == 1
