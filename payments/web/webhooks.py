"""Where the gateway tells us things. Public and without CSRF token: the signature over the raw body is the proof."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.web.csrf import signed_by_sender
from app.web.guard import public
from payments import services

bp = Blueprint("payments_webhooks", __name__)
LARGEST = 256 * 1024


@bp.post("/pay/notice/stripe")
@signed_by_sender
@public
def stripe_notice() -> Response:
    """Store a genuine notice and answer at once; 200 also for one that is known or of no interest, 400 for a forged one."""
    return _stored("stripe", "")


@bp.post("/pay/notice/<any(alipay, wechat_pay):source>")
@signed_by_sender
@public
def direct_notice(source: str) -> Response:
    """The same for the direct gateways; Alipay repeats a notice until it reads the word it wants. 404 while they are off."""
    return _stored(source, "success" if source == "alipay" else "")


def _stored(source: str, thanks: str) -> Response:
    if (request.content_length or 0) > LARGEST:
        raise RequestEntityTooLarge
    raw = request.get_data(cache=False)
    if len(raw) > LARGEST:
        raise RequestEntityTooLarge
    services.record_notice(dict(request.headers), raw, source)
    return Response(thanks, 200, content_type="text/plain")
