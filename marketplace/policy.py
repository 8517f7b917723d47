"""Who may do what in the marketplace: permissions, the roles that hold them, and the part an actor plays towards an object.

`parts` is the only place that decides a part; transitions and routes name parts and permissions, so the tables stay data.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from app.kernel.access import Actor, Role
from marketplace.models.procurements import Procurement, Registration
from marketplace.states.parts import Part


class Permission(StrEnum):
    """What a role may open or start at all; the object's own parts are asked in addition."""

    DRAW_BEACON = "marketplace:draw:beacon"
    NOTICE_CHECK = "marketplace:notice:check"
    PROCUREMENT_CREATE = "marketplace:procurement:create"
    PROCUREMENT_SUCCESSION = "marketplace:procurement:succession"
    PROCUREMENT_SUPERVISE = "marketplace:procurement:supervise"
    REGISTRATION_CREATE = "marketplace:registration:create"


_P = Permission
_WATCH: Final = frozenset({_P.PROCUREMENT_SUPERVISE})

GRANTS: Final[Mapping[Role, frozenset[str]]] = {
    Role.OWNER: frozenset({_P.PROCUREMENT_CREATE}),
    Role.AGENCY: frozenset({_P.REGISTRATION_CREATE}),
    Role.OPERATOR: _WATCH | {_P.NOTICE_CHECK, _P.DRAW_BEACON, _P.PROCUREMENT_SUCCESSION},
    Role.REGULATOR: _WATCH | {_P.DRAW_BEACON, _P.PROCUREMENT_SUCCESSION},
    Role.AUDITOR: _WATCH,
}
PUBLIC_GRANTS: Final[frozenset[str]] = frozenset()


def base_parts(actor: Actor) -> set[Part]:
    """The parts that do not depend on the object."""
    found = {Part.PUBLIC}
    if actor.is_system:
        found.add(Part.SYSTEM)
    for role, part in (
        (Role.OPERATOR, Part.OPERATOR),
        (Role.REGULATOR, Part.REGULATOR),
        (Role.APPROVING_DEPARTMENT, Part.APPROVER),
    ):
        if actor.has(role):
            found.add(part)
    return found


def acts_for(actor: Actor, organisation_id: object, *roles: Role) -> bool:
    """Whether the actor acts for this organisation, in one of `roles` where given."""
    same = organisation_id is not None and actor.organisation_id == organisation_id
    return same and (not roles or actor.has(*roles))


def procurement_parts(actor: Actor, procurement: Procurement) -> frozenset[Part]:
    """OWNER for the purchaser's people, WINNER for the selected agency's, and the roles of the supermarket."""
    found = base_parts(actor)
    if acts_for(actor, procurement.owner_organisation_id, Role.OWNER):
        found.add(Part.OWNER)
    if acts_for(actor, procurement.winner_organisation_id, Role.AGENCY):
        found.add(Part.WINNER)
    return frozenset(found)


def registration_parts(actor: Actor, registration: Registration) -> frozenset[Part]:
    """AGENCY for the people of the registered agency."""
    found = base_parts(actor)
    if acts_for(actor, registration.organisation_id, Role.AGENCY):
        found |= {Part.AGENCY, Part.REGISTRANT}
    return frozenset(found)


PARTS: Final[Mapping[type, Callable[[Actor, Any], frozenset[Part]]]] = {
    Procurement: procurement_parts,
    Registration: registration_parts,
}


def parts(actor: Actor, obj: object) -> frozenset[Part]:
    """The parts `actor` plays towards `obj`. Raises KeyError for a kind of object that has no policy."""
    return PARTS[type(obj)](actor, obj)
