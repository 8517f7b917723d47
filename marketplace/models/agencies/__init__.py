"""Agencies (中介服务机构): the file, its papers and measures; certificates; the people behind them; requests for change."""

from marketplace.models.agencies.agency import (
    Agency,
    AgencyDocument,
    AgencyMeasure,
    AgencyRecord,
    ChosenService,
    FormCheck,
)
from marketplace.models.agencies.certificates import ExpiryReminder, Qualification
from marketplace.models.agencies.changes import AgencyChange
from marketplace.models.agencies.people import AgencyPerson, Practitioner

__all__ = [
    "Agency",
    "AgencyChange",
    "AgencyDocument",
    "AgencyMeasure",
    "AgencyPerson",
    "AgencyRecord",
    "ChosenService",
    "ExpiryReminder",
    "FormCheck",
    "Practitioner",
    "Qualification",
]
