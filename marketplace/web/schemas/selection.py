"""What comes in about selections: the method's part of a notice, the comparison sheet, the choice, the request for a direct selection."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, UploadField, text, version_field
from marketplace.rules.selection.terms import DIRECT_GROUND_LABELS, Criterion, DirectGround, MethodTerms
from marketplace.services.commands import ChooseAgency, HandInComparison, RequestDirect, ScoredRow

_CRITERION_LINE = re.compile(r"(.+?)\s*[,，:：\s]\s*([0-9]{1,3})\s*[%％]?")
PRICE_WORDS: Final = frozenset({"价格", "报价", "price"})
"""How a line of the criteria names the price, which the machine scores."""

METHOD_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "floor_fen": ("bid_low", "bid_ref", "merit_plan", "combined"),
    "rounds": ("bid_low",),
    "round_minutes": ("bid_low",),
    "big_list": ("merit_credit",),
    "small_list": ("merit_credit", "combined"),
    "criteria": ("merit_plan",),
}
"""The fields of a notice that belong to some methods only; a form shows them beside the method that needs them."""


class CriteriaField(fields.Field[tuple[Criterion, ...]]):
    """Weighted criteria: a JSON list of `{"name", "weight", "is_price"}`, or one line each: the name, a blank, the per cent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Criterion, ...]:  # noqa: ARG002
        if isinstance(value, str):
            return tuple(_criterion(line.strip()) for line in value.splitlines() if line.strip())
        if not isinstance(value, list) or len(value) > 20:
            raise ValidationError(N_("Not a valid list."))
        found = []
        for row in value:
            known = isinstance(row, dict) and {"name", "weight"} <= set(row) <= {"name", "weight", "is_price"}
            if not known or not isinstance(row["name"], str) or type(row["weight"]) is not int:
                raise ValidationError(N_("Each criterion needs a name and its weight in per cent."))
            found.append(Criterion(row["name"].strip()[:80], row["weight"], bool(row.get("is_price"))))
        return tuple(found)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:  # noqa: ARG002
        return "\n".join(f"{criterion.name} {criterion.weight}" for criterion in value or ())


def _criterion(line: str) -> Criterion:
    match = _CRITERION_LINE.fullmatch(line)
    if match is None or len(match[1]) > 80:
        raise ValidationError(N_("Write one criterion per line: its name, a blank, its weight in per cent."))
    return Criterion(match[1], int(match[2]), match[1].casefold() in PRICE_WORDS)


def _count(label: str, hint: str, *, least: int, most: int) -> fields.Integer:
    return fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=least, max=most, error=N_("This number is not allowed here.")),
        metadata={"label": label, "hint": hint, "widget": "number"},
    )


class MethodTermsFields(Schema):
    """The method's part of a notice. A schema that inherits it calls `with_terms` on what it loaded."""

    floor_fen = MoneyField(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=10**13, error=N_("The amount must be above zero.")),
        metadata={"label": N_("Lowest limit of a quote"), "hint": N_("Empty: no lowest limit.")},
    )
    rounds = _count(
        N_("Bidding rounds"), N_("After the first round the agencies may only lower their quotes."), least=1, most=9
    )
    round_minutes = _count(N_("Length of a further round (minutes)"), "", least=1, most=240)
    big_list = _count(
        N_("Size of the big list"), N_("The best by credit; who is level with the last also stays."), least=2, most=1000
    )
    small_list = _count(
        N_("Size of the small list"),
        N_("How many are drawn for your choice, or shortlisted for the draw."),
        least=2,
        most=1000,
    )
    criteria = CriteriaField(
        load_default=(),
        metadata={
            "label": N_("Criteria and their weights"),
            "hint": N_(
                "One per line: name, blank, per cent; together 100. The line 价格 (price) is scored by the machine."
            ),
            "widget": "textarea",
        },
    )


def with_terms(values: Mapping[str, Any]) -> dict[str, Any]:
    """Loaded values with the method's fields gathered into `method_terms`; a method keeps only the fields it uses."""
    found = dict(values)
    terms = {}
    for name, methods in METHOD_FIELDS.items():
        value = found.pop(name, None)
        if found["method"] in methods and value is not None:
            terms[name] = value
    found["method_terms"] = MethodTerms(**terms)
    return found


def terms_of(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Stored terms as the values of a form."""
    found = MethodTerms.from_json(terms)
    lines = "\n".join(f"{criterion.name} {criterion.weight}" for criterion in found.criteria)
    return {name: getattr(found, name) for name in METHOD_FIELDS} | {"criteria": lines}


class ScoresField(fields.Field[tuple[ScoredRow, ...]]):
    """Rows of a comparison sheet: a JSON list of `{"registration_id", "scores": [{"points", "reason"}]}`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[ScoredRow, ...]:  # noqa: ARG002
        if not isinstance(value, list) or len(value) > 1000:
            raise ValidationError(N_("Not a valid list."))
        return tuple(_scored_row(row) for row in value)


def _scored_row(row: Any) -> ScoredRow:
    if not isinstance(row, dict) or set(row) != {"registration_id", "scores"} or not isinstance(row["scores"], list):
        raise ValidationError(N_("Each row names an agency and its scores."))
    scores = []
    for score in row["scores"]:
        known = isinstance(score, dict) and set(score) == {"points", "reason"}
        if not known or type(score["points"]) is not int or not isinstance(score["reason"], str):
            raise ValidationError(N_("A score is a whole number from 0 to 100 with its reason."))
        scores.append((score["points"], score["reason"].replace("\x00", "")[:2000]))
    try:
        return ScoredRow(UUID(str(row["registration_id"])), tuple(scores))
    except ValueError as bad:
        raise ValidationError(N_("Not a valid UUID.")) from bad


class ComparisonIn(InputSchema):
    """A whole comparison sheet."""

    command = HandInComparison
    rows = ScoresField(required=True, error_messages=REQUIRED)
    version = version_field()


class ChooseIn(InputSchema):
    """The choice from the small list."""

    command = ChooseAgency
    registration_id = fields.UUID(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Agency"), "widget": "radio"}
    )
    reason = text(
        N_("Reason of the choice"), longest=2000, widget="textarea", hint=N_("It is published with the result.")
    )
    version = version_field()


class DirectIn(InputSchema):
    """A request for a direct selection."""

    command = RequestDirect
    uscc = text(N_("Credit code of the agency"), longest=18, hint=N_("After failures: one of those that registered."))
    ground = fields.String(
        required=True,
        validate=validate.OneOf([str(ground) for ground in DirectGround], error=N_("Must be one of the choices.")),
        error_messages=REQUIRED,
        metadata={
            "label": N_("Ground"),
            "widget": "radio",
            "choices": [(str(ground), label) for ground, label in DIRECT_GROUND_LABELS.items()],
        },
    )
    reason = text(N_("Reason"), longest=2000, widget="textarea", hint=N_("It is published with the result."))
    document = UploadField(
        load_default=None,
        metadata={
            "label": N_("Record of the collective decision"),
            "hint": N_("Needed with public money."),
            "widget": "file",
            "accept": ACCEPT,
        },
    )
    version = version_field()
