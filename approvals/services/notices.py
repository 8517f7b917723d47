"""Who is told what about a case. Subjects are message ids with %(number)s."""

from uuid import UUID

from app.identity.notices import notify
from app.kernel.words import N_
from approvals.models import Case


def tell_applicant(case: Case, kind: str, subject: str) -> None:
    """Notify who applied; `subject` is a message id with %(number)s."""
    organisation = case.applicant_organisation_id
    _tell(case, kind, subject, user=None if organisation else case.applicant_user_id, organisation=organisation)


def tell_window(case: Case, subject: str) -> None:
    """Notify the hall that received the case."""
    _tell(case, "case.window", subject, organisation=case.hall_organisation_id)


def tell_department(case: Case, subject: str) -> None:
    """Notify the department that decides the case."""
    _tell(case, "case.department", subject, organisation=case.department_organisation_id)


def _tell(case: Case, kind: str, subject: str, *, user: UUID | None = None, organisation: UUID | None = None) -> None:
    notify(
        to_user=user,
        to_organisation=organisation,
        kind=kind,
        subject=subject,
        text=N_("%(project)s (%(number)s). Open the case to see what is to be done and until when."),
        link=f"/cases/{case.id}",
        thread_id=case.thread_id,
        params={"number": case.number, "project": case.project_name},
    )
