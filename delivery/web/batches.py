"""Hand-over lists."""

from typing import Final
from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import files
from app.kernel.access import Actor
from app.kernel.errors import DomainError
from app.kernel.paging import page_of
from app.web import parsing
from app.web.actions import ActionView, actions_of, register_actions
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from delivery import documents, policy, queries, services
from delivery.queries import BatchView
from delivery.queries.differences import differences_of
from delivery.states import BATCH, BatchState, Part
from delivery.web.api import api, batch_json
from delivery.web.blueprint import pages
from delivery.web.labels import inline_pdf
from delivery.web.scanning import flash_refusal, scanned_code, suggestions
from delivery.web.schemas import PageQuery
from delivery.web.tables import BATCH_ACTIONS

BATCHES: Final = "/handover-batches/<uuid:object_id>"


@pages.get("/handover-batches")
@requires(policy.READ)
def batch_list() -> str:
    """All lists of the hall."""
    page = page_of(queries.batches_statement(current_actor()), number=parsing.query(PageQuery)["page"], scalars=False)
    return render_template("delivery/batches.html", page=page, batches=queries.batch_rows(page.items))


@pages.post("/handover-batches")
@requires(policy.WORK)
def new_batch() -> BaseResponse:
    """Begin a list."""
    return redirect(url_for("delivery.batch", object_id=services.open_batch(current_actor())), 303)


@pages.get(BATCHES)
@signed_in
def batch(object_id: UUID) -> str:
    """One list: scan box while it is open, both signatures, the lines."""
    view = queries.batch_view(object_id, current_actor())
    return render_template(
        "delivery/batch.html", batch=view, actions=batch_actions(view), yours=_batch_is_yours(view), near=suggestions(),
        differences=differences_of(object_id) if view.missing else (),
    )  # fmt: skip


def batch_actions(view: BatchView) -> tuple[ActionView, ...]:
    """The edges this reader may take; who signed for the hall is not offered the courier's signature."""
    href = f"/handover-batches/{view.id}"
    found = actions_of(BATCH, view.state, view.parts, href=href, table=BATCH_ACTIONS, version=view.version)
    mine = view.offered_by == current_actor().user_id
    return tuple(each for each in found if not (each.name == "take_over" and mine))


def _batch_is_yours(view: BatchView) -> bool:
    if view.state == BatchState.OFFERED:
        return Part.POST in view.parts and view.offered_by != current_actor().user_id
    return view.state == BatchState.OPEN and bool(view.parts)


@pages.post(f"{BATCHES}/scan")
@requires(policy.WORK)
def scan_to_batch(object_id: UUID) -> BaseResponse:
    """Put a scanned parcel on the list and stay on its page, whatever comes of it."""
    actor = current_actor()
    queries.batch_view(object_id, actor)
    near = None
    try:
        put_on_list(actor, object_id, scanned_code())
    except DomainError as refusal:
        near = flash_refusal(refusal)
    return redirect(url_for("delivery.batch", object_id=object_id, near=near), 303)


def put_on_list(actor: Actor, batch_id: UUID, code: str) -> None:
    """Add what was scanned and say so; a second scan of the same parcel is told, and changes nothing."""
    before = queries.batch_view(batch_id, actor)
    parcel_id = services.add_to_batch(actor, batch_id, services.AddToBatch(code))
    number = queries.parcel_view(parcel_id, actor).waybill_no
    if any(line.parcel_id == parcel_id for line in before.lines):
        flash(gettext("%(number)s was scanned already; it stands on this list once.", number=number), "warning")
    else:
        flash(gettext("%(number)s is on the list.", number=number), "success")


@pages.get(f"{BATCHES}/list.pdf")
@signed_in
def batch_file(object_id: UUID) -> Response:
    """The list as a paper: the issued one once both sides have signed, a draft before."""
    view = queries.batch_view(object_id, current_actor())
    issued = documents.issued_list(object_id)
    pdf = files.content(issued) if issued else documents.handover_list(view)
    return inline_pdf(pdf, f"{view.number}.pdf")


register_actions(
    pages, api, path=BATCHES, table=BATCH_ACTIONS, machine=BATCH, detail="delivery.batch", to_json=batch_json,
    view=lambda actor, object_id: queries.batch_view(object_id, actor),
)  # fmt: skip
