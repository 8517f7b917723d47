"""Held money: released whole or in parts, and stopped by disputes.

The caller has decided that the money may move (a deliverable was accepted, or counts as accepted). What is frozen never
moves; the rest of the bill is not touched by the freeze.
"""

from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.calendar import beijing_date
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.transitions import move, record
from app.kernel.words import N_
from payments import held_money, ledger
from payments.errors import more_than_held, refund_under_way
from payments.events import HeldMoneyReleased, HeldMoneyUnfrozen
from payments.models.bills import Bill
from payments.models.held import Freeze, Release
from payments.models.refunds import Refund
from payments.queries.held import standing_of
from payments.services.bills import tell_payee, tell_payer
from payments.services.books import balances_of, post
from payments.states import BILL, UNFINISHED_REFUND, BillState, Part
from payments.terms import terms


@use_case
def release_held(actor: Actor, bill_id: UUID, reason: str, amount_fen: int | None = None) -> bool:
    """Give held money of a paid service fee to its agency: all that may move, or `amount_fen` of it.

    Returns whether nothing of the bill is held any more; a bill that is released already bears a repeat. The platform's
    fee is that of the rule book in force when the bill was opened; what the agency owes is withheld at once. Raises
    IllegalTransition when the bill is not paid, Conflict while a refund of all of it is under way or for more than may
    move.
    """
    bill = lock(Bill, bill_id)
    if bill.state == BillState.RELEASED:
        return True
    standing = standing_of(bill.id)
    wanted = standing.free if amount_fen is None else amount_fen
    if bill.state == BillState.PAID and wanted < 1 <= standing.frozen and amount_fen is None:
        return False
    if bill.state == BillState.PAID and standing.held == 0 and _is_refunding(bill):
        raise refund_under_way()
    if bill.state == BillState.PAID and not 1 <= wanted <= standing.free:
        raise more_than_held()
    moment = clock.now()
    is_last = wanted == standing.held
    part = HeldMoneyReleased(bill.id, bill.subject, bill.thread_id, wanted)
    if is_last or bill.state != BillState.PAID:
        bill.released_at = moment
        move(bill, BILL, "release", actor, {Part.OPENER}, reason=reason, event=part, detail={"amount_fen": wanted})
    else:
        record(bill, "release_part", actor, title=N_("Part of the held money released"), reason=reason,
               detail={"amount_fen": wanted}, event=part)  # fmt: skip
    fee = _pay_over(actor, bill, standing, wanted, reason)
    tell_payee(
        bill,
        "money-released",
        N_("Money released: %(number)s"),
        N_("%(title)s: %(amount)s yuan now belong to your balance."),
        amount_fen=wanted - fee,
    )
    return is_last


def _is_refunding(bill: Bill) -> bool:
    unfinished = sa.select(Refund.id).where(Refund.bill_id == bill.id, Refund.state.in_(UNFINISHED_REFUND))
    return db.session.scalar(unfinished.limit(1)) is not None


def _pay_over(actor: Actor, bill: Bill, standing: held_money.BillMoney, amount_fen: int, reason: str) -> int:
    assert bill.payee_organisation_id is not None, "a service fee has its agency"
    agreed = terms(beijing_date(bill.opened_at))
    fee = held_money.fee_of_part(standing, amount_fen, agreed.platform_fee_bp, agreed.platform_fee_cap_fen)
    number = (db.session.scalar(sa.select(sa.func.max(Release.number)).where(Release.bill_id == bill.id)) or 0) + 1
    moment = clock.now()
    row = Release(id=new_id(), bill_id=bill.id, number=number, amount_fen=amount_fen, fee_fen=fee, reason=reason,
                  released_by=actor.user_id, released_at=moment)  # fmt: skip
    db.session.add(row)
    memo = f"{bill.number} {bill.title}"
    post(ledger.released(bill.id, number, bill.payee_organisation_id, amount_fen, fee, moment, memo))
    withhold_debt(f"release:{row.id}", bill.payee_organisation_id, amount_fen - fee, memo, bill.id)
    return fee


def withhold_debt(key: str, agency: UUID, up_to_fen: int, memo: str, bill_id: UUID | None) -> int:
    """Take what the agency owes out of what it has just received, in the caller's transaction; return how much."""
    code = ledger.receivable(agency).code
    owed = min(balances_of([code]).get(code, 0), up_to_fen)
    if owed > 0:
        post(ledger.debt_withheld(key, agency, owed, clock.now(), memo, bill_id))
    return owed


@use_case
def freeze_money(actor: Actor, bill_id: UUID, cause: str, reason: str, amount_fen: int | None = None) -> int:
    """Stop so much of a paid bill's money (all of it) for a dispute; return how much is stopped, 0 when there is none.

    Held money is stopped first, then the agency's balance up to what was released to it. The same cause twice stops
    nothing more. `cause` is like "engagement:<uuid>".
    """
    bill = lock(Bill, bill_id)
    if _open_freeze(bill_id, cause) is not None:
        return 0
    standing = standing_of(bill_id)
    shares = held_money.freeze_shares(standing, standing.free if amount_fen is None else amount_fen)
    total = shares.of_held + shares.of_balance
    if total == 0:
        return 0
    db.session.add(
        Freeze(id=new_id(), bill_id=bill_id, payee_organisation_id=bill.payee_organisation_id, cause=cause,
               held_fen=shares.of_held, balance_fen=shares.of_balance, reason=reason, frozen_at=clock.now())
    )  # fmt: skip
    db.session.flush()  # what follows in this transaction must see it
    record(bill, "freeze", actor, title=N_("Money frozen by a dispute"), reason=reason, detail={"amount_fen": total})
    for tell in (tell_payer, tell_payee):
        tell(bill, "money-frozen", N_("Money frozen by a dispute: %(number)s"),
             N_("%(title)s: %(amount)s yuan do not move until the dispute is settled."), amount_fen=total)  # fmt: skip
    return total


def _open_freeze(bill_id: UUID, cause: str) -> Freeze | None:
    found: Freeze | None = db.session.scalar(
        sa.select(Freeze).where(Freeze.bill_id == bill_id, Freeze.cause == cause, Freeze.ended_at.is_(None))
    )
    return found


@use_case
def unfreeze_money(actor: Actor, bill_id: UUID, cause: str, reason: str) -> bool:
    """End the freeze of this cause; False when there is none. Those above learn of it and may release what is due."""
    bill = lock(Bill, bill_id)
    found = _open_freeze(bill_id, cause)
    if found is None:
        return False
    found.ended_at, found.end_reason = clock.now(), reason
    db.session.flush()
    amount = found.held_fen + found.balance_fen
    record(bill, "unfreeze", actor, title=N_("The frozen money may move again"), reason=reason,
           detail={"amount_fen": amount}, event=HeldMoneyUnfrozen(bill.id, bill.subject, bill.thread_id))  # fmt: skip
    tell_payee(bill, "money-unfrozen", N_("Frozen money may move again: %(number)s"),
               N_("%(title)s: the freeze of %(amount)s yuan has ended."), amount_fen=amount)  # fmt: skip
    return True
