"""The owner's part of a merit selection (比选): the comparison sheet, or the choice from the small list, in time and with reasons."""

from typing import Any
from uuid import UUID

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from marketplace.models.procurements import Procurement
from marketplace.models.selection import Comparison
from marketplace.policy import parts
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.selection.engine import next_step
from marketplace.rules.selection.methods import Method
from marketplace.rules.selection.outcome import NeedsOwner, failed
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services.commands import ChooseAgency, HandInComparison, ScoredRow
from marketplace.services.procurements import locked
from marketplace.services.selection.advance import advance
from marketplace.services.selection.deciding import settle
from marketplace.services.selection.inputs import gather, participants
from marketplace.states.parts import Part
from marketplace.states.procurement import FailureCode, ProcurementState

_P = ProcurementState
_SYSTEM = (Part.SYSTEM,)


@use_case
def hand_in_comparison(actor: Actor, procurement_id: UUID, command: HandInComparison) -> None:
    """Score every plan and decide. The sheet is kept for ever, published, and leads to the ranking in the same transaction.

    Raises NotAllowed for anybody but the owner, Conflict when late or not asked for, Refused for an incomplete sheet.
    """
    procurement = locked(actor, procurement_id, command.version)
    step = _asked(actor, procurement)
    if step.is_choice:
        raise Conflict("choice-asked", N_("This method asks for a choice from the small list, not for scores."))
    _check_sheet(procurement, step, command.rows)
    scores = {
        str(row.registration_id): [{"points": points, "reason": reason.strip()} for points, reason in row.scores]
        for row in command.rows
    }
    _keep(procurement, actor, {"scores": scores})
    advance(procurement, actor, parts(actor, procurement))


@use_case
def choose_agency(actor: Actor, procurement_id: UUID, command: ChooseAgency) -> None:
    """Choose one agency of the small list and say why. Raises NotAllowed, Conflict, and Refused for an agency not on it."""
    procurement = locked(actor, procurement_id, command.version)
    step = _asked(actor, procurement)
    if not step.is_choice:
        raise Conflict("scores-asked", N_("This method asks for a comparison sheet, not for a choice."))
    if command.registration_id not in step.candidates:
        raise Refused("not-on-small-list", N_("Choose an agency of the small list."), field="registration_id")
    if not command.reason.strip():
        raise Refused("reason-missing", N_("Say why: this step needs a reason."), field="reason")
    choice = {"registration_id": str(command.registration_id), "reason": command.reason.strip()}
    _keep(procurement, actor, {"choice": choice})
    advance(procurement, actor, parts(actor, procurement))


def _asked(actor: Actor, procurement: Procurement) -> NeedsOwner:
    """What the owner is asked for now; refused for others, outside the comparison, and after its deadline."""
    if Part.OWNER not in parts(actor, procurement):
        raise NotAllowed
    if procurement.state != _P.COMPARING or procurement.compare_by is None:
        raise Conflict("no-comparison", N_("No comparison is asked for in this procurement."))
    if clock.now() > procurement.compare_by:
        raise Conflict("comparison-late", N_("The time for the comparison is over."))
    step = next_step(gather(procurement, participants(procurement.id)), rule_book(procurement.rule_book_version))
    if not isinstance(step, NeedsOwner):
        raise Conflict("no-comparison", N_("No comparison is asked for in this procurement."))
    return step


def _check_sheet(procurement: Procurement, step: NeedsOwner, rows: tuple[ScoredRow, ...]) -> None:
    judged = [c for c in MethodTerms.from_json(procurement.method_terms).criteria if not c.is_price]
    wanted = [row.registration_id for row in rows]
    if sorted(wanted) != sorted(step.candidates):
        raise Refused("sheet-incomplete", N_("Score every agency that is compared, each once."))
    for row in rows:
        if len(row.scores) != len(judged):
            raise Refused("sheet-incomplete", N_("Score every criterion of every agency."))
        for points, reason in row.scores:
            if not 0 <= points <= 100:
                raise Refused("bad-score", N_("A score is a whole number from 0 to 100."))
            if not reason.strip():
                raise Refused("reason-missing", N_("Every score needs its reason."))


def _keep(procurement: Procurement, actor: Actor, content: dict[str, Any]) -> None:
    db.session.add(
        Comparison(
            procurement_id=procurement.id,
            content=content,
            decided_by=actor.user_id,
            decided_by_name=actor.name,
            decided_at=clock.now(),
        )
    )
    db.session.flush()
    record(procurement, "compared", actor, title=N_("Comparison handed in"), public=True)


@use_case
def lapse_comparison(procurement_id: UUID) -> bool:
    """What happens when the owner does not compare in time; False when it is not due.

    The small list then decides in the order of its draw. Plans that nobody compared cannot be ranked: the selection fails.
    """
    procurement = lock(Procurement, procurement_id)
    if procurement.state != _P.COMPARING or procurement.compare_by is None or clock.now() <= procurement.compare_by:
        return False
    if procurement.method == Method.MERIT_CREDIT:
        _keep(procurement, SYSTEM, {"choice": {"registration_id": None, "reason": ""}})
        return advance(procurement)
    registrations = participants(procurement.id)
    inputs = gather(procurement, registrations)
    settle(procurement, registrations, inputs, failed(inputs, FailureCode.NOT_COMPARED), "fail", SYSTEM, _SYSTEM)
    return True
