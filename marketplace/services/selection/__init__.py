"""From the deadline of a notice to its result: closing, sealed quotes, draws, comparisons, direct selections, replays.

Every step is derived from the rows, locked and repeatable, so any number of workers may try it; exactly one takes it.
"""

from marketplace.services.selection.advance import advance
from marketplace.services.selection.closing import close_registration, freeze_list
from marketplace.services.selection.deciding import install_winner
from marketplace.services.selection.drawing import latest_draw
from marketplace.services.selection.draws import abandon_draw, enter_value, make_demonstration_value, rank_draw

__all__ = [
    "abandon_draw",
    "advance",
    "close_registration",
    "enter_value",
    "freeze_list",
    "install_winner",
    "latest_draw",
    "make_demonstration_value",
    "rank_draw",
]
