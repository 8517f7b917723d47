"""Standing still while a challenge is answered, and running on afterwards with exactly the rest that was left."""

from datetime import datetime

from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.challenges import Challenge
from marketplace.models.procurements import Procurement
from marketplace.queries.challenges import holding_admission, holding_procurement
from marketplace.rules.challenges import rest_after
from marketplace.services import agencies
from marketplace.services.procurements import pause, resume
from marketplace.states.agency import AgencyState
from marketplace.states.parts import Part
from marketplace.states.procurement import PROCUREMENT, RESUME_ACTIONS, ProcurementState

_SYSTEM = (Part.SYSTEM,)


def freeze_procurement(challenge: Challenge, procurement: Procurement) -> None:
    """Let the procurement stand still until this challenge is answered.

    One that the operator paused for a reason of its own stays the operator's to resume.
    """
    if PROCUREMENT.edge("pause", procurement.state):
        challenge.frozen_since = clock.now()
        pause(procurement, SYSTEM, _SYSTEM, N_("A challenge is being answered."), {"challenge": challenge.number})
    elif procurement.state == ProcurementState.PAUSED and holding_procurement(procurement.id):
        challenge.frozen_since = clock.now()


def freeze_admission(challenge: Challenge, agency: Agency, actor: Actor) -> None:
    """Let the admission wait until this objection is answered."""
    agencies.note_objection(actor, agency.id, challenge.subject)
    challenge.frozen_since = clock.now()


def let_go(challenge: Challenge, procurement: Procurement | None, agency: Agency | None) -> None:
    """End the hold of a challenge; when it was the last one, the period runs on where it stopped."""
    if challenge.frozen_since is None or challenge.released_at is not None:
        return
    challenge.released_at = clock.now()
    db.session.flush()
    detail = {"challenge": challenge.number}
    if procurement is not None and procurement.state == ProcurementState.PAUSED:
        if not holding_procurement(procurement.id):
            resume(
                procurement, SYSTEM, _SYSTEM, N_("The challenges are answered; the rest of the period runs on."), detail
            )
    elif agency is not None and agency.state == AgencyState.PUBLICITY:
        if not holding_admission(agency.id):
            _run_on(agency, challenge)
        agencies.overrule_objection(
            SYSTEM, agency.id, N_("The objections are answered; the rest of the publicity runs on")
        )


def _run_on(agency: Agency, last: Challenge) -> None:
    """Move the end of the publicity by the time that it stood still: since the first of the objections that overlapped."""
    assert agency.publicity_ends_at is not None
    agency.publicity_ends_at = rest_after(agency.publicity_ends_at, _stood_still_since(agency, last), clock.now())
    db.session.flush()


def _stood_still_since(agency: Agency, last: Challenge) -> datetime:
    """The beginning of the chain of overlapping objections that ends now."""
    rows = db.session.scalars(
        select(Challenge)
        .where(Challenge.agency_id == agency.id, Challenge.frozen_since.is_not(None))
        .order_by(Challenge.frozen_since.desc())
    ).all()
    assert last.frozen_since is not None
    since = last.frozen_since
    for row in rows:
        assert row.frozen_since is not None
        if row.released_at is not None and row.released_at >= since:
            since = min(since, row.frozen_since)
    return since


def stage_of(procurement: Procurement) -> str:
    """Where a procurement stands, or stood before its pause."""
    paused = procurement.state == ProcurementState.PAUSED
    return str(procurement.paused_from) if paused and procurement.paused_from in RESUME_ACTIONS else procurement.state
