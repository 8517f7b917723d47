"""Pushes 040002 to the customer's address: one event each, encrypted, retried until taken or dead."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import requests

from delivery.carriers.ems import codec
from delivery.carriers.ems.mapping import beijing
from delivery.simulator.faults import PUSH_FAULTS, Fault
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


class Pusher:
    """Delivers what is due; one call at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session = requests.Session()

    def run(self) -> int:
        """Send every due push once; returns how many were sent."""
        due = self._world.store.due_pushes(self._world.clock.now())
        for push in due:
            self.send(push)
        return len(due)

    def send(self, push: SimPush) -> bool:
        """Send one push, with whatever fault its turn has; returns whether it was taken."""
        store, now = self._world.store, self._world.clock.now()
        parcel = store.parcel(push.waybill_no)
        customer = store.customer(parcel.sender_no, parcel.environment) if parcel else None
        if parcel is None or customer is None or not customer.callback:
            store.settle_push(push.id, "no callback", now, None, taken=False)
            return False
        rule = self._world.fault_of(
            api_code="040002", sender_no=customer.sender_no, waybill_no=push.waybill_no, among=PUSH_FAULTS
        )
        fault = rule.fault if rule else None
        if rule and fault is Fault.PUSH_DELAYED:
            store.postpone_push(push.id, now + timedelta(seconds=rule.seconds))
            return False
        if fault is Fault.PUSH_DROPPED:
            store.settle_push(push.id, "dropped", now, None, taken=False)
            return False
        event = {name: push.item[name] for name in PUSHED if name in push.item} | {"orderNo": parcel.order_no}
        taken, answer = self._deliver(customer, push, event, fault)
        retry = self._world.clock.after(RETRIES[push.tries], floor=FLOOR) if push.tries < len(RETRIES) else None
        store.settle_push(push.id, answer, now, retry, taken=taken)
        return taken

    def _deliver(
        self, customer: Customer, push: SimPush, event: dict[str, Any], fault: Fault | None
    ) -> tuple[bool, str]:
        times = {Fault.PUSH_DUPLICATE: 2, Fault.PUSH_BURST: BURST}.get(fault, 1) if fault else 1
        taken, answer = False, ""
        for _ in range(times):
            serial_no = new_serial() if fault is Fault.PUSH_NEW_SERIAL else push.serial_no
            taken, answer = self._post(customer, self.envelope(customer, serial_no, event, fault), fault)
        return taken, answer

    def envelope(
        self, customer: Customer, serial_no: str, event: Mapping[str, Any], fault: Fault | None
    ) -> dict[str, str]:
        """The body of a push, as the platform sends it or broken by `fault`."""
        key = codec.SignKey(customer.sign_key)
        if fault is Fault.PUSH_UNKNOWN_WAYBILL:
            event = {**event, "waybillNo": "1099999999960"}
        if fault is Fault.PUSH_WRONG_KEY:
            key = codec.SignKey("V1JPTkctS0VZLTAwMDAwMQ==")
        sealed = codec.seal(event, key, signed=fault is Fault.PUSH_WITH_SUFFIX)
        return {
            "logitcsInterface": broken_seal(sealed, fault),
            "method": "040002",
            "msgType": "0",
            "senderNo": customer.sender_no if fault is Fault.PUSH_SENDER_NO else "",
            "serialNo": serial_no,
            "timeStamp": beijing(self._world.clock.now()),
            "version": "v1.0.0",
        }

    def _post(self, customer: Customer, body: dict[str, str], fault: Fault | None) -> tuple[bool, str]:
        try:
            if fault is Fault.PUSH_FORM:
                response = self._session.post(customer.callback, data=body, timeout=TIMEOUT, allow_redirects=False)
            else:
                text = json.dumps(body, ensure_ascii=False).encode()
                headers = {"Content-Type": "application/json; charset=UTF-8"}
                response = self._session.post(
                    customer.callback, data=text, headers=headers, timeout=TIMEOUT, allow_redirects=False
                )
            code = response.json().get("code") if response.status_code == 200 else None
        except (requests.RequestException, ValueError, AttributeError) as error:
            return False, type(error).__name__
        return code == "00000", f"{response.status_code} {code}"


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
