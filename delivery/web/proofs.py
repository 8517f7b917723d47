"""Proofs of delivery: beside their parcel, as papers, and the pictures for those who may see them."""

from uuid import UUID

from flask import Response, jsonify, render_template
from flask_babel import gettext

from app.kernel import files
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.web.guard import signed_in
from app.web.operations import operation
from app.web.session import current_actor
from delivery import documents, queries
from delivery.web.api import api
from delivery.web.blueprint import pages
from delivery.web.labels import inline_pdf
from delivery.web.parcels import PARCELS


@pages.get(f"{PARCELS}/proofs")
@signed_in
def parcel_proofs(object_id: UUID) -> str:
    """What couriers recorded about a parcel."""
    actor = current_actor()
    found = queries.proofs_of(object_id, actor)
    return render_template("delivery/proofs.html", parcel=queries.parcel_view(object_id, actor), proofs=found)


@pages.get(f"{PARCELS}/proofs/<uuid:record_id>/proof.pdf")
@signed_in
def proof_file(object_id: UUID, record_id: UUID) -> Response:
    """The issued paper of a delivery."""
    found = next((each for each in queries.proofs_of(object_id, current_actor()) if each.id == record_id), None)
    issued = documents.issued_proof(record_id) if found else None
    if found is None or issued is None:
        raise NotFound
    return inline_pdf(files.content(issued), f"{found.number}.pdf")


@pages.get(f"{PARCELS}/proofs/<uuid:record_id>/<any(photo, signature):kind>")
@signed_in
def proof_picture(object_id: UUID, record_id: UUID, kind: str) -> Response:
    """The photo or signature as a download, for the post, its supervisor and the receiver."""
    actor = current_actor()
    if not any(each.id == record_id for each in queries.proofs_of(object_id, actor)):
        raise NotFound
    return files.send(queries.picture_file(record_id, kind, actor))


@api.get(f"{PARCELS}/proofs")
@signed_in
@operation(N_("List proofs of delivery of a parcel"), tag="delivery")
def proofs_json(object_id: UUID) -> Response:
    found = queries.proofs_of(object_id, current_actor())
    items = [
        {"id": str(each.id), "number": each.number, "kind": each.kind, "courier": each.courier_name,
         "occurred_at": each.occurred_at.isoformat(), "device_at": each.device_at.isoformat(),
         "received_at": each.received_at.isoformat(), "clock_error_ms": round(each.clock_error.total_seconds() * 1000),
         "standing": each.standing, "standing_label": gettext(each.standing_label),
         "doubts": [gettext(text) for text in each.doubts], "signer": gettext(each.signer_label) if each.signer_label else "",
         "signer_name": each.signer_name, "code_check": each.code_check, "photo_sha256": each.photo_sha256,
         "signature_sha256": each.signature_sha256}
        for each in found
    ]  # fmt: skip
    return jsonify(items=items)
