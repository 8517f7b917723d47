"""The simulator from outside: its operator's routes, its clock, its pushes, and that it does not start in production."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from delivery.carriers.ems import codec
from delivery.simulator.__main__ import main
from delivery.simulator.clock import ClockMode, SimClock
from delivery.simulator.scripts import SCRIPTS, Route, script, tag_of, total_hours
from delivery.simulator.server import duration
from delivery.simulator.store import FIRST_CUSTOMER, Store
from tests.delivery.conftest import ADMIN, MORNING, Simulator, shipment

NO = "1000000001460"
TOKEN = {"X-Sim-Token": ADMIN}
NEAR = Route("浙江省", "杭州市", "浙江省", "宁波市", "海曙区", "李晓燕")
FAR = Route("浙江省", "杭州市", "四川省", "成都市", "锦江区", "李晓燕")


class Receiver(BaseHTTPRequestHandler):
    """Takes pushes and answers what the test wants."""

    bodies: ClassVar[list[bytes]]
    answer: ClassVar[dict[str, str]] = {"code": "00000"}

    def do_POST(self) -> None:
        type(self).bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps(type(self).answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver(simulator: Simulator) -> Iterator[type[Receiver]]:
    class Fresh(Receiver):
        bodies: ClassVar[list[bytes]] = []

    server = HTTPServer(("127.0.0.1", 0), Fresh)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    callback = f"http://127.0.0.1:{server.server_port}/push"
    who = {"senderNo": FIRST_CUSTOMER.sender_no, "authorization": FIRST_CUSTOMER.authorization}
    assert requests.post(f"{simulator.url}/sim/ems/console", json=who | {"callback": callback}, timeout=5).ok
    yield Fresh
    server.shutdown()
    server.server_close()


def test_the_operators_routes_need_the_token(simulator: Simulator) -> None:
    for path in ("customers", "orders", f"orders/{NO}", "clock", "faults", "pushes", "calls"):
        assert requests.get(f"{simulator.url}/__sim__/{path}", timeout=5).status_code == 401
    assert requests.post(f"{simulator.url}/__sim__/reset", timeout=5).status_code == 401
    assert requests.get(f"{simulator.url}/healthz", timeout=5).json()["status"] == "ok"


def test_customers_are_shown_without_their_secrets(simulator: Simulator) -> None:
    shown = requests.get(f"{simulator.url}/__sim__/customers", headers=TOKEN, timeout=5).text
    assert FIRST_CUSTOMER.sender_no in shown
    assert FIRST_CUSTOMER.authorization not in shown
    assert FIRST_CUSTOMER.sign_key not in shown


def test_time_can_be_advanced_over_http(simulator: Simulator) -> None:
    simulator.carrier().book(shipment())
    requests.post(f"{simulator.url}/__sim__/counter", headers=TOKEN, json={"waybills": [NO]}, timeout=5)
    clock = requests.post(f"{simulator.url}/__sim__/clock", headers=TOKEN, json={"advance": "P6D"}, timeout=5).json()
    assert clock["now"] == (MORNING + timedelta(days=6)).isoformat()
    events = requests.get(f"{simulator.url}/__sim__/orders/{NO}", headers=TOKEN, timeout=5).json()["events"]
    assert (events[0]["opCode"], events[-1]["opCode"], events[-1]["deliverCode"]) == ("203", "704", "10")


def test_events_and_stories_can_be_chosen(simulator: Simulator) -> None:
    simulator.carrier().book(shipment())
    base = f"{simulator.url}/__sim__/orders/{NO}"
    requests.post(f"{base}/scenario", headers=TOKEN, json={"scenario": "#SIM:REFUSED"}, timeout=5)
    shown = requests.post(f"{base}/advance", headers=TOKEN, json={"steps": 50}, timeout=5).json()
    assert shown["events"][-1]["opCode"] == "711"
    shown = requests.post(f"{base}/event", headers=TOKEN, json={"opCode": "987"}, timeout=5).json()
    assert "987" in [event["opCode"] for event in shown["events"]]
    assert requests.post(f"{base}/scenario", headers=TOKEN, json={"scenario": "NONE"}, timeout=5).status_code == 400


@pytest.mark.parametrize(
    "rule", [{"fault": "no-such"}, {}, {"fault": "http_500", "match": {"colour": "red"}}, {"fault": "bom", "x": 1}]
)
def test_a_fault_rule_that_is_none_is_refused(simulator: Simulator, rule: dict[str, object]) -> None:
    answer = requests.post(f"{simulator.url}/__sim__/faults", headers=TOKEN, json=rule, timeout=5)
    assert answer.status_code == 400
    assert simulator.world.faults == []


def test_a_parcel_to_be_brought_waits_until_it_is_brought(simulator: Simulator) -> None:
    simulator.carrier().book(shipment())
    assert simulator.pass_time(days=2) == 0
    who = {"senderNo": FIRST_CUSTOMER.sender_no, "authorization": "WRONG", "waybills": [NO]}
    assert requests.post(f"{simulator.url}/sim/ems/counter", json=who, timeout=5).status_code == 403
    who["authorization"] = FIRST_CUSTOMER.authorization
    assert requests.post(f"{simulator.url}/sim/ems/counter", json=who, timeout=5).json() == {"taken": 1}
    assert simulator.pass_time(hours=7) >= 1


def test_callbacks_outside_this_machine_are_refused(simulator: Simulator) -> None:
    who = {"senderNo": FIRST_CUSTOMER.sender_no, "authorization": FIRST_CUSTOMER.authorization}
    answer = requests.post(
        f"{simulator.url}/sim/ems/console", json=who | {"callback": "http://198.51.100.1/x"}, timeout=5
    )
    assert answer.status_code == 400


def test_each_event_is_pushed_once_and_encrypted(simulator: Simulator, receiver: type[Receiver]) -> None:
    simulator.carrier().book(shipment())
    simulator.world.hand_in([NO])
    events = simulator.pass_time(days=6)
    simulator.pusher.run()
    assert simulator.pusher.run() == 0
    assert len(receiver.bodies) == events
    first = json.loads(receiver.bodies[0])
    assert set(first) == {"logitcsInterface", "method", "msgType", "senderNo", "serialNo", "timeStamp", "version"}
    assert (first["method"], first["msgType"], first["senderNo"], first["version"]) == ("040002", "0", "", "v1.0.0")
    event = json.loads(codec.open_push(first["logitcsInterface"], codec.SignKey(FIRST_CUSTOMER.sign_key)))
    assert (event["waybillNo"], event["orderNo"], event["opCode"]) == (NO, "JD-2026-000001", "203")


def test_a_refused_push_is_tried_again_until_it_is_dead(simulator: Simulator, receiver: type[Receiver]) -> None:
    receiver.answer = {"code": "S00001"}
    simulator.carrier().book(shipment())
    parcel = simulator.world.store.parcel(NO)
    assert parcel is not None
    simulator.world.step(parcel, MORNING)
    sent = []
    for seconds in (0, 30, 120, 600, 3600, 6 * 3600, 24 * 3600):
        simulator.world.clock.advance(timedelta(seconds=seconds))
        sent.append(simulator.pusher.run())
    assert sent == [1, 1, 1, 1, 1, 1, 0]
    (push,) = simulator.world.store.pushes()
    assert push["tries"] == 6
    assert push["dead_at"] is not None


@pytest.mark.parametrize(
    ("fault", "sent"), [("push_duplicate", 2), ("push_burst", 200), ("push_dropped", 0), ("push_delayed", 0)]
)
def test_push_faults_change_how_often_it_arrives(
    simulator: Simulator, receiver: type[Receiver], fault: str, sent: int
) -> None:
    simulator.carrier().book(shipment())
    parcel = simulator.world.store.parcel(NO)
    assert parcel is not None
    simulator.world.step(parcel, MORNING)
    simulator.fault(fault)
    simulator.pusher.run()
    assert len(receiver.bodies) == sent


def test_labels_by_link_end_after_ten_minutes(simulator: Simulator) -> None:
    carrier = simulator.carrier()
    carrier.book(shipment())
    body = {"waybillNo": NO, "type": "129", "getURL": "1"}
    link = str(carrier._call("010004", body, lambda envelope: envelope.ret_body).value)
    assert requests.get(link, timeout=5).content.startswith(b"%PDF-")
    simulator.world.clock.advance(timedelta(minutes=11))
    assert requests.get(link, timeout=5).status_code == 404


@pytest.mark.parametrize("tag", sorted(SCRIPTS))
def test_a_story_is_repeatable_and_its_events_are_real(tag: str) -> None:
    from delivery.carriers.ems.mapping import codes

    steps = script(tag, FAR, 7)
    assert steps == script(tag, FAR, 7)
    known = [step.code for step in steps if ("opCode", step.code) in codes()]
    assert len(known) == len(steps) - (tag == "UNKNOWNCODE")


def test_a_parcel_in_its_province_takes_about_two_minutes_at_the_usual_factor() -> None:
    for seed in range(40):
        hours = total_hours(script("OK", NEAR, seed))
        assert 15 < hours < 48
    assert tag_of("中山西路2号 #sim:door") == "DOOR"
    assert tag_of("#SIM:NONSENSE") == "OK"


def test_scaled_time_shortens_what_happens() -> None:
    clock = SimClock(ClockMode.SCALED, 1440)
    assert timedelta(seconds=59) < clock.after(timedelta(days=1)) - clock.now() <= timedelta(seconds=60)
    with pytest.raises(ValueError, match="manual"):
        clock.advance(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT6H", timedelta(hours=6)), ("P1DT2M", timedelta(days=1, minutes=2)), ("-PT5M", -timedelta(minutes=5))],
)
def test_durations(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "6H", "P", "PT", "P1Y"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(text)


def test_it_does_not_start_in_production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAOSHI_ENV", "production")
    assert main(["--port", "0", "--data", str(tmp_path / "x")]) == 2
    monkeypatch.setenv("CHAOSHI_ENV", "development")
    monkeypatch.setenv("EMS_BASE_URL", "https://api.ems.com.cn/amp-prod-api/f/amp/api/open")
    assert main(["--port", "0", "--data", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()


def test_its_memory_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "sim.sqlite"
    store = Store(path)
    store.keep_customer(FIRST_CUSTOMER)
    store.close()
    assert Store(path).customer(FIRST_CUSTOMER.sender_no, "open") == FIRST_CUSTOMER


def test_the_process_serves_and_stops(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHAOSHI", "EMS"))}
    command = [sys.executable, "-m", "delivery.simulator", "--port", "0", "--data", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    url = process.stdout.readline().split()[3]
    try:
        assert requests.get(f"{url}/healthz", timeout=5).ok
        assert (tmp_path / "admin-token").stat().st_mode & 0o077 == 0
    finally:
        process.terminate()
        assert process.wait(15) == 0
        process.stdout.close()
