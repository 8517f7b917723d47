"""`Idempotency-Key` of the API (IETF draft-ietf-httpapi-idempotency-key-header): a request that is sent again has one effect.

    @bp.post("/bills/<uuid:object_id>/payments")
    @signed_in
    @idempotent                       # 400 without a key
    def start_payment(object_id): ... at_most_once(effect) ...

The key belongs to the caller, the method and the address. While the first request is at work a second one is told 409;
the same key with another body 422; afterwards the stored answer is given again, with `Idempotent-Replayed: true`. A
request that was refused leaves no trace, so it may be corrected and sent again under its key. Keys are kept two days.
The effect marks the key in its own transaction (`at_most_once`): a process that dies between the effect and the answer
does not repeat it.
"""

import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from flask import Response, g, make_response, request
from werkzeug.datastructures import FileStorage

from app.kernel import clock
from app.kernel.db import db, lock, new_id, transaction, use_case
from app.kernel.errors import DomainError, Refused
from app.kernel.inbox import IdempotencyKey, fingerprint, insert_ignore
from app.kernel.words import N_
from app.web.session import current_actor

V = TypeVar("V", bound=Callable[..., Any])

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST = 255
AT_WORK = timedelta(seconds=60)
"""A process that has not answered after this long is taken for dead; the request may then be sent again."""
LARGEST_ANSWER = 256 * 1024

_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


class MissingKey(DomainError):
    """A request that must be safe to repeat came without its key."""

    code = "idempotency-key-missing"
    title = N_("Send an Idempotency-Key header: a money request must be safe to repeat.")
    status = 400


class MalformedKey(DomainError):
    """The key is no string of 1 to 255 visible characters."""

    code = "idempotency-key-malformed"
    title = N_(
        "The Idempotency-Key header is not well-formed: a quoted string of 1 to 255 characters, for example a UUID."
    )
    status = 400


class StillAtWork(DomainError):
    """The first request of this key has not been answered yet."""

    code = "idempotency-key-in-flight"
    title = N_("A request with this Idempotency-Key is being worked on. Ask again in a moment.")
    status = 409


def key_of(header: str | None) -> str | None:
    """The key of a header: a structured-field string (in quotes), or bare as many clients send it. None without one.

    Raises MalformedKey.
    """
    if header is None or not header.strip():
        return None
    text = header.strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is None and _BARE.fullmatch(text) is None:
        raise MalformedKey
    key = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted is not None else text
    if not 0 < len(key) <= LONGEST:
        raise MalformedKey
    return key


@dataclass(frozen=True)
class _Claim:
    row_id: UUID
    replay: Response | None = None


def idempotent(view: V) -> V:
    """Let the view run once for each key of its caller; refuse a request without a key."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return answer_once(functools.partial(view, *args, **kwargs), required=True)

    guarded.needs_idempotency_key = True  # type: ignore[attr-defined]  # read by the OpenAPI builder and the tests
    return cast("V", guarded)


def answer_once(respond: Callable[[], Any], *, required: bool) -> Any:
    """Answer this request, or give the stored answer of its key. Without a key it is just answered, unless `required`."""
    key = key_of(request.headers.get(HEADER))
    if key is None:
        if required:
            raise MissingKey
        return respond()
    claim = _claim(key)
    if claim.replay is not None:
        return claim.replay
    g.idempotency_claim = claim.row_id
    try:
        answer = make_response(respond())
    except BaseException:
        db.session.rollback()
        _let_go(claim.row_id)
        raise
    _keep(claim.row_id, answer)
    return answer


def at_most_once(effect: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
    """Run the effect of this request and mark its key in the same transaction; a repeat gets what it gave.

    Outside an idempotent request it just runs.
    """
    row_id: UUID | None = g.get("idempotency_claim")
    if row_id is None:
        return effect()
    with transaction():
        row = lock(IdempotencyKey, row_id)
        if row.answer is None:
            row.answer = {"given": effect()}
        return cast("dict[str, Any] | None", row.answer["given"])


@use_case
def _claim(key: str) -> _Claim:
    """Take the key for this request, or find what became of the first one. Raises StillAtWork, Refused (422)."""
    actor = current_actor()
    caller = f"{actor.user_id or 'anonymous'}:{actor.organisation_id or ''}"[:80]
    endpoint = f"{request.method} {request.path}"[:160]
    mark = _mark()
    moment = clock.now()
    fresh = insert_ignore(
        IdempotencyKey,
        {
            "id": new_id(),
            "caller": caller,
            "endpoint": endpoint,
            "key": key,
            "fingerprint": mark,
            "created_at": moment,
            "locked_until": moment + AT_WORK,
        },
    )
    row = db.session.scalars(
        sa.select(IdempotencyKey)
        .where(IdempotencyKey.caller == caller, IdempotencyKey.endpoint == endpoint, IdempotencyKey.key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if fresh:
        return _Claim(row.id)
    if row.fingerprint != mark:
        raise Refused("idempotency-key-reused", N_("This idempotency key was used for another request."))
    if row.response is not None:
        return _Claim(row.id, _replayed(row))
    if row.locked_until is not None and row.locked_until > moment:
        raise StillAtWork
    row.locked_until = moment + AT_WORK
    return _Claim(row.id)


def _mark() -> str:
    """What tells one body from another: the JSON content, the fields and files of a form, else the bytes; and the query."""
    data = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if request.mimetype == "multipart/form-data":  # whoever sends it again draws another boundary between its parts
        data = [sorted(request.form.items(multi=True)), sorted(map(_file_mark, request.files.items(multi=True)))]
    if data is None:
        data = hashlib.sha256(request.get_data(cache=True)).hexdigest()
    return fingerprint([data, request.query_string.decode("latin-1")])


def _file_mark(field: tuple[str, FileStorage]) -> tuple[str, str, str]:
    name, file = field
    digest = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]  # a buffer or a temporary file
    file.stream.seek(0)
    return name, file.filename or "", digest


def _replayed(row: IdempotencyKey) -> Response:
    kept = row.response or {}
    answer = Response(kept["body"], status=kept["status"], content_type=kept["type"])
    if kept.get("location"):
        answer.headers["Location"] = kept["location"]
    answer.headers[REPLAYED] = "true"
    return answer


@use_case
def _keep(row_id: UUID, answer: Response) -> None:
    body = answer.get_data(as_text=True)
    if answer.status_code >= 400 or len(body) > LARGEST_ANSWER:
        _let_go(row_id)
        return
    row = lock(IdempotencyKey, row_id)
    row.locked_until = None
    row.response = {"status": answer.status_code, "type": answer.content_type, "body": body,
                    "location": answer.headers.get("Location")}  # fmt: skip


@use_case
def _let_go(row_id: UUID) -> None:
    """Forget a request that was refused; one whose effect took place may be sent again to learn its answer."""
    row = lock(IdempotencyKey, row_id)
    if row.answer is None:
        db.session.delete(row)
    else:
        row.locked_until = None
