"""What every template may use: static files with hashed names, and the filters that write money, dates and numbers.

`install_look(app)` is called once by the factory. Templates then have

- `static_url("css/chaoshi.css")` -> `/assets/css/chaoshi.3f2a1b9c.css`, cached for a year because the name changes with the content;
- `url_with(page=2, sort=None)`: the present address with query arguments changed (`None` removes one);
- `new_idempotency_key()`: a fresh key for a form, so that a second submit of the same form does nothing;
- filters: `journey` (timeline entries -> rows), `filled` (translate and put values in), `yuan` (fen -> 1,234.50), `figure` (grouped number), `day`, `moment` (Beijing time), `input_date`, `input_moment`,
  `tr` (translate a message id that arrives as data), `tone_of` (state word -> colour tone), `button_class`, `qr_svg`.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import segno
from flask import Flask, Response, abort, request
from flask_babel import format_date, format_datetime, format_decimal, get_locale, gettext
from markupsafe import Markup
from uuid6 import uuid7

from app.kernel import clock
from app.web.guard import public
from app.web.journey import filled, journey

BEIJING: Final = ZoneInfo("Asia/Shanghai")
ONE_YEAR: Final = 31_536_000
_HASHED = re.compile(r"^(?P<stem>.+)\.(?P<digest>[0-9a-f]{10})\.(?P<suffix>[A-Za-z0-9]+)$")
_TEXT_SUFFIXES: Final = frozenset({".css", ".js", ".svg", ".json", ".webmanifest", ".txt"})

# Words of the state machines whose meaning is common to all of them; anything else is neutral until a page names a tone.
TONES: Final[Mapping[str, str]] = {
    state: tone
    for tone, states in {
        "neutral": "sent_back resolved not_accepted settled discarded draft withdrawn closed archived retired ended exited superseded off_shelf republished released_back out_of_remit canceled refunded lost avoided stepped_back recalled created new left given_up dismissed repaired defaulted taken_back replaced",
        "waiting": "compared counted merged planned booked filed review submitted pending requested in_review legal_review waiting ordered unpaid queued offered to_draft to_sign_agency to_sign_owner pause_asked extension_asked received correction corrected booking ready packed chosen registered reserve awarded change_pending opening comparing direct_request shortlisted found proposed appealed revised asked under_review entered assigning returning",
        "active": "out scheduled checked open published registering registration_closed selecting running in_progress in_service handed_over in_transit out_for_delivery publicity result_publicity processing handling selected contracted waybilled delivered_unconfirmed approved printed bidding opened cooling to_send",
        "success": "agreed applied confirmed signed accepted paid succeeded held released delivered admitted active valid decided completed done rated qualified won served taken_over approved_with_tolerance granted answered assigned",
        "warning": "escalated paused termination_asked returned due exception suspended reselect special_procedure special_procedure_ended surplus spoiled ineligible restricted exit_pending unanswered reversed needs_response",
        "danger": "upheld failed dispute rejected refused overdue cancelled void terminated expired lapsed revoked excluded gave_up struck_out missing blacklisted removed struck in_force",
    }.items()
    for state in states.split()
}


@dataclass(frozen=True)
class Assets:
    """The static files of the application, read once at start-up: each path with the hash of its content."""

    folder: Path
    digests: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> Assets:
        files = (file for file in sorted(folder.rglob("*")) if file.is_file())
        return cls(
            folder=folder,
            digests={
                file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:10]
                for file in files
            },
        )

    def hashed(self, name: str) -> str:
        """`css/a.css` -> `css/a.3f2a1b9c00.css`. Raises KeyError for a file that does not exist: a typo must not reach a page."""
        stem, _, suffix = name.rpartition(".")
        return f"{stem}.{self.digests[name]}.{suffix}"

    def plain(self, hashed: str) -> str | None:
        """The file behind a hashed name, or None when there is none with that content."""
        match = _HASHED.match(hashed)
        if match is None:
            return None
        name = f"{match['stem']}.{match['suffix']}"
        return name if self.digests.get(name) == match["digest"] else None


@lru_cache(maxsize=64)
def _content(path: Path, compressed: bool) -> bytes:
    content = path.read_bytes()
    return gzip.compress(content, 9, mtime=0) if compressed else content


def _serve(assets: Assets) -> Callable[[str], Response]:
    def asset(name: str) -> Response:
        plain = assets.plain(name)
        if plain is None:
            abort(404)
        path = assets.folder / plain
        compressed = path.suffix in _TEXT_SUFFIXES and request.accept_encodings["gzip"] > 0
        response = Response(
            _content(path, compressed), mimetype=mimetypes.guess_type(plain)[0] or "application/octet-stream"
        )
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        if compressed:
            response.headers["Content-Encoding"] = "gzip"
        return response

    return asset


def _words(value: object) -> str:
    """Translate a message id that arrives as data; markup and already translated text pass through."""
    if value is None or value == "":
        return ""
    if isinstance(value, Markup):
        return value
    return str(gettext(str(getattr(value, "value", value))))


def _yuan(fen: int) -> str:
    """Integer fen as yuan with two decimals and grouped thousands, without sign: the component prints the sign."""
    whole, cents = divmod(abs(fen), 100)
    return f"{whole:,}.{cents:02d}"


def _figure(value: float) -> str:
    return str(format_decimal(value))


def _beijing(at: date) -> date:
    return at.astimezone(BEIJING) if isinstance(at, datetime) else at


def _month_name(at: date) -> str:
    return str(format_date(at, "LLLL"))


def _day(at: date | None) -> str:
    return "" if at is None else str(format_date(_beijing(at), "long", rebase=False))


def _moment(at: date | None) -> str:
    if at is None:
        return ""
    if not isinstance(at, datetime):
        return _day(at)
    return str(format_datetime(_beijing(at), "yyyy-MM-dd HH:mm", rebase=False))


def _input_date(value: object) -> str:
    return _beijing(value).strftime("%Y-%m-%d") if isinstance(value, date) else str(value or "")


def _input_moment(value: object) -> str:
    return _beijing(value).strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else str(value or "")


def _tone_of(state: object) -> str:
    return TONES.get(str(getattr(state, "value", state)).lower().replace("-", "_"), "neutral")


def _button_class(action: Any) -> str:
    if action.danger:
        return "btn-outline-danger"
    return "btn-primary" if action.primary else "btn-outline-primary"


def _qr_svg(text: str) -> Markup:
    code = segno.make(text, error="m")
    return Markup(code.svg_inline(scale=4, border=2, dark="#111", light="#fff", svgclass="qr", lineclass=None))  # noqa: S704


def _url_with_pairs(pairs: Iterable[tuple[str, object]]) -> str:
    """The present address with some query arguments replaced; `None` and `""` remove one."""
    changes = dict(pairs)
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    added = [(name, str(value)) for name, value in changes.items() if value is not None and value != ""]
    query = urlencode([*kept, *added])
    return f"{request.path}?{query}" if query else request.path


def _url_with(**changes: object) -> str:
    return _url_with_pairs(changes.items())


def _page_window(number: int, pages: int) -> list[int | None]:
    """Page numbers to show: the ends, and two on either side of the present one; None marks a gap."""
    shown = sorted({1, pages, *range(max(1, number - 2), min(pages, number + 2) + 1)})
    window: list[int | None] = []
    for earlier, page in zip([0, *shown], shown, strict=False):
        if page - earlier > 1:
            window.append(None)
        window.append(page)
    return window


def _language() -> str:
    """The language of this page: `en` or `zh`."""
    locale = get_locale()
    return "zh" if locale is None else str(locale.language)


def _icon_names(assets: Assets) -> Callable[[], tuple[str, ...]]:
    sprite = (assets.folder / "vendor" / "icons" / "icons.svg").read_text(encoding="utf-8")
    names = tuple(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))
    return lambda: names


def _new_idempotency_key() -> str:
    return str(uuid7())


def install_look(app: Flask, folder: Path | None = None) -> None:
    """Give templates the functions and filters above, and serve the static files under hashed names at `/assets/`."""
    assets = Assets.read(folder or Path(__file__).parent / "static")

    def static_url(name: str) -> str:
        return f"/assets/{assets.hashed(name)}"

    app.add_url_rule("/assets/<path:name>", endpoint="assets", view_func=public(_serve(assets)))
    app.jinja_env.globals.update(
        static_url=static_url,
        url_with=_url_with,
        url_with_pairs=_url_with_pairs,
        page_window=_page_window,
        language=_language,
        icon_names=_icon_names(assets),
        new_idempotency_key=_new_idempotency_key,
        clock_now=clock.now,
    )
    app.jinja_env.filters.update(
        tr=_words,
        filled=filled,
        journey=journey,
        yuan=_yuan,
        figure=_figure,
        day=_day,
        month_name=_month_name,
        moment=_moment,
        input_date=_input_date,
        input_moment=_input_moment,
        tone_of=_tone_of,
        button_class=_button_class,
        qr_svg=_qr_svg,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
