"""Security headers of every answer (ASVS 5.0 3.4)."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response

from app.settings import Settings

TWO_YEARS = 63_072_000
STRIPE_API = "https://api.stripe.com"
STRIPE_CHECKOUT = "https://checkout.stripe.com"
ALIPAY_PAGES = "https://*.alipay.com"


def checkout_origin(settings: Settings) -> str:
    """The origin of the payment page to which a form's answer redirects.

    Browsers apply `form-action` to the redirects after a form, so this one origin has to be allowed there.
    """
    if settings.stripe_public_url:
        return origin(settings.stripe_public_url)
    if settings.stripe_base_url.rstrip("/") == STRIPE_API:
        return STRIPE_CHECKOUT
    return origin(settings.stripe_base_url)


def cashiers(settings: Settings) -> tuple[str, ...]:
    """All origins to which paying may lead: that page, and Alipay's own pages where Alipay is paid directly."""
    return (checkout_origin(settings), ALIPAY_PAGES) if settings.alipay else (checkout_origin(settings),)


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def content_security_policy(settings: Settings) -> str:
    """Nothing but our own files; nothing inline; no frame around us."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            f"form-action 'self' {' '.join(cashiers(settings))}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )


def security_headers(settings: Settings) -> dict[str, str]:
    """The fixed headers of this installation."""
    headers = {
        "Content-Security-Policy": content_security_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # scanning uses the camera of the page itself; nothing else is used
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    }
    if settings.is_production:
        headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"
    return headers


def init_app(app: Flask) -> None:
    """Add the headers to every answer, errors included."""
    fixed = security_headers(app.extensions["chaoshi_settings"])

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        return response
