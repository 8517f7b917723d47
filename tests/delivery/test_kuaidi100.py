"""The aggregator's wire: signatures, recorded shapes, states, and its notices."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import requests

from delivery.carriers.kuaidi100 import mapping, signing
from delivery.carriers.kuaidi100.client import Kuaidi100Carrier, Kuaidi100Settings
from delivery.observed import SignerClass, Status, fold
from delivery.ports import PushRefused, Verdict
from delivery.simulator.store import AGGREGATOR_CUSTOMER
from tests.delivery.conftest import Simulator, shipment

# as published in the provider's documentation, a number of ours put in
RECORDED = {
    "message": "ok", "nu": "1000000001460", "ischeck": "1", "condition": "F00", "com": "ems", "status": "200", "state": "3",
    "data": [
        {"time": "2026-01-03 10:15:00", "ftime": "2026-01-03 10:15:00", "context": "已签收,签收人:李晓燕", "status": "签收"},
        {"time": "2026-01-03 08:00:00", "ftime": "2026-01-03 08:00:00", "context": "正在派送", "status": "派件", "statusCode": "5"},
        {"time": "2026-01-02 09:00:00", "ftime": "2026-01-02 09:00:00", "context": "已收取邮件", "status": "揽收", "statusCode": "103"},
    ],
}  # fmt: skip
SETTINGS = Kuaidi100Settings("CUST", "KEY", "SALT", "http://127.0.0.1:9/", "http://aggregator.invalid")


class Recorded(requests.Session):
    """A session that answers with what was recorded."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__()
        self.answer = requests.Response()
        self.answer.status_code, self.answer._content = status, body
        self.sent: list[dict[str, str]] = []

    def post(self, url: str, data: dict[str, str], **_: object) -> requests.Response:  # type: ignore[override]
        self.sent.append({"url": url, **data})
        return self.answer


def answered(body: object, status: int = 200) -> tuple[Kuaidi100Carrier, Recorded]:
    session = Recorded(status, body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode())
    return Kuaidi100Carrier(SETTINGS, session), session


def test_the_published_vector_of_the_query_signature() -> None:
    param = '{"com":"ems","num":"1000000001460"}'
    assert signing.query_sign(param, "KEY", "CUST") == "ACCBF723C4F04500B3D929DB94781B68"


def test_a_query_is_signed_over_exactly_what_is_sent() -> None:
    carrier, session = answered(RECORDED)
    carrier.track("1000000001460")
    sent = session.sent[0]
    assert sent["url"] == "http://aggregator.invalid/poll/query.do"
    assert sent["sign"] == signing.query_sign(sent["param"], "KEY", "CUST")
    assert json.loads(sent["param"])["num"] == "1000000001460"


def test_a_recorded_answer_folds() -> None:
    reports = answered(RECORDED)[0].track("1000000001460").value
    assert reports is not None
    assert [each.observation.status for each in reports] == [
        Status.COLLECTED,
        Status.OUT_FOR_DELIVERY,
        Status.DELIVERED,
    ]
    tracking = fold(each.observation for each in reports)
    assert tracking.status is Status.DELIVERED
    assert tracking.since == datetime(2026, 1, 3, 2, 15, tzinfo=UTC)
    assert tracking.deciding
    assert tracking.deciding.signer_name == "李晓燕"


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        ({"result": False, "returnCode": "500", "message": "查询无结果，请隔段时间再查"}, 200, Verdict.OK),
        ({"result": False, "returnCode": "503", "message": "验证签名失败"}, 200, Verdict.REFUSED),
        ({"result": False, "returnCode": "502", "message": "服务器繁忙"}, 200, Verdict.UNAVAILABLE),
        ({"message": "ok", "status": "200", "state": "3", "data": "none"}, 200, Verdict.UNCERTAIN),
        (b"<html>", 200, Verdict.UNCERTAIN),
        (b"[]", 200, Verdict.UNCERTAIN),
        (b"", 502, Verdict.UNAVAILABLE),
    ],
)
def test_each_failure_has_its_verdict(body: object, status: int, verdict: Verdict) -> None:
    reply = answered(body, status)[0].track("1000000001460")
    assert reply.verdict is verdict
    assert reply.value == (() if verdict is Verdict.OK else None)


def test_every_state_has_one_meaning_and_an_unknown_one_none() -> None:
    assert mapping.states()["304"].signer is SignerClass.PICKUP_POINT
    assert mapping.states()["14"].status is Status.DELIVERY_FAILED
    novel = {**RECORDED, "data": [{**RECORDED["data"][0], "statusCode": "777"}]}  # type: ignore[index,dict-item]
    report = mapping.reports(novel, "1000000001460")[0]
    assert (report.observation.known, report.observation.status) == (False, Status.UNKNOWN)


def notice(salt: str, param: str = "") -> bytes:
    text = param or json.dumps({"status": "polling", "lastResult": RECORDED}, ensure_ascii=False)
    return urlencode({"param": text, "sign": signing.callback_sign(text, salt)}).encode()


def test_a_notice_of_our_salt_opens() -> None:
    push = Kuaidi100Carrier(SETTINGS).open_push(notice("SALT"), "application/x-www-form-urlencoded")
    assert (push.observation.waybill_no, push.observation.status) == ("1000000001460", Status.DELIVERED)


@pytest.mark.parametrize(
    "body", [notice("WRONG"), notice("SALT", "{}"), notice("SALT", '{"lastResult":{"nu":"1","data":[]}}'), b"param=x"]
)
def test_another_notice_does_not(body: bytes) -> None:
    with pytest.raises(PushRefused):
        Kuaidi100Carrier(SETTINGS).open_push(body, "application/x-www-form-urlencoded")


def test_the_simulated_aggregator_tells_of_the_same_parcel(simulator: Simulator) -> None:
    booked = simulator.carrier().book(shipment(address="中山西路2号 #SIM:REFUSED")).value
    assert booked
    simulator.world.hand_in([booked.waybill_no])
    simulator.pass_time(days=9)
    url = f"{simulator.url}/sim/kuaidi100"
    ours = Kuaidi100Carrier(Kuaidi100Settings(*AGGREGATOR_CUSTOMER, "SALT", "http://127.0.0.1:9/", url))
    reports = ours.track(booked.waybill_no).value
    assert reports
    assert fold(each.observation for each in reports).status is Status.RETURNED
    strangers = Kuaidi100Carrier(Kuaidi100Settings("SIMCUSTOMER", "WRONG", base_url=url))
    assert strangers.track(booked.waybill_no).verdict is Verdict.REFUSED
