"""Pages and API of outgoing messages: addresses, their log, replay, and what receivers must know."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from marshmallow import ValidationError, fields, post_load, validate
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.calendar import start_of_day
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.inbox import once
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, actions_of, api_actions, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.schemas import REQUIRED, InputSchema, text, version_field
from app.web.session import current_actor
from app.webhooks import catalogue, queries, services
from app.webhooks.policy import MANAGE
from app.webhooks.queries import DeliveryView, EndpointView, LogFilter
from app.webhooks.services import Replay, Subscribe
from app.webhooks.states import DELIVERY_LABELS, ENDPOINT, DeliveryState, EndpointState

pages = Blueprint("webhooks", __name__, template_folder="templates")
api = Blueprint("webhooks_api", __name__, url_prefix="/api")

TONES = {EndpointState.ACTIVE: "success", EndpointState.PAUSED: "warning", EndpointState.REMOVED: "neutral"}
DELIVERY_TONES = {
    DeliveryState.WAITING: "waiting", DeliveryState.DELIVERED: "success", DeliveryState.FAILED: "danger",
    DeliveryState.HELD: "warning",
}  # fmt: skip
_CHOICE = N_("Must be one of the choices.")


def _types() -> list[tuple[str, str]]:
    return [(event.kind, event.label) for event in catalogue.known()]


class SubscribeIn(InputSchema):
    """An address for messages, and which types it wants."""

    url = text(
        N_("Address of your receiver"), longest=500, hint=N_("https://… — it must be reachable from the internet.")
    )
    description = text(N_("What it is for"), longest=200)
    events = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(min=1, max=50, error=N_("Please fill this in.")),
        error_messages=REQUIRED,
        metadata={"label": N_("Types of messages"), "widget": "checkboxes", "choices": _types},
    )
    version = version_field()

    @post_load
    def _build(self, data: Any, **_kwargs: Any) -> Subscribe:
        return Subscribe(data["url"], data["description"], tuple(data["events"]), data["version"])


class ReplayIn(InputSchema):
    """Which messages are sent again: those made on these days."""

    since = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("From day")})
    until = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("To day")})
    only_missed = fields.Boolean(load_default=True, metadata={"label": N_("Only what never arrived")})

    @post_load
    def _build(self, data: Any, **_kwargs: Any) -> Replay:
        return Replay(start_of_day(data["since"]), start_of_day(data["until"] + timedelta(days=1)), data["only_missed"])


def _all_types() -> list[tuple[str, str]]:
    return [*_types(), (catalogue.PING, catalogue.PING_LABEL)]


class LogQuery(InputSchema):
    """Deliveries by what has become of them, by type, and by the days on which they were made."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([str(s) for s in DeliveryState], error=_CHOICE),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(s), DELIVERY_LABELS[s]) for s in DeliveryState]},
    )  # fmt: skip
    kind = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=60),
        metadata={"label": N_("Type"), "widget": "select", "choices": _all_types},
    )  # fmt: skip
    since = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("From day")})
    until = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("To day")})
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000), metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Any, **_kwargs: Any) -> tuple[LogFilter, int]:
        since = start_of_day(data["since"]) if data["since"] else None
        until = start_of_day(data["until"] + timedelta(days=1)) if data["until"] else None
        return LogFilter(data["state"], data["kind"], since, until), data["page"]


ACTIONS = {
    "pause": Action(services.pause),
    "resume": Action(services.resume, done=N_("Messages are sent again. Replay what was held back.")),
    "remove": Action(
        services.remove, danger=True, explain=N_("No message is sent there any more. The secret becomes void.")
    ),
}


@pages.get("/webhooks")
@requires(MANAGE)
def listed() -> str:
    """The addresses of my organisation."""
    return render_template(
        "webhooks/list.html",
        endpoints=queries.endpoints_of(current_actor()),
        labels=ENDPOINT.labels,
        tones=TONES,
        words=catalogue.labels(),
    )


@pages.route("/webhooks/new", methods=["GET", "POST"])
@requires(MANAGE)
def new() -> BaseResponse | str | tuple[str, int]:
    """Add an address; the answer shows its secret, this once."""
    if request.method == "GET":
        return render_template("webhooks/form.html", form=Form(SubscribeIn()), endpoint=None)
    actor = current_actor()
    raw = parsing.form_values(SubscribeIn)
    shown: dict[str, str] = {}

    def effect() -> dict[str, Any]:
        endpoint_id, shown["secret"] = services.subscribe(actor, SubscribeIn().load(raw))
        return {"id": str(endpoint_id)}

    try:
        key = request.form.get("idempotency_key")
        answer = once(actor, "webhook:subscribe", key, raw, effect) if key else effect()
    except (ValidationError, DomainError) as refusal:
        return _form_again(raw, refusal, None)
    assert answer is not None, "the effect answers with an id"
    if "secret" not in shown:
        return redirect(url_for("webhooks.endpoint", object_id=answer["id"]), 303)
    return render_template("webhooks/secret.html", secret=shown["secret"], endpoint_id=answer["id"]), 201


