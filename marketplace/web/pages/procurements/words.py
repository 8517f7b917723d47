"""What every procurement page shares: the blueprint, the tones of the states, the words of the templates."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint

from app.web.regions import region_name
from marketplace.rules.categories import CATEGORY_LABELS
from marketplace.rules.qualifications import CERTIFICATE_LABELS, GRADE_LABELS
from marketplace.rules.selection.gates import FUND_SOURCE_LABELS
from marketplace.rules.selection.methods import METHOD_LABELS
from marketplace.rules.selection.terms import DIRECT_GROUND_LABELS
from marketplace.states.procurement import PROCUREMENT, ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState

bp = Blueprint("marketplace_procurements", __name__, template_folder="../../../templates")

_P = ProcurementState
TONES: Final[Mapping[str, str]] = {
    _P.DRAFT: "neutral",
    _P.SUBMITTED: "waiting",
    _P.RETURNED: "warning",
    _P.PUBLISHED: "active",
    _P.REVISED: "waiting",
    _P.REGISTRATION_CLOSED: "waiting",
    _P.OPENING: "waiting",
    _P.BIDDING: "active",
    _P.COMPARING: "waiting",
    _P.SELECTING: "active",
    _P.SELECTED: "active",
    _P.RESULT_PUBLICITY: "active",
    _P.AWARDED: "waiting",
    _P.CONFIRMED: "success",
    _P.CONTRACTED: "success",
    _P.IN_SERVICE: "active",
    _P.ACCEPTED: "success",
    _P.CLOSED: "neutral",
    _P.RESELECT: "warning",
    _P.PAUSED: "warning",
    _P.FAILED: "danger",
    _P.DIRECT_REQUEST: "waiting",
    _P.REPUBLISHED: "neutral",
    _P.WITHDRAWN: "neutral",
    _P.CANCELLED: "neutral",
    _P.VOID: "danger",
    _P.TERMINATED: "danger",
}
_R = RegistrationState
REGISTRATION_TONES: Final[Mapping[str, str]] = {
    _R.REGISTERED: "active",
    _R.QUALIFIED: "active",
    _R.OPENED: "active",
    _R.SHORTLISTED: "active",
    _R.RESERVE: "waiting",
    _R.WON: "success",
    _R.CONFIRMED: "success",
    _R.INELIGIBLE: "danger",
    _R.AVOIDED: "danger",
    _R.STRUCK_OUT: "danger",
    _R.EXCLUDED: "danger",
    _R.GAVE_UP: "warning",
    _R.LAPSED: "warning",
}

WORDS: Final[Mapping[str, Any]] = {
    "labels": PROCUREMENT.labels,
    "tones": TONES,
    "categories": CATEGORY_LABELS,
    "funds": FUND_SOURCE_LABELS,
    "methods": METHOD_LABELS,
    "grounds": DIRECT_GROUND_LABELS,
    "kinds": CERTIFICATE_LABELS,
    "grades": GRADE_LABELS,
    "registration_labels": REGISTRATION.labels,
    "registration_tones": REGISTRATION_TONES,
    "region_name": region_name,
}
