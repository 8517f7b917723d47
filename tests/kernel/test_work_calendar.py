import datetime as dt
from uuid import uuid4

import pytest

from app.kernel import work_calendar
from app.kernel.access import Actor, Role
from app.kernel.calendar import UnknownYear, YearTable
from app.kernel.errors import Conflict, Refused

ONE = Actor(uuid4(), None, frozenset({Role.OPERATOR}), "一")
TWO = Actor(uuid4(), None, frozenset({Role.OPERATOR}), "二")
TABLE = YearTable(
    2027,
    frozenset({dt.date(2027, 1, 1), dt.date(2027, 1, 4)}),
    frozenset({dt.date(2027, 1, 3)}),
    notice="国办发明电〔2026〕8号",
)
START = dt.datetime(2026, 12, 30, 2, tzinfo=dt.UTC)


def test_the_coming_year_is_provisional_until_two_people_put_its_table_in_force(app) -> None:
    assert work_calendar.current().deadline(START, 3).provisional
    work_calendar.enter_year(ONE, TABLE)
    assert work_calendar.current().deadline(START, 3).provisional
    with pytest.raises(Refused) as refusal:
        work_calendar.approve_year(ONE, 2027)
    assert refusal.value.code == "four-eyes"
    work_calendar.approve_year(TWO, 2027)
    deadline = work_calendar.current().deadline(START, 3)
    assert (deadline.day, deadline.provisional) == (dt.date(2027, 1, 5), False)


def test_a_year_in_force_is_not_replaced(app) -> None:
    work_calendar.enter_year(ONE, TABLE)
    work_calendar.approve_year(TWO, 2027)
    with pytest.raises(Conflict):
        work_calendar.enter_year(ONE, TABLE)
    with pytest.raises(Conflict):
        work_calendar.approve_year(TWO, 2027)


def test_a_table_names_its_notice(app) -> None:
    with pytest.raises(Refused):
        work_calendar.enter_year(ONE, YearTable(2027, TABLE.off, frozenset()))


def test_years_beyond_the_coming_one_are_unknown(app) -> None:
    with pytest.raises(UnknownYear):
        work_calendar.current().is_working_day(dt.date(2028, 3, 1))
