"""The blueprint and the words that the pages of agencies share."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint

from app.kernel.words import N_
from marketplace.rules.changes import CHANGE_LABELS
from marketplace.rules.onboarding import AGENCY_KIND_LABELS, DOCUMENT_LABELS
from marketplace.rules.people import PART_LABELS
from marketplace.rules.qualifications import CERTIFICATE_LABELS, GRADE_LABELS
from marketplace.rules.standing import MEASURE_LABELS
from marketplace.states.agency import AGENCY, AGENCY_CHANGE, PRACTITIONER, QUALIFICATION

bp = Blueprint("marketplace_agencies", __name__, template_folder="../../../templates")
WORDS: Final[Mapping[str, Any]] = {
    "agency_states": AGENCY.labels,
    "certificate_states": QUALIFICATION.labels,
    "practitioner_states": PRACTITIONER.labels,
    "change_states": AGENCY_CHANGE.labels,
    "change_kinds": CHANGE_LABELS,
    "measure_kinds": MEASURE_LABELS,
    "person_parts": PART_LABELS,
    "kinds": AGENCY_KIND_LABELS,
    "papers": DOCUMENT_LABELS,
    "certificates": CERTIFICATE_LABELS,
    "grades": GRADE_LABELS,
}
CHECK_OUTCOMES: Final = {
    "passed": N_("Form check passed"),
    "returned": N_("Returned for correction"),
    "rejected": N_("Rejected"),
}
