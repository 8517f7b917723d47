"""A handset that is lost or replaced, and the desk's part of a round: order of stops, what waits, exports."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.models import UserSession
from app.kernel import clock
from app.kernel.db import db, transaction
from app.kernel.errors import DomainError, NotAllowed, NotFound, Refused
from delivery import queries
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord
from delivery.models.rounds import CourierRound
from delivery.services import rounds, stop_order
from delivery.services.rounds import EndRound
from delivery.services.stop_order import MoveStop, SortBy, SortStops
from delivery.services.terms import terms_of
from tests.builders import sign_in
from tests.delivery.builders import Hall, a_hall, parcel, tasks
from tests.delivery.rounds_builders import Carried, a_courier, a_round, an_own_parcel, delivered, upload


@pytest.fixture
def hall(app: Flask) -> Hall:
    return a_hall()


@pytest.fixture
def carried(hall: Hall) -> Carried:
    return a_round(hall, a_courier(hall), an_own_parcel(hall), an_own_parcel(hall, address="解放东路9号"))


def the_round(carried: Carried) -> CourierRound:
    db.session.rollback()
    return db.session.get_one(CourierRound, carried.id, populate_existing=True)


def test_a_replaced_handset_is_refused_and_its_record_is_kept(app: Flask, carried: Carried) -> None:
    first, second = carried.parcels
    late = delivered(carried, first)
    with app.test_client() as client:
        sign_in(client, carried.courier)
    with pytest.raises(NotAllowed):
        rounds.replace_handset(carried.hall.packer, carried.id, EndRound("屏幕碎裂"))
    db.session.rollback()
    key = the_round(carried).storage_key
    rounds.replace_handset(carried.hall.supervisor, carried.id, EndRound("屏幕碎裂，换用备用终端"))
    row = the_round(carried)
    assert (row.state, row.handset_no, row.storage_key) == ("out", 2, key)
    assert not db.session.scalar(sa.select(sa.func.count()).where(UserSession.user_id == carried.courier.user_id, UserSession.revoked_at.is_(None)))  # fmt: skip

    for _ in range(2):
        (answer,) = upload(carried, late)
        assert (answer.result, answer.code) == ("refused", "handset-given-up")
    kept = db.session.scalars(sa.select(DoorRecord)).all()
    assert [(each.standing, each.photo_sha256 is not None) for each in kept] == [("refused", True)]
    assert parcel(first).state == "handed_over"
    assert tasks(first) == ["doubtful_proof"]
    (answer,) = upload(carried, delivered(carried, second, handset_no=2))
    assert (answer.result, answer.standing) == ("stored", "counted")
    (answer,) = upload(carried, delivered(carried, first, handset_no=2))
    assert answer.standing == "counted", "the refused record does not stand in the way of the real one"


def test_a_wrong_code_of_a_given_up_handset_locks_nothing(carried: Carried) -> None:
    rounds.replace_handset(carried.hall.supervisor, carried.id, EndRound("遗失"))
    for _ in range(6):
        upload(carried, delivered(carried, carried.parcels[0], code="000000", id=uuid4()))
    terms = terms_of(carried.parcels[0])
    assert (terms.code_tries, terms.code_locked_at) == (0, None)


def test_a_round_whose_handset_was_lost_ends_and_its_stops_wait_again(carried: Carried) -> None:
    late = delivered(carried, carried.parcels[0])
    assert queries.parcels_without_round(carried.hall.packer) == ()
    with pytest.raises(DomainError):
        rounds.end_for_courier(carried.hall.packer, carried.id, EndRound("遗失", handset_given_up=True))
    db.session.rollback()
    assert the_round(carried).state == "out"
    rounds.end_for_courier(carried.hall.supervisor, carried.id, EndRound("途中遗失", handset_given_up=True))
    row = the_round(carried)
    assert (row.state, row.storage_key, row.handset_no) == ("done", None, 2)
    assert {each.id for each in queries.parcels_without_round(carried.hall.packer)} == set(carried.parcels)
    (answer,) = upload(carried, late)
    assert answer.code == "handset-given-up"
    assert parcel(carried.parcels[0]).state == "handed_over"


def test_a_handset_that_is_still_there_is_heard_after_the_end(carried: Carried) -> None:
    late = delivered(carried, carried.parcels[0])
    rounds.end_for_courier(carried.hall.supervisor, carried.id, EndRound("投递员突发疾病"))
    (answer,) = upload(carried, late)
    assert (answer.result, answer.standing) == ("stored", "counted")


def test_the_desk_moves_and_sorts_stops(hall: Hall) -> None:
    late, middle, early = (an_own_parcel(hall, address=f"{street}1号") for street in ("甲路", "乙路", "丙路"))
    with transaction() as session:
        for parcel_id, days in ((late, 9), (middle, 5), (early, 2)):
            session.execute(
                sa.update(Parcel).where(Parcel.id == parcel_id).values(serve_by=clock.now() + timedelta(days=days))
            )
    carried = a_round(hall, a_courier(hall), late, middle, early, out=False)

    def order() -> list[object]:
        db.session.rollback()
        return [stop.parcel_id for stop in rounds.stops_of(carried.id)]

    stop_order.sort_stops(hall.packer, carried.id, SortStops(SortBy.SERVE_BY))
    assert order() == [early, middle, late]
    stop_order.move_stop(hall.packer, carried.id, MoveStop(late))
    assert order() == [early, late, middle]
    stop_order.move_stop(hall.packer, carried.id, MoveStop(early, up=True))
    assert order() == [early, late, middle], "the first goes nowhere"
    stop_order.move_stop(hall.packer, carried.id, MoveStop(early, up=False))
    assert order() == [late, early, middle]
    stranger = a_hall()
    with pytest.raises(NotFound):
        stop_order.move_stop(stranger.packer, carried.id, MoveStop(early))
    db.session.rollback()
    rounds.cancel_round(hall.supervisor, carried.id, EndRound("不需要"))
    with pytest.raises(Refused):
        stop_order.sort_stops(hall.packer, carried.id, SortStops(SortBy.PLACE))


def test_what_waits_can_be_narrowed_and_ticked_at_once(app: Flask, hall: Hall) -> None:
    here, there = an_own_parcel(hall, address="中山西路2号"), an_own_parcel(hall, address="解放东路9号")
    courier = a_courier(hall)
    batches = dict(queries.recent_batches(hall.packer))
    assert len(batches) == 2
    assert {len(queries.parcels_without_round(hall.packer, batch_id=each)) for each in batches} == {1}
    client = app.test_client()
    sign_in(client, hall.packer)
    page = client.get("/courier-rounds/new?street=中山西路&every=1").text
    assert f'value="{here}" checked' in page
    assert str(there) not in page
    facts = {"courier_user_id": str(courier.user_id), "work_day": date.isoformat(clock.today()), "parcel_ids": [str(here), str(there)]}  # fmt: skip
    token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    made = client.post("/courier-rounds/new", data={**facts, "csrf_token": token})
    assert made.status_code == 303
    lines = client.get("/courier-rounds.csv?state=planned").text.splitlines()
    assert len(lines) == 2
    assert ",2,0,0,2" in lines[1]
    assert len(client.get("/courier-rounds.csv?state=done").text.splitlines()) == 1
    stops = client.get(f"{made.headers['Location']}/stops.csv").text
    assert "李**" in stops
    assert "李晓燕" not in stops
    stranger = app.test_client()
    sign_in(stranger, a_hall().packer)
    assert stranger.get(f"{made.headers['Location']}/stops.csv").status_code == 404
