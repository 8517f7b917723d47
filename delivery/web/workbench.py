"""The hall's workbench: its queues and the scan box."""

from typing import Any, Final
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.db import transaction
from app.kernel.errors import DomainError, NotFound
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import requires
from app.web.session import current_actor
from delivery import policy, queries, services
from delivery.queries import ParcelFilter, ParcelView, Tab
from delivery.queries.choices import choices_of
from delivery.services.scanning import find_scanned
from delivery.states import BatchState, ParcelState
from delivery.web.batches import put_on_list
from delivery.web.blueprint import pages
from delivery.web.scanning import flash_refusal, scanned_code, suggestions
from delivery.web.schemas import ParcelQuery

TAB_LABELS: Final = {
    Tab.PACK: N_("To pack"),
    Tab.LABEL: N_("To label"),
    Tab.HANDOVER: N_("To hand over"),
    Tab.TRANSIT: N_("On the way"),
    Tab.RETURNS: N_("Came back"),
    Tab.EXCEPTIONS: N_("Exceptions"),
}
ELSEWHERE: Final = {Tab.RETURNS: "delivery.returns", Tab.EXCEPTIONS: "delivery.exceptions"}
"""Queues that have a page of their own."""
TAB_EMPTY: Final = {
    Tab.PACK: (N_("Nothing to pack"), N_("As soon as a certificate is ready whose applicant chose the courier, it stands here.")),
    Tab.LABEL: (N_("No label to print"), N_("Packed and checked parcels stand here from the moment a waybill number is asked for.")),
    Tab.HANDOVER: (N_("Nothing to hand over"), N_("Labelled parcels stand here until they are on a hand-over list.")),
    Tab.TRANSIT: (N_("Nothing on the way"), N_("Parcels that the courier signed for stand here until they are closed.")),
}  # fmt: skip


@pages.get("/delivery")
@requires(policy.WORK)
def workbench() -> str | BaseResponse:
    """The queues of the hall, one at a time, with a scan box that keeps the focus."""
    actor = current_actor()
    wanted, number = parsing.query(ParcelQuery)
    tab = wanted.tab or Tab.PACK
    if tab in ELSEWHERE:
        return redirect(url_for(ELSEWHERE[tab]))
    counts = queries.tab_counts(actor)
    tabs = [{"tab": each, "label": gettext(TAB_LABELS[each]), "count": counts[each]} for each in Tab]
    title, text = TAB_EMPTY[tab]
    facts: dict[str, Any] = {
        "tab": tab,
        "tabs": tabs,
        "empty_title": gettext(title),
        "empty_text": gettext(text),
        "near": suggestions(),
    }
    page = page_of(queries.parcels_statement(actor, ParcelFilter(tab, None, wanted.words)), number=number)
    return render_template(
        "delivery/workbench.html", **facts, page=page, parcels=queries.views_of(page.items, actor), choices=choices_of(each.id for each in page.items),
        batches=queries.open_batches(actor) if tab is Tab.HANDOVER else (), now=clock.now(),
    )  # fmt: skip


@pages.post("/delivery/scan")
@requires(policy.WORK)
def scan() -> BaseResponse:
    """A scanned code leads to the next step of its parcel; at the hand-over it goes onto the open list."""
    actor = current_actor()
    tab = request.args.get("tab", "")
    try:
        if tab == Tab.HANDOVER:
            batch_id = _open_list()
            put_on_list(actor, batch_id, scanned_code())
            return redirect(url_for("delivery.batch", object_id=batch_id), 303)
        return redirect(_next_place(_scanned(scanned_code())), 303)
    except DomainError as refusal:
        near = flash_refusal(refusal)
        return redirect(url_for("delivery.workbench", tab=tab or None, near=near), 303)


def _scanned(code: str) -> ParcelView:
    actor = current_actor()
    if actor.organisation_id is None:
        raise NotFound
    with transaction():
        found = find_scanned(actor.organisation_id, code).id
    return queries.parcel_view(found, actor)


def _open_list() -> UUID:
    """The hall's newest open list, or a new one."""
    known = [each for each in queries.open_batches(current_actor()) if each.state == BatchState.OPEN]
    return known[0].id if known else services.open_batch(current_actor())


def _next_place(view: ParcelView) -> str:
    if view.state == ParcelState.READY:
        return url_for("delivery.pack", object_id=view.id)
    if view.state == ParcelState.PACKED and view.is_staff:
        return f"/parcels/{view.id}/actions/check"
    if view.state == ParcelState.RETURNED and view.is_staff:
        return f"/parcels/{view.id}/actions/decide_return"
    if view.state == ParcelState.WAYBILLED and view.label_printed_at is None:
        return url_for("delivery.label", object_id=view.id)
    return url_for("delivery.parcel", object_id=view.id)
