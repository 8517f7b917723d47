"""A simulator on a loopback port for as long as one test, with a manual clock."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from delivery.carriers.ems.client import EmsCarrier, EmsSettings
from delivery.carriers.ems.codec import SignKey
from delivery.ports import Party, Shipment
from delivery.simulator.aggregator import Aggregator
from delivery.simulator.clock import ClockMode, SimClock
from delivery.simulator.doors import Doors
from delivery.simulator.pushes import Pusher
from delivery.simulator.server import create_simulator
from delivery.simulator.store import FIRST_CUSTOMER, Store
from delivery.simulator.world import World

ADMIN = "test-token"
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SENDER = Party("杭州市民中心政务大厅", "13800000000", "浙江省", "杭州市", "上城区", "解放东路18号", "310016")
RECEIVER = Party("李晓燕", "13912345678", "浙江省", "宁波市", "海曙区", "中山西路2号1幢301室")


def shipment(order_no: str = "JD-2026-000001", address: str = RECEIVER.address) -> Shipment:
    receiver = Party("李晓燕", "13912345678", "浙江省", "宁波市", "海曙区", address)
    return Shipment(order_no, SENDER, receiver, "营业执照", 120, MORNING, receiver_code="482913")


@dataclass
class Simulator:
    """The simulated world with its address."""

    world: World
    pusher: Pusher
    aggregator: Aggregator
    url: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/sim/ems/amp-prod-api/f/amp/api/open"

    def carrier(self, *, read_timeout: float = 5.0, base_url: str = "") -> EmsCarrier:
        key = SignKey(FIRST_CUSTOMER.sign_key)
        settings = EmsSettings(
            base_url or self.base_url, FIRST_CUSTOMER.sender_no, FIRST_CUSTOMER.authorization, key, 2.0, read_timeout
        )
        return EmsCarrier(settings)

    def fault(self, fault: str, count: int | None = 1, api_code: str = "", **more: float) -> None:
        self.world.add_fault({"fault": fault, "count": count, "match": {"apiCode": api_code}, **more})

    def pass_time(self, **span: float) -> int:
        """Let time pass in small pieces, as a clock does; returns how many events happened."""
        self.world.clock.advance(timedelta(**span))
        return self.world.tick()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    world = World(Store(None), SimClock(ClockMode.MANUAL, start=MORNING))
    world.store.keep_customer(FIRST_CUSTOMER)
    pusher = Pusher(world)
    app = create_simulator(world, pusher, ADMIN)
    doors = Doors("127.0.0.1", 0, app)
    world.close_doors = doors.close_for
    thread = threading.Thread(target=doors.serve, daemon=True)
    thread.start()
    yield Simulator(world, pusher, app.aggregator, f"http://127.0.0.1:{doors.port}")
    doors.stop()
    thread.join(timeout=5)
    world.store.close()
