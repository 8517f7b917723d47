"""Public statistics, and the fairness monitor of regulator and auditor."""

from typing import Final

from flask import Blueprint, render_template

from app.kernel.access import Role
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web.guard import public, requires
from marketplace.policy import Permission
from marketplace.queries import fairness, statistics
from marketplace.states.challenge import CHALLENGE

bp = Blueprint("marketplace_statistics", __name__, template_folder="../../templates")

NAVIGATION: Final = (
    NavigationItem(N_("Statistics"), "marketplace_statistics.overview", "chart-bar", order=70),
    NavigationItem(
        N_("Fairness monitor"),
        "marketplace_statistics.monitor",
        "scale",
        frozenset({Role.REGULATOR, Role.AUDITOR}),
        order=75,
    ),
)


@bp.get("/statistics")
@public
def overview() -> str:
    """The last twelve months in numbers."""
    return render_template(
        "marketplace/statistics.html",
        s=statistics.statistics(),
        complaint_states={str(state): label for state, label in CHALLENGE.labels.items()},
    )


@bp.get("/fairness")
@requires(Permission.FAIRNESS_WATCH)
def monitor() -> str:
    """Indicators of draws, pairs and quotes."""
    return render_template(
        "marketplace/fairness.html",
        drawn=fairness.draw_luck(),
        pairs=statistics.frequent_pairs(),
        together=fairness.registered_together(),
        quotes=fairness.near_identical_quotes(),
        low=fairness.abnormally_low(),
    )
