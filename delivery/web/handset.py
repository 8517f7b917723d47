"""The courier's handset: a page that installs itself, and the JSON that it lives on.

The page and its worker hold no personal data and are the same for everybody; what a courier carries comes as JSON, is
kept encrypted on the device, and leaves it when the round ends.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask_babel import gettext
from flask_wtf.csrf import generate_csrf
from marshmallow import ValidationError

from app.kernel import clock
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires
from app.web.operations import operation
from app.web.parsing import flat_errors
from app.web.session import current_actor
from delivery import policy, queries
from delivery import terms as rule_book
from delivery.doorstep import DEFAULT_NEXT, UPLOAD_LIMIT, FailReason, IdType, NextStep, Signer
from delivery.queries import CarriedRound, RoundRow
from delivery.queries.proofs import NEXT_STEPS, REASONS, SIGNERS
from delivery.services import proofs, rounds, stop_order
from delivery.services.proofs import Delivery, Outcome
from delivery.web.handset_schemas import CodeIn, OrderIn, RecordIn, UploadIn
from delivery.words import ID_TYPES

pages = Blueprint("handset", __name__, template_folder="../templates")
api = Blueprint("handset_api", __name__, url_prefix="/api/handset")
TAG = "handset"
WORKER: Final = Path(__file__).parents[2] / "app" / "web" / "static" / "js" / "handset" / "worker.js"
SHELL: Final = (
    "vendor/tabler/tabler.min.css", "css/chaoshi.css", "css/handset.css", "js/theme.js", "vendor/signature-pad/signature_pad.umd.min.js",
    "vendor/zxing/zxing.min.js", "js/handset/store.js", "js/handset/upload.js", "js/handset/scan.js", "js/handset/door.js",
    "js/handset/app.js", "vendor/icons/icons.svg", "img/mark.svg",
)  # fmt: skip
"""Everything that the page needs without a connection."""


def static_url(name: str) -> str:
    """The hashed address of a static file."""
    return str(current_app.jinja_env.globals["static_url"](name))  # type: ignore[operator]


# --- the page ---


@pages.get("/handset/")
@requires(policy.CARRY)
def shell() -> str:
    """The handset: one page with all its screens, without anybody's data."""
    return render_template(
        "delivery/handset.html", signers=[(each, SIGNERS[each]) for each in Signer], id_types=[(each, ID_TYPES[each]) for each in IdType],
        reasons=[(each, REASONS[each], DEFAULT_NEXT[each]) for each in FailReason], next_steps=[(each, NEXT_STEPS[each]) for each in NextStep],
        upload_limit=UPLOAD_LIMIT, code_tries=rule_book.in_force().code_tries,
    )  # fmt: skip


