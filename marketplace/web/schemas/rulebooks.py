"""The form of a proposed rule book: one field for each parameter, typed by its default."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load

from app.kernel.money import Money
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, text
from marketplace.rulebook import PARAMETERS, Parameter, RuleBook
from marketplace.services.rulebooks import ProposeChange

UNIT_LABELS: Final[Mapping[str, str]] = {
    "wd": N_("working day(s)"),
    "days": N_("day(s)"),
    "months": N_("month(s)"),
    "years": N_("year(s)"),
    "minutes": N_("minutes"),
    "hours": N_("hours"),
    "hour": N_("o'clock (Beijing)"),
    "fen": N_("yuan"),
    "percent": N_("per cent"),
    "bp": N_("per ten thousand"),
    "agencies": N_("agency(ies)"),
    "quotes": N_("quote(s)"),
    "rounds": N_("round(s)"),
    "times": N_("time(s)"),
    "ratio": N_("as a ratio"),
    "points": N_("points"),
}

SECTIONS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    (N_("Admission of agencies"), frozenset({"onboarding", "qualification", "agency", "change", "practitioner"})),
    (N_("Notice and registration"), frozenset({"notice", "avoidance", "question"})),
    (
        N_("Selection"),
        frozenset(
            {"random", "bid", "bidref", "merit_credit", "merit_plan", "merit", "method", "draw", "quote", "direct"}
        ),
    ),
    (N_("Result, objections and complaints"), frozenset({"result", "award", "objection", "query", "complaint"})),
    (N_("Contract and service"), frozenset({"contract", "filing", "late", "pay", "extension", "dispute"})),
    (N_("Rating and credit"), frozenset({"rating", "credit", "sanction", "giveup", "repair"})),
    (N_("Approval and delivery"), frozenset({"approval", "deliver"})),
    (N_("Search"), frozenset({"search"})),
)
OTHER: Final = N_("Further parameters")


def section_of(key: str) -> str:
    """The heading under which a parameter stands."""
    prefix = key.partition(".")[0]
    return next((title for title, prefixes in SECTIONS if prefix in prefixes), OTHER)


class NumberList(fields.Field[list[int]]):
    """Whole numbers separated by commas, in either width."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[int]:  # noqa: ARG002
        given = value if isinstance(value, list) else str(value).replace("，", ",").replace("、", ",").split(",")
        try:
            return [int(one) for one in given]
        except (TypeError, ValueError) as bad:
            raise ValidationError(N_("Write whole numbers, separated by commas.")) from bad


class WordList(fields.Field[list[str]]):
    """Words separated by commas, in either width; empty for none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:  # noqa: ARG002
        given = value if isinstance(value, list) else str(value).replace("，", ",").replace("、", ",").split(",")
        return [str(word).strip() for word in given if str(word).strip()]


class ProposalIn(InputSchema):
    """What every proposal says besides the parameters, which `PROPOSAL` adds under their names."""

    basis = text(
        N_("Legal basis"),
        longest=500,
        hint=N_("The document that decides it, with its number. It is published with the version."),
    )
    reason = text(N_("Reason for the change"), longest=2000, widget="textarea")
    effective_from = fields.Date(
        required=True,
        error_messages=REQUIRED,
        metadata={
            "label": N_("Holds from"),
            "widget": "date",
            "hint": N_("A day after today. What began before ends under its own version."),
        },
    )

    @post_load
    def _proposal(self, data: dict[str, Any], **_: Any) -> ProposeChange:
        parameters = {parameter.key: data[parameter.name] for parameter in PARAMETERS}
        return ProposeChange(parameters, data["basis"], data["reason"], data["effective_from"])


def _field(parameter: Parameter) -> fields.Field[Any]:
    metadata: dict[str, Any] = {"label": parameter.label, "hint": UNIT_LABELS.get(parameter.unit, "")}
    if parameter.choices:
        hint = ", ".join(parameter.choices)
        return WordList(load_default=list, metadata={**metadata, "hint": hint, "widget": "text"})
    if isinstance(parameter.default, bool):
        return fields.Boolean(load_default=False, metadata={**metadata, "widget": "checkbox"})
    if parameter.unit == "fen":
        return MoneyField(required=True, error_messages=REQUIRED, metadata=metadata)
    kind: type[fields.Field[Any]] = fields.Integer
    if isinstance(parameter.default, tuple):
        kind = NumberList
    elif isinstance(parameter.default, float):
        kind = fields.Float
    elif isinstance(parameter.default, str):
        kind = fields.String
    return kind(required=True, error_messages=REQUIRED, metadata={**metadata, "widget": "text"})


PROPOSAL: Final[type[ProposalIn]] = type("RuleBookIn", (ProposalIn,), {p.name: _field(p) for p in PARAMETERS})


def values_of(book: RuleBook) -> dict[str, Any]:
    """A rule book as the form shows it."""
    parameters = book.as_parameters()
    return {p.name: shown(p, parameters[p.key]) for p in PARAMETERS}


def shown(parameter: Parameter, value: object) -> Any:
    """One value as people read and type it: yuan for fen, numbers with commas for lists."""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if parameter.unit == "fen" and isinstance(value, int):
        return Money(value).grouped
    return value
