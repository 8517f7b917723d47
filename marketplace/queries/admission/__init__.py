"""Reads of admission: the file with its certificates and people, requests for change, the operator's lists."""

from marketplace.queries.admission.certificates import (
    CertificateView,
    PractitionerView,
    certificate,
    certificates_of,
    practitioner,
    practitioners_of,
)
from marketplace.queries.admission.changes import (
    ChangeView,
    change_view,
    changes_of,
    changes_statement,
    view_of_change,
)
from marketplace.queries.admission.demands import ServiceDemand, chosen_services, demands_of
from marketplace.queries.admission.file import (
    AdmissionFile,
    MeasureView,
    PaperView,
    admission_file,
    checklist_of,
    days_until,
    measures_of,
    own_agency_id,
    paper_file,
)
from marketplace.queries.admission.lists import (
    admission_counts,
    admissions_statement,
    change_counts,
    expiring_statement,
    pending_certificates,
    worklist,
)
from marketplace.queries.admission.people import PersonView, people_of

__all__ = [
    "AdmissionFile",
    "CertificateView",
    "ChangeView",
    "MeasureView",
    "PaperView",
    "PersonView",
    "PractitionerView",
    "ServiceDemand",
    "admission_counts",
    "admission_file",
    "admissions_statement",
    "certificate",
    "certificates_of",
    "change_counts",
    "change_view",
    "changes_of",
    "changes_statement",
    "checklist_of",
    "chosen_services",
    "days_until",
    "demands_of",
    "expiring_statement",
    "measures_of",
    "own_agency_id",
    "paper_file",
    "pending_certificates",
    "people_of",
    "practitioner",
    "practitioners_of",
    "view_of_change",
    "worklist",
]
