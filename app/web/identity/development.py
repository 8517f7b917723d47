"""Aids of development and demonstrations: sign in as anybody invented, read the mail that was not sent.

This module refuses to run in production, and production does not register it.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import force_locale
from werkzeug.wrappers import Response

from app.identity.models import MailMessage, User
from app.identity.queries import accounts as queries
from app.identity.services import demonstration, sign_in
from app.identity.wording import worded
from app.kernel.db import get
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.settings import Settings
from app.web.guard import public
from app.web.identity.forms import safe_next

pages = Blueprint("development", __name__, url_prefix="/dev")


@pages.record
def _refuse_production(state: BlueprintSetupState) -> None:
    settings: Settings = state.app.extensions["chaoshi_settings"]
    if settings.is_production:
        raise RuntimeError("the development pages do not exist in production")


@pages.before_request
def _never_in_production() -> None:
    if current_app.extensions["chaoshi_settings"].is_production:
        raise NotFound


@pages.get("/sign-in")
@public
def sign_in_page() -> str:
    """One demonstration account of every role."""
    if not demonstration.demo_entries():
        demonstration.ensure_demo_accounts()
    return render_template(
        "identity/demo_sign_in.html", demo=demonstration.demo_entries(), next_page=safe_next(request.args.get("next"))
    )


@pages.post("/sign-in/<uuid:user_id>")
@public
def enter(user_id: UUID) -> Response:
    """Sign in as a demonstration account; other accounts cannot be entered this way."""
    if not get(User, user_id).demo:
        raise NotFound
    sign_in.begin(user_id, method="demonstration")
    return redirect(safe_next(request.form.get("next")) or url_for("workbench.workbench"), 303)


@pages.get("/mail")
@public
def mail() -> str:
    """Mails that a mail server would have got."""
    number = max(1, request.args.get("page", 1, type=int))
    page = page_of(queries.mails_statement(request.args.get("to")), number=number)
    shown = [_worded(row) for row in page.items]
    return render_template("identity/mail_outbox.html", page=Page(shown, page.number, page.size, page.total))


@pages.get("/mail/<uuid:mail_id>")
@public
def one_mail(mail_id: UUID) -> str:
    """One mail as its reader would see it."""
    return render_template("identity/mail.html", mail=_worded(get(MailMessage, mail_id)))


def _worded(row: MailMessage) -> dict[str, object]:
    with force_locale(row.locale):
        return {
            "id": row.id,
            "to_address": row.to_address,
            "subject": worded(row.subject, row.params),
            "body": worded(row.body, row.params),
            "link": row.link,
            "created_at": row.created_at,
            "sent_at": row.sent_at,
        }
