"""The same request twice has one effect and one answer."""

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel.access import SYSTEM
from app.kernel.db import db, transaction
from app.kernel.errors import Refused
from app.kernel.inbox import Notice, once, receive

pytestmark = pytest.mark.postgresql


def test_a_repeat_gets_the_stored_answer(app: Flask) -> None:
    calls: list[int] = []

    def run() -> dict[str, int]:
        calls.append(1)
        return {"bill": 7}

    assert once(SYSTEM, "pay", "key-1", {"amount": 5}, run) == {"bill": 7}
    assert once(SYSTEM, "pay", "key-1", {"amount": 5}, run) == {"bill": 7}
    assert calls == [1]
    with pytest.raises(Refused) as refusal:
        once(SYSTEM, "pay", "key-1", {"amount": 6}, run)
    assert (refusal.value.code, refusal.value.status) == ("idempotency-key-reused", 422)
    assert calls == [1]


def test_a_failed_effect_leaves_the_key_free(app: Flask) -> None:
    def broken() -> None:
        raise Refused("no", "no")

    with pytest.raises(Refused):
        once(SYSTEM, "pay", "key-1", {}, broken)
    assert once(SYSTEM, "pay", "key-1", {}, lambda: {"ok": True}) == {"ok": True}


def test_a_notice_is_stored_once(app: Flask) -> None:
    with transaction():
        assert receive("stripe", "evt_1", "charge.succeeded", "ch_1", b"{}")
    with transaction():
        assert not receive("stripe", "evt_1", "charge.succeeded", "ch_1", b"{}")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 1


def test_a_page_loaded_again_sends_the_same_request(app: Flask) -> None:
    first = once(SYSTEM, "draft", "key-1", {"title": ["a"], "csrf_token": ["x"]}, lambda: {"id": 1})
    assert once(SYSTEM, "draft", "key-1", {"title": ["a"], "csrf_token": ["y"]}, lambda: {"id": 2}) == first
