"""Filters of the list of result notices; they live in the address."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load, validate

from app.kernel.words import N_
from app.web.schemas import InputSchema, text
from marketplace.queries.results import OUTCOME_LABELS, Outcome, ResultFilter
from marketplace.rules.categories import CATEGORY_LABELS, Category
from marketplace.rules.selection.methods import METHOD_LABELS, Method
from marketplace.web.schemas.procurements import region_field

_CHOICE = N_("Must be one of the choices.")


class ResultQuery(InputSchema):
    """What the list is asked for."""

    q = text(N_("Words"), longest=100, required=False)
    outcome = fields.String(
        load_default="",
        validate=validate.OneOf(["", *Outcome], error=_CHOICE),
        metadata={
            "label": N_("Outcome"),
            "widget": "select",
            "choices": [(str(o), OUTCOME_LABELS[o]) for o in Outcome],
        },
    )
    method = fields.String(
        load_default="",
        validate=validate.OneOf(["", *Method], error=_CHOICE),
        metadata={
            "label": N_("Selection method"),
            "widget": "select",
            "choices": [(str(m), METHOD_LABELS[m]) for m in Method],
        },
    )
    category = fields.String(
        load_default="",
        validate=validate.OneOf(["", *Category], error=_CHOICE),
        metadata={
            "label": N_("Category"),
            "widget": "select",
            "choices": [(str(c), CATEGORY_LABELS[c]) for c in Category],
        },
    )
    region = region_field(N_("Region"), required=False)
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000), metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        values: dict[str, Any] = {name: "" if value is None else value for name, value in data.items()}
        return ResultFilter(**values)
