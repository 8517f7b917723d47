"""Who acts: roles and the actor of a request, job or handler."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from app.kernel.words import N_


class Role(StrEnum):
    OWNER = "owner"
    AGENCY = "agency"
    PRACTITIONER = "practitioner"
    OPERATOR = "operator"
    REGULATOR = "regulator"
    APPROVING_DEPARTMENT = "approving_department"
    WINDOW_CLERK = "window_clerk"
    CERTIFICATE_CENTRE = "certificate_centre"
    POSTAL_STAFF = "postal_staff"
    POSTAL_SUPERVISOR = "postal_supervisor"
    COURIER = "courier"
    APPLICANT = "applicant"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


ROLE_LABELS = {
    Role.OWNER: N_("Project owner"),
    Role.AGENCY: N_("Agency"),
    Role.PRACTITIONER: N_("Practitioner"),
    Role.OPERATOR: N_("Operator"),
    Role.REGULATOR: N_("Regulator"),
    Role.APPROVING_DEPARTMENT: N_("Approving department"),
    Role.WINDOW_CLERK: N_("Window clerk"),
    Role.CERTIFICATE_CENTRE: N_("Certificate centre"),
    Role.POSTAL_STAFF: N_("Postal staff"),
    Role.POSTAL_SUPERVISOR: N_("Postal supervisor"),
    Role.COURIER: N_("Delivering courier"),
    Role.APPLICANT: N_("Applicant"),
    Role.AUDITOR: N_("Auditor"),
    Role.ADMINISTRATOR: N_("Administrator"),
}


@dataclass(frozen=True)
class Actor:
    """One person (or the system) acting for at most one organisation.

    `permissions` are the values that the roles grant, collected from the domains' GRANTS when the actor is loaded.
    """

    user_id: UUID | None
    organisation_id: UUID | None
    roles: frozenset[Role]
    name: str
    permissions: frozenset[str] = field(default=frozenset())
    is_system: bool = False

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def audience(self) -> frozenset[str]:
        """Return the keys under which timeline entries may be shown to this actor."""
        keys = {"public"} | {f"role:{role}" for role in self.roles}
        if self.user_id:
            keys.add(f"user:{self.user_id}")
        if self.organisation_id:
            keys.add(f"org:{self.organisation_id}")
        return frozenset(keys)


ANONYMOUS = Actor(None, None, frozenset(), "")
SYSTEM = Actor(None, None, frozenset(), N_("system"), is_system=True)