def _form_again(raw: Any, refusal: ValidationError | DomainError, view: EndpointView | None) -> tuple[str, int]:
    if isinstance(refusal, NotFound | NotAllowed):
        raise refusal
    form = Form(SubscribeIn(), raw, errors_of(refusal))
    return render_template("webhooks/form.html", form=form, endpoint=view), getattr(refusal, "status", 422)


@pages.get("/webhooks/<uuid:object_id>")
@signed_in
def endpoint(object_id: UUID) -> str:
    """One address with its log."""
    actor = current_actor()
    view = queries.endpoint_page(actor, object_id)
    wanted, number = parsing.query(LogQuery)
    return render_template(
        "webhooks/endpoint.html",
        endpoint=view,
        state_label=ENDPOINT.labels[EndpointState(view.state)],
        next_step=ENDPOINT.next_step.get(EndpointState(view.state)),
        tone=TONES[EndpointState(view.state)],
        actions=actions_of(ENDPOINT, view.state, view.parts, href=f"/webhooks/{view.id}", table=ACTIONS, version=view.version),
        page=queries.deliveries_page(view.id, wanted, number=number),
        form=Form(LogQuery(exclude=("page",)), request.args.to_dict()),
        is_filtered=wanted != LogFilter(),
        replay_form=Form(ReplayIn(), {"only_missed": True}),
        words=catalogue.labels(),
        labels=DELIVERY_LABELS,
        tones=DELIVERY_TONES,
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )  # fmt: skip


@pages.route("/webhooks/<uuid:object_id>/edit", methods=["GET", "POST"])
@signed_in
def edit(object_id: UUID) -> BaseResponse | str | tuple[str, int]:
    """Change address, description or types."""
    actor = current_actor()
    view = queries.endpoint_page(actor, object_id)
    if request.method == "GET":
        values = {
            "url": view.url,
            "description": view.description,
            "events": list(view.events),
            "version": view.version,
        }
        return render_template("webhooks/form.html", form=Form(SubscribeIn(), values), endpoint=view)
    raw = parsing.form_values(SubscribeIn)
    try:
        services.change(actor, object_id, SubscribeIn().load(raw))
    except (ValidationError, DomainError) as refusal:
        return _form_again(raw, refusal, view)
    flash(_("Saved."), "success")
    return redirect(url_for("webhooks.endpoint", object_id=object_id), 303)


@pages.post("/webhooks/<uuid:object_id>/rotate")
@signed_in
def rotate(object_id: UUID) -> BaseResponse | str:
    """Make a new secret and show it, this once; a second click makes no second one."""
    shown: dict[str, str] = {}

    def effect() -> dict[str, Any]:
        shown["secret"] = services.rotate(current_actor(), object_id)
        return {}  # the secret itself is kept nowhere but with the address

    _once(object_id, "rotate", effect)
    if "secret" not in shown:
        flash(
            _("A new secret was made already; it was shown once. If you did not copy it, make another one."), "warning"
        )
        return redirect(url_for("webhooks.endpoint", object_id=object_id), 303)
    return render_template("webhooks/secret.html", secret=shown["secret"], endpoint_id=object_id)


