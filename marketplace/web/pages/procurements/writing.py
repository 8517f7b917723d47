"""The owner writes a notice: a wizard of four steps and a last reading, saved at every step; templates; items to choose from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.identity.queries import organisations_by_ids
from app.kernel import clock, work_calendar
from app.kernel.access import Actor
from app.kernel.calendar import UnknownYear
from app.kernel.clock import BEIJING
from app.kernel.commands import Plain
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.queries.procurements import FormView, ProcurementView
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.notices.conditions import hidden_thresholds
from marketplace.services import procurements as services
from marketplace.services.case_links import linked
from marketplace.services.commands import NoticeDraft, Revise
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState
from marketplace.web.creation import create_once
from marketplace.web.notice_reading import lines_of
from marketplace.web.notice_values import notice_values
from marketplace.web.notice_wizard import (
    BY_NAME,
    STEPS,
    Step,
    all_as_typed,
    errors_in,
    filled,
    of_step,
    step_after,
    step_before,
    step_of,
)
from marketplace.web.pages.procurements.words import WORDS, bp
from marketplace.web.procurement_preview import partial_preview
from marketplace.web.schemas.procurements import NoticeIn, item_choices
from marketplace.web.schemas.selection import METHOD_FIELDS

_DRAFTS: Final = {ProcurementState.DRAFT, ProcurementState.RETURNED}


@dataclass(frozen=True)
class Wizard:
    """One notice on its way through the steps: what is known of it, where it is kept, and the notice it changes, if any."""

    content: Mapping[str, Any]
    form: FormView | None = None
    view: ProcurementView | None = None

    @property
    def is_revision(self) -> bool:
        """Whether it changes a public notice."""
        return self.view is not None and self.view.state not in _DRAFTS

    def href(self, step: str) -> str:
        """The page of a step."""
        if self.view is not None:
            return url_for(".edit_step", object_id=self.view.id, step=step)
        if self.form is not None:
            return url_for(".form_step", form_id=self.form.id, step=step)
        asked: dict[str, Any] = request.args.to_dict()
        return url_for(".new", **asked)

    @property
    def serves_case(self) -> bool:
        """Whether it is bought for an approval case: the notice is linked to one, or the wizard was opened from one."""
        if self.view is not None:
            return bool(self.view.case_subject)
        return bool(self.form.case_link if self.form else request.args.get("case"))

    @property
    def cancel(self) -> str:
        """Where leaving leads; what was saved stays."""
        if self.view is not None:
            return url_for(".procurement", object_id=self.view.id)
        return url_for(".mine")


# --- routes -----------------------------------------------------------------------------------------------------


@bp.get("/procurements/new")
@requires(Permission.PROCUREMENT_CREATE)
def new() -> str:
    """The first step, with the defaults of the rule book, or those of a template or an earlier notice."""
    return _page(Wizard(_beginning(current_actor())), BY_NAME["what"])


@bp.post("/procurements/new")
@requires(Permission.PROCUREMENT_CREATE)
def create() -> BaseResponse:
    """Keep the first step; the notice has an address from then on."""
    return _take(Wizard(_beginning(current_actor())), BY_NAME["what"])


@bp.get("/procurements/forms/<uuid:form_id>/<step>")
@requires(Permission.PROCUREMENT_CREATE)
def form_step(form_id: UUID, step: str) -> str:
    """A step of an unfinished notice."""
    return _page(_kept(form_id), _step(step))


@bp.post("/procurements/forms/<uuid:form_id>/<step>")
@requires(Permission.PROCUREMENT_CREATE)
def save_form_step(form_id: UUID, step: str) -> BaseResponse:
    """Keep a step, or finish."""
    return _take(_kept(form_id), _step(step))


@bp.post("/procurements/forms/<uuid:form_id>/discard")
@requires(Permission.PROCUREMENT_CREATE)
def discard_form(form_id: UUID) -> BaseResponse:
    """Forget an unfinished notice."""
    form = procurements.form_of(current_actor(), form_id)
    services.discard_form(current_actor(), form.id)
    flash(gettext("The unfinished notice was discarded."), "success")
    if form.procurement_id is not None:
        return redirect(url_for(".procurement", object_id=form.procurement_id), 303)
    return redirect(url_for(".mine"), 303)


@bp.get("/procurements/<uuid:object_id>/edit")
@requires(Permission.PROCUREMENT_CREATE)
def edit(object_id: UUID) -> str:
    """The first step of changing a notice."""
    return _page(_existing(object_id), BY_NAME["what"])


@bp.get("/procurements/<uuid:object_id>/edit/<step>")
@requires(Permission.PROCUREMENT_CREATE)
def edit_step(object_id: UUID, step: str) -> str:
    """A step of changing a notice."""
    return _page(_existing(object_id), _step(step))


@bp.post("/procurements/<uuid:object_id>/edit/<step>")
@requires(Permission.PROCUREMENT_CREATE)
def save_edit_step(object_id: UUID, step: str) -> BaseResponse:
    """Keep a step, or finish."""
    return _take(_existing(object_id), _step(step))


@bp.post("/procurements/preview")
@requires(Permission.PROCUREMENT_CREATE)
def preview() -> str:
    """What is said beside the form while it is filled in: who qualifies, what must be changed, how the notice reads."""
    typed = parsing.form_values(NoticeIn)
    wizard = _kept_elsewhere()
    known = {**filled(wizard.content), **{name: value for name, value in typed.items() if name in NoticeIn().fields}}
    return _preview(wizard, known)


@bp.get("/procurements/items")
@requires(Permission.PROCUREMENT_CREATE)
def items() -> str:
    """The service items whose number or name holds the words, as options of the form's list."""
    words = request.args.get("item_words", "").strip().casefold()[:100].split()
    found = [(value, label) for value, label in item_choices() if all(word in label.casefold() for word in words)]
    return render_template("marketplace/_item_options.html", items=found)


