"""Who may do what in approvals: permissions, the roles that hold them, and the part an actor plays towards a case."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.kernel.access import Actor, Role
from approvals.models import Case
from approvals.states import Part


class Permission(StrEnum):
    """What a role may open or start at all; the object's own parts are asked in addition."""

    CASE_APPLY = "approvals:case:apply"
    CASE_DECIDE = "approvals:case:decide"
    CASE_INTAKE = "approvals:case:intake"
    CASE_SUPERVISE = "approvals:case:supervise"
    CERTIFICATE_MAKE = "approvals:certificate:make"


_P = Permission

GRANTS: Final[Mapping[Role, frozenset[str]]] = {
    Role.APPLICANT: frozenset({_P.CASE_APPLY}),
    Role.OWNER: frozenset({_P.CASE_APPLY}),
    Role.WINDOW_CLERK: frozenset({_P.CASE_INTAKE}),
    Role.APPROVING_DEPARTMENT: frozenset({_P.CASE_DECIDE}),
    Role.CERTIFICATE_CENTRE: frozenset({_P.CERTIFICATE_MAKE}),
    Role.REGULATOR: frozenset({_P.CASE_SUPERVISE}),
    Role.AUDITOR: frozenset({_P.CASE_SUPERVISE}),
}


def case_parts(actor: Actor, case: Case) -> frozenset[Part]:
    """The parts of `actor` towards the case; none means that its existence is not told to this actor.

    Acceptance and decision are separated (受审分离): the hall's clerk receives, the item's department decides, and
    nobody plays both.
    """
    found = set()
    if actor.is_system:
        found.add(Part.SYSTEM)
    if is_applicant(actor, case):
        found.add(Part.APPLICANT)
    if actor.organisation_id == case.hall_organisation_id:
        if actor.has(Role.WINDOW_CLERK):
            found.add(Part.WINDOW)
        if actor.has(Role.CERTIFICATE_CENTRE):
            found.add(Part.CERTIFICATE_CENTRE)
    if actor.organisation_id == case.department_organisation_id and actor.has(Role.APPROVING_DEPARTMENT):
        found.add(Part.DEPARTMENT)
    if actor.has(Role.REGULATOR, Role.AUDITOR):
        found.add(Part.WATCHER)
    return frozenset(found)


def is_applicant(actor: Actor, case: Case) -> bool:
    """The person who applied, or whoever acts for the organisation that did."""
    if case.applicant_organisation_id is None:
        return actor.user_id is not None and actor.user_id == case.applicant_user_id
    return actor.organisation_id == case.applicant_organisation_id and actor.has(Role.OWNER, Role.APPLICANT)
