"""From the deadline of a notice to its result: closing, sealed quotes, draws, comparisons, direct selections, replays.

Every step is derived from the rows, locked and repeatable, so any number of workers may try it; exactly one takes it.
"""

from marketplace.services.selection.advance import advance
from marketplace.services.selection.closing import close_registration, end_round, freeze_list
from marketplace.services.selection.comparing import choose_agency, hand_in_comparison, lapse_comparison
from marketplace.services.selection.deciding import install_winner, publicity_days
from marketplace.services.selection.direct import approve_direct, refuse_direct, request_direct
from marketplace.services.selection.drawing import latest_draw
from marketplace.services.selection.draws import abandon_draw, enter_value, make_demonstration_value, rank_draw
from marketplace.services.selection.replay import count_of_alarms, replay_all, replay_result

__all__ = [
    "abandon_draw",
    "advance",
    "approve_direct",
    "choose_agency",
    "close_registration",
    "count_of_alarms",
    "end_round",
    "enter_value",
    "freeze_list",
    "hand_in_comparison",
    "install_winner",
    "lapse_comparison",
    "latest_draw",
    "make_demonstration_value",
    "publicity_days",
    "rank_draw",
    "refuse_direct",
    "replay_all",
    "replay_result",
    "request_direct",
]
