"""The approval items (审批事项) that departments decide."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.kernel import audit, clock
from app.kernel.access import Actor
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Refused
from app.kernel.words import N_
from approvals.models import ApprovalItem


@dataclass(frozen=True)
class RegisterItem:
    """An entry of a department's list of powers. Limits are working days."""

    code: str
    name: str
    name_en: str
    department_organisation_id: UUID
    legal_basis: str
    statutory_limit_wd: int
    promised_limit_wd: int
    certificate_title: str
    materials: str = ""


@use_case
def register_item(actor: Actor, command: RegisterItem) -> UUID:
    """Add an approval item; the item of a known code is returned as it is.

    Raises Refused when the promise is longer than the law allows.
    """
    known = db.session.scalar(select(ApprovalItem.id).where(ApprovalItem.code == command.code))
    if known is not None:
        return known
    if not 0 < command.promised_limit_wd <= command.statutory_limit_wd:
        raise Refused(
            "promise-beyond-law",
            N_("The promised limit may not be longer than the statutory one."),
            field="promised_limit_wd",
        )
    item = ApprovalItem(id=new_id(), created_at=clock.now(), **vars(command))
    db.session.add(item)
    audit.append(
        action="approval-item.register",
        object_type="approval-item",
        object_id=item.id,
        actor=actor,
        body={"code": command.code, "name": command.name},
    )
    db.session.flush()
    return item.id