# --- pages ------------------------------------------------------------------------------------------------------


def _step(name: str) -> Step:
    step = BY_NAME.get(name)
    if step is None:
        raise NotFound
    return step


def _kept(form_id: UUID) -> Wizard:
    form = procurements.form_of(current_actor(), form_id)
    view = _editable(form.procurement_id) if form.procurement_id else None
    return Wizard(form.content, form, view)


def _existing(object_id: UUID) -> Wizard:
    view = _editable(object_id)
    form = procurements.form_for(current_actor(), view.id)
    content = form.content if form else all_as_typed(notice_values(view))
    return Wizard(content, form, view)


def _editable(object_id: UUID) -> ProcurementView:
    view = procurements.procurement_view(current_actor(), object_id)
    if Part.OWNER not in view.parts:
        raise NotFound
    return view


def _kept_elsewhere() -> Wizard:
    """The notice with the steps that are not on the page, for the preview."""
    form, changed = request.args.get("form", type=UUID), request.args.get("procurement", type=UUID)
    if form is not None:
        return _kept(form)
    return _existing(changed) if changed is not None else Wizard({})


def _page(wizard: Wizard, step: Step, typed: Mapping[str, Any] | None = None, errors: Any = None) -> str:
    values = {**wizard.content, **(typed or {})}
    form = Form(NoticeIn(), filled(values) | {"method": values.get("method") or "random"}, errors or {})
    return render_template(
        "marketplace/wizard.html",
        wizard=wizard,
        step=step,
        steps=STEPS,
        before=step_before(step.name),
        form=form,
        preview=partial_preview(current_actor(), filled(values)),
        reading=lines_of(form, serves_case=wizard.serves_case),
        review=_review(wizard, values) if step.name == "review" else None,
        method_fields=METHOD_FIELDS,
        moment_of=datetime.fromisoformat,
        starts=_starts() if wizard.form is None and wizard.view is None else None,
        **WORDS,
    )


def _preview(wizard: Wizard, values: Mapping[str, Any]) -> str:
    return render_template(
        "marketplace/_notice_preview.html",
        preview=partial_preview(current_actor(), values),
        reading=lines_of(Form(NoticeIn(), values), serves_case=wizard.serves_case),
        beside_item=request.args.get("step") == "what",
        answer=True,
    )


@dataclass(frozen=True)
class Review:
    """What the last step shows: errors by step, phrases that need a reason, and for a public notice what would change."""

    errors: tuple[tuple[Step, str, str], ...]
    thresholds: tuple[Any, ...]
    reasons: Mapping[str, str]
    changes: tuple[Any, ...]
    refusal: str


