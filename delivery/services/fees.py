"""Who pays the postage (BUSINESS-RULES 3.1). The bill itself is made by the domain above: delivery knows no payments."""

from uuid import UUID

from app.kernel.access import SYSTEM, Actor
from app.kernel.db import lock, use_case
from app.kernel.errors import Conflict, Refused
from app.kernel.money import Money
from app.kernel.outbox import publish
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.events import CourierFeeDropped, CourierFeeOwed
from delivery.models.parcels import Parcel
from delivery.models.terms import FeeState, ParcelTerms
from delivery.services.terms import terms_of
from delivery.terms import FeeMode


def checked_mode(wanted: str | None) -> FeeMode:
    """The way of paying: the only or first one that is offered, or the wanted one. Raises Refused for another."""
    offered = rule_book.in_force().fee_modes
    mode = wanted or offered[0]
    if mode not in offered:
        raise Refused("fee-mode", N_("This way of paying the postage is not offered here."), field="fee_mode")
    return FeeMode(mode)


def agree(parcel: Parcel, terms: ParcelTerms, mode: FeeMode, fee_fen: int) -> None:
    """Write the way of paying down; a prepaid fee is owed from now on. Call inside a transaction."""
    terms.fee_mode = mode
    terms.fee_fen = 0 if mode is FeeMode.GOVERNMENT else fee_fen
    if mode is FeeMode.PREPAID and fee_fen > 0:
        terms.fee_state = FeeState.OWED
        publish(CourierFeeOwed(parcel.id, parcel.subject, parcel.thread_id, fee_fen))
    else:
        terms.fee_state = FeeState.NONE


def drop(parcel: Parcel) -> None:
    """The parcel does not leave: what is owed is owed no more. Call inside a transaction."""
    terms = terms_of(parcel.id)
    if terms.fee_state == FeeState.OWED:
        terms.fee_state = FeeState.NONE
        publish(CourierFeeDropped(parcel.id, parcel.subject, parcel.thread_id))


@use_case
def fee_paid(parcel_id: UUID, amount_fen: int, actor: Actor = SYSTEM) -> None:
    """The postage was paid at the counter; bears a repeat. For the domain above."""
    parcel = lock(Parcel, parcel_id)
    terms = terms_of(parcel.id)
    if terms.fee_state == FeeState.PAID:
        return
    terms.fee_state = FeeState.PAID
    record(parcel, "fee_paid", actor, title=N_("Postage paid"), detail={"amount": Money(amount_fen).grouped})


@use_case
def fee_given_back(parcel_id: UUID, actor: Actor = SYSTEM) -> None:
    """The paid postage went back to the payer; bears a repeat. For the domain above."""
    parcel = lock(Parcel, parcel_id)
    terms = terms_of(parcel.id)
    if terms.fee_state != FeeState.PAID:
        return
    terms.fee_state = FeeState.OWED if terms.fee_mode == FeeMode.PREPAID else FeeState.NONE
    record(parcel, "fee_given_back", actor, title=N_("Postage given back"))


def refuse_unpaid(parcel: Parcel) -> None:
    """Raises Conflict where packing waits for a fee that is still owed."""
    if rule_book.in_force().packing_waits_for_fee and terms_of(parcel.id).fee_state == FeeState.OWED:
        raise Conflict("postage-owed", N_("The applicant has not paid the postage yet; packing waits for it."))
