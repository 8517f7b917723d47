"""The own account: profile, security, sessions, API tokens, parts."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from app.identity import policy, security, sessions
from app.identity.models import User
from app.identity.queries import accounts as queries
from app.identity.queries import organisation as organisation_of
from app.identity.services import accounts, api_tokens, organisations, second_factor, sign_in
from app.identity.services.organisations import ChangeOrganisation
from app.kernel.access import ROLE_LABELS
from app.kernel.db import get
from app.kernel.errors import DomainError, NotFound
from app.web import parsing
from app.web.forms import Form
from app.web.guard import signed_in
from app.web.identity.forms import again, me, safe_next
from app.web.identity.schemas import (
    CodeIn,
    CodesOffIn,
    ContactIn,
    JoinIn,
    OrganisationIn,
    PasswordIn,
    PresentPasswordIn,
    ProfileIn,
    TokenIn,
)

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.get("")
@signed_in
def profile() -> str:
    """Name, telephone, language."""
    _actor, user_id = me()
    mine = queries.profile(user_id)
    values = {"name": mine.name, "mobile": mine.mobile or "", "locale": mine.locale}
    return render_template("identity/profile.html", form=Form(ProfileIn(), values), profile=mine)


@pages.post("")
@signed_in
def change_profile() -> Response:
    """Store the profile."""
    actor, user_id = me()
    try:
        accounts.change_profile(actor, parsing.form(ProfileIn))
    except (ValidationError, DomainError) as failure:
        return again("identity/profile.html", ProfileIn, failure, profile=queries.profile(user_id))
    flash(gettext("Saved."), "success")
    return redirect(url_for("account.profile"), 303)


@pages.get("/security")
@signed_in
def security_page() -> str:
    """Password, one-time codes, sessions."""
    _actor, user_id = me()
    here = sessions.signed_in()
    return render_template(
        "identity/security.html",
        profile=queries.profile(user_id),
        sessions=queries.sessions_of(user_id),
        here=here.session_id if here else None,
    )


@pages.get("/password")
@signed_in
def password() -> str:
    """Change the password."""
    return render_template("identity/password.html", form=Form(PasswordIn()))


@pages.post("/password")
@signed_in
def change_password() -> Response:
    """Store the new password; all other sessions end."""
    actor, _user_id = me()
    try:
        accounts.change_password(actor, parsing.form(PasswordIn))
    except (ValidationError, DomainError) as failure:
        return again("identity/password.html", PasswordIn, failure)
    flash(gettext("Your password is changed. All other sessions have ended."), "success")
    return redirect(url_for("account.security_page"), 303)


@pages.get("/codes")
@signed_in
def codes() -> Response | str:
    """Set one-time codes up: the seed as QR, and the first code."""
    _actor, user_id = me()
    if queries.profile(user_id).totp_enabled_at is not None:
        return redirect(url_for("account.security_page"))
    if "totp_seed" not in session:
        session["totp_seed"] = security.new_totp_secret()
    set_up = security.totp_set_up(get(User, user_id), session["totp_seed"])
    return render_template("identity/codes.html", form=Form(CodeIn()), set_up=set_up)


@pages.post("/codes")
@signed_in
def enable_codes() -> Response | str:
    """Turn one-time codes on."""
    actor, user_id = me()
    seed = session.get("totp_seed")
    if not seed:
        return redirect(url_for("account.codes"), 303)
    try:
        recovery = second_factor.enable(actor, seed, parsing.form(CodeIn).code)
    except (ValidationError, DomainError) as failure:
        return again("identity/codes.html", CodeIn, failure, set_up=security.totp_set_up(get(User, user_id), seed))
    session.pop("totp_seed", None)
    return render_template("identity/recovery_codes.html", codes=recovery, fresh=True)


@pages.get("/codes/recovery")
@signed_in
def recovery() -> str:
    """Ask for the password before new recovery codes are shown."""
    return render_template("identity/recovery_ask.html", form=Form(PresentPasswordIn()))


@pages.post("/codes/recovery")
@signed_in
def renew_recovery() -> Response | str:
    """Show new recovery codes, once."""
    actor, user_id = me()
    try:
        accounts.check_present_password(user_id, parsing.form(PresentPasswordIn).present)
        fresh = second_factor.renew_recovery_codes(actor)
    except (ValidationError, DomainError) as failure:
        return again("identity/recovery_ask.html", PresentPasswordIn, failure)
    return render_template("identity/recovery_codes.html", codes=fresh, fresh=False)


@pages.get("/codes/off")
@signed_in
def codes_off() -> str:
    """Ask for password and code before they are turned off."""
    return render_template("identity/codes_off.html", form=Form(CodesOffIn()))


@pages.post("/codes/off")
@signed_in
def disable_codes() -> Response:
    """Turn one-time codes off."""
    actor, user_id = me()
    try:
        command = parsing.form(CodesOffIn)
        accounts.check_present_password(user_id, command.present)
        sign_in.check_code(user_id, command.code)
        second_factor.disable(actor)
    except (ValidationError, DomainError) as failure:
        return again("identity/codes_off.html", CodesOffIn, failure)
    flash(gettext("One-time codes are turned off."), "success")
    return redirect(url_for("account.security_page"), 303)


@pages.post("/sessions/<uuid:session_id>/end")
@signed_in
def end_session(session_id: UUID) -> Response:
    """End one session."""
    actor, _user_id = me()
    here = sessions.signed_in()
    if here is not None and here.session_id == session_id:
        sign_in.sign_out(actor)
        return redirect("/", 303)
    sign_in.revoke_session(actor, session_id)
    flash(gettext("The session has ended."), "success")
    return redirect(url_for("account.security_page"), 303)


@pages.post("/sessions/end-others")
@signed_in
def end_other_sessions() -> Response:
    """End all sessions but this one."""
    actor, _user_id = me()
    sign_in.revoke_other_sessions(actor)
    flash(gettext("All other sessions have ended."), "success")
    return redirect(url_for("account.security_page"), 303)


@pages.get("/tokens")
@signed_in
def tokens() -> str:
    """API tokens."""
    _actor, user_id = me()
    return render_template("identity/tokens.html", form=Form(TokenIn()), tokens=queries.tokens_of(user_id), made=None)


@pages.post("/tokens")
@signed_in
def make_token() -> Response | str:
    """Make a token and show it, once."""
    actor, user_id = me()
    try:
        _token_id, token = api_tokens.issue(actor, parsing.form(TokenIn))
    except ValidationError as failure:
        return again("identity/tokens.html", TokenIn, failure, tokens=queries.tokens_of(user_id), made=None)
    return render_template("identity/tokens.html", form=Form(TokenIn()), tokens=queries.tokens_of(user_id), made=token)


@pages.post("/tokens/<uuid:token_id>/revoke")
@signed_in
def revoke_token(token_id: UUID) -> Response:
    """Revoke a token."""
    actor, _user_id = me()
    api_tokens.revoke(actor, token_id)
    flash(gettext("The token no longer works."), "success")
    return redirect(url_for("account.tokens"), 303)


@pages.get("/organisations")
@signed_in
def organisations_page() -> str:
    """The parts that the person plays."""
    _actor, user_id = me()
    here = sessions.signed_in()
    return render_template(
        "identity/organisations.html",
        memberships=queries.memberships_of_user(user_id),
        present=here.membership_id if here else None,
        roles=ROLE_LABELS,
        kinds=policy.KIND_LABELS,
    )


@pages.post("/act-as")
@signed_in
def act_as() -> Response:
    """Go on as another part; an empty membership means the private person."""
    actor, _user_id = me()
    given = request.form.get("membership_id", "")
    try:
        wanted = UUID(given) if given else None
    except ValueError:
        raise NotFound from None
    if sessions.signed_in() is not None:
        sign_in.switch(actor, wanted)
    flash(gettext("You now act in the chosen part."), "success")
    return redirect(safe_next(request.form.get("next")) or url_for("workbench.workbench"), 303)


@pages.get("/organisations/new")
@signed_in
def new_organisation() -> str:
    """Set up a project owner or an agency."""
    return render_template("identity/organisation_new.html", form=Form(OrganisationIn()))


@pages.post("/organisations/new")
@signed_in
def create_organisation() -> Response:
    """Set it up and act for it."""
    actor, _user_id = me()
    try:
        command = parsing.form(OrganisationIn)
        membership_id = organisations.create(actor, command)
    except (ValidationError, DomainError) as failure:
        return again("identity/organisation_new.html", OrganisationIn, failure)
    sign_in.switch(actor, membership_id)
    flash(gettext("The organisation is set up, and you act for it now."), "success")
    return redirect(url_for("account.own_organisation"), 303)


@pages.get("/organisations/join")
@signed_in
def join() -> str:
    """Ask for a place in an organisation."""
    return render_template("identity/organisation_join.html", form=Form(JoinIn()))


@pages.post("/organisations/join")
@signed_in
def request_membership() -> Response:
    """Tell its administrators."""
    actor, _user_id = me()
    try:
        organisations.request_membership(actor, parsing.form(JoinIn))
    except (ValidationError, DomainError) as failure:
        return again("identity/organisation_join.html", JoinIn, failure)
    flash(gettext("Your request was sent to the administrators of the organisation."), "success")
    return redirect(url_for("account.organisations_page"), 303)


@pages.get("/organisation")
@signed_in
def own_organisation() -> str:
    """The organisation that the person acts for, with its members."""
    return _organisation_page(None)


def _organisation_page(form: Form | None) -> str:
    actor, _user_id = me()
    if actor.organisation_id is None:
        return render_template("identity/organisation.html", organisation=None, members=(), form=None)
    found = organisation_of(actor.organisation_id)
    administers = organisations.administers(actor, found.id)
    values = {"address": found.address or "", "phone": found.phone or "", "name_en": found.name_en or ""}
    return render_template(
        "identity/organisation.html",
        organisation=found,
        members=queries.memberships_of_organisation(found.id),
        administers=administers,
        form=(form or Form(ContactIn(), values)) if administers else None,
        roles=ROLE_LABELS,
        kinds=policy.KIND_LABELS,
    )


@pages.post("/organisation")
@signed_in
def change_organisation() -> Response | str:
    """Store contact data."""
    actor, _user_id = me()
    if actor.organisation_id is None:
        raise NotFound
    command: ChangeOrganisation = parsing.form(ContactIn)
    organisations.change(actor, actor.organisation_id, command)
    flash(gettext("Saved."), "success")
    return redirect(url_for("account.own_organisation"), 303)


@pages.post("/members/<uuid:membership_id>/name-administrator")
@signed_in
def name_administrator(membership_id: UUID) -> Response:
    """Let a member administer the organisation."""
    actor, _user_id = me()
    organisations.name_administrator(actor, membership_id)
    flash(gettext("Saved."), "success")
    return redirect(url_for("account.own_organisation"), 303)


@pages.get("/members/<uuid:object_id>")
@signed_in
def member(object_id: UUID) -> str:
    """One member, with what may be decided."""
    from app.web.identity.actions import membership_actions

    actor, _user_id = me()
    seen = queries.membership(actor, object_id, manages_users=actor.may(policy.MANAGE_USERS))
    return render_template(
        "identity/member.html", member=seen, actions=membership_actions(actor, seen), roles=ROLE_LABELS
    )
