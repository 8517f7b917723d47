"""Signing in and out, registration, confirmation, forgotten passwords."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask_babel import get_locale, gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from app.identity import security, sessions
from app.identity.services import accounts, demonstration, sign_in
from app.kernel import clock
from app.kernel.errors import DomainError
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form
from app.web.guard import public, signed_in
from app.web.identity.forms import again, client_address, safe_next
from app.web.identity.schemas import CodeIn, ForgotIn, RegisterIn, ResetIn, SignInIn
from app.web.session import current_actor

PENDING_SECONDS = 300
pages = Blueprint("identity", __name__)


@pages.get("/sign-in", endpoint="sign_in")
@public
def sign_in_page() -> Response | str:
    """The first step."""
    target = safe_next(request.args.get("next"))
    if current_actor().is_signed_in:
        return redirect(target or "/")
    form = Form(SignInIn(), {"next": target or ""})
    return render_template("identity/sign_in.html", form=form, demo=_demo_accounts(), next_page=target)


@pages.post("/sign-in", endpoint="sign_in_submit")
@public
def submit_sign_in() -> Response:
    """Check address and password."""
    try:
        command = parsing.form(SignInIn)
        accepted = sign_in.check_password(command.email, command.password, client_address())
    except (ValidationError, DomainError) as failure:
        return again("identity/sign_in.html", SignInIn, failure, demo=_demo_accounts())
    target = safe_next(command.next)
    if not accepted.needs_code:
        return _enter(accepted.user_id, "password", target)
    session["pending"] = {"user": str(accepted.user_id), "at": int(clock.now().timestamp()), "next": target or ""}
    return redirect(url_for("identity.code"), 303)


@pages.get("/sign-in/code")
@public
def code() -> Response | str:
    """The second step."""
    if _pending() is None:
        return redirect(url_for("identity.sign_in"))
    return render_template("identity/code.html", form=Form(CodeIn()))


@pages.post("/sign-in/code")
@public
def submit_code() -> Response:
    """Check the one-time code."""
    pending = _pending()
    if pending is None:
        flash(gettext("The first step was too long ago. Please sign in again."), "warning")
        return redirect(url_for("identity.sign_in"), 303)
    user_id, target = pending
    try:
        sign_in.check_code(user_id, parsing.form(CodeIn).code)
    except (ValidationError, DomainError) as failure:
        return again("identity/code.html", CodeIn, failure)
    return _enter(user_id, "password+code", target)


def _pending() -> tuple[UUID, str | None] | None:
    pending = session.get("pending")
    if not isinstance(pending, dict) or int(clock.now().timestamp()) - int(pending["at"]) > PENDING_SECONDS:
        return None
    return UUID(pending["user"]), safe_next(pending["next"])


def _enter(user_id: UUID, method: str, target: str | None) -> Response:
    sign_in.begin(user_id, method=method)
    return redirect(target or url_for("workbench.workbench"), 303)


def _demo_accounts() -> tuple[demonstration.DemoEntry, ...]:
    if current_app.extensions["chaoshi_settings"].is_production:
        return ()
    return demonstration.demo_entries()


@pages.post("/sign-out")
@signed_in
def sign_out() -> Response:
    """End this browser's session."""
    if sessions.signed_in() is not None:
        sign_in.sign_out(current_actor())
    flash(gettext("You are signed out."), "success")
    return redirect("/", 303)


@pages.get("/register")
@public
def register() -> str:
    """A new account."""
    return render_template("identity/register.html", form=Form(RegisterIn()))


@pages.post("/register")
@public
def submit_register() -> Response | str:
    """Make the account; the answer does not tell whether the address was known."""
    try:
        command = parsing.form(RegisterIn)
        wanted = accounts.Register(command.email, command.name, command.password, str(get_locale()))
        accounts.register(wanted, client_address())
    except (ValidationError, DomainError) as failure:
        return again("identity/register.html", RegisterIn, failure)
    return render_template("identity/mail_sent.html", purpose="register", email=command.email)


@pages.get("/confirm-address/<token>")
@public
def confirm_address(token: str) -> str:
    """Ask for the click: programs that read mail follow links, people press buttons."""
    return render_template("identity/confirm_address.html", token=token)


@pages.post("/confirm-address/<token>")
@public
def submit_confirm_address(token: str) -> Response:
    """Confirm the mail address."""
    accounts.confirm_address(token)
    flash(gettext("Your mail address is confirmed. You can sign in now."), "success")
    return redirect(url_for("identity.sign_in"), 303)


@pages.get("/forgot-password")
@public
def forgot_password() -> str:
    """Ask for a reset link."""
    return render_template("identity/forgot.html", form=Form(ForgotIn()))


@pages.post("/forgot-password")
@public
def submit_forgot_password() -> Response | str:
    """Mail a reset link if there is such an account."""
    try:
        command = parsing.form(ForgotIn)
        accounts.ask_reset(command.email, client_address())
    except (ValidationError, DomainError) as failure:
        return again("identity/forgot.html", ForgotIn, failure)
    return render_template("identity/mail_sent.html", purpose="reset", email=command.email)


@pages.get("/reset-password/<token>")
@public
def reset_password(token: str) -> str:
    """Choose a new password."""
    good = security.user_of_reset_token(token) is not None
    return render_template("identity/reset.html", form=Form(ResetIn()) if good else None)


@pages.post("/reset-password/<token>")
@public
def submit_reset_password(token: str) -> Response | str:
    """Store the new password."""
    try:
        accounts.reset_password(token, parsing.form(ResetIn).new)
    except (ValidationError, DomainError) as failure:
        return again("identity/reset.html", ResetIn, failure)
    flash(gettext(N_("Your password is changed. All sessions have ended; sign in with the new one.")), "success")
    return redirect(url_for("identity.sign_in"), 303)
