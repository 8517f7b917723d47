"""Table of contents of the marketplace domain: what each aggregate's modules offer to the application."""

from collections.abc import Sequence
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from flask import Flask

from app.kernel.access import Actor
from app.kernel.states import Machine
from app.kernel.words import N_
from app.manifest import Domain, NavigationItem, Topic, WorkItem
from delivery import terms
from marketplace import policy

# Every table belongs to the schema, whether or not a use case has imported it yet.
from marketplace.models import (  # noqa: F401
    agencies,
    catalogue,
    challenges,
    contracts,
    credit,
    engagement,
    listings,
    procurements,
    quotes,
    reviews,
    rulebook,
    saved_searches,
    selection,
)
from marketplace.queries.delivery_terms import delivery_terms
from marketplace.queries.rulebooks import rule_book_in_force
from payments.terms import Terms, use_terms

AGGREGATES: Final = (
    "home",
    "search",
    "saved_searches",
    "comparison",
    "catalogue",
    "item_imports",
    "agencies",
    "listings",
    "procurements",
    "questions",
    "contracts",
    "contract_templates",
    "reviews",
    "credit",
    "sanctions",
    "statistics",
    "draws",
    "rulebooks",
    "selection",
    "quotes",
    "challenges",
    "results",
)
_STATES: Final = (
    "catalogue",
    "agency",
    "listing",
    "procurement",
    "question",
    "registration",
    "contract",
    "rulebook",
    "review",
    "credit",
    "challenge",
)


def _offered(folder: str, name: str) -> tuple[Any, ...]:
    """The attribute `name` of every aggregate's module in `folder` that has one."""
    found = []
    if find_spec(f"marketplace.{folder.partition('.')[0]}") is None:
        return ()
    for aggregate in AGGREGATES:
        if find_spec(f"marketplace.{folder}.{aggregate}"):
            value = getattr(import_module(f"marketplace.{folder}.{aggregate}"), name, None)
            if value is not None:
                found.append(value)
    return tuple(found)


def _machines() -> tuple[Machine, ...]:
    """Every machine that a module of `states` declares."""
    modules = (import_module(f"marketplace.states.{name}") for name in _STATES)
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Machine))


def _worklist(actor: Actor) -> Sequence[WorkItem]:
    return [row for rows_of in _offered("queries", "worklist") for row in rows_of(actor)]


def _hrefs() -> dict[str, Any]:
    return {kind: build for table in _offered("web.pages", "OBJECT_HREF") for kind, build in table.items()}


def _navigation() -> tuple[NavigationItem, ...]:
    return tuple(item for items in _offered("web.pages", "NAVIGATION") for item in items)


def _money_terms(on: date | None) -> Terms:
    """What the rule book in force on a day says about money, for payments."""
    book = rule_book_in_force(on)
    return Terms(
        platform_fee_bp=book.money_platform_fee_bp,
        platform_fee_cap_fen=book.money_platform_fee_cap_fen,
        late_interest_bp=book.pay_late_interest_bp,
        payout_days=book.money_payout_days,
        payout_min_fen=book.money_payout_min_fen,
        bank_cooling_days=book.money_bank_cooling_days,
        invoice_remind_days=book.money_invoice_remind_days,
        dispute_alarm_days=book.money_dispute_alarm_days,
    )


def _init_app(app: Flask) -> None:
    use_terms(app, _money_terms)
    terms.provide(delivery_terms)


DOMAIN = Domain(
    name="marketplace",
    init_app=_init_app,
    machines=_machines(),
    handlers=_offered("handlers", "HANDLERS"),
    jobs=tuple(job for jobs in _offered("jobs", "JOBS") for job in jobs),
    blueprints=(*_offered("web.pages", "bp"), *_offered("web.api", "bp")),
    grants=policy.GRANTS,
    navigation=_navigation(),
    worklist=_worklist,
    object_href=_hrefs(),
    notice_topics=(
        Topic("procurement", N_("Procurements and selection")),
        Topic("contract", N_("Contracts and service clock")),
        Topic("catalogue", N_("Service list")),
        Topic("listing", N_("Offers on the shelf")),
        Topic("search", N_("Saved searches")),
        Topic("rules", N_("Rule book and calendar")),
        Topic("marketplace", N_("Admission and certificates")),
        Topic("rating", N_("Ratings and appeals")),
        Topic("credit", N_("Credit and measures")),
        Topic("challenge", N_("Objections, queries and complaints")),
    ),
    commands=_offered("web.commands", "cli"),
)
