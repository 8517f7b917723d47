"""One transaction per use case: joined, rolled back whole, refused outside, and never losing an update."""

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import clock
from app.kernel.db import db, in_transaction, lock, transaction, use_case
from app.kernel.errors import NotFound
from app.kernel.inbox import insert_ignore
from app.kernel.jobs import JobLease
from app.kernel.numbering import next_number

pytestmark = pytest.mark.postgresql


@use_case
def add_lease(name: str) -> None:
    db.session.add(JobLease(name=name, last_started_at=clock.now()))


def names() -> list[str]:
    return list(db.session.scalars(sa.select(JobLease.name).order_by(JobLease.name)))


def test_an_inner_use_case_commits_with_the_outer_one(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        add_lease("inner")
        _ = 1 / 0
    assert names() == []
    with transaction():
        add_lease("inner")
        assert in_transaction()
    assert not in_transaction()
    assert names() == ["inner"]


def test_a_write_outside_a_transaction_is_refused(app: Flask) -> None:
    db.session.add(JobLease(name="stray"))
    with pytest.raises(RuntimeError, match="outside transaction"):
        db.session.flush()
    db.session.rollback()
    assert names() == []


def test_instants_come_back_aware_and_equal(app: Flask) -> None:
    moment = clock.now()
    with clock.at(moment):
        add_lease("a")
    db.session.expire_all()
    assert db.session.scalars(sa.select(JobLease.last_started_at)).one() == moment


def test_locking_an_unknown_row_says_not_found(app: Flask) -> None:
    with pytest.raises(NotFound), transaction():
        lock(JobLease, "nobody")


def test_insert_ignore_tells_the_first_from_the_second(app: Flask) -> None:
    with transaction():
        assert insert_ignore(JobLease, {"name": "x"})
        assert not insert_ignore(JobLease, {"name": "x"})
    assert names() == ["x"]


def test_numbers_count_per_prefix_and_a_rollback_gives_them_back(app: Flask) -> None:
    with transaction():
        first, second, other = next_number("CG"), next_number("CG"), next_number("HT")
    year = clock.today().year
    assert (first, second, other) == (f"CG-{year}-000001", f"CG-{year}-000002", f"HT-{year}-000001")
    with pytest.raises(KeyError), transaction():
        next_number("CG")
        raise KeyError
    with transaction():
        assert next_number("CG") == f"CG-{year}-000003"
