"""Stored scores of each day, and what the records show of violations: work of the clock."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from app.kernel import clock, work_calendar
from app.kernel.db import db, use_case
from app.kernel.words import N_
from marketplace.models.agencies import Agency, Qualification
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.credit import CreditSnapshot
from marketplace.models.engagement import Milestone
from marketplace.models.procurements import Registration
from marketplace.queries.credit import parts_json, scores
from marketplace.queries.rulebooks import rule_book_in_force
from marketplace.rules.challenges import ComplaintType
from marketplace.rules.challenges import Side as ChallengeSide
from marketplace.rules.credit import FORMULA
from marketplace.rules.sanctions import Ground
from marketplace.services import search
from marketplace.services.sanctions import Finding, note_finding
from marketplace.states.agency import QualificationState
from marketplace.states.challenge import ChallengeState
from marketplace.states.contract import ContractState
from marketplace.states.registration import RegistrationState

BATCH: Final = 200
_IN_SERVICE: Final = (ContractState.RUNNING, ContractState.PAUSE_ASKED, ContractState.PAUSED, ContractState.DELIVERED)
_YEAR: Final = timedelta(days=365)


def take_snapshots() -> int:
    """Store today's score of every admitted agency that has none yet; some hundred in one transaction."""
    today = clock.today()
    taken = select(CreditSnapshot.agency_id).where(CreditSnapshot.day == today)
    missing = db.session.scalars(
        select(Agency.id).where(Agency.admitted_at.is_not(None), Agency.id.not_in(taken)).order_by(Agency.id)
    ).all()
    return sum(_store(missing[start : start + BATCH]) for start in range(0, len(missing), BATCH))


@use_case
def _store(agency_ids: Sequence[UUID]) -> int:
    today, book = clock.today(), rule_book_in_force()
    before = dict(
        db.session.execute(
            select(CreditSnapshot.agency_id, CreditSnapshot.grade).where(
                CreditSnapshot.agency_id.in_(agency_ids), CreditSnapshot.day == today - timedelta(days=1)
            )
        ).all()
    )
    for agency_id, score in scores(agency_ids, today, book).items():
        if before.get(agency_id) != score.grade:
            search.mark_agency(agency_id)  # its place in the results follows
        db.session.add(
            CreditSnapshot(
                agency_id=agency_id,
                day=today,
                formula=FORMULA,
                rule_book_version=book.version,
                hundredths=score.hundredths,
                grade=score.grade,
                parts=parts_json(score),
                taken_at=clock.now(),
            )
        )
    return len(agency_ids)


def find_violations() -> int:
    """Note what the records of the last year show, once each, for a person to look at. Returns how many are new."""
    found = (*_give_ups(), *_late_deliveries(), *_late_payments(), *_expired_certificates(), *_poor_quality())
    return sum(note_finding(finding) for finding in found)


def _give_ups() -> Iterator[Finding]:
    """Agencies that gave up or let lapse as many awards in a year as the rule book allows, once for every such number."""
    limit = rule_book_in_force().giveup_year_limit
    gave_up = (RegistrationState.GAVE_UP, RegistrationState.LAPSED)
    rows = db.session.execute(
        select(Registration.organisation_id, func.count().label("times"))
        .where(Registration.state.in_(gave_up), Registration.decided_at > clock.now() - _YEAR)
        .group_by(Registration.organisation_id)
        .having(func.count() >= limit)
    ).all()
    for row in rows:
        year = clock.today().year
        yield Finding(
            row.organisation_id,
            Ground.GAVE_UP,
            N_("%(times)s awards were given up or lapsed within a year; the limit is %(limit)s."),
            {"times": row.times, "limit": limit},
            _registrations(row.organisation_id),
            f"gave_up:{row.organisation_id}:{year}:{row.times // limit}",
        )


def _registrations(organisation_id: UUID) -> list[tuple[str, str]]:
    gave_up = (RegistrationState.GAVE_UP, RegistrationState.LAPSED)
    rows = db.session.scalars(
        select(Registration.procurement_id)
        .where(
            Registration.organisation_id == organisation_id,
            Registration.state.in_(gave_up),
            Registration.decided_at > clock.now() - _YEAR,
        )
        .order_by(Registration.decided_at.desc())
        .limit(20)
    )
    return [(N_("Award given up"), f"/procurements/{procurement_id}") for procurement_id in rows]


