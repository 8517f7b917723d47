"""A notice as the values of its form."""

from collections.abc import Mapping
from typing import Any

from marketplace.queries.procurements import ProcurementView
from marketplace.services.commands import Avoided
from marketplace.web.schemas.procurements import NoticeIn


def notice_values(view: ProcurementView) -> Mapping[str, Any]:
    """What the publish form shows for a stored notice: every field as it would be typed."""
    names = (name for name in NoticeIn().fields if name not in {"avoided", "justifications"})
    values = {name: getattr(view, name) for name in names}
    lines = (Avoided(uscc, reason) for uscc, _, reason in view.avoided)
    values["avoided"] = "\n".join(f"{conflict.uscc} {conflict.reason}" for conflict in lines)
    return {name: "" if value is None else value for name, value in values.items()}
