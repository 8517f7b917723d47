"""Originals that a courier collects from the applicant for a case (双向寄递)."""

from uuid import UUID

import delivery.services as delivery
from app.kernel.access import Actor
from app.kernel.db import lock, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound
from app.kernel.words import N_
from approvals.models import Case
from approvals.policy import case_parts
from approvals.services.commands import OrderCollection
from approvals.states import DECIDED, WITHOUT_RESULT, Part
from delivery.services import CollectPapers
from delivery.services import Receiver as Sender


@use_case
def order_collection(actor: Actor, case_id: UUID, command: OrderCollection) -> UUID:
    """Have originals collected while the case is open. Raises NotFound, NotAllowed, Conflict, Refused (as delivery does)."""
    case = lock(Case, case_id)
    held = case_parts(actor, case)
    if not held:
        raise NotFound
    if Part.APPLICANT not in held:
        raise NotAllowed
    if case.state in (*DECIDED, *WITHOUT_RESULT):
        raise Conflict("case-over", N_("The case is decided: originals are not needed any more."))
    sender = command.sender
    return delivery.collect_papers(
        actor,
        CollectPapers(
            thread_id=case.thread_id, subject=case.subject, hall_organisation_id=case.hall_organisation_id,
            applicant_user_id=case.applicant_user_id, papers=command.papers, day=command.day, window=command.window,
            sender=Sender(sender.name, sender.mobile, sender.prov, sender.city, sender.county, sender.address),
        ),
    )  # fmt: skip
