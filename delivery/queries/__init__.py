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
from delivery.queries.parcels import ENDED, ParcelView, ReceiverView, may_give_up, parcel_view, views_of
from delivery.queries.proofs import ProofPaper, ProofView, picture_file, proof_paper, proofs_of
from delivery.queries.rounds import (
    CarriedRound,
    RoundRow,
    RoundView,
    carried_round,
    round_rows,
    round_view,
    rounds_of_courier,
    rounds_statement,
)
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
from delivery.queries.waiting import parcels_without_round, recent_batches
from delivery.queries.workbench import TAB_STATES, ParcelFilter, Tab, parcels_statement, tab_counts

__all__ = [
    "ENDED",
    "NEXT_BY_STATUS",
    "SIGNER_LABELS",
    "STATUS_LABELS",
    "STATUS_TONES",
    "TAB_STATES",
    "TONES",
    "TURNS",
    "BatchRow",
    "BatchView",
    "CarriedRound",
    "LineView",
    "ParcelFilter",
    "ParcelView",
    "ProofPaper",
    "ProofView",
    "PublicTrack",
    "ReceiverView",
    "ReportView",
    "RoundRow",
    "RoundView",
    "Tab",
    "TaskView",
    "batch_rows",
    "batch_view",
    "batches_statement",
    "carried_round",
    "label_of",
    "may_give_up",
    "open_batches",
    "open_hints",
    "parcel_view",
    "parcels_statement",
    "parcels_without_round",
    "picture_file",
    "proof_paper",
    "proofs_of",
    "public_track",
    "recent_batches",
    "reports_of",
    "round_rows",
    "round_view",
    "rounds_of_courier",
    "rounds_statement",
    "tab_counts",
    "task_views",
    "tasks_statement",
    "views_of",
    "waybills_of",
]
