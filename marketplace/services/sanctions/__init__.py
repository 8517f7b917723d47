"""Sanctions (违规处理) and the repair of credit (信用修复): every step by another person than the one before."""

from marketplace.services.sanctions.commands import ApplyRepair, Proposal, Report, Statement
from marketplace.services.sanctions.procedure import (
    Finding,
    appeal,
    dismiss,
    due_ids,
    end,
    impose,
    make_statement,
    note_finding,
    propose,
    report,
    revoke,
    uphold,
)

__all__ = [
    "ApplyRepair",
    "Finding",
    "Proposal",
    "Report",
    "Statement",
    "appeal",
    "dismiss",
    "due_ids",
    "end",
    "impose",
    "make_statement",
    "note_finding",
    "propose",
    "report",
    "revoke",
    "uphold",
]
