"""The item list as a table: what goes out comes in unchanged, and every problem is told by row and column."""

import csv
import io
import json
import zipfile
from dataclasses import replace

import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from app.kernel.files import Upload
from app.kernel.spreadsheets import as_written, csv_of, harmless, read_table, xlsx_of
from marketplace.models.catalogue import ItemImport, ItemVersion
from marketplace.queries.catalogue import listed_contents
from marketplace.queries.item_imports import import_view
from marketplace.rules.item_table import COLUMNS, KnownItem, plan, row_of
from marketplace.services import catalogue, item_imports
from marketplace.services.item_imports import HandIn
from tests.builders import a_member
from tests.marketplace.market import the_items

BASE = dict(catalogue.shipped_items())["ZJ-020"]
KEYS = {name: name for name in COLUMNS}
WORDS = {
    "category": {"mapping": "mapping", "测绘": "mapping"},
    "commissioner": {"applicant": "applicant"},
    "pricing_mode": {"market": "market", "guided": "guided"},
}
KNOWN = {
    "ZJ-020": KnownItem(BASE),
    "ZJ-021": KnownItem(replace(BASE, name="土地复垦方案编制"), has_draft=True),
    "ZJ-022": KnownItem(replace(BASE, name="已取消事项"), is_cancelled=True),
}


def _row(code: str = "", **cells: str) -> list[str]:
    return list((row_of(code, replace(BASE, name="新事项")) | cells).values())


def _plan(*rows: list[str]) -> list[tuple[int, str, str]]:
    found = plan([list(COLUMNS), *rows], KNOWN, KEYS, WORDS)
    return [(p.row, p.column, p.code) for p in found.problems]


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"limit_wd": "十天"}, "limit_wd", "limit-not-a-number"),
        ({"limit_wd": "7.5"}, "limit_wd", "limit-not-a-number"),
        ({"limit_wd": "-3"}, "limit_wd", "limit-not-a-number"),
        ({"limit_wd": "１０"}, "limit_wd", "limit-not-a-number"),
        ({"limit_wd": "0"}, "limit_wd", "limit-out-of-range"),
        ({"limit_wd": "401"}, "limit_wd", "limit-out-of-range"),
        ({"code": "ZJ-999"}, "code", "unknown-code"),
        ({"code": "ZJ-021"}, "code", "draft-open"),
        ({"code": "ZJ-022"}, "code", "cancelled"),
        ({"name": "建设用地勘测定界"}, "name", "name-taken"),
        ({"legal_basis": " "}, "legal_basis", "missing"),
        ({"legal_basis": "法" * 501}, "legal_basis", "too-long"),
        ({"category": "玄学"}, "category", "unknown-category"),
        ({"commissioner": "邻居"}, "commissioner", "unknown-choice"),
        ({"self_preparation_allowed": "也许"}, "self_preparation_allowed", "not-yes-or-no"),
        ({"qualification_rule": "{"}, "qualification_rule", "qualification-rule"),
        ({"qualification_rule": '{"kind": "magic"}'}, "qualification_rule", "qualification-rule"),
        ({"pricing_mode": "guided"}, "guided_max", "price-range-missing"),
        ({"guided_min": "5", "guided_max": "4"}, "guided_min", "price-range"),
        ({"guided_max": "1.234"}, "guided_max", "bad-amount"),
        ({"approvals": "建设局"}, "approvals", "approval-code"),
    ],
)
def test_each_problem_is_told_by_row_and_column(cells: dict[str, str], column: str, code: str) -> None:
    assert _plan(_row(), _row(**cells) if "name" in cells else _row(**{"name": "另一事项"} | cells)) == [
        (3, column, code)
    ]


def test_every_problem_of_a_table_is_told_at_once() -> None:
    assert _plan(
        _row(name="甲", limit_wd="x", legal_basis=""),
        _row(name="乙"),
        _row(name="乙"),
        _row(code="ZJ-020", name="丙"),
        [""] * len(COLUMNS),
        _row(code="zj-020", name="丁"),
    ) == [
        (2, "limit_wd", "limit-not-a-number"),
        (2, "legal_basis", "missing"),
        (4, "name", "duplicate"),
        (7, "code", "duplicate"),
    ]


