"""Who may do what with bills and the books: permissions, the roles that hold them, and the part played towards a bill."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

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


_P = Permission
GRANTS: Final[Mapping[Role, frozenset[str]]] = {
    Role.AGENCY: frozenset({_P.INCOME_READ}),
    Role.OPERATOR: frozenset({_P.BILLS_SUPERVISE, _P.BOOKS_READ, _P.BOOKS_RECONCILE, _P.REFUND_DECIDE, _P.BANK_ENTER}),
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
