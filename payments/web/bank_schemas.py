"""What comes in about bank transfers, and how an entry is told as JSON."""

from typing import Any

from flask_babel import gettext
from marshmallow import fields, validate

from app.kernel.clock import BEIJING
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, UploadField, text, version_field
from payments.gateways import gateways
from payments.queries.bank import EntryView
from payments.rules import BANK_TRANSFER
from payments.services import DecideEntry, EnterMovement, EnterRefundSent, HandInVoucher
from payments.states import BANK_ENTRY, BankEntryState

LARGEST_PAGE = 100_000


def accounts() -> list[tuple[str, str]]:
    """The bank accounts of this installation, by gateway code, as clerks know them."""
    return [
        (one.code, f"{account.holder} {account.number}")
        for one in gateways()
        if BANK_TRANSFER in one.caps.methods and (account := getattr(one, "account", None)) is not None
    ]


def _moved_at() -> fields.AwareDateTime:
    return fields.AwareDateTime(
        required=True, default_timezone=BEIJING,
        error_messages={**REQUIRED, "invalid": N_("Not a valid datetime.")},
        metadata={"label": N_("Booked at (Beijing time)"), "widget": "datetime"},
    )  # fmt: skip


def _bank_ref() -> Any:
    return text(
        N_("Serial number at the bank"), longest=60, hint=N_("As it stands on the statement; each movement once.")
    )


class VoucherIn(InputSchema):
    """Hand in the slip of a transfer."""

    command = HandInVoucher
    file = UploadField(
        required=True, error_messages=REQUIRED,
        metadata={"label": N_("Voucher"), "widget": "file", "accept": ".pdf,.png,.jpg,.jpeg",
                  "hint": N_("The slip of your bank as PDF or picture, at most 20 MiB.")},
    )  # fmt: skip
    note = text(N_("Note to the clerk"), required=False)


class EnterMovementIn(InputSchema):
    """Enter a line of the statement by which money came in."""

    command = EnterMovement
    gateway = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.Length(max=16),
        metadata={"label": N_("Account"), "widget": "select", "choices": accounts},
    )  # fmt: skip
    bank_ref = _bank_ref()
    counterparty = text(N_("Payer on the statement"), longest=120)
    amount_fen = MoneyField(
        required=True,
        validate=validate.Range(min=1, max=10**13, error=N_("The amount must be more than zero.")),
        error_messages=REQUIRED,
        metadata={"label": N_("Amount received (yuan)"), "widget": "money"},
    )
    moved_at = _moved_at()
    reference = text(N_("Payment reference"), required=False, longest=24,
                     hint=N_("The number JK-... that the payer wrote. Leave it empty if nobody knows: the money is then set aside."))  # fmt: skip


class EnterRefundSentIn(InputSchema):
    """Enter the line of the statement by which a refund left."""

    command = EnterRefundSent
    bank_ref = _bank_ref()
    counterparty = text(N_("Receiver on the statement"), longest=120)
    moved_at = _moved_at()


class ConfirmEntryIn(InputSchema):
    """Confirm another's entry."""

    command = DecideEntry
    version = version_field()


class RejectEntryIn(InputSchema):
    """Reject a wrong entry."""

    command = DecideEntry
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class EntryQuery(InputSchema):
    """Filter of the entries."""

    state = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf([str(s) for s in BankEntryState], error=N_("Must be one of the choices.")),
        metadata={"label": N_("State"), "widget": "select",
                  "choices": [(str(s), BANK_ENTRY.labels[s]) for s in BankEntryState]},
    )  # fmt: skip
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=LARGEST_PAGE))


def account_name(code: str) -> str:
    """The account of a gateway code in words."""
    return dict(accounts()).get(code, code)


def entry_json(view: EntryView) -> dict[str, Any]:
    """An entry as the API answers it."""
    return {
        "id": str(view.id),
        "number": view.number,
        "account": view.gateway,
        "direction": view.direction,
        "bank_ref": view.bank_ref,
        "amount_fen": view.amount_fen,
        "moved_at": view.moved_at.isoformat(),
        "payment_id": str(view.payment_id) if view.payment_id else None,
        "refund_id": str(view.refund_id) if view.refund_id else None,
        "payout_id": str(view.payout_id) if view.payout_id else None,
        "unmatched_id": str(view.unmatched_id) if view.unmatched_id else None,
        "state": view.state,
        "state_label": gettext(BANK_ENTRY.labels[BankEntryState(view.state)]),
        "version": view.version,
    }
