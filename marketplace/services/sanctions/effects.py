"""What a sanction does to an agency's standing, by the use cases of agencies: restriction, suspension, blacklist, removal."""

from uuid import UUID

from sqlalchemy import select

from app.kernel.access import Actor
from app.kernel.commands import WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict
from app.kernel.words import N_
from marketplace.models.agencies import AgencyMeasure
from marketplace.models.credit import Sanction
from marketplace.rules.sanctions import Kind
from marketplace.services import agencies

_BEARS_ON_STANDING = frozenset({Kind.SUSPEND_SERVICE, Kind.SUSPEND, Kind.BLACKLIST, Kind.REMOVE})


def carry_out(actor: Actor, row: Sanction) -> None:
    """Let the standing follow the decision. Raises Conflict for an agency that is not in the directory."""
    if row.kind not in _BEARS_ON_STANDING:
        return
    if row.agency_id is None:
        raise Conflict("not-admitted", N_("Only an admitted agency can be restricted, suspended or blacklisted."))
    reason = row.decision or ""
    if row.kind == Kind.REMOVE:
        agencies.remove(actor, row.agency_id, WithReason(reason))
        return
    step = {
        Kind.SUSPEND_SERVICE: agencies.restrict,
        Kind.SUSPEND: agencies.suspend,
        Kind.BLACKLIST: agencies.blacklist,
    }[Kind(row.kind)]
    step(actor, row.agency_id, agencies.Measure(reason, row.ends_on, row.item_id, source=source_of(row.id)))


def undo(actor: Actor, row: Sanction, reason: str) -> None:
    """Lift what the sanction imposed, where it still lasts; a removed agency applies again by itself."""
    statement = select(AgencyMeasure.id).where(
        AgencyMeasure.source == source_of(row.id), AgencyMeasure.lifted_at.is_(None)
    )
    for measure_id in db.session.scalars(statement).all():
        agencies.lift(actor, measure_id, WithReason(reason))


def source_of(sanction_id: UUID) -> str:
    """What the measure of an agency names as its ground."""
    return f"sanction:{sanction_id}"
