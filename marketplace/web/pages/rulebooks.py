"""Pages of the rule book: every number in force, its versions, and the proposals of changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Actor, Role
from app.kernel.errors import DomainError
from app.kernel.timeline import object_entries
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import Action, ActionView, actions_of, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.schemas import PlainIn, ReasonIn
from app.web.session import current_actor
from marketplace.models.rulebook import RuleChange
from marketplace.policy import Permission, rule_change_parts
from marketplace.queries import rulebooks as queries
from marketplace.queries.rulebooks import RuleChangeView
from marketplace.rulebook import PARAMETERS, Parameter
from marketplace.rules.rulebook_changes import Difference, differences
from marketplace.services import rulebooks
from marketplace.states.rulebook import RULE_CHANGE, RuleChangeState
from marketplace.web.api.rulebooks import bp as api
from marketplace.web.api.rulebooks import change_json
from marketplace.web.schemas.rulebooks import OTHER, PROPOSAL, SECTIONS, UNIT_LABELS, section_of, shown, values_of

bp = Blueprint("marketplace_rulebooks", __name__, template_folder="../../templates")
NAVIGATION = (
    NavigationItem(N_("Rule book"), "marketplace_rulebooks.in_force", "notebook", order=95),
    NavigationItem(
        N_("Changes of the rule book"),
        "marketplace_rulebooks.changes",
        "history",
        frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}),
        order=680,
    ),
)
OBJECT_HREF = {"rule_change": lambda object_id: f"/rules/changes/{object_id}"}

RULE_CHANGE_ACTIONS: Final[Mapping[str, Action]] = {
    "publish": Action(rulebooks.publish, PlainIn, done=N_("Published as the next version.")),
    "reject": Action(rulebooks.reject, ReasonIn, explain=N_("The person who proposed it reads this reason.")),
    "withdraw": Action(rulebooks.withdraw, PlainIn),
}


@dataclass(frozen=True)
class Line:
    """One parameter as a page shows it; `unit` is a message id."""

    key: str
    label: str
    value: Any
    unit: str
    is_default: bool


@dataclass(frozen=True)
class Change:
    """One parameter before and after, as a page shows it."""

    label: str
    before: Any
    after: Any
    unit: str


def _line(parameter: Parameter, parameters: Mapping[str, object]) -> Line:
    value = shown(parameter, parameters.get(parameter.key, parameter.default))
    is_default = value == shown(parameter, parameter.default)
    return Line(parameter.key, parameter.label, value, UNIT_LABELS.get(parameter.unit, ""), is_default)


def _sections(parameters: Mapping[str, object]) -> list[tuple[str, list[Line]]]:
    lines = [_line(p, parameters) for p in PARAMETERS]
    titles = [title for title, _ in SECTIONS] + [OTHER]
    grouped = ((title, [line for line in lines if section_of(line.key) == title]) for title in titles)
    return [(title, found) for title, found in grouped if found]


def _changes(found: Iterable[Difference]) -> list[Change]:
    return [
        Change(p.label, shown(p, d.before), shown(p, d.after), UNIT_LABELS.get(p.unit, ""))
        for p, d in ((d.parameter, d) for d in found)
    ]


@bp.get("/rules")
@public
def in_force() -> str:
    """Every number that holds today."""
    return _book(queries.rule_book_in_force().version)


@bp.get("/rules/<int:number>")
@public
def version(number: int) -> str:
    """One version as published."""
    return _book(number)


def _book(number: int) -> str:
    book = queries.rule_book(number)
    versions = queries.versions()
    before = max((v.version for v in versions if v.version < number), default=None)
    changed = differences(queries.rule_book(before).as_parameters(), book.as_parameters()) if before else ()
    return render_template(
        "marketplace/rulebook.html",
        sections=_sections(book.as_parameters()),
        facts=next(v for v in versions if v.version == number),
        versions=versions,
        current=queries.rule_book_in_force().version,
        changed=_changes(changed),
        may_propose=current_actor().may(Permission.RULE_BOOK_PROPOSE),
    )


@bp.get("/rules/changes")
@requires(Permission.RULE_BOOK_READ_CHANGES)
def changes() -> str:
    """Every proposal, the newest first."""
    return render_template(
        "marketplace/rule_changes.html",
        rows=queries.changes(),
        labels=RULE_CHANGE.labels,
        may_propose=current_actor().may(Permission.RULE_BOOK_PROPOSE),
    )


@bp.get("/rules/changes/new")
@requires(Permission.RULE_BOOK_PROPOSE)
def new_change() -> str:
    """The form, filled with the latest rule book."""
    return _form(Form(PROPOSAL(), values_of(queries.latest_rule_book())))


@bp.post("/rules/changes/new")
@requires(Permission.RULE_BOOK_PROPOSE)
def propose() -> BaseResponse:
    """Propose it."""
    try:
        change_id = rulebooks.propose(current_actor(), parsing.form(PROPOSAL))
    except (ValidationError, DomainError) as failure:
        status = failure.status if isinstance(failure, DomainError) else 422
        page = _form(Form(PROPOSAL(), parsing.form_values(PROPOSAL), errors_of(failure)))
        return Response(page, status, mimetype="text/html")
    flash(gettext("Proposed. Somebody of the regulator decides it."), "success")
    return redirect(url_for(".change", object_id=change_id), 303)


def _form(form: Form) -> str:
    titles = [title for title, _ in SECTIONS] + [OTHER]
    grouped = ((title, [p.name for p in PARAMETERS if section_of(p.key) == title]) for title in titles)
    return render_template(
        "marketplace/rule_change_new.html", form=form, sections=[(title, names) for title, names in grouped if names]
    )


@bp.get("/rules/changes/<uuid:object_id>")
@requires(Permission.RULE_BOOK_READ_CHANGES)
def change(object_id: UUID) -> str:
    """One proposal: what differs, why, and the decision."""
    actor = current_actor()
    view = queries.rule_change(actor, object_id)
    return render_template(
        "marketplace/rule_change.html",
        change=view,
        state=RULE_CHANGE.labels[RuleChangeState(view.state)],
        next_step=RULE_CHANGE.next_step[RuleChangeState(view.state)],
        changed=_changes(differences(view.base, view.parameters)),
        actions=change_actions(actor, view),
        entries=object_entries("rule_change", view.id, actor),
    )


def change_actions(actor: Actor, view: RuleChangeView) -> tuple[ActionView, ...]:
    """What the actor may do with a proposal now."""
    held = rule_change_parts(actor, RuleChange(proposed_by=view.proposed_by))
    href = f"/rules/changes/{view.id}"
    return actions_of(RULE_CHANGE, view.state, held, href=href, table=RULE_CHANGE_ACTIONS, version=view.version)


register_actions(
    bp,
    api,
    path="/rules/changes/<uuid:object_id>",
    table=RULE_CHANGE_ACTIONS,
    view=queries.rule_change,
    detail="marketplace_rulebooks.change",
    to_json=lambda view: change_json(view, change_actions(current_actor(), view)),
    machine=RULE_CHANGE,
)
