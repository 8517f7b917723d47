"""What waits for somebody in payments."""

from app.kernel.access import Actor
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from payments.policy import Permission
from payments.queries.bills import due_bills
from payments.queries.refunds import refunds_page
from payments.states import BILL, REFUND, BillState, RefundState


def worklist(actor: Actor) -> tuple[WorkItem, ...]:
    """What waits for the actor in payments: bills to pay, and for operators refunds to decide."""
    if not actor.is_signed_in:
        return ()
    bills = [
        WorkItem(Turn.MINE, N_("Bill"), b.number, b.title, BILL.labels[BillState.OPEN], N_("Pay the bill"),
                 f"/bills/{b.id}", b.due_at)
        for b in due_bills(actor)
    ]  # fmt: skip
    if not actor.may(Permission.REFUND_DECIDE):
        return tuple(bills)
    waiting = refunds_page(state=RefundState.REQUESTED)
    asked = [
        WorkItem(Turn.MINE, N_("Refund"), r.bill_number, r.title, REFUND.labels[RefundState.REQUESTED],
                 N_("Approve or refuse the refund"), f"/refunds/{r.id}", None, r.requested_at)
        for r in waiting.items
        if r.requested_by != actor.user_id
    ]  # fmt: skip
    return (*bills, *asked)
