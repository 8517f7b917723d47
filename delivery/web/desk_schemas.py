"""Input of the hall's desk: returns, differences, the day, claims."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import has_request_context, request
from marshmallow import EXCLUDE, fields, post_load, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, text, version_field
from delivery.models.differences import Resolution
from delivery.models.returns import ReturnDecision
from delivery.models.tasks import TaskKind
from delivery.queries.claims import GROUNDS
from delivery.queries.differences import RESOLUTIONS, differences_of
from delivery.queries.exceptions import TaskFilter
from delivery.queries.returns import CAUSES, DECISIONS
from delivery.services.claims import FileClaim, GrantClaim
from delivery.services.differences import ResolveDifference
from delivery.services.hall_days import CountDay
from delivery.services.returns import DecideReturn, ReceiveReturn
from delivery.states import CLAIM, HALL_DAY, ClaimState, HallDayState
from delivery.words import TASK_TITLES


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


class ExceptionQuery(InputSchema):
    """What the queue of exceptions is narrowed by."""

    kind = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([None, "", *TaskKind]),
        metadata={"label": N_("Kind"), "widget": "select", "choices": [(str(k), v) for k, v in TASK_TITLES.items()]},
    )  # fmt: skip
    owner = fields.String(
        load_default="", validate=validate.OneOf(["", "mine", "nobody"]),
        metadata={"label": N_("Responsible"), "widget": "select", "choices": [("mine", N_("me")), ("nobody", N_("nobody yet"))]},
    )  # fmt: skip
    q = text(N_("Parcel or waybill"), required=False, longest=60)
    overdue = fields.Boolean(load_default=False, metadata={"label": N_("Only overdue ones"), "widget": "checkbox"})
    settled = fields.Boolean(load_default=False, metadata={"label": N_("Settled ones"), "widget": "checkbox"})
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000), metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> tuple[TaskFilter, int]:
        wanted = TaskFilter(data["kind"] or None, data["owner"], data["overdue"], data["settled"], data["q"] or None)
        return wanted, data["page"]


def _count(label: str) -> fields.Integer:
    return fields.Integer(
        required=True, error_messages=REQUIRED, validate=validate.Range(0, 1_000_000, error=N_("Not below nought.")),
        metadata={"label": label, "widget": "number"},
    )  # fmt: skip


def _why(label: str) -> FormText:
    return text(label, required=False, longest=300)


class CountDayIn(InputSchema):
    """What lies on each shelf, and why it stays overnight."""

    counted_ready = _count(N_("Papers to be packed"))
    reason_ready = _why(N_("Why papers stay unpacked"))
    counted_packed = _count(N_("Envelopes to be checked"))
    reason_packed = _why(N_("Why envelopes stay unchecked"))
    counted_booking = _count(N_("Parcels without a number yet"))
    reason_booking = _why(N_("Why parcels stay without a number"))
    counted_waybilled = _count(N_("Parcels to be handed over"))
    reason_waybilled = _why(N_("Why parcels were not handed over"))
    counted_returned = _count(N_("Returns desk"))
    reason_returned = _why(N_("Why returned parcels stay"))
    reason_lists = _why(N_("Why lists stay open"))
    reason_differences = _why(N_("Why differences stay open"))
    reason_exceptions = _why(N_("Why overdue exceptions stay open"))
    remark = text(N_("Remark"), required=False, longest=500, widget="textarea")
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> CountDay:
        counted = {key.removeprefix("counted_"): value for key, value in data.items() if key.startswith("counted_")}
        reasons = {key.removeprefix("reason_"): value or "" for key, value in data.items() if key.startswith("reason_")}
        return CountDay(counted, reasons, data["remark"], data["version"])


class FileClaimIn(InputSchema):
    """A claim against the carrier."""

    command = FileClaim
    ground = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(list(GROUNDS)),
        metadata={"label": N_("Ground of the claim"), "widget": "radio", "choices": list(GROUNDS.items())},
    )  # fmt: skip
    asked_fen = MoneyField(
        required=True, error_messages=REQUIRED, validate=validate.Range(1, 100_000_00, error=N_("Between ¥0.01 and ¥100,000.")),
        metadata={"label": N_("Amount asked for"), "hint": N_("Postage, cost of making the papers again, and proven damage."), "widget": "money"},
    )  # fmt: skip
    statement = text(N_("Facts of the claim"), longest=2000, widget="textarea")
    version = version_field()


class GrantClaimIn(InputSchema):
    """The carrier's answer with an amount."""

    command = GrantClaim
    granted_fen = MoneyField(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Amount granted"), "widget": "money"}
    )
    reference = text(N_("The carrier's number of the claim"), longest=60)
    answer = text(N_("The carrier's words"), required=False, longest=2000, widget="textarea")
    version = version_field()


class ClaimQuery(InputSchema):
    """Which claims."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([None, "", *ClaimState]),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(k), CLAIM.labels[k]) for k in ClaimState]},
    )  # fmt: skip
    ground = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([None, "", *GROUNDS]),
        metadata={"label": N_("Ground of the claim"), "widget": "select", "choices": list(GROUNDS.items())},
    )  # fmt: skip
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000), metadata={"widget": "hidden"})


class DayQuery(InputSchema):
    """Which days."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([None, "", *HallDayState]),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(k), HALL_DAY.labels[k]) for k in HallDayState]},
    )  # fmt: skip
    first = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("From day"), "widget": "date"})
    last = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("To day"), "widget": "date"})
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000), metadata={"widget": "hidden"})
