"""A notice draft as plain JSON values and back: what a proposed change stores until it is decided."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from marketplace.services.commands import NoticeDraft

T = TypeVar("T")


def draft_to_json(draft: NoticeDraft) -> dict[str, Any]:
    """Every field as JSON takes it."""
    return {f.name: _plain(getattr(draft, f.name)) for f in fields(draft)}


def draft_from_json(values: dict[str, Any]) -> NoticeDraft:
    """What `draft_to_json` wrote. A field that is newer than the stored value keeps its default."""
    return _built(NoticeDraft, values)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _built(kind: type[T], values: dict[str, Any]) -> T:
    hints = get_type_hints(kind)
    return kind(**{name: _read(hints[name], value) for name, value in values.items() if name in hints})


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) is UnionType:
        return _read(next(part for part in get_args(hint) if part is not NoneType), value)
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], part) for part in value)
    if isinstance(hint, type) and is_dataclass(hint):
        return _built(hint, value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    return UUID(value) if hint is UUID else value
