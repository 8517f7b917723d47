"""The state of an admitted agency follows from facts.

Every cause (a measure, a wish to leave, a change being checked, an offer without its certificate) is written down as a fact;
`follow` then moves the agency to the state that all facts together ask for. So the end of one cause shows the next one.
"""

from uuid import UUID

from sqlalchemy import func, select

from app.kernel.access import SYSTEM, Actor
from app.kernel.db import db, lock, use_case
from app.kernel.transitions import move
from app.kernel.words import N_
from marketplace.events import AgencyStandingChanged
from marketplace.models.agencies import Agency, AgencyChange, AgencyMeasure
from marketplace.policy import agency_parts
from marketplace.queries.holdings import unmet_offers
from marketplace.rules.standing import Facts, MeasureKind, next_action
from marketplace.states.agency import ADMITTED, AGENCY, ChangeState
from marketplace.states.parts import Part


@use_case
def follow_agency(agency_id: UUID) -> None:
    """Bring the standing in line with certificates, offers and measures. Bears a repeat."""
    agency = lock(Agency, agency_id)
    if agency.state in ADMITTED:
        follow(agency, SYSTEM, N_("A certificate that an offered service asks for is not valid."))


def follow(agency: Agency, actor: Actor, reason: str) -> bool:
    """Move a locked, admitted agency to the state that its facts ask for. Returns whether it moved."""
    facts = facts_of(agency)
    moved = False
    while action := next_action(agency.state, facts):
        edge = AGENCY.edge(action, agency.state)
        assert edge is not None, f"no edge {action} from {agency.state}"
        move(
            agency,
            AGENCY,
            action,
            actor,
            {*agency_parts(actor, agency), Part.SYSTEM},
            reason=reason,
            event=AgencyStandingChanged(agency.id, str(edge.target)) if edge.event else None,
            public=edge.event is not None,
        )
        moved = True
    return moved


def facts_of(agency: Agency) -> Facts:
    """What bears on the standing of an agency now. Four statements."""
    db.session.flush()
    kinds = {measure.kind for measure in open_measures(agency.id)}
    changes = db.session.scalar(
        select(func.count())
        .select_from(AgencyChange)
        .where(AgencyChange.agency_id == agency.id, AgencyChange.state == ChangeState.PENDING)
    )
    return Facts(
        is_blacklisted=MeasureKind.BLACKLIST in kinds,
        is_suspended=MeasureKind.SUSPEND in kinds,
        is_leaving=agency.exit_asked_at is not None,
        has_change_pending=bool(changes),
        is_limited=MeasureKind.RESTRICT in kinds or bool(unmet_offers(agency.id)),
    )


def open_measures(agency_id: UUID) -> list[AgencyMeasure]:
    """The measures in force against an agency."""
    return list(
        db.session.scalars(
            select(AgencyMeasure)
            .where(
                AgencyMeasure.agency_id == agency_id,
                AgencyMeasure.lifted_at.is_(None),
                AgencyMeasure.kind != MeasureKind.REMOVE,
            )
            .order_by(AgencyMeasure.decided_at)
        )
    )
