"""The OpenAPI 3.1 document, from the routes, their policies, schemas and state machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_babel import gettext
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from app.kernel.words import N_
from app.web.actions import Action
from app.web.guard import policy_of
from app.web.operations import Operation
from app.web.schemas import MoneyField, UploadField

VERSION = "1.0"
PROBLEM = "application/problem+json"
PARAMETER = re.compile(r"<(?:(?P<kind>[a-z]+):)?(?P<name>[a-z_]+)>")
KINDS: dict[str, dict[str, str]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
    "string": {"type": "string"},
    "path": {"type": "string"},
}
REFUSALS = {
    400: N_("The request could not be understood"),
    401: N_("Please sign in first"),
    403: N_("You may not do this"),
    404: N_("There is no such object, or it is not yours to see"),
    409: N_("The request conflicts with the present state"),
    415: N_("This kind of content is not accepted"),
    422: N_("Some entries need to be corrected"),
    429: N_("Too many attempts. Wait a little and try again."),
}


def document(app: Flask) -> dict[str, Any]:
    """Build the document in the language of the request."""
    plugin = MarshmallowPlugin(schema_name_resolver=_Names())
    spec = APISpec(
        title=gettext("Chaoshi: open interface"),
        version=VERSION,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": gettext(DESCRIPTION)},
        security=[{"bearer": []}, {"session": []}],
    )
    assert plugin.converter is not None  # set by APISpec
    plugin.map_to_openapi_type(MoneyField, "string", None)  # type: ignore[no-untyped-call]
    plugin.map_to_openapi_type(UploadField, "string", "binary")  # type: ignore[no-untyped-call]
    plugin.converter.add_attribute_function(_money_example)  # type: ignore[no-untyped-call]
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "session"})
    spec.components.schema("Problem", PROBLEM_SCHEMA)
    for path, operations in _paths(app).items():
        spec.path(path=path, operations=operations)
    return spec.to_dict()


DESCRIPTION = N_(
    "Everything that the pages do can be done here. Send `Authorization: Bearer <token>`; make a token on your account "
    "page or with POST /api/tokens. Amounts are in yuan with two decimals, instants in UTC. Refusals are problem "
    "documents (RFC 9457) with a stable `code` and, for entries, JSON pointers. Steps that must happen once take an "
    "`Idempotency-Key`."
)

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "code", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


class _Names:
    """Schema names that stay apart when two domains use the same class name."""

    def __init__(self) -> None:
        self.taken: dict[str, type[Schema]] = {}

    def __call__(self, schema: Any) -> str:
        cls = schema if isinstance(schema, type) else type(schema)
        plain = cls.__name__.strip("_")
        for name in (plain, f"{cls.__module__.split('.')[0].title()}{plain}", f"{cls.__module__}.{cls.__qualname__}"):
            if self.taken.setdefault(name, cls) is cls:
                return name
        raise AssertionError


def _money_example(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    label = field.metadata.get("label")
    hint = field.metadata.get("hint")
    words = " ".join(gettext(str(part)) for part in (label, hint) if part)
    if words:
        facts["description"] = words
    if isinstance(field, MoneyField):
        facts |= {"pattern": r"^\d+(\.\d{1,2})?$", "examples": ["1234.50"]}
    return facts


def _paths(app: Flask) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        described: Operation | None = getattr(view, "operation", None)
        if not rule.rule.startswith("/api/") or described is None:
            continue
        table: dict[str, Action] | None = getattr(view, "action_table", None)
        if table is None:
            for method in _methods(rule):
                facts = _operation(app, rule, described, method)
                paths.setdefault(_openapi_path(rule.rule), {})[method.lower()] = facts
        else:
            for name, action in table.items():
                path = _openapi_path(rule.rule.replace("<action_name>", name))
                paths[path] = {"post": _action(app, rule, described, name, action)}
    return paths


def _methods(rule: Rule) -> Iterator[str]:
    yield from sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _openapi_path(rule: str) -> str:
    return PARAMETER.sub(lambda found: "{" + found["name"] + "}", rule)


def _parameters(rule: str) -> list[dict[str, Any]]:
    return [
        {"name": found["name"], "in": "path", "required": True, "schema": KINDS.get(found["kind"] or "string", {})}
        for found in PARAMETER.finditer(rule)
    ]


def _operation(app: Flask, rule: Rule, described: Operation, method: str) -> dict[str, Any]:
    parameters: list[Any] = _parameters(rule.rule)
    if described.query is not None:
        parameters.append({"in": "query", "schema": described.query})
    if described.idempotent:
        parameters.append(_idempotency(app, rule))
    facts: dict[str, Any] = {
        "operationId": f"{rule.endpoint}.{method.lower()}",
        "summary": gettext(described.summary),
        "tags": [described.tag or rule.endpoint.split(".")[0]],
        "parameters": parameters,
        "responses": _responses(
            app, rule, described, has_input=described.body is not None or described.query is not None
        ),
    }
    if described.body is not None:
        facts["requestBody"] = _body(described.body)
    if _is_public(app, rule):
        facts["security"] = []
    return facts


IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
}


def _idempotency(app: Flask, rule: Rule) -> dict[str, Any]:
    needed = getattr(app.view_functions[rule.endpoint], "needs_idempotency_key", False)
    return {**IDEMPOTENCY, "required": needed}


def _action(app: Flask, rule: Rule, described: Operation, name: str, action: Action) -> dict[str, Any]:
    return {
        "operationId": f"{rule.endpoint}.{name}",
        "summary": gettext(action.label) if action.label else f"{gettext(described.summary)}: {name}",
        "tags": [described.tag],
        "parameters": [*_parameters(rule.rule.replace("<action_name>", name)), _idempotency(app, rule)],
        "requestBody": _body(action.schema),
        "responses": _responses(app, rule, described, has_input=True),
    }


def _body(schema: type[Schema]) -> dict[str, Any]:
    has_upload = any(
        isinstance(field.inner if isinstance(field, fields.List) else field, UploadField)
        for field in schema().fields.values()
    )
    media = "multipart/form-data" if has_upload else "application/json"
    return {"required": any(f.required for f in schema().fields.values()), "content": {media: {"schema": schema}}}


def _responses(app: Flask, rule: Rule, described: Operation, *, has_input: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": gettext(N_("The answer"))}
    if described.response is not None:
        answer["content"] = {"application/json": {"schema": _answer_schema(described)}}
    elif described.status != 204:
        answer["content"] = {"application/json": {"schema": {"type": "object"}}}
    codes = {404} if "<" in rule.rule else set()
    codes |= {400, 415, 422} if has_input else set()
    codes |= {429} if _is_public(app, rule) and has_input else set()
    if not _is_public(app, rule):
        codes |= {401, 403}
    if rule.methods and "GET" not in rule.methods:
        codes |= {403, 409}
    refusals = {
        str(code): {
            "description": gettext(REFUSALS[code]),
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for code in sorted(codes)
    }
    return {str(described.status): answer, **refusals}


def _answer_schema(described: Operation) -> Any:
    if not described.many:
        return described.response
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": described.response},
            "page": {"type": "integer"},
            "pages": {"type": "integer"},
            "total": {"type": ["integer", "null"]},
        },
        "required": ["items"],
    }


def _is_public(app: Flask, rule: Rule) -> bool:
    policy = policy_of(app, rule.endpoint)
    return policy is not None and policy.kind == "public"
