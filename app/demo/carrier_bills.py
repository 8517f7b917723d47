"""What is owed to the carrier and by it: the rates of the contract, one settled month, one with differences, claims."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.post import Post
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.files import Upload
from app.kernel.money import Money
from delivery.models.desk import Claim
from delivery.models.parcels import Parcel
from delivery.models.settlement import BillDifference
from delivery.places import hall_path
from delivery.services import claims, settlement
from delivery.services.claims import FileClaim, GrantClaim
from delivery.settlement import KINDS, ZONES, BillLine, LineKind, Zone, zone_of

BASIS: Final = "云港市政务寄递服务采购合同（2026）第八条"
RATES: Final = {Zone.CITY: (800, 200), Zone.PROVINCE: (1200, 300), Zone.NATION: (2000, 600)}
"""The first 500 g and every further 500 g, in fen."""
SIDES: Final = (
    ("theirs", "复核揽收影像，实际重量以邮政过磅为准。"),
    ("ours", "交接清单无此邮件，邮政同意剔除。"),
    ("ours", "系统揽收记录完整，邮政同意补列。"),
)
GROUNDS: Final = {
    "lost": (6000, "邮件在处理中心遗失，证照已重新制发，按合同第十二条索赔。"),
    "damaged": (3600, "邮件外封破损、内件受潮，收件人拒收，已留存影像。"),
    "late": (1200, "超过承诺时限四个工作日送达，按合同第十三条退还资费。"),
}


@dataclass(frozen=True)
class Story:
    """A claim: filed and answered so many days ago, and how it went."""

    ground: str
    filed: int
    answered: int
    ending: Callable[[Actor, UUID], None] | None = None


def _granted(actor: Actor, claim_id: UUID) -> None:
    asked = db.session.get_one(Claim, claim_id).asked_fen
    claims.grant_claim(actor, claim_id, GrantClaim(asked * 2 // 3, "EMS-PC-20260", "核实属实，按限额赔付。"))


def _refused(actor: Actor, claim_id: UUID) -> None:
    claims.refuse_claim(actor, claim_id, WithReason("外包装完好，内件受潮不属于承运责任。"))


def _withdrawn(actor: Actor, claim_id: UUID) -> None:
    claims.withdraw_claim(actor, claim_id, WithReason("收件人确认邮件已找到。"))


STORIES: Final = (
    Story("late", 19, 15, _granted),
    Story("damaged", 17, 12, _refused),
    Story("late", 14, 11, _withdrawn),
    Story("lost", 13, 9, _granted),
    Story("damaged", 9, 0),
    Story("late", 2, 0),
)


class CarrierBills:
    """Plays the operator and the supervisor of the post at the end of each month."""

    def __init__(self, simulation: Simulation, cast: Cast, post: Post) -> None:
        self.simulation, self.post = simulation, post
        self.operator, self.supervisor = cast.panel[Role.OPERATOR], cast.panel[Role.POSTAL_SUPERVISOR]
        today = clock.beijing_day(simulation.end)
        self.last = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
        self.before = (self.last - dt.timedelta(days=1)).replace(day=1)

    def plan(self) -> None:
        """The rates at the start, a claim of the month before last that its bill deducts, later claims, the settled bill."""
        begin = self.simulation.start
        self.simulation.plan(begin + dt.timedelta(hours=3), self._enter_rates)
        on = self.simulation.calendar.on_or_after
        early = at_hour(on(self.before + dt.timedelta(days=24)), 11)
        if early > begin:
            self.simulation.plan(early, partial(self._file, Story("lost", 0, 4, _granted)))
        self.simulation.plan(at_hour(on(self.last + dt.timedelta(days=6)), 10), self._settle_month)
        for story in STORIES:
            filed = on(clock.beijing_day(self.simulation.end) - dt.timedelta(days=story.filed))
            self.simulation.plan(at_hour(filed, 9.7), partial(self._file, story))

    def _enter_rates(self) -> None:
        first = clock.today().replace(month=1, day=1)
        for zone, (first_fen, next_fen) in RATES.items():
            settlement.add_tariff(
                self.operator, settlement.AddTariff(zone, first, 500, first_fen, 500, next_fen, 50, BASIS)
            )

    # --- claims ---

    def _file(self, story: Story) -> None:
        """File it for the oldest parcel that fits; a world without one has no such claim."""
        claimed = sa.select(Claim.parcel_id)
        fits = Parcel.state == "lost" if story.ground == "lost" else Parcel.state.in_(("delivered", "closed"))
        found = db.session.scalar(
            sa.select(Parcel.id)
            .where(fits, Parcel.carrier == "ems", Parcel.handed_over_at.is_not(None), Parcel.id.not_in(claimed))
            .order_by(Parcel.handed_over_at, Parcel.id)
            .limit(1)
        )
        if found is None:
            return
        asked, statement = GROUNDS[story.ground]
        claim_id = claims.file_claim(self.supervisor, found, FileClaim(story.ground, asked, statement))
        if story.ending is not None:
            answered = self.simulation.now + dt.timedelta(days=max(story.filed - story.answered, story.answered and 1))
            self.simulation.plan(answered, partial(story.ending, self.supervisor, claim_id))

    # --- bills ---

    def _settle_month(self) -> None:
        """The month before last: compared, settled line by line, confirmed on both sides, ordered and paid."""
        bill_id = self._hand_in(self.before)
        if bill_id is None:
            return
        settlement.compare_bill(self.operator, bill_id, Plain())
        self._resolve(bill_id, 99)
        now = self.simulation.now
        steps: Sequence[tuple[int, Callable[[], None]]] = (
            (20, partial(settlement.confirm_bill, self.operator, bill_id, Plain())),
            (26, partial(settlement.countersign_bill, self.supervisor, bill_id, Plain())),
            (46, partial(settlement.order_payment, self.operator, bill_id, Plain())),
            (120, lambda: settlement.note_payment(self.operator, bill_id, settlement.NotePayment(clock.today(), "国库支付2026-03317"))),
        )  # fmt: skip
        for hours, step in steps:
            self.simulation.plan(now + dt.timedelta(hours=hours), step)

    def leave_one_open(self) -> None:
        """The last month: compared, one difference settled, the others wait for the operator."""
        bill_id = self._hand_in(self.last)
        if bill_id is not None:
            settlement.compare_bill(self.operator, bill_id, Plain())
            self._resolve(bill_id, 1)
        outbox.drain_all()

    def _resolve(self, bill_id: UUID, most: int) -> None:
        found = sa.select(BillDifference.id).where(BillDifference.bill_id == bill_id).order_by(BillDifference.row)
        for number, difference_id in enumerate(db.session.scalars(found.limit(most)).all()):
            side, reason = SIDES[number % len(SIDES)]
            command = settlement.ResolveBillDifference(difference_id, side, reason)
            settlement.resolve_bill_difference(self.operator, bill_id, command)

    def _hand_in(self, month: dt.date) -> UUID | None:
        lines = self._lines(month)
        if not lines:
            return None
        table = ["邮件号,收寄日期,重量(克),分区,类别,金额(元)"]
        zones = {zone: word for word, zone in ZONES.items() if not word.isascii()}
        kinds = {kind: word for word, kind in KINDS.items() if word and not word.isascii()}
        table += [
            f"{each.waybill_no},{each.accepted_on},{each.weight_g},{zones[each.zone]},{kinds[each.kind]},{Money(each.fee_fen).yuan}"
            for each in lines
        ]
        file = Upload(f"邮政政务寄递对账单_{month:%Y%m}.csv", "\r\n".join(table).encode("gb18030"))
        return settlement.hand_in(self.operator, settlement.HandIn(self.post.hall, f"{month:%Y-%m}", file))

    def _lines(self, month: dt.date) -> list[BillLine]:
        """What the carrier would bill: our parcels at the contract's rates, with the mistakes that such files have."""
        end = (month + dt.timedelta(days=32)).replace(day=1)
        region = hall_path(self.post.hall)
        taken = db.session.scalars(
            sa.select(Parcel)
            .where(Parcel.carrier == "ems", Parcel.handed_over_at >= at_hour(month, 0), Parcel.handed_over_at < at_hour(end, 0))
            .order_by(Parcel.handed_over_at, Parcel.waybill_no)
        ).all()  # fmt: skip
        lines = [
            self._line(each.waybill_no or "", clock.beijing_day(each.handed_over_at), each.weight_g, zone_of(region, each.receiver_prov, each.receiver_city))
            for each in taken
            if each.handed_over_at is not None
        ]  # fmt: skip
        return self._with_mistakes(lines) + self._deducted(taken) if lines else []

    @staticmethod
    def _line(number: str, day: dt.date, weight: int, zone: Zone, kind: LineKind = LineKind.DELIVERY) -> BillLine:
        first, following = RATES[zone]
        return BillLine(0, number, kind, day, weight, zone, first + -(-max(weight - 500, 0) // 500) * following)

    def _with_mistakes(self, lines: list[BillLine]) -> list[BillLine]:
        """One too heavy, one unknown, one left out, one twice, one in the wrong zone: as far as there are so many."""
        heavy = lines[0]
        changed = [self._line(heavy.waybill_no, heavy.accepted_on, 860, heavy.zone), *lines[1:]]
        changed.append(self._line("1199999999906", heavy.accepted_on, 150, Zone.PROVINCE))
        if len(changed) > 4:
            del changed[3]
        if len(changed) > 6:
            changed.append(changed[1])
            changed[4] = replace(
                self._line(changed[4].waybill_no, changed[4].accepted_on, changed[4].weight_g, Zone.NATION)
            )
        return changed

    @staticmethod
    def _deducted(taken: Sequence[Parcel]) -> list[BillLine]:
        """Compensations that the carrier granted for the month's parcels."""
        granted = db.session.scalars(
            sa.select(Claim).where(Claim.parcel_id.in_([each.id for each in taken]), Claim.state == "granted")
        )
        return [
            BillLine(0, each.waybill_no, LineKind.CLAIM, clock.beijing_day(parcel.handed_over_at), parcel.weight_g, Zone.PROVINCE, -(each.granted_fen or 0))
            for each in granted
            if (parcel := next(one for one in taken if one.id == each.parcel_id)).handed_over_at is not None
        ]  # fmt: skip
