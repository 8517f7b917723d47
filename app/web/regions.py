"""Names of the GB/T 2260 regions (province, city, county), read from the vendored list.

A region code has six digits: `440000` province, `440100` city, `440106` county. The four municipalities have counties right below them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

_LIST: Final = Path(__file__).parent / "static" / "vendor" / "regions" / "regions.json"


@lru_cache(maxsize=1)
def _paths() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}

    def walk(nodes: list[list[Any]], above: tuple[str, ...]) -> None:
        for code, name, *below in nodes:
            found[code] = (*above, name)
            walk(below[0] if below else [], (*above, name))

    walk(json.loads(_LIST.read_text(encoding="utf-8")), ())
    return found


def all_regions() -> dict[str, tuple[str, ...]]:
    """Every code with its names from the province down."""
    return dict(_paths())


def is_region(code: str) -> bool:
    """Whether the six digits are a code of the list."""
    return code in _paths()


def region_path(code: str) -> tuple[str, ...]:
    """`440106` -> ("广东省", "广州市", "天河区"); empty for an unknown code."""
    return _paths().get(code, ())


@lru_cache(maxsize=1)
def _codes() -> dict[tuple[str, ...], str]:
    return {path: code for code, path in _paths().items()}


def region_code(*names: str) -> str:
    """The code of a region by its names from the province down; a municipality that is its own city may be named twice."""
    return _codes().get(tuple(dict.fromkeys(names)), "")


def region_name(code: str) -> str:
    """`440106` -> "广东省广州市天河区"; the code itself when it is unknown, so that nothing vanishes from a page."""
    return "".join(region_path(code)) or code


def region_meant(text: str) -> str:
    """The code that a typed text means: six digits, or the names written one after the other (浙江省杭州市西湖区).

    For whoever types without script; the text itself where it is neither, so that the form shows what was typed.
    """
    plain = "".join(text.split())
    return plain if plain in _paths() else _joined().get(plain, text)


@lru_cache(maxsize=1)
def _joined() -> dict[str, str]:
    return {"".join(path): code for code, path in _paths().items()}
