"""Reads of delivery as frozen values, masked for whoever asks; a fixed number of statements each."""

from delivery.queries.batches import (
    BatchRow,
    BatchView,
    LineView,
    batch_rows,
    batch_view,
    batches_statement,
    open_batches,
)
from delivery.queries.meanings import NEXT_BY_STATUS, SIGNER_LABELS, STATUS_LABELS, STATUS_TONES, TONES, TURNS
from delivery.queries.parcels import SEEN_AFTER_DELIVERY, ParcelView, ReceiverView, parcel_view, views_of
from delivery.queries.tasks import TaskView, task_views, tasks_statement
from delivery.queries.tracking import (
    PublicTrack,
    ReportView,
    label_of,
    open_hints,
    public_track,
    reports_of,
    waybills_of,
)
from delivery.queries.workbench import TAB_STATES, ParcelFilter, Tab, parcels_statement, tab_counts

__all__ = [
    "NEXT_BY_STATUS",
    "SEEN_AFTER_DELIVERY",
    "SIGNER_LABELS",
    "STATUS_LABELS",
    "STATUS_TONES",
    "TAB_STATES",
    "TONES",
    "TURNS",
    "BatchRow",
    "BatchView",
    "LineView",
    "ParcelFilter",
    "ParcelView",
    "PublicTrack",
    "ReceiverView",
    "ReportView",
    "Tab",
    "TaskView",
    "batch_rows",
    "batch_view",
    "batches_statement",
    "label_of",
    "open_batches",
    "open_hints",
    "parcel_view",
    "parcels_statement",
    "public_track",
    "reports_of",
    "tab_counts",
    "task_views",
    "tasks_statement",
    "views_of",
    "waybills_of",
]
