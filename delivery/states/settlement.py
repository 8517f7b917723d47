"""The monthly bill of the carrier, from the file to the payment order. Pure."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_
from delivery.states.parts import Part


class CarrierBillState(StrEnum):
    """States of a monthly bill (对账单)."""

    CHECKED = "checked"
    COMPARED = "compared"
    CONFIRMED = "confirmed"
    AGREED = "agreed"
    ORDERED = "ordered"
    PAID = "paid"
    DISCARDED = "discarded"


_S = CarrierBillState
CARRIER_BILL = Machine(
    name="carrier-bill",
    states=CarrierBillState,
    initial=CarrierBillState.CHECKED,
    transitions=(
        Transition("compare", (_S.CHECKED,), _S.COMPARED, (Part.ACCOUNTANT,), N_("Compare with our orders"), primary=True),
        Transition("confirm", (_S.COMPARED,), _S.CONFIRMED, (Part.ACCOUNTANT,), N_("Confirm for the platform"), primary=True),
        Transition(
            "reopen", (_S.CONFIRMED, _S.AGREED), _S.COMPARED, (Part.ACCOUNTANT, Part.SUPERVISOR), N_("Back to the differences"),
            needs_reason=True,
        ),
        Transition("countersign", (_S.CONFIRMED,), _S.AGREED, (Part.SUPERVISOR,), N_("Confirm for the carrier"), primary=True),
        Transition("order_payment", (_S.AGREED,), _S.ORDERED, (Part.ACCOUNTANT,), N_("Issue the payment order"), primary=True),
        Transition("note_payment", (_S.ORDERED,), _S.PAID, (Part.ACCOUNTANT,), N_("Note the payment"), primary=True),
        Transition(
            "discard", (_S.CHECKED, _S.COMPARED), _S.DISCARDED, (Part.ACCOUNTANT,), N_("Put the bill away"), needs_reason=True, danger=True
        ),
    ),
    labels={
        _S.CHECKED: N_("File checked"),
        _S.COMPARED: N_("Differences to be settled"),
        _S.CONFIRMED: N_("Confirmed here, carrier to confirm"),
        _S.AGREED: N_("Confirmed on both sides"),
        _S.ORDERED: N_("Payment ordered"),
        _S.PAID: N_("Bill paid"),
        _S.DISCARDED: N_("Put away"),
    },
    requires={
        _S.CONFIRMED: ("confirmed_by", "confirmed_at", "agreed_fen"),
        _S.AGREED: ("confirmed_by", "countersigned_by", "countersigned_at", "agreed_fen"),
        _S.ORDERED: ("confirmed_by", "countersigned_by", "agreed_fen", "payment_order_no", "ordered_at"),
        _S.PAID: ("payment_order_no", "paid_on", "voucher_no"),
    },
    next_step={
        _S.CHECKED: N_("Compare it with the parcels of the month; a file with problems is corrected and handed in again."),
        _S.COMPARED: N_("Settle every difference with a reason, then confirm."),
        _S.CONFIRMED: N_("The supervisor of the post confirms the same total."),
        _S.AGREED: N_("Issue the payment order to the finance office."),
        _S.ORDERED: N_("Note date and voucher when the treasury has paid."),
        _S.PAID: N_("Nothing more is to be done."),
        _S.DISCARDED: N_("Nothing more is to be done."),
    },
)  # fmt: skip
