"""Procurements in any state for tests, made through the services under a moved clock; agencies and items as plain rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.identity.models import OrganisationKind
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, get, new_id, transaction
from app.kernel.outbox import drain_all
from app.web.schemas import Plain
from marketplace.jobs import procurements as jobs
from marketplace.models.agencies import Agency, Qualification
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.listings import Listing
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules import draw as gmdraw
from marketplace.services import procurements, registrations
from marketplace.services.commands import NoticeDraft, Register
from tests.builders import a_member, an_organisation

MONDAY = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)  # 09:00 in Beijing
DEADLINE = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
RULE = {"kind": "mapping", "grade": "B"}

Clock = Callable[[datetime], None]


def uscc(number: int) -> str:
    """A credit code with a right check digit."""
    body = f"9132010060{number:07d}"
    return next(body + last for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if gmdraw.is_credit_code(body + last))


def an_item(**changes: Any) -> UUID:
    """A published item version; returns its id."""
    item = ServiceItem(id=new_id(), code=f"ZJ-{new_id().hex[-6:]}", created_at=clock.now())
    facts: dict[str, Any] = {
        "name": "地形测量",
        "name_en": "Topographic survey",
        "category": "mapping",
        "approval_served": "建设用地规划许可",
        "legal_basis": "《中华人民共和国测绘法》第二十七条",
        "commissioner": "applicant",
        "self_preparation_allowed": False,
        "qualification_rule": RULE,
        "qualification_text": "测绘资质乙级及以上",
        "limit_wd": 15,
        "by_contract": False,
        "pricing_mode": "market",
        "deliverable": "地形测量成果报告",
        "state": "published",
        "effective_from": date(2026, 1, 1),
        "published_at": clock.now(),
        "created_at": clock.now(),
    }
    with transaction() as session:
        session.add(item)
        session.flush()
        version = ItemVersion(id=new_id(), item_id=item.id, thread_id=new_id(), version=1, **{**facts, **changes})
        session.add(version)
    return version.id


@dataclass
class AgencyMade:
    """An agency, its person and its credit code."""

    id: UUID
    actor: Actor
    uscc: str


def an_agency(item_version_id: UUID, number: int, **changes: Any) -> AgencyMade:
    """An admitted agency with a grade A certificate and an offer of the item; `changes` go to the Agency row."""
    code = uscc(number)
    organisation = an_organisation(OrganisationKind.AGENCY, f"测绘机构{number}", code)
    item = get(ItemVersion, item_version_id)
    now = clock.now()
    facts: dict[str, Any] = {"state": "active", "admitted_at": now, "region_code": "320102"}
    with transaction() as session:
        agency = Agency(
            id=new_id(),
            thread_id=new_id(),
            organisation_id=organisation,
            uscc=code,
            name=f"测绘机构{number}",
            kind="enterprise",
            rule_book_version=1,
            created_at=now,
            **{**facts, **changes},
        )
        session.add(agency)
        session.flush()
        session.add(
            Qualification(
                thread_id=agency.thread_id,
                agency_id=agency.id,
                organisation_id=organisation,
                kind="mapping",
                grade="A",
                number=f"测资字{number}",
                expires_on=date(2027, 12, 31),
                state="valid",
                created_at=now,
            )
        )
        session.add(
            Listing(
                expires_on=date(2027, 12, 31),
                thread_id=agency.thread_id,
                agency_id=agency.id,
                organisation_id=organisation,
                item_id=item.item_id,
                item_version_id=item.id,
                promised_limit_wd=10,
                price_mode="negotiable",
                price_fen=None,
                region_code="320100",
                description="地形测量",
                state="published",
                published_at=now,
                created_at=now,
                updated_at=now,
            )
        )
    return AgencyMade(agency.id, a_member(Role.AGENCY, organisation), code)


def a_draft(item_version_id: UUID, /, **changes: Any) -> NoticeDraft:
    """A notice without a fault."""
    draft = NoticeDraft(
        item_version_id=item_version_id,
        title="滨江新城一期地形测量服务",
        project_name="滨江新城一期",
        region_code="320102",
        content="完成 1.2 平方公里 1:500 地形测量并提交成果报告。",
        limit_wd=10,
        fund_source="fiscal",
        budget_fen=200_000_00,
        price_fen=180_000_00,
        registration_ends_at=DEADLINE,
        contact_name="周敏",
        contact_phone="025-83210001",
        complaint_phone="025-12345",
    )
    return replace(draft, **changes)


@dataclass
class Story:
    """A procurement on its way, with everybody who takes part."""

    clock_at: Clock
    item: UUID
    owner: Actor
    operator: Actor
    second: Actor
    agencies: list[AgencyMade] = field(default_factory=list)
    id: UUID = field(default_factory=new_id)

    @property
    def procurement(self) -> Procurement:
        db.session.expire_all()
        return get(Procurement, self.id)

    @property
    def state(self) -> str:
        return self.procurement.state

    def registration(self, agency: AgencyMade) -> Registration:
        db.session.expire_all()
        found = db.session.query(Registration).filter_by(procurement_id=self.id, agency_id=agency.id).one()
        return found

    def agency_with(self, uscc: str) -> AgencyMade:
        return next(agency for agency in self.agencies if agency.uscc == uscc)

    @property
    def winner(self) -> AgencyMade:
        organisation = self.procurement.winner_organisation_id
        return next(agency for agency in self.agencies if agency.actor.organisation_id == organisation)


def a_story(clock_at: Clock, agencies: int = 4, *, first: int = 1, **changes: Any) -> Story:
    """A submitted draft with its owner, operator, a second person and agencies that qualify."""
    clock_at(MONDAY)
    item = an_item()
    story = Story(
        clock_at,
        item,
        owner=a_member(Role.OWNER, name="周敏"),
        operator=a_member(Role.OPERATOR, name="钱运营"),
        second=a_member(Role.REGULATOR, name="孙监管"),
    )
    story.agencies = [an_agency(item, number) for number in range(first, first + agencies)]
    story.id = procurements.draft_notice(story.owner, a_draft(item, **changes))
    return story


def published(story: Story) -> Story:
    """Submit and publish."""
    procurements.submit_notice(story.owner, story.id, Plain())
    procurements.publish_notice(story.operator, story.id, Plain())
    return story


def registered(story: Story, count: int | None = None) -> Story:
    """Published, with everybody (or the first `count`) registered."""
    published(story)
    for agency in story.agencies[:count]:
        registrations.register(agency.actor, story.id, Register())
    return story


def frozen(story: Story, count: int | None = None) -> Story:
    """One second after the deadline: closed and frozen."""
    registered(story, count)
    story.clock_at(DEADLINE + timedelta(seconds=1))
    jobs.close_due()
    jobs.freeze_due()
    return story


def ranked(story: Story) -> Story:
    """The demonstration value is made and the result is in publicity."""
    frozen(story)
    due = story.procurement.beacon_due_at
    assert due is not None
    story.clock_at(due)
    jobs.rank_due()
    return story


def awarded(story: Story) -> Story:
    """The publicity is over and the letter is issued."""
    ranked(story)
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    story.clock_at(ends_at + timedelta(seconds=1))
    jobs.award_due()
    return story


def notices_of(actor: Actor, kind: str) -> int:
    """How many notices of a kind a person has."""
    from app.identity.models import Notice

    drain_all()
    return db.session.query(Notice).filter_by(user_id=actor.user_id, kind=kind).count()
