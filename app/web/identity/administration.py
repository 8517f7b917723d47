"""Administration of accounts, roles and organisations."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from app.identity import policy
from app.identity.queries import accounts as account_queries
from app.identity.queries import administration as queries
from app.identity.queries import organisation as organisation_of
from app.identity.services import administration, notices
from app.kernel.access import ROLE_LABELS
from app.kernel.errors import Conflict, DomainError
from app.kernel.paging import Page, page_of
from app.web import parsing
from app.web.forms import Form
from app.web.guard import requires
from app.web.identity.actions import user_actions, user_view
from app.web.identity.forms import again
from app.web.identity.schemas import AnyOrganisationIn, GiveRoleIn, MailQueryIn, OrganisationQueryIn, UserQueryIn
from app.web.session import current_actor

pages = Blueprint("administration", __name__, url_prefix="/admin")


@pages.get("/users")
@requires(policy.READ_USERS)
def users() -> str:
    """The list of accounts."""
    wanted = parsing.query(UserQueryIn)
    page = page_of(queries.users_statement(wanted.q or "", wanted.role or "", wanted.state or ""), number=wanted.page)
    shown = [queries.user_view(row) for row in page.items]
    return render_template(
        "identity/users.html",
        page=Page(shown, page.number, page.size, page.total),
        held=queries.roles_of([one.id for one in shown]),
        roles=ROLE_LABELS,
        filters=_fields(UserQueryIn, {"q": wanted.q or "", "role": wanted.role or "", "state": wanted.state or ""}),
    )


def _fields(schema: type[UserQueryIn | OrganisationQueryIn | MailQueryIn], values: dict[str, str]) -> list[object]:
    return [field for field in Form(schema(), values).fields if field.name != "page"]


@pages.get("/users/<uuid:object_id>")
@requires(policy.READ_USERS)
def user(object_id: UUID) -> str:
    """One account with its parts."""
    actor = current_actor()
    seen = user_view(actor, object_id)
    return render_template(
        "identity/user.html",
        user=seen,
        memberships=account_queries.memberships_of_user(seen.id),
        actions=user_actions(actor, seen),
        manages=actor.may(policy.MANAGE_USERS),
        roles=ROLE_LABELS,
    )


@pages.post("/users/<uuid:object_id>/end-sessions")
@requires(policy.MANAGE_USERS)
def end_sessions(object_id: UUID) -> Response:
    """End all sessions of a person."""
    administration.end_sessions(current_actor(), object_id)
    flash(gettext("All sessions of the person have ended."), "success")
    return redirect(url_for("administration.user", object_id=object_id), 303)


@pages.post("/users/<uuid:object_id>/reset-codes")
@requires(policy.MANAGE_USERS)
def reset_codes(object_id: UUID) -> Response:
    """Turn one-time codes off for a person who has lost them."""
    administration.reset_second_factor(current_actor(), object_id)
    flash(gettext("One-time codes are turned off."), "success")
    return redirect(url_for("administration.user", object_id=object_id), 303)


@pages.get("/mails")
@requires(policy.READ_USERS)
def mails() -> str:
    """Which mails the mail server has taken, which wait, and why one does not leave. Their text is not shown."""
    wanted = parsing.query(MailQueryIn)
    statement = account_queries.mails_statement(wanted.address or "", wanted.state or "")
    return render_template(
        "identity/mails.html",
        page=page_of(statement, number=wanted.page),
        manages=current_actor().may(policy.MANAGE_USERS),
        filters=_fields(MailQueryIn, {"address": wanted.address or "", "state": wanted.state or ""}),
    )


@pages.post("/mails/<uuid:mail_id>/send-again")
@requires(policy.MANAGE_USERS)
def send_mail_again(mail_id: UUID) -> Response:
    """Queue a mail once more that was tried in vain."""
    try:
        notices.send_again(mail_id)
        flash(gettext("The mail is queued once more."), "success")
    except Conflict as refusal:
        flash(gettext(refusal.detail), "warning")
    return redirect(url_for("administration.mails", state="failing"), 303)


@pages.get("/organisations")
@requires(policy.READ_USERS)
def organisations() -> str:
    """The list of organisations."""
    wanted = parsing.query(OrganisationQueryIn)
    page = page_of(queries.organisations_statement(wanted.q or "", wanted.kind or ""), number=wanted.page)
    return render_template(
        "identity/organisations_admin.html",
        page=page,
        counts=queries.member_counts([row.id for row in page.items]),
        kinds=policy.KIND_LABELS,
        manages=current_actor().may(policy.MANAGE_USERS),
        filters=_fields(OrganisationQueryIn, {"q": wanted.q or "", "kind": wanted.kind or ""}),
    )


@pages.get("/organisations/new")
@requires(policy.MANAGE_USERS)
def new_organisation() -> str:
    """Set up an organisation of any kind."""
    return render_template("identity/organisation_admin_new.html", form=Form(AnyOrganisationIn()))


@pages.post("/organisations/new")
@requires(policy.MANAGE_USERS)
def create_organisation() -> Response:
    """Store it."""
    try:
        made = administration.create_organisation(current_actor(), parsing.form(AnyOrganisationIn))
    except (ValidationError, DomainError) as failure:
        return again("identity/organisation_admin_new.html", AnyOrganisationIn, failure)
    flash(gettext("The organisation is set up."), "success")
    return redirect(url_for("administration.organisation", object_id=made), 303)


@pages.get("/organisations/<uuid:object_id>")
@requires(policy.READ_USERS)
def organisation(object_id: UUID) -> str:
    """One organisation with its members; administrators give roles here."""
    return render_template("identity/organisation_admin.html", form=Form(GiveRoleIn()), **_organisation(object_id))


def _organisation(object_id: UUID) -> dict[str, object]:
    return {
        "organisation": organisation_of(object_id),
        "members": account_queries.memberships_of_organisation(object_id),
        "roles": ROLE_LABELS,
        "kinds": policy.KIND_LABELS,
        "manages": current_actor().may(policy.MANAGE_USERS),
    }


@pages.post("/organisations/<uuid:object_id>/members")
@requires(policy.MANAGE_USERS)
def give_role(object_id: UUID) -> Response:
    """Give a person a role."""
    context = _organisation(object_id)
    try:
        administration.give_role(current_actor(), object_id, parsing.form(GiveRoleIn))
    except (ValidationError, DomainError) as failure:
        return again("identity/organisation_admin.html", GiveRoleIn, failure, **context)
    flash(gettext("The role is given; the person was told."), "success")
    return redirect(url_for("administration.organisation", object_id=object_id), 303)
