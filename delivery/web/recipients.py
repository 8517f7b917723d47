"""The receiver's pages: another address, letters, complaints, originals, one's own data; and the hall's side of them."""

import json
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock, files
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import ActionView, actions_of, api_actions, register_actions
from app.web.forms import Form, errors_of
from app.web.guard import signed_in
from app.web.operations import operation
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import queries
from delivery.queries import agreements, own_data
from delivery.queries.agreements import ComplaintView, LetterView, PapersView
from delivery.services import addresses
from delivery.states import COMPLAINT, LETTER, PAPERS, ComplaintState, Part
from delivery.web.api import TAG, api
from delivery.web.blueprint import pages
from delivery.web.recipient_schemas import ChangeAddressIn, ComplaintQuery, PasteIn, StaffAddressIn
from delivery.web.recipient_tables import COMPLAINT_ACTIONS, LETTER_ACTIONS, PAPERS_ACTIONS
from delivery.web.schemas import PageQuery
from delivery.web.tables import present_receiver

COMPLAINTS: Final = "/delivery-complaints/<uuid:object_id>"
LETTERS: Final = "/letters-of-authority/<uuid:object_id>"
PAPERS_PATH: Final = "/papers/<uuid:object_id>"


# --- another address ---


@pages.route("/parcels/<uuid:object_id>/address", methods=["GET", "POST"])
@signed_in
def address(object_id: UUID) -> BaseResponse | str | tuple[str, int]:
    """Change where a parcel goes; a pasted line fills the fields, without script too."""
    actor = current_actor()
    view = queries.parcel_view(object_id, actor)
    if view.parts.isdisjoint((Part.APPLICANT, Part.HALL, Part.SUPERVISOR)):
        raise NotAllowed
    schema: type[ChangeAddressIn] = ChangeAddressIn if Part.APPLICANT in view.parts else StaffAddressIn
    values = {**present_receiver(actor, object_id), "version": view.version}
    if request.method == "GET":
        return _address_page(view, schema, values)
    if "pasted" in request.form:
        return _address_page(view, schema, {**values, **read_in(request.form.get("pasted", ""))})
    raw = parsing.form_values(schema)
    try:
        addresses.change_address(actor, object_id, schema().load(raw))
    except ValidationError as failure:
        return _address_page(view, schema, raw, errors_of(failure)), 422
    except DomainError as refusal:
        return _address_page(view, schema, raw, errors_of(refusal)), refusal.status
    flash(gettext("The address is changed."), "success")
    return redirect(url_for("delivery.parcel", object_id=object_id), 303)


def _address_page(view: queries.ParcelView, schema: type[ChangeAddressIn], values: Any, errors: Any = None) -> str:
    form = Form(schema(), values, errors or {})
    return render_template("delivery/address.html", parcel=view, form=form, paste=Form(PasteIn()), link=None)


def read_in(text: str) -> dict[str, str]:
    """A pasted line as values of the form; what it does not say keeps what stood there."""
    found = addresses.read_pasted(text)
    values = {"name": found.name, "mobile": found.mobile, "region": found.code, "address": found.address}
    return {name: value for name, value in values.items() if value}


@api.post("/parcels/<uuid:object_id>/address")
@signed_in
@operation(N_("Change the address of a parcel"), body=ChangeAddressIn, tag=TAG)
def change_address(object_id: UUID) -> Response:
    """Until the hand-over, with the pick-up code."""
    actor = current_actor()
    view = queries.parcel_view(object_id, actor)
    schema: type[ChangeAddressIn] = ChangeAddressIn if Part.APPLICANT in view.parts else StaffAddressIn
    addresses.change_address(actor, object_id, parsing.body(schema))
    return jsonify(id=str(object_id), number=view.number)


@api.post("/addresses/parse")
@signed_in
@operation(N_("Take a pasted address apart"), body=PasteIn, tag=TAG)
def parse_address() -> Response:
    """Name, telephone, region and street of one line; empty where the line does not say."""
    found = addresses.read_pasted(parsing.body(PasteIn)["pasted"])
    return jsonify(
        name=found.name, mobile=found.mobile, region_code=found.code, region="".join(found.path), address=found.address
    )


# --- letters of authority ---


def letter_json(view: LetterView) -> dict[str, Any]:
    """A letter as its reader may see it."""
    actions = actions_of(
        LETTER,
        view.state,
        view.parts,
        href=f"/letters-of-authority/{view.id}",
        table=LETTER_ACTIONS,
        version=view.version,
    )
    return {
        "id": str(view.id), "parcel_id": str(view.parcel_id), "state": view.state, "state_label": gettext(view.state_label),
        "agent": view.agent, "document": gettext(view.id_label), "last4": view.last4, "scope": gettext(view.scope_label),
        "valid_until": view.valid_until.isoformat(), "version": view.version, "actions": api_actions(actions),
    }  # fmt: skip


@pages.get(LETTERS)
@signed_in
def letter(object_id: UUID) -> BaseResponse:
    """A letter stands on the page of its parcel."""
    view = agreements.letter_view(current_actor(), object_id)
    return redirect(url_for("delivery.parcel", object_id=view.parcel_id, _anchor="letters"))


@pages.get(f"{LETTERS}/file")
@signed_in
def letter_file(object_id: UUID) -> Response:
    """The signed letter, as a download."""
    view = agreements.letter_view(current_actor(), object_id)
    if view.file_id is None:
        raise NotFound
    return files.send(view.file_id)


