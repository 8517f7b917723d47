"""Input of delivery: one schema for the JSON body and the HTML form."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import has_request_context, request
from marshmallow import fields, post_load, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, text, version_field
from app.web.session import current_actor
from delivery import queries
from delivery.queries import ParcelFilter, Tab
from delivery.services.batches import AddToBatch, OfferBatch, RemoveFromBatch, TakeOver
from delivery.services.lookup import Track
from delivery.services.orders import Dispute
from delivery.services.packing import Check, Pack
from delivery.services.tracking import ConfirmDelivery
from delivery.services.waybills import EnterNumber, PrintLabel
from delivery.states import ParcelState

HEAVIEST_G: Final = 30_000


class PackIn(InputSchema):
    """What the packer declares."""

    command = Pack
    seal_no = text(
        N_("Seal number"), longest=40, hint=N_("Scan the seal, or type what is printed on it."), autocomplete="off"
    )
    weight_g = fields.Integer(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Range(1, HEAVIEST_G, error=N_("Between 1 gram and 30 kilograms.")),
        metadata={"label": N_("Weight in grams"), "hint": N_("An envelope with one certificate weighs about 120 g.")},
    )
    contents_compared = fields.Boolean(
        load_default=False,
        metadata={"label": N_("I compared contents, certificate number and receiver with the order")},
    )
    version = version_field()


class CheckIn(InputSchema):
    """What the second person scans."""

    command = Check
    seal_no = text(
        N_("Seal number"), longest=40, hint=N_("Scan the seal of the envelope in your hand."), autocomplete="off"
    )
    version = version_field()


class ReasonIn(InputSchema):
    """A step that needs a reason."""

    command = Dispute
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class EnterNumberIn(InputSchema):
    """A number that the carrier told by telephone."""

    command = EnterNumber
    waybill_no = text(
        N_("Waybill number"), longest=40, hint=N_("As the carrier told it for this order."), autocomplete="off"
    )
    reason = text(N_("Who told it, and when"), longest=500)
    version = version_field()


class ConfirmDeliveryIn(InputSchema):
    """A doubtful delivery that did reach the receiver."""

    command = ConfirmDelivery
    signer_name = text(N_("Who has the parcel"), longest=60)
    reason = text(N_("How this was found out"), longest=2000, widget="textarea")
    version = version_field()


class ResolveIn(InputSchema):
    """What was done about a task."""

    resolution = text(N_("What was done"), longest=2000, widget="textarea")


class ScanIn(InputSchema):
    """A scanned or typed code."""

    command = AddToBatch
    code = text(N_("Code"), longest=200, hint=N_("Waybill number, parcel number or seal."), autocomplete="off")
    version = version_field()


class PrintLabelIn(InputSchema):
    """A print, and why it is a second one."""

    command = PrintLabel
    reason = text(N_("Why it is printed again"), required=False, longest=300, hint=N_("Only for a second print."))
    version = version_field()


class RemoveIn(InputSchema):
    """A line to be taken off a list."""

    command = RemoveFromBatch
    parcel_id = fields.UUID(required=True, error_messages=REQUIRED, metadata={"widget": "hidden"})
    version = version_field()


class OfferIn(InputSchema):
    """The hall's signature."""

    command = OfferBatch
    counted = fields.Integer(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Range(0, 10_000, error=N_("Between 0 and 10,000.")),
        metadata={"label": N_("Parcels counted"), "hint": N_("Count the parcels themselves, not the lines.")},
    )
    version = version_field()


def lines_of_this_batch() -> list[tuple[str, str]]:
    """The lines of the list that this request is about, as choices."""
    batch_id = (request.view_args or {}).get("object_id") if has_request_context() else None
    if not isinstance(batch_id, UUID):
        return []
    return [(str(line.parcel_id), f"{line.waybill_no}  {line.receiver} {line.place}")
            for line in queries.batch_view(batch_id, current_actor()).lines]  # fmt: skip


class TakeOverIn(InputSchema):
    """The courier's signature."""

    command = TakeOver
    courier_name = text(N_("Courier's name"), longest=40, autocomplete="off")
    courier_staff_no = text(N_("Courier's staff number"), longest=40, autocomplete="off")
    counted = fields.Integer(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Range(0, 10_000, error=N_("Between 0 and 10,000.")),
        metadata={"label": N_("Parcels received"), "hint": N_("Without the missing ones.")},
    )
    missing = fields.List(
        fields.UUID(),
        load_default=(),
        metadata={
            "label": N_("Missing"),
            "hint": N_("Tick what is on the list but not here: it stays with the hall."),
            "widget": "checkboxes",
            "choices": lines_of_this_batch,
        },
    )
    remark = text(N_("Remark"), required=False, longest=500)
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> TakeOver:
        return TakeOver(**{**data, "missing": tuple(data["missing"])})


class TrackIn(InputSchema):
    """The public question."""

    command = Track
    number = text(N_("Waybill or delivery number"), longest=60, autocomplete="off")
    secret = text(N_("Last four digits of the mobile number, or pick-up code"), longest=12, autocomplete="off")


class ParcelQuery(InputSchema):
    """What a list is narrowed by."""

    tab = fields.Enum(Tab, by_value=True, load_default=None, allow_none=True)
    state = fields.String(load_default=None, validate=validate.OneOf([None, *ParcelState]))
    q = fields.String(load_default=None, validate=validate.Length(max=60))
    near = fields.String(load_default="", validate=validate.Length(max=200))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> tuple[ParcelFilter, int]:
        return ParcelFilter(data["tab"], data["state"], data["q"]), data["page"]


class PageQuery(InputSchema):
    """Only the page number."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))
