"""Stripe's request encoding: ``a[b][0][c]=x`` becomes nested dictionaries and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from payments.simulator.words import Json

_PART = re.compile(r"[^\[\]]+")
_KEY = re.compile(r"^[^\[\]]+(\[[^\[\]]*\])*$")


def decode(pairs: Iterable[tuple[str, str]]) -> Json:
    """Nested parameters from form or query pairs. An unreadable key is kept as it is, and refused later as unknown."""
    root: Json = {}
    for key, value in pairs:
        if not _KEY.match(key):
            root[key] = value
            continue
        parts = _PART.findall(key)
        if key.endswith("[]"):
            parts.append("")
        _put(root, parts, value)
    return {key: _lists(value) for key, value in root.items()}


def _put(node: Json, parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        following = node.get(part)
        if not isinstance(following, dict):
            following = {}
            node[part] = following
        node = following
    last = parts[-1]
    node[last or str(len(node))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    done = {key: _lists(child) for key, child in value.items()}
    if done and sorted(done) == sorted(str(i) for i in range(len(done))):
        return [done[str(i)] for i in range(len(done))]
    return done
