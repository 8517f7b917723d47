"""A courier with a round for today, and one that came back yesterday: parcels within the city, brought by the hall itself."""

from __future__ import annotations

import datetime as dt
import io
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from PIL import Image, ImageDraw

from app.demo.names import Names
from app.demo.people import Cast
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from delivery.doorstep import FailReason, IdType, NextStep, RecordKind, Signer
from delivery.models.parcels import Parcel
from delivery.services import batches, orders, own_courier, packing, proofs, rounds, waybills
from delivery.services.proofs import Delivery, DoorReport

COUNTY: Final = "海州区"
STREETS: Final = (
    "朝阳东路", "苍梧路", "海连东路", "通灌南路", "解放中路", "瀛洲南路", "郁洲南路", "龙河北路", "秦东门大街", "幸福南路",
)  # fmt: skip
CONTENTS: Final = (
    ("营业执照正本一份", "云港市市场监督管理局", "企业设立登记"),
    ("食品经营许可证一份", "云港市市场监督管理局", "食品经营许可"),
    ("不动产权证书一本", "云港市自然资源和规划局", "不动产转移登记"),
    ("建设工程规划许可证一份", "云港市自然资源和规划局", "建设工程规划许可证核发"),
    ("施工许可证一份", "云港市住房和城乡建设局", "建筑工程施工许可证核发"),
)
"""What is brought, whose decision it is, and on which item."""
TODAY: Final = 10
YESTERDAY: Final = 6


class OwnRounds:
    """Orders, packs and hands over parcels of the hall's own courier and plans rounds with them."""

    def __init__(self, cast: Cast, names: Names) -> None:
        self.cast, self.names = cast, names
        self.seals = 0

    def plan(self, simulation: Simulation) -> None:
        """The last working day's round: set out in the morning, a door every twenty minutes, back at noon."""
        day = simulation.calendar.previous_working_day(clock.beijing_day(simulation.end))
        simulation.plan(at_hour(day, 8.2), partial(self._set_out, simulation))

    def _set_out(self, simulation: Simulation) -> None:
        parcels = [self._handed_over(number) for number in range(YESTERDAY)]
        courier, made = self.cast.panel[Role.COURIER], self._planned(parcels)
        rounds.set_out(courier, made)
        for number, parcel_id in enumerate(parcels):
            moment = simulation.now + dt.timedelta(minutes=20 * (number + 1))
            simulation.plan(moment, partial(self._at_the_door, made, parcel_id, number))
        simulation.plan(simulation.now + dt.timedelta(hours=3), partial(rounds.finish, courier, made))

    def _at_the_door(self, round_id: UUID, parcel_id: UUID, number: int) -> None:
        report = self._report(round_id, parcel_id, number)
        proofs.receive(self.cast.panel[Role.COURIER], Delivery("demo-handset-01", clock.now(), (report,)))

    def leave_one(self) -> None:
        """The round that waits on the handset now."""
        self._planned([self._handed_over(YESTERDAY + number) for number in range(TODAY)])
        outbox.drain_all()

    def _planned(self, parcels: list[UUID]) -> UUID:
        courier = self.cast.panel[Role.COURIER].user_id
        assert courier is not None
        command = rounds.PlanRound(courier, clock.today(), tuple(parcels))
        return rounds.plan_round(self.cast.panel[Role.POSTAL_STAFF], command)

    def _handed_over(self, number: int) -> UUID:
        staff, supervisor = self.cast.panel[Role.POSTAL_STAFF], self.cast.panel[Role.POSTAL_SUPERVISOR]
        assert staff.organisation_id is not None
        applicant = self.cast.applicants[number % len(self.cast.applicants)]
        assert applicant.user_id is not None
        address = f"{STREETS[number % len(STREETS)]}{12 + number * 7}号{1 + number % 6}幢{101 + number}室"
        receiver = orders.Receiver(applicant.name, self.names.mobile(), "江苏省", "连云港市", COUNTY, address)
        contents, department, item = CONTENTS[number % len(CONTENTS)]
        order = orders.OrderParcel(
            uuid4(), f"letter:{uuid4()}", staff.organisation_id, receiver, contents,
            "agent" if number % 3 == 0 else "self", clock.now() + dt.timedelta(days=12), applicant.user_id,
            department=department, item=item,
        )  # fmt: skip
        parcel_id = orders.order_parcel(SYSTEM, order)
        orders.contents_ready(SYSTEM, parcel_id)
        own_courier.carry_ourselves(staff, parcel_id, Plain())
        self.seals += 1
        packing.pack(staff, parcel_id, packing.Pack(f"TC{self.seals:08d}", 120, contents_compared=True))
        packing.check_packing(supervisor, parcel_id, Plain())
        waybills.number_ourselves(parcel_id)
        waybills.mark_label_printed(staff, parcel_id, Plain())
        batch_id = batches.open_batch(staff)
        waybill = db.session.get_one(Parcel, parcel_id, populate_existing=True).waybill_no
        batches.add_to_batch(staff, batch_id, batches.AddToBatch(waybill or ""))
        batches.offer_batch(staff, batch_id, batches.OfferBatch(1))
        batches.take_over(supervisor, batch_id, batches.TakeOver("韩立冬", "EMS3207-018", 1))
        return parcel_id

    def _report(self, round_id: UUID, parcel_id: UUID, number: int) -> DoorReport:
        parcel = db.session.get_one(Parcel, parcel_id, populate_existing=True)
        if number == 2:
            return DoorReport(
                uuid4(), round_id, parcel_id, RecordKind.FAILED, clock.now(), dt.timedelta(), reason=FailReason.ABSENT,
                next_step=NextStep.TRY_AGAIN, note="敲门无人应答，已电话联系，约定次日下午。",
            )  # fmt: skip
        family = number == 4
        return DoorReport(
            uuid4(), round_id, parcel_id, RecordKind.DELIVERED, clock.now(), dt.timedelta(), photo=picture("JPEG"),
            signer=Signer.FAMILY if family else Signer.SELF, signer_name="家属" if family else parcel.receiver_name,
            signature=picture("PNG"), code=None if family else parcel.pickup_code,
            id_type=IdType.RESIDENT_CARD if number == 0 else None, id_last4="3X17" if number == 0 else None,
        )  # fmt: skip


def picture(kind: str) -> bytes:
    """A drawn stand-in for a signature (PNG) or a photo of an envelope at a door (JPEG)."""
    image = Image.new("RGB", (320, 120) if kind == "PNG" else (640, 480), "#ffffff" if kind == "PNG" else "#7d8a90")
    pen = ImageDraw.Draw(image)
    if kind == "PNG":
        pen.line(
            [(30, 80), (80, 30), (110, 95), (150, 40), (200, 85), (280, 50)], fill="#101820", width=4, joint="curve"
        )
    else:
        pen.rectangle((210, 60, 430, 460), fill="#4a3b2f")
        pen.rectangle((250, 300, 390, 390), fill="#f1e2b8", outline="#b3261e", width=6)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()
