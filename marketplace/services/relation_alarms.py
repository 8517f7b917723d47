"""Alarms about registrants of one notice that are related by their files: written once, told to the operator and the regulator."""

from uuid import UUID

from sqlalchemy import select

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.db import db, lock, use_case
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.notices import RelationAlarm
from marketplace.models.procurements import Procurement, Registration
from marketplace.queries.parties import parties_of
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.relations import related_pairs
from marketplace.services.procurements import facts_of, href
from marketplace.states.registration import ON_LIST, RegistrationState


@use_case
def alarm_related_registrants(procurement_id: UUID) -> int:
    """Compare everybody who registered; returns how many new alarms there are. A repeat finds none."""
    procurement = lock(Procurement, procurement_id)
    book = rule_book(procurement.rule_book_version)
    registrations = db.session.scalars(
        select(Registration).where(
            Registration.procurement_id == procurement_id,
            Registration.state.in_({*ON_LIST, RegistrationState.REGISTERED}),
        )
    ).all()
    agencies = db.session.scalars(select(Agency).where(Agency.id.in_([row.agency_id for row in registrations]))).all()
    by_agency = parties_of(agencies)
    parties = {str(row.id): by_agency[row.agency_id] for row in registrations}
    known = {
        (alarm.one_registration_id, alarm.other_registration_id, alarm.kind)
        for alarm in db.session.scalars(select(RelationAlarm).where(RelationAlarm.procurement_id == procurement_id))
    }
    new = 0
    for pair, found in related_pairs(parties, share_percent=book.avoidance_share_percent).items():
        one, other = sorted(UUID(key) for key in pair)
        for relation in {relation.kind: relation for relation in found}.values():
            if (one, other, relation.kind) in known:
                continue
            db.session.add(
                RelationAlarm(
                    procurement_id=procurement_id,
                    one_registration_id=one,
                    other_registration_id=other,
                    kind=relation.kind,
                    detail=relation.detail[:300],
                    excludes=False,
                    found_at=clock.now(),
                )
            )
            new += 1
    if new:
        _tell(procurement, new)
    return new


def _tell(procurement: Procurement, alarms: int) -> None:
    for role in ("operator", "regulator"):
        notify(
            to_role=role,
            kind="procurement.relation",
            subject=N_("Related registrants: %(title)s"),
            text=N_(
                "%(alarms)s relations among the registrants of %(number)s were found in their files. Look at them."
            ),
            link=href(procurement.id),
            thread_id=procurement.thread_id,
            params={**facts_of(procurement), "alarms": alarms},
        )