register_actions(
    pages, api, path=LETTERS, table=LETTER_ACTIONS, machine=LETTER, detail="delivery.letter", to_json=letter_json,
    view=agreements.letter_view,
)  # fmt: skip


# --- complaints ---


def complaint_actions(view: ComplaintView) -> tuple[ActionView, ...]:
    """What the reader may do with it now."""
    href = f"/delivery-complaints/{view.id}"
    return actions_of(COMPLAINT, view.state, view.parts, href=href, table=COMPLAINT_ACTIONS, version=view.version)


def complaint_json(view: ComplaintView) -> dict[str, Any]:
    """A complaint with both sides' words."""
    return {
        "id": str(view.id), "number": view.number, "parcel_id": str(view.parcel_id), "state": view.state,
        "state_label": gettext(view.state_label), "kind": gettext(view.kind_label), "text": view.text,
        "filed_at": view.filed_at.isoformat(), "reply_due_at": view.reply_due_at.isoformat(), "answer": view.answer,
        "decision": view.decision, "version": view.version, "actions": api_actions(complaint_actions(view)),
    }  # fmt: skip


@pages.get("/delivery-complaints")
@signed_in
def complaint_list() -> str:
    """One's own complaints; the hall's queue for its staff; all of them for oversight."""
    actor, wanted = current_actor(), parsing.query(ComplaintQuery)
    page = page_of(agreements.complaints_statement(actor, wanted["state"]), number=wanted["page"])
    states = [(state.value, gettext(COMPLAINT.labels[state])) for state in ComplaintState]
    return render_template(
        "delivery/complaints.html",
        page=page,
        complaints=agreements.complaint_views(page.items, actor),
        wanted=wanted,
        states=states,
    )


@pages.get("/delivery-complaints.csv")
@signed_in
def complaint_csv() -> Response:
    """The same list as a file."""
    actor, wanted = current_actor(), parsing.query(ComplaintQuery)
    page = page_of(agreements.complaints_statement(actor, wanted["state"]), number=1, size=1000)
    rows = [
        (each.number, each.parcel_number, each.hall_name, gettext(each.kind_label), gettext(each.state_label),
         each.filed_at.isoformat(), each.reply_due_at.isoformat())
        for each in agreements.complaint_views(page.items, actor)
    ]  # fmt: skip
    heads = (
        N_("Complaint"),
        N_("Parcel"),
        N_("Hall"),
        N_("What is it about?"),
        N_("State"),
        N_("Filed"),
        N_("Answer due"),
    )
    return csv_answer("complaints.csv", heads, rows)


@pages.get(COMPLAINTS)
@signed_in
def complaint(object_id: UUID) -> str:
    """One complaint: what was said, until when, whose turn."""
    view = agreements.complaint_view(current_actor(), object_id)
    return render_template("delivery/complaint.html", complaint=view, actions=complaint_actions(view))


register_actions(
    pages, api, path=COMPLAINTS, table=COMPLAINT_ACTIONS, machine=COMPLAINT, detail="delivery.complaint", to_json=complaint_json,
    view=agreements.complaint_view,
)  # fmt: skip


# --- originals ---


def papers_actions(view: PapersView) -> tuple[ActionView, ...]:
    """What the reader may do with it now."""
    href = f"/papers/{view.id}"
    return actions_of(PAPERS, view.state, view.parts, href=href, table=PAPERS_ACTIONS, version=view.version)


def papers_json(view: PapersView) -> dict[str, Any]:
    """A collection as its reader may see it."""
    return {
        "id": str(view.id), "number": view.number, "subject": view.subject, "state": view.state,
        "state_label": gettext(view.state_label), "papers": list(view.papers), "missing": list(view.missing),
        "pickup_on": view.pickup_on.isoformat(), "pickup_window": view.pickup_window, "waybill_no": view.waybill_no,
        "version": view.version, "actions": api_actions(papers_actions(view)),
    }  # fmt: skip


@pages.get("/papers")
@signed_in
def papers_list() -> str:
    """Collections of originals: the hall's, all of them for oversight, or one's own."""
    actor = current_actor()
    page = page_of(agreements.papers_statement(actor), number=parsing.query(PageQuery)["page"])
    return render_template("delivery/papers_list.html", page=page, orders=agreements.papers_views(page.items, actor))


@pages.get(PAPERS_PATH)
@signed_in
def papers(object_id: UUID) -> str:
    """One collection with its list and the carrier's reports."""
    view = agreements.papers_view(current_actor(), object_id)
    return render_template("delivery/papers.html", order=view, actions=papers_actions(view))


register_actions(
    pages, api, path=PAPERS_PATH, table=PAPERS_ACTIONS, machine=PAPERS, detail="delivery.papers", to_json=papers_json,
    view=agreements.papers_view,
)  # fmt: skip


# --- one's own data ---


@pages.get("/parcels/my-data.json")
@signed_in
def my_data() -> Response:
    """Everything that delivery keeps about the reader (PIPL art. 45), as a file that other programs read."""
    body = json.dumps(own_data.of(current_actor()), ensure_ascii=False, indent=2, sort_keys=True)
    name = f"delivery-data-{clock.today().isoformat()}.json"
    response = Response(body, mimetype="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
