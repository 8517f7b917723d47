"""The item list in motion: a version in force since some days, one that comes into force soon, one under review, a table."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from app.demo.people import Cast
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.commands import Plain
from app.kernel.files import Upload
from app.kernel.spreadsheets import csv_of
from marketplace.documents.item_list import shipped_items
from marketplace.queries.catalogue import items_in_force
from marketplace.rules.item_table import COLUMNS, row_of
from marketplace.services import catalogue, item_imports, saved_searches
from marketplace.services.catalogue import Review, Schedule
from marketplace.services.item_imports import HandIn
from marketplace.services.saved_searches import KeepSearch

OPINION = "经核对，设立依据现行有效，事项与审批直接相关，时限与收费设置合理，未增设前置条件。"


def move_the_list(cast: Cast) -> None:
    """Amend three entries, hand in a table with two mistakes, and keep a search for the panel's owner."""
    author, reviewer = cast.panel[Role.OPERATOR], cast.panel[Role.REGULATOR]
    items = {view.code: view.item_id for view in items_in_force()}
    content = dict(shipped_items())
    tested = replace(
        content["ZJ-042"],
        limit_wd=5,
        legal_basis="《民用建筑工程室内环境污染控制标准》GB 50325-2020 第6.0.1条",
        change_note="检测机构普遍可在五个工作日内出具报告，按营商环境提升行动压缩时限。",
    )
    made = catalogue.draft_version(author, items["ZJ-042"], tested)
    catalogue.submit(author, made, Plain())
    catalogue.publish(reviewer, made, Review(OPINION))
    sunlight = replace(
        content["ZJ-024"], approvals=("PL-0101",), change_note="与建设工程规划许可建立对应关系，便于申请人查询。"
    )
    made = catalogue.draft_version(author, items["ZJ-024"], sunlight)
    catalogue.submit(author, made, Plain())
    soon = clock.today() + dt.timedelta(days=21)
    catalogue.schedule(reviewer, made, Schedule(OPINION, soon))
    audit = replace(content["ZJ-060"], limit_wd=8, change_note="拟将时限由十个工作日压缩为八个工作日。")
    made = catalogue.draft_version(author, items["ZJ-060"], audit)
    catalogue.submit(author, made, Plain())
    wrong = row_of("", replace(content["ZJ-059"], name="雨污混接排查评估", legal_basis="")) | {"limit_wd": "七天"}
    table = csv_of([COLUMNS, list(row_of("ZJ-059", content["ZJ-059"]).values()), list(wrong.values())])
    item_imports.check(author, HandIn(Upload("2026年清单调整建议.csv", table)))
    saved_searches.keep(
        cast.panel[Role.OWNER],
        KeepSearch("南京的测绘服务", {"kind": "listing", "category": ["mapping"], "city": ["320100"]}),
    )
