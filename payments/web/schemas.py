"""What comes in about bills and payments: one schema for the JSON body and for the form."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from app.kernel.words import N_
from app.web.forms import Form
from app.web.schemas import REQUIRED, InputSchema, MoneyField, text, version_field
from payments.gateways import offered
from payments.rules import BANK_TRANSFER, METHOD_LABELS, METHODS, MOST_TOGETHER
from payments.services import DecideRefund, StartPayment, VoidBill
from payments.states import BILL, REFUND, BillKind, BillState, RefundState
from payments.web import wording

LARGEST_PAGE = 100_000


@dataclass(frozen=True)
class BasketChoice:
    """Bills that are paid together, and how."""

    bill: list[UUID]
    method: str | None = None
    language: str = "zh"

    @property
    def start(self) -> StartPayment:
        """The part that the use case wants."""
        return StartPayment(self.method, self.language)


LANGUAGES = ("zh", "en")


def _page() -> fields.Integer:
    return fields.Integer(load_default=1, validate=validate.Range(min=1, max=LARGEST_PAGE))


class PayIn(InputSchema):
    """Pay the whole bill. Without a method the payer chooses at the cashier. `language` is that of the cashier page."""

    command: type[Any] | None = StartPayment
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


def pay_form(kind: str, amount_fen: int, language: str, *, by_code: bool = False) -> Form | None:
    """The form with the ways in which this amount of this kind of money can be paid here; None when there is none."""
    methods = [m for m in offered(BillKind(kind), amount_fen) if not (by_code and m == BANK_TRANSFER)]
    if not methods:
        return None
    schema = PayFormIn()
    choices = [(m, METHOD_LABELS[m], wording.method_note(m)) for m in methods]
    schema.fields["method"].metadata = {**schema.fields["method"].metadata, "choices": choices}
    return Form(schema, {"method": methods[0], "language": language})


class BasketQuery(InputSchema):
    """The bills that are to be paid together."""

    bill = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST_TOGETHER))


class PayTogetherIn(PayFormIn):
    """Pay these bills in one payment."""

    command: type[Any] | None = BasketChoice
    bill = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MOST_TOGETHER),
        error_messages=REQUIRED,
        metadata={"label": N_("Bills"), "widget": "hidden"},
    )


class PayTogetherBodyIn(PayIn):
    """The same for programs, which may leave the choice of the method to the cashier."""

    command: type[Any] | None = BasketChoice
    bill = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MOST_TOGETHER),
        metadata={"label": N_("Bills")},
    )


class CodeQuery(InputSchema):
    """The payment code on a bill, as it was typed or scanned."""

    code = text(N_("Payment code"), longest=60, autocomplete="off",
                hint=N_("Twenty digits; blanks do not matter."))  # fmt: skip


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
    """Ask for money of a paid bill to go back to its payer; without an amount, all that is held."""

    amount_fen = MoneyField(
        load_default=None, allow_none=True,
        metadata={"label": N_("Amount (yuan)"), "widget": "money", "hint": N_("Empty: all that is held.")},
    )  # fmt: skip

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
