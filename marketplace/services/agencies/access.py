"""Whose file it is, and when the agency may work on it."""

from uuid import UUID

from app.kernel.access import Actor
from app.kernel.db import lock
from app.kernel.errors import Conflict, NotAllowed, NotFound
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.policy import agency_parts, base_parts, sees_file
from marketplace.states.agency import ADMITTED, WITH_THE_AGENCY
from marketplace.states.parts import Part

KEEPERS = frozenset({Part.OPERATOR, Part.REGULATOR, Part.SYSTEM})


def own(actor: Actor, agency_id: UUID, seen: int | None = None) -> Agency:
    """The agency of the actor, locked; another's answers NotFound, so that its existence is not told."""
    agency = lock(Agency, agency_id, seen=seen)
    if not sees_file(actor, agency):
        raise NotFound
    if Part.AGENCY not in agency_parts(actor, agency):
        raise NotAllowed
    return agency


def own_file(actor: Actor, agency_id: UUID, seen: int | None = None) -> Agency:
    """The actor's agency while it works on its file. Raises Conflict when the file is with the operator or admitted."""
    agency = own(actor, agency_id, seen)
    if agency.state not in WITH_THE_AGENCY:
        raise Conflict("file-closed", N_("The file is with the operator, or the agency is already admitted."))
    return agency


def own_open(actor: Actor, agency_id: UUID, seen: int | None = None) -> Agency:
    """The actor's agency when it may enter certificates and people: on its file, or admitted. Raises Conflict."""
    agency = own(actor, agency_id, seen)
    if agency.state not in WITH_THE_AGENCY | ADMITTED:
        raise Conflict("file-closed", N_("The file is with the operator. Wait for the result of the form check."))
    return agency


def kept(actor: Actor, agency_id: UUID, seen: int | None = None) -> Agency:
    """An agency for those who decide on its standing: operator, regulator, the clock. Raises NotAllowed."""
    if not base_parts(actor) & KEEPERS:
        raise NotAllowed
    return lock(Agency, agency_id, seen=seen)
