"""What comes in about the service item list."""

import json
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, text, version_field
from marketplace.rules.categories import CATEGORY_LABELS, Category
from marketplace.services.catalogue import ItemContent
from marketplace.states.catalogue import Commissioner, PricingMode

CATEGORY_CHOICES = tuple((str(c), CATEGORY_LABELS[c]) for c in Category)
PRICING_LABELS = {
    PricingMode.MARKET: N_("Market price"),
    PricingMode.GUIDED: N_("Government-guided price"),
    PricingMode.GOVERNMENT: N_("Government price"),
}
COMMISSIONER_LABELS = {
    Commissioner.APPLICANT: N_("The applicant commissions and pays"),
    Commissioner.AUTHORITY: N_("The approving authority commissions and pays"),
}


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
    version = version_field()


class VersionQuery(InputSchema):
    """The keepers' list of versions."""

    state = FormText(load_default=None)
    page = fields.Integer(load_default=1, validate=validate.Range(min=1))
