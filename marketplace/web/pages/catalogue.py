"""Pages of the service item list: the public list and item, and the keepers' versions."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Role
from app.kernel.errors import Conflict, Refused
from app.kernel.money import Money
from app.kernel.paging import page_of
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import catalogue as queries
from marketplace.queries import listings as offers
from marketplace.rules.categories import CATEGORY_LABELS, Category
from marketplace.rules.item_diff import FieldChange, Piece
from marketplace.rules.item_table import LABELS
from marketplace.rules.qualifications import CERTIFICATE_LABELS, GRADE_LABELS
from marketplace.services import catalogue
from marketplace.states.catalogue import COMMISSIONER_LABELS, ITEM_VERSION, PRICING_LABELS, ItemVersionState
from marketplace.web.api.catalogue import bp as api
from marketplace.web.market_actions import ITEM_ACTIONS, item_actions, version_json
from marketplace.web.phrases import phrases
from marketplace.web.schemas.catalogue import (
    ComparisonQuery,
    ItemContentIn,
    ItemPageQuery,
    ItemQuery,
    VersionQuery,
)

bp = Blueprint("marketplace_catalogue", __name__, template_folder="../../templates")
NAVIGATION = (
    NavigationItem(N_("Service list"), "marketplace_catalogue.items", "list-details", order=10),
    NavigationItem(
        N_("List versions"),
        "marketplace_catalogue.versions",
        "history",
        frozenset({Role.OPERATOR, Role.REGULATOR}),
        order=65,
    ),
)
OBJECT_HREF = {"item_version": lambda object_id: f"/catalogue/versions/{object_id}"}
WORDS: Final = {
    "pricing": PRICING_LABELS,
    "commissioner": COMMISSIONER_LABELS,
    "states": ITEM_VERSION.labels,
}


@bp.get("/services")
@public
def items() -> str:
    """The list as it stands."""
    asked = parsing.query(ItemQuery)
    every = queries.items_in_force()
    shown = [i for i in every if asked["category"] in {None, i.category}]
    counts = {c: sum(i.category == c for i in every) for c in Category}
    return render_template(
        "marketplace/items.html", items=shown, total=len(every), chosen=asked["category"], tabs=_tabs(counts), **WORDS
    )


def _tabs(counts: dict[Category, int]) -> list[tuple[str, str, int]]:
    return [(str(c), CATEGORY_LABELS[c], counts[c]) for c in Category]


@bp.get("/services/<uuid:item_id>")
@public
def item(item_id: UUID) -> str:
    """One item with its history and the offers on the shelf."""
    asked = parsing.query(ItemPageQuery)
    history = queries.item_history(item_id, asked["version"])
    shelf = offers.offers(item_id=item_id, size=10)
    return render_template(
        "marketplace/item.html",
        item=history.shown,
        history=history,
        shelf=shelf.rows,
        rule=rule_lines(history.shown.qualification_rule),
        **WORDS,
    )


@bp.get("/services/<uuid:item_id>/compare")
@public
def compare(item_id: UUID) -> str:
    """Any two versions of an item, field by field."""
    asked = parsing.query(ComparisonQuery)
    actor = current_actor()
    found = queries.comparison(actor, item_id, asked["before"], asked["after"])
    return render_template(
        "marketplace/item_diff.html",
        found=found,
        changes=[shown_change(change) for change in found.changes],
        **WORDS,
    )


FIELD_LABELS: Final = {**LABELS, "guided_min_fen": LABELS["guided_min"], "guided_max_fen": LABELS["guided_max"]}


def shown_change(change: FieldChange) -> dict[str, Any]:
    """One field of a comparison in words: its label, and both sides as pieces with what the other side lacks."""
    label = gettext(FIELD_LABELS[change.field])
    if change.before_pieces or change.after_pieces:
        return {"label": label, "before": change.before_pieces, "after": change.after_pieces}
    sides = {"before": change.before, "after": change.after}
    return {"label": label} | {side: (Piece(_worded(change.field, v), True),) for side, v in sides.items()}


def _worded(name: str, value: Any) -> str:
    """A value of a version in words."""
    if name == "limit_wd":
        return phrases().by_contract if value is None else phrases().days(value)
    if name in {"guided_min_fen", "guided_max_fen"}:
        return "—" if value is None else f"¥{Money(value).yuan}"
    if name == "self_preparation_allowed":
        return str(gettext("Yes") if value else gettext("No"))
    if name == "approvals":
        return ", ".join(value) or "—"
    if name == "qualification_rule":
        return "\n".join("  " * depth + line for depth, line in rule_lines(value))
    return str(value)


def rule_lines(rule: dict[str, Any], depth: int = 0) -> list[tuple[int, str]]:
    """A qualification rule as indented lines of words."""
    if "staff" in rule:
        label, count = CERTIFICATE_LABELS[rule["staff"]], rule.get("count", 1)
        people = ngettext("%(num)s full-time person", "%(num)s full-time people", count)
        return [(depth, f"{gettext(label)} × {people}")]
    if "kind" in rule:
        label = CERTIFICATE_LABELS[rule["kind"]]
        words = gettext(label)
        grade = rule.get("grade")
        if grade:
            words = gettext("%(kind)s, at least %(grade)s", kind=words, grade=gettext(GRADE_LABELS[grade]))
        return [(depth, words)]
    for joint, label in (("all", N_("All of these:")), ("any", N_("One of these:"))):
        if joint in rule:
            return [(depth, gettext(label)), *(line for part in rule[joint] for line in rule_lines(part, depth + 1))]
    return [(depth, gettext("No qualification is asked for."))]


@bp.get("/catalogue/versions")
@requires(Permission.CATALOGUE_MANAGE)
def versions() -> str:
    """Every version, those in work first."""
    asked = parsing.query(VersionQuery)
    known = asked["state"] if asked["state"] in set(ItemVersionState) else None
    page = page_of(queries.versions_statement(known), number=asked["page"], scalars=False)
    rows = [queries.view_of(row) for row in page.items]
    return render_template(
        "marketplace/versions.html", page=page, rows=rows, state=known, all_states=ITEM_VERSION.labels, **WORDS
    )


@bp.get("/catalogue/versions/<uuid:object_id>")
@public
def version(object_id: UUID) -> str:
    """One version with what its keeper may do; published ones are open to everybody."""
    actor = current_actor()
    view = queries.version_view(actor, object_id)
    return render_template(
        "marketplace/version.html",
        item=view,
        rule=rule_lines(view.qualification_rule),
        actions=item_actions(actor, view),
        entries=object_entries("item_version", view.id, actor),
        is_author=view.drafted_by is not None and view.drafted_by == actor.user_id,
        may_edit=actor.may(Permission.CATALOGUE_MANAGE) and view.state == ItemVersionState.DRAFT,
        may_revise=actor.may(Permission.CATALOGUE_MANAGE) and view.state == ItemVersionState.PUBLISHED,
        next_step=ITEM_VERSION.next_step[ItemVersionState(view.state)],
        **WORDS,
    )


@bp.get("/catalogue/items/new")
@requires(Permission.CATALOGUE_MANAGE)
def new_item() -> Response:
    """The form of a new entry."""
    return _form(N_("New service item"), Form(ItemContentIn()), url_for(".versions"))


@bp.post("/catalogue/items/new")
@requires(Permission.CATALOGUE_MANAGE)
def create_item() -> BaseResponse:
    """Draft a new entry."""
    return _save(
        N_("New service item"), url_for(".versions"), lambda content: catalogue.draft_item(current_actor(), content)
    )


@bp.get("/catalogue/items/<uuid:item_id>/revise")
@requires(Permission.CATALOGUE_MANAGE)
def revise(item_id: UUID) -> Response:
    """The form of the next version, filled with the one in force."""
    shown = queries.item_history(item_id).shown
    values = {**_values(shown), "change_note": ""}
    return _form(N_("New version"), Form(ItemContentIn(), values), url_for(".item", item_id=item_id))


@bp.post("/catalogue/items/<uuid:item_id>/revise")
@requires(Permission.CATALOGUE_MANAGE)
def create_version(item_id: UUID) -> BaseResponse:
    """Draft the next version."""
    back = url_for(".item", item_id=item_id)
    return _save(N_("New version"), back, lambda content: catalogue.draft_version(current_actor(), item_id, content))


@bp.get("/catalogue/versions/<uuid:object_id>/edit")
@requires(Permission.CATALOGUE_MANAGE)
def edit(object_id: UUID) -> Response:
    """The form of a draft."""
    view = queries.version_view(current_actor(), object_id)
    return _form(N_("Change the draft"), Form(ItemContentIn(), _values(view)), url_for(".version", object_id=object_id))


@bp.post("/catalogue/versions/<uuid:object_id>/edit")
@requires(Permission.CATALOGUE_MANAGE)
def save(object_id: UUID) -> BaseResponse:
    """Save a draft."""

    def run(content: catalogue.ItemContent) -> UUID:
        catalogue.change_draft(current_actor(), object_id, content)
        return object_id

    return _save(N_("Change the draft"), url_for(".version", object_id=object_id), run)


def _values(view: queries.ItemView) -> dict[str, Any]:
    values = {name: value for name, value in asdict(view).items() if value is not None}
    rule = json.dumps(view.qualification_rule, ensure_ascii=False)
    priced = {"guided_min": view.guided_min_fen, "guided_max": view.guided_max_fen}
    kept = {k: v for k, v in priced.items() if v is not None}
    return {**values, **kept, "qualification_rule": rule, "approvals": ", ".join(view.approvals)}


def _form(title: str, form: Form, back: str, status: int = 200) -> Response:
    page = render_template("marketplace/form.html", title=gettext(title), form=form, back=back, wide=True)
    return Response(page, status, mimetype="text/html")


def _save(title: str, back: str, run: Callable[[catalogue.ItemContent], UUID]) -> BaseResponse:
    raw = parsing.form_values(ItemContentIn)
    try:
        version_id = run(ItemContentIn().load(raw))
    except (ValidationError, Refused, Conflict) as failure:
        status = failure.status if isinstance(failure, Refused | Conflict) else 422
        return _form(title, Form(ItemContentIn(), raw, errors_of(failure)), back, status)
    flash(gettext("Saved."), "success")
    return redirect(url_for(".version", object_id=version_id), 303)


register_actions(
    bp,
    api,
    path="/catalogue/versions/<uuid:object_id>",
    table=ITEM_ACTIONS,
    view=queries.version_view,
    detail="marketplace_catalogue.version",
    to_json=version_json,
    machine=ITEM_VERSION,
)
