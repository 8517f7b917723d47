"""Couriers with rounds, and records as their handsets make them."""

import io
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from PIL import Image, ImageDraw

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import transaction
from delivery import services
from delivery.doorstep import FailReason, NextStep, RecordKind, Signer
from delivery.models.parcels import Parcel
from delivery.services import Pack, rounds
from delivery.services.proofs import Delivery, DoorReport, Outcome, receive
from delivery.services.rounds import PlanRound
from tests.builders import a_member
from tests.delivery import builders
from tests.delivery.builders import Hall

DEVICE = "handset-0001"


@cache
def a_picture(kind: str = "PNG", text: str = "李晓燕") -> bytes:
    image = Image.new("RGB", (160, 60), "white")
    ImageDraw.Draw(image).line([(10, 40), (60, 10), (150, 50 + len(text) % 5)], fill="black", width=3)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@dataclass(frozen=True)
class Carried:
    """A round that its courier took out."""

    hall: Hall
    courier: Actor
    id: UUID
    parcels: tuple[UUID, ...]


def a_courier(hall: Hall, name: str = "韩立冬") -> Actor:
    return a_member(Role.COURIER, hall.id, name)


def an_own_parcel(hall: Hall, **facts: str) -> UUID:
    """A parcel that the hall's own courier brings, handed over."""
    parcel_id = builders.an_ordered_parcel(hall, **facts)
    services.contents_ready(SYSTEM, parcel_id)
    services.carry_ourselves(hall.packer, parcel_id, None)
    services.pack(hall.packer, parcel_id, Pack(f"FQ{uuid4().hex[:8].upper()}", 130, contents_compared=True))
    services.check_packing(hall.checker, parcel_id, None)
    from app.kernel import outbox

    outbox.drain_all()
    builders.hand_over(hall, parcel_id)
    return parcel_id


def many_own_parcels(hall: Hall, count: int) -> tuple[UUID, ...]:
    """Handed-over parcels written in one go, for large rounds; their beginnings have tests of their own."""
    first = builders.parcel(an_own_parcel(hall))
    facts = {name.key: getattr(first, name.key) for name in Parcel.__mapper__.column_attrs}
    made = []
    with transaction() as session:
        for number in range(count):
            unique = {
                "id": uuid4(), "number": f"JD-2026-9{number:05d}", "order_no": f"JD-2026-9{number:05d}", "seal_no": f"FQ9{number:05d}",
                "waybill_no": f"ZS-2026-9{number:05d}", "receiver_name": f"收件人{number:02d}", "pickup_code": f"{100000 + number}",
                "receiver_address": f"中山西路{number + 1}号", "subject": f"letter:{uuid4()}", "thread_id": uuid4(),
            }  # fmt: skip
            session.add(Parcel(**(facts | unique)))
            made.append(unique["id"])
    return tuple(made)  # type: ignore[arg-type]


def a_round(hall: Hall, courier: Actor, *parcel_ids: UUID, out: bool = True) -> Carried:
    assert courier.user_id is not None
    made = rounds.plan_round(hall.packer, PlanRound(courier.user_id, clock.today(), parcel_ids))
    if out:
        rounds.set_out(courier, made)
    return Carried(hall, courier, made, parcel_ids)


def delivered(carried: Carried, parcel_id: UUID, **facts: object) -> DoorReport:
    """A delivery to the receiver in person with the right code, photo and signature."""
    made = DoorReport(
        id=uuid4(), round_id=carried.id, parcel_id=parcel_id, kind=RecordKind.DELIVERED, device_at=clock.now(),
        noted_offset=timedelta(), signer=Signer.SELF, signer_name="李晓燕", code=builders.parcel(parcel_id).pickup_code,
        photo=a_picture("JPEG"), signature=a_picture(),
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


def failed(
    carried: Carried, parcel_id: UUID, reason: FailReason = FailReason.ABSENT, step: NextStep = NextStep.TRY_AGAIN
) -> DoorReport:
    return DoorReport(
        id=uuid4(), round_id=carried.id, parcel_id=parcel_id, kind=RecordKind.FAILED, device_at=clock.now(),
        noted_offset=timedelta(), reason=reason, next_step=step,
    )  # fmt: skip


def upload(carried: Carried, *records: DoorReport, sent_at: datetime | None = None) -> tuple[Outcome, ...]:
    return receive(carried.courier, Delivery(DEVICE, sent_at or clock.now(), records))
