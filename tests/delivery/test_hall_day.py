"""The queue of exceptions, the closing of the day, claims against the carrier."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.documents.register import IssuedDocument
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, lock, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from delivery import jobs, terms
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.desk import Claim, HallDay
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn
from delivery.models.tasks import ParcelTask, TaskKind
from delivery.queries.claims import claim_view
from delivery.queries.exceptions import TaskFilter, exceptions_statement
from delivery.queries.hall_days import flow_of, on_shelves
from delivery.services.claims import FileClaim, GrantClaim, file_claim, grant_claim, note_compensation, refuse_claim
from delivery.services.exceptions import Assign, Chosen, Settle, assign_tasks, settle_tasks, take_tasks
from delivery.services.hall_days import CountDay, count_day, sign_day
from delivery.services.returns import DecideReturn, ReceiveReturn, decide_return, lose_in_hall, receive_return
from delivery.services.tasks import raise_task
from delivery.services.tracking.decisions import settle_loss
from marketplace.queries.delivery_terms import delivery_terms
from tests.builders import sign_in
from tests.delivery.builders import (
    Hall,
    a_hall,
    a_handed_over_parcel,
    a_packed_parcel,
    a_waybilled_parcel,
    parcel,
    tasks,
)


@pytest.fixture
def hall(app: Flask) -> Iterator[Hall]:
    with chosen.using(SimulatedCarrier()):
        yield a_hall()


@pytest.fixture
def client_of(app: Flask) -> Callable[[Actor], FlaskClient]:
    def make(actor: Actor) -> FlaskClient:
        made = app.test_client()
        sign_in(made, actor)
        return made

    return make


# --- exceptions ---


def two_tasks(hall: Hall) -> tuple[UUID, ...]:
    parcel_id = a_packed_parcel(hall)
    with transaction():
        found = lock(Parcel, parcel_id)
        raise_task(found, TaskKind.STALLED, cause="a")
        raise_task(found, TaskKind.DISPUTED, cause="b")
    return tuple(db.session.scalars(sa.select(ParcelTask.id).order_by(ParcelTask.kind)))


def kinds(actor: Actor, **wanted: object) -> list[str]:
    rows = db.session.execute(exceptions_statement(actor, TaskFilter(**wanted))).all()  # type: ignore[arg-type]
    return [task.kind for task, _ in rows]


def test_tasks_are_taken_filtered_and_settled_together(hall: Hall) -> None:
    first, second = two_tasks(hall)
    assert take_tasks(hall.packer, Chosen((first,))) == 1
    assert kinds(hall.packer, owner="mine") == ["disputed"]
    assert kinds(hall.packer, owner="nobody") == ["stalled"]
    with pytest.raises(Refused, match="works on"):
        settle_tasks(hall.checker, Settle((first, second), "已电话核实"))
    assert kinds(hall.packer, settled=True) == []
    assert settle_tasks(hall.supervisor, Settle((first, second), "已电话核实")) == 2
    assert kinds(hall.packer, settled=True, kind="stalled") == ["stalled"]
    with pytest.raises(Refused, match="meantime"):
        settle_tasks(hall.supervisor, Settle((first,), "再来一次"))


def test_only_the_supervisor_gives_tasks_away_and_only_inside_the_hall(hall: Hall) -> None:
    found, other = two_tasks(hall), a_hall()
    user = hall.checker.user_id
    assert user is not None
    with pytest.raises(NotAllowed):
        assign_tasks(hall.packer, Assign(found, user))
    with pytest.raises(Refused):
        assign_tasks(hall.supervisor, Assign(found, other.packer.user_id))  # type: ignore[arg-type]
    assert assign_tasks(hall.supervisor, Assign(found, user)) == 2
    assert kinds(hall.checker, owner="mine") == ["disputed", "stalled"]
    with pytest.raises(NotFound):
        take_tasks(other.packer, Chosen(found))


def test_the_queue_over_the_web(hall: Hall, client_of: Callable[[Actor], FlaskClient]) -> None:
    found = two_tasks(hall)
    client = client_of(hall.packer)
    page = client.get("/delivery/exceptions?kind=stalled").text
    assert str(found[1]) in page
    assert str(found[0]) not in page
    form = {"task": [str(each) for each in found], "do": "settle", "resolution": "=已致电"}
    assert client.post("/delivery/exceptions", data=form).status_code == 303
    table = client.get("/delivery/exceptions.csv?settled=true").text
    assert table.count("'=已致电") == 2


# --- the day ---


def test_a_day_is_closed_when_shelves_and_system_agree(hall: Hall) -> None:
    a_packed_parcel(hall)
    a_waybilled_parcel(hall)
    a_handed_over_parcel(hall)
    assert on_shelves(hall.id) == {"ready": 0, "packed": 1, "booking": 0, "waybilled": 1, "returned": 0}
    assert flow_of(hall.id, clock.today()) == {"packed": 3, "handed_over": 1, "delivered": 0, "returned": 0}
    counted = {"packed": 1, "waybilled": 2}
    with pytest.raises(Refused) as differs:
        count_day(hall.packer, CountDay(counted, {"packed": "等待复核", "waybilled": "错过揽收"}))
    assert (differs.value.field, differs.value.params) == ("counted_waybilled", {"expected": 1, "counted": 2})
    with pytest.raises(Refused, match="overnight"):
        count_day(hall.packer, CountDay(counted | {"waybilled": 1}, {"packed": "等待复核"}))
    assert db.session.scalars(sa.select(HallDay)).all() == []
    day_id = count_day(
        hall.packer, CountDay(counted | {"waybilled": 1}, {"packed": "等待复核", "waybilled": "错过揽收"})
    )
    with pytest.raises(Refused, match="second person"):
        sign_day(hall.packer, day_id, Plain())
    with pytest.raises(NotAllowed):
        sign_day(hall.checker, day_id, Plain())
    sign_day(hall.supervisor, day_id, Plain())
    assert set(db.session.scalars(sa.select(IssuedDocument.kind))) == {"hall-day", "handover-list"}
    with pytest.raises(Conflict):
        count_day(hall.packer, CountDay(counted | {"waybilled": 1}, {"packed": "等待复核", "waybilled": "错过揽收"}))
    with pytest.raises(IllegalTransition):
        sign_day(hall.supervisor, day_id, Plain())


def test_what_moved_since_the_count_is_counted_again(hall: Hall) -> None:
    day_id = count_day(hall.packer, CountDay({}))
    a_packed_parcel(hall)
    with pytest.raises(Refused, match="since the count"):
        sign_day(hall.supervisor, day_id, Plain())
    assert count_day(hall.packer, CountDay({"packed": 1}, {"packed": "明早复核"})) == day_id
    sign_day(hall.supervisor, day_id, Plain())


def test_the_day_over_the_web(hall: Hall, client_of: Callable[[Actor], FlaskClient]) -> None:
    client = client_of(hall.packer)
    form = {f"counted_{shelf}": "0" for shelf in on_shelves(hall.id)}
    assert client.post("/delivery/days/count", data=form | {"counted_packed": "3"}).status_code == 422
    made = client.post("/delivery/days/count", data=form)
    assert made.status_code == 303
    assert client.get(f"{made.location}/paper.pdf").data.startswith(b"%PDF-")
    assert client_of(hall.supervisor).post(f"{made.location}/actions/sign").status_code == 303
    assert client.get(made.location).status_code == 200
    assert client_of(a_hall().packer).get(made.location).status_code == 404


# --- claims ---


def a_lost_parcel(hall: Hall) -> UUID:
    parcel_id = a_handed_over_parcel(hall)
    with transaction():
        lock(Parcel, parcel_id).state = "lost"
    return parcel_id


def test_a_claim_from_loss_to_compensation(hall: Hall) -> None:
    parcel_id = a_lost_parcel(hall)
    command = FileClaim("lost", 30000, "邮件在处理中心遗失")
    with pytest.raises(Refused, match="first"):
        settle_loss(hall.supervisor, parcel_id, WithReason("已重新制证"))
    with pytest.raises(NotAllowed):
        file_claim(hall.packer, parcel_id, command)
    claim_id = file_claim(hall.supervisor, parcel_id, command)
    with pytest.raises(Conflict, match="under way"):
        file_claim(hall.supervisor, parcel_id, command)
    settle_loss(hall.supervisor, parcel_id, WithReason("已重新制证"))
    assert parcel(parcel_id).state == "closed"
    with pytest.raises(Refused):
        grant_claim(hall.supervisor, claim_id, GrantClaim(30001, "EMS-1"))
    grant_claim(hall.supervisor, claim_id, GrantClaim(20000, "EMS-1"))
    note_compensation(hall.supervisor, claim_id, Plain())
    view = claim_view(hall.supervisor, claim_id)
    assert (view.state, view.granted_fen, view.asked_fen) == ("paid", 20000, 30000)
    with pytest.raises(NotFound):
        claim_view(a_hall().supervisor, claim_id)


def test_an_unanswered_claim_comes_before_a_person(hall: Hall) -> None:
    parcel_id = a_lost_parcel(hall)
    claim_id = file_claim(hall.supervisor, parcel_id, FileClaim("lost", 30000, "遗失"))
    assert jobs.look_after_claims() == 0
    with clock.at(clock.now() + timedelta(days=7, minutes=1)):
        assert (jobs.look_after_claims(), jobs.look_after_claims()) == (1, 0)
    assert tasks(parcel_id) == ["claim_unanswered"]
    refuse_claim(hall.supervisor, claim_id, WithReason("未保价"))
    assert tasks(parcel_id) == []
    assert db.session.scalars(sa.select(Claim.answer)).one() == "未保价"


def test_a_city_sets_its_own_patience(hall: Hall) -> None:
    """Silence of the carrier, the answer to a claim, the shelf of returned parcels: each by its rule-book parameter."""
    book = replace(terms.DEFAULTS, not_collected_hours=12, stalled_hours=30, return_kept_days=2, claim_answer_days=3)
    terms.provide(lambda: book)
    try:
        silent, moving, back = (a_handed_over_parcel(hall) for _ in range(3))
        now = clock.now()
        with transaction():
            lock(Parcel, moving).last_report_at, lock(Parcel, moving).observed_status = now, "in_transit"
            lock(Parcel, moving).observed_since = now
        receive_return(hall.packer, ReceiveReturn(parcel(back).waybill_no or ""))
        decide_return(hall.packer, back, DecideReturn("keep", "三日内来取"))
        kept = db.session.scalars(sa.select(ParcelReturn.keep_until)).one()
        assert kept is not None and (kept - now).days in (1, 2) and kept - now < timedelta(days=2, minutes=1)
        claim = claim_view(hall.supervisor, file_claim(hall.supervisor, silent, FileClaim("late", 100, "延误")))
        assert (claim.answer_due_at - claim.filed_at).days == 3
        for hours, found in ((11, []), (13, ["not_collected"])):
            with clock.at(now + timedelta(hours=hours)):
                jobs.raise_alarms()
            assert (tasks(silent), tasks(moving)) == (found, [])
        with clock.at(now + timedelta(hours=31)):
            jobs.raise_alarms()
        assert tasks(moving) == ["stalled"]
    finally:
        terms.provide(delivery_terms)


def test_what_never_left_the_hall_is_not_claimed(hall: Hall) -> None:
    parcel_id = a_waybilled_parcel(hall)
    lose_in_hall(hall.supervisor, parcel_id, WithReason("全厅搜寻未果"))
    with pytest.raises(Refused, match="never had"):
        file_claim(hall.supervisor, parcel_id, FileClaim("lost", 100, "遗失"))
    settle_loss(hall.supervisor, parcel_id, WithReason("已重新制证"))
    assert parcel(parcel_id).state == "closed"


def test_lists_of_the_desk_as_json_and_as_tables(hall: Hall, client_of: Callable[[Actor], FlaskClient]) -> None:
    """What a page lists, the API lists: paged, filtered, and nothing of another hall."""
    two_tasks(hall)
    file_claim(hall.supervisor, a_lost_parcel(hall), FileClaim("lost", 30000, "遗失"))
    reasons = {"packed": "待复核", "exceptions": "待处理"}
    count_day(hall.packer, CountDay(on_shelves(hall.id), reasons))
    client, stranger = client_of(hall.supervisor), client_of(a_hall().supervisor)
    lists = {
        "/api/delivery/exceptions?kind=stalled": 1, "/api/delivery/exceptions?owner=mine": 0, "/api/delivery/days?state=counted": 1,
        "/api/delivery/days?last=2020-01-01": 0, "/api/carrier-claims?ground=lost": 1, "/api/carrier-claims?state=paid": 0,
        "/api/carrier-bills?month=2026-03": 0, "/api/carrier-tariffs": 0,
    }  # fmt: skip
    for address, count in lists.items():
        answer = client.get(address)
        assert (answer.status_code, len(answer.json["items"])) == (200, count), address
        assert stranger.get(address).json["items"] == [], address
    claim = client.get("/api/carrier-claims").json["items"][0]
    assert (claim["asked_fen"], claim["state"]) == (30000, "filed")
    for address in (
        f"/api/carrier-claims/{claim['id']}",
        f"/api/delivery/days/{client.get('/api/delivery/days').json['items'][0]['id']}",
    ):
        assert (client.get(address).status_code, stranger.get(address).status_code) == (200, 404)
    assert client.get("/api/carrier-claims?state=nonsense").status_code == 422
    for address, lines in (("/carrier-claims.csv", 2), ("/delivery/days.csv", 2), ("/carrier-bills.csv", 1)):
        assert len(client.get(address).text.splitlines()) == lines, address
        assert len(stranger.get(address).text.splitlines()) == 1, address
    for address in ("/carrier-claims?state=filed", "/delivery/days?first=2026-01-01", "/carrier-bills?month=2026-03"):
        assert client.get(address).status_code == 200