def _once(object_id: UUID, step: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Take a step of a form once for its key; a repeat answers what the first one answered. 404 for a stranger."""
    actor = current_actor()
    queries.endpoint_page(actor, object_id)
    key = request.form.get("idempotency_key")
    if not key:
        return effect()
    return once(actor, f"webhook:{object_id}:{step}", key, request.form.to_dict(flat=False), effect) or {}


@pages.post("/webhooks/<uuid:object_id>/ping")
@signed_in
def ping(object_id: UUID) -> BaseResponse:
    """Send a test message."""
    _once(object_id, "ping", lambda: {"delivery_id": str(services.ping(current_actor(), object_id))})
    flash(_("A test message is on its way. Look at the log in a moment."), "success")
    return redirect(url_for("webhooks.endpoint", object_id=object_id), 303)


@pages.post("/webhooks/<uuid:object_id>/replay")
@signed_in
def replay(object_id: UUID) -> BaseResponse:
    """Send the messages of some days again."""
    queries.endpoint_page(current_actor(), object_id)  # 404 for a stranger, whatever was typed
    wanted = parsing.form(ReplayIn)
    done = _once(object_id, "replay", lambda: {"count": services.replay(current_actor(), object_id, wanted)})
    flash(_("Messages sent again: %(count)s.", count=done["count"]), "success")
    return redirect(url_for("webhooks.endpoint", object_id=object_id), 303)


@pages.get("/webhooks/<uuid:object_id>/deliveries/<uuid:delivery_id>")
@signed_in
def delivery(object_id: UUID, delivery_id: UUID) -> str:
    """One message with every try and the receiver's answers."""
    view = queries.endpoint_page(current_actor(), object_id)
    found, body, attempts = queries.delivery_page(view.id, delivery_id)
    return render_template(
        "webhooks/delivery.html", endpoint=view, delivery=found, body=body, attempts=attempts, words=catalogue.labels(),
        label=DELIVERY_LABELS[DeliveryState(found.state)], tone=DELIVERY_TONES[DeliveryState(found.state)],
    )  # fmt: skip


@pages.post("/webhooks/<uuid:object_id>/deliveries/<uuid:delivery_id>/replay")
@signed_in
def replay_one(object_id: UUID, delivery_id: UUID) -> BaseResponse:
    """Send one message again."""
    sent = partial(services.replay_one, current_actor(), object_id, delivery_id)
    _once(object_id, f"replay:{delivery_id.hex[:12]}", lambda: {"delivery_id": str(sent())})
    flash(_("The message is on its way again."), "success")
    return redirect(url_for("webhooks.endpoint", object_id=object_id), 303)


@pages.get("/webhooks/receivers")
@requires(MANAGE)
def receivers() -> str:
    """What whoever writes a receiver must know, with code that verifies a signature."""
    return render_template("webhooks/receivers.html", words=_types(), ping=(catalogue.PING, catalogue.PING_LABEL))


# --- the same as JSON -------------------------------------------------------------------------------------------------


@api.get("/webhooks")
@requires(MANAGE)
@operation(N_("List my organisation's addresses for messages"), tag="webhooks")
def list_endpoints() -> Response:
    """All addresses that are not removed."""
    return jsonify(items=[endpoint_json(view) for view in queries.endpoints_of(current_actor())])


@api.post("/webhooks")
@requires(MANAGE)
@operation(N_("Add an address for messages"), body=SubscribeIn, tag="webhooks", status=201)
def subscribe() -> tuple[Response, int]:
    """Add an address. The answer holds its secret, this once."""
    actor = current_actor()
    endpoint_id, secret = services.subscribe(actor, parsing.body(SubscribeIn))
    return jsonify(endpoint_json(queries.endpoint_page(actor, endpoint_id)) | {"secret": secret}), 201


@api.get("/webhooks/<uuid:object_id>")
@signed_in
@operation(N_("Read an address for messages"), tag="webhooks")
def read_endpoint(object_id: UUID) -> Response:
    """One address."""
    return jsonify(endpoint_json(queries.endpoint_page(current_actor(), object_id)))


@api.get("/webhooks/<uuid:object_id>/deliveries")
@signed_in
@operation(N_("List the deliveries to an address"), query=LogQuery, tag="webhooks")
def list_deliveries(object_id: UUID) -> Response:
    """A page of the log, newest first."""
    view = queries.endpoint_page(current_actor(), object_id)
    wanted, number = parsing.query(LogQuery)
    page = queries.deliveries_page(view.id, wanted, number=number)
    return page_answer(page, [delivery_json(one) for one in page.items])


@api.post("/webhooks/<uuid:object_id>/replay")
@signed_in
@operation(N_("Send messages again"), body=ReplayIn, tag="webhooks")
def call_replay(object_id: UUID) -> Response:
    """Send the messages of some days again; how many."""
    queries.endpoint_page(current_actor(), object_id)
    return jsonify(messages=services.replay(current_actor(), object_id, parsing.body(ReplayIn)))


def endpoint_json(view: EndpointView) -> dict[str, Any]:
    """An address as the API answers it."""
    possible = actions_of(
        ENDPOINT, view.state, view.parts, href=f"/webhooks/{view.id}", table=ACTIONS, version=view.version
    )
    return {
        "id": str(view.id),
        "url": view.url,
        "description": view.description,
        "events": list(view.events),
        "state": view.state,
        "paused_reason": view.paused_reason,
        "failing_since": view.failing_since.isoformat() if view.failing_since else None,
        "accepted_at": view.accepted_at.isoformat() if view.accepted_at else None,
        "version": view.version,
        "actions": api_actions(possible),
    }


def delivery_json(view: DeliveryView) -> dict[str, Any]:
    """A delivery as the API answers it."""
    return {
        "id": str(view.id),
        "webhook_id": f"msg_{view.message_id.hex}",
        "type": view.kind,
        "state": view.state,
        "tries": view.tries,
        "is_replay": view.is_replay,
        "created_at": view.created_at.isoformat(),
        "due_at": view.due_at.isoformat() if view.due_at else None,
        "finished_at": view.finished_at.isoformat() if view.finished_at else None,
        "last_status": view.last_status,
        "last_problem": view.last_problem,
    }


register_actions(
    pages, api, machine=ENDPOINT, path="/webhooks/<uuid:object_id>", table=ACTIONS, view=queries.endpoint_page,
    detail="webhooks.endpoint", to_json=endpoint_json,
)  # fmt: skip