def _review(wizard: Wizard, values: Mapping[str, Any]) -> Review:
    reasons = {row["key"]: row["reason"] for row in values.get("justifications") or ()}
    if wizard.view is not None and not reasons:
        reasons = {one.threshold.key: one.reason for one in procurements.thresholds_of(wizard.view)}
    texts = {name: str(values.get(name) or "") for name in services.CHECKED_TEXTS}
    changes: tuple[Any, ...] = ()
    refusal = ""
    wrong = {name: messages for step in STEPS[:-1] for name, messages in errors_in(step, values).items()}
    if wizard.is_revision and wizard.view is not None and not wrong:
        try:
            changes = services.changes_by(current_actor(), wizard.view.id, _command(values))
        except DomainError as failure:
            refusal = gettext(failure.detail or failure.title, **failure.params)
    labels = {field.name: field.label for field in Form(NoticeIn()).fields}
    errors = tuple(
        (BY_NAME[step_of(name)], labels.get(name, name), gettext(message))
        for name, messages in wrong.items()
        for message in messages
    )
    return Review(errors, hidden_thresholds(texts), reasons, changes, refusal)


# --- steps ------------------------------------------------------------------------------------------------------


def _take(wizard: Wizard, step: Step) -> BaseResponse:
    """Keep what was typed and go on; with errors the page comes back with it. Leaving keeps it unchecked."""
    if step.name == "review":
        return _finish(wizard)
    typed = of_step(step, parsing.form_values(NoticeIn))
    leaving = request.form.get("then") == "leave"
    errors = (
        {} if leaving else errors_in(step, {**wizard.content, **typed}) or _blocked(step, {**wizard.content, **typed})
    )
    if errors:
        return Response(_page(wizard, step, typed, errors), status=422, mimetype="text/html")
    try:
        form_id = _keep(wizard, typed)
    except (NotFound, NotAllowed):
        raise
    except DomainError as failure:
        page = _page(wizard, step, typed, errors_of(failure))
        return Response(page, status=failure.status, mimetype="text/html")
    if leaving:
        flash(gettext("What you wrote is kept. Go on when you like."), "success")
        return redirect(wizard.cancel, 303)
    if wizard.view is not None:
        return redirect(url_for(".edit_step", object_id=wizard.view.id, step=step_after(step.name)), 303)
    return redirect(url_for(".form_step", form_id=form_id, step=step_after(step.name)), 303)


def _keep(wizard: Wizard, typed: Mapping[str, Any]) -> UUID:
    """Save the step. The first one of a new notice is saved once per key, however often the button is pressed."""
    actor, form, view = current_actor(), wizard.form, wizard.view
    if form is not None:
        version = request.form.get("form_version", type=int)
        return services.save_form(actor, typed, form_id=form.id, version=version)
    content = {**wizard.content, **typed}
    if view is not None:
        return services.save_form(actor, content, procurement_id=view.id)
    case_link = request.args.get("case")
    key, sent = request.form.get("idempotency_key"), request.form.to_dict(flat=False)
    make = lambda: services.save_form(actor, content, case_link=case_link)  # noqa: E731 - the effect of this one key
    return create_once(actor, "procurement:form", key, sent, make)


