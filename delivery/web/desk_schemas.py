"""Input of the hall's desk: returns, differences, the day, claims."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import has_request_context, request
from marshmallow import EXCLUDE, fields, post_load, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, text, version_field
from delivery.models.differences import Resolution
from delivery.models.returns import ReturnDecision
from delivery.queries.differences import RESOLUTIONS, differences_of
from delivery.queries.returns import CAUSES, DECISIONS
from delivery.services.differences import ResolveDifference
from delivery.services.returns import DecideReturn, ReceiveReturn


class ReturnIn(InputSchema):
    """A parcel scanned in at the returns desk."""

    class Meta:  # noqa: D106
        unknown = EXCLUDE  # the scan box sends its token beside the code

    code = text(N_("Code"), longest=200)
    cause = fields.String(load_default="", validate=validate.OneOf(["", *CAUSES]))
    seal_broken = fields.Boolean(load_default=False)
    remark = text(N_("Remark"), required=False, longest=500)

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ReceiveReturn:
        return ReceiveReturn(data["code"], data["cause"], not data["seal_broken"], data["remark"])


class ReturnQuery(InputSchema):
    """Which part of the desk's register."""

    ended = fields.Boolean(load_default=False)
    near = fields.String(load_default="", validate=validate.Length(max=200))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))


class DecideReturnIn(InputSchema):
    """What happens to a parcel on the returns desk."""

    command = DecideReturn
    decision = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(list(ReturnDecision)),
        metadata={"label": N_("Decision"), "widget": "radio", "choices": [(str(k), v) for k, v in DECISIONS.items()]},
    )  # fmt: skip
    reason = text(N_("Reason"), longest=500, widget="textarea", hint=N_("For example what the receiver said."))
    version = version_field()


def open_lines() -> list[tuple[str, str]]:
    """The open differences of the list that this request is about, as choices."""
    batch_id = (request.view_args or {}).get("object_id") if has_request_context() else None
    if not isinstance(batch_id, UUID):
        return []
    return [
        (str(each.parcel_id), f"{each.waybill_no}  {each.number}")
        for each in differences_of(batch_id)
        if not each.resolved_at
    ]


class ResolveDifferenceIn(InputSchema):
    """What became of one missing parcel."""

    command = ResolveDifference
    parcel_id = fields.UUID(
        required=True, error_messages=REQUIRED,
        metadata={"label": N_("Parcel"), "widget": "select", "choices": open_lines},
    )  # fmt: skip
    resolution = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(list(Resolution)),
        metadata={"label": N_("What became of it"), "widget": "radio", "choices": [(str(k), v) for k, v in RESOLUTIONS.items()]},
    )  # fmt: skip
    reason = text(N_("Reason"), longest=500, widget="textarea", hint=N_("Where it was found, who says so."))
    version = version_field()
