"""The simulated post: takes orders, lets parcels move with the clock, and queues a push for every event."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final

from delivery.carriers.ems.mapping import beijing
from delivery.simulator.clock import SimClock, in_working_hours
from delivery.simulator.faults import AT_ONCE, Fault, FaultRule
from delivery.simulator.scripts import SCRIPTS, Route, Step, script, tag_of
from delivery.simulator.store import Customer, SimParcel, Store

ON_FOOT: Final = frozenset({"702", "704", "705", "723", "747", "748"})
"""What couriers and receivers do by day."""
NEVER_BROUGHT: Final = timedelta(days=3)
"""A parcel that the customer wanted to bring is taken to have been brought after this, in simulated time."""
COURIER_COMES: Final = "1"


@dataclass
class Gateway:
    """What is unknown of the real gateway, to be chosen: how wrong a clock may be, what wrong credentials are called."""

    skew_limit: timedelta | None = None
    bad_credentials: str = "B00001"


class World:
    """One post office with its clock and its bad luck."""

    def __init__(self, store: Store, clock: SimClock, seed: int = 1) -> None:
        self.store = store
        self.clock = clock
        self.seed = seed
        self.lock = RLock()
        self.faults: list[FaultRule] = []
        self.gateway = Gateway()
        self.close_doors: Callable[[float], None] | None = None
        """Set by whoever serves: nobody can connect for so many seconds."""
        self._next_fault = 1

    # --- bad luck ---

    def add_fault(self, record: dict[str, Any]) -> FaultRule:
        """Raises ValueError or TypeError on a rule that is not one."""
        with self.lock:
            rule = FaultRule.of(self._next_fault, dict(record))
            self._next_fault += 1
            if rule.fault in AT_ONCE:
                self._now(rule)
            self.faults.append(rule)
            return rule

    def _now(self, rule: FaultRule) -> None:
        match rule.fault:
            case Fault.CLOCK_AHEAD:
                self.clock.skew(timedelta(seconds=rule.seconds))
            case Fault.CLOCK_BEHIND:
                self.clock.skew(-timedelta(seconds=rule.seconds))
            case Fault.CLOCK_MIDNIGHT:
                self.clock.over_midnight()
            case _ if self.close_doors:
                self.close_doors(rule.seconds)
            case _:
                raise ValueError("this simulator cannot refuse connections")
        rule.fired += 1

    def fault_of(
        self, *, api_code: str, sender_no: str = "", waybill_no: str = "", among: frozenset[Fault]
    ) -> FaultRule | None:
        """The first rule of `among` that fires."""
        with self.lock:
            rules = (rule for rule in self.faults if rule.fault in among)
            return next(
                (r for r in rules if r.fires(api_code=api_code, sender_no=sender_no, waybill_no=waybill_no)), None
            )

    # --- orders ---

    def accept(self, customer: Customer, order: Mapping[str, Any]) -> SimParcel:
        """A new parcel with its story. A courier is on the way, or the customer brings it to the counter."""
        with self.lock, self.store.transaction():
            waybill_no, serial = self.store.new_waybill_no()
            steps = script(_tag(order), _route(order), self._seed_of(serial))
            waits = str(order.get("pickupType", COURIER_COMES)) != COURIER_COMES
            wait = NEVER_BROUGHT if waits else timedelta(hours=steps[0].hours)
            parcel = SimParcel(
                waybill_no, serial, customer.sender_no, customer.environment, str(order["logisticsOrderNo"]), dict(order),
                steps, 0, self.clock.after(wait), waits, cancelled=False,
            )  # fmt: skip
            self.store.add_parcel(parcel, self.clock.now())
            return parcel

    def hand_in(self, waybill_nos: list[str]) -> int:
        """Somebody brings these to the counter; returns how many were waited for."""
        with self.lock, self.store.transaction():
            found = [self.store.parcel(number) for number in waybill_nos]
            waiting = [p for p in found if p and p.waits_for_hand_in and not p.cancelled and p.position == 0]
            for parcel in waiting:
                first = timedelta(hours=parcel.script[0].hours)
                self.store.schedule(parcel.waybill_no, 0, self.clock.after(first))
            return len(waiting)

    def cancel(self, parcel: SimParcel) -> bool:
        """Take an order back; only before it was collected. Leaves the event 801."""
        with self.lock, self.store.transaction():
            if any(item["opCode"] == "203" for item in self.store.events(parcel.waybill_no)):
                return False
            now = self.clock.now()
            self.store.cancel(parcel.waybill_no, now)
            self.happen(parcel, Step("801", "撤单", "订单已撤销", 0), now)
            return True

    # --- what happens ---

    def tick(self) -> int:
        """Let everything happen that is due; returns how many events that were."""
        with self.lock:
            happened = 0
            while due := self.store.due_parcels(self.clock.now()):
                with self.store.transaction():
                    for parcel in due:
                        self.step(parcel)
                        happened += 1
            return happened

    def step(self, parcel: SimParcel, at: datetime | None = None) -> bool:
        """The next event of a parcel, at `at` or when it was due."""
        with self.lock, self.store.transaction():
            if parcel.cancelled or parcel.position >= len(parcel.script):
                self.store.schedule(parcel.waybill_no, parcel.position, None)
                return False
            moment = at or parcel.next_at or self.clock.now()
            self.happen(parcel, parcel.script[parcel.position], moment)
            position = parcel.position + 1
            left = parcel.script[position:]
            self.store.schedule(parcel.waybill_no, position, self._follows(moment, left[0]) if left else None)
            return True

    def _follows(self, moment: datetime, step: Step) -> datetime:
        due = moment + (self.clock.after(timedelta(hours=step.hours)) - self.clock.now())
        return in_working_hours(due) if step.code in ON_FOOT and not self.clock.is_scaled else due

    def happen(self, parcel: SimParcel, step: Step, at: datetime, extra: Mapping[str, str] | None = None) -> int:
        """Write an event and queue its push."""
        item = _item(parcel, step, at) | dict(extra or {})
        with self.lock, self.store.transaction():
            event_id = self.store.add_event(parcel.waybill_no, at, item)
            customer = self.store.customer(parcel.sender_no, parcel.environment)
            if customer and customer.callback:
                self.store.add_push(event_id, parcel.waybill_no, new_serial(), self.clock.now())
            if self.store.subscription(parcel.waybill_no):
                self.store.add_aggregator_push(parcel.waybill_no, self.clock.now())
            return event_id

    def retell(self, parcel: SimParcel, tag: str) -> None:
        """Choose another script for what is still to come. Raises KeyError for an unknown tag."""
        if tag not in SCRIPTS:
            raise KeyError(tag)
        steps = script(tag, _route(parcel.body), self._seed_of(parcel.serial))
        told = parcel.script[: parcel.position]
        rest = steps[parcel.position :]
        due = self.clock.after(timedelta(hours=rest[0].hours)) if rest else None
        self.store.rewrite(parcel.waybill_no, [*told, *rest], due)

    def _seed_of(self, serial: int) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.seed}:{serial}".encode()).digest()[:8])


def new_serial() -> str:
    """32 upper-case hexadecimal digits, as pushes carry them."""
    return uuid.uuid4().hex.upper()


def _tag(order: Mapping[str, Any]) -> str:
    receiver = order.get("receiver") or {}
    return tag_of(str(receiver.get("address", "")), str(order.get("note", "")))


def _route(order: Mapping[str, Any]) -> Route:
    sender, receiver = order.get("sender") or {}, order.get("receiver") or {}
    return Route(
        str(sender.get("prov", "")), str(sender.get("city", "")), str(receiver.get("prov", "")),
        str(receiver.get("city", "")), str(receiver.get("county", "")), str(receiver.get("name", "")),
    )  # fmt: skip


def _item(parcel: SimParcel, step: Step, at: datetime) -> dict[str, str]:
    item = {
        "traceNo": parcel.waybill_no,
        "waybillNo": parcel.waybill_no,
        "opTime": beijing(at),
        "opCode": step.code,
        "opName": step.name,
        "opDesc": step.text,
        "opOrgProvName": step.region[0],
        "opOrgCity": step.region[1],
        "opOrgCode": str(31000000 + sum(map(ord, step.place)) % 100000) if step.place else "",
        "opOrgName": step.place,
        "operatorNo": "",
        "operatorName": "",
        "productName": "特快专递",
    }
    codes = {"deliverCode": step.deliver_code, "attemptDeliveryCode": step.attempt_code}
    return item | {name: value for name, value in codes.items() if value}