def _blocked(step: Step, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The rule book's refusals that concern this step."""
    found: dict[str, list[str]] = {}
    for finding in partial_preview(current_actor(), filled(values)).findings:
        name = services.FORM_FIELDS.get(finding.field, finding.field)
        if finding.blocks and name in step.fields:
            found.setdefault(name, []).append(gettext(finding.text, **finding.params))
    return found


def _finish(wizard: Wizard) -> BaseResponse:
    """Make the draft, change it, or propose the change of the public notice; then perhaps hand it in."""
    actor = current_actor()
    reasons = [
        {"key": name.removeprefix("reason:"), "reason": text}
        for name, text in request.form.items()
        if name.startswith("reason:")
    ]
    values = {**wizard.content, "justifications": reasons}
    why = request.form.get("why", "").strip()
    try:
        form_id = wizard.form.id if wizard.form else _keep(wizard, {})
        services.save_form(actor, {"justifications": reasons}, form_id=form_id)
        command = linked(actor, _command(values), wizard.form.case_link if wizard.form else None)
        key, sent = request.form.get("idempotency_key"), request.form.to_dict(flat=False)
        wanted: NoticeDraft | Revise = Revise(command, why) if wizard.is_revision else command
        made = create_once(actor, "procurement:finish", key, sent, lambda: services.finish_form(actor, form_id, wanted))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = 422 if isinstance(failure, ValidationError) else failure.status
        page = _page(wizard, BY_NAME["review"], {"justifications": reasons}, errors_of(failure))
        return Response(page, status=status, mimetype="text/html")
    _hand_in(actor, made, revision=wizard.is_revision)
    return redirect(url_for(".procurement", object_id=made), 303)


def _hand_in(actor: Actor, procurement_id: UUID, *, revision: bool) -> None:
    """Submit at once where the owner asked for it; a refusal leaves the draft and says why."""
    if revision:
        flash(gettext("The change is handed in."), "success")
    elif request.form.get("then") != "submit":
        flash(gettext("The draft is saved. Read it once more, then submit it."), "success")
    else:
        try:
            view = procurements.procurement_view(actor, procurement_id)
            services.submit_notice(actor, procurement_id, Plain(view.version))
        except DomainError as failure:
            flash(gettext(failure.detail or failure.title, **failure.params), "danger")
        else:
            flash(gettext("The notice is submitted."), "success")


def _command(values: Mapping[str, Any]) -> NoticeDraft:
    known = NoticeIn().fields
    command: NoticeDraft = NoticeIn().load(filled({name: value for name, value in values.items() if name in known}))
    return command


# --- where a notice begins --------------------------------------------------------------------------------------


def _beginning(actor: Actor) -> dict[str, Any]:
    """First values: a template or an earlier notice of the owner, over the defaults of the rule book."""
    values = _defaults(actor)
    template, earlier = request.args.get("template", type=UUID), request.args.get("copy", type=UUID)
    if template is not None:
        values |= procurements.template_of(actor, template).content
    elif earlier is not None:
        values |= _copied(earlier)
    for argument, name in (("item", "item_version_id"), ("project", "project_name")):
        if request.args.get(argument):
            values[name] = request.args[argument]
    return values


def _copied(procurement_id: UUID) -> dict[str, Any]:
    """An earlier notice of the same owner without its dates and conflicts: those belong to one purchase."""
    typed = all_as_typed(notice_values(_editable(procurement_id)))
    return {name: value for name, value in typed.items() if name not in {"registration_ends_at", "avoided"} and value}


def _defaults(actor: Actor) -> dict[str, Any]:
    """The earliest deadline the rule book allows, the owner's region, the writer as contact."""
    values: dict[str, Any] = {"method": "random", "fund_source": "fiscal", "contact_name": actor.name}
    if actor.organisation_id:
        owner = organisations_by_ids([actor.organisation_id]).get(actor.organisation_id)
        values |= {"region_code": owner.region_code or "", "contact_phone": owner.phone or ""} if owner else {}
    book = rule_book_in_force()
    try:
        day = work_calendar.current().add_working_days(
            clock.today(), book.notice_registration_min_wd + book.notice_check_wd
        )
        values["registration_ends_at"] = datetime.combine(day, time(17, 0), BEIJING).strftime("%Y-%m-%dT%H:%M")
    except UnknownYear:
        pass
    return values


@dataclass(frozen=True)
class Starts:
    """What a new notice may start from."""

    templates: Any
    earlier: Any
    english: bool


def _starts() -> Starts:
    organisation_id = current_actor().organisation_id
    if organisation_id is None:
        return Starts((), (), english=False)
    earlier = procurements.procurements_of_owner(organisation_id).items[:5]
    return Starts(procurements.templates_of(organisation_id), earlier, english=str(get_locale()) == "en")


# --- templates --------------------------------------------------------------------------------------------------


@bp.get("/notice-templates")
@requires(Permission.PROCUREMENT_CREATE)
def templates() -> str:
    """The notices an owner keeps to start others from."""
    organisation_id = current_actor().organisation_id
    if organisation_id is None:
        raise NotAllowed
    return render_template("marketplace/notice_templates.html", templates=procurements.templates_of(organisation_id))


@bp.post("/procurements/<uuid:object_id>/template")
@requires(Permission.PROCUREMENT_CREATE)
def keep_template(object_id: UUID) -> BaseResponse:
    """Keep a notice as a template."""
    view = _editable(object_id)
    name = request.form.get("name", "").strip()[:80] or view.title[:80]
    services.keep_template(current_actor(), name, all_as_typed(notice_values(view)))
    flash(gettext("Kept as a template."), "success")
    return redirect(url_for(".templates"), 303)


@bp.post("/notice-templates/<uuid:template_id>/delete")
@requires(Permission.PROCUREMENT_CREATE)
def delete_template(template_id: UUID) -> BaseResponse:
    """Delete a template."""
    services.delete_template(current_actor(), template_id)
    flash(gettext("The template was deleted."), "success")
    return redirect(url_for(".templates"), 303)
