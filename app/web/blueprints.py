"""The pages that belong to no domain: accounts, workbench, language, health, API documents, and development aids."""

from importlib import import_module

from flask import Blueprint

from app.settings import Mode, Settings

ALWAYS = (
    ("app.web.language", "bp"),
    ("app.web.workbench", "bp"),
    ("app.web.workbench", "api"),
    ("app.web.identity.sign_in", "pages"),
    ("app.web.identity.account", "pages"),
    ("app.web.identity.messages", "pages"),
    ("app.web.identity.messages", "api"),
    ("app.web.identity.administration", "pages"),
    ("app.web.identity.api", "steps"),
    ("app.web.identity.api", "api"),
    ("app.web.work_calendar", "bp"),
    ("app.web.work_calendar", "api"),
    ("app.web.health", "bp"),
    ("app.web.reference", "bp"),
    ("app.documents.web", "pages"),
    ("app.documents.web", "api"),
)
DEVELOPMENT = (
    ("app.web.styleguide", "bp"),
    ("app.web.identity.development", "pages"),
)
REHEARSAL = (("app.web.rehearsal", "bp"),)


def of(settings: Settings) -> tuple[Blueprint, ...]:
    """Return the blueprints for this installation; development aids do not exist in production."""
    wanted: tuple[tuple[str, str], ...] = ALWAYS if settings.mode is Mode.PRODUCTION else ALWAYS + DEVELOPMENT
    if settings.rehearsal:
        wanted += REHEARSAL
    return tuple(getattr(import_module(module), name) for module, name in wanted)
