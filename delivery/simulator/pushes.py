"""Pushes 040002 to the customer's address: one event each, encrypted, retried until taken or dead."""

import json
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from delivery.carriers.ems import codec
from delivery.carriers.ems.mapping import beijing
from delivery.simulator.faults import PUSH_FAULTS, PUSH_METHOD, UNSEEN_ANSWERS, Fault
from delivery.simulator.store import Customer, SimPush
from delivery.simulator.world import World, new_serial

RETRIES: Final = (
    timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6),
)  # fmt: skip
FLOOR: Final = timedelta(seconds=2)
TIMEOUT: Final = 10.0
BURST: Final = 200
PUSHED: Final = (
    "waybillNo", "opTime", "opCode", "opName", "opDesc", "opOrgProvName", "opOrgCity", "opOrgCode", "opOrgName",
    "operatorNo", "operatorName", "deliverCode", "attemptDeliveryCode", "productName",
)  # fmt: skip
Line = Callable[[str, bytes, str], tuple[int, bytes]]
"""Sends a body of a content type to an address; returns status and answer."""


def open_line() -> Line:
    """One connection that stays open. Callbacks are on this machine, so no proxies and no cookies."""
    pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT)

    def send(url: str, content: bytes, kind: str) -> tuple[int, bytes]:
        response = pool.request("POST", url, body=content, headers={"Content-Type": kind}, redirect=False)
        return response.status, response.data

    return send


