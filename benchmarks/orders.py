"""Orders for the benchmark of delivery: in the mix of EMS-PROTOCOL, booked over HTTP and handed over in waves."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.models import MailDelivery, Organisation, OrganisationKind, User
from app.kernel import clock
from app.kernel.db import new_id, transaction
from delivery.carriers import chosen
from delivery.models.parcels import Parcel
from delivery.ports import Party, Shipment
from delivery.states import ParcelState

MIX: Final = {
    "OK": 880, "PROXY": 30, "LOCKER": 30, "COUNTER": 8, "ABSENT2": 15, "REFUSED": 10, "BADADDR": 5, "LOST": 1, "REVOKE": 3,
    "RETURNAFTER": 2, "STALL": 2, "UNKNOWNCODE": 2, "DOOR": 12,
}  # fmt: skip
"""Parcels in a thousand by the story they have; the usual one has eight events."""
HALLS: Final = 20
PEOPLE: Final = 1000
WAVE: Final = 2500
"""Parcels that are handed over together."""
CITIES: Final = (("宁波市", "海曙区"), ("温州市", "鹿城区"), ("嘉兴市", "南湖区"), ("绍兴市", "越城区"))
SENDER: Final = Party("政务服务大厅", "057188880000", "浙江省", "杭州市", "上城区", "解放东路18号")


@dataclass(frozen=True)
class Line:
    """One order as it was made."""

    waybill_no: str
    order_no: str
    shipment: Shipment


def people() -> tuple[list[UUID], list[UUID]]:
    """Halls and applicants; the applicants want no mail, which is another system's load."""
    halls, users = [new_id() for _ in range(HALLS)], [new_id() for _ in range(PEOPLE)]
    now = clock.now()
    with transaction() as session:
        session.execute(sa.insert(Organisation), [
            {"id": each, "kind": OrganisationKind.HALL, "name": f"政务服务大厅{number}", "created_at": now}
            for number, each in enumerate(halls)
        ])  # fmt: skip
        session.add_all(
            User(id=each, email=f"a{n}@example.test", name="申请人", fs_uniquifier=each.hex, mail_delivery=MailDelivery.NEVER, created_at=now)
            for n, each in enumerate(users)
        )  # fmt: skip
    return halls, users


def waves(orders: int, seed: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The first number of each wave and the stories of its parcels."""
    tags = random.Random(seed).choices(list(MIX), list(MIX.values()), k=orders)
    for start in range(0, orders, WAVE):
        yield start, tags[start : start + WAVE]


def book(start: int, tags: Sequence[str]) -> list[Line]:
    """Order the carriage of a wave, over HTTP, four at a time."""
    now, carrier = clock.now(), chosen.carrier()

    def one(offset: int) -> Line:
        number = start + offset
        city, county = CITIES[number % len(CITIES)]
        receiver = Party("李晓燕", "13912345678", "浙江省", city, county, f"中山路{number}号 #SIM:{tags[offset]}")
        shipment = Shipment(f"BM{number:08d}", SENDER, receiver, "证照", 120, now)
        value = carrier.book(shipment).value
        assert value is not None
        return Line(value.waybill_no, shipment.order_no, shipment)

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(one, range(len(tags))))


def hand_over(start: int, lines: Sequence[Line], halls: Sequence[UUID], users: Sequence[UUID]) -> None:
    """Write the parcels as they stand after hand-over, and lay them on the carrier's counter."""
    now = clock.now()
    with transaction() as session:
        rows = [_parcel(number, line, halls, users, now) for number, line in enumerate(lines, start)]
        session.execute(sa.insert(Parcel), rows)
    for first in range(0, len(lines), 500):
        chosen.carrier().announce_handover(tuple(line.waybill_no for line in lines[first : first + 500]))


def _parcel(number: int, line: Line, halls: Sequence[UUID], users: Sequence[UUID], now: datetime) -> dict[str, Any]:
    to = line.shipment.receiver
    identifier = new_id()
    return {
        "id": identifier, "number": f"P{number:08d}", "thread_id": identifier, "subject": f"letter:{identifier}",
        "hall_organisation_id": halls[number % len(halls)], "applicant_user_id": users[number % len(users)],
        "state": ParcelState.HANDED_OVER, "created_at": now, "serve_by": now + timedelta(days=14), "contents": "证照",
        "who_may_sign": "agent", "receiver_name": to.name, "receiver_mobile": to.mobile, "receiver_prov": to.prov,
        "receiver_city": to.city, "receiver_county": to.county, "receiver_address": to.address, "pickup_code": "482913",
        "order_no": line.order_no, "waybill_no": line.waybill_no, "handed_over_at": now, "next_poll_at": None, "version": 1,
    }  # fmt: skip
