"""Pages of contract templates: the list, one with its editions, writing and publishing."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import Role
from app.kernel.commands import Plain
from app.kernel.errors import Conflict, Refused
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.actions import Action, action_link
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.schemas import PlainIn
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries.contracts.templates import TemplateView, template_view, templates
from marketplace.rules.contract_text import (
    FACT_LABELS,
    INDISPENSABLE,
    OPEN_FIELD_LABELS,
    STANDARD_TEMPLATE,
    TEXT_FIELDS,
    OpenField,
    Template,
)
from marketplace.rules.milestones import write_milestones
from marketplace.services.contracts import templates as services
from marketplace.states.engagement import PAYMENT_MOMENT_LABELS
from marketplace.web.schemas.contracts import NewTemplateIn, TemplateIn

bp = Blueprint("marketplace_contract_templates", __name__, url_prefix="/contract-templates")
_KEEPERS = frozenset({Role.REGULATOR, Role.OPERATOR, Role.AUDITOR})
NAVIGATION = (
    NavigationItem(N_("Contract templates"), "marketplace_contract_templates.index", "file-text", _KEEPERS, order=42),
)
_PUBLISH = Action(
    services.publish_template,
    label=N_("Publish this draft"),
    done=N_("The template is published."),
)


@bp.get("")
@requires(Permission.CONTRACT_TEMPLATE_READ)
def index() -> str:
    """All templates."""
    return render_template(
        "marketplace/contract_templates.html",
        templates=templates(),
        may_keep=current_actor().may(Permission.CONTRACT_TEMPLATE_KEEP),
    )


@bp.get("/<uuid:template_id>")
@requires(Permission.CONTRACT_TEMPLATE_READ)
def template(template_id: UUID) -> str:
    """One template with its draft and editions."""
    view = template_view(template_id)
    here = url_for("marketplace_contract_templates.template", template_id=template_id)
    change = Action(lambda *_: None, TemplateIn, label=N_("Change the draft"))
    actions = [action_link(here, "change", change)]
    if not view.is_published:
        actions.insert(0, action_link(here, "publish", _PUBLISH, primary=True, version=view.version))
    return render_template(
        "marketplace/contract_template.html",
        template=view,
        actions=actions,
        may_keep=current_actor().may(Permission.CONTRACT_TEMPLATE_KEEP),
        payment_moments={str(one): label for one, label in PAYMENT_MOMENT_LABELS.items()},
        opened=_named(view.template.open_fields),
        demanded=_named(view.template.required_fields),
    )


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(gettext(OPEN_FIELD_LABELS[OpenField(name)]) for name in names)


@bp.get("/new")
@requires(Permission.CONTRACT_TEMPLATE_KEEP)
def new() -> str:
    """The form for a new template, beginning with the standard text."""
    return _form_page(Form(NewTemplateIn(), {"title": "", **_values(STANDARD_TEMPLATE)}), N_("New template"))


@bp.post("/new")
@requires(Permission.CONTRACT_TEMPLATE_KEEP)
def create() -> BaseResponse:
    """Begin a template."""

    def run(loaded: Any) -> UUID:
        item_id, content = loaded
        return services.begin_template(current_actor(), item_id, content)

    return _save(NewTemplateIn(), N_("New template"), run)


@bp.get("/<uuid:template_id>/actions/change")
@requires(Permission.CONTRACT_TEMPLATE_KEEP)
def edit(template_id: UUID) -> str:
    """The form of the draft."""
    view = template_view(template_id)
    return _form_page(Form(TemplateIn(), _present(view)), N_("Change the draft"))


@bp.post("/<uuid:template_id>/actions/change")
@requires(Permission.CONTRACT_TEMPLATE_KEEP)
def change(template_id: UUID) -> BaseResponse:
    """Save the draft."""

    def run(content: Any) -> UUID:
        services.change_template(current_actor(), template_id, content)
        return template_id

    return _save(TemplateIn(), N_("Change the draft"), run)


@bp.post("/<uuid:template_id>/actions/publish")
@requires(Permission.CONTRACT_TEMPLATE_KEEP)
def publish(template_id: UUID) -> BaseResponse:
    """Publish the draft as the next edition."""
    command: Plain = parsing.form(PlainIn)
    try:
        services.publish_template(current_actor(), template_id, command)
        flash(gettext(_PUBLISH.done), "success")
    except Conflict as refusal:
        flash(gettext(refusal.detail or refusal.title), "danger")
    return redirect(url_for("marketplace_contract_templates.template", template_id=template_id), 303)


def _save(schema: TemplateIn, title: str, run: Callable[[Any], UUID]) -> BaseResponse:
    raw = parsing.form_values(type(schema))
    try:
        template_id = run(schema.load(raw))
    except (ValidationError, Refused, Conflict) as failure:
        page = _form_page(Form(schema, raw, errors_of(failure)), title)
        return Response(page, status=422, mimetype="text/html")
    flash(gettext("The draft is saved."), "success")
    return redirect(url_for("marketplace_contract_templates.template", template_id=template_id), 303)


def _form_page(form: Form, title: str) -> str:
    return render_template(
        "marketplace/contract_template_form.html",
        form=form,
        title=gettext(title),
        back=url_for("marketplace_contract_templates.index"),
        facts=FACT_LABELS,
        indispensable=INDISPENSABLE,
        fillable=TEXT_FIELDS,
        open_fields={str(one): label for one, label in OPEN_FIELD_LABELS.items()},
    )


def _present(view: TemplateView) -> Mapping[str, Any]:
    return {"title": view.title, "version": view.version, **_values(view.template)}


def _values(template: Template) -> dict[str, Any]:
    return {
        "body": template.body,
        "open_fields": [str(name) for name in template.open_fields],
        "required_fields": [str(name) for name in template.required_fields],
        "milestones": write_milestones(template.milestones),
        "checklist": "\n".join(template.checklist),
        "payment_moment": str(template.payment_moment),
        "pay_days": template.pay_days,
    }
