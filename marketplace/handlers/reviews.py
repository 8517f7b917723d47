"""Who is asked to rate when a service was accepted."""

from app.kernel.db import use_case
from app.kernel.outbox import Handlers
from marketplace.events.contracts import DeliverableAccepted
from marketplace.services import reviews


@use_case
def ask_for_ratings(event: DeliverableAccepted) -> None:
    """Owner and agency rate each other; the operator inspects where the rule says so."""
    reviews.open_requests(event.contract_id)


HANDLERS: Handlers = {DeliverableAccepted: (ask_for_ratings,)}
