"""What binds an agency to the supermarket: nobody leaves while an engagement, a dispute or a payment is open."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.kernel.db import db
from app.kernel.words import N_
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement, Registration
from marketplace.rules.challenges import ChallengeKind
from marketplace.states.challenge import CHALLENGE, ChallengeState
from marketplace.states.contract import CONTRACT
from marketplace.states.registration import RegistrationState
from payments.queries import unfinished_bills

ENGAGEMENT: Final = N_("Engagement")
AWARD: Final = N_("Selection that still runs")
PAYMENT: Final = N_("Payment")
DISPUTE: Final = N_("Complaint")

_BINDING: Final = (
    RegistrationState.QUALIFIED,
    RegistrationState.RESERVE,
    RegistrationState.WON,
    RegistrationState.CONFIRMED,
)


@dataclass(frozen=True, slots=True)
class Obligation:
    """One open matter: its kind (a message id), number, title, state and the page where it is finished."""

    kind: str
    number: str
    title: str
    state: str
    href: str


def obligations_of(organisation_id: UUID) -> tuple[Obligation, ...]:
    """Everything open, engagements first. Four statements."""
    return (
        *_engagements(organisation_id),
        *_awards(organisation_id),
        *_disputes(organisation_id),
        *_payments(organisation_id),
    )


def _engagements(organisation_id: UUID) -> list[Obligation]:
    over = [str(state) for state in CONTRACT.terminal]
    rows: Any = db.session.execute(
        select(Contract.id, Contract.number, Contract.title, Contract.state)
        .where(Contract.agency_organisation_id == organisation_id, Contract.state.not_in(over))
        .order_by(Contract.number)
    )
    return [Obligation(ENGAGEMENT, r.number, r.title, CONTRACT.labels[r.state], f"/contracts/{r.id}") for r in rows]


def _awards(organisation_id: UUID) -> list[Obligation]:
    """Places on frozen lists and awards without a contract; one that only registered may withdraw instead."""
    bound = select(Contract.id).where(Contract.procurement_id == Registration.procurement_id).exists()
    rows: Any = db.session.execute(
        select(Procurement.id, Procurement.number, Procurement.title, Registration.state)
        .join(Registration, Registration.procurement_id == Procurement.id)
        .where(Registration.organisation_id == organisation_id, Registration.state.in_(_BINDING), ~bound)
        .order_by(Procurement.number)
    )
    return [Obligation(AWARD, r.number, r.title, r.state, f"/procurements/{r.id}") for r in rows]


def _disputes(organisation_id: UUID) -> list[Obligation]:
    """Accepted complaints against the agency that are not decided."""
    rows = db.session.scalars(
        select(Challenge)
        .where(
            Challenge.against_organisation_id == organisation_id,
            Challenge.kind == ChallengeKind.COMPLAINT,
            Challenge.state == ChallengeState.ACCEPTED,
        )
        .order_by(Challenge.number)
    )
    return [
        Obligation(DISPUTE, c.number, c.claim[:80], CHALLENGE.labels[ChallengeState.ACCEPTED], f"/challenges/{c.id}")
        for c in rows
    ]


def _payments(organisation_id: UUID) -> list[Obligation]:
    return [
        Obligation(PAYMENT, bill.number, bill.title, bill.state, f"/bills/{bill.id}")
        for bill in unfinished_bills(organisation_id)
    ]
