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
STATUTORY = frozenset({BillKind.STATUTORY_FEE})
HELD = frozenset(BillKind) - STATUTORY


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

    return StripeGateway(settings.stripe_secret_key, settings.stripe_base_url, own_qr=settings.stripe_own_qr)


def _more_from_settings(settings: "Settings") -> tuple[PaymentGateway, ...]:
    """The direct gateways come first where they are configured: a wallet then no longer goes through Stripe."""
    made = [*_direct(settings), *_transfers(settings)]
    if settings.stripe_treasury_key:
        from payments.gateways.stripe import StripeGateway

        made.append(StripeGateway(settings.stripe_treasury_key, settings.stripe_base_url,
                                  code="stripe_treasury", kinds=STATUTORY))  # fmt: skip
    return tuple(made)


def _direct(settings: "Settings") -> list[PaymentGateway]:
    notices = settings.public_url.rstrip("/") + "/pay/notice/"
    made: list[PaymentGateway] = []
    if settings.alipay:
        from payments.gateways.alipay import AlipayAccount, AlipayGateway

        made.append(AlipayGateway(AlipayAccount(**dict(settings.alipay)), f"{notices}alipay"))
    if settings.wechat_pay:
        from payments.gateways.wechat import WeChatAccount, WeChatGateway

        made.append(WeChatGateway(WeChatAccount(**dict(settings.wechat_pay)), f"{notices}wechat_pay"))
    return made


def _transfers(settings: "Settings") -> list[PaymentGateway]:
    from payments.gateways.bank import BankTransferGateway

    accounts = (("bank", settings.bank_account, HELD), ("bank_treasury", settings.treasury_account, STATUTORY))
    return [BankTransferGateway(code, account, kinds) for code, account, kinds in accounts if account]
