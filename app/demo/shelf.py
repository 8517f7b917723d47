"""Agencies on their way into the supermarket, and what they put on its shelf."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.names import Names
from app.demo.people import Cast, member, organisation
from app.demo.simulation import Simulation
from app.demo.staff import Staff
from app.documents import pdf
from app.identity.models import Organisation, OrganisationKind
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, transaction
from app.kernel.files import Upload
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.rules.categories import Category
from marketplace.rules.onboarding import REQUIRED_DOCUMENTS, AgencyKind
from marketplace.rules.regions import PROVINCE, cities, full_name, regions
from marketplace.services import agencies, listings
from marketplace.states.catalogue import ItemVersionState, PricingMode
from marketplace.states.listing import PriceMode

SPECIMENS: Final = {"licence": "营业执照", "representative_id": "法定代表人身份证明", "commitment": "入驻承诺书"}
INTRODUCTIONS: Final = (
    "成立于{year}年，现有专业技术人员{people}人，其中高级职称{senior}人，长期服务于{city}及周边地区的{trade}项目。",
    "专注{trade}领域{years}年，近三年完成项目{done}余项，实行项目负责人终身责任制。",
    "具备完整的质量管理体系，承诺材料齐全后当日响应，报告一次通过率保持在95%以上。设{city}常驻服务点。",
)
OFFERS: Final = (
    "承担{item}的全过程服务：现场踏勘、资料收集、编制、专家评审配合及修改完善，交付{deliverable}纸质版与电子版。",
    "{item}，按现行规范和审批部门要求编制，含一次免费修改；资料齐备后启动计时。服务范围：{region}。",
    "提供{item}服务，由注册专业人员负责并签章，成果可直接推送审批系统。可上门对接，节假日受理咨询。",
    "面向{region}的{item}：报价含税，含现场工作与成果评审费用，逾期按合同约定减免费用。",
)


@dataclass(frozen=True)
class Item:
    """What the demonstration needs to know of a service item in force."""

    item_id: UUID
    version_id: UUID
    name: str
    category: Category
    deliverable: str
    limit_wd: int | None
    rule: Mapping[str, Any]
    guided: tuple[int, int] | None
    is_market_priced: bool


@dataclass
class Shelf:
    """The item list and the agencies that offer from it; `people` acts for an agency by its organisation."""

    items: list[Item]
    people: dict[UUID, Actor] = field(default_factory=dict)
    names: dict[UUID, str] = field(default_factory=dict)
    offered: int = 0


def items_in_force() -> list[Item]:
    """Every item in force, in the order of its number."""
    rows = db.session.scalars(
        sa.select(ItemVersion)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .where(ItemVersion.state == ItemVersionState.PUBLISHED)
        .order_by(ServiceItem.code)
    )
    return [
        Item(
            item_id=row.item_id,
            version_id=row.id,
            name=row.name,
            category=Category(row.category),
            deliverable=row.deliverable,
            limit_wd=row.limit_wd,
            rule=row.qualification_rule,
            guided=(row.guided_min_fen, row.guided_max_fen) if row.guided_min_fen and row.guided_max_fen else None,
            is_market_priced=row.pricing_mode == PricingMode.MARKET,
        )
        for row in rows
    ]


def specimen(title: str) -> Upload:
    """A paper that says plainly that it is a specimen."""
    page = pdf.Letter(title=f"{title}（演示样张）", issuer="演示数据")
    page.paragraph("本页为演示环境的样张，不是真实证照，机构与人员均为虚构。")
    return Upload(f"{title}.pdf", page.render())


class Opening:
    """Brings agencies in: most of them admitted, some still on the way, returned, rejected, suspended or gone."""

    def __init__(self, simulation: Simulation, names: Names, cast: Cast, shelf: Shelf) -> None:
        self.simulation, self.names, self.cast, self.shelf = simulation, names, cast, shelf
        self.papers = {kind: specimen(SPECIMENS[kind]) for kind in REQUIRED_DOCUMENTS}
        self.certificate = specimen("资质证书")
        self.staff = Staff(names, specimen("执业资格证书"))

    def plan(self, count: int, days: int) -> None:
        """Let `count` agencies apply, most in the first `days` days, a few of them in the last."""
        self.simulation.plan(self.simulation.start, _at_once(self.panel_agency))
        categories = list(Category)
        for number in range(count):
            if number < count * 0.96:
                moment = self.simulation.start + dt.timedelta(days=days * number / count, hours=1)
            else:  # newcomers: their files stand at every step of the admission today
                moment = self.simulation.end - dt.timedelta(days=self.names.random.uniform(0.1, 12))
            self.simulation.plan(moment, _at_once(self.apply, number, categories[number % len(categories)]))

    def panel_agency(self) -> None:
        """The agency of the sign-in panel: broad, admitted first, so that every demonstration finds it on the shelf."""
        actor = self.cast.panel[Role.AGENCY]
        home = db.session.get_one(Organisation, actor.organisation_id)
        region = home.region_code if home.region_code in regions() else "320706"
        self._file(
            actor,
            home.name,
            home.uscc or "",
            region,
            (Category.CONSULTING, Category.SURVEY_DESIGN, Category.MAPPING),
            -1,
        )

    def apply(self, number: int, category: Category) -> None:
        """One agency registers, opens its file and hands it in."""
        names = self.names
        city = names.random.choice(list(cities()))
        county = names.random.choice([region for region in regions().values() if region.parent_code == city.code])
        name = names.company(category, city.name)
        code = names.credit_code(county.code)
        organisation_id = organisation(names, OrganisationKind.AGENCY, name, code, county.code)
        actor = member(names, organisation_id, Role.AGENCY, administers=True)
        second = names.random.choice([other for other in Category if other != category])
        chosen = (category, second) if names.random.random() < 0.55 else (category,)
        self._file(actor, name, code, county.code, chosen, number)

    def _file(
        self, actor: Actor, name: str, code: str, region: str, categories: Sequence[Category], number: int
    ) -> None:
        assert actor.organisation_id is not None
        self.shelf.people[actor.organisation_id] = actor
        self.shelf.names[actor.organisation_id] = name
        particulars = self._particulars(actor, name, code, region, categories[0])
        agency_id = agencies.open_file(actor, particulars)
        for kind, paper in self.papers.items():
            agencies.add_document(actor, agency_id, agencies.AddDocument(kind, paper))
        offers = self._choose(categories, number)
        for certificate, grade in sorted(_wanted(offers)):
            agencies.add_qualification(actor, agency_id, self._certificate(certificate, grade, number))
        wanted = tuple(item.item_id for item in offers)
        self.staff.settle_in(actor, agency_id, particulars.legal_representative, wanted, categories)
        agencies.sign_commitment(actor, agency_id, Plain())
        if number >= 0 and number % 61 == 60:
            return  # never handed in
        agencies.submit(actor, agency_id, Plain())
        check = _at_once(self.check, agency_id, actor, offers, number, region)
        self.simulation.after(1, 9.6, check) if number >= 0 else check()

    def check(self, agency_id: UUID, actor: Actor, offers: Sequence[Item], number: int, region: str) -> None:
        """The operator's form check: passed, returned with reasons, or rejected."""
        operator = self.cast.panel[Role.OPERATOR]
        if number >= 0 and number % 40 == 39:
            agencies.return_file(
                operator, agency_id, WithReason("营业执照复印件模糊，请重新上传加盖公章的彩色扫描件。")
            )
            return
        if number >= 0 and number % 97 == 96:
            agencies.reject(
                operator, agency_id, WithReason("经核查，法定代表人被列入严重失信主体名单，不符合入驻条件。")
            )
            return
        agencies.pass_check(operator, agency_id, agencies.PassCheck())
        self.simulation.after(6, 9.3, _at_once(self.fill, agency_id, actor, offers, number, region))

    def fill(self, agency_id: UUID, actor: Actor, offers: Sequence[Item], number: int, region: str) -> None:
        """After the admission: offers on the shelf, a few of them still drafts."""
        for position, item in enumerate(offers):
            offer = self._offer(item, region)
            listing_id = listings.create(actor, offer)
            if (number + position) % 29 != 28:
                listings.publish(actor, listing_id, Plain())
                self.shelf.offered += 1
        if number >= 0 and number % 53 == 52:
            operator = self.cast.panel[Role.OPERATOR]
            measure = agencies.Measure("投诉核查期间暂停承接新业务，请于十个工作日内提交说明材料。")
            self.simulation.after(20, 14, _at_once(agencies.suspend, operator, agency_id, measure), may_be_refused=True)
        if number >= 0 and number % 37 == 36:  # on the operator's desk today
            moment = self.simulation.end - dt.timedelta(hours=20)
            ask = _at_once(self.staff.ask_for_change, actor, agency_id, number // 37)
            self.simulation.plan(moment, ask, may_be_refused=True)
        if number >= 0 and number % 71 == 70:
            closed = agencies.Measure("成果文件逾期备案，限制承接该项服务三个月。", item_id=offers[0].item_id)
            act = _at_once(agencies.restrict, self.cast.panel[Role.OPERATOR], agency_id, closed)
            self.simulation.after(25, 10, act, may_be_refused=True)
        if number >= 0 and number % 149 == 148:
            barred = agencies.Measure("经查实出借资质，列入失信名单一年。", clock.today() + dt.timedelta(days=365))
            act = _at_once(agencies.blacklist, self.cast.panel[Role.REGULATOR], agency_id, barred)
            self.simulation.after(26, 10, act, may_be_refused=True)
        if number >= 0 and number % 113 == 112:
            leaving = WithReason("公司业务调整，不再从事中介服务。")
            self.simulation.after(30, 15, lambda: agencies.ask_exit(actor, agency_id, leaving), may_be_refused=True)

    def _choose(self, categories: Sequence[Category], number: int) -> list[Item]:
        """Four offers on average; the panel's agency offers everything of its categories."""
        pool = [item for item in self.shelf.items if item.category in categories]
        if number < 0:
            return pool
        wanted = min(len(pool), max(2, round(self.names.random.gauss(4.6, 1.6))))
        return self.names.random.sample(pool, wanted)

    def _particulars(self, actor: Actor, name: str, code: str, region: str, category: Category) -> agencies.Particulars:
        random = self.names.random
        people = random.randrange(12, 260)
        words = {
            "year": random.randrange(1998, 2022),
            "people": people,
            "senior": max(2, people // 6),
            "city": regions()[regions()[region].parent_code].name,
            "trade": TRADE_WORDS[category],
            "years": random.randrange(4, 26),
            "done": random.randrange(40, 900),
        }
        return agencies.Particulars(
            name=name,
            uscc=code,
            kind=AgencyKind.ENTERPRISE,
            region_code=region,
            address=self.names.address(full_name(region)),
            legal_representative=self.names.person(),
            contact_name=actor.name,
            contact_mobile=self.names.mobile(),
            contact_email=f"a{self.names.mobiles}@demo.chaoshi.example",
            introduction=random.choice(INTRODUCTIONS).format(**words),
        )

    def _certificate(self, kind: str, grade: str, number: int) -> agencies.AddQualification:
        random = self.names.random
        today = clock.today()
        issued = today - dt.timedelta(days=random.randrange(200, 1200))
        lasting = today + dt.timedelta(days=random.randrange(420, 1500))
        # one in twenty runs out during the demonstration or soon after it, so that reminders and expiries are seen
        ending = clock.beijing_day(self.simulation.end) + dt.timedelta(days=random.randrange(-20, 80))
        expires = ending if number >= 0 and random.random() < 0.05 and ending > today else lasting
        return agencies.AddQualification(
            kind=kind,
            number=f"苏{kind[:2].upper()}{random.randrange(10**7, 10**8)}",
            grade=grade,
            issuer="江苏省演示主管部门",
            issued_on=issued,
            expires_on=expires,
            file=self.certificate,
        )

    def _offer(self, item: Item, region: str) -> listings.Offer:
        random = self.names.random
        limit = item.limit_wd or random.randrange(10, 45)
        reach = random.choice((PROVINCE, regions()[region].parent_code, regions()[region].parent_code, region))
        low, high = item.guided or (300_000, 9_000_000)
        mode = random.choices((PriceMode.FIXED, PriceMode.FROM, PriceMode.NEGOTIABLE), (5, 3, 2))[0]
        mode = mode if item.is_market_priced else PriceMode.FIXED
        price = (
            None
            if mode == PriceMode.NEGOTIABLE
            else min(high, max(low, round(random.lognormvariate(14.4, 0.8)) // 10_000 * 10_000))
        )
        words = {"item": item.name, "deliverable": item.deliverable, "region": full_name(reach)}
        return listings.Offer(
            item_id=item.item_id,
            promised_limit_wd=max(1, limit - random.randrange(0, max(1, limit // 2))),
            price_mode=mode,
            region_code=reach,
            description=random.choice(OFFERS).format(**words),
            price_fen=price,
        )


TRADE_WORDS: Final = {
    Category.CONSULTING: "工程咨询",
    Category.SURVEY_DESIGN: "勘察设计",
    Category.MAPPING: "测绘",
    Category.ENVIRONMENT: "环境影响评价与监测",
    Category.WATER: "水利与水土保持",
    Category.NATURAL_RESOURCES: "自然资源",
    Category.PLANNING: "规划编制",
    Category.COST: "工程造价",
    Category.TENDER_SUPERVISION: "招标代理与监理",
    Category.TESTING: "检验检测",
    Category.SAFETY_HEALTH: "安全与职业卫生",
    Category.APPRAISAL: "审计与评估",
}


def _wanted(offers: Sequence[Item]) -> set[tuple[str, str]]:
    """The certificates that meet the rules of all these items: one of each kind, with the best grade asked for."""
    best: dict[str, str] = {}
    for item in offers:
        for kind, grade in _leaves(item.rule):
            held = best.get(kind)
            best[kind] = min(grade or "Z", held or "Z") if held is not None else grade
    return {(kind, "" if grade == "Z" else grade) for kind, grade in best.items()}


def _leaves(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "kind" in rule:
        yield rule["kind"], rule.get("grade", "")
    for part in rule.get("all", ()):
        yield from _leaves(part)
    for part in list(rule.get("any", ()))[:1]:
        yield from _leaves(part)


def _at_once(function: Any, *arguments: Any) -> Any:
    """The act as one transaction: an agency's many small steps of one sitting are committed together."""

    def act() -> None:
        with transaction():
            function(*arguments)

    return act
