"""What a change of the rule book may say: which values a parameter takes, and what differs between two versions.

Pure. A parameter keeps the type of its default; units are those of `marketplace.rulebook`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.kernel.words import N_
from marketplace.rulebook import PARAMETERS, Parameter

MOST: Final = {"percent": 100, "bp": 100, "hour": 23, "wd": 1000, "days": 3650, "minutes": 10_080, "fen": 10**13}
"""The largest sensible value by unit; anything above is a typing error."""


@dataclass(frozen=True)
class Difference:
    """One parameter that two versions hold differently. Values are plain JSON."""

    parameter: Parameter
    before: object
    after: object


@dataclass(frozen=True)
class Wrong:
    """A value that no rule book may hold; `parameter` is None when no rule knows the key. `text` is a message id filled by `params`."""

    parameter: Parameter | None
    text: str
    params: Mapping[str, object]


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Difference, ...]:
    """What changes from one set of parameters to another, in the order of the rule book; missing keys mean the default."""
    both = ((p, before.get(p.key, _plain(p.default)), after.get(p.key, _plain(p.default))) for p in PARAMETERS)
    return tuple(Difference(p, old, new) for p, old, new in both if old != new)


def wrong_values(parameters: Mapping[str, object]) -> tuple[Wrong, ...]:
    """Every value that does not fit its parameter; empty when the rule book can be published."""
    known = {p.key: p for p in PARAMETERS}
    unknown = [Wrong(None, N_("No rule knows this parameter."), {}) for key in parameters if key not in known]
    found = (_wrong(known[key], value) for key, value in parameters.items() if key in known)
    return (*unknown, *(one for one in found if one is not None))


def _wrong(parameter: Parameter, value: object) -> Wrong | None:
    default = _plain(parameter.default)
    if parameter.choices:
        return _wrong_words(parameter, value)
    if isinstance(default, list):
        return _wrong_list(parameter, default, value)
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
        return None if fits else Wrong(parameter, N_("Say yes or no."), {})
    if isinstance(default, int) and not isinstance(value, int):
        return Wrong(parameter, N_("Write a whole number."), {})
    if not isinstance(value, int | float):
        return Wrong(parameter, N_("Write a number."), {})
    most = MOST.get(parameter.unit)
    if value < 0 or (most is not None and value > most):
        text = (
            N_("Write a number from 0 to %(most)s.") if most is not None else N_("Write a number that is not negative.")
        )
        return Wrong(parameter, text, {"most": most} if most is not None else {})
    return None


def _wrong_words(parameter: Parameter, value: object) -> Wrong | None:
    known = isinstance(value, list) and len(set(map(str, value))) == len(value) and set(value) <= set(parameter.choices)
    text = N_("Choose from these words, each once: %(choices)s.")
    return None if known else Wrong(parameter, text, {"choices": ", ".join(parameter.choices)})


def _wrong_list(parameter: Parameter, default: list[object], value: object) -> Wrong | None:
    if not isinstance(value, list) or not value or not all(_is_count(one) for one in value):
        return Wrong(parameter, N_("Write whole numbers, separated by commas."), {})
    if parameter.unit == "ratio" and len(value) != len(default):
        return Wrong(parameter, N_("Write exactly %(count)s numbers."), {"count": len(default)})
    if parameter.unit != "ratio" and len(set(value)) != len(value):
        return Wrong(parameter, N_("Each number may stand here once."), {})
    most = MOST.get(parameter.unit)
    if most is not None and max(value) > most:
        return Wrong(parameter, N_("Write a number from 0 to %(most)s."), {"most": most})
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
