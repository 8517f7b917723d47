"""Approval cases at the service hall, from the application to the doorstep: window, department, print room, post."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.courier import Courier
from app.demo.market import Market, Purchase
from app.demo.names import STREETS, Names
from app.demo.people import Cast, Owner
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from approvals.models import Case, Certificate, DemandedDeliverable, ResultService
from approvals.services import cases, demands, items, results
from approvals.services.commands import (
    Apply,
    ChooseService,
    Correct,
    Decide,
    Demand,
    HandOver,
    Reasoned,
    Receiver,
    Step,
)
from approvals.services.items import RegisterItem
from approvals.states import CaseState, CertificateState, ServiceMode, Signatory
from delivery import jobs as delivery_jobs
from delivery.models.parcels import Parcel
from delivery.services import batches, orders, packing, tracking, waybills
from delivery.states import ParcelState
from marketplace.rules.categories import Category
from marketplace.rules.regions import regions

_S, _P = CaseState, ParcelState
JOINED: Final = 600
"""Cases that need a service have numbers from here on."""

# code, name, English name, legal basis, statutory and promised limit in working days, certificate
POWERS: Final = (
    (
        "PL-0101",
        "建设工程规划许可证核发",
        "Construction planning permit",
        "《城乡规划法》第40条",
        20,
        10,
        "建设工程规划许可证",
    ),
    (
        "PL-0102",
        "建设用地规划许可证核发",
        "Land use planning permit",
        "《城乡规划法》第37条",
        20,
        8,
        "建设用地规划许可证",
    ),
    (
        "PL-0103",
        "建设项目用地预审与选址意见书核发",
        "Site selection opinion",
        "《城乡规划法》第36条",
        20,
        10,
        "选址意见书",
    ),
    ("PL-0104", "测绘作业证核发", "Surveyor's work permit", "《测绘法》第32条", 10, 3, "测绘作业证"),
    (
        "PL-0105",
        "国有建设用地使用权登记",
        "Land use right registration",
        "《不动产登记暂行条例》第5条",
        22,
        5,
        "不动产权证书",
    ),
)
FATES: Final = (
    ("withdrawn", 19), ("out_of_remit", 29), ("refused", 23), ("correction", 7), ("special", 11), ("rejected", 17),
    ("tolerance", 13), ("recalled", 31), ("revoked", 37), ("slow", 9), ("disputed", 21),
)  # fmt: skip
TAGS: Final = (
    "", "", "", "#SIM:PROXY", "", "", "#SIM:ABSENT2", "", "", "#SIM:REFUSED", "", "", "#SIM:LOCKER", "", "", "#SIM:LOST",
    "", "", "#SIM:BADADDR", "", "", "#SIM:STALL", "", "", "#SIM:RETURNAFTER", "", "#SIM:REVOKE",
)  # fmt: skip
"""What the simulated courier is asked to let happen, by a mark in the address that only the simulator reads."""


@dataclass
class File:
    """One case with its temper."""

    case_id: UUID
    number: int
    fate: str
    applicant: Actor


class Hall:
    """Plans the applications and lets window, department, print room and post work each working day."""

    def __init__(self, simulation: Simulation, names: Names, cast: Cast, courier: Courier, market: Market) -> None:
        self.simulation, self.names, self.cast, self.courier = simulation, names, cast, courier
        self.market = market
        self.files: list[File] = []
        self.items: list[UUID] = []
        self.seals = 0

    def plan(self, count: int, first: dt.datetime) -> None:
        """Spread `count` applications from `first` to the end."""
        department = self.cast.panel[Role.APPROVING_DEPARTMENT]
        assert department.organisation_id is not None
        with clock.at(self.simulation.start):
            for code, name, english, basis, statutory, promised, certificate in POWERS:
                power = RegisterItem(
                    code, name, english, department.organisation_id, basis, statutory, promised, certificate,
                    materials="申请表；营业执照或身份证明；项目批准文件；总平面图",
                )  # fmt: skip
                self.items.append(items.register_item(department, power))
        span = (self.simulation.end - first).total_seconds()
        for number in range(count):
            share = 1 - (1 - number / count) ** 1.2
            day = clock.beijing_day(first + dt.timedelta(seconds=span * share))
            fate = next((name for name, every in FATES if number % every == every - 1), "")
            moment = at_hour(self.simulation.calendar.on_or_after(day), 9 + number % 8)
            self.simulation.plan(moment, _bound(self.apply, number, fate))
        self._plan_joined(max(2, count // 9))
        for passed in range((self.simulation.end - first).days + 1):
            for hour in (9.5, 15.0):
                moment = at_hour(clock.beijing_day(first) + dt.timedelta(days=passed), hour)
                self.simulation.plan(moment, self.work)

    def _plan_joined(self, count: int) -> None:
        """Cases that need an intermediary service: begun early, so that some have come all the way to the doorstep."""
        for number in range(count):
            day = clock.beijing_day(self.simulation.start) + dt.timedelta(days=28 + number * 9)
            moment = at_hour(self.simulation.calendar.on_or_after(day), 9.2)
            self.simulation.plan(moment, _bound(self.apply, JOINED + number * 6, "joined"))

    def apply(self, number: int, fate: str) -> None:
        """Somebody applies: a private person, or a project owner; the panel's people more often than others."""
        owner: Owner | None = self.names.random.choice(self.cast.owners) if number % 3 == 0 else None
        owner = self.cast.owners[0] if fate == "joined" and number % 12 == 0 else owner
        applicant = (
            owner.actor if owner else self.cast.applicants[0 if number % 8 == 1 else number % len(self.cast.applicants)]
        )
        hall = self.cast.panel[Role.WINDOW_CLERK].organisation_id
        assert hall is not None
        place = regions()[owner.region_code].name if owner else "云港市"
        project = next(self.names.projects(place)) if owner else f"{applicant.name}自建住宅项目"
        command = Apply(
            item_id=self.items[number % len(self.items)],
            hall_organisation_id=hall,
            project_name=project,
            service=self._service(number, applicant),
            description="申请材料齐全，现场已具备条件。",
        )
        case_id = cases.apply(applicant, command)
        self.files.append(File(case_id, number, fate, applicant))

    def _service(self, number: int, applicant: Actor) -> ChooseService:
        if number % 20 in {3, 7, 12}:
            return ChooseService(ServiceMode.WINDOW)
        if number % 20 in {5, 14}:
            return ChooseService(ServiceMode.ELECTRONIC)
        city = self.names.random.choice([region for region in regions().values() if region.level == "city"])
        county = self.names.random.choice([region for region in regions().values() if region.parent_code == city.code])
        street = f"{self.names.random.choice(STREETS)}{self.names.random.randrange(1, 300)}号{TAGS[number % len(TAGS)]}"
        receiver = Receiver(applicant.name, self.names.mobile(), "江苏省", city.name, county.name, street)
        who = Signatory.SELF if number % 3 else Signatory.AGENT
        return ChooseService(ServiceMode.COURIER, receiver, who, mandate_accepted=True)

    # --- a working day ---

    def work(self) -> None:
        """Everybody does what waits for them; the courier drives every day."""
        outbox.drain_all()
        self.courier.move_on()
        delivery_jobs.ask_for_numbers()
        tracking.poll_due()
        delivery_jobs.close_quiet()
        outbox.drain_all()
        if not self.simulation.calendar.is_working_day(clock.today()):
            return
        for file in self.files:
            self._handle(file)
        self._print()
        self._post()

    def _handle(self, file: File) -> None:
        case = db.session.get_one(Case, file.case_id, populate_existing=True)
        waited = self.simulation.calendar.count_working_days(clock.beijing_day(case.created_at), clock.today())
        step: dict[str, Callable[[File, Case, int], None]] = {  # each gets the file, its case and the days gone by
            _S.SUBMITTED: self._receive,
            _S.RECEIVED: self._accept,
            _S.CORRECTION: self._correct,
            _S.CORRECTED: self._accept,
            _S.ACCEPTED: self._take_in_hand,
            _S.HANDLING: self._decide,
            _S.SPECIAL_PROCEDURE: self._end_special,
            _S.APPROVED: self._afterwards,
        }
        if act := step.get(case.state):
            act(file, case, waited)

    def _receive(self, _file: File, case: Case, waited: int) -> None:
        if waited >= 1:
            cases.receive(self.cast.panel[Role.WINDOW_CLERK], case.id, Step())

    def _accept(self, file: File, case: Case, waited: int) -> None:
        clerk = self.cast.panel[Role.WINDOW_CLERK]
        fate, file.fate = file.fate, ""
        if fate in {"joined", "special", "recalled", "rejected", "tolerance", "slow", "revoked", "disputed"}:
            file.fate = fate
        if fate == "withdrawn":
            cases.withdraw(file.applicant, case.id, Reasoned("项目方案调整，暂不申请。"))
        elif fate == "out_of_remit":
            cases.turn_away(clerk, case.id, Reasoned("该事项由省级主管部门办理，请向省政务服务中心申请。"))
        elif fate == "refused":
            cases.refuse(clerk, case.id, Reasoned("用地性质与规划不符，依法不予受理。"))
        elif fate == "correction":
            cases.ask_correction(clerk, case.id, Reasoned("缺少总平面图电子版；营业执照已过期，请一并补正。"))
        elif waited >= 1:
            cases.accept(clerk, case.id, Step())

    def _correct(self, file: File, case: Case, waited: int) -> None:
        if waited >= 4 and file.number % 14 != 13:
            cases.correct(file.applicant, case.id, Correct("已补正总平面图及新的营业执照。"))

    def _take_in_hand(self, _file: File, case: Case, waited: int) -> None:
        if waited >= 2:
            cases.start_handling(self.cast.panel[Role.APPROVING_DEPARTMENT], case.id, Step())

    def _decide(self, file: File, case: Case, waited: int) -> None:
        department = self.cast.panel[Role.APPROVING_DEPARTMENT]
        fate = file.fate
        if fate == "special" and waited >= 3:
            file.fate = ""
            cases.start_special_procedure(department, case.id, Reasoned("需组织专家现场踏勘与技术评审。"))
        elif fate == "joined":
            self._demand(file, case)
        elif fate == "recalled":
            cases.recall(file.applicant, case.id, Reasoned("建设单位变更，撤回申请。"))
        elif waited >= (26 if fate == "slow" else 3 + file.number % 6):
            if fate == "rejected":
                cases.reject(department, case.id, Decide("退让距离不足，不符合控制性详细规划要求。"))
            elif fate == "tolerance":
                cases.approve_with_tolerance(department, case.id, Decide("节能审查意见容缺，请于二十个工作日内补交。"))
            else:
                cases.approve(department, case.id, Decide())

    def _demand(self, file: File, case: Case) -> None:
        """The department demands a service of the list; the applicant buys it on the supermarket, on the same thread."""
        department = self.cast.panel[Role.APPROVING_DEPARTMENT]
        item = next(item for item in self.market.shelf.items if item.category == Category.MAPPING)
        case_id, thread_id, project = case.id, case.thread_id, case.project_name
        demands.demand(department, case_id, Demand(item.version_id, "规划许可须附测绘成果，请通过中介超市委托。"))
        cases.start_special_procedure(department, case_id, Reasoned("中介服务期间暂停计算审批时限。"))
        file.fate = "waits"
        owner = next(owner for owner in self.cast.owners if owner.actor == file.applicant)
        purchase = Purchase(file.number + 1, owner, item, project, "")
        purchase.case_subject, purchase.thread_id = f"case:{case_id}", thread_id
        self.market.open(purchase)

    def _is_met(self, case: Case) -> bool:
        open_demand = sa.select(DemandedDeliverable.id).where(
            DemandedDeliverable.case_id == case.id, DemandedDeliverable.met_at.is_(None)
        )
        return db.session.scalar(open_demand.limit(1)) is None

    def _end_special(self, file: File, case: Case, waited: int) -> None:
        if self._is_met(case) if file.fate == "waits" else waited >= 9:
            cases.end_special_procedure(self.cast.panel[Role.APPROVING_DEPARTMENT], case.id, Step())

    def _afterwards(self, file: File, case: Case, waited: int) -> None:
        if file.fate == "revoked" and waited >= 15:
            file.fate = ""
            cases.revoke(
                self.cast.panel[Role.APPROVING_DEPARTMENT], case.id, Reasoned("申请人以虚假材料取得许可，依法撤销。")
            )
            return
        service = db.session.scalar(sa.select(ResultService).where(ResultService.case_id == case.id))
        if service is not None and service.mode == ServiceMode.WINDOW and service.state == "ready" and file.number % 5:
            results.hand_over(self.cast.panel[Role.WINDOW_CLERK], case.id, HandOver(file.applicant.name))

    # --- print room and post ---

    def _print(self) -> None:
        """The certificate centre makes what is queued, except what came in today."""
        queued = db.session.scalars(
            sa.select(Certificate.id)
            .join(Case, Case.id == Certificate.case_id)
            .join(ResultService, ResultService.case_id == Case.id)
            .where(
                Certificate.state == CertificateState.QUEUED,
                ResultService.mode != ServiceMode.ELECTRONIC,
                Case.decided_at < self.simulation.now - dt.timedelta(hours=20),
            )
            .order_by(Certificate.id)
        ).all()
        for certificate_id in queued:
            results.make_certificate(self.cast.panel[Role.CERTIFICATE_CENTRE], certificate_id, Step())
        outbox.drain_all()

    def _post(self) -> None:
        """Pack, check by a second person, ask for numbers, and hand a list over in the afternoon."""
        staff, supervisor = self.cast.panel[Role.POSTAL_STAFF], self.cast.panel[Role.POSTAL_SUPERVISOR]
        for parcel_id in self._parcels(_P.PACKED):
            packing.check_packing(supervisor, parcel_id, Plain())
        for parcel_id in self._parcels(_P.READY):
            self.seals += 1
            packing.pack(
                staff, parcel_id, packing.Pack(f"FQ{self.seals:08d}", 80 + self.seals % 9 * 15, contents_compared=True)
            )
        delivery_jobs.ask_for_numbers()
        outbox.drain_all()
        waiting = self._parcels(_P.WAYBILLED)
        if clock.now().astimezone(clock.BEIJING).hour >= 14 and len(waiting) >= 2:
            self._hand_over(staff, supervisor, waiting)
        self._confirm()

    def _hand_over(self, staff: Actor, supervisor: Actor, waiting: list[UUID]) -> None:
        batch_id = batches.open_batch(staff)
        for parcel_id in waiting:
            waybills.mark_label_printed(staff, parcel_id, Plain())
            number = db.session.get_one(Parcel, parcel_id).waybill_no
            batches.add_to_batch(staff, batch_id, batches.AddToBatch(number or ""))
        batches.offer_batch(staff, batch_id, batches.OfferBatch(len(waiting)))
        batches.take_over(supervisor, batch_id, batches.TakeOver("韩立冬", "EMS3207-018", len(waiting)))
        outbox.drain_all()

    def _confirm(self) -> None:
        """Some applicants say that they have it; one in twenty-one says that it never came."""
        for file in self.files:
            if file.fate not in {"", "disputed"} or file.number % 4 == 1:
                continue
            parcel = db.session.scalar(
                sa.select(Parcel).where(Parcel.subject == f"case:{file.case_id}", Parcel.state == _P.DELIVERED)
            )
            if parcel is None or parcel.applicant_user_id != file.applicant.user_id:
                continue
            if file.fate == "disputed":
                file.fate = "done"
                orders.dispute(file.applicant, parcel.id, orders.Dispute("本人当天在外地，未收到该邮件。"))
            elif file.number % 3 == 0:
                orders.confirm_receipt(file.applicant, parcel.id, Plain())

    def _parcels(self, state: ParcelState) -> list[UUID]:
        db.session.expire_all()
        return list(db.session.scalars(sa.select(Parcel.id).where(Parcel.state == state).order_by(Parcel.id)))


def _bound(function: Any, *arguments: Any) -> Callable[[], None]:
    return lambda: function(*arguments)
