"""Input of the handset. Each record of an upload is read on its own, so that a broken one does not sink the others."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema
from delivery.doorstep import UPLOAD_LIMIT, FailReason, IdType, NextStep, RecordKind, Signer
from delivery.services.proofs import DoorReport
from delivery.services.rounds import TryCode
from delivery.services.stop_order import OrderStops

EARLIEST_MS: Final = 946_684_800_000
LATEST_MS: Final = 4_102_444_800_000
LARGEST_PHOTO: Final = 1_200_000
LARGEST_SIGNATURE: Final = 300_000
DEVICE_ID: Final = re.compile(r"[A-Za-z0-9-]{8,40}")
LAST4: Final = re.compile(r"[0-9A-Z]{4}")


class Moment(fields.Integer):
    """An instant of the handset's clock, in milliseconds since 1970."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:  # type: ignore[override]
        millis = super()._deserialize(value, attr, data, **kwargs)
        if millis is None or not EARLIEST_MS <= millis <= LATEST_MS:
            raise ValidationError(N_("Not a valid datetime."))
        return datetime.fromtimestamp(millis / 1000, UTC)


class Picture(fields.String):
    """Bytes as Base64, at most `largest`; what they are is looked at by the file store."""

    def __init__(self, largest: int) -> None:
        super().__init__(load_default=None, allow_none=True)
        self.largest = largest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs) or ""
        if len(text) > self.largest * 4 // 3 + 4:
            raise ValidationError(N_("The picture is too large."))
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as broken:
            raise ValidationError(N_("The picture is damaged.")) from broken


def short(longest: int) -> FormText:
    """Optional text that stays empty when it is not sent."""
    return FormText(load_default="", validate=validate.Length(max=longest, error=N_("This is too long.")))


class RecordIn(InputSchema):
    """One record of a handset."""

    id = fields.UUID(required=True, error_messages=REQUIRED)
    round_id = fields.UUID(required=True, error_messages=REQUIRED)
    parcel_id = fields.UUID(required=True, error_messages=REQUIRED)
    kind = fields.Enum(RecordKind, by_value=True, required=True, error_messages=REQUIRED)
    device_at = Moment(required=True, error_messages=REQUIRED)
    noted_offset_ms = fields.Integer(required=True, validate=validate.Range(-LATEST_MS, LATEST_MS))
    handset_no = fields.Integer(load_default=1, validate=validate.Range(1, 1000))
    signer = fields.Enum(Signer, by_value=True, load_default=None, allow_none=True)
    signer_name = short(60)
    id_type = fields.Enum(IdType, by_value=True, load_default=None, allow_none=True)
    id_last4 = short(4)
    code = short(12)
    reason = fields.Enum(FailReason, by_value=True, load_default=None, allow_none=True)
    next_step = fields.Enum(NextStep, by_value=True, load_default=None, allow_none=True)
    note = short(500)
    photo = Picture(LARGEST_PHOTO)
    signature = Picture(LARGEST_SIGNATURE)

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> DoorReport:
        if data["kind"] is RecordKind.DELIVERED and data["signer"] is None:
            raise ValidationError({"signer": [N_("Please fill this in.")]})
        if data["kind"] is RecordKind.FAILED and (data["reason"] is None or data["next_step"] is None):
            raise ValidationError({"reason": [N_("Please fill this in.")]})
        last4 = data["id_last4"].upper()
        if last4 and not LAST4.fullmatch(last4):
            raise ValidationError({"id_last4": [N_("Give the last four characters of the document.")]})
        facts = {name: value for name, value in data.items() if name != "noted_offset_ms"}
        facts |= {"id_last4": last4 or None, "code": data["code"] or None}
        return DoorReport(**facts, noted_offset=timedelta(milliseconds=data["noted_offset_ms"]))


class UploadIn(InputSchema):
    """An upload of a handset: at most twenty records, read one by one."""

    device_id = fields.String(required=True, error_messages=REQUIRED, validate=validate.Regexp(DEVICE_ID))
    sent_at = Moment(required=True, error_messages=REQUIRED)
    records = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        error_messages=REQUIRED,
        validate=validate.Length(1, UPLOAD_LIMIT),
    )


class OrderIn(InputSchema):
    """The order of visits."""

    parcel_ids = fields.List(fields.UUID(), required=True, error_messages=REQUIRED, validate=validate.Length(max=200))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> OrderStops:
        return OrderStops(tuple(data["parcel_ids"]))


class CodeIn(InputSchema):
    """A code named at the door."""

    command = TryCode
    code = FormText(required=True, error_messages=REQUIRED, validate=validate.Length(1, 12))
