"""Where the carrier's notices arrive: stored at once, followed later, answered in the carrier's own format."""

import logging
import secrets

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from app.kernel.errors import NotFound
from app.web.csrf import signed_by_sender
from app.web.guard import public
from delivery import services
from delivery.carriers import chosen
from delivery.ports import PushRefused

notices = Blueprint("delivery_notices", __name__)
log = logging.getLogger(__name__)
LARGEST = 64 * 1024


@notices.post("/delivery/notice/<any(ems, kuaidi100):source>/<segment>")
@public
@signed_by_sender
def receive(source: str, segment: str) -> tuple[Response, int]:
    """A tracking notice (040002, or the aggregator's). Whatever it says, it only makes a query due."""
    expected: str = current_app.extensions["chaoshi_settings"].ems_notice_segment
    sender = chosen.carrier() if source == "ems" else chosen.second_source()
    if sender is None or not secrets.compare_digest(segment.encode(), expected.encode()):
        raise NotFound
    if (request.content_length or 0) > LARGEST:
        return jsonify(sender.acknowledge("", taken=False)), 413
    # a form is read as sent: `request.form` would consume the body before it can be stored
    raw = request.get_data(cache=True, parse_form_data=False)
    try:
        push = sender.open_push(raw, request.mimetype)
        services.record_notice(push, raw, sender.code)
    except PushRefused as refusal:
        log.warning("carrier notice refused", extra={"reason": str(refusal)[:120]})
        return jsonify(sender.acknowledge(refusal.serial_no, taken=False)), 400
    except SQLAlchemyError:
        log.exception("carrier notice not stored")
        return jsonify(sender.acknowledge(push.serial_no, taken=False)), 200
    return jsonify(sender.acknowledge(push.serial_no, taken=True)), 200
