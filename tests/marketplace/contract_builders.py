"""Contracts in any state for tests, made through the services under a moved clock; the award behind them is a plain row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.identity.models import OrganisationKind
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, get, new_id, transaction
from app.kernel.files import Upload
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement
from marketplace.queries.contracts import ContractView, contract_view
from marketplace.services import contracts
from marketplace.services.contracts import Deliver, SignContract
from tests.builders import a_member, an_organisation
from tests.marketplace.procurement_builders import RULE, an_item

Clock = Callable[[datetime], None]
PRICE = 1_800_000


def at(month: int, day: int, hour: int = 10) -> datetime:
    """A moment of 2026 in Beijing time, as UTC."""
    return datetime(2026, month, day, hour - 8, tzinfo=UTC)


JUNE_1 = at(6, 1)  # a Monday; the only holiday of the month is Friday 19 June


@dataclass
class Engagement:
    """A contract with the people of both sides."""

    clock_at: Clock
    id: UUID
    owner: Actor
    agency: Actor
    operator: Actor

    @property
    def row(self) -> Contract:
        db.session.expire_all()
        return get(Contract, self.id)

    @property
    def state(self) -> str:
        return self.row.state

    @property
    def seen(self) -> ContractView:
        db.session.expire_all()
        return contract_view(self.operator, self.id)

    def signature(self) -> SignContract:
        return SignContract(document_sha256=self.row.document_sha256, agreed=True)


def an_award(owner_organisation_id: UUID, agency_organisation_id: UUID, **changes: Any) -> Procurement:
    """A procurement whose winner has confirmed."""
    now = clock.now()
    facts: dict[str, Any] = {
        "thread_id": new_id(),
        "number": f"CG-2026-{new_id().hex[-6:]}",
        "owner_organisation_id": owner_organisation_id,
        "item_version_id": an_item(),
        "title": "滨江新城一期地形测量服务",
        "project_name": "滨江新城一期",
        "region_code": "320102",
        "content": "完成地形测量。",
        "limit_wd": 10,
        "fund_source": "fiscal",
        "budget_fen": 2_000_000,
        "price_fen": PRICE,
        "qualification_rule": RULE,
        "method": "random",
        "contact_name": "周敏",
        "contact_phone": "025-83210001",
        "complaint_phone": "025-12345",
        "state": "confirmed",
        "rule_book_version": 1,
        "created_at": now,
        "published_at": now,
        "confirmed_at": now,
        "winner_registration_id": new_id(),
        "winner_organisation_id": agency_organisation_id,
    }
    with transaction() as session:
        row = Procurement(id=new_id(), **{**facts, **changes})
        session.add(row)
    return row


def drawn_up(clock_at: Clock, owner_organisation_id: UUID | None = None, **award: Any) -> Engagement:
    """A contract that the agency has to sign."""
    clock_at(JUNE_1)
    owner = a_member(Role.OWNER, owner_organisation_id, name="周敏")
    agency = a_member(Role.AGENCY, an_organisation(OrganisationKind.AGENCY, "江岸测绘有限公司"), name="陈立")
    assert owner.organisation_id is not None
    assert agency.organisation_id is not None
    procurement = an_award(owner.organisation_id, agency.organisation_id, **award)
    contract_id = contracts.draw_up_contract(procurement, agency.organisation_id, PRICE)
    return Engagement(clock_at, contract_id, owner, agency, a_member(Role.OPERATOR, name="钱运营"))


def signed(clock_at: Clock, owner_organisation_id: UUID | None = None, **award: Any) -> Engagement:
    """Signed by both sides on 1 June: the clock of ten working days ends on 15 June."""
    made = drawn_up(clock_at, owner_organisation_id, **award)
    contracts.sign(made.agency, made.id, made.signature())
    contracts.sign(made.owner, made.id, made.signature())
    return made


def a_report(**changes: Any) -> Deliver:
    """A version of the deliverable."""
    report = Deliver(
        title="地形测量成果报告",
        practitioner_name="陈立",
        practitioner_certificate="注测字320100",
        file=Upload("report.txt", "地形测量成果报告 第一版".encode()),
    )
    return replace(report, **changes)


def delivered(made: Engagement, moment: datetime) -> Engagement:
    """Hand in a version at that moment."""
    made.clock_at(moment)
    contracts.deliver(made.agency, made.id, a_report())
    return made
