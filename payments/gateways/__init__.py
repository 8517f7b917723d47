"""The gateways behind the port, and which one this installation uses."""

from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from payments.ports import PaymentGateway
from payments.rules import METHODS
from payments.states import BillKind

if TYPE_CHECKING:
    from app.settings import Settings

EXTENSION = "payments.gateway"
MORE = "payments.gateways"


def init_app(app: Flask) -> None:
    """Leave a place for the gateway; it is built at first use, so that processes without payments do not load it."""
    app.extensions.setdefault(EXTENSION, None)
    app.extensions.setdefault(MORE, None)


def gateway() -> PaymentGateway:
    """The gateway of this application."""
    known = current_app.extensions.get(EXTENSION)
    if known is None:
        known = _from_settings(cast("Settings", current_app.extensions["chaoshi_settings"]))
        current_app.extensions[EXTENSION] = known
    return cast("PaymentGateway", known)


def gateways() -> tuple[PaymentGateway, ...]:
    """All that this installation has set up; the first that can take a payment takes it."""
    more = current_app.extensions.get(MORE)
    if more is None:
        more = _more_from_settings(cast("Settings", current_app.extensions["chaoshi_settings"]))
        current_app.extensions[MORE] = more
    return (*more, gateway())


def gateway_of(code: str) -> PaymentGateway:
    """The gateway that an attempt went to, by the code stored with it. Raises KeyError for one that is not set up."""
    here = gateway()
    return here if here.code == code else {one.code: one for one in gateways()}[code]


def gateway_for(method: str | None, kind: BillKind) -> PaymentGateway | None:
    """The gateway that takes this kind of money by this method; without a method, the one whose cashier lets choose."""
    if method is None:
        here = gateway()
        return here if kind in here.caps.kinds else None
    return next((one for one in gateways() if method in one.caps.methods and kind in one.caps.kinds), None)


def offered(kind: BillKind, amount_fen: int) -> tuple[str, ...]:
    """The methods by which this amount of this kind of money can be paid here, in the order in which they are shown."""
    return tuple(
        method
        for method in METHODS
        if (one := gateway_for(method, kind)) and (one.caps.most_fen is None or amount_fen <= one.caps.most_fen)
    )


def _from_settings(settings: "Settings") -> PaymentGateway:
    from payments.gateways.stripe import StripeGateway

    return StripeGateway(settings.stripe_secret_key, settings.stripe_base_url)


def _more_from_settings(settings: "Settings") -> tuple[PaymentGateway, ...]:
    from payments.gateways.bank import BankTransferGateway

    made: list[PaymentGateway] = []
    held = frozenset({BillKind.SERVICE_FEE, BillKind.COURIER_FEE})
    if settings.bank_account:
        made.append(BankTransferGateway("bank", settings.bank_account, held))
    if settings.treasury_account:
        treasury = frozenset({BillKind.STATUTORY_FEE})
        made.append(BankTransferGateway("bank_treasury", settings.treasury_account, treasury))
    return tuple(made)
