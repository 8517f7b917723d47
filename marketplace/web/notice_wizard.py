"""The publish wizard: which fields stand in which step, and how what was typed is kept between the steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.kernel.clock import BEIJING
from app.kernel.money import Money
from app.kernel.words import N_
from app.web.schemas import MoneyField
from marketplace.rules.selection.methods import Method, needs_registration
from marketplace.web.schemas.procurements import NoticeIn


@dataclass(frozen=True)
class Step:
    """One page of the wizard."""

    name: str
    label: str
    lead: str
    fields: tuple[str, ...]


_WHAT: Final = (
    *(
        "item_version_id",
        "title",
        "project_name",
        "project_code",
        "region_code",
        "place",
        "scale",
        "content",
        "limit_wd",
    ),
)
_WHO: Final = ("demanded_grade", "demanded_region", "avoided")
_DATES: Final = ("registration_ends_at", "contact_name", "contact_phone", "complaint_phone")
_APART: Final = {*_WHAT, *_WHO, *_DATES, "version", "justifications"}

STEPS: Final[tuple[Step, ...]] = (
    Step("what", N_("What is bought"), N_("Choose the service from the published list and describe the work."), _WHAT),
    Step(
        "who",
        N_("Who may apply"),
        N_(
            "Do not ask for a local branch, a local record, a membership or a deposit: such thresholds are not allowed."
        ),
        _WHO,
    ),
    Step(
        "how",
        N_("Money and how one is chosen"),
        N_("The limits of the rule book are checked while you write."),
        tuple(name for name in NoticeIn().fields if name not in _APART),
    ),
    Step("dates", N_("Dates and contacts"), N_("Until when agencies register, and whom they ask."), _DATES),
    Step("review", N_("Read once more"), N_("This is how the notice will read. Nothing is public yet."), ()),
)
BY_NAME: Final[Mapping[str, Step]] = {step.name: step for step in STEPS}


def step_after(name: str) -> str:
    """The step that follows; the last one stays."""
    names = [step.name for step in STEPS]
    return names[min(names.index(name) + 1, len(names) - 1)]


def step_before(name: str) -> str | None:
    """The step before, None at the first."""
    names = [step.name for step in STEPS]
    place = names.index(name)
    return names[place - 1] if place else None


def step_of(field: str) -> str:
    """The step in which a field stands."""
    return next((step.name for step in STEPS if field in step.fields), "review")


def errors_in(step: Step, typed: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the fields of one step alone, by field name; `typed` are the values of all steps."""
    schema = NoticeIn(only=step.fields)
    found = schema.validate(filled({name: typed.get(name) for name in step.fields}))
    if not needs_registration(str(typed.get("method") or Method.RANDOM)) and not typed.get("registration_ends_at"):
        found.pop("registration_ends_at", None)  # nobody registers for a direct selection
    return {name: _messages(messages) for name, messages in found.items()}


def _messages(found: Any) -> list[str]:
    if isinstance(found, Mapping):
        return [message for part in found.values() for message in _messages(part)]
    return [str(message) for message in found]


def filled(content: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something; what was left empty counts as not sent."""
    return {name: value for name, value in content.items() if value not in ("", None, [])}


def of_step(step: Step, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What a step keeps: every field of it, so that emptying one is kept too."""
    return {name: as_typed(name, typed.get(name, "")) for name in step.fields}


def as_typed(name: str, value: Any) -> Any:
    """A stored value as somebody would type it: yuan, Beijing's wall clock, plain text."""
    if isinstance(value, datetime):
        return value.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, int) and isinstance(NoticeIn().fields.get(name), MoneyField):
        return Money(value).yuan
    return str(value) if isinstance(value, UUID | int) else value


def all_as_typed(values: Mapping[str, Any], names: Iterable[str] | None = None) -> dict[str, Any]:
    """Stored values as a form would send them."""
    known = NoticeIn().fields if names is None else names
    return {name: as_typed(name, values[name]) for name in known if name in values and name != "version"}
