"""Facts told to others: frozen, with plain fields, named in the past tense."""

import dataclasses
from datetime import datetime
from typing import Any, ClassVar, get_type_hints
from uuid import UUID

_registry: dict[str, type["Event"]] = {}


@dataclasses.dataclass(frozen=True)
class Event:
    """Base of all events. A subclass is a frozen dataclass with `name: ClassVar[str]`, e.g. "payments.bill-paid"."""

    name: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" in cls.__dict__:
            known = _registry.setdefault(cls.name, cls)
            if known.__qualname__ != cls.__qualname__:
                raise ValueError(f"two events are named {cls.name}")
            _registry[cls.name] = cls

    def to_fields(self) -> dict[str, Any]:
        """Return the fields as JSON values: UUID and datetime become text."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def restore(name: str, fields: dict[str, Any]) -> Event:
    """Rebuild the event `name` from `to_fields()`; raises KeyError for an unknown name."""
    cls = _registry[name]
    hints = get_type_hints(cls)
    return cls(**{key: _typed(value, hints.get(key)) for key, value in fields.items()})


def _typed(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    text = str(hint)
    if isinstance(value, str) and "UUID" in text:
        return UUID(value)
    if isinstance(value, str) and "datetime" in text:
        return datetime.fromisoformat(value)
    if isinstance(value, list) and "tuple" in text:
        return tuple(UUID(v) if "UUID" in text else v for v in value)
    return value
