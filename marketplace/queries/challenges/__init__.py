"""Reads of objections, queries, complaints and off-list reports."""

from marketplace.queries.challenges.holds import (
    holding_admission,
    holding_procurement,
    objections_open,
    windows_of,
)
from marketplace.queries.challenges.lists import (
    ChallengeRow,
    OffListCounts,
    RegisterFilter,
    concerning,
    mine,
    of_procurement,
    off_list_counts,
    register,
    register_for_export,
    worklist,
)
from marketplace.queries.challenges.people import acted_before, stepped_aside
from marketplace.queries.challenges.views import (
    ChallengeView,
    challenge_view,
    effects_of,
    evidence_file,
    excludable,
    side_name,
)

__all__ = [
    "ChallengeRow",
    "ChallengeView",
    "OffListCounts",
    "RegisterFilter",
    "acted_before",
    "challenge_view",
    "concerning",
    "effects_of",
    "evidence_file",
    "excludable",
    "holding_admission",
    "holding_procurement",
    "mine",
    "objections_open",
    "of_procurement",
    "off_list_counts",
    "register",
    "register_for_export",
    "side_name",
    "stepped_aside",
    "windows_of",
    "worklist",
]
