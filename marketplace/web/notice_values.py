"""A notice as the values of its form."""

from collections.abc import Mapping
from typing import Any

from marketplace.queries.procurements import ProcurementView
from marketplace.services.commands import Avoided
from marketplace.web.schemas.procurements import NoticeIn
from marketplace.web.schemas.selection import METHOD_FIELDS, terms_of


def notice_values(view: ProcurementView) -> Mapping[str, Any]:
    """What the publish form shows for a stored notice: every field as it would be typed."""
    names = (name for name in NoticeIn().fields if name not in {"avoided", "justifications", *METHOD_FIELDS})
    values = {name: getattr(view, name) for name in names} | terms_of(view.method_terms)
    lines = (Avoided(uscc, reason) for uscc, _, reason in view.avoided)
    values["avoided"] = "\n".join(f"{conflict.uscc} {conflict.reason}" for conflict in lines)
    return {name: "" if value is None else value for name, value in values.items()}
