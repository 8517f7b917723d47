"""Agencies and their admission as JSON."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from app.kernel.errors import NotFound
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.guard import public, requires, signed_in
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.schemas import PlainIn
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import admission
from marketplace.queries import agencies as queries
from marketplace.queries.obligations import obligations_of
from marketplace.services import agencies
from marketplace.states.agency import AgencyState
from marketplace.web.creation import create_once
from marketplace.web.market_actions import certificate_json, change_json, file_json, practitioner_json
from marketplace.web.schemas.agencies import (
    GROUPS,
    AdmissionQuery,
    BasicChangeIn,
    ChangesQuery,
    ContactsIn,
    DirectoryQuery,
    DocumentIn,
    ParticularsIn,
    PersonIn,
    PractitionerIn,
    QualificationIn,
    RepresentativeChangeIn,
    RepresentativeIn,
    ServicesIn,
)

bp = Blueprint("marketplace_agencies_api", __name__, url_prefix="/api")


@bp.get("/agencies")
@public
@operation(N_("List admitted agencies by name"), query=DirectoryQuery, tag="agencies")
def directory() -> Response:
    """A page of the directory; `next` is the `after` of the following page."""
    asked = parsing.query(DirectoryQuery)
    page = queries.directory(asked["city"], asked["after"], GROUPS[asked["state"]])
    return jsonify(items=[_row_json(row) for row in page.rows], next=page.next)


@bp.get("/agencies/<uuid:agency_id>")
@public
@operation(N_("Read an agency's public profile"), tag="agencies")
def profile(agency_id: UUID) -> Response:
    """One agency with certificates and record."""
    view = queries.agency_profile(current_actor(), agency_id)
    return jsonify(
        id=str(view.id),
        name=view.name,
        uscc=view.uscc,
        kind=view.kind,
        region_code=view.region_code,
        address=view.address,
        introduction=view.introduction,
        state=view.state,
        admitted_at=view.admitted_at.isoformat() if view.admitted_at else None,
        publicity_ends_at=view.publicity_ends_at.isoformat() if view.publicity_ends_at else None,
        record=_record_json(view.record),
        qualifications=[certificate_json(c) for c in view.certificates],
        staff=[{"name": p.name, "certificates": [certificate_json(c) for c in p.certificates]} for p in view.staff],
    )


@bp.get("/agency")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Read my agency's admission file"), tag="admission")
def mine() -> Response:
    """My agency's file."""
    return jsonify(file_json(_own_file()))


@bp.post("/agency")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Open my agency's admission file"), body=ParticularsIn, status=201, tag="admission", idempotent=True)
def open_file() -> tuple[Response, int]:
    """Begin the admission."""
    command = parsing.body(ParticularsIn)
    made = _once("agency:open", lambda: agencies.open_file(current_actor(), command))
    return jsonify(file_json(admission.admission_file(current_actor(), made))), 201


@bp.put("/agency")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Change the particulars of my agency"), body=ParticularsIn, tag="admission")
def change() -> Response:
    """Change the file while it is with the agency."""
    agencies.change_particulars(current_actor(), _own_file().id, parsing.body(ParticularsIn))
    return jsonify(file_json(_own_file()))


@bp.put("/agency/contacts")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Change contact and introduction"), body=ContactsIn, tag="admission")
def change_contacts() -> Response:
    """Change what needs no form check."""
    agencies.change_contacts(current_actor(), _own_file().id, parsing.body(ContactsIn))
    return jsonify(file_json(_own_file()))


@bp.post("/agency/documents")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Upload a paper of the admission file"), body=DocumentIn, status=201, tag="admission")
def add_document() -> tuple[Response, int]:
    """A multipart form with `kind` and `file`."""
    agencies.add_document(current_actor(), _own_file().id, parsing.body(DocumentIn))
    return jsonify(file_json(_own_file())), 201


@bp.post("/agency/qualifications")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Enter a certificate"), body=QualificationIn, status=201, tag="admission")
def add_qualification() -> tuple[Response, int]:
    """JSON, or a multipart form with the scan as `file`."""
    made = agencies.add_qualification(current_actor(), _own_file().id, parsing.body(QualificationIn))
    return jsonify(certificate_json(admission.certificate(current_actor(), made))), 201


@bp.post("/agency/commitment")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Sign the letter of commitment"), body=PlainIn, tag="admission")
def sign_commitment() -> Response:
    """Sign online; who and when are kept."""
    agencies.sign_commitment(current_actor(), _own_file().id, parsing.body(PlainIn))
    return jsonify(file_json(_own_file()))


@bp.put("/agency/services")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Choose the services my agency wants to offer"), body=ServicesIn, tag="admission")
def choose_services() -> Response:
    """The whole choice; the checklist in the answer says what each service demands."""
    agencies.choose_services(current_actor(), _own_file().id, parsing.body(ServicesIn))
    return jsonify(file_json(_own_file()))


@bp.put("/agency/representative")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Name the legal representative of my agency"), body=RepresentativeIn, tag="admission")
def set_representative() -> Response:
    """While the file is with the agency; afterwards it is a change."""
    agencies.set_representative(current_actor(), _own_file().id, parsing.body(RepresentativeIn))
    return jsonify(file_json(_own_file()))


