"""A notice as it will read, from a form that is still being filled in: the lines of the preview and of the last reading."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext

from app.kernel.money import InvalidAmount, Money
from app.web.forms import Form, FormField
from app.web.regions import region_name
from marketplace.rules.notices.purpose import purpose_label
from marketplace.rules.selection.methods import Method
from marketplace.web.notice_wizard import STEPS, step_of
from marketplace.web.schemas.selection import METHOD_FIELDS


@dataclass(frozen=True)
class Line:
    """One line: the step in which it is written, the label, the words; both translated."""

    step: str
    label: str
    text: str


def lines_of(form: Form, *, serves_case: bool) -> list[Line]:
    """Every field that says something, in the order of the steps; of the methods' details only those of the chosen one."""
    found = []
    for name in _order(str(form["method"].value or Method.RANDOM)):
        field = form[name]
        text = _as_read(field)
        if text:
            found.append(Line(step_of(name), field.label, text))
        if name == "item_version_id" and text:
            words = gettext(purpose_label(serves_case=serves_case))
            found.append(Line(step_of(name), gettext("Condition of an approval"), words))
    return found


def _order(method: str) -> Iterator[str]:
    for name in (name for step in STEPS for name in step.fields if name not in METHOD_FIELDS):
        yield name
        if name == "method":
            yield from (detail for detail, used_by in METHOD_FIELDS.items() if method in used_by)


def _as_read(field: FormField) -> str:
    if field.widget == "hidden" or field.value in ("", None, ()):
        return ""
    if field.widget == "checkbox":
        return gettext("yes") if field.value in (True, "true") else ""
    if field.widget == "region":
        return region_name(str(field.value))
    if field.widget == "datetime":
        return str(field.value).replace("T", " ")[:16]
    if field.widget == "money":
        return _amount(str(field.value))
    return {choice[0]: choice[1] for choice in field.choices}.get(str(field.value)) or str(field.value)


def _amount(typed: str) -> str:
    """`¥16,200.00`; what is no amount stays as typed, and the check of the step says so."""
    try:
        return f"¥{Money.from_yuan(typed).grouped}"
    except InvalidAmount:
        return typed
