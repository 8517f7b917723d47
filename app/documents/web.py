"""The public side of trust: is this paper genuine, and the signed heads of the audit log."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.documents import register
from app.kernel import audit
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.web.guard import public
from app.web.operations import operation

pages = Blueprint("documents", __name__, template_folder="templates")
api = Blueprint("documents_api", __name__, url_prefix="/api")


@pages.app_context_processor
def _footer() -> dict[str, Any]:
    """What every page's foot leads to: trust is checked by those who have no account."""
    links = (("/check", N_("Check a document")), ("/log", N_("Public register of the log")))
    return {"footer_links": [{"href": href, "label": label} for href, label in links]}


@pages.get("/check")
@public
def ask() -> BaseResponse | str:
    code = request.args.get("code", "").strip()
    if code:
        return redirect(url_for("documents.check", code=register.normalised(code)))
    return render_template("documents/check.html", code="", document=None, receipt=None)


@pages.get("/check/<code>")
@public
def check(code: str) -> tuple[str, int]:
    """Say whether the paper with this code is genuine. An unknown code is a 404 with the same page and a way on."""
    try:
        document = register.find(code)
    except NotFound:
        return render_template("documents/check.html", code=code, document=None, receipt=None), 404
    receipt = audit.receipt(document.audit_event_id)
    facts = [(gettext(label), value) for label, value in document.facts]
    return render_template("documents/check.html", code=code, document=document, facts=facts, receipt=receipt), 200


@pages.get("/log")
@public
def log() -> str:
    """The public register of signed heads of the audit log."""
    heads = audit.heads(30)
    rows = [{"size": head.size, "at": head.at, "root": f"{head.root.hex()[:32]}…"} for head in heads]
    return render_template("documents/log.html", heads=heads, rows=rows, keys=_keys())


@api.get("/check/<code>")
@public
@operation(N_("Check an issued document by its code"), tag="Trust")
def check_json(code: str) -> Response:
    document = register.find(code)
    return jsonify(
        genuine=document.revoked_at is None,
        kind=document.kind,
        number=document.number,
        title=document.title,
        issued_at=document.issued_at.isoformat(),
        revoked_at=document.revoked_at and document.revoked_at.isoformat(),
        revoked_reason=document.revoked_reason,
        redacted_at=document.redacted_at and document.redacted_at.isoformat(),
        sha256=document.sha256,
        facts=[{"label": gettext(label), "value": value} for label, value in document.facts],
        receipt=_receipt(audit.receipt(document.audit_event_id)),
    )


@api.get("/log/head")
@public
@operation(N_("The latest signed head of the audit log"), tag="Trust")
def head() -> Response:
    newest = audit.heads(1)
    if not newest:
        raise NotFound
    return jsonify(**_head(newest[0]), keys=_keys())


@api.get("/log/consistency/<int:old>/<int:new>")
@public
@operation(N_("The proof that an earlier head of the log is a prefix of a later one"), tag="Trust")
def consistency(old: int, new: int) -> Response:
    return jsonify(old=old, new=new, proof=[node.hex() for node in audit.consistency(old, new)])


def _head(row: audit.AuditHead) -> dict[str, Any]:
    return {
        "size": row.size,
        "unixtime": row.unixtime,
        "root": row.root.hex(),
        "key_id": row.key_id,
        "signature": row.signature.hex(),
    }


def _receipt(paper: audit.Receipt | None) -> dict[str, Any] | None:
    if paper is None:
        return None
    return {
        "index": paper.index,
        "leaf": paper.leaf.hex(),
        "size": paper.size,
        "unixtime": paper.unixtime,
        "root": paper.root.hex(),
        "key_id": paper.key_id,
        "signature": paper.signature.hex(),
        "path": [node.hex() for node in paper.path],
    }


def _keys() -> dict[str, str]:
    return {name: audit.public_bytes(key).hex() for name, key in audit.trusted_keys().items()}
