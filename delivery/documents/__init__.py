"""Papers of the delivery. They are in Chinese: the staff of hall and carrier read them."""

from delivery.documents.labels import own_label
from delivery.documents.lists import handover_list, issue_list, issued_list
from delivery.documents.proofs import issue_proof, issued_proof, proof_of_delivery

__all__ = [
    "handover_list",
    "issue_list",
    "issue_proof",
    "issued_list",
    "issued_proof",
    "own_label",
    "proof_of_delivery",
]
