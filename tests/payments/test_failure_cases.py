"""The list of failure cases is kept: each names a test that exists and is not skipped."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.payments.failure_cases import CASES

ROOT = Path(__file__).resolve().parents[2]


@cache
def functions_of(file: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("case", CASES)
def test_every_named_case_has_its_test(case: str) -> None:
    file, _, name = CASES[case].partition("::")
    assert name in functions_of(file), f"{case}: {file} has no {name}"
    marks = " ".join(ast.unparse(mark) for mark in functions_of(file)[name].decorator_list)
    assert "skip" not in marks
    assert "xfail" not in marks
