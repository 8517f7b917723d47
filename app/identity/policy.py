"""Which part an actor plays towards accounts and memberships; which roles an organisation may give."""

from __future__ import annotations

from collections.abc import Mapping

from app.identity.models import Membership, OrganisationKind, User
from app.identity.states import Part
from app.kernel.access import Actor, Role
from app.kernel.words import N_

MANAGE_USERS = "identity:users:manage"
READ_USERS = "identity:users:read"
MANAGE_CALENDAR = "kernel:calendar:manage"

GRANTS: Mapping[Role, frozenset[str]] = {
    Role.ADMINISTRATOR: frozenset({MANAGE_USERS, READ_USERS}),
    Role.AUDITOR: frozenset({READ_USERS}),
    Role.OPERATOR: frozenset({MANAGE_CALENDAR}),
    Role.REGULATOR: frozenset({MANAGE_CALENDAR}),
}

KIND_LABELS: Mapping[str, str] = {
    OrganisationKind.OWNER: N_("Project owner"),
    OrganisationKind.AGENCY: N_("Agency"),
    OrganisationKind.DEPARTMENT: N_("Approving department"),
    OrganisationKind.HALL: N_("Government service hall"),
    OrganisationKind.POST: N_("Postal enterprise"),
    OrganisationKind.OPERATOR: N_("Operator"),
    OrganisationKind.REGULATOR: N_("Regulator"),
    OrganisationKind.AUDITOR: N_("Auditor"),
}

ROLES_OF_KIND: Mapping[str, tuple[Role, ...]] = {
    OrganisationKind.OWNER: (Role.OWNER,),
    OrganisationKind.AGENCY: (Role.AGENCY, Role.PRACTITIONER),
    OrganisationKind.DEPARTMENT: (Role.APPROVING_DEPARTMENT,),
    # the courier's counter stands in the hall, so its people may belong to either
    OrganisationKind.HALL: (
        Role.WINDOW_CLERK,
        Role.CERTIFICATE_CENTRE,
        Role.POSTAL_STAFF,
        Role.POSTAL_SUPERVISOR,
        Role.COURIER,
    ),
    OrganisationKind.POST: (Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.COURIER),
    OrganisationKind.OPERATOR: (Role.OPERATOR, Role.ADMINISTRATOR),
    OrganisationKind.REGULATOR: (Role.REGULATOR,),
    OrganisationKind.AUDITOR: (Role.AUDITOR,),
}

# kinds that anyone may set up or ask to join; the others are set up by an administrator
OPEN_KINDS = (OrganisationKind.OWNER, OrganisationKind.AGENCY)

PUBLIC_ROLES = frozenset({Role.OWNER, Role.AGENCY, Role.PRACTITIONER, Role.APPLICANT})
STAFF_IDLE_MINUTES = 15
PUBLIC_IDLE_MINUTES = 30
SESSION_HOURS = 12
COURIER_IDLE_MINUTES = SESSION_HOURS * 60
"""A handset is without a connection for hours; what lies on it is protected by the key of its round, not by the session."""


def idle_minutes(role: str) -> int:
    """Minutes without a request after which a session of this role ends (staff sooner than the public)."""
    if role == Role.COURIER:
        return COURIER_IDLE_MINUTES
    return PUBLIC_IDLE_MINUTES if role in PUBLIC_ROLES else STAFF_IDLE_MINUTES


def user_parts(actor: Actor, user: User) -> frozenset[Part]:
    """Parts of `actor` towards an account."""
    parts = set()
    if actor.is_system:
        parts.add(Part.SYSTEM)
    if actor.user_id == user.id:
        parts.add(Part.SELF)
    if actor.may(MANAGE_USERS):
        parts.add(Part.ADMINISTRATOR)
    return frozenset(parts)


def membership_parts(actor: Actor, membership: Membership, *, administers: bool) -> frozenset[Part]:
    """Parts of `actor` towards a membership; `administers` says that it administers that organisation."""
    parts = set()
    if actor.is_system:
        parts.add(Part.SYSTEM)
    if actor.user_id == membership.user_id:
        parts.add(Part.SELF)
    if administers and actor.organisation_id == membership.organisation_id:
        parts.add(Part.ORGANISATION_ADMINISTRATOR)
    if actor.may(MANAGE_USERS):
        parts.add(Part.ADMINISTRATOR)
    return frozenset(parts)
