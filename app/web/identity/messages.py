"""What a person is told: notices, how they are mailed, and the calendar feed of the own deadlines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask_babel import force_locale, gettext
from marshmallow import Schema, ValidationError, fields
from werkzeug.wrappers import Response

from app.identity.authentication import actor_of
from app.identity.queries import accounts as queries
from app.identity.queries.accounts import NoticeView
from app.identity.services import notices
from app.identity.tokens import digest
from app.identity.wording import worded
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.kernel.worklist import Turn
from app.settings import Settings
from app.web import parsing
from app.web.calendar_feed import Deadline, feed
from app.web.forms import Form
from app.web.guard import public, signed_in
from app.web.identity.forms import again, me, safe_next
from app.web.identity.schemas import NoticeQuery, NoticeQueryIn, preferences_schema, preferences_values
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.workbench import work_items

pages = Blueprint("messages", __name__)
api = Blueprint("messages_api", __name__, url_prefix="/api")


class NoticeOut(Schema):
    """Something the person was told, in the language of the request."""

    id = fields.UUID()
    kind = fields.String()
    subject = fields.String()
    text = fields.String()
    link = fields.String()
    created_at = fields.DateTime()
    read_at = fields.DateTime(allow_none=True)


def _page(user_id: UUID, wanted: NoticeQuery) -> Page[NoticeView]:
    statement = queries.notices_statement(user_id, only_unread=wanted.unread, topic=wanted.topic or "")
    page = page_of(statement, number=wanted.page)
    return Page(queries.notice_views(page.items), page.number, page.size, page.total)


@pages.get("/account/notices")
@signed_in
def notices_page() -> str:
    """What the person was told."""
    _actor, user_id = me()
    wanted = parsing.query(NoticeQueryIn)
    values = {"topic": wanted.topic or "", "unread": wanted.unread}
    filters = [field for field in Form(NoticeQueryIn(), values).fields if field.name != "page"]
    return render_template("identity/notices.html", page=_page(user_id, wanted), filters=filters)


@pages.post("/account/notices/<uuid:notice_id>/open")
@signed_in
def open_notice(notice_id: UUID) -> Response:
    """Mark one as read and go where it leads."""
    actor, _user_id = me()
    link = notices.mark_read(actor, notice_id)
    return redirect(safe_next(link) or url_for("messages.notices_page"), 303)


@pages.post("/account/notices/read-all")
@signed_in
def read_all() -> Response:
    """Mark all as read."""
    actor, _user_id = me()
    notices.mark_all_read(actor)
    return redirect(url_for("messages.notices_page"), 303)


@api.get("/account/notices")
@signed_in
@operation(N_("List what I was told"), query=NoticeQueryIn, response=NoticeOut, many=True, tag="account")
def list_notices() -> Response:
    """Notices, the newest first."""
    _actor, user_id = me()
    page = _page(user_id, parsing.query(NoticeQueryIn))
    items = [_notice_json(one) for one in page.items]
    return page_answer(page, items)


@api.post("/account/notices/<uuid:notice_id>/read")
@signed_in
@operation(N_("Mark a notice as read"), status=204, tag="account")
def read_notice(notice_id: UUID) -> tuple[str, int]:
    """Mark one own notice as read."""
    actor, _user_id = me()
    notices.mark_read(actor, notice_id)
    return "", 204


def _notice_json(one: NoticeView) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "kind": one.kind,
        "subject": worded(one.subject, one.params),
        "text": worded(one.text, one.params),
        "link": one.link,
        "created_at": one.created_at.isoformat(),
        "read_at": one.read_at.isoformat() if one.read_at else None,
    }


# --- how notices are mailed -------------------------------------------------------------------------------------


@pages.get("/account/preferences")
@signed_in
def preferences() -> str:
    """Mail at once, once a day or never, for all notices and for single topics; the calendar feed."""
    return _preferences_page(None)


def _preferences_page(feed_address: str | None) -> str:
    _actor, user_id = me()
    mine = queries.profile(user_id)
    values = preferences_values(mine.mail_delivery, queries.preferences_of(user_id))
    return render_template(
        "identity/preferences.html",
        form=Form(preferences_schema()(), values),
        profile=mine,
        feed_address=feed_address,
    )


@pages.post("/account/preferences")
@signed_in
def change_preferences() -> Response:
    """Store them."""
    actor, user_id = me()
    schema = preferences_schema()
    try:
        notices.change_preferences(actor, parsing.form(schema))
    except ValidationError as failure:
        return again("identity/preferences.html", schema, failure, profile=queries.profile(user_id), feed_address=None)
    flash(gettext("Saved."), "success")
    return redirect(url_for("messages.preferences"), 303)


# --- the calendar feed ------------------------------------------------------------------------------------------


@pages.post("/account/calendar-feed")
@signed_in
def make_feed() -> str:
    """Make the secret address of the feed and show it, once."""
    actor, _user_id = me()
    token = notices.renew_calendar_token(actor)
    settings: Settings = current_app.extensions["chaoshi_settings"]
    return _preferences_page(settings.public_url.rstrip("/") + url_for("messages.calendar_feed", token=token))


@pages.post("/account/calendar-feed/end")
@signed_in
def end_feed() -> Response:
    """Let the address answer nobody."""
    actor, _user_id = me()
    notices.end_calendar_feed(actor)
    flash(gettext("The calendar feed has ended."), "success")
    return redirect(url_for("messages.preferences"), 303)


@pages.get("/calendar/<token>.ics")
@public
def calendar_feed(token: str) -> Response:
    """The deadlines of the person behind the secret address, in every part that he or she plays (RFC 5545)."""
    found = queries.reader_of_feed(digest(token))
    if found is None:
        raise NotFound
    user, parts = found
    actors = [actor_of(user.id, part.organisation_id, Role(part.role), user.name) for part in parts]
    actors.append(actor_of(user.id, None, Role.APPLICANT, user.name))
    settings: Settings = current_app.extensions["chaoshi_settings"]
    with force_locale(user.locale):
        deadlines = {
            row.href: Deadline(
                due_at=row.due_at,
                summary=f"{gettext(row.step)} · {row.title}",
                description=f"{gettext(row.kind)} {row.number}",
                url=settings.public_url.rstrip("/") + row.href,
            )
            for actor in actors
            for row in work_items(actor)
            if row.turn is Turn.MINE and row.due_at is not None
        }
        document = feed(gettext("My deadlines in Chaoshi"), deadlines.values(), made_at=clock.now())
    answer = Response(document, mimetype="text/calendar")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
