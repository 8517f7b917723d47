"""Input of the settlement with the carrier."""

from marshmallow import fields, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, UploadField, text, version_field
from delivery.queries.settlement import DIFFERENCE_LABELS, SIDES, ZONE_LABELS, hall_choices
from delivery.services.settlement import AddTariff, HandIn, NotePayment, ResolveBillDifference, ResolveKind
from delivery.states import CARRIER_BILL, CarrierBillState


class HandInBillIn(InputSchema):
    """The carrier's file of a month."""

    command = HandIn
    hall_organisation_id = fields.UUID(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("Hall"), "widget": "select", "choices": hall_choices},
    )
    month = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.Regexp(r"20\d\d-(0[1-9]|1[0-2])", error=N_("Write it as 2026-03.")),
        metadata={"label": N_("Billed month"), "hint": N_("Write it as 2026-03.")},
    )  # fmt: skip
    file = UploadField(
        required=True, error_messages=REQUIRED,
        metadata={"label": N_("Bill file"), "hint": N_("CSV or XLSX with 邮件号, 收寄日期, 重量(克), 分区, 类别, 金额(元)."), "widget": "file", "accept": ".csv,.xlsx"},
    )  # fmt: skip


def _whole(label: str, least: int, most: int) -> fields.Integer:
    return fields.Integer(
        required=True, error_messages=REQUIRED, validate=validate.Range(least, most), metadata={"label": label, "widget": "number"}
    )  # fmt: skip


def _fen(label: str) -> MoneyField:
    return MoneyField(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Range(0, 10_000_00),
        metadata={"label": label, "widget": "money"},
    )


class AddTariffIn(InputSchema):
    """A rate of the contract."""

    command = AddTariff
    zone = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(list(ZONE_LABELS)),
        metadata={"label": N_("Zone"), "widget": "select", "choices": [(str(k), v) for k, v in ZONE_LABELS.items()]},
    )  # fmt: skip
    valid_from = fields.Date(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Valid from"), "widget": "date"}
    )
    first_g = _whole(N_("First weight in grams"), 1, 30_000)
    first_fen = _fen(N_("Fee for the first weight"))
    next_g = _whole(N_("Further step in grams"), 1, 30_000)
    next_fen = _fen(N_("Fee for each further step"))
    return_percent = _whole(N_("Return in percent of the fee"), 0, 200)
    basis = text(N_("Contract and clause"), longest=200)


class ResolveBillDifferenceIn(InputSchema):
    """Which side is right."""

    command = ResolveBillDifference
    difference_id = fields.UUID(required=True, error_messages=REQUIRED, metadata={"widget": "hidden"})
    resolution = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(list(SIDES)),
        metadata={"label": N_("Which side is right"), "widget": "radio", "choices": list(SIDES.items())},
    )  # fmt: skip
    agreed_fen = MoneyField(
        load_default=None, allow_none=True,
        metadata={"label": N_("Amount agreed"), "hint": N_("Only where both agree on another amount."), "widget": "money"},
    )  # fmt: skip
    reason = text(N_("Reason"), longest=500, widget="textarea")
    version = version_field()


class ResolveKindIn(InputSchema):
    """Which side is right in everything of one kind."""

    command = ResolveKind
    kind = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(list(DIFFERENCE_LABELS)),
        metadata={"label": N_("Kind of difference"), "widget": "select", "choices": list(DIFFERENCE_LABELS.items())},
    )  # fmt: skip
    resolution = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(["theirs", "ours"]),
        metadata={"label": N_("Which side is right"), "widget": "radio", "choices": [(side, SIDES[side]) for side in ("theirs", "ours")]},
    )  # fmt: skip
    reason = text(N_("Reason"), longest=500, widget="textarea")
    version = version_field()


class NotePaymentIn(InputSchema):
    """What the treasury did."""

    command = NotePayment
    paid_on = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Paid on"), "widget": "date"})
    voucher_no = text(N_("Voucher number"), longest=60)
    version = version_field()


class DifferenceQuery(InputSchema):
    """Which differences of a bill."""

    kind = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([None, "", *DIFFERENCE_LABELS]),
        metadata={"label": N_("Kind of difference"), "widget": "select", "choices": list(DIFFERENCE_LABELS.items())},
    )  # fmt: skip
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000), metadata={"widget": "hidden"})


class BillQuery(InputSchema):
    """Which monthly bills."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([None, "", *CarrierBillState]),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(k), CARRIER_BILL.labels[k]) for k in CarrierBillState]},
    )  # fmt: skip
    month = fields.String(
        load_default="", validate=validate.Regexp(r"(20\d\d-(0[1-9]|1[0-2]))?", error=N_("Write it as 2026-03.")),
        metadata={"label": N_("Billed month")},
    )  # fmt: skip
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000), metadata={"widget": "hidden"})
