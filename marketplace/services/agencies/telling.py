"""Who is told what about an agency."""

from typing import Any

from app.identity.notices import notify
from app.kernel.access import Role
from marketplace.models.agencies import Agency


def tell_agency(agency: Agency, subject: str, text: str, *, kind: str = "marketplace.admission", **params: Any) -> None:
    """Tell the agency's people; `text` may use %(agency)s and `params`."""
    notify(
        to_organisation=agency.organisation_id,
        kind=kind,
        subject=subject,
        text=text,
        params={"agency": agency.name, **params},
        link="/agency",
        thread_id=agency.thread_id,
    )


def tell_operators(agency: Agency, subject: str, text: str, *, link: str = "", **params: Any) -> None:
    """Tell the operator's desk."""
    notify(
        to_role=Role.OPERATOR,
        kind="marketplace.admission",
        subject=subject,
        text=text,
        params={"agency": agency.name, **params},
        link=link or f"/admission/{agency.id}",
        thread_id=agency.thread_id,
    )
