"""The second source: asked where there is doubt, kept as an opinion, never deciding."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.access import Role
from app.kernel.db import db
from app.kernel.errors import NotFound, Refused
from delivery import jobs
from delivery.carriers import chosen
from delivery.carriers.kuaidi100.client import Kuaidi100Carrier, Kuaidi100Settings
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.second_source import SecondOpinion, SecondQuestion
from delivery.observed import Status
from delivery.ports import Verdict
from delivery.rules import sources_disagree
from delivery.services import second_source
from delivery.states import ParcelState
from tests.builders import a_member, sign_in
from tests.delivery.builders import Hall, a_hall, a_handed_over_parcel, parcel, tasks
from tests.delivery.test_kuaidi100 import notice

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
Clock = Callable[[datetime], None]


class Other(SimulatedCarrier):
    """Another voice that knows the same numbers."""

    code = "kuaidi100"


@pytest.fixture
def voices(app: Flask, clock_at: Clock) -> Iterator[tuple[SimulatedCarrier, Other]]:
    clock_at(NOON)
    first, second = SimulatedCarrier(), Other()
    with chosen.using(first, second):
        yield first, second


@pytest.fixture
def hall(voices: tuple[SimulatedCarrier, Other]) -> Hall:
    return a_hall()


def known_to(second: Other, parcel_id: UUID) -> str:
    number = parcel(parcel_id).waybill_no
    assert number
    second._orders[number] = chosen.carrier()._orders[number].__class__("X", None)  # type: ignore[attr-defined, arg-type]
    return number


def test_a_stalled_parcel_is_asked_about_elsewhere_and_a_contradiction_goes_before_a_person(
    hall: Hall, voices: tuple[SimulatedCarrier, Other], clock_at: Clock
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    number = known_to(voices[1], parcel_id)
    voices[1].report(
        number, "704", NOON + timedelta(hours=20), deliverCode="10", opDesc="已签收,投递员:王强13800008899"
    )
    clock_at(NOON + timedelta(hours=25))
    assert jobs.raise_alarms() == 1
    assert second_source.ask_where_needed() == 1
    opinion = db.session.scalars(sa.select(SecondOpinion)).one()
    assert (opinion.source, opinion.status, opinion.since) == ("kuaidi100", "delivered", NOON + timedelta(hours=20))
    assert "13800008899" not in opinion.told
    assert tasks(parcel_id) == ["not_collected", "sources_disagree"]
    assert (parcel(parcel_id).state, parcel(parcel_id).observed_status) == (ParcelState.HANDED_OVER, "label_created")
    assert second_source.ask_where_needed() == 0, "not again for six hours"
    clock_at(NOON + timedelta(hours=32))
    assert second_source.ask_where_needed() == 1
    assert tasks(parcel_id) == ["not_collected", "sources_disagree"], "the same contradiction is raised once"


def test_staff_may_ask_and_others_may_not(
    hall: Hall, voices: tuple[SimulatedCarrier, Other], client: FlaskClient
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    known_to(voices[1], parcel_id)
    with pytest.raises(NotFound):
        second_source.ask(a_hall().packer, parcel_id, None)
    with chosen.using(voices[0]), pytest.raises(Refused, match="No second source"):
        second_source.ask(hall.packer, parcel_id, None)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SecondQuestion)) == 0
    for _ in range(2):
        second_source.ask(hall.packer, parcel_id, None)
    voices[1].behave("track", Verdict.UNAVAILABLE)
    assert second_source.ask_where_needed() == 1
    opinion = db.session.scalars(sa.select(SecondOpinion)).one()
    assert (opinion.status, opinion.problem) == (None, "simulated")
    sign_in(client, hall.packer)
    page = client.get(f"/parcels/{parcel_id}").text
    assert "第二来源" in page
    assert "向第二来源查询" in page


def test_a_notice_of_the_second_source_only_makes_a_query_due(hall: Hall, client: FlaskClient) -> None:
    parcel_id = a_handed_over_parcel(hall)
    jobs.tracking.poll_due()
    ours = Kuaidi100Carrier(Kuaidi100Settings("CUST", "KEY", "SALT"))
    with chosen.using(chosen.carrier(), ours):
        form = {"data": notice("SALT"), "content_type": "application/x-www-form-urlencoded"}
        answer = client.post("/delivery/notice/kuaidi100/development", **form)  # type: ignore[arg-type]
        assert answer.get_json() == {"result": True, "returnCode": "200", "message": "成功"}
        assert jobs.tracking.follow_notices() == 1
        form["data"] = notice("WRONG")
        assert client.post("/delivery/notice/kuaidi100/development", **form).status_code == 400  # type: ignore[arg-type]
    assert parcel(parcel_id).next_poll_at == NOON
    assert parcel(parcel_id).observed_status == "label_created"
    with chosen.using(chosen.carrier()):
        assert client.post("/delivery/notice/kuaidi100/development", **form).status_code == 404  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "disagree"),
    [
        ("in_transit", Status.DELIVERED, True),
        ("delivered", Status.DELIVERED, False),
        ("delivered", Status.RETURNED, True),
        ("in_transit", Status.OUT_FOR_DELIVERY, False),
        ("delivered", Status.IN_TRANSIT, False),
        ("returned", Status.RETURNING, False),
    ],
)
def test_what_is_a_contradiction(first: str, second: Status, disagree: bool) -> None:
    assert sources_disagree(first, second) is disagree


def test_the_page_of_carriers_says_what_is_not_offered(app: Flask, client: FlaskClient) -> None:
    sign_in(client, a_member(Role.OPERATOR))
    page = client.get("/delivery/carriers").text
    assert "邮政 EMS" in page
    assert page.count("未提供") >= 15
    items = client.get("/api/carriers").get_json()["items"]
    assert [each["code"] for each in items] == ["ems", "kuaidi100"]
    assert items[0]["capabilities"]["find_by_order"] == "not_offered"
    assert items[1]["capabilities"]["track"] == "offered"
