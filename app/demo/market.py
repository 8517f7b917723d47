"""Purchases from the draft of the notice to the rated service: people react, on working days, to where things stand."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.cashier import Cashier
from app.demo.methods import SMALL_FEN, Choosing
from app.demo.names import Names
from app.demo.people import Cast, Owner
from app.demo.shelf import Item, Shelf
from app.demo.simulation import Simulation, at_hour
from app.documents import pdf
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.calendar import end_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.files import Upload
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement
from marketplace.models.reviews import RatingRequest
from marketplace.queries.candidates import demand_of, matching
from marketplace.queries.contracts.milestones import milestone_rows
from marketplace.rules.regions import full_name
from marketplace.rules.selection.gates import FundSource
from marketplace.rules.selection.methods import Method, needs_quotes
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services import awards, contracts, procurements, registrations, reviews
from marketplace.services.commands import Avoided, NoticeDraft, Register
from marketplace.states.contract import ContractState
from marketplace.states.engagement import PauseReason
from marketplace.states.procurement import ProcurementState

_P, _C = ProcurementState, ContractState
MOST_BUDGET_FEN: Final = 40_000_000
HALF: Final = 0.5

CONTENTS: Final = (
    "就{project}编制{item}，成果须满足{approval}要求并通过专家评审。采购人提供现状资料，中选机构负责现场踏勘、编制、评审配合与修改。",
    "{project}需委托{item}。服务内容：资料收集、现场工作、成果编制及备案配合；成果：{deliverable}一式六份及电子版。",
    "为推进{project}前期工作，现公开选取{item}服务机构。要求项目负责人全程参与，按约定节点提交阶段成果。",
)
COMMENTS: Final = (
    "响应及时，报告质量高，一次通过评审。",
    "服务专业，沟通顺畅，按期交付。",
    "总体满意，现场工作安排可以再提前一些。",
    "成果修改了一次，态度很好。",
    "进度略有延后，但成果扎实。",
    "",
)
STOPPED: Final = "因项目规划条件调整，建设内容发生变化，本次采购终止。"


@dataclass
class Purchase:
    """One purchase and the temper of those in it. `fate` names what becomes of it; "" is the usual way."""

    number: int
    owner: Owner
    item: Item
    project: str
    fate: str
    procurement_id: UUID | None = None
    late: bool = False
    reworks: int = 0
    case_subject: str | None = None
    thread_id: UUID | None = None
    done: bool = False
    method: Method = Method.RANDOM
    terms: MethodTerms = field(default_factory=MethodTerms)

    def waits(self, working_days: int, since: dt.datetime | None, simulation: Simulation) -> bool:
        """Whether this person has let `working_days` working days go by since `since`."""
        if since is None:
            return False
        ready = simulation.calendar.add_working_days(clock.beijing_day(since), working_days)
        return clock.today() >= ready


FATES: Final = (
    # one purchase in so many has this fate; the others run their usual way
    ("withdrawn", 23), ("void", 31), ("returned", 17), ("gives_up", 21), ("lapses", 37), ("struck_out", 41),
    ("paused", 19), ("nobody", 29), ("pause_clock", 7), ("unsigned", 43), ("silence", 13), ("unpaid", 11),
)  # fmt: skip

ENDED: Final = frozenset({_P.CLOSED, _P.CANCELLED, _P.VOID, _P.TERMINATED, _P.REPUBLISHED})
WAKING: Final = ENDED | {
    *(_P.AWARDED, _P.CONFIRMED, _P.IN_SERVICE, _P.RESELECT, _P.FAILED, _P.RESULT_PUBLICITY, _P.ACCEPTED),
    *(_P.OPENING, _P.COMPARING),
}
"""Where somebody of the market has something to do, or nobody has any more."""


class Market:
    """Plans the purchases and lets owners, agencies and operators react each working day."""

    def __init__(self, simulation: Simulation, names: Names, cast: Cast, shelf: Shelf, cashier: Cashier) -> None:
        self.simulation, self.names, self.cast = simulation, names, cast
        self.shelf, self.cashier = shelf, cashier
        self.choosing = Choosing(simulation, names.random, cast)
        self.purchases: list[Purchase] = []
        self._projects: dict[str, Iterator[str]] = {}

    def plan(self, count: int, first: dt.datetime) -> None:
        """Spread `count` purchases from `first` to the end, a little denser towards it."""
        self.simulation.plan(first - dt.timedelta(days=1), self.choosing.hand_out_codes)
        span = (self.simulation.end - first).total_seconds()
        for number in range(count):
            share = 1 - (1 - number / count) ** 1.25
            day = clock.beijing_day(first + dt.timedelta(seconds=span * share))
            moment = at_hour(self.simulation.calendar.on_or_after(day), 8.6 + number % 8)
            fate = next((name for name, every in FATES if number % every == every - 1), "")
            self.simulation.plan(moment, _bound(self.begin, number, fate))
        # today's desk: drafts, submitted and returned notices, and several open ones
        for number, fate in enumerate(("draft", "submitted", "returned", "submitted", "draft", "discarded")):
            moment = self.simulation.end - dt.timedelta(hours=30 - number * 3)
            self.simulation.plan(moment, _bound(self.begin, count + number, fate))
        for passed in range((self.simulation.end - first).days + 1):
            for hour in (9.8, 15.2):
                moment = at_hour(clock.beijing_day(first) + dt.timedelta(days=passed), hour)
                self.simulation.plan(moment, self.react)

    # --- notices ---

    def begin(self, number: int, fate: str) -> None:
        """Draft a notice; the first purchase of every ten is the panel owner's."""
        owner = self.cast.owners[0] if number % 10 == 0 else self.names.random.choice(self.cast.owners[1:])
        item = self._item()
        method, terms = self.choosing.method_of(number, owner)
        late = number % 12 == 5
        self.open(Purchase(number, owner, item, self._project(owner), fate, late=late, method=method, terms=terms))

    def open(self, purchase: Purchase) -> None:
        """Write the draft and, unless it stays one, hand it in."""
        self.purchases.append(purchase)
        owner = purchase.owner.actor
        purchase.procurement_id = procurements.draft_notice(owner, self._draft(purchase))
        if purchase.fate == "draft":
            return
        if purchase.fate == "discarded":
            procurements.discard_draft(owner, purchase.procurement_id, WithReason("项目合并实施，不再单独采购。"))
            purchase.done = True
            return
        hand_in = self.name_agency if purchase.method is Method.DIRECT else self.submit
        self.simulation.plan(self.simulation.now + dt.timedelta(hours=1), _bound(hand_in, purchase))

    def name_agency(self, purchase: Purchase) -> None:
        """A direct selection: the owner names an agency that meets the conditions, and somebody else decides."""
        procurement = self._procurement(purchase)
        able = matching(purchase.item.item_id, demand_of(procurement))
        named = [agency for agency in able if agency.organisation_id in self.shelf.people]
        if not named:
            reason = WithReason("暂无符合条件的机构，改为单位自行编制。")
            procurements.discard_draft(purchase.owner.actor, procurement.id, reason)
            purchase.done = True
            return
        uscc = self.names.random.choice(sorted(agency.candidate.uscc for agency in named))
        self.choosing.request_direct(procurement, purchase.owner, uscc)
        self.simulation.after(1, 10.5, lambda: self.choosing.decide_direct(self._procurement(purchase)))

    def submit(self, purchase: Purchase) -> None:
        assert purchase.procurement_id is not None
        procurements.submit_notice(purchase.owner.actor, purchase.procurement_id, Plain())
        if self._state(purchase) == _P.SUBMITTED and purchase.fate != "submitted":
            self.simulation.after(1, 9.2, _bound(self.check, purchase))
        elif self._state(purchase) == _P.PUBLISHED:
            self.gather(purchase)

    def check(self, purchase: Purchase) -> None:
        """The operator's form check; one in seventeen goes back once with reasons."""
        assert purchase.procurement_id is not None
        operator = self.cast.panel[Role.OPERATOR]
        if purchase.fate == "returned":
            purchase.fate = ""
            reason = WithReason("服务内容描述过于笼统，请补充成果深度要求和现有资料清单。")
            procurements.return_notice(operator, purchase.procurement_id, reason)
            self.simulation.after(1, 14, _bound(self.submit, purchase))
            return
        procurements.publish_notice(operator, purchase.procurement_id, Plain())
        self.gather(purchase)

    def gather(self, purchase: Purchase) -> None:
        """Agencies that would be eligible register between now and the deadline; some try who are not."""
        procurement = self._procurement(purchase)
        ends = procurement.registration_ends_at
        assert ends is not None
        random = self.names.random
        if purchase.fate == "withdrawn":
            self.simulation.after(1, 11, _bound(self.withdraw, purchase))
        if purchase.fate == "void":
            self.simulation.after(2, 11, _bound(self.void, purchase))
        if purchase.fate == "paused":
            self.simulation.after(1, 16.5, _bound(self.pause, purchase))
        if purchase.fate == "nobody":
            return
        eligible = [a.organisation_id for a in matching(purchase.item.item_id, demand_of(procurement))]
        eligible.sort(key=lambda organisation_id: self.shelf.names.get(organisation_id, ""))
        wanted = min(len(eligible), max(3, round(random.lognormvariate(2.4, 0.5))))
        span = (ends - self.simulation.now).total_seconds()
        for organisation_id in random.sample(eligible, wanted):
            if organisation_id in self.shelf.people:
                moment = self.simulation.now + dt.timedelta(seconds=span * random.uniform(0.03, 0.97))
                act = _bound(self.register, purchase, organisation_id)
                self.simulation.plan(moment, act, may_be_refused=True)

    def register(self, purchase: Purchase, organisation_id: UUID) -> None:
        assert purchase.procurement_id is not None
        random = self.names.random
        if needs_quotes(purchase.method):
            name = self.shelf.names.get(organisation_id, "")
            self.choosing.quote(self.shelf.people[organisation_id], purchase.procurement_id, name)
            return
        contribution = f"{random.getrandbits(256):064x}" if random.random() < 0.8 else "0" * 64
        actor = self.shelf.people[organisation_id]
        registration_id = registrations.register(actor, purchase.procurement_id, Register(contribution))
        if random.random() < 0.03:
            registrations.withdraw_registration(actor, registration_id, Plain())

    def withdraw(self, purchase: Purchase) -> None:
        assert purchase.procurement_id is not None
        procurements.withdraw_notice(purchase.owner.actor, purchase.procurement_id, WithReason(STOPPED))
        purchase.done = True

    def void(self, purchase: Purchase) -> None:
        assert purchase.procurement_id is not None
        reason = WithReason("公告内容与批复文件不一致，经核实置为无效，请重新发布。")
        procurements.void_procurement(self.cast.panel[Role.OPERATOR], purchase.procurement_id, reason)
        purchase.done = True

    def pause(self, purchase: Purchase) -> None:
        """A challenge: the periods stop; usually they go on two days later."""
        assert purchase.procurement_id is not None
        purchase.fate = ""
        regulator = self.cast.panel[Role.REGULATOR]
        reason = WithReason("收到对资格条件的异议，暂停报名，核查后恢复。")
        procurements.pause_procurement(regulator, purchase.procurement_id, reason)
        back = WithReason("异议不成立，恢复报名，暂停时间顺延。")
        procurement_id = purchase.procurement_id
        self.simulation.after(2, 10, lambda: procurements.resume_procurement(regulator, procurement_id, back))

    # --- reactions ---

    def react(self) -> None:
        """Everybody looks at what waits for them. Only on working days."""
        if not self.simulation.calendar.is_working_day(clock.today()):
            return
        outbox.drain_all()  # what happened since the last look has been told to everybody
        self.purchases = [purchase for purchase in self.purchases if not purchase.done]
        states = self._states()
        for purchase in list(self.purchases):
            if states.get(purchase.procurement_id) in WAKING and not purchase.done:
                self._react(purchase)

    def _states(self) -> dict[UUID | None, str]:
        """Where the unfinished purchases stand, in one statement: most of them wait for a moment, not for a person."""
        wanted = [purchase.procurement_id for purchase in self.purchases if purchase.procurement_id is not None]
        found = db.session.execute(sa.select(Procurement.id, Procurement.state).where(Procurement.id.in_(wanted)))
        return {row.id: row.state for row in found}

    def _react(self, purchase: Purchase) -> None:
        procurement = self._procurement(purchase)
        reaction: Callable[[Purchase, Procurement], None] | None = {
            _P.AWARDED: self._answer_award,
            _P.CONFIRMED: self._sign,
            _P.IN_SERVICE: self._serve,
            _P.RESELECT: self._succeed,
            _P.FAILED: self._after_failure,
            _P.RESULT_PUBLICITY: self._challenge,
            _P.ACCEPTED: self._conclude,
            _P.OPENING: self._open_quotes,
            _P.COMPARING: self._compare,
        }.get(_P(procurement.state))
        if reaction is not None:
            reaction(purchase, procurement)
        purchase.done = purchase.done or self._state(purchase) in ENDED

    def _open_quotes(self, purchase: Purchase, procurement: Procurement) -> None:
        self.choosing.open_quotes(procurement, purchase.owner)
        opened = self._procurement(purchase)
        if opened.state == _P.BIDDING:
            self.choosing.plan_round(opened, self._agency, self.shelf.names)

    def _compare(self, purchase: Purchase, procurement: Procurement) -> None:
        if purchase.waits(1 + purchase.number % 2, procurement.registration_ends_at, self.simulation):
            self.choosing.compare(procurement, purchase.owner)

    def _answer_award(self, purchase: Purchase, procurement: Procurement) -> None:
        if purchase.fate == "lapses":
            return
        winner = self._agency(procurement.winner_organisation_id)
        if purchase.fate == "gives_up":
            purchase.fate = ""
            awards.give_up_award(winner, procurement.id, WithReason("项目负责人因病离岗，无法按期投入，申请放弃中选。"))
        elif purchase.number % 3 or purchase.waits(1, procurement.awarded_at, self.simulation):
            awards.confirm_award(winner, procurement.id, Plain())

    def _challenge(self, purchase: Purchase, procurement: Procurement) -> None:
        if purchase.fate == "struck_out":
            purchase.fate = ""
            reason = WithReason("异议成立：该机构资质证书在报名截止日前已被发证机关注销。")
            awards.strike_out_winner(self.cast.panel[Role.OPERATOR], procurement.id, reason)

    def _succeed(self, purchase: Purchase, procurement: Procurement) -> None:
        purchase.fate = "" if purchase.fate == "lapses" else purchase.fate
        if procurement.succession_proposed_by is None:
            awards.propose_succession(self.cast.second_operator, procurement.id, Plain())
        else:
            approval = WithReason("原中选机构退出，按已公布的抽取顺序递补。")
            awards.approve_succession(self.cast.panel[Role.OPERATOR], procurement.id, approval)

    def _after_failure(self, purchase: Purchase, procurement: Procurement) -> None:
        """A new round after a failed one, or the end of it; owners take two weeks to think."""
        if not purchase.waits(10, procurement.registration_ends_at, self.simulation):
            return
        if purchase.number % 2 or procurement.round > 1:
            procurements.cancel_procurement(
                purchase.owner.actor, procurement.id, WithReason("改由单位内部专业力量自行编制。")
            )
            purchase.done = True
            return
        draft_id = procurements.republish(purchase.owner.actor, procurement.id, Plain())
        fresh = replace(purchase, fate="", procurement_id=draft_id, reworks=0)
        self.purchases.append(fresh)
        procurements.update_notice(purchase.owner.actor, draft_id, self._draft(fresh))
        purchase.done = True
        self.simulation.plan(self.simulation.now + dt.timedelta(hours=1), _bound(self.submit, fresh))

    # --- contract ---

    def _sign(self, purchase: Purchase, procurement: Procurement) -> None:
        contract = self._contract(procurement.id)
        if contract is None or purchase.fate == "unsigned":
            return
        command = contracts.SignContract(contract.document_sha256, agreed=True)
        if contract.state == _C.TO_SIGN_AGENCY:
            if purchase.waits(1, procurement.confirmed_at, self.simulation):
                contracts.sign(self._agency(contract.agency_organisation_id), contract.id, command)
        elif contract.state == _C.TO_SIGN_OWNER and purchase.waits(
            2 + purchase.number % 3, procurement.confirmed_at, self.simulation
        ):
            contracts.sign(purchase.owner.actor, contract.id, command)

    def _serve(self, purchase: Purchase, procurement: Procurement) -> None:
        contract = self._paid(purchase, procurement)
        if contract is None:
            return
        agency, owner = self._agency(contract.agency_organisation_id), purchase.owner.actor
        if contract.state == _C.RUNNING:
            self._work(purchase, contract, agency)
        elif contract.state == _C.PAUSE_ASKED:
            if purchase.number % 21 != 20:  # otherwise nobody answers and the question lapses
                contracts.confirm_pause(owner, contract.id, contracts.ConfirmPause())
        elif contract.state == _C.PAUSED and purchase.number % 14 != 13 and self._paused_for(contract, 3):
            contracts.resume(owner, contract.id, contracts.Reasoned("现状管线资料已补充齐全，恢复计时。"))
        elif contract.state == _C.DELIVERED:
            self._inspect(purchase, contract)

    def _work(self, purchase: Purchase, contract: Contract, agency: Actor) -> None:
        calendar = self.simulation.calendar
        used = calendar.count_working_days(clock.beijing_day(contract.signed_at or self.simulation.now), clock.today())
        if purchase.fate == "pause_clock" and used >= 2:
            purchase.fate = ""
            text = "采购人尚未提供地下管线现状资料，外业工作无法继续。"
            contracts.ask_pause(agency, contract.id, contracts.AskPause(PauseReason.BASE_DATA_MISSING, text))
            return
        share = 1.18 if purchase.late else 0.45 + (purchase.number * 37 % 50) / 100
        if used >= max(2, round(contract.limit_wd * share)):
            contracts.deliver(agency, contract.id, self._deliverable(purchase, agency))

    def _inspect(self, purchase: Purchase, contract: Contract) -> None:
        if purchase.fate == "silence":
            return
        owner = purchase.owner.actor
        if purchase.number % 9 == 4 and purchase.reworks == 0:
            purchase.reworks += 1
            contracts.return_deliverable(
                owner, contract.id, contracts.Reasoned("投资估算表与图纸工程量不一致，请复核修改后重新提交。")
            )
        elif purchase.number % 2 or self._delivered_for(contract, 2):
            contracts.accept(owner, contract.id, contracts.AcceptDeliverable())

    def _conclude(self, purchase: Purchase, procurement: Procurement) -> None:
        contract = self._paid(purchase, procurement)
        if contract is None:
            return
        if contract.state == _C.ACCEPTED and contract.rated_at is None and purchase.number % 8 != 7:
            reviews.rate(purchase.owner.actor, contract.id, self._rating(purchase))
            self._rate_owner(contract)

    def _rate_owner(self, contract: Contract) -> None:
        """Most agencies rate their owner too; then both ratings are shown."""
        random = self.names.random
        agency = self.shelf.people.get(contract.agency_organisation_id)
        if agency is None or random.random() < 0.25:
            return
        asked = db.session.scalar(
            sa.select(RatingRequest.id).where(RatingRequest.contract_id == contract.id, RatingRequest.rater == "agency")
        )
        assert asked is not None, "the owner's rating opens the agency's request"
        response, payment, clarity = (5 - (random.random() < 0.3) - (random.random() < 0.1) for _ in range(3))
        reviews.rate_owner(
            agency, asked, reviews.RateOwner(response, payment, clarity, comment="资料提供及时，沟通顺畅。")
        )

    def _paid(self, purchase: Purchase, procurement: Procurement) -> Contract | None:
        """The contract, after its bill was paid if the owner is ready to pay it."""
        procurement_id = procurement.id
        contract = self._contract(procurement_id)
        bill_id = self._owed_bill(contract) if contract is not None and purchase.fate != "unpaid" else None
        if contract is None or bill_id is None:
            return contract
        if purchase.waits(1 + purchase.number % 4, contract.signed_at, self.simulation):
            self.cashier.pay(purchase.owner.actor, bill_id, self.names.random)
        return self._contract(procurement_id)

    def _owed_bill(self, contract: Contract) -> UUID | None:
        return next((row.bill_id for row in milestone_rows(contract.id) if row.is_owed), None)

    def _rating(self, purchase: Purchase) -> reviews.RateService:
        random = self.names.random
        best = 3 if purchase.late else 5
        stars = [max(1, best - (random.random() < 0.28) - (random.random() < 0.06)) for _ in range(5)]
        quality, timeliness, attitude, fee, conformity = stars
        return reviews.RateService(quality, timeliness, attitude, fee, conformity, random.choice(COMMENTS))

    def _deliverable(self, purchase: Purchase, agency: Actor) -> contracts.Deliver:
        title = f"{purchase.project}{purchase.item.deliverable}"[:150]
        page = pdf.Letter(title=title, issuer=self.shelf.names.get(agency.organisation_id or UUID(int=0), "中介机构"))
        page.paragraph("（演示成果文件，内容为虚构。）").facts(
            [("项目", purchase.project), ("服务事项", purchase.item.name)]
        )
        return contracts.Deliver(
            title=title,
            practitioner_name=agency.name,
            file=Upload("成果文件.pdf", page.render()),
            practitioner_certificate=f"苏注{int(hashlib.sha256(agency.name.encode()).hexdigest(), 16) % 10**8:08d}",
            note="成果已按专家意见修改。" if purchase.reworks else None,
        )

    # --- reading ---

    def _draft(self, purchase: Purchase) -> NoticeDraft:
        random, owner, item = self.names.random, purchase.owner, purchase.item
        price = min(MOST_BUDGET_FEN, max(200_000, round(random.lognormvariate(14.4, 1.07)) // 10_000 * 10_000))
        if purchase.method is Method.DIRECT and owner.is_public:
            price = min(price, SMALL_FEN)
        if item.guided:
            price = min(max(price, item.guided[0]), item.guided[1])
        opens = self.simulation.calendar.add_working_days(clock.today(), 7 + purchase.number % 4)
        place = full_name(owner.region_code)
        text = random.choice(CONTENTS).format(
            project=purchase.project, item=item.name, deliverable=item.deliverable, approval="审批部门"
        )
        avoided: tuple[Avoided, ...] = ()
        if purchase.number % 15 == 14 and self.shelf.names:
            avoided = self._avoided()
        return NoticeDraft(
            item_version_id=item.version_id,
            title=f"{purchase.project}{item.name}"[:180],
            project_name=purchase.project,
            region_code=owner.region_code,
            content=text,
            limit_wd=max(3, round((item.limit_wd or 25) * random.uniform(0.5, 1.0))),
            fund_source=FundSource.FISCAL if owner.is_public else FundSource.SOCIAL,
            budget_fen=price * 11 // 10,
            price_fen=price,
            ceiling_fen=price,
            registration_ends_at=end_of_day(opens),
            contact_name=owner.actor.name,
            contact_phone=self.names.phone(),
            complaint_phone="0518-12345678",
            project_code=f"{clock.today():%y%m}-{owner.region_code}-04-01-{random.randrange(10**5, 10**6)}",
            place=place,
            scale=f"总投资约{random.randrange(3, 180) * 100}万元，用地{random.randrange(4, 220)}亩。",
            amount_note="固定总价，含现场工作、成果编制、评审及税费。",
            avoided=avoided,
            method=purchase.method,
            method_terms=purchase.terms,
            has_witness=purchase.number % 6 == 0,
            case_subject=purchase.case_subject,
            thread_id=purchase.thread_id,
        )

    def _avoided(self) -> tuple[Avoided, ...]:
        from marketplace.models.agencies import Agency

        uscc = db.session.scalar(sa.select(Agency.uscc).where(Agency.state == "active").order_by(Agency.name).limit(1))
        return (Avoided(uscc, "该机构法定代表人与采购人经办人存在近亲属关系。"),) if uscc else ()

    def _item(self) -> Item:
        """Items in demand: the first of each category are asked for more often."""
        return self.names.random.choices(
            self.shelf.items, [2 + (position * 7 % 5) for position in range(len(self.shelf.items))]
        )[0]

    def _project(self, owner: Owner) -> str:
        place = full_name(owner.region_code)[-3:]
        if place not in self._projects:
            self._projects[place] = self.names.projects(place)
        return next(self._projects[place])

    def _procurement(self, purchase: Purchase) -> Procurement:
        return db.session.get_one(Procurement, purchase.procurement_id, populate_existing=True)

    def _state(self, purchase: Purchase) -> str:
        return self._procurement(purchase).state

    def _contract(self, procurement_id: UUID) -> Contract | None:
        statement = sa.select(Contract).where(Contract.procurement_id == procurement_id).order_by(Contract.id.desc())
        return db.session.scalars(statement.limit(1).execution_options(populate_existing=True)).first()

    def _agency(self, organisation_id: UUID | None) -> Actor:
        assert organisation_id is not None
        return self.shelf.people[organisation_id]

    def _paused_for(self, contract: Contract, working_days: int) -> bool:
        from marketplace.queries.contracts import pauses_of

        begun = [pause.asked_at for pause in pauses_of(contract.id) if pause.asked_at]
        since = max(begun, default=self.simulation.now)
        return self.simulation.calendar.count_working_days(clock.beijing_day(since), clock.today()) >= working_days

    def _delivered_for(self, contract: Contract, working_days: int) -> bool:
        return contract.delivered_on is not None and (
            self.simulation.calendar.count_working_days(contract.delivered_on, clock.today()) >= working_days
        )


def _bound(function: Any, *arguments: Any) -> Callable[[], None]:
    return lambda: function(*arguments)