def test_headings_are_checked_before_rows() -> None:
    found = plan([["name", "name", "密码"], ["甲", "乙", "丙"]], KNOWN, KEYS, WORDS)
    assert [(p.row, p.column, p.code) for p in found.problems] == [
        (1, "密码", "unknown-column"),
        (1, "name", "column-twice"),
        *((1, c, "column-missing") for c in COLUMNS if c in _needed() and c != "name"),
    ]
    assert [p.code for p in plan([list(COLUMNS)], KNOWN, KEYS, WORDS).problems] == ["empty"]
    assert [p.code for p in plan([], KNOWN, KEYS, WORDS).problems].count("column-missing") == 7


def _needed() -> tuple[str, ...]:
    from marketplace.rules.item_table import NEEDED

    return NEEDED


def test_what_a_sound_table_would_do() -> None:
    found = plan(
        [
            list(COLUMNS),
            list(row_of("ZJ-020", BASE).values()),
            _row(name="新事项", category="测绘", limit_wd=""),
        ],
        KNOWN,
        KEYS,
        WORDS,
    )
    assert (found.problems, [r.code for r in found.unchanged]) == ((), ["ZJ-020"])
    assert [(r.row, r.content.name, r.content.category, r.content.limit_wd) for r in found.new] == [
        (3, "新事项", "mapping", None)
    ]
    changed = plan(
        [["code", *_needed(), "limit_wd"], ["ZJ-020", *(getattr(BASE, n) for n in _needed()), "8"]], KNOWN, KEYS, WORDS
    )
    assert [(r.code, r.changed) for r in changed.changed] == [("ZJ-020", ("limit_wd",))]
    assert changed.changed[0].content.qualification_rule == BASE.qualification_rule  # a column that is missing stays


# --- spreadsheets -------------------------------------------------------------------------------------------------

FORMULAS = ("=1+1", "+86", "-5", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "'=1", "正常", "", "a=b")


@pytest.mark.parametrize("cell", FORMULAS)
def test_formulas_are_made_harmless_and_come_back_as_written(cell: str) -> None:
    out = harmless(cell)
    assert not out.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert as_written(out) == cell


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_comes_back_as_written(cell: str) -> None:
    assert as_written(harmless(cell)) == cell
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_both_files_hold_texts_only_and_are_read_back() -> None:
    rows = [["number", "name"], *([f"R{n}", cell] for n, cell in enumerate(FORMULAS) if cell != "\t=1")]
    text = csv_of(rows)
    assert text.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert [line[1] for line in lines[1:4]] == ["'=1+1", "'+86", "'-5"]
    book = xlsx_of(rows, "清单")
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    cells = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert [line[1] for line in cells[1:4]] == ["'=1+1", "'+86", "'-5"]
    assert read_table("清单.csv", text) == rows
    assert read_table("清单.xlsx", book) == rows
    assert read_table("gbk.csv", "编号,名称\r\n1,測绘".encode("gb18030")) == [["编号", "名称"], ["1", "測绘"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"PK\x03\x04 broken"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.csv", b"a\x00b"),
        ("a.csv", b"\xff\xfe\xff"),
        ("a.csv", b'"a'),
    ],
)
def test_what_is_no_table_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        read_table(name, content)
    assert (refusal.value.code, refusal.value.field) == ("table-unreadable", "file")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (61 * 1024 * 1024))
    with pytest.raises(Refused) as refusal:
        read_table("a.xlsx", target.getvalue())
    assert refusal.value.code == "table-too-large"


# --- the whole way ------------------------------------------------------------------------------------------------


def _versions() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(ItemVersion)) or 0


def _exported(client: FlaskClient) -> list[list[str]]:
    return read_table("list.xlsx", client.get("/services.xlsx").data)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_was_exported_changes_nothing_when_handed_in(app: Flask, client: FlaskClient, language: str) -> None:
    the_items()
    keeper = a_member(Role.OPERATOR)
    for suffix in ("csv", "xlsx"):
        sent = client.get(f"/services.{suffix}", headers={"Accept-Language": language})
        assert sent.headers["Content-Disposition"].endswith(f'.{suffix}"')
        view = import_view(keeper, item_imports.check(keeper, HandIn(Upload(f"list.{suffix}", sent.data))))
        assert (view.new_count, view.changed_count, view.unchanged_count, view.problems) == (0, 0, 4, [])


