"""The composition root: settings in, a Flask application out."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, g, url_for
from flask_babel import Babel, get_locale
from flask_migrate import Migrate

from app.domains import all_domains
from app.identity import topics
from app.identity.authentication import init_identity, load_actor
from app.kernel import clock, outbox
from app.kernel.access import Role
from app.kernel.db import db, engine_options, init_db
from app.kernel.timeline import TimelineEntry
from app.manifest import Domain, NavigationItem
from app.settings import Settings
from app.web import csrf, headers, language, look, request_log
from app.web.guard import check_policies
from app.web.identity import context
from app.web.problems import register_problems
from app.web.session import current_actor
from app.webhooks import catalogue
from app.webhooks import services as webhooks

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("app", "marketplace", "payments", "delivery", "approvals")
LARGEST_REQUEST = 21 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """Build the application. Raises MissingSetting or RuntimeError rather than start half configured."""
    settings.check()
    if settings.clock_file:
        clock.follow(settings.clock_file)
    app = Flask("app", root_path=str(ROOT / "app" / "web"), static_folder=None, template_folder="templates")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.config.update(_config(settings))
    app.extensions["chaoshi_settings"] = settings
    domains = all_domains()
    app.extensions["chaoshi_domains"] = domains
    app.extensions["chaoshi_grants"] = _grants(domains)
    app.extensions[topics.EXTENSION] = tuple(topic for domain in domains for topic in domain.notice_topics)
    told = tuple(event for domain in domains for event in domain.webhook_events)
    app.extensions[catalogue.EXTENSION] = told
    outbox.subscribe(webhooks.handlers_of(told))
    init_db(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    Babel(app, locale_selector=language.select_locale)
    _install_web(app, settings, domains)
    for domain in domains:
        for handlers in domain.handlers:
            outbox.subscribe(handlers)
        for blueprint in domain.blueprints:
            app.register_blueprint(blueprint)
        if domain.init_app:
            domain.init_app(app)
    _install_cli(app)
    check_policies(app)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    url = settings.sqlalchemy_url
    translations = ";".join(str(ROOT / package / "translations") for package in PACKAGES)
    return {
        "SECRET_KEY": settings.secret_key or "testing",
        "SQLALCHEMY_DATABASE_URI": url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(url),
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "BABEL_TRANSLATION_DIRECTORIES": translations,
        "SESSION_COOKIE_SECURE": settings.public_url.startswith("https://"),
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "TESTING": settings.mode == "testing",
        "DATA_DIR": settings.data_dir,
        "AUDIT_KEY_FILE": settings.audit_key_file or settings.data_dir / "audit_key.pem",
        "SECURITY_PASSWORD_SALT": settings.password_salt or "testing",
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365) if settings.is_production else timedelta(0),
    }


def _grants(domains: tuple[Domain, ...]) -> dict[Role, frozenset[str]]:
    """Collect which permissions each role holds."""
    from app.identity.policy import GRANTS

    granted = {role: frozenset(GRANTS.get(role, ())) for role in Role}
    for domain in domains:
        for role, permissions in domain.grants.items():
            granted[role] |= frozenset(str(p) for p in permissions)
    return granted


def _install_web(app: Flask, settings: Settings, domains: tuple[Domain, ...]) -> None:
    from app.web import blueprints

    request_log.init_app(app)
    headers.init_app(app)
    init_identity(app)

    @app.before_request
    def _load_actor() -> None:
        g.actor = load_actor()

    csrf.init_app(app)
    register_problems(app)
    look.install_look(app)
    context.init_app(app)
    for blueprint in blueprints.of(settings):
        app.register_blueprint(blueprint)

    @app.context_processor
    def _for_every_page() -> dict[str, Any]:
        actor = current_actor()
        return {
            "actor": actor,
            "navigation": _menu(domains, actor.roles),
            "settings": settings,
            "locale": str(get_locale()),
            "languages": language.LANGUAGES,
            **context.for_every_page(actor, settings),
        }


def _menu(domains: tuple[Domain, ...], roles: frozenset[Role]) -> list[dict[str, Any]]:
    from flask import request

    items: list[NavigationItem] = [item for domain in domains for item in domain.navigation]
    works = bool(roles)  # people at work find their own pages first, the public ones after them
    shown = [i for i in items if not i.roles or not i.roles.isdisjoint(roles)]
    from flask_babel import gettext

    return [
        {
            "label": gettext(i.label),
            "href": url_for(i.endpoint),
            "icon": i.icon,
            "active": request.endpoint == i.endpoint,
        }
        for i in sorted(shown, key=lambda i: (works and not i.roles, i.order))
    ]


def object_href(app: Flask, entry: TimelineEntry) -> str | None:
    """Return the page of the object that a timeline entry is about."""
    for domain in app.extensions["chaoshi_domains"]:
        build = domain.object_href.get(entry.object_type)
        if build:
            return str(build(entry.object_id))
    return None


def _install_cli(app: Flask) -> None:
    from app.cli import register

    register(app)
