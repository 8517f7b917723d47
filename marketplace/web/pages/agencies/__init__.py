"""Pages of agencies: the public directory and profile, the agency's own steps, the operator's desk, single objects."""

from app.kernel.access import Role
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web.actions import register_actions
from marketplace.queries import admission
from marketplace.states.agency import AGENCY, AGENCY_CHANGE, PRACTITIONER, QUALIFICATION
from marketplace.web.api.agencies import bp as api
from marketplace.web.market_actions import (
    AGENCY_ACTIONS,
    CHANGE_ACTIONS,
    PRACTITIONER_ACTIONS,
    QUALIFICATION_ACTIONS,
    certificate_json,
    change_json,
    file_json,
    practitioner_json,
)

# importing a module of pages registers its routes with the blueprint
from marketplace.web.pages.agencies import desk, objects, public, wizard  # noqa: F401
from marketplace.web.pages.agencies.words import bp

__all__ = ["NAVIGATION", "OBJECT_HREF", "bp"]

OBJECT_HREF = {
    "agency": lambda object_id: f"/agencies/{object_id}",
    "qualification": lambda object_id: f"/qualifications/{object_id}",
    "practitioner": lambda object_id: f"/practitioners/{object_id}",
    "agency_change": lambda object_id: f"/agency-changes/{object_id}",
}
NAVIGATION = (
    NavigationItem(N_("Agencies"), "marketplace_agencies.directory", "building-store", order=20),
    NavigationItem(N_("My agency"), "marketplace_agencies.mine", "id", frozenset({Role.AGENCY}), order=50),
    NavigationItem(N_("Admission"), "marketplace_agencies.inbox", "user-check", frozenset({Role.OPERATOR}), order=60),
)

register_actions(
    bp,
    api,
    path="/admission/<uuid:object_id>",
    table=AGENCY_ACTIONS,
    view=admission.admission_file,
    detail="marketplace_agencies.file",
    to_json=file_json,
    machine=AGENCY,
)
register_actions(
    bp,
    api,
    path="/qualifications/<uuid:object_id>",
    table=QUALIFICATION_ACTIONS,
    view=admission.certificate,
    detail="marketplace_agencies.certificate",
    to_json=certificate_json,
    machine=QUALIFICATION,
)
register_actions(
    bp,
    api,
    path="/practitioners/<uuid:object_id>",
    table=PRACTITIONER_ACTIONS,
    view=admission.practitioner,
    detail="marketplace_agencies.practitioner",
    to_json=practitioner_json,
    machine=PRACTITIONER,
)
register_actions(
    bp,
    api,
    path="/agency-changes/<uuid:object_id>",
    table=CHANGE_ACTIONS,
    view=admission.change_view,
    detail="marketplace_agencies.change",
    to_json=change_json,
    machine=AGENCY_CHANGE,
)