@pages.get("/handset/worker.js")
@public
def worker() -> Response:
    """The service worker, with the list of files that it keeps; it changes with any of them, which starts an update."""
    files = [static_url(name) for name in SHELL]
    body = WORKER.read_text(encoding="utf-8")
    template, _, _ = current_app.jinja_env.loader.get_source(current_app.jinja_env, "delivery/handset.html")  # type: ignore[union-attr]
    version = hashlib.sha256((body + template + "".join(files)).encode()).hexdigest()[:12]
    head = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(files)};\n"
    response = Response(head + body, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/handset/manifest.webmanifest")
@public
def manifest() -> Response:
    """What makes the page installable; browsers ask for it without cookies."""
    facts = {
        "id": "/handset/", "name": gettext("Courier's handset"), "short_name": gettext("Handset"), "start_url": "/handset/",
        "scope": "/handset/", "display": "standalone", "orientation": "portrait", "background_color": "#f5f7f8",
        "theme_color": "#0b6b74", "lang": "zh-Hans",
        "icons": [
            {"src": static_url(f"img/handset-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for size, purpose in ((192, "any"), (512, "any"), (512, "maskable"))
        ],
    }  # fmt: skip
    response = Response(json.dumps(facts, ensure_ascii=False), mimetype="application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


# --- its data ---


@api.get("/session")
@requires(policy.CARRY)
@operation(N_("Who carries, what time it is, and which rounds wait"), tag=TAG)
def session() -> Response:
    actor = current_actor()
    found = [_row_json(row) for row in queries.rounds_of_courier(actor)]
    return _private(courier=actor.name, server_ms=_now_ms(), csrf_token=generate_csrf(), rounds=found)


@api.get("/rounds/<uuid:object_id>")
@requires(policy.CARRY)
@operation(N_("A round as its courier carries it"), tag=TAG)
def carried(object_id: UUID) -> Response:
    return _carried(object_id)


@api.post("/rounds/<uuid:object_id>/set-out")
@requires(policy.CARRY)
@operation(N_("Take a round out"), tag=TAG)
def set_out(object_id: UUID) -> Response:
    rounds.set_out(current_actor(), object_id)
    return _carried(object_id)


@api.post("/rounds/<uuid:object_id>/order")
@requires(policy.CARRY)
@operation(N_("Write the order of visits"), body=OrderIn, tag=TAG)
def order(object_id: UUID) -> Response:
    stop_order.order_stops(current_actor(), object_id, parsing.body(OrderIn))
    return _private(done=True)


@api.post("/rounds/<uuid:object_id>/stops/<uuid:parcel_id>/code")
@requires(policy.CARRY)
@operation(N_("Compare a pick-up code at the door"), body=CodeIn, tag=TAG)
def code(object_id: UUID, parcel_id: UUID) -> Response:
    answer = rounds.try_code(current_actor(), object_id, parcel_id, parsing.body(CodeIn))
    return _private(check=answer.check, tries_left=answer.tries_left, is_locked=answer.is_locked)


@api.post("/rounds/<uuid:object_id>/finish")
@requires(policy.CARRY)
@operation(N_("End a round; its key is forgotten"), tag=TAG)
def finish(object_id: UUID) -> Response:
    rounds.finish(current_actor(), object_id)
    return _private(done=True)


@api.post("/records")
@requires(policy.CARRY)
@operation(N_("Upload records; each gets its own answer"), body=UploadIn, tag=TAG)
def records() -> Response:
    """A repeated upload gets the answers of the first one: nothing is stored twice."""
    upload = parsing.body(UploadIn)
    answers = [_one(upload["device_id"], upload["sent_at"], raw) for raw in upload["records"]]
    return _private(server_ms=_now_ms(), results=answers)


def _one(device_id: str, sent_at: Any, raw: dict[str, Any]) -> dict[str, Any]:
    try:
        report = RecordIn().load(raw)
    except ValidationError as failure:
        where = "; ".join(f"{pointer[1:]}: {gettext(text)}" for pointer, text in flat_errors(failure.messages))
        return {"id": str(raw.get("id", ""))[:40], "result": "refused", "code": "not-readable", "message": where}
    found = proofs.receive(current_actor(), Delivery(device_id, sent_at, (report,)))
    return _outcome_json(found[0])


def _outcome_json(found: Outcome) -> dict[str, Any]:
    return {
        "id": str(found.id), "result": found.result, "standing": found.standing, "doubts": list(found.doubts),
        "code": found.code, "message": gettext(found.message, **found.params) if found.message else "",
    }  # fmt: skip


def _row_json(row: RoundRow) -> dict[str, Any]:
    return {
        "id": str(row.id), "number": row.number, "work_day": row.work_day.isoformat(), "state": row.state,
        "stops": row.stops, "delivered": row.delivered, "failed": row.failed,
    }  # fmt: skip


def _carried(round_id: UUID) -> Response:
    found: CarriedRound = queries.carried_round(round_id, current_actor())
    stops = [
        {
            "parcel_id": str(stop.parcel_id), "number": stop.number, "waybill_no": stop.waybill_no, "name": stop.name,
            "mobile": stop.mobile, "county": stop.county, "address": stop.address, "contents": stop.contents,
            "who_may_sign": stop.who_may_sign, "code_hint": stop.code_hint, "state": stop.state, "tries_left": stop.tries_left,
            "is_locked": stop.is_locked,
        }
        for stop in found.stops
    ]  # fmt: skip
    return _private(
        id=str(found.id), number=found.number, work_day=found.work_day.isoformat(), state=found.state, key=found.key, handset_no=found.handset_no,
        server_ms=_now_ms(), stops=stops,
    )  # fmt: skip


def _now_ms() -> int:
    return round(clock.now().timestamp() * 1000)


def _private(**facts: Any) -> Response:
    """An answer that no cache keeps."""
    response = jsonify(**facts)
    response.headers["Cache-Control"] = "no-store"
    return response
