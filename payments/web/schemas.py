"""What comes in about bills and payments: one schema for the JSON body and for the form."""

from marshmallow import fields, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, text, version_field
from payments.rules import METHOD_LABELS, METHODS
from payments.services import DecideRefund, StartPayment, VoidBill
from payments.states import BILL, REFUND, BillState, RefundState

LARGEST_PAGE = 100_000
LANGUAGES = ("zh", "en")


def _page() -> fields.Integer:
    return fields.Integer(load_default=1, validate=validate.Range(min=1, max=LARGEST_PAGE))


class PayIn(InputSchema):
    """Pay the whole bill. Without a method the payer chooses at the cashier. `language` is that of the cashier page."""

    command = StartPayment
    method = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(METHODS, error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("How do you want to pay?"),
            "widget": "radio",
            "choices": [(method, METHOD_LABELS[method]) for method in METHODS],
        },
    )
    language = fields.String(
        load_default="zh", validate=validate.OneOf(LANGUAGES, error=N_("Must be one of the choices.")),
        metadata={"widget": "hidden"},
    )  # fmt: skip


class PayFormIn(PayIn):
    """The same on our page, where one way to pay is always chosen."""

    method = fields.String(
        required=True,
        validate=validate.OneOf(METHODS, error=N_("Must be one of the choices.")),
        error_messages=REQUIRED,
        metadata=PayIn._declared_fields["method"].metadata,  # noqa: SLF001 - the one list of labels
    )


class VoidIn(InputSchema):
    """Cancel a bill that is no longer due."""

    command = VoidBill
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class ApproveRefundIn(InputSchema):
    """Let a refund go out."""

    command = DecideRefund
    version = version_field()


class RejectRefundIn(InputSchema):
    """Refuse a refund."""

    command = DecideRefund
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class AskRefundIn(InputSchema):
    """Ask for the money of a paid bill to go back to its payer."""

    reason = text(N_("Reason"), longest=2000, widget="textarea")


class BillQuery(InputSchema):
    """Filters of the counter. `side`: what I pay, what is paid to me, or (for supervision) all."""

    state = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf([str(s) for s in BillState], error=N_("Must be one of the choices.")),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(s), BILL.labels[s]) for s in BillState]},
    )  # fmt: skip
    side = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf(("payer", "payee", "all"), error=N_("Must be one of the choices.")),
        metadata={"widget": "hidden"},
    )  # fmt: skip
    page = _page()


class RefundQuery(InputSchema):
    """Filters of the refunds."""

    state = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf([str(s) for s in RefundState], error=N_("Must be one of the choices.")),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(s), REFUND.labels[s]) for s in RefundState]},
    )  # fmt: skip
    page = _page()


class PageQuery(InputSchema):
    """A page number alone."""

    page = _page()
