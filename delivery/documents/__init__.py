"""Papers of the delivery. They are in Chinese: the staff of hall and carrier read them."""

from delivery.documents.days import day_paper, issue_day, issued_day
from delivery.documents.labels import HallAddress, Sheet, own_label, own_labels
from delivery.documents.lists import handover_list, issue_list, issued_list
from delivery.documents.payment_orders import issue_payment_order, issued_payment_order
from delivery.documents.proofs import issue_proof, issued_proof, proof_of_delivery, redact_proof

__all__ = [
    "HallAddress",
    "Sheet",
    "day_paper",
    "handover_list",
    "issue_day",
    "issue_list",
    "issue_payment_order",
    "issue_proof",
    "issued_day",
    "issued_list",
    "issued_payment_order",
    "issued_proof",
    "own_label",
    "own_labels",
    "proof_of_delivery",
    "redact_proof",
]
