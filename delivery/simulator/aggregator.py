"""The other voice: kuaidi100 (EMS-PROTOCOL 5.1) telling of the same parcels in its own words and signatures."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from delivery.carriers.ems import mapping as ems
from delivery.carriers.kuaidi100.signing import callback_sign, query_sign
from delivery.observed import Status
from delivery.simulator.store import AGGREGATOR_CUSTOMER
from delivery.simulator.world import World

RETRY: Final = timedelta(minutes=30)
"""Three repetitions half an hour apart, then it gives up."""
TRIES: Final = 4
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
FIXED: Final = {"702": "5", "711": "4", "713": "1001", "723": "501", "747": "501", "748": "304", "801": "210"}
BY_STATUS: Final = {
    Status.COLLECTED: "103", Status.IN_TRANSIT: "0", Status.EXCEPTION: "2", Status.RETURNING: "6", Status.LOST: "2",
    Status.LABEL_CREATED: "101",
}  # fmt: skip
BY_DELIVERY: Final = {"10": "301", "20": "303"}
BY_ATTEMPT: Final = {"4": "206", "7": "203", "8": "501", "9": "501"}


class Aggregator:
    """Answers queries and subscriptions, and sends a notice for every event of a subscribed number."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session = requests.Session()

    def query(self, form: Mapping[str, str]) -> dict[str, Any]:
        """`/poll/query.do`."""
        customer, key = AGGREGATOR_CUSTOMER
        param = form.get("param", "")
        if form.get("customer") != customer or form.get("sign") != query_sign(param, key, customer):
            return _refusal("503", "验证签名失败")
        try:
            wanted = json.loads(param)
            company, number = str(wanted["com"]), str(wanted["num"])
        except (ValueError, KeyError, TypeError):
            return _refusal("400", "提交的数据不完整")
        answer = self._told(number) if company == "ems" else None
        return answer or _refusal("500", "查询无结果，请隔段时间再查")

    def subscribe(self, form: Mapping[str, str]) -> dict[str, Any]:
        """`/poll`. Only loopback callbacks are taken."""
        try:
            wanted = json.loads(form.get("param", ""))
            parameters = wanted["parameters"]
            callback, salt = str(parameters["callbackurl"]), str(parameters.get("salt", ""))
            number, key = str(wanted["number"]), str(wanted["key"])
        except (ValueError, KeyError, TypeError):
            return _refusal("700", "订阅数据不完整")
        if key != AGGREGATOR_CUSTOMER[1]:
            return _refusal("601", "POLL:KEY已过期")
        if urlsplit(callback).hostname not in LOOPBACK:
            return _refusal("702", "回调地址无效")
        if not self._world.store.subscribe(number, callback, salt):
            return _refusal("501", "POLL:重复订阅")
        return {"result": True, "returnCode": "200", "message": "提交成功"}

    def run(self) -> int:
        """Send every due notice once; returns how many were sent."""
        store, now = self._world.store, self._world.clock.now()
        due = store.due_aggregator_pushes(now)
        for push_id, waybill_no, tries in due:
            answer = self._send(waybill_no)
            again = answer != "200" and tries + 1 < TRIES
            store.settle_aggregator_push(push_id, answer, self._world.clock.after(RETRY) if again else None)
        return len(due)

    def _send(self, waybill_no: str) -> str:
        subscription, last = self._world.store.subscription(waybill_no), self._told(waybill_no)
        if subscription is None or last is None:
            return "nothing to tell"
        callback, salt = subscription
        over = last["ischeck"] == "1"
        notice = {"status": "shutdown" if over else "polling", "billstatus": "check" if over else "got", "message": "", "lastResult": last}  # fmt: skip
        param = json.dumps(notice, ensure_ascii=False)
        try:
            response = self._session.post(
                callback, data={"param": param, "sign": callback_sign(param, salt)}, timeout=10, allow_redirects=False
            )
            return str(response.json().get("returnCode"))
        except (requests.RequestException, ValueError, AttributeError) as error:
            return type(error).__name__

    def _told(self, number: str) -> dict[str, Any] | None:
        """The last result about a number, newest entry first; None where there is nothing."""
        events = self._world.store.events(number)
        if not events:
            return None
        entries = [_entry(event) for event in reversed(events)]
        state = entries[0]["statusCode"]
        over = state[0] == "3" or state in ("4", "210")
        coarse = state if len(state) == 1 else {"1": "1", "2": "2", "3": "3", "5": "5"}.get(state[0], "0")
        return {
            "message": "ok", "nu": number, "ischeck": "1" if over else "0", "condition": "00", "com": "ems", "status": "200",
            "state": "0" if state == "1001" else coarse, "data": entries,
        }  # fmt: skip


def _entry(event: Mapping[str, Any]) -> dict[str, str]:
    code = _state(event)
    region = f"{event.get('opOrgProvName', '')},{event.get('opOrgCity', '')}".strip(",")
    return {
        "time": event["opTime"], "ftime": event["opTime"], "context": event["opDesc"], "status": event["opName"],
        "statusCode": code, "areaCode": "", "areaName": region, "location": event.get("opOrgName", ""),
    }  # fmt: skip


def _state(event: Mapping[str, Any]) -> str:
    code = event["opCode"]
    if code == "704":
        return BY_DELIVERY.get(event.get("deliverCode", ""), "304")
    if code == "705":
        return BY_ATTEMPT.get(event.get("attemptDeliveryCode", ""), "204")
    row = ems.codes().get(("opCode", code))
    status = row.status if row else None
    return FIXED.get(code) or BY_STATUS.get(status or Status.EXCEPTION, "0")


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"result": False, "returnCode": code, "message": message}
