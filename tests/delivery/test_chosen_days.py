"""The day and the collection point that a receiver chose: until when, and what follows them."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from app.kernel.access import SYSTEM, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError, NotAllowed, Refused
from delivery import chosen_days, jobs, queries
from delivery.carriers import chosen
from delivery.carriers.ems.client import EmsCarrier
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.rounds import RoundStop
from delivery.models.terms import ParcelTerms
from delivery.ports import Capability
from delivery.promises import BEIJING
from delivery.queries.choices import choices_of
from delivery.queries.workload import workload
from delivery.services import recipients, rounds, schedules
from delivery.services.addresses import ChoosePoint, choose_point
from delivery.services.recipients import AgreeDay, ChooseDay
from delivery.services.rounds import PlanRound
from delivery.services.schedules import KeepPoint
from tests.builders import a_member
from tests.delivery.builders import Hall, a_hall, a_handed_over_parcel, a_waybilled_parcel, parcel, tasks
from tests.delivery.rounds_builders import a_courier, an_own_parcel

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
Clock = Callable[[datetime], None]


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, clock_at: Clock, carrier: SimulatedCarrier) -> Hall:
    clock_at(NOON)
    return a_hall()


@pytest.mark.parametrize(("minute", "first"), [("15:59", 3), ("16:00", 3), ("16:01", 4)])
def test_tomorrow_can_be_chosen_until_the_cutoff(minute: str, first: int) -> None:
    now = datetime.fromisoformat(f"2026-03-02T{minute}").replace(tzinfo=BEIJING)
    found = chosen_days.choosable(now, "16:00", 7)
    assert (found.first, found.last) == (date(2026, 3, first), date(2026, 3, 9))
    assert chosen_days.is_fixed(date(2026, 3, 3), now, "16:00") is (first == 4)


def test_one_day_is_left_where_the_horizon_is_shorter_than_the_cutoff() -> None:
    evening = datetime(2026, 3, 2, 20, 0, tzinfo=BEIJING)
    found = chosen_days.choosable(evening, "16:00", 1)
    assert found.first == found.last == date(2026, 3, 4)


def test_a_past_day_binds_nobody() -> None:
    assert not chosen_days.is_fixed(date(2026, 3, 1), NOON, "16:00")
    assert chosen_days.is_fixed(MONDAY, NOON, "16:00")
    assert not chosen_days.is_fixed(None, NOON, "16:00")


def test_rounds_propose_it_for_its_day_and_not_before(hall: Hall) -> None:
    courier = a_courier(hall)
    assert courier.user_id
    wished, free = an_own_parcel(hall), an_own_parcel(hall)
    recipients.choose_day(hall.applicant, wished, ChooseDay(date(2026, 3, 4)))
    proposed = {day: {each.id for each in queries.parcels_without_round(hall.packer, day=day)} for day in (MONDAY, date(2026, 3, 4))}  # fmt: skip
    assert proposed == {MONDAY: {free}, date(2026, 3, 4): {free, wished}}
    with pytest.raises(Conflict, match=r"not-before-chosen-day|chose"):
        rounds.plan_round(hall.packer, PlanRound(courier.user_id, MONDAY, (free, wished)))
    assert not db.session.query(RoundStop).count(), "nothing of a refused plan stays"
    assert rounds.plan_round(hall.packer, PlanRound(courier.user_id, date(2026, 3, 4), (free, wished)))


def test_a_planned_round_of_an_earlier_day_gives_it_back_and_a_courier_who_is_out_keeps_it(hall: Hall) -> None:
    courier = a_courier(hall)
    assert courier.user_id
    wished, other = an_own_parcel(hall), an_own_parcel(hall)
    planned = rounds.plan_round(hall.packer, PlanRound(courier.user_id, MONDAY, (wished, other)))
    recipients.choose_day(hall.applicant, wished, ChooseDay(date(2026, 3, 4)))
    assert {stop.parcel_id: stop.outcome for stop in rounds.stops_of(planned)} == {wished: "taken_off", other: "open"}
    assert tasks(wished) == [], "our own courier's rounds follow the day by themselves"
    rounds.set_out(courier, planned)
    with pytest.raises(Conflict) as refused:
        recipients.choose_day(hall.applicant, other, ChooseDay(date(2026, 3, 4)))
    assert refused.value.code == "courier-is-out"
    db.session.rollback()
    assert db.session.get_one(ParcelTerms, other).preferred_day is None


def test_the_day_can_be_changed_until_the_cutoff_of_the_day_before(hall: Hall, clock_at: Clock) -> None:
    parcel_id = an_own_parcel(hall)
    recipients.choose_day(hall.applicant, parcel_id, ChooseDay(date(2026, 3, 4)))
    clock_at(datetime(2026, 3, 3, 8, 0, tzinfo=UTC))  # 16:00 in Beijing
    recipients.choose_day(hall.applicant, parcel_id, ChooseDay(date(2026, 3, 5)))
    clock_at(datetime(2026, 3, 4, 8, 1, tzinfo=UTC))
    with pytest.raises(Conflict) as refused:
        recipients.choose_day(hall.applicant, parcel_id, ChooseDay(date(2026, 3, 6)))
    assert refused.value.code == "day-fixed"
    db.session.rollback()
    assert choices_of([parcel_id])[parcel_id].day == date(2026, 3, 5)
    clock_at(datetime(2026, 3, 6, 4, 0, tzinfo=UTC))
    recipients.choose_day(hall.applicant, parcel_id, ChooseDay(date(2026, 3, 9)))


def test_only_the_hall_agrees_on_today_and_says_how(hall: Hall) -> None:
    parcel_id = an_own_parcel(hall)
    with pytest.raises(Refused, match=r"from"):
        recipients.choose_day(hall.applicant, parcel_id, ChooseDay(MONDAY))
    with pytest.raises(NotAllowed):
        recipients.agree_day(hall.applicant, parcel_id, AgreeDay(MONDAY, "电话"))
    db.session.rollback()
    recipients.agree_day(hall.packer, parcel_id, AgreeDay(MONDAY, "收件人来电约定今日送达"))
    assert choices_of([parcel_id])[parcel_id].day == MONDAY
    assert {each.id for each in queries.parcels_without_round(hall.packer, day=MONDAY)} == {parcel_id}


def test_the_workload_counts_it_on_the_chosen_day(hall: Hall) -> None:
    parcel_id = a_handed_over_parcel(hall)
    before = workload(hall.packer).routes[0].by_day
    recipients.choose_day(hall.applicant, parcel_id, ChooseDay(date(2026, 3, 8)))
    found = workload(hall.packer).routes[0].by_day
    assert (sum(before), found) == (1, (0, 0, 0, 0, 0, 0, 1))
    assert tasks(parcel_id) == ["wish"], "an outside carrier has it: a person tells it"


def test_the_carrier_gets_the_day_and_the_point_with_the_order(hall: Hall, carrier: SimulatedCarrier) -> None:
    point = schedules.keep_point(
        hall.supervisor,
        KeepPoint("鼓楼邮政所", "330203", "中山东路1号", "0574-87651234", "每日 9:00-18:00"),
    )
    parcel_id = a_waybilled_parcel(hall)
    first = parcel(parcel_id).waybill_no
    with pytest.raises(DomainError):
        choose_point(hall.applicant, parcel_id, ChoosePoint(point, "000000x"))
    with pytest.raises(NotAllowed):
        choose_point(hall.packer, parcel_id, ChoosePoint(point, parcel(parcel_id).pickup_code))
    db.session.rollback()
    recipients.choose_day(hall.applicant, parcel_id, ChooseDay(date(2026, 3, 5)))
    choose_point(hall.applicant, parcel_id, ChoosePoint(point, parcel(parcel_id).pickup_code))
    jobs.ask_for_numbers()
    found = parcel(parcel_id)
    assert found.waybill_no not in (None, first), "the number for the old address is given up"
    assert found.receiver_address == "中山东路1号 鼓楼邮政所"
    assert choices_of([parcel_id])[parcel_id].point == "鼓楼邮政所"
    sent = carrier._orders[found.waybill_no or ""].shipment
    assert sent.remark.endswith("收件人到鼓楼邮政所自提，请勿上门 预约 2026-03-05 投递")
    assert sent.deliver is not None
    assert sent.deliver.begin.date() == date(2026, 3, 5)


def test_what_a_carrier_offers_of_it_is_said(hall: Hall) -> None:
    assert Capability.CHOSEN_DAY in EmsCarrier.capabilities
    assert Capability.COLLECTION_POINT not in EmsCarrier.capabilities


def test_a_stranger_chooses_nothing(hall: Hall) -> None:
    parcel_id = an_own_parcel(hall)
    stranger = a_member(Role.APPLICANT, name="陌生人")
    for attempt in (
        lambda: recipients.choose_day(stranger, parcel_id, ChooseDay(date(2026, 3, 4))),
        lambda: recipients.agree_day(stranger, parcel_id, AgreeDay(date(2026, 3, 4), "x")),
        lambda: recipients.choose_day(SYSTEM, parcel_id, ChooseDay(date(2026, 3, 4))),
    ):
        with pytest.raises(DomainError):
            attempt()
        db.session.rollback()
    assert parcel_id not in choices_of([parcel_id])
