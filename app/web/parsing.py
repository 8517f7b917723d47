"""The only callers of schemas: JSON bodies, HTML forms and query strings become typed commands or a ValidationError."""

from typing import Any

from flask import request
from marshmallow import ValidationError, fields
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.kernel.words import N_
from app.web.schemas import InputSchema

DEEPEST_JSON = 20
OUR_FIELDS = frozenset({"csrf_token", "idempotency_key", "pasted"})
"""What forms carry beside the fields of their schemas; `pasted` only helped to fill them in."""


def body(schema: type[InputSchema]) -> Any:
    """Read the JSON (or multipart) body. Raises ValidationError, 415 for another media type, 400 for broken JSON."""
    if request.mimetype == "multipart/form-data":
        return form(schema)
    if request.mimetype != "application/json":
        if not request.get_data():
            return schema().load({})
        raise UnsupportedMediaType
    try:
        data = request.get_json()
    except RecursionError as bomb:  # thousands of brackets exhaust the decoder before the depth can be measured
        raise BadRequest from bomb
    if not isinstance(data, dict):
        raise ValidationError(N_("Invalid input type."))
    if _depth(data) > DEEPEST_JSON:
        raise BadRequest
    return schema().load(data)


def form(schema: type[InputSchema]) -> Any:
    """Read the HTML form. A field left empty counts as not sent."""
    return schema().load(form_values(schema))


def form_values(schema: type[InputSchema]) -> dict[str, Any]:
    """Return what was typed, as the schema wants it: lists where it has lists, files where it has files."""
    known = schema().fields
    values: dict[str, Any] = {}
    for name, texts in request.form.lists():
        if name in OUR_FIELDS:
            continue
        filled = [t for t in texts if t.strip() != ""]
        if isinstance(known.get(name), fields.List):
            values[name] = filled
        elif isinstance(known.get(name), fields.Boolean):
            values[name] = filled[-1] if filled else False  # a hidden "false" before the checkbox
        elif filled:
            values[name] = filled[0]
    for name, files in request.files.lists():
        sent = [f for f in files if f.filename]
        if sent:
            values[name] = sent if isinstance(known.get(name), fields.List) else sent[0]
    return values


def query(schema: type[InputSchema]) -> Any:
    """Read the query string. A name given twice is refused unless the schema has a list there."""
    known = schema().fields
    values: dict[str, Any] = {}
    for name, texts in request.args.lists():
        filled = [t for t in texts if t.strip() != ""]
        if isinstance(known.get(name), fields.List):
            values[name] = filled
        elif len(filled) > 1:
            raise ValidationError({name: [N_("Given twice.")]})
        elif filled:
            values[name] = filled[0]
    return schema().load(values)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def flat_errors(messages: Any, pointer: str = "") -> list[tuple[str, str]]:
    """Flatten marshmallow's messages into (JSON pointer, message) pairs."""
    if isinstance(messages, dict):
        pairs = []
        for key, value in messages.items():
            step = "" if key == "_schema" else f"/{key}"
            pairs += flat_errors(value, pointer + step)
        return pairs
    if isinstance(messages, list):
        return [pair for message in messages for pair in flat_errors(message, pointer)]
    return [(pointer, str(messages))]
