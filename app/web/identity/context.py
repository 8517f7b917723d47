"""What the page frame shows of the person: organisation, unread notices, links of the account menu."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, url_for

from app.identity import policy, sessions
from app.identity.queries import accounts, organisation_name
from app.identity.queries.accounts import NoticeView
from app.identity.wording import worded
from app.kernel.access import ROLE_LABELS, Actor
from app.kernel.words import N_
from app.settings import Settings
from app.web.regions import region_name

_PLACE = re.compile(r"%\(\w+\)s")


def init_app(app: Flask) -> None:
    """Give templates the names of roles and regions, and the words of notices."""
    app.jinja_env.globals["role_labels"] = ROLE_LABELS
    app.jinja_env.filters.setdefault("region", region_name)
    app.jinja_env.filters["worded"] = _worded
    app.jinja_env.filters["without_values"] = _without_values


def _worded(notice: NoticeView, part: str) -> str:
    return worded(getattr(notice, part), notice.params)


def _without_values(message: str) -> str:
    """A message with its places left open: the log names a mail without telling what it says about whom."""
    return _PLACE.sub("…", message)


def for_every_page(actor: Actor, settings: Settings) -> dict[str, Any]:
    """Variables of the layout."""
    if actor.user_id is None:
        return {"demonstration": settings.demonstration, "unread_notices": 0, "account_links": ()}
    signed_in = sessions.signed_in()
    name = signed_in.organisation_name if signed_in else organisation_name(actor.organisation_id)
    return {
        "demonstration": settings.demonstration,
        "organisation_name": name,
        "unread_notices": accounts.unread_notices(actor.user_id),
        "account_links": account_links(actor, settings.rehearsal_url),
    }


def account_links(actor: Actor, rehearsal_url: str = "") -> list[dict[str, str]]:
    """Links of the account menu, by what the person may do."""
    links = [
        _link(N_("My account"), "account.profile", "user-circle"),
        _link(N_("Security and sessions"), "account.security_page", "shield-lock"),
        _link(N_("My parts and organisations"), "account.organisations_page", "building-community"),
        _link(N_("Messages"), "messages.notices_page", "bell"),
        _link(N_("API tokens"), "account.tokens", "key"),
    ]
    if rehearsal_url and actor.may(policy.MANAGE_CALENDAR):
        links.append({"label": N_("Rehearsal"), "href": rehearsal_url, "icon": "clock"})
    if actor.may(policy.READ_USERS):
        links.append(_link(N_("Accounts and roles"), "administration.users", "users"))
        links.append(_link(N_("Organisations"), "administration.organisations", "building"))
    return links


def _link(label: str, endpoint: str, icon: str) -> dict[str, str]:
    return {"label": label, "href": url_for(endpoint), "icon": icon}
