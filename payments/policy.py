"""Who may do what with bills and the books: permissions, the roles that hold them, and the part played towards a bill."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.kernel.access import Actor, Role
from app.kernel.errors import NotFound
from payments.models.bills import Bill
from payments.states import Part


class Permission(StrEnum):
    """What a role may open at all; the part played towards the bill is asked in addition."""

    BILLS_SUPERVISE = "payments:bills:supervise"
    BOOKS_READ = "payments:books:read"
    BOOKS_RECONCILE = "payments:books:reconcile"
    INCOME_READ = "payments:income:read"
    REFUND_DECIDE = "payments:refund:decide"
    BANK_ENTER = "payments:bank:enter"
    PAYOUT_ASK = "payments:payout:ask"
    PAYOUT_DECIDE = "payments:payout:decide"
    BANK_ACCOUNT_ENTER = "payments:bank-account:enter"
    BANK_ACCOUNT_CHECK = "payments:bank-account:check"
    DISPUTE_ANSWER = "payments:dispute:answer"
    INVOICE_RECORD = "payments:invoice:record"


_P = Permission
GRANTS: Final[Mapping[Role, frozenset[str]]] = {
    Role.AGENCY: frozenset({_P.INCOME_READ, _P.PAYOUT_ASK, _P.BANK_ACCOUNT_ENTER, _P.INVOICE_RECORD}),
    Role.OPERATOR: frozenset(
        {
            _P.BILLS_SUPERVISE,
            _P.BOOKS_READ,
            _P.BOOKS_RECONCILE,
            _P.REFUND_DECIDE,
            _P.BANK_ENTER,
            _P.PAYOUT_DECIDE,
            _P.BANK_ACCOUNT_CHECK,
            _P.DISPUTE_ANSWER,
            _P.INVOICE_RECORD,
        }
    ),
    Role.REGULATOR: frozenset({_P.BILLS_SUPERVISE, _P.BOOKS_READ}),
    Role.AUDITOR: frozenset({_P.BILLS_SUPERVISE, _P.BOOKS_READ}),
}


def parts(actor: Actor, bill: Bill) -> frozenset[Part]:
    """What the actor is towards this bill; empty for a stranger."""
    found = set()
    if actor.is_system:
        found.add(Part.SYSTEM)
    if _is(actor.organisation_id, bill.payer_organisation_id) or _is(actor.user_id, bill.payer_user_id):
        found.add(Part.PAYER)
    if _is(actor.organisation_id, bill.payee_organisation_id):
        found.add(Part.PAYEE)
    if actor.has(Role.OPERATOR):
        found.add(Part.OPERATOR)
    if actor.may(Permission.BILLS_SUPERVISE):
        found.add(Part.SUPERVISOR)
    return frozenset(found)


def _is(mine: object, theirs: object) -> bool:
    return mine is not None and mine == theirs


def parts_seen(actor: Actor, bill: Bill) -> frozenset[Part]:
    """As `parts`; raises NotFound for a stranger, so that the bill's existence is not told."""
    found = parts(actor, bill)
    if not found:
        raise NotFound
    return found


def agency_parts(actor: Actor, organisation_id: UUID) -> frozenset[Part]:
    """What the actor is towards money of an agency; raises NotFound for a stranger, another agency included."""
    found = set()
    if actor.is_system:
        found.add(Part.SYSTEM)
    if _is(actor.organisation_id, organisation_id):
        found.add(Part.PAYEE)
    if actor.has(Role.OPERATOR):
        found.add(Part.OPERATOR)
    if actor.may(Permission.BILLS_SUPERVISE):
        found.add(Part.SUPERVISOR)
    if not found:
        raise NotFound
    return frozenset(found)


def books_parts(actor: Actor) -> frozenset[Part]:
    """What the actor is towards the books: the mismatches and the closes of days."""
    found = set()
    if actor.is_system:
        found.add(Part.SYSTEM)
    if actor.may(Permission.BOOKS_RECONCILE):
        found.add(Part.OPERATOR)
    if actor.may(Permission.BOOKS_READ):
        found.add(Part.SUPERVISOR)
    return frozenset(found)


def books_parts_seen(actor: Actor) -> frozenset[Part]:
    """As `books_parts`; raises NotFound for everybody else, who learns nothing of the books."""
    found = books_parts(actor)
    if not found:
        raise NotFound
    return found
