"""Papers of the delivery. They are in Chinese: the staff of hall and carrier read them."""

from delivery.documents.labels import own_label
from delivery.documents.lists import handover_list, issue_list, issued_list

__all__ = ["handover_list", "issue_list", "issued_list", "own_label"]
