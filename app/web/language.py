"""Which language a page is in: the visitor's choice, else what the browser asks for, else Chinese."""

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from app.web.guard import public

LANGUAGES = {"zh_Hans_CN": "简体中文", "en": "English"}
COOKIE = "language"

bp = Blueprint("language", __name__)


def select_locale() -> str:
    chosen = request.cookies.get(COOKIE) if request else None
    if chosen in LANGUAGES:
        return str(chosen)
    wanted = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "en"]) if request else None
    return "en" if wanted == "en" else "zh_Hans_CN"


@bp.post("/language")
@public
def choose() -> Response:
    """Remember the language for a year and go back to the page."""
    target = request.form.get("next", "/")
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        target = "/"
    response = redirect(target, 303)
    code = request.form.get("language", "")
    if code in LANGUAGES:
        secure = bool(current_app.config.get("SESSION_COOKIE_SECURE"))
        response.set_cookie(COOKIE, code, max_age=31536000, samesite="Lax", httponly=True, secure=secure)
    return response
