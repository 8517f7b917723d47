"""The API's documents: the OpenAPI text and a page to read it, rendered here (no script, no other origin)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask_babel import get_locale
from markupsafe import Markup
from werkzeug.wrappers import Response

from app.kernel.words import N_
from app.web import openapi
from app.web.guard import public

bp = Blueprint("reference", __name__)

TAG_LABELS = {
    "Trust": N_("Public log and documents"),
    "account": N_("Account"),
    "administration": N_("Administration"),
    "admission": N_("Admission of agencies"),
    "agencies": N_("Agencies"),
    "agency": N_("Agency"),
    "bill": N_("Bill"),
    "bills": N_("Bills and payments"),
    "books": N_("Ledger"),
    "case": N_("Case"),
    "cases": N_("Approval cases"),
    "certificate": N_("Approval certificates"),
    "certificates": N_("Approval certificates"),
    "contract": N_("Contract"),
    "contracts": N_("Contracts"),
    "draws": N_("Random draws"),
    "item_version": N_("Service item"),
    "items": N_("Service items"),
    "listing": N_("Listing"),
    "listings": N_("Listings"),
    "membership": N_("Membership"),
    "notices": N_("Messages"),
    "organisations": N_("Organisations"),
    "parcel": N_("Parcel"),
    "parcels": N_("Parcels"),
    "procurement": N_("Procurement"),
    "procurements": N_("Procurements"),
    "rating": N_("Rating"),
    "refunds": N_("Refunds"),
    "search": N_("Search"),
    "user": N_("User accounts"),
    "workbench": N_("Workbench"),
}


@dataclass(frozen=True)
class Endpoint:
    """One operation as the page shows it."""

    method: str
    path: str
    anchor: str
    summary: str
    open_to_all: bool
    parameters: tuple[dict[str, Any], ...]
    body: str | None
    body_example: str | None
    responses: tuple[tuple[str, str, str | None], ...]


def _document() -> dict[str, Any]:
    """The document in the language of the request, built once for each language."""
    kept: dict[str, dict[str, Any]] = current_app.extensions.setdefault("chaoshi_openapi", {})
    locale = str(get_locale())
    if locale not in kept:
        kept[locale] = openapi.document(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001
    return kept[locale]


@bp.get("/api/openapi.json")
@public
def openapi_json() -> Response:
    """The OpenAPI 3.1 document."""
    return jsonify(_document())


@bp.get("/api/")
@public
def reference() -> str:
    """The reference page."""
    document = _document()
    return render_template(
        "reference.html", lead=_with_code(document["info"]["description"]), groups=_groups(document), labels=TAG_LABELS
    )


def _with_code(text: str) -> Markup:
    """Show what stands between backticks as code."""
    pieces = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(piece) if n % 2 else piece for n, piece in pieces)


def _groups(document: dict[str, Any]) -> dict[str, list[Endpoint]]:
    groups: dict[str, list[Endpoint]] = {}
    for path, operations in document["paths"].items():
        for method, facts in operations.items():
            if method == "parameters":
                continue
            groups.setdefault(facts["tags"][0], []).append(_endpoint(document, path, method, facts))
    return dict(sorted(groups.items()))


def _endpoint(document: dict[str, Any], path: str, method: str, facts: dict[str, Any]) -> Endpoint:
    content = facts.get("requestBody", {}).get("content", {})
    media = next(iter(content), None)
    schema = content[media]["schema"] if media else None
    responses = tuple(
        (code, answer["description"], _name(_first_schema(answer))) for code, answer in facts["responses"].items()
    )
    return Endpoint(
        method=method.upper(),
        path=path,
        anchor=facts["operationId"],
        summary=facts["summary"],
        open_to_all=facts.get("security") == [],
        parameters=tuple(_parameter(one) for one in facts.get("parameters", ())),
        body=_name(schema),
        body_example=_example_text(document, schema, media) if schema else None,
        responses=responses,
    )


def _parameter(facts: dict[str, Any]) -> dict[str, Any]:
    schema = facts.get("schema", {})
    kind = schema.get("type", "string")
    return {
        "name": facts["name"],
        "where": facts["in"],
        "required": facts.get("required", False),
        "kind": "/".join(kind) if isinstance(kind, list) else kind,
        "note": facts.get("description") or schema.get("description") or "",
        "choices": tuple(str(one) for one in schema.get("enum", ()) if one is not None),
    }


def _first_schema(answer: dict[str, Any]) -> dict[str, Any] | None:
    for media in answer.get("content", {}).values():
        schema = media.get("schema")
        return schema if isinstance(schema, dict) else None
    return None


def _name(schema: dict[str, Any] | None) -> str | None:
    if not schema:
        return None
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    items = schema.get("properties", {}).get("items", {}).get("items")
    return _name(items) if isinstance(items, dict) else None


def _example_text(document: dict[str, Any], schema: dict[str, Any], media: str | None) -> str | None:
    if media != "application/json":
        return None
    return json.dumps(_example(document, schema), ensure_ascii=False, indent=2)


def _example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A small made-up value of a schema."""
    if depth > 4:
        return None
    if "$ref" in schema:
        return _example(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _example(document, one, depth + 1) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(document, schema.get("items", {}), depth + 1)]
    return SAMPLES.get(schema.get("format", ""), SAMPLES.get(kind))


SAMPLES: dict[str, Any] = {
    "string": "…",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "uuid": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
    "email": "li@example.cn",
    "date": "2026-11-23",
    "date-time": "2026-11-23T02:00:00Z",
}
