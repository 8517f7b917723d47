"""A machine's edges as buttons, links and API actions: one table, one pair of routes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Actor
from app.kernel.errors import DomainError, IllegalTransition, NotAllowed, NotFound
from app.kernel.inbox import once
from app.kernel.states import Machine
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import signed_in
from app.web.idempotency import answer_once, at_most_once
from app.web.operations import Operation
from app.web.schemas import InputSchema, PlainIn
from app.web.session import current_actor

Run = Callable[[Actor, UUID, Any], Any]


@dataclass(frozen=True)
class Action:
    """How an edge is taken over the web: the schema of its input and the use case `run(actor, object_id, command)`.

    `prefill(actor, object_id)` gives the form's first values; `explain` is a catalogue message above the form;
    `done` the message after it.
    """

    run: Run
    schema: type[InputSchema] = PlainIn
    label: str = ""
    explain: str = ""
    done: str = N_("Done.")
    prefill: Callable[[Actor, UUID], Mapping[str, Any]] | None = None
    danger: bool = False


@dataclass(frozen=True)
class ActionView:
    """A button (POST at once) or a link to a form (`needs_form`); `label` is translated."""

    name: str
    label: str
    href: str
    needs_form: bool
    danger: bool
    primary: bool
    version: int | None = None
    method: str = "post"
    idempotency_key: str = field(default_factory=lambda: uuid4().hex)


def actions_of(
    machine: Machine,
    state: str,
    parts: Iterable[StrEnum],
    *,
    href: str,
    table: Mapping[str, Action],
    version: int | None = None,
) -> tuple[ActionView, ...]:
    """Return what an actor with `parts` may do now; `href` is the object's page address."""
    views = []
    for edge in machine.allowed(state, parts):
        action = table.get(edge.action)
        if action is None:
            continue
        needs_form = not Form(action.schema()).is_blank or bool(action.explain)
        label = gettext(action.label or edge.label)
        views.append(
            ActionView(
                name=edge.action,
                label=label,
                href=f"{href}/actions/{edge.action}",
                needs_form=needs_form,
                danger=edge.danger or action.danger,
                primary=edge.primary,
                version=version,
                method="get" if needs_form else "post",
            )
        )
    return tuple(views)


def action_link(
    href: str, name: str, action: Action, *, primary: bool = False, version: int | None = None
) -> ActionView:
    """Return the view of an action that is no edge of a machine (for example asking for a pause)."""
    needs_form = not Form(action.schema()).is_blank or bool(action.explain)
    return ActionView(
        name=name,
        label=gettext(action.label),
        href=f"{href}/actions/{name}",
        needs_form=needs_form,
        danger=action.danger,
        primary=primary,
        version=version,
        method="get" if needs_form else "post",
    )


def register_actions(
    pages: Blueprint,
    api: Blueprint,
    *,
    path: str,
    table: Mapping[str, Action],
    view: Callable[[Actor, UUID], Any],
    detail: str,
    to_json: Callable[[Any], dict[str, Any]],
    machine: Machine | None = None,
    name: str = "",
    money: bool = False,
) -> None:
    """Add the action routes of one kind of object; with `money`, the API refuses a step without an `Idempotency-Key`.

    `path` is like "/procurements/<uuid:object_id>"; `view(actor, id)` returns the object's view (with `state`,
    `version`, `title`) or raises NotFound for what the actor may not see; `detail` is the endpoint of its page;
    `to_json` turns the view into the API's answer.
    """
    prefix = name or (machine.name if machine else path.strip("/").split("/")[0])

    def find(action_name: str) -> Action:
        action = table.get(action_name)
        if action is None:
            raise NotFound
        return action

    def label_of(action_name: str, action: Action) -> str:
        if action.label or machine is None:
            return str(gettext(action.label))
        edge = next((e for e in machine.transitions if e.action == action_name), None)
        return str(gettext(edge.label)) if edge else action_name

    def run(object_id: UUID, action_name: str, action: Action, command: Any, key: str | None, raw: Any) -> None:
        """Take the step of a form, once for its key."""
        actor = current_actor()

        def effect() -> None:
            action.run(actor, object_id, command)

        if key:
            once(actor, f"{prefix}:{object_id}:{action_name}", key, raw, effect)
        else:
            effect()

    def form_page(object_id: UUID, action_name: str, form: Form, status: int = 200) -> Response:
        action = find(action_name)
        seen = view(current_actor(), object_id)
        page = render_template(
            "action.html",
            form=form,
            label=label_of(action_name, action),
            explain=gettext(action.explain) if action.explain else "",
            danger=action.danger,
            object=seen,
            back=url_for(detail, object_id=object_id),
            idempotency_key=uuid4().hex,
        )
        return Response(page, status=status, mimetype="text/html")

    @signed_in
    def show(object_id: UUID, action_name: str) -> BaseResponse:
        action = find(action_name)
        actor = current_actor()
        seen = view(actor, object_id)
        values = dict(action.prefill(actor, object_id)) if action.prefill else {}
        values.setdefault("version", getattr(seen, "version", None))
        return form_page(object_id, action_name, Form(action.schema(), values))

    @signed_in
    def submit(object_id: UUID, action_name: str) -> BaseResponse:
        action = find(action_name)
        view(current_actor(), object_id)  # what is not theirs to see answers like what does not exist
        raw = parsing.form_values(action.schema)
        key = request.form.get("idempotency_key")
        try:
            command = action.schema().load(raw)
            run(object_id, action_name, action, command, key, request.form.to_dict(flat=False))
        except ValidationError as failure:
            return form_page(object_id, action_name, Form(action.schema(), raw, errors_of(failure)), 422)
        except (NotFound, NotAllowed):
            raise
        except DomainError as refusal:
            if isinstance(refusal, IllegalTransition) or Form(action.schema()).is_blank:
                view(current_actor(), object_id)  # 404 for what is not theirs to see
                flash(gettext(refusal.detail or refusal.title, **refusal.params), "danger")
                return redirect(url_for(detail, object_id=object_id), 303)
            return form_page(object_id, action_name, Form(action.schema(), raw, errors_of(refusal)), refusal.status)
        flash(gettext(action.done), "success")
        return redirect(url_for(detail, object_id=object_id), 303)

    @signed_in
    def call(object_id: UUID, action_name: str) -> BaseResponse:
        action = find(action_name)
        actor = current_actor()
        view(actor, object_id)

        def respond() -> BaseResponse:
            command = parsing.body(action.schema)
            at_most_once(lambda: _nothing(action.run(actor, object_id, command)))
            return jsonify(to_json(view(current_actor(), object_id)))

        return cast("BaseResponse", answer_once(respond, required=money))

    call.needs_idempotency_key = money  # type: ignore[attr-defined]
    call.machine = machine  # type: ignore[attr-defined]
    call.action_table = table  # type: ignore[attr-defined]  # read by the OpenAPI builder
    call.operation = Operation(N_("Take a step"), tag=prefix, idempotent=True)  # type: ignore[attr-defined]
    address = f"{path}/actions/<action_name>"
    pages.add_url_rule(address, f"{prefix}_action_form", show, methods=["GET"])
    pages.add_url_rule(address, f"{prefix}_action", submit, methods=["POST"])
    api.add_url_rule(address, f"{prefix}_action", call, methods=["POST"])


def _nothing(_result: object) -> None:
    """What a step answers is not stored: the object is read anew."""


def api_actions(views: Iterable[ActionView]) -> list[dict[str, str]]:
    """Return the `actions` member of an API object."""
    return [{"name": v.name, "label": v.label, "href": f"/api{v.href}"} for v in views]
