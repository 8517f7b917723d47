"""Writing a decision down: the winner installed and published, or the failure with its reason."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.kernel import clock, work_calendar
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events.procurements import ProcurementFailed, SelectionDecided
from marketplace.models.procurements import Procurement, Registration
from marketplace.queries.rulebooks import rule_book
from marketplace.services.procurements import tell
from marketplace.states.parts import Part
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT, FailureCode
from marketplace.states.registration import ON_LIST, REGISTRATION

_SYSTEM = (Part.SYSTEM,)


def on_list(procurement_id: UUID) -> dict[str, Registration]:
    """The registrations on the frozen list by their credit code, locked."""
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement_id, Registration.state.in_(ON_LIST))
        .order_by(Registration.uscc)
        .with_for_update()
    )
    return {row.uscc: row for row in rows}


def fail(procurement: Procurement, code: FailureCode, pool: int) -> None:
    """Those who still qualify stay registered: they take part again when the owner extends."""
    procurement.failure_code = code
    procurement.failures += 1
    event = ProcurementFailed(procurement_id=procurement.id, failure_code=code)
    move(
        procurement,
        PROCUREMENT,
        "fail",
        SYSTEM,
        _SYSTEM,
        event=event,
        detail={"pool": pool},
        reason=FAILURE_TEXTS[code],
    )


def install_winner(
    procurement: Procurement,
    winner: Registration,
    action: str,
    actor: Actor,
    held: Sequence[Part] | frozenset[Part],
    *,
    place: int,
    reason: str | None = None,
) -> None:
    """Make a registration the winner by `action` (`select` or `succeed`) and open the publicity of the result."""
    book = rule_book(procurement.rule_book_version)
    now = clock.now()
    procurement.winner_registration_id = winner.id
    procurement.winner_organisation_id = winner.organisation_id
    procurement.selected_at = now
    procurement.succession_proposed_by = procurement.succession_proposed_at = None
    move(winner, REGISTRATION, "win", SYSTEM, _SYSTEM)
    detail = {"winner": winner.name, "rank": place}
    move(procurement, PROCUREMENT, action, actor, held, reason=reason, detail=detail, public=True)
    procurement.publicity_ends_at = work_calendar.current().deadline(now, book.result_publicity_wd).at
    event = SelectionDecided(
        procurement_id=procurement.id, thread_id=procurement.thread_id, winner_organisation_id=winner.organisation_id
    )
    move(procurement, PROCUREMENT, "publish_result", SYSTEM, _SYSTEM, event=event, detail=detail, public=True)
    tell(
        procurement,
        winner.organisation_id,
        "procurement.selected",
        N_("Selected: %(title)s"),
        N_("Your agency was selected for %(number)s. The result is in publicity; the award letter follows."),
    )
    tell(
        procurement,
        procurement.owner_organisation_id,
        "procurement.selected",
        N_("Result published: %(title)s"),
        N_("%(winner)s was selected for %(number)s. The result is in publicity."),
        winner=winner.name,
    )
