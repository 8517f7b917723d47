"""The wizard's memory: what was typed and not finished, and the templates an owner keeps."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import audit, clock
from app.kernel.access import Actor
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.words import N_
from marketplace.models.notices import NoticeForm, NoticeTemplate
from marketplace.policy import Permission
from marketplace.services.commands import NoticeDraft, Revise
from marketplace.services.procurements.drafting import draft_notice, update_notice
from marketplace.services.procurements.revising import revise_notice

MOST_FORMS: Final = 50
MOST_TEMPLATES: Final = 100
"""What one owner may keep at a time."""

NOT_IN_TEMPLATES: Final = frozenset({"version", "registration_ends_at", "avoided", "justifications", "project_code"})
"""What belongs to one purchase and is never carried into another one."""


@use_case
def save_form(
    actor: Actor,
    content: Mapping[str, Any],
    *,
    form_id: UUID | None = None,
    procurement_id: UUID | None = None,
    case_link: str | None = None,
    version: int | None = None,
) -> UUID:
    """Keep what was typed. Without `form_id` it is a new form, or the one of `procurement_id`. Returns the form.

    Raises NotAllowed, NotFound for another owner's form, Outdated when it was saved elsewhere meanwhile.
    """
    organisation_id = _organisation_of(actor)
    if form_id is None and procurement_id is not None:
        form_id = db.session.scalar(select(NoticeForm.id).where(NoticeForm.procurement_id == procurement_id))
    if form_id is None:
        return _new_form(actor, organisation_id, content, procurement_id, case_link).id
    form = lock(NoticeForm, form_id, seen=version)
    if form.organisation_id != organisation_id:
        raise NotFound
    form.content = {**form.content, **content}
    form.saved_at, form.saved_by, form.saved_by_name = clock.now(), actor.user_id, actor.name
    return form.id


def _new_form(
    actor: Actor,
    organisation_id: UUID,
    content: Mapping[str, Any],
    procurement_id: UUID | None,
    case_link: str | None,
) -> NoticeForm:
    kept = db.session.scalar(
        select(func.count()).select_from(NoticeForm).where(NoticeForm.organisation_id == organisation_id)
    )
    if (kept or 0) >= MOST_FORMS:
        raise Conflict(
            "too-many-forms", N_("There are many unfinished notices already. Finish or discard some of them.")
        )
    form = NoticeForm(
        id=new_id(),
        organisation_id=organisation_id,
        procurement_id=procurement_id,
        content=dict(content),
        case_link=case_link,
        saved_by=actor.user_id,
        saved_by_name=actor.name,
        saved_at=clock.now(),
    )
    db.session.add(form)
    db.session.flush()
    return form


@use_case
def discard_form(actor: Actor, form_id: UUID) -> None:
    """Forget an unfinished form. It never was a notice; the log keeps that it was discarded."""
    form = lock(NoticeForm, form_id)
    if form.organisation_id != _organisation_of(actor):
        raise NotFound
    audit.append(action="notice-form.discard", object_type="notice-form", object_id=str(form.id), actor=actor, body={})
    db.session.delete(form)


@use_case
def finish_form(actor: Actor, form_id: UUID, command: NoticeDraft | Revise) -> UUID:
    """Turn a finished form into what it was for and forget it: a new draft, a changed draft, or a change of a public notice.

    Returns the procurement. A `Revise` is for a published notice alone.
    """
    form = lock(NoticeForm, form_id)
    if form.organisation_id != _organisation_of(actor):
        raise NotFound
    procurement_id: UUID | None = form.procurement_id
    if isinstance(command, Revise):
        if procurement_id is None:
            raise NotFound
        revise_notice(actor, procurement_id, command)
    elif procurement_id is None:
        procurement_id = draft_notice(actor, command)
    else:
        update_notice(actor, procurement_id, command)
    db.session.delete(form)
    return procurement_id


@use_case
def keep_template(actor: Actor, name: str, content: Mapping[str, Any]) -> UUID:
    """Keep a notice as a template of the owner, without what belongs to one purchase. The same name replaces the old one."""
    organisation_id = _organisation_of(actor)
    if not name.strip():
        raise Refused("name-missing", N_("Give the template a name."), field="name")
    kept = {key: value for key, value in content.items() if key not in NOT_IN_TEMPLATES and value not in ("", None)}
    wanted = (NoticeTemplate.organisation_id == organisation_id, NoticeTemplate.name == name.strip())
    template = db.session.scalar(select(NoticeTemplate).where(*wanted).with_for_update())
    if template is None:
        _refuse_too_many(organisation_id)
        template = NoticeTemplate(id=new_id(), organisation_id=organisation_id, name=name.strip())
        db.session.add(template)
    template.content = kept
    template.made_at, template.made_by, template.made_by_name = clock.now(), actor.user_id, actor.name
    db.session.flush()
    _log(actor, "keep", template)
    return template.id


def _refuse_too_many(organisation_id: UUID) -> None:
    count = db.session.scalar(
        select(func.count()).select_from(NoticeTemplate).where(NoticeTemplate.organisation_id == organisation_id)
    )
    if (count or 0) >= MOST_TEMPLATES:
        raise Conflict("too-many-templates", N_("There are many templates already. Delete some of them."))


@use_case
def delete_template(actor: Actor, template_id: UUID) -> None:
    """Delete a template. Raises NotFound for another owner's."""
    template = lock(NoticeTemplate, template_id)
    if template.organisation_id != _organisation_of(actor):
        raise NotFound
    _log(actor, "delete", template)
    db.session.delete(template)


def _organisation_of(actor: Actor) -> UUID:
    if actor.organisation_id is None or not actor.may(Permission.PROCUREMENT_CREATE):
        raise NotAllowed
    return actor.organisation_id


def _log(actor: Actor, action: str, template: NoticeTemplate) -> None:
    audit.append(
        action=f"notice-template.{action}",
        object_type="notice-template",
        object_id=str(template.id),
        actor=actor,
        body={"name": template.name},
    )
