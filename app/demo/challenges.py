"""Objections, complaints and off-list reports of the demonstration: filed, answered, some upheld, a few still open today."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.shelf import Shelf
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from marketplace.models.challenges import Challenge
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules.challenges import ComplaintType, Effect, Side
from marketplace.services import challenges
from marketplace.states.challenge import OPEN
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import RegistrationState

EVERY_DAYS: Final = 6
OBJECTIONS: Final = (
    ("请求核查中选机构资质并取消中选结果。", "公示的资质证书编号在发证机关网站查询不到，请求核实。"),
    ("请求核查中选机构与业主的关联关系。", "中选机构的联系地址与项目业主下属单位一致，可能存在应当回避的情形。"),
    ("请求公布抽取复核材料。", "对抽取种子的来源有疑问，请求说明公开数值的取得时间和复核方法。"),
)
COMPLAINTS: Final = (
    (
        ComplaintType.COURIER,
        Side.OTHER,
        "驻厅寄递服务点",
        "要求说明证照延误原因并改进。",
        "审批结果交寄后五天没有揽收记录。",
    ),
    (ComplaintType.DELAY, Side.OTHER, "某测绘服务机构", "要求督促按期交付成果。", "合同约定的成果期限已过，仍未提交。"),
    (
        ComplaintType.EXTRA_FEES,
        Side.OTHER,
        "某环境咨询机构",
        "要求退还额外收取的费用。",
        "合同价之外另收资料费，未出具依据。",
    ),
    (
        ComplaintType.DESIGNATED_AGENCY,
        Side.OTHER,
        "某县行政审批窗口",
        "要求停止指定中介机构。",
        "窗口人员口头要求只能找指定的机构。",
    ),
)
OFF_LIST: Final = (
    ("某区住房和城乡建设局", "节能评估报告", "建筑工程施工许可"),
    ("某县水利局", "水资源论证复核报告", "取水许可"),
    ("某市自然资源和规划局分局", "土地权属第三方核查", "建设用地规划许可"),
)


class Challengers:
    """Lets losers object, clients complain and applicants report, every few days, and the others answer in time."""

    def __init__(self, simulation: Simulation, cast: Cast, shelf: Shelf) -> None:
        self.simulation, self.cast, self.shelf = simulation, cast, shelf
        self.owners = {owner.actor.organisation_id: owner.actor for owner in cast.owners}

    def plan(self, first: dt.datetime) -> None:
        """Spread filings from `first` to the end; the last ones stay open."""
        days = (self.simulation.end - first).days
        for number, offset in enumerate(range(2, days + 1, EVERY_DAYS)):
            day = self.simulation.calendar.on_or_after(clock.beijing_day(first) + dt.timedelta(days=offset))
            self._plan(at_hour(day, 10.2), self.object_to_a_result, number)
            self._plan(at_hour(day, 14.1), self.complain, number)
            if number % 2 == 0:
                self._plan(at_hour(day, 15.4), self.report_off_list, number // 2)
        self._plan(self.simulation.end - dt.timedelta(hours=2), self.object_to_a_result, 1)

    def _plan(self, moment: dt.datetime, act: Any, *arguments: Any) -> None:
        if moment < self.simulation.end:
            self.simulation.plan(moment, partial(act, *arguments), may_be_refused=True)

    def object_to_a_result(self, number: int) -> None:
        """A loser objects to a result in publicity; its owner answers the next working day."""
        found = db.session.execute(
            sa.select(Procurement.id, Procurement.owner_organisation_id, Registration.organisation_id)
            .join(Registration, Registration.procurement_id == Procurement.id)
            .where(
                Procurement.state == ProcurementState.RESULT_PUBLICITY,
                Procurement.publicity_ends_at > clock.now(),
                Registration.state == RegistrationState.RESERVE,
            )
            .order_by(Procurement.number.desc(), Registration.uscc)
            .limit(1)
        ).first()
        if found is None or found.organisation_id not in self.shelf.people:
            return
        claim, grounds = OBJECTIONS[number % len(OBJECTIONS)]
        objection = challenges.FileObjection(claim, grounds, "13900001234", matter="objection:result")
        made = challenges.challenge_procurement(self.shelf.people[found.organisation_id], found.id, objection)
        day = self.simulation.calendar.add_working_days(clock.today(), 1)
        self._plan(at_hour(day, 15), self.answer_objection, made, self.owners[found.owner_organisation_id], number)

    def answer_objection(self, challenge_id: UUID, owner: Actor, number: int) -> None:
        if number % 4 == 3:
            challenges.uphold(
                owner,
                challenge_id,
                challenges.Uphold(
                    "经向发证机关函询，中选机构公示的资质证书已注销，异议成立，取消其中选资格，按公布排序递补。",
                    "中选机构资质证书已注销，取消中选，按排序递补。",
                    Effect.RESELECT,
                ),
            )
            return
        challenges.reject(
            owner,
            challenge_id,
            challenges.Reject(
                "经核查有关登记信息和抽取记录，未发现异议所述情形，抽取结果可由任何人复核。",
                "经核查未发现所述情形，异议不成立。",
            ),
        )

    def complain(self, number: int) -> None:
        kind, against, name, claim, grounds = COMPLAINTS[number % len(COMPLAINTS)]
        complaint = challenges.FileComplaint(
            claim,
            grounds,
            "13900005678",
            complaint_type=kind,
            against=against,
            against_name=name,
            known_on=clock.today(),
        )
        made = challenges.complain(self.cast.applicants[number % len(self.cast.applicants)], complaint)
        accept = at_hour(self.simulation.calendar.add_working_days(clock.today(), 2), 9.5)
        decide = at_hour(self.simulation.calendar.add_working_days(clock.today(), 9), 16)
        self._plan(accept, self.accept, made)
        self._plan(decide, self.decide, made, number)

    def _judge(self, challenge_id: UUID) -> Actor:
        handled_by = db.session.scalar(sa.select(Challenge.handled_by).where(Challenge.id == challenge_id))
        return self.cast.panel[Role(str(handled_by))]

    def accept(self, challenge_id: UUID) -> None:
        challenges.accept(self._judge(challenge_id), challenge_id, challenges.AcceptComplaint())

    def decide(self, challenge_id: UUID, number: int) -> None:
        judge = self._judge(challenge_id)
        if number % 2:
            summary = "投诉不成立：经核查，现有证据不能证明所述事实。"
            challenges.reject(
                judge,
                challenge_id,
                challenges.Reject("经听取双方意见并核对材料，现有证据不能证明投诉所述事实。", summary),
            )
        else:
            summary = "投诉成立：已责令改正并记入信用记录。"
            challenges.uphold(
                judge, challenge_id, challenges.Uphold("经核查属实，责令限期改正，并记入信用记录。", summary)
            )
        if number % 3:
            filed_by = db.session.scalar(sa.select(Challenge.filed_by).where(Challenge.id == challenge_id))
            reader = next(a for a in self.cast.applicants if a.user_id == filed_by)
            challenges.confirm_receipt(reader, challenge_id, Plain())

    def report_off_list(self, number: int) -> None:
        department, demanded, approval = OFF_LIST[number % len(OFF_LIST)]
        report = challenges.FileOffListReport(
            "请求停止要求提供清单外的中介服务材料。",
            f"办理{approval}时，窗口要求另行委托机构出具{demanded}，清单中没有该事项。",
            "13900009012",
            department=department,
            demanded=demanded,
            approval=approval,
        )
        made = challenges.report_off_list_demand(self.cast.applicants[-1 - number % 5], report)
        day = self.simulation.calendar.add_working_days(clock.today(), 3)
        self._plan(at_hour(day, 11), self.answer_report, made, department)

    def answer_report(self, challenge_id: UUID, department: str) -> None:
        if db.session.scalar(sa.select(Challenge.state).where(Challenge.id == challenge_id)) in OPEN:
            answer = challenges.Uphold(
                f"经核查，{department}要求的材料未列入中介服务事项清单，已责令立即停止，并向申请人说明。",
                f"{department}要求清单外材料属实，已责令停止。",
            )
            challenges.uphold(self.cast.panel[Role.REGULATOR], challenge_id, answer)
