"""The handset over HTTP: what it may be told, what it may send, and what two of them do at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.documents.register import issued_for
from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.db import db
from delivery.doorstep import Signer
from delivery.models.proofs import DoorRecord
from delivery.services import rounds
from delivery.services.rounds import StopOf
from tests.builders import sign_in
from tests.delivery.builders import a_hall, parcel
from tests.delivery.rounds_builders import Carried, a_courier, a_round, an_own_parcel, delivered, upload
from tests.together import together

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def carried(app: Flask, clock_at: Callable[[datetime], None]) -> Carried:
    clock_at(MORNING)
    hall = a_hall()
    return a_round(hall, a_courier(hall), an_own_parcel(hall), an_own_parcel(hall))


def as_person(app: Flask, actor: Actor) -> FlaskClient:
    client = app.test_client()
    sign_in(client, actor)
    return client


def a_record(carried: Carried, parcel_id: UUID, **facts: Any) -> dict[str, Any]:
    now = round(clock.now().timestamp() * 1000)
    made = {
        "id": str(uuid4()), "round_id": str(carried.id), "parcel_id": str(parcel_id), "kind": "delivered", "device_at": now,
        "noted_offset_ms": 0, "signer": "self", "signer_name": "李晓燕", "code": parcel(parcel_id).pickup_code,
        "signature": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    }  # fmt: skip
    return made | facts


def send(client: FlaskClient, *records: dict[str, Any]) -> Any:
    now = round(clock.now().timestamp() * 1000)
    return client.post("/api/handset/records", json={"device_id": "handset-0001", "sent_at": now, "records": records})


def test_each_record_of_an_upload_gets_its_own_answer(app: Flask, carried: Carried) -> None:
    courier = as_person(app, carried.courier)
    one, two = carried.parcels
    good, odd = a_record(carried, one), a_record(carried, two, signer=None)
    nonsense = {"id": "x", "kind": 7, "surprise": [1]}
    far = a_record(carried, two, device_at=10**18)
    answer = send(courier, nonsense, good, odd, far)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    results = answer.get_json()["results"]
    assert [each["result"] for each in results] == ["refused", "stored", "refused", "refused"]
    assert [each["code"] for each in results] == ["not-readable", "", "not-readable", "not-readable"]
    assert [parcel(each).state for each in carried.parcels] == ["delivered", "handed_over"]
    again = send(courier, good).get_json()["results"]
    assert [(each["result"], each["standing"]) for each in again] == [("repeated", "counted")]
    assert send(courier, *[a_record(carried, two) for _ in range(21)]).status_code == 422
    assert send(courier).status_code == 422
    assert parcel(two).state == "handed_over"


def test_nobody_else_gets_the_round(app: Flask, carried: Carried) -> None:
    mine = as_person(app, carried.courier).get(f"/api/handset/rounds/{carried.id}")
    assert mine.headers["Cache-Control"] == "no-store"
    assert mine.get_json()["stops"][0]["mobile"] == "13912345678"
    assert len(mine.get_json()["key"]) == 44
    other = as_person(app, a_courier(carried.hall, "别人"))
    for path in ("", "/finish", "/set-out", "/order", f"/stops/{carried.parcels[0]}/code"):
        body: dict[str, Any] = {"parcel_ids": []} if path == "/order" else {"code": "1"}
        got = other.get if not path else other.post
        answer = got(f"/api/handset/rounds/{carried.id}{path}", **({"json": body} if path else {}))
        assert answer.status_code in (403, 404), path
    assert other.get("/api/handset/session").get_json()["rounds"] == []
    staff = as_person(app, carried.hall.packer)
    assert staff.get("/api/handset/session").status_code == 403
    assert "13912345678" not in staff.get(f"/api/courier-rounds/{carried.id}").text


def test_the_page_and_its_worker_name_nobody(app: Flask, carried: Carried) -> None:
    courier = as_person(app, carried.courier)
    shell = courier.get("/handset/").text
    assert carried.courier.name not in shell
    assert "csrf" not in shell
    visitor = app.test_client()
    worker = visitor.get("/handset/worker.js")
    assert worker.mimetype == "text/javascript"
    assert worker.text.startswith("const VERSION = ")
    for path in ("/assets/", "handset/app."):
        assert path in worker.text
    manifest = visitor.get("/handset/manifest.webmanifest").get_json()
    assert manifest["scope"] == "/handset/"
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}
    assert all(visitor.get(icon["src"]).status_code == 200 for icon in manifest["icons"])


def test_proofs_by_role(app: Flask, carried: Carried) -> None:
    one, two = carried.parcels
    upload(carried, delivered(carried, one), delivered(carried, two, signer=Signer.FAMILY, signer_name="李父"))
    outbox.drain_all()
    db.session.rollback()
    ids = {row.parcel_id: row.id for row in db.session.scalars(sa.select(DoorRecord))}
    base = f"/parcels/{one}/proofs"
    for actor, pictures in ((carried.hall.applicant, 200), (carried.hall.packer, 200), (carried.hall.centre, 404)):
        client = as_person(app, actor)
        page = client.get(base)
        assert page.status_code == 200
        assert client.get(f"{base}/{ids[one]}/proof.pdf").data.startswith(b"%PDF")
        assert client.get(f"{base}/{ids[one]}/photo").status_code == pictures
        assert client.get(f"{base}/{ids[one]}/signature").status_code == pictures
        assert client.get(f"{base}/{ids[two]}/photo").status_code == 404  # of another parcel
    stranger = as_person(app, a_hall().supervisor)
    for path in (base, f"{base}/{ids[one]}/proof.pdf", f"{base}/{ids[one]}/photo", f"/api{base}"):
        assert stranger.get(path).status_code == 404
    assert as_person(app, carried.courier).get(base).status_code == 404  # the courier has the handset
    (paper,) = issued_for(f"door-record:{ids[two]}")
    assert paper.kind == "delivery-proof"


@pytest.mark.postgresql
def test_the_same_record_and_another_courier_at_once(app: Flask, carried: Carried) -> None:
    one = carried.parcels[0]
    mine = delivered(carried, one)
    rounds.take_off(carried.hall.packer, carried.id, StopOf(one))
    second = a_round(carried.hall, a_courier(carried.hall, "第二人"), one)
    theirs = delivered(second, one)
    outcomes = together(app, lambda n: upload(carried, mine) if n % 2 else upload(second, theirs), workers=4)
    results = sorted(each[0].result for each in outcomes)
    assert results == ["repeated", "repeated", "stored", "stored"]
    db.session.rollback()
    assert sorted(db.session.scalars(sa.select(DoorRecord.standing))) == ["conflict", "counted"]
    assert parcel(one).state == "delivered"
