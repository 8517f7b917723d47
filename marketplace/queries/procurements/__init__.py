"""Reads of procurements as frozen values: lists, one procurement with whose turn it is, registrations, the workbench."""

from marketplace.queries.procurements.detail import (
    DrawSummary,
    ProcurementView,
    Reach,
    draw_summary,
    notice_text,
    procurement_view,
    reach,
)
from marketplace.queries.procurements.lists import (
    STAGE_LABELS,
    STAGE_STATES,
    NoticeFilter,
    ProcurementRow,
    Stage,
    closing_soon,
    notices,
    notices_for_export,
    opportunities,
    procurements_of_owner,
    procurements_to_supervise,
    stage_counts,
)
from marketplace.queries.procurements.registrations import RegistrationView, registration_view, registrations_of
from marketplace.queries.procurements.turns import due_at, working_days_left
from marketplace.queries.procurements.work import worklist

__all__ = [
    "STAGE_LABELS",
    "STAGE_STATES",
    "DrawSummary",
    "NoticeFilter",
    "ProcurementRow",
    "ProcurementView",
    "Reach",
    "RegistrationView",
    "Stage",
    "closing_soon",
    "draw_summary",
    "due_at",
    "notice_text",
    "notices",
    "notices_for_export",
    "opportunities",
    "procurement_view",
    "procurements_of_owner",
    "procurements_to_supervise",
    "reach",
    "registration_view",
    "registrations_of",
    "stage_counts",
    "working_days_left",
    "worklist",
]
