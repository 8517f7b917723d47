"""What every scan box shares: the code that was meant, and the refusal with what it may have meant."""

from typing import Final

from flask import flash, request
from flask_babel import gettext

from app.kernel.errors import DomainError

LONGEST: Final = 200
SHOWN: Final = 3


def scanned_code() -> str:
    """The code of this request; a suggestion that was pressed goes before what was typed."""
    return (request.form.get("near") or request.form.get("code", ""))[:LONGEST]


def flash_refusal(refusal: DomainError) -> str | None:
    """Show why a scan was refused; returns what it may have meant, for the address of the next page."""
    flash(gettext(refusal.detail or refusal.title, **refusal.params), "danger")
    return ",".join(refusal.extra.get("suggestions", ())) or None


def suggestions() -> tuple[str, ...]:
    """The codes that the scan before this page may have meant."""
    return tuple(each[:40] for each in request.args.get("near", "").split(",") if each)[:SHOWN]
