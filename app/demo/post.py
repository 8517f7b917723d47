"""The post in the hall beside the approval cases: letters of other windows, its shelves this morning, its closed days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.demo.courier import Courier
from app.demo.names import Names
from app.demo.people import Cast
from app.demo.rounds import STREETS
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from delivery import jobs
from delivery.models.parcels import Parcel
from delivery.models.returns import ParcelReturn
from delivery.models.tasks import ParcelTask
from delivery.queries.hall_days import on_shelves, still_open
from delivery.services import batches, orders, packing, tracking, waybills
from delivery.services.differences import ResolveDifference, resolve_difference
from delivery.services.exceptions import Assign, Chosen, assign_tasks, take_tasks
from delivery.services.hall_days import CountDay, count_day, sign_day
from delivery.services.merging import Merge, merge
from delivery.services.returns import DecideReturn, decide_return

LETTERS: Final = (
    ("云港市市场监督管理局", "企业设立登记", "营业执照正副本各一份"),
    ("云港市卫生健康委员会", "医师执业注册", "医师执业证书一本"),
    ("云港市自然资源和规划局", "不动产转移登记", "不动产权证书一本"),
    ("云港市人力资源和社会保障局", "职业资格证书补发", "职业资格证书一本"),
    ("云港市交通运输局", "道路运输经营许可", "道路运输经营许可证一份"),
)
"""Whose decision, on which item, and what lies in the envelope."""
PLACES: Final = (
    ("江苏省", "连云港市", "海州区"), ("江苏省", "连云港市", "连云区"), ("江苏省", "南京市", "鼓楼区"), ("江苏省", "徐州市", "云龙区"),
    ("浙江省", "宁波市", "海曙区"), ("山东省", "青岛市", "市南区"), ("江苏省", "连云港市", "赣榆区"), ("广东省", "深圳市", "福田区"),
)  # fmt: skip
OVERNIGHT: Final = {
    "ready": "今日下午送达的证照，次日上午装封", "packed": "复核人员已下班，次日第一班复核", "booking": "承运平台取号中", "waybilled": "揽投员次日 9:00 到厅揽收",
    "returned": "等待收件人回复取件方式", "lists": "清单已由大厅签字，揽投员次日签收", "differences": "差异邮件正在分拣柜核查",
    "exceptions": "已电话联系承运企业，等待书面答复",
}  # fmt: skip


@dataclass
class Post:
    """Packs, hands over and counts what the other windows of the hall bring."""

    simulation: Simulation
    names: Names
    cast: Cast
    courier: Courier
    made: int = 0
    hall: UUID = field(init=False)
    staff: Actor = field(init=False)
    supervisor: Actor = field(init=False)

    def __post_init__(self) -> None:
        self.staff, self.supervisor = self.cast.panel[Role.POSTAL_STAFF], self.cast.panel[Role.POSTAL_SUPERVISOR]
        assert self.staff.organisation_id is not None
        self.hall = self.staff.organisation_id

    def plan(self) -> None:
        """Three lists in the month before last and two in the last one, and the closing of the last five working days."""
        today = clock.beijing_day(self.simulation.end)
        last = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
        before = (last - dt.timedelta(days=1)).replace(day=1)
        lists = (
            (before, 6, ("", "", "#SIM:LOST", "")),
            (before, 13, ("", "", "", "#SIM:REFUSED")),
            (before, 20, ("", "", "", "")),
            (last, 4, ("", "", "", "#SIM:LOST")),
            (last, 12, ("", "", "#SIM:LOCKER", "")),
        )
        for month, later, tags in lists:
            self._plan_list(month + dt.timedelta(days=later), tags)
        day = today
        for _ in range(5):
            day = self.simulation.calendar.previous_working_day(day)
            self.simulation.plan(at_hour(day, 17.4), self._close_day)

    def _plan_list(self, day: dt.date, tags: Sequence[str]) -> None:
        moment = at_hour(self.simulation.calendar.on_or_after(day), 10.6)
        if moment < self.simulation.start:
            return
        self.simulation.plan(moment, partial(self._send, tags))
        for days in (4, 13):
            self.simulation.plan(moment + dt.timedelta(days=days, hours=6), self._follow)

    def _send(self, tags: Sequence[str]) -> None:
        parcels = [self.waybilled(tag) for tag in tags]
        self.handed_over(parcels)

    def _follow(self) -> None:
        """What the carrier reports, and what came back to the desk and is fetched at the window."""
        self.courier.move_on()
        tracking.poll_due()
        outbox.drain_all()
        returned = sa.select(Parcel.id).where(Parcel.state == "handed_over", Parcel.observed_status == "returned")
        for parcel_id in db.session.scalars(returned).all():
            tracking.take_back(self.staff, parcel_id, Plain())
            decide_return(self.staff, parcel_id, DecideReturn("centre", "收件人拒收，证照退回制证中心保管。"))
        outbox.drain_all()

    # --- one parcel at its stages ---

    def ordered(self, tag: str = "", *, same_as: UUID | None = None) -> UUID:
        """A letter whose contents are ready; `same_as` sends it to the receiver of another one."""
        number = self.made
        self.made += 1
        department, item, contents = LETTERS[number % len(LETTERS)]
        applicant = self.cast.applicants[(number * 3 + 1) % len(self.cast.applicants)]
        prov, city, county = PLACES[number % len(PLACES)]
        address = f"{STREETS[number % len(STREETS)]}{18 + number * 3}号{1 + number % 9}幢{201 + number}室{tag}"
        receiver = orders.Receiver(applicant.name, self.names.mobile(), prov, city, county, address)
        user_id = applicant.user_id
        if same_as is not None:
            other = db.session.get_one(Parcel, same_as, populate_existing=True)
            user_id = other.applicant_user_id
            receiver = orders.Receiver(
                other.receiver_name, other.receiver_mobile, other.receiver_prov, other.receiver_city, other.receiver_county,
                other.receiver_address,
            )  # fmt: skip
        assert user_id is not None
        command = orders.OrderParcel(
            uuid4(), f"letter:{uuid4()}", self.hall, receiver, contents, "self", clock.now() + dt.timedelta(days=14), user_id,
            weight_g=110 + number % 4 * 140, department=department, item=item,
        )  # fmt: skip
        parcel_id = orders.order_parcel(SYSTEM, command)
        orders.contents_ready(SYSTEM, parcel_id)
        return parcel_id

    def packed(self, tag: str = "") -> UUID:
        parcel_id = self.ordered(tag)
        weight = db.session.get_one(Parcel, parcel_id, populate_existing=True).weight_g
        packing.pack(self.staff, parcel_id, packing.Pack(f"YG{self.made:08d}", weight, contents_compared=True))
        return parcel_id

    def waybilled(self, tag: str = "", *, labelled: bool = True) -> UUID:
        parcel_id = self.packed(tag)
        packing.check_packing(self.supervisor, parcel_id, Plain())
        waybills.book(parcel_id)
        outbox.drain_all()
        if labelled:
            waybills.mark_label_printed(self.staff, parcel_id, Plain())
        return parcel_id

    def listed(self, parcels: Sequence[UUID]) -> UUID:
        batch_id = batches.open_batch(self.staff)
        for parcel_id in parcels:
            number = db.session.get_one(Parcel, parcel_id, populate_existing=True).waybill_no or ""
            batches.add_to_batch(self.staff, batch_id, batches.AddToBatch(number))
        return batch_id

    def handed_over(self, parcels: Sequence[UUID], missing: Sequence[UUID] = ()) -> UUID:
        batch_id = self.listed(parcels)
        batches.offer_batch(self.staff, batch_id, batches.OfferBatch(len(parcels)))
        counted = len(parcels) - len(missing)
        batches.take_over(self.supervisor, batch_id, batches.TakeOver("韩立冬", "EMS3207-018", counted, tuple(missing)))
        outbox.drain_all()
        return batch_id

    # --- a day ---

    def _close_day(self) -> None:
        """Count the shelves, give a reason for what stays, and let the supervisor sign."""
        shelves = on_shelves(self.hall)
        held = {kind for kind, count in (shelves | still_open(self.hall)).items() if count}
        day_id = count_day(self.staff, CountDay(shelves, {kind: OVERNIGHT[kind] for kind in held}))
        sign_day(self.supervisor, day_id, Plain())

    def leave_on_the_shelves(self) -> None:
        """What waits this morning: envelopes at every stage, a list to be signed, and two differences."""
        joined = self.ordered()
        merge(self.staff, self.ordered(same_as=joined), Merge(joined))
        self.ordered()
        self.packed()
        self.packed()
        present, found, missing = (self.waybilled() for _ in range(3))
        batch_id = self.handed_over([present, found, missing], missing=[found, missing])
        resolve_difference(
            self.staff, batch_id, ResolveDifference(found, "found", "在三号分拣柜夹层中找到，随下一份清单移交。")
        )
        offered = self.listed([found, self.waybilled()])
        batches.offer_batch(self.staff, offered, batches.OfferBatch(2))
        self.waybilled(labelled=False)
        self._decide_returns()
        self._share_exceptions()
        outbox.drain_all()

    def _decide_returns(self) -> None:
        """One kept for collection, one whose receiver is to be called; the others wait for a decision."""
        lying = (
            sa.select(ParcelReturn.parcel_id).where(ParcelReturn.ended_at.is_(None)).order_by(ParcelReturn.arrived_at)
        )
        decisions = (("keep", "收件人来电，三日内到窗口领取。"), ("call", "地址不详，需电话核实门牌号。"))
        for parcel_id, (decision, reason) in zip(db.session.scalars(lying).all(), decisions, strict=False):
            decide_return(self.staff, parcel_id, DecideReturn(decision, reason))

    def _share_exceptions(self) -> None:
        """Some of the open exceptions have somebody who works on them."""
        jobs.look_after_claims()
        open_tasks = sa.select(ParcelTask.id).where(ParcelTask.resolved_at.is_(None)).order_by(ParcelTask.raised_at)
        found = list(db.session.scalars(open_tasks))
        if len(found) < 3:
            return
        take_tasks(self.staff, Chosen((found[0],)))
        assert self.staff.user_id is not None
        assign_tasks(self.supervisor, Assign((found[1],), self.staff.user_id))
