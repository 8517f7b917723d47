"""What payouts by the provider and by hand have in common: why they wait, who is told, and that they failed."""

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Role
from app.kernel.money import Money
from app.kernel.transitions import move
from app.kernel.words import N_
from payments import outgoing_ledger
from payments.models.payouts import Payout
from payments.outgoing_events import PayoutFailed
from payments.outgoing_states import PAYOUT
from payments.queries.agency_money import PayoutBlock
from payments.services.books import post
from payments.states import Part

BLOCKED = {
    PayoutBlock.NO_ACCOUNT: N_("There is no bank account in use. Enter one first."),
    PayoutBlock.CHANGING: N_("The bank account is being changed. Nothing is paid out until the new one is in use."),
    PayoutBlock.FROZEN: N_("A dispute has frozen money of this balance. Nothing is paid out until it is settled."),
}


def payout_facts(row: Payout) -> dict[str, str]:
    """What notices say about a payout."""
    return {"number": row.number, "amount": Money(row.amount_fen).grouped}


def tell_agency(row: Payout, kind: str, subject: str, text: str) -> None:
    """Send the agency a notice about its payout, in the caller's transaction."""
    notify(to_organisation=row.payee_organisation_id, kind=f"payment.payout-{kind}", subject=subject, text=text,
           link=f"/payouts/{row.id}", thread_id=row.thread_id, params=payout_facts(row))  # fmt: skip


def unhold_payout(row: Payout, amount_fen: int | None = None) -> None:
    """The money of a payout, or so much of it as came back, is the agency's balance again."""
    back_fen = row.amount_fen if amount_fen is None else amount_fen
    if back_fen:
        post(outgoing_ledger.payout_unheld(row.id, row.payee_organisation_id, back_fen, clock.now(), row.number))


def fail_payout(row: Payout, problem: str, back_fen: int | None = None) -> None:
    """The agency's bank did not take a locked payout: its money is the agency's balance again, and both sides are told.

    `back_fen` is less than the whole where a part had been called back for a debt before.
    """
    row.problem, row.finished_at = problem, clock.now()
    move(row, PAYOUT, "fail", SYSTEM, {Part.SYSTEM}, event=PayoutFailed(row.id), detail={"problem": problem})
    unhold_payout(row, back_fen)
    tell_agency(row, "failed", N_("A payout failed: %(number)s"),
          N_("The bank did not take it; %(amount)s yuan are in your balance again. Check your bank account."))  # fmt: skip
    notify(to_role=Role.OPERATOR, kind="payment.payout-failed", subject=N_("A payout failed: %(number)s"),
           text=N_("%(amount)s yuan are in the agency's balance again."), link=f"/payouts/{row.id}",
           thread_id=row.thread_id, params=payout_facts(row))  # fmt: skip
