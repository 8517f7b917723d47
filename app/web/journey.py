"""Timeline entries as a page shows them: one shape for steps that happened and for steps still to come."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from flask import current_app
from flask_babel import gettext

from app.kernel.timeline import TimelineEntry
from app.kernel.words import N_

ICONS: Final[Mapping[str, str]] = {
    "agency": "building-store",
    "listing": "building-store",
    "service_item": "list-details",
    "item_version": "list-details",
    "procurement": "speakerphone",
    "draw": "dice-5",
    "contract": "signature",
    "deliverable": "file-certificate",
    "rating": "star",
    "bill": "credit-card",
    "payment": "credit-card",
    "refund": "receipt",
    "case": "clipboard-check",
    "certificate": "license",
    "parcel": "truck-delivery",
}
_HASH: Final = re.compile(r"[0-9a-f]{64}")
# Small facts of `detail` that a reader gains something from, with their labels. All others are evidence for the audit log.
FACTS: Final[Mapping[str, str]] = {
    "winner": N_("Winner"),
    "agency": N_("Agency"),
    "amount": N_("Amount"),
    "channel": N_("Channel"),
    "signer": N_("Signed for by"),
    "signer_name": N_("Signed for by"),
    "waybill": N_("Waybill"),
    "waybill_no": N_("Waybill"),
    "place": N_("Place"),
    "number": N_("Number"),
    "stars": N_("Stars"),
    "days": N_("Working days"),
    "version": N_("Version"),
    "last_day": N_("Last day"),
    "list_hash": N_("Hash of the list"),
    "sha256": N_("SHA-256"),
}
ACTION_ICONS: Final[Mapping[str, str]] = {
    "submit": "send", "take_back": "arrow-back-up", "return": "arrow-back-up", "publish": "speakerphone", "close": "lock",
    "start_selection": "dice-5", "select": "dice-5", "publish_result": "award", "award": "award", "confirm": "user-check",
    "sign": "signature", "start_service": "player-play", "accept": "checks", "accept_by_silence": "checks", "close_file": "archive",
    "pause": "player-pause", "ask_pause": "player-pause", "confirm_pause": "player-pause", "resume": "player-play",
    "deliver": "file-certificate", "return_deliverable": "arrow-back-up", "rate": "star", "pay": "credit-card", "release": "cash",
    "pack": "package", "check": "clipboard-check", "take_number": "barcode", "hand_over": "package-export",
    "confirm_delivery": "home", "confirm_receipt": "user-check", "receive": "inbox", "approve": "rubber-stamp",
    "approve_with_tolerance": "rubber-stamp", "print": "printer", "make_ready": "package", "serve": "home",
    "fail": "x", "reject": "x", "refuse": "x", "cancel": "x", "void": "x", "terminate": "x", "lapse": "alarm", "expire": "alarm",
    "give_up": "x", "abandon_draw": "x", "strike_out": "x", "discard": "x", "withdraw": "arrow-back-up", "revoke": "arrow-back-up",
    "republish": "refresh", "extend": "calendar", "drafted": "file-text",
}  # fmt: skip
FAILED_ACTIONS: Final = frozenset(
    {
        "fail",
        "reject",
        "refuse",
        "cancel",
        "lapse",
        "expire",
        "terminate",
        "return",
        "return_deliverable",
        "revoke",
        "void",
        "give_up",
        "abandon_draw",
        "strike_out",
        "discard",
        "turn_away",
    }
)


@dataclass(frozen=True)
class JourneyStep:
    """One row of the component `timeline`. `state` is done, now, next or failed; texts are translated."""

    title: str
    at: datetime | None = None
    who: str = ""
    text: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    href: str | None = None
    icon: str = "circle-check"
    state: str = "done"


def journey(entries: Iterable[Any]) -> tuple[JourneyStep, ...]:
    """Turn kernel entries into rows; rows that already are steps (of a page's own making) pass through."""
    return tuple(_step(entry) if isinstance(entry, TimelineEntry) else entry for entry in entries)


def _step(entry: TimelineEntry) -> JourneyStep:
    return JourneyStep(
        title=filled(entry.title, entry.detail),
        at=entry.at,
        who=gettext(entry.actor_name) if entry.actor_name else "",
        text=entry.reason or "",
        facts={
            gettext(label): _shortened(entry.detail[key])
            for key, label in FACTS.items()
            if entry.detail.get(key) not in (None, "") and f"%({key})s" not in entry.title
        },
        href=_href(entry) if entry.is_own else None,
        icon=_icon(entry),
        state="failed" if entry.action in FAILED_ACTIONS else "done",
    )


def _icon(entry: TimelineEntry) -> str:
    if entry.object_type == "parcel" and entry.action == "deliver":
        return "home"
    return ACTION_ICONS.get(entry.action) or ICONS.get(entry.object_type, "circle-check")


def _shortened(value: Any) -> Any:
    """Sixteen digits of a hash are enough to compare by eye; the whole one is in the document and in the log."""
    return f"{value[:16]}…" if isinstance(value, str) and _HASH.fullmatch(value) else value


def filled(message: str, values: Mapping[str, Any]) -> str:
    """Translate `message` and put `values` into it; a message whose value is missing stays readable."""
    translated = str(gettext(message))
    if "%(" not in translated:
        return translated
    try:
        return translated % {
            key: gettext(value) if isinstance(value, str) and value else value for key, value in values.items()
        }
    except (KeyError, ValueError, TypeError):
        return translated


def _href(entry: TimelineEntry) -> str | None:
    for domain in current_app.extensions.get("chaoshi_domains", ()):
        build = domain.object_href.get(entry.object_type)
        if build:
            return str(build(entry.object_id)) or None
    return None
