"""What must hold everywhere, so that no review has to look for it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.docs_build import pages
from app.kernel.db import APPEND_ONLY, Base
from app.kernel.states import Machine
from app.web.guard import policy_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "marketplace", "payments", "delivery", "approvals")
WIRE = {"payments/simulator", "delivery/simulator"}  # other people's programs, played


def sources(*, templates: bool = False) -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.html" if templates else "*.py"):
            if "vendor" not in path.parts and not any(wire in path.as_posix() for wire in WIRE):
                yield path


def machines(app: Flask) -> list[Machine]:
    return [m for domain in app.extensions["chaoshi_domains"] for m in domain.machines]


def test_every_view_has_a_policy(app: Flask) -> None:
    assert [e for e in app.view_functions if policy_of(app, e) is None] == []


def test_there_are_machines_and_their_names_are_unique(app: Flask) -> None:
    names = [m.name for m in machines(app)]
    assert len(names) == len(set(names)) > 5


def test_generated_documents_are_fresh(app: Flask) -> None:
    stale = [path.name for path, text in pages(app) if not path.exists() or path.read_text() != text]
    assert stale == [], "run `make docs`"


def test_only_move_assigns_a_state() -> None:
    found = []
    for path in sources():
        if path.name == "transitions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AugAssign)
                else []
            )
            found += [
                f"{path.relative_to(ROOT)}:{node.lineno}"
                for target in targets
                if isinstance(target, ast.Attribute) and target.attr == "state" and not _is_self(target)
            ]
    assert found == []


def _is_self(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id == "self"


@pytest.mark.parametrize(
    ("pattern", "allowed", "why"),
    [
        (r"\.commit\(\)", {"app/kernel/db.py", "marketplace/search"}, "transaction() alone commits"),
        (r"datetime\.(utc)?now\(", {"app/kernel/clock.py"}, "clock.now() alone asks the time"),
        (r"date\.today\(", set(), "clock.today() is the Beijing day"),
        (r"\bbackref\b", set(), "relationships are written on both sides"),
        (r"\bfloat\(", {"marketplace/search", "marketplace/rules/credit.py"}, "money and rules know no floats"),
    ],
)
def test_house_rules(pattern: str, allowed: set[str], why: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line) and not any(place in path.as_posix() for place in allowed)
    ]
    assert found == [], why


def test_templates_carry_nothing_inline() -> None:
    bad = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources(templates=True)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bad.search(line)
    ]
    assert found == [], "the content security policy forbids it"


def test_tables_and_columns_have_no_floating_money(app: Flask) -> None:
    found = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.type.__class__.__name__ in {"Float", "Numeric", "REAL", "Double"}
        and re.search(r"fen|amount|price|fee|balance", column.name)
    ]
    assert found == []


def test_what_must_not_change_is_append_only(app: Flask) -> None:
    assert {"ledger_entry", "ledger_tx", "draw", "draw_rank", "procurement_notice"} <= set(APPEND_ONLY)


def test_every_job_has_a_name_and_a_description(app: Flask) -> None:
    from app.cli import all_jobs

    jobs = all_jobs(app)
    assert len({j.name for j in jobs}) == len(jobs)
    assert all(j.description and "." in j.name for j in jobs)
