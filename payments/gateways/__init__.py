"""The gateways behind the port, and which one this installation uses."""

from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from payments.ports import PaymentGateway

if TYPE_CHECKING:
    from app.settings import Settings

EXTENSION = "payments.gateway"


def init_app(app: Flask) -> None:
    """Leave a place for the gateway; it is built at first use, so that processes without payments do not load it."""
    app.extensions.setdefault(EXTENSION, None)


def gateway() -> PaymentGateway:
    """The gateway of this application."""
    known = current_app.extensions.get(EXTENSION)
    if known is None:
        known = _from_settings(cast("Settings", current_app.extensions["chaoshi_settings"]))
        current_app.extensions[EXTENSION] = known
    return cast("PaymentGateway", known)


def gateway_of(code: str) -> PaymentGateway:
    """The gateway that an attempt went to, by the code stored with it. Raises KeyError for one that is not set up."""
    here = gateway()
    if here.code == code:
        return here
    raise KeyError(code)


def _from_settings(settings: "Settings") -> PaymentGateway:
    from payments.gateways.stripe import StripeGateway

    return StripeGateway(settings.stripe_secret_key, settings.stripe_base_url)
