"""Repair of credit (信用修复): applied for, conditions checked by one person, public, decided by another."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.identity.notices import notify
from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import keep
from app.kernel.numbering import next_number
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.credit import Repair, Sanction
from marketplace.policy import sanction_parts
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.sanctions import Level, last_day
from marketplace.services.sanctions.commands import ApplyRepair
from marketplace.services.sanctions.procedure import repaired
from marketplace.states.credit import REPAIR, SANCTION, RepairState, SanctionState
from marketplace.states.parts import Part


def may_apply_from(sanction: Sanction) -> date:
    """The first Beijing day on which a repair may be applied for."""
    assert sanction.starts_on is not None  # imposed
    book = rule_book(sanction.rule_book_version)
    months = book.credit_repair_months_serious if sanction.level == Level.SERIOUS else book.credit_repair_months
    return last_day(sanction.starts_on, months)


@use_case
def apply(actor: Actor, sanction_id: UUID, command: ApplyRepair) -> UUID:
    """Apply for the repair of one sanction. Returns the application.

    Refused before the waiting time is over; Conflict while an appeal or another application is open, and when a newer violation of
    the same side is in force.
    """
    sanction = lock(Sanction, sanction_id)
    held = sanction_parts(actor, sanction)
    if not held:
        raise NotFound
    if Part.PARTY not in held:
        raise NotAllowed
    if SANCTION.edge("repair", sanction.state) is None:
        raise Conflict("nothing-to-repair", N_("Only a measure in force or ended can be repaired."))
    if clock.today() < may_apply_from(sanction):
        raise Refused(
            "repair-too-early",
            N_("A repair can be applied for from %(day)s."),
            params={"day": may_apply_from(sanction).isoformat()},
        )
    _refuse_other(sanction)
    assert actor.user_id is not None
    row = Repair(
        id=new_id(),
        thread_id=sanction.thread_id,
        number=next_number("XF"),
        sanction_id=sanction.id,
        organisation_id=sanction.organisation_id,
        text=command.text,
        file_id=keep(command.file, actor).id if command.file else None,
        submitted_by=actor.user_id,
        submitted_at=clock.now(),
        state=RepairState.SUBMITTED,
    )
    db.session.add(row)
    db.session.flush()
    record(row, "submitted", actor, title=N_("Repair applied for"), detail={"number": row.number})
    _tell(row, None, N_("An application for the repair of credit waits: %(number)s"))
    return row.id


def _refuse_other(sanction: Sanction) -> None:
    open_states = (RepairState.SUBMITTED, RepairState.PUBLICITY)
    if db.session.scalar(
        select(Repair.id).where(Repair.sanction_id == sanction.id, Repair.state.in_(open_states)).limit(1)
    ):
        raise Conflict("repair-open", N_("An application for the repair of this measure is open already."))
    newer = select(Sanction.id).where(
        Sanction.organisation_id == sanction.organisation_id,
        Sanction.decided_at > sanction.decided_at,
        Sanction.state.in_((SanctionState.IN_FORCE, SanctionState.APPEALED)),
    )
    if db.session.scalar(newer.limit(1)):
        raise Conflict(
            "newer-violation", N_("A newer measure is in force; the credit cannot be repaired before it ends.")
        )


@use_case
def publicise(actor: Actor, repair_id: UUID, command: Plain) -> None:
    """The first person finds the conditions met: the application is public until the rule book's day."""
    row, sanction = _locked(actor, repair_id, command.version)
    row.checked_by, row.checked_by_name = actor.user_id, actor.name
    days = rule_book(sanction.rule_book_version).credit_repair_publicity_wd
    row.publicity_ends_at = work_calendar.current().deadline(clock.now(), days).at
    move(row, REPAIR, "publicise", actor, sanction_parts(actor, row), public=True)
    _tell(row, row.organisation_id, N_("Your application for repair is in publicity: %(number)s"))


@use_case
def grant(actor: Actor, repair_id: UUID, command: WithReason) -> None:
    """A second person grants the repair after the publicity: the sanction counts no longer and what it imposed is lifted."""
    row, sanction = _locked(actor, repair_id, command.version)
    if row.state == RepairState.PUBLICITY:
        if row.checked_by == actor.user_id:
            raise Conflict("same-person", N_("A second person must decide: you checked it yourself."))
        assert row.publicity_ends_at is not None
        if clock.now() <= row.publicity_ends_at:
            raise Conflict("publicity-runs", N_("The publicity has not ended yet."))
    _decide(actor, row, "grant", command.reason)
    repaired(sanction, command.reason)


@use_case
def refuse(actor: Actor, repair_id: UUID, command: WithReason) -> None:
    """Refuse the repair with reasons."""
    row, _ = _locked(actor, repair_id, command.version)
    _decide(actor, row, "refuse", command.reason)


@use_case
def withdraw(actor: Actor, repair_id: UUID, command: Plain) -> None:
    """The applicant takes the application back."""
    row, _ = _locked(actor, repair_id, command.version)
    move(row, REPAIR, "withdraw", actor, sanction_parts(actor, row))


def _decide(actor: Actor, row: Repair, action: str, reason: str) -> None:
    row.decided_by, row.decided_by_name, row.decided_at = actor.user_id, actor.name, clock.now()
    row.decision = reason
    move(row, REPAIR, action, actor, sanction_parts(actor, row), reason=reason)
    _tell(row, row.organisation_id, N_("Your application for repair is decided: %(number)s"))


def _locked(actor: Actor, repair_id: UUID, seen: int | None) -> tuple[Repair, Sanction]:
    """The sanction is locked before its application, as everywhere."""
    found = get(Repair, repair_id)
    if not sanction_parts(actor, found):
        raise NotFound
    sanction = lock(Sanction, found.sanction_id)
    return lock(Repair, repair_id, seen=seen), sanction


def _tell(row: Repair, organisation_id: UUID | None, subject: str) -> None:
    notify(
        to_organisation=organisation_id,
        to_role=Role.OPERATOR if organisation_id is None else None,
        kind="credit.repair",
        subject=subject,
        text=N_("The page of %(number)s shows the application, its conditions and the decision."),
        link=f"/repairs/{row.id}",
        thread_id=row.thread_id,
        params={"number": row.number},
    )
