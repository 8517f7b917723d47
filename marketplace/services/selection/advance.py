"""Taking the next step of a selection that is due."""

from sqlalchemy import select

from app.kernel.access import SYSTEM
from app.kernel.db import db
from app.kernel.transitions import move
from marketplace.models.procurements import DrawRank, Procurement
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.services.selection.deciding import fail, install_winner, on_list
from marketplace.services.selection.drawing import freeze_draw, latest_draw, outcome_of
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, FailureCode, ProcurementState
from marketplace.states.registration import REGISTRATION, STRUCK, RegistrationState

_P = ProcurementState
_R = RegistrationState
_SYSTEM = (Part.SYSTEM,)


def advance(procurement: Procurement) -> bool:
    """Take the next step that is due for a locked procurement; False when nothing is due.

    Called with the list closed, with all quotes of a round opened, and with the values of a draw all in.
    """
    if procurement.state == _P.REGISTRATION_CLOSED:
        book = rule_book(procurement.rule_book_version)
        listed = [r for r in on_list(procurement.id).values() if r.state == _R.QUALIFIED]
        row = freeze_draw(procurement, book, listed, purpose=DrawPurpose.SELECTION, seats=procurement.seats, tickets={})
        detail = {"draw": row.code, "list_hash": row.sha256, "entries": row.entries}
        return move(procurement, PROCUREMENT, "start_selection", SYSTEM, _SYSTEM, detail=detail, public=True)
    row = latest_draw(procurement.id)
    if procurement.state != _P.SELECTING or row is None:
        return False
    registrations = on_list(procurement.id)
    if outcome_of(row, registrations) is None:
        return False
    places = db.session.execute(
        select(DrawRank.place, DrawRank.uscc).where(DrawRank.draw_id == row.id).order_by(DrawRank.place)
    ).all()
    first = next((place for place in places if registrations[place.uscc].state not in STRUCK), None)
    if first is None:
        fail(procurement, FailureCode.RANKING_EXHAUSTED, 0)
        return True
    for registration in registrations.values():
        if registration.state == _R.QUALIFIED and registration.uscc != first.uscc:
            move(registration, REGISTRATION, "stand_by", SYSTEM, _SYSTEM)
    install_winner(procurement, registrations[first.uscc], "select", SYSTEM, _SYSTEM, place=first.place)
    return True