def test_a_sound_table_becomes_drafts_in_one_step(app: Flask, client: FlaskClient) -> None:
    the_items()
    keeper = a_member(Role.OPERATOR)
    table = _exported(client)
    limit, code, name = (
        table[0].index(label)
        for label in ("时限（工作日）" if "时限（工作日）" in table[0] else table[0][11], table[0][0], table[0][1])
    )
    row = next(line for line in table if line[code] == "ZJ-020")
    row[limit] = "8"
    new = [*row]
    new[code], new[name] = "", "水下地形测量"
    made = item_imports.check(keeper, HandIn(Upload("list.csv", csv_of([*table, new]))))
    assert (_versions(), import_view(keeper, made).state) == (4, "checked")
    item_imports.apply(keeper, made, Plain())
    view = import_view(keeper, made)
    assert (view.state, view.new_count, view.changed_count, view.unchanged_count) == ("applied", 1, 1, 3)
    drafts = {e.code: (e.content.name, e.state, e.has_draft) for e in listed_contents() if e.has_draft}
    assert drafts == {
        "ZJ-020": ("建设用地勘测定界", "published", True),
        "ZJ-025": ("水下地形测量", "draft", True),
    }
    assert db.session.scalar(sa.select(ItemVersion.limit_wd).where(ItemVersion.version == 2)) == 8
    with pytest.raises(IllegalTransition):
        item_imports.apply(keeper, made, Plain())
    assert _versions() == 6


def test_a_table_with_one_wrong_row_drafts_nothing(app: Flask, client: FlaskClient) -> None:
    the_items()
    keeper = a_member(Role.OPERATOR)
    table = _exported(client)
    good, bad = [*table[1]], [*table[2]]
    good[0], good[1] = "", "好事项"
    bad[0] = "ZJ-999"
    made = item_imports.check(keeper, HandIn(Upload("list.csv", csv_of([table[0], good, bad]))))
    view = import_view(keeper, made)
    assert [(p["row"], p["column"], p["code"]) for p in view.problems] == [(3, "code", "unknown-code")]
    before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent))
    with pytest.raises(Refused) as refusal:
        item_imports.apply(keeper, made, Plain())
    assert refusal.value.code == "import-problems"
    db.session.expunge_all()
    assert (_versions(), import_view(keeper, made).state) == (4, "checked")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == before
    item_imports.discard(keeper, made, Plain())
    assert import_view(keeper, made).state == "discarded"


def test_the_list_of_the_moment_decides_not_the_one_of_the_check(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    keeper = a_member(Role.OPERATOR)
    table = _exported(client)
    row = next(line for line in table if line[0] == "ZJ-020")
    row[1] = "建设用地勘测定界（修订）"
    made = item_imports.check(keeper, HandIn(Upload("list.csv", csv_of(table))))
    assert import_view(keeper, made).problems == []
    catalogue.draft_version(keeper, items["ZJ-020"], BASE)
    with pytest.raises((Refused, Conflict)) as refusal:
        item_imports.apply(keeper, made, Plain())
    assert refusal.value.code == "import-problems"
    assert _versions() == 5


def test_only_those_who_keep_the_list_may(app: Flask, as_role: object) -> None:
    the_items()
    stranger = a_member(Role.AGENCY)
    with pytest.raises(NotAllowed):
        item_imports.check(stranger, HandIn(Upload("list.csv", b"name\r\n")))
    made = item_imports.check(a_member(Role.OPERATOR), HandIn(Upload("list.csv", b"name\r\n")))
    with pytest.raises(NotFound):
        import_view(stranger, made)
    with pytest.raises(NotAllowed):
        item_imports.discard(stranger, made, Plain())
    assert db.session.scalar(sa.select(ItemImport.state)) == "checked"


def test_over_the_web(app: Flask, as_role: object) -> None:
    the_items()
    operator = as_role("operator")  # type: ignore[operator]
    wrong = {"file": (io.BytesIO(b"%PDF"), "清单.pdf")}
    assert operator.post("/catalogue/imports", data=wrong, content_type="multipart/form-data").status_code == 422
    table = csv_of([["name", "limit_wd"], ["甲", "x"]])
    made = operator.post(
        "/api/catalogue/imports", data={"file": (io.BytesIO(table), "a.csv")}, content_type="multipart/form-data"
    ).get_json()
    assert {(p["row"], p["column"]) for p in made["problems"]} == {(1, c) for c in _needed() if c != "name"}
    assert [a["name"] for a in made["actions"]] == ["discard"]
    page = operator.get(f"/catalogue/imports/{made['id']}")
    assert page.status_code == 200
    assert "缺少这一列" in page.text
    assert json.loads(operator.get(f"/api/catalogue/imports/{made['id']}").data)["state"] == "checked"
    assert operator.get("/catalogue/imports").status_code == 200