@bp.post("/agency/people")
@requires(Permission.AGENCY_MANAGE)
@operation(
    N_("Enter an authorised representative, shareholder or controller"), body=PersonIn, status=201, tag="admission"
)
def add_person() -> tuple[Response, int]:
    """Somebody else behind the agency."""
    agencies.add_person(current_actor(), _own_file().id, parsing.body(PersonIn))
    return jsonify(file_json(_own_file())), 201


@bp.post("/agency/practitioners")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Register a practitioner"), body=PractitionerIn, status=201, tag="admission")
def add_practitioner() -> tuple[Response, int]:
    """JSON, or a multipart form with the proof of insurance as `file`."""
    made = agencies.add_practitioner(current_actor(), _own_file().id, parsing.body(PractitionerIn))
    return jsonify(practitioner_json(admission.practitioner(current_actor(), made))), 201


@bp.post("/agency/changes/basic")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Ask for a change of basic data"), body=BasicChangeIn, status=201, tag="admission")
def ask_basic_change() -> tuple[Response, int]:
    """The old data stay valid until the operator decides."""
    made = agencies.ask_basic_change(current_actor(), _own_file().id, parsing.body(BasicChangeIn))
    return jsonify(change_json(admission.change_view(current_actor(), made))), 201


@bp.post("/agency/changes/representative")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("Ask for another legal representative"), body=RepresentativeChangeIn, status=201, tag="admission")
def ask_representative_change() -> tuple[Response, int]:
    """The present one stays until the operator decides."""
    command = parsing.body(RepresentativeChangeIn)
    made = agencies.ask_representative_change(current_actor(), _own_file().id, command)
    return jsonify(change_json(admission.change_view(current_actor(), made))), 201


@bp.get("/agency/obligations")
@requires(Permission.AGENCY_MANAGE)
@operation(N_("List what is still open before my agency can leave"), tag="admission")
def obligations() -> Response:
    """Engagements, awards and payments, one by one."""
    found = obligations_of(_own_file().organisation_id)
    rows = [{"kind": o.kind, "number": o.number, "title": o.title, "href": o.href} for o in found]
    return jsonify(items=rows)


@bp.get("/agency-changes")
@requires(Permission.ADMISSION_CHECK)
@operation(N_("List requests for change of agencies"), query=ChangesQuery, tag="admission")
def changes() -> Response:
    """The nearest deadline first."""
    asked = parsing.query(ChangesQuery)
    statement = admission.changes_statement(asked["kind"], asked["state"])
    page = page_of(statement, number=asked["page"], scalars=False)
    rows = [change_json(admission.view_of_change(row)) for row in page.items]
    return page_answer(page, rows)


@bp.get("/agency-changes/<uuid:object_id>")
@signed_in
@operation(N_("Read a request for change"), tag="admission")
def change_of_agency(object_id: UUID) -> Response:
    """Old and new side by side."""
    return jsonify(change_json(admission.change_view(current_actor(), object_id)))


@bp.get("/practitioners/<uuid:object_id>")
@signed_in
@operation(N_("Read a practitioner"), tag="admission")
def practitioner(object_id: UUID) -> Response:
    """One practitioner with the certificates."""
    return jsonify(practitioner_json(admission.practitioner(current_actor(), object_id)))


@bp.get("/admission")
@requires(Permission.ADMISSION_CHECK)
@operation(N_("List admission files by state"), query=AdmissionQuery, tag="admission")
def inbox() -> Response:
    """The operator's list."""
    asked = parsing.query(AdmissionQuery)
    state = asked["state"] if asked["state"] in set(AgencyState) else None
    page = page_of(
        admission.admissions_statement(state, asked["q"], asked["region"]), number=asked["page"], scalars=False
    )
    rows = [
        {
            "id": str(row.id),
            "name": row.name,
            "uscc": row.uscc,
            "state": row.state,
            "check_due_at": row.check_due_at.isoformat() if row.check_due_at else None,
        }
        for row in page.items
    ]
    return page_answer(page, rows)


@bp.get("/admission/<uuid:object_id>")
@signed_in
@operation(N_("Read an admission file"), tag="admission")
def file(object_id: UUID) -> Response:
    """The file with the steps the reader may take."""
    return jsonify(file_json(admission.admission_file(current_actor(), object_id)))


@bp.get("/qualifications/<uuid:object_id>")
@signed_in
@operation(N_("Read a certificate"), tag="admission")
def certificate(object_id: UUID) -> Response:
    """One certificate."""
    return jsonify(certificate_json(admission.certificate(current_actor(), object_id)))


def _own_file() -> admission.AdmissionFile:
    actor = current_actor()
    agency_id = admission.own_agency_id(actor)
    if agency_id is None:
        raise NotFound
    return admission.admission_file(actor, agency_id)


def _once(endpoint: str, make: Any) -> UUID:
    key, raw = request.headers.get("Idempotency-Key"), request.get_json(silent=True)
    return create_once(current_actor(), endpoint, key, raw, make)


def _row_json(row: queries.AgencyRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "region_code": row.region_code,
        "state": row.state,
        "offers": row.offers,
        "record": _record_json(row.record),
    }


def _record_json(record: queries.Record) -> dict[str, Any]:
    return {
        "awards": record.awards,
        "delivered": record.delivered,
        "delivered_on_time": record.delivered_on_time,
        "ratings": record.rating_count,
        "rating_hundredths": record.rating,
    }
