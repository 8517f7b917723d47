"""What comes in about the service item list."""

import json
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, UploadField, text, version_field
from marketplace.rules.categories import CATEGORY_LABELS, Category
from marketplace.rules.item_content import LONGEST, ItemContent
from marketplace.services.catalogue import Review, Schedule
from marketplace.services.item_imports import HandIn
from marketplace.states.catalogue import COMMISSIONER_LABELS, PRICING_LABELS, Commissioner, PricingMode

CATEGORY_CHOICES = tuple((str(c), CATEGORY_LABELS[c]) for c in Category)


def one_of(choices: Any) -> validate.OneOf:
    """Refuse anything but the choices."""
    return validate.OneOf([str(c) for c in choices], error=N_("Must be one of the choices."))


class RuleField(fields.Field[dict[str, Any]]):
    """A qualification rule: an object in JSON, its text in a form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as bad:
                raise ValidationError(N_("The qualification rule cannot be read.")) from bad
        if not isinstance(value, dict):
            raise ValidationError(N_("The qualification rule cannot be read."))
        return value


class CodesField(fields.Field[tuple[str, ...]]):
    """Public numbers: a list in JSON, a text with commas in a form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        parts = value.replace("，", ",").replace("、", ",").split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValidationError(N_("Not a valid list."))
        return tuple(dict.fromkeys(part.strip().upper() for part in parts if part.strip()))


class ItemQuery(InputSchema):
    """The list of items: one category, or all."""

    category = FormText(load_default=None, validate=one_of(Category))


class ItemPageQuery(InputSchema):
    """One item; `version` picks an earlier version."""

    version = fields.Integer(load_default=None, validate=validate.Range(min=1))


class ItemContentIn(InputSchema):
    """One version of an item, whole."""

    command = ItemContent

    name = text(N_("Name (Chinese)"), longest=120)
    name_en = text(N_("Name (English)"), longest=200)
    category = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(Category),
        metadata={"label": N_("Category"), "widget": "select", "choices": CATEGORY_CHOICES},
    )
    approval_served = text(N_("Approval served"))
    approvals = CodesField(
        load_default=(),
        metadata={
            "label": N_("Numbers of the approvals"),
            "hint": N_(
                "As on the list of powers, with commas between: PL-0101, PL-0102. Only these may then ask for it."
            ),
        },
    )
    legal_basis = text(N_("Legal basis"), longest=500, widget="textarea")
    commissioner = FormText(
        load_default=str(Commissioner.APPLICANT),
        validate=one_of(Commissioner),
        metadata={
            "label": N_("Who commissions"),
            "widget": "radio",
            "choices": tuple((str(k), v) for k, v in COMMISSIONER_LABELS.items()),
        },
    )
    self_preparation_allowed = fields.Boolean(
        load_default=False, metadata={"label": N_("The applicant may prepare it himself")}
    )
    qualification_text = text(N_("Qualification, in words"), longest=300)
    qualification_rule = RuleField(
        load_default=dict,
        metadata={
            "label": N_("Qualification rule"),
            "hint": N_(
                'For example {"kind": "mapping", "grade": "B"}; {} asks for nothing. "all" and "any" combine rules.'
            ),
            "widget": "textarea",
        },
    )
    limit_wd = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=400),
        metadata={"label": N_("Time limit in working days"), "hint": N_("Leave empty when the contract sets it.")},
    )
    limit_note = FormText(load_default="", metadata={"label": N_("Remark on the time limit")})
    pricing_mode = FormText(
        load_default=str(PricingMode.MARKET),
        validate=one_of(PricingMode),
        metadata={
            "label": N_("Pricing"),
            "widget": "select",
            "choices": tuple((str(k), v) for k, v in PRICING_LABELS.items()),
        },
    )
    guided_min = MoneyField(
        attribute="guided_min_fen",
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Lowest government price")},
    )
    guided_max = MoneyField(
        attribute="guided_max_fen",
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Highest government price")},
    )
    price_document = FormText(load_default="", metadata={"label": N_("Price document")})
    deliverable = text(N_("Deliverable"), longest=120)
    description = FormText(load_default="", metadata={"label": N_("Description"), "widget": "textarea"})
    change_note = FormText(
        load_default="",
        validate=validate.Length(max=LONGEST["change_note"], error=N_("This is too long.")),
        metadata={
            "label": N_("Reason for the change"),
            "hint": N_("Read by whoever reviews it, and shown in the history."),
            "widget": "textarea",
        },
    )
    version = version_field()


_OPINION = text(
    N_("Legality opinion"),
    longest=2000,
    widget="textarea",
    hint=N_("What was checked, and on what it rests. It is published with the version."),
)


class ReviewIn(InputSchema):
    """A legality review that finds no fault."""

    command = Review

    opinion = _OPINION
    version = version_field()


class ScheduleIn(InputSchema):
    """The same, with the day from which the version applies."""

    command = Schedule

    opinion = _OPINION
    effective_from = fields.Date(
        required=True,
        error_messages={**REQUIRED, "invalid": N_("Not a valid date.")},
        metadata={"label": N_("In force from"), "hint": N_("A day after today."), "widget": "date"},
    )
    version = version_field()


class HandInIn(InputSchema):
    """A table of items."""

    command = HandIn

    file = UploadField(
        required=True,
        error_messages=REQUIRED,
        metadata={
            "label": N_("Table (CSV or XLSX)"),
            "hint": N_(
                "At most 5 MiB and 2,000 rows. Begin with the exported list: its headings are understood in both languages."
            ),
            "widget": "file",
            "accept": ".csv,.xlsx",
        },
    )


class ComparisonQuery(InputSchema):
    """Which two versions of an item to compare; the newest with the one before it unless given."""

    before = fields.Integer(load_default=None, validate=validate.Range(min=1))
    after = fields.Integer(load_default=None, validate=validate.Range(min=1))


class ImportQuery(InputSchema):
    """A page of the imports."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1))


class VersionQuery(InputSchema):
    """The keepers' list of versions."""

    state = FormText(load_default=None)
    page = fields.Integer(load_default=1, validate=validate.Range(min=1))
