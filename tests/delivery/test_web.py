"""Delivery over HTTP: the way of one parcel through pages and JSON, other tenants, forged and doubled notices."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import outbox
from app.kernel.access import Actor, Role
from app.kernel.db import db, transaction
from app.kernel.inbox import Notice
from delivery import jobs, services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.states import ParcelState
from tests.builders import a_member, sign_in
from tests.delivery.builders import (
    Hall,
    a_hall,
    a_handed_over_parcel,
    a_waybilled_parcel,
    an_ordered_parcel,
    hand_over,
    parcel,
    tasks,
)
from tests.delivery.conftest import Simulator

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NOTICE = "/delivery/notice/ems/development"
Clock = Callable[[datetime], None]


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, clock_at: Clock) -> Hall:
    clock_at(NOON)
    return a_hall()


@pytest.fixture
def client_of(app: Flask) -> Callable[[Actor], FlaskClient]:
    def make(actor: Actor) -> FlaskClient:
        made = app.test_client()
        sign_in(made, actor)
        return made

    return make


Sign = Callable[[Actor], FlaskClient]


def test_a_parcel_through_the_pages(hall: Hall, carrier: SimulatedCarrier, client_of: Sign) -> None:
    parcel_id = an_ordered_parcel(hall)
    packer, checker, applicant = client_of(hall.packer), client_of(hall.checker), client_of(hall.applicant)
    centre = client_of(hall.centre)
    assert centre.post(f"/parcels/{parcel_id}/actions/contents_ready").status_code == 303
    assert "营业执照正本一份" in packer.get("/delivery?tab=pack").text
    found = packer.post("/delivery/scan?tab=pack", data={"code": parcel(parcel_id).number})
    assert found.location.endswith(f"/parcels/{parcel_id}/pack")
    assert "营业执照正本一份" in packer.get(found.location).text
    form = {"seal_no": "FQ0001", "weight_g": "130", "contents_compared": "true"}
    assert packer.post(f"/parcels/{parcel_id}/actions/pack", data=form).status_code == 303
    assert checker.post(f"/parcels/{parcel_id}/actions/check", data={"seal_no": "ＦＱ０００１"}).status_code == 303
    outbox.drain_all()
    assert "1000000001460" in packer.get("/delivery?tab=label").text
    printed = packer.post(f"/parcels/{parcel_id}/label")
    assert printed.location.endswith("/label.pdf")
    label = packer.get(printed.location)
    assert (label.mimetype, label.data[:5]) == ("application/pdf", b"%PDF-")
    listed = packer.post("/delivery/scan?tab=handover", data={"code": "1000000001460"})
    batch = listed.location
    assert "1000000001460" in packer.get(batch).text
    assert packer.post(f"{batch}/actions/offer", data={"counted": "1"}).status_code == 303
    taken = {"courier_name": "王强", "courier_staff_no": "33010088", "counted": "1"}
    assert checker.post(f"{batch}/actions/take_over", data=taken).status_code == 303
    outbox.drain_all()
    assert packer.get(f"{batch}/list.pdf").data.startswith(b"%PDF-")
    carrier.report("1000000001460", "704", NOON, deliverCode="10", opDesc="已签收,签收人:李晓燕")
    assert jobs.tracking.poll_due() == 1
    page = applicant.get(f"/parcels/{parcel_id}").text
    assert "李晓燕" in page
    assert "13912345678" in page
    assert applicant.post(f"/parcels/{parcel_id}/actions/confirm_receipt").status_code == 303
    assert parcel(parcel_id).state == ParcelState.CLOSED


def test_a_parcel_through_the_api(hall: Hall, carrier: SimulatedCarrier, client_of: Sign) -> None:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(hall.centre, parcel_id)
    packer, checker = client_of(hall.packer), client_of(hall.checker)
    seen = packer.get(f"/api/parcels/{parcel_id}").get_json()
    assert [each["name"] for each in seen["actions"]] == ["pack"]
    body = {"seal_no": "FQ0001", "weight_g": 130, "contents_compared": True, "version": seen["version"]}
    packed = packer.post(f"/api/parcels/{parcel_id}/actions/pack", json=body)
    assert (packed.status_code, packed.get_json()["state"]) == (200, "packed")
    again = packer.post(f"/api/parcels/{parcel_id}/actions/pack", json=body)
    assert (again.status_code, again.get_json()["code"]) == (409, "outdated")
    refused = packer.post(f"/api/parcels/{parcel_id}/actions/check", json={"seal_no": "FQ0001"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "second-person-needed")
    other = checker.post(f"/api/parcels/{parcel_id}/actions/check", json={"seal_no": "FQ0002"})
    assert (other.status_code, other.get_json()["code"]) == (422, "other-seal")
    assert checker.post(f"/api/parcels/{parcel_id}/actions/check", json={"seal_no": "FQ0001"}).status_code == 200
    outbox.drain_all()
    batch = packer.post("/api/handover-batches").get_json()
    href = f"/api/handover-batches/{batch['id']}/actions"
    assert packer.post(f"{href}/add", json={"code": "1000000001460"}).status_code == 200
    assert packer.post(f"{href}/offer", json={"counted": 1}).status_code == 200
    taken = {"courier_name": "王强", "courier_staff_no": "33010088", "counted": 1, "missing": []}
    done = checker.post(f"{href}/take_over", json=taken)
    assert (done.status_code, done.get_json()["state"]) == (200, "taken_over")
    assert packer.get(f"/api/parcels/{parcel_id}").get_json()["state"] == "handed_over"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "seal_no"), ({"seal_no": "F1", "weight_g": 0}, "weight_g"), ({"seal_no": "F1", "weight_g": "x"}, "weight_g"),
        ({"seal_no": "F1", "weight_g": 120, "surprise": 1}, "surprise"), ({"seal_no": "F1", "weight_g": 120}, "contents_compared"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_changes_nothing(
    hall: Hall, carrier: SimulatedCarrier, client_of: Sign, body: dict[str, object], pointer: str
) -> None:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(hall.centre, parcel_id)
    answer = client_of(hall.packer).post(f"/api/parcels/{parcel_id}/actions/pack", json=body)
    assert answer.status_code == 422
    assert any(each["pointer"].endswith(pointer) for each in answer.get_json()["errors"])
    assert parcel(parcel_id).state == ParcelState.READY


def test_a_double_click_does_one_thing(hall: Hall, carrier: SimulatedCarrier, client_of: Sign) -> None:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(hall.centre, parcel_id)
    form = {"seal_no": "FQ0001", "weight_g": "130", "contents_compared": "true", "idempotency_key": "k1"}
    packer = client_of(hall.packer)
    for _ in range(2):
        assert packer.post(f"/parcels/{parcel_id}/actions/pack", data=form).status_code == 303
    assert parcel(parcel_id).state == ParcelState.PACKED


@pytest.mark.parametrize("role", [Role.POSTAL_STAFF, Role.WINDOW_CLERK, Role.APPLICANT, Role.OWNER, Role.AGENCY])
def test_other_tenants_get_404(hall: Hall, carrier: SimulatedCarrier, client_of: Sign, role: Role) -> None:
    parcel_id = a_waybilled_parcel(hall)
    batch_id = hand_over(hall, parcel_id)
    stranger = client_of(a_member(role))
    for address in (f"/parcels/{parcel_id}", f"/api/parcels/{parcel_id}", f"/handover-batches/{batch_id}",
                    f"/api/handover-batches/{batch_id}", f"/handover-batches/{batch_id}/list.pdf"):  # fmt: skip
        assert stranger.get(address).status_code == 404, address
    assert stranger.post(f"/parcels/{parcel_id}/actions/void_waybill", data={"reason": "x"}).status_code == 404
    assert stranger.post(f"/api/parcels/{parcel_id}/actions/take_back", json={}).status_code == 404
    assert stranger.get(f"/parcels/{parcel_id}/label.pdf").status_code in (403, 404)


def test_visitors_are_asked_to_sign_in(app: Flask, client: FlaskClient) -> None:
    assert client.get("/api/parcels").status_code == 401
    assert client.get("/delivery", headers={"Accept": "application/json"}).status_code == 401


def test_oversight_reads_masks_and_changes_nothing(hall: Hall, carrier: SimulatedCarrier, client_of: Sign) -> None:
    parcel_id = a_waybilled_parcel(hall)
    operator = client_of(a_member(Role.OPERATOR))
    page = operator.get(f"/parcels/{parcel_id}").text
    for secret in ("李晓燕", "13912345678", "1幢301室", parcel(parcel_id).pickup_code):
        assert secret not in page
    assert operator.post(f"/api/parcels/{parcel_id}/actions/void_waybill", json={"reason": "x"}).status_code == 403
    assert parcel(parcel_id).state == ParcelState.WAYBILLED


def test_public_tracking(hall: Hall, carrier: SimulatedCarrier, client: FlaskClient) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "702", NOON, opDesc="正在派送,投递员:王强13800008899")
    jobs.tracking.poll_due()
    assert client.get("/track").status_code == 200
    shown = client.post("/track", data={"number": "1000000001460", "secret": "5678"}).text
    assert "李**" in shown
    for secret in ("李晓燕", "13912345678", "1幢301室", "13800008899", parcel(parcel_id).pickup_code):
        assert secret not in shown
    wrong = client.post("/api/track", json={"number": "1000000001460", "secret": "0000"})
    unknown = client.post("/api/track", json={"number": "1000000009960", "secret": "5678"})
    assert (wrong.status_code, wrong.get_json()["code"]) == (422, "track-no-match")
    assert unknown.get_json()["code"] == "track-no-match"
    for _ in range(4):
        client.post("/api/track", json={"number": "1000000001460", "secret": "0000"})
    assert client.post("/api/track", json={"number": "1000000001460", "secret": "5678"}).status_code == 429


def test_every_queue_says_what_would_fill_it(hall: Hall, carrier: SimulatedCarrier, client_of: Sign) -> None:
    packer = client_of(hall.packer)
    for tab in ("pack", "label", "handover", "transit", "returns", "exceptions"):
        page = packer.get(f"/delivery?tab={tab}", follow_redirects=True)
        assert page.status_code == 200
        assert "empty-state" in page.text
    missed = packer.post("/delivery/scan?tab=pack", data={"code": "<script>"}, follow_redirects=True)
    assert "&lt;SCRIPT&gt;" in missed.text


def test_the_workbench_reads_the_same_number_of_statements_for_any_number_of_rows(
    hall: Hall, carrier: SimulatedCarrier, client_of: Sign
) -> None:
    packer = client_of(hall.packer)

    def statements() -> int:
        seen: list[str] = []

        def note(_c: object, _cu: object, statement: str, *_: object) -> None:
            seen.append(statement)

        sa.event.listen(db.engine, "before_cursor_execute", note)
        packer.get("/delivery?tab=label")
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    a_waybilled_parcel(hall)
    statements()  # the session's own first statements
    few = statements()
    for _ in range(4):
        a_waybilled_parcel(hall)
    assert statements() <= few


# --- notices of the carrier: only ever a hint ---


def event(code: str, at: datetime = NOON, **fields: str) -> dict[str, str]:
    from delivery.carriers.ems.mapping import beijing

    return {"waybillNo": "1000000001460", "opCode": code, "opTime": beijing(at), **fields}


def push(client: FlaskClient, record: dict[str, str], serial: str = "A1") -> tuple[int, str]:
    answer = client.post(
        NOTICE, data=json.dumps({"serialNo": serial, "event": record}), content_type="application/json"
    )
    return answer.status_code, answer.get_json()["code"]


def make_due(parcel_id: UUID) -> None:
    with transaction() as session:
        session.execute(sa.update(Parcel).where(Parcel.id == parcel_id).values(next_poll_at=NOON))


def test_a_notice_makes_a_query_due_and_changes_nothing_itself(
    hall: Hall, carrier: SimulatedCarrier, client: FlaskClient
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    jobs.tracking.poll_due()
    assert push(client, event("704", deliverCode="10")) == (200, "00000")
    assert jobs.tracking.follow_notices() == 1
    row = parcel(parcel_id)
    assert (row.state, row.observed_status) == (ParcelState.HANDED_OVER, "label_created")
    assert row.next_poll_at == NOON
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    assert jobs.tracking.poll_due() == 1
    assert parcel(parcel_id).state == ParcelState.DELIVERED
    assert db.session.scalars(sa.select(CarrierHint.confirmed_at)).one() == NOON


def test_a_forged_notice_never_changes_the_state_and_is_noticed(
    hall: Hall, carrier: SimulatedCarrier, client: FlaskClient
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    push(client, event("704", deliverCode="10"))
    push(client, event("711", NOON + timedelta(hours=1)))
    jobs.tracking.follow_notices()
    for _ in range(3):
        make_due(parcel_id)
        jobs.tracking.poll_due()
    assert (parcel(parcel_id).state, parcel(parcel_id).observed_status) == (ParcelState.HANDED_OVER, "label_created")
    assert tasks(parcel_id) == ["unconfirmed_notice", "unconfirmed_notice"]
    assert db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))) == 0


def test_a_repeated_notice_is_stored_once(hall: Hall, carrier: SimulatedCarrier, client: FlaskClient) -> None:
    a_handed_over_parcel(hall)
    for serial in ("A1", "A1", "B2", "C3"):
        assert push(client, event("702"), serial) == (200, "00000")
    assert db.session.scalar(sa.select(sa.func.count(Notice.id)).where(Notice.source == "ems")) == 1
    jobs.tracking.follow_notices()
    assert db.session.scalar(sa.select(sa.func.count(CarrierHint.id))) == 1


def test_notices_of_strangers_are_harmless(hall: Hall, carrier: SimulatedCarrier, client: FlaskClient) -> None:
    parcel_id = a_handed_over_parcel(hall)
    assert push(client, event("704") | {"waybillNo": "1099999999960"}) == (200, "00000")
    assert push(client, event("704") | {"orderNo": "ANOTHER"}) == (200, "00000")
    jobs.tracking.follow_notices()
    assert parcel(parcel_id).state == ParcelState.HANDED_OVER
    assert db.session.scalar(sa.select(sa.func.count(CarrierHint.id))) == 0
    assert set(db.session.scalars(sa.select(Notice.error))) == {"unknown waybill"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"a=b", b'{"serialNo":"Z","event":{"opCode":"704"}}'])
def test_what_is_no_notice_is_refused_and_not_stored(
    hall: Hall, carrier: SimulatedCarrier, client: FlaskClient, body: bytes
) -> None:
    answer = client.post(NOTICE, data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "S00001")
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 0


def test_the_address_of_notices_is_secret_and_small(app: Flask, client: FlaskClient) -> None:
    assert client.post("/delivery/notice/ems/guess", data=b"{}").status_code == 404
    assert client.post(NOTICE, data=b"x" * 70_000).status_code == 413
    assert client.get(NOTICE).status_code == 405


def test_an_encrypted_push_of_the_simulator_arrives(hall: Hall, simulator: Simulator, client: FlaskClient) -> None:
    from delivery.simulator.store import FIRST_CUSTOMER

    record = event("702") | {"orderNo": "X"}
    with chosen.using(simulator.carrier()):
        body = simulator.pusher.envelope(FIRST_CUSTOMER, "B" * 32, record, None)
        answer = client.post(NOTICE, json=body)
        assert answer.get_json() == {
            "serialNo": "B" * 32,
            "code": "00000",
            "codeMessage": "成功",
            "senderNo": "1100000000001",
        }
        form = client.post(NOTICE, data=simulator.pusher.envelope(FIRST_CUSTOMER, "C" * 32, event("713"), None))
        assert form.get_json()["code"] == "00000"
        jobs.tracking.follow_notices()
    assert db.session.scalar(sa.select(sa.func.count(Notice.id)).where(Notice.done_at.is_not(None))) == 2


def test_a_push_storm_ends_where_polling_alone_ends(hall: Hall, carrier: SimulatedCarrier, client: FlaskClient) -> None:
    course = [event("203", NOON), event("305", NOON + timedelta(hours=1)), event("702", NOON + timedelta(hours=9)),
              event("704", NOON + timedelta(hours=11), deliverCode="10"), event("743", NOON + timedelta(hours=12)),
              event("705", NOON + timedelta(hours=13), attemptDeliveryCode="4")]  # fmt: skip
    stormed = a_handed_over_parcel(hall)
    quiet = a_handed_over_parcel(hall)
    for step in course:
        fields = {name: value for name, value in step.items() if name.endswith("Code") and name != "opCode"}
        at = datetime.fromisoformat(f"{step['opTime']}+08:00")
        for number in ("1000000001460", "1000000002860"):
            carrier.report(number, step["opCode"], at, **fields)
        for again in (course[-1], course[0], step, step):
            push(client, again)
        jobs.tracking.follow_notices()
        jobs.tracking.poll_due()
    for each in (stormed, quiet):
        make_due(each)
    jobs.tracking.poll_due()
    one, other = parcel(stormed), parcel(quiet)
    assert (one.state, one.observed_status, one.observed_since) == (
        other.state,
        other.observed_status,
        other.observed_since,
    )
    assert (one.state, one.observed_status, one.failed_attempts) == (ParcelState.HANDED_OVER, "delivery_failed", 1)


def test_an_exception_stands_on_the_page_until_somebody_says_what_was_done(
    hall: Hall, carrier: SimulatedCarrier, client_of: Sign
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "704", NOON, deliverCode="161")
    jobs.tracking.poll_due()
    packer = client_of(hall.packer)
    page = packer.get(f"/parcels/{parcel_id}").text
    task = page.split("/tasks/")[1].split('"')[0]
    assert "家门口" in page
    assert task in packer.get("/delivery?tab=exceptions", follow_redirects=True).text
    address = f"/parcels/{parcel_id}/tasks/{task}"
    assert packer.post(address, data={"resolution": " "}).status_code == 422
    assert tasks(parcel_id) == ["doubtful_delivery"]
    assert client_of(a_hall().packer).post(address, data={"resolution": "x"}).status_code == 404
    assert client_of(hall.applicant).get(address).status_code == 403
    assert packer.post(address, data={"resolution": "电话核实，本人已取"}).status_code == 303
    assert tasks(parcel_id) == []
    assert "电话核实，本人已取" in packer.get(f"/parcels/{parcel_id}").text