class Pusher:
    """Delivers what is due; one call at a time."""

    def __init__(self, world: World, senders: int = 1) -> None:
        self._world = world
        self.lines: list[Line] = [open_line() for _ in range(senders)]
        self._threads = ThreadPoolExecutor(senders, "push") if senders > 1 else None

    def run(self, limit: int = 200) -> int:
        """Send every due push once; returns how many were sent. The pushes of one parcel go one after the other."""
        due = self._world.store.due_pushes(self._world.clock.now(), limit)
        if any(rule.fault is Fault.PUSH_OUT_OF_ORDER for rule in self._world.faults):
            due.reverse()
        lanes: list[list[SimPush]] = [[] for _ in self.lines]
        for push in due:
            lanes[int(push.waybill_no[2:10]) % len(lanes)].append(push)
        if self._threads is None:
            self._send_lane(0, lanes[0])
        else:
            list(self._threads.map(self._send_lane, range(len(lanes)), lanes))
        return len(due)

    def _send_lane(self, lane: int, pushes: list[SimPush]) -> None:
        for push in pushes:
            self.send(push, lane)

    def send(self, push: SimPush, lane: int = 0) -> bool:
        """Send one push, with whatever fault its turn has; returns whether it was taken."""
        store, now = self._world.store, self._world.clock.now()
        customer = store.customer(push.sender_no, push.environment)
        if customer is None or not customer.callback:
            store.settle_push(push.id, "no callback", now, None, taken=False)
            return False
        rule = self._world.fault_of(
            api_code=PUSH_METHOD, sender_no=customer.sender_no, waybill_no=push.waybill_no, among=PUSH_FAULTS
        )
        fault = rule.fault if rule else None
        if rule and fault is Fault.PUSH_DELAYED:
            store.postpone_push(push.id, now + timedelta(seconds=rule.seconds))
            return False
        if fault is Fault.PUSH_DROPPED:
            store.settle_push(push.id, "dropped", now, None, taken=False)
            return False
        event = {name: push.item[name] for name in PUSHED if name in push.item} | {"orderNo": push.order_no}
        taken, answer = self._deliver(customer, push, event, fault, self.lines[lane])
        if fault in UNSEEN_ANSWERS:
            taken, answer = False, UNSEEN_ANSWERS[fault]
        retry = self._world.clock.after(RETRIES[push.tries], floor=FLOOR) if push.tries < len(RETRIES) else None
        store.settle_push(push.id, answer, now, retry, taken=taken)
        return taken

    def _deliver(
        self, customer: Customer, push: SimPush, event: dict[str, Any], fault: Fault | None, line: Line
    ) -> tuple[bool, str]:
        if fault is Fault.PUSH_REPLAY:
            self._replay_oldest(customer, push, line)
        times = {Fault.PUSH_DUPLICATE: 2, Fault.PUSH_BURST: BURST}.get(fault, 1) if fault else 1
        taken, answer = False, ""
        for _ in range(times):
            serial_no = new_serial() if fault is Fault.PUSH_NEW_SERIAL else push.serial_no
            taken, answer = self._post(line, customer, self.envelope(customer, serial_no, event, fault), fault)
        return taken, answer

    def _replay_oldest(self, customer: Customer, push: SimPush, line: Line) -> None:
        """Somebody recorded the parcel's first push and sends it once more."""
        first = self._world.store.events(push.waybill_no)[0]
        event: dict[str, Any] = {name: first[name] for name in PUSHED if name in first}
        self._post(line, customer, self.envelope(customer, new_serial(), event, None), None)

    def envelope(
        self, customer: Customer, serial_no: str, event: Mapping[str, Any], fault: Fault | None
    ) -> dict[str, str]:
        """The body of a push, as the platform sends it or broken by `fault`."""
        key = codec.SignKey(customer.sign_key)
        if fault is Fault.PUSH_UNKNOWN_WAYBILL:
            event = {**event, "waybillNo": "1099999999960"}
        if fault is Fault.PUSH_OTHER_CUSTOMER:
            event = {**event, "waybillNo": "1088888888860", "orderNo": "ELSEWHERE-1"}
        if fault is Fault.PUSH_WRONG_KEY:
            key = codec.SignKey("V1JPTkctS0VZLTAwMDAwMQ==")
        sealed = codec.seal(event, key, signed=fault is Fault.PUSH_WITH_SUFFIX)
        return {
            "logitcsInterface": broken_seal(sealed, fault),
            "method": PUSH_METHOD,
            "msgType": "0",
            "senderNo": customer.sender_no if fault is Fault.PUSH_SENDER_NO else "",
            "serialNo": serial_no,
            "timeStamp": beijing(self._world.clock.now()),
            "version": "v1.0.0",
        }

    def _post(self, line: Line, customer: Customer, body: dict[str, str], fault: Fault | None) -> tuple[bool, str]:
        if fault is Fault.PUSH_FORM:
            content, kind = urlencode(body), "application/x-www-form-urlencoded"
        else:
            content, kind = json.dumps(body, ensure_ascii=False), "application/json; charset=UTF-8"
        try:
            status, answer = line(customer.callback, content.encode(), kind)
            code = json.loads(answer).get("code") if status == 200 else None
        except (urllib3.exceptions.HTTPError, ValueError, AttributeError) as error:
            return False, type(error).__name__
        return code == "00000", f"{status} {code}"


def broken_seal(sealed: str, fault: Fault | None) -> str:
    """A ciphertext as an attacker or a bad line would change it."""
    import base64

    if fault is Fault.PUSH_WITHOUT_PREFIX:
        return sealed.removeprefix(codec.PREFIX)
    if fault not in (Fault.PUSH_FLIPPED_BYTE, Fault.PUSH_RESPLICED):
        return sealed
    cipher = bytearray(base64.b64decode(sealed.removeprefix(codec.PREFIX)))
    if fault is Fault.PUSH_FLIPPED_BYTE:
        cipher[secrets.randbelow(len(cipher))] ^= 0x01
    else:
        blocks = [bytes(cipher[i : i + 16]) for i in range(0, len(cipher), 16)]
        blocks[1], blocks[2] = blocks[2], blocks[1]
        cipher = bytearray(b"".join(blocks))
    return codec.PREFIX + base64.b64encode(bytes(cipher)).decode()
