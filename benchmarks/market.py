"""A market of any size, written straight into the tables: only for measuring, never for demonstration."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from uuid6 import uuid7

from app.factory import create_app
from app.identity.models import Organisation
from app.kernel.access import SYSTEM, Role
from app.kernel.db import Base, db, transaction
from app.settings import Mode, Settings
from marketplace.models.agencies import Agency, AgencyRecord
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.rules.regions import regions
from marketplace.services import catalogue, search

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
SYLLABLES = "苏宁锡常通泰扬镇盐淮宿连徐华信诚达瑞恒嘉佳盛宏远中新科正德源润同安博"
TRADES = ("测绘科技", "环境技术", "工程咨询", "检测技术", "勘测设计", "项目管理", "水利规划", "安全评价")
SENTENCES = (
    "提供现场踏勘、资料收集、专家评审配合等全过程服务，按期提交符合国家和江苏省技术规范的成果文件。",
    "成果包含电子版与纸质版各三份，免费修改至审查通过；加急另议。",
    "项目组由三名以上注册人员组成，承诺四十八小时内进场，周报进度。",
    "熟悉本地审批流程，可协助准备申报材料并跟踪审查意见。",
    "拥有自有检测设备和实验室，数据可追溯，接受现场见证。",
)


def application(folder: Path) -> Flask:
    """The product on a database in `folder`."""
    return create_app(
        Settings(
            mode=Mode.TESTING,
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'bench.sqlite'}",
            secret_key="benchmarks only, never anywhere else",
            password_salt="benchmarks only",
        )
    )


def fill(listings: int, *, seed: int = 1) -> None:
    """Items, agencies (one for ten listings) and listings; then the search index. Runs inside the application's context."""
    chance = random.Random(seed)
    Base.metadata.create_all(db.engine)
    keeper = SYSTEM.__class__(
        None, None, frozenset({Role.OPERATOR}), "benchmark", frozenset({"marketplace:catalogue:manage"}), is_system=True
    )
    catalogue.load_item_list(keeper)
    items = db.session.execute(sa.select(ItemVersion.id, ItemVersion.item_id, ItemVersion.limit_wd)).all()
    places = list(regions())
    agencies = [_id() for _ in range(max(1, listings // 10))]
    with transaction() as session:
        _insert(session, Organisation, [_organisation(i, chance) for i in agencies])
        _insert(session, Agency, [_agency(i, n, chance, places) for n, i in enumerate(agencies)])
        _insert(session, AgencyRecord, [_record(i, chance) for i in agencies])
        _insert(session, Listing, [_listing(chance, agencies, items, places) for _ in range(listings)])
    search.rebuild()


def _insert(session: sa.orm.Session, model: type[Base], rows: list[dict[str, object]]) -> None:
    session.execute(sa.insert(model), rows)


def _id() -> UUID:
    return UUID(int=uuid7().int)


def _name(chance: random.Random) -> str:
    return "".join(chance.sample(SYLLABLES, 3)) + chance.choice(TRADES) + "有限公司"


def _organisation(identifier: UUID, chance: random.Random) -> dict[str, object]:
    return {"id": identifier, "kind": "agency", "name": _name(chance), "created_at": NOW}


def _agency(identifier: UUID, number: int, chance: random.Random, places: list[str]) -> dict[str, object]:
    return {
        "id": identifier,
        "thread_id": identifier,
        "organisation_id": identifier,
        "uscc": f"91{number:016d}",
        "name": _name(chance),
        "kind": "enterprise",
        "region_code": chance.choice(places),
        "state": "active",
        "rule_book_version": 1,
        "admitted_at": NOW - timedelta(days=chance.randint(1, 700)),
        "created_at": NOW,
        "version": 1,
    }


def _record(identifier: UUID, chance: random.Random) -> dict[str, object]:
    delivered = chance.randint(0, 60)
    rated = chance.randint(0, delivered)
    return {
        "agency_id": identifier,
        "awards": delivered + 2,
        "delivered": delivered,
        "delivered_on_time": delivered - delivered // 12,
        "rating_count": rated,
        "rating_sum": rated * chance.randint(350, 500),
        "updated_at": NOW,
    }


def _listing(chance: random.Random, agencies: list[UUID], items: list[sa.Row], places: list[str]) -> dict[str, object]:
    identifier, agency, item = _id(), chance.choice(agencies), chance.choice(items)
    priced = chance.random() < 0.85
    moment = NOW - timedelta(days=chance.randint(1, 400), seconds=chance.randint(0, 86_000))
    return {
        "id": identifier,
        "thread_id": identifier,
        "agency_id": agency,
        "organisation_id": agency,
        "item_id": item.item_id,
        "item_version_id": item.id,
        "promised_limit_wd": max(1, (item.limit_wd or 30) - chance.randint(0, 6)),
        "price_mode": "fixed" if priced else "negotiable",
        "price_fen": chance.randint(20, 4000) * 10_000 if priced else None,
        "region_code": chance.choice(places),
        "description": "".join(chance.sample(SENTENCES, 3)),
        "state": "published",
        "published_at": moment,
        "created_at": moment,
        "updated_at": moment,
        "version": 1,
    }
