"""Reads of results: every participant's place and reason, the digests, the replays; and what an owner has to compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.agencies import Agency
from marketplace.models.procurements import Draw, Procurement, Registration
from marketplace.models.selection import Comparison, DirectRequest, ReplayCheck, SelectionResult
from marketplace.policy import Permission, procurement_parts, sees_procurement
from marketplace.queries.quotes import opened_quotes
from marketplace.rules.selection.bid_low import effective_quote
from marketplace.rules.selection.methods import needs_plan
from marketplace.rules.selection.outcome import Reason
from marketplace.rules.selection.terms import Criterion, MethodTerms
from marketplace.states.parts import Part
from marketplace.states.procurement import ProcurementState
from marketplace.states.registration import WAITING, RegistrationState


@dataclass(frozen=True)
class ScoreView:
    """One criterion of the published comparison sheet."""

    name: str
    points: int
    reason: str


@dataclass(frozen=True)
class PlacingView:
    """One participant of a result: its published place and reason, and its state now."""

    registration_id: UUID
    name: str
    uscc: str
    place: int | None
    price_fen: int | None
    reason: Reason
    state: str
    is_mine: bool
    scores: tuple[ScoreView, ...]


@dataclass(frozen=True)
class ReplayView:
    """One replay of a result."""

    checked_at: datetime
    checked_by: str
    is_same: bool


@dataclass(frozen=True)
class ResultView:
    """One stored result as everybody sees it."""

    id: UUID
    procurement_id: UUID
    procurement_number: str
    title: str
    version: int
    number: int
    method: str
    rule_book_version: int
    failure: str | None
    facts: Mapping[str, Any]
    placings: tuple[PlacingView, ...]
    inputs: Mapping[str, Any]
    outcome: Mapping[str, Any]
    inputs_sha256: str
    outcome_sha256: str
    decided_at: datetime
    decided_by: str
    draw_id: UUID | None
    draw_code: str
    replays: tuple[ReplayView, ...]
    may_replay: bool

    @property
    def last_replay(self) -> ReplayView | None:
        """The newest replay."""
        return self.replays[0] if self.replays else None


def result_view(actor: Actor, procurement_id: UUID) -> ResultView:
    """The latest result of a procurement; NotFound before there is one. Six statements, whatever the number of participants."""
    p = db.session.get(Procurement, procurement_id, populate_existing=True)
    if p is None or not sees_procurement(actor, p):
        raise NotFound
    row = db.session.scalar(
        select(SelectionResult)
        .where(SelectionResult.procurement_id == p.id)
        .order_by(SelectionResult.number.desc())
        .limit(1)
    )
    if row is None:
        raise NotFound
    checks = db.session.scalars(
        select(ReplayCheck)
        .where(ReplayCheck.result_id == row.id)
        .order_by(ReplayCheck.checked_at.desc(), ReplayCheck.id.desc())
        .limit(10)
    ).all()
    comparison = db.session.scalar(select(Comparison).where(Comparison.procurement_id == p.id))
    draw_code = db.session.scalar(select(Draw.code).where(Draw.id == row.draw_id)) if row.draw_id else None
    return ResultView(
        id=row.id,
        procurement_id=p.id,
        procurement_number=p.number,
        title=p.title,
        version=p.version,
        number=row.number,
        method=row.method,
        rule_book_version=row.rule_book_version,
        failure=row.outcome["failure"],
        facts=row.outcome["facts"],
        placings=_placings(actor, p, row),
        inputs=row.inputs,
        outcome=row.outcome,
        inputs_sha256=row.inputs_sha256,
        outcome_sha256=row.outcome_sha256,
        decided_at=row.decided_at,
        decided_by=comparison.decided_by_name if comparison and comparison.decided_by else "",
        draw_id=row.draw_id,
        draw_code=draw_code or "",
        replays=tuple(ReplayView(c.checked_at, c.checked_by_name, c.is_same) for c in checks),
        may_replay=actor.may(Permission.PROCUREMENT_SUPERVISE),
    )


def has_result(procurement_id: UUID) -> bool:
    """Whether a result was stored for a procurement."""
    return (
        db.session.scalar(select(SelectionResult.id).where(SelectionResult.procurement_id == procurement_id).limit(1))
        is not None
    )


def _placings(actor: Actor, p: Procurement, row: SelectionResult) -> tuple[PlacingView, ...]:
    registrations = {
        str(r.id): r for r in db.session.scalars(select(Registration).where(Registration.procurement_id == p.id))
    }
    judged = [c for c in MethodTerms.from_json(row.inputs["terms"]).criteria if not c.is_price]
    scores = {entrant["registration_id"]: entrant["scores"] for entrant in row.inputs["entrants"]}
    return tuple(
        PlacingView(
            registration_id=UUID(placing["registration_id"]),
            name=registrations[placing["registration_id"]].name,
            uscc=placing["uscc"],
            place=placing["place"],
            price_fen=placing["price_fen"],
            reason=Reason(placing["reason"]["code"], placing["reason"]["facts"]),
            state=registrations[placing["registration_id"]].state,
            is_mine=registrations[placing["registration_id"]].organisation_id == actor.organisation_id,
            scores=tuple(
                ScoreView(criterion.name, score["points"], score["reason"])
                for criterion, score in zip(judged, scores.get(placing["registration_id"], ()), strict=False)
            ),
        )
        for placing in row.outcome["placings"]
    )


@dataclass(frozen=True)
class CandidateView:
    """One agency that the owner compares."""

    registration_id: UUID
    name: str
    uscc: str
    price_fen: int | None
    points: int | None
    plan_file_id: UUID | None


@dataclass(frozen=True)
class ComparisonView:
    """What the owner has to compare, and until when."""

    procurement_id: UUID
    procurement_number: str
    title: str
    version: int
    state: str
    is_choice: bool
    compare_by: datetime | None
    criteria: tuple[Criterion, ...]
    candidates: tuple[CandidateView, ...]

    @property
    def judged(self) -> tuple[Criterion, ...]:
        """The criteria that the owner scores by hand."""
        return tuple(criterion for criterion in self.criteria if not criterion.is_price)


def comparison_view(actor: Actor, procurement_id: UUID) -> ComparisonView:
    """The owner's comparison while it is asked for; NotFound for everybody else and at any other time."""
    p = db.session.get(Procurement, procurement_id, populate_existing=True)
    if p is None or Part.OWNER not in procurement_parts(actor, p) or p.state != ProcurementState.COMPARING:
        raise NotFound
    quotes = opened_quotes(p.id)
    plans: dict[UUID, UUID | None] = {}
    prices: dict[UUID, int] = {}
    for registration_id in {quote.registration_id for quote in quotes}:
        counting = effective_quote(quote for quote in quotes if quote.registration_id == registration_id)
        if counting is not None and counting.is_valid:
            prices[registration_id], plans[registration_id] = counting.price_fen, counting.plan_file_id
    by_plan = needs_plan(p.method)
    listed = [row for row in _waiting(p.id) if row.id in prices] if by_plan else _small_list(p.id)
    return ComparisonView(
        procurement_id=p.id,
        procurement_number=p.number,
        title=p.title,
        version=p.version,
        state=p.state,
        is_choice=not by_plan,
        compare_by=p.compare_by,
        criteria=MethodTerms.from_json(p.method_terms).criteria,
        candidates=tuple(
            CandidateView(row.id, row.name, row.uscc, prices.get(row.id), row.credit_points, plans.get(row.id))
            for row in listed
        ),
    )


