"""Reads of contracts as frozen values: the page of one contract, the lists, the clock."""

from marketplace.queries.contracts.clock import pauses_of, reading_of, service_clock_of
from marketplace.queries.contracts.detail import ContractView, contract_view, deliverable_file, evidence_file
from marketplace.queries.contracts.links import OwnerAndItem, contract_of_procurement, owner_and_item
from marketplace.queries.contracts.lists import (
    ContractFilter,
    ContractRecord,
    ContractRow,
    contract_records,
    contracts_of,
    worklist,
)
from marketplace.queries.contracts.overdue import OverdueFee, overdue_fees
from marketplace.queries.contracts.turns import due_of, turn_of

__all__ = [
    "ContractFilter",
    "ContractRecord",
    "ContractRow",
    "ContractView",
    "OverdueFee",
    "OwnerAndItem",
    "contract_of_procurement",
    "contract_records",
    "contract_view",
    "contracts_of",
    "deliverable_file",
    "due_of",
    "evidence_file",
    "overdue_fees",
    "owner_and_item",
    "pauses_of",
    "reading_of",
    "service_clock_of",
    "turn_of",
    "worklist",
]