def _late_deliveries() -> Iterator[Finding]:
    """Services more working days late than the rule book allows: delivered so, or still running."""
    book, calendar, today = rule_book_in_force(), work_calendar.current(), clock.today()
    rows = db.session.execute(
        select(
            Contract.id, Contract.number, Contract.agency_organisation_id, Contract.deadline_on, Contract.delivered_on
        )
        .where(Contract.overdue_since.is_not(None) | (Contract.delivered_on > Contract.deadline_on))
        .where(Contract.deadline_on > today - _YEAR)
        .where(func.coalesce(Contract.delivered_on, today) > Contract.deadline_on)
    ).all()
    for row in rows:
        late = calendar.count_working_days(row.deadline_on, row.delivered_on or today)
        if late > book.late_general_violation_wd:
            yield Finding(
                row.agency_organisation_id,
                Ground.LATE_DELIVERY,
                N_("Contract %(number)s was more than %(limit)s working days late."),
                {"number": row.number, "limit": book.late_general_violation_wd},
                [(N_("Contract"), f"/contracts/{row.id}")],
                f"late:{row.id}",
            )


def _expired_certificates() -> Iterator[Finding]:
    """Agencies in service whose certificate ran out in the last year, without a valid one of its kind since."""
    renewed = aliased(Qualification)
    in_service = exists().where(
        Contract.agency_organisation_id == Qualification.organisation_id, Contract.state.in_(_IN_SERVICE)
    )
    rows = db.session.execute(
        select(Qualification.id, Qualification.number, Qualification.organisation_id, Agency.id.label("agency_id"))
        .join(Agency, Agency.id == Qualification.agency_id)
        .where(
            Qualification.state == QualificationState.EXPIRED,
            Qualification.expires_at > clock.now() - _YEAR,
            in_service,
            ~exists().where(
                renewed.agency_id == Qualification.agency_id,
                renewed.kind == Qualification.kind,
                renewed.state == QualificationState.VALID,
            ),
        )
    ).all()
    for row in rows:
        yield Finding(
            row.organisation_id,
            Ground.EXPIRED_CERTIFICATE,
            N_("Certificate %(number)s has expired while a contract is in service."),
            {"number": row.number},
            [(N_("Agency"), f"/agencies/{row.agency_id}")],
            f"expired:{row.id}",
        )


def _poor_quality() -> Iterator[Finding]:
    """Agencies against whom as many complaints about quality were upheld in a year as the rule book allows."""
    limit = rule_book_in_force().credit_quality_complaints
    rows = db.session.execute(
        select(Challenge.against_organisation_id, Challenge.id)
        .where(
            Challenge.complaint_type == ComplaintType.POOR_QUALITY.value,
            Challenge.state == ChallengeState.UPHELD.value,
            Challenge.against == ChallengeSide.AGENCY.value,
            Challenge.decided_at > clock.now() - _YEAR,
        )
        .order_by(Challenge.decided_at)
    )
    upheld: dict[UUID, list[UUID]] = {}
    for organisation_id, challenge_id in rows:
        if organisation_id is not None:
            upheld.setdefault(organisation_id, []).append(challenge_id)
    for organisation_id, found in upheld.items():
        if len(found) >= limit:
            yield Finding(
                organisation_id,
                Ground.QUALITY,
                N_("%(times)s complaints about quality were upheld within a year; the limit is %(limit)s."),
                {"times": len(found), "limit": limit},
                [(N_("Complaint"), f"/challenges/{challenge_id}") for challenge_id in found],
                f"quality:{organisation_id}:{found[limit - 1]}",
            )


def _late_payments() -> Iterator[Finding]:
    """Owners whose accepted service is unpaid after the longest time the rule book gives."""
    book, now = rule_book_in_force(), clock.now()
    before = now - timedelta(days=book.pay_government_days_max)
    rows = db.session.execute(
        select(Contract.id, Contract.number, Contract.owner_organisation_id).where(
            exists().where(
                Milestone.contract_id == Contract.id,
                Milestone.accepted_at < before,
                Milestone.accepted_at > before - _YEAR,
                Milestone.funded_at.is_(None),
            )
        )
    ).all()
    for row in rows:
        yield Finding(
            row.owner_organisation_id,
            Ground.LATE_PAYMENT,
            N_("The fee of contract %(number)s is unpaid %(days)s days after acceptance."),
            {"number": row.number, "days": book.pay_government_days_max},
            [(N_("Contract"), f"/contracts/{row.id}")],
            f"unpaid:{row.id}",
        )