def _waiting(procurement_id: UUID) -> Sequence[Registration]:
    return db.session.scalars(
        select(Registration)
        .where(Registration.procurement_id == procurement_id, Registration.state.in_(WAITING))
        .order_by(Registration.uscc)
    ).all()


def _small_list(procurement_id: UUID) -> Sequence[Registration]:
    return [row for row in _waiting(procurement_id) if row.state == RegistrationState.SHORTLISTED]


def plan_of(actor: Actor, procurement_id: UUID, registration_id: UUID) -> UUID:
    """The file of a plan after the opening, for the owner and those who watch; NotFound for anybody else."""
    p = db.session.get(Procurement, procurement_id)
    if p is None or not (Part.OWNER in procurement_parts(actor, p) or actor.may(Permission.PROCUREMENT_SUPERVISE)):
        raise NotFound
    for quote in reversed(opened_quotes(p.id)):
        if quote.registration_id == registration_id and quote.plan_file_id is not None:
            return quote.plan_file_id
    raise NotFound


@dataclass(frozen=True)
class DirectRequestView:
    """The newest request for a direct selection of a procurement."""

    agency_name: str
    agency_uscc: str
    ground: str
    reason: str
    requested_by: str
    requested_at: datetime
    has_document: bool
    decision: str | None
    decision_reason: str | None


def direct_request_view(actor: Actor, procurement_id: UUID) -> DirectRequestView | None:
    """The newest request, for the owner and those who run and watch the supermarket; None for others and without one."""
    p = db.session.get(Procurement, procurement_id)
    if p is None or not (Part.OWNER in procurement_parts(actor, p) or actor.may(Permission.PROCUREMENT_SUPERVISE)):
        return None
    found = db.session.execute(
        select(DirectRequest, Agency.name, Agency.uscc)
        .join(Agency, Agency.id == DirectRequest.agency_id)
        .where(DirectRequest.procurement_id == p.id)
        .order_by(DirectRequest.requested_at.desc(), DirectRequest.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    request, name, uscc = found
    return DirectRequestView(
        agency_name=name,
        agency_uscc=uscc,
        ground=request.ground,
        reason=request.reason,
        requested_by=request.requested_by_name,
        requested_at=request.requested_at,
        has_document=request.document_file_id is not None,
        decision=request.decision,
        decision_reason=request.decision_reason,
    )


def decision_record(actor: Actor, procurement_id: UUID) -> UUID:
    """The uploaded record of the collective decision; NotFound for those who may not see the request."""
    p = db.session.get(Procurement, procurement_id)
    if p is None or not (Part.OWNER in procurement_parts(actor, p) or actor.may(Permission.PROCUREMENT_SUPERVISE)):
        raise NotFound
    file_id = db.session.scalar(
        select(DirectRequest.document_file_id)
        .where(DirectRequest.procurement_id == p.id, DirectRequest.document_file_id.is_not(None))
        .order_by(DirectRequest.requested_at.desc())
        .limit(1)
    )
    if file_id is None:
        raise NotFound
    return file_id
