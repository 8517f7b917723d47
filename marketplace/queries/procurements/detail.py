"""One procurement as an actor may see it: content, standing, and what concerns the actor itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from app.identity.queries import organisation_name
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.contracts import Contract
from marketplace.models.procurements import (
    AvoidedAgency,
    Draw,
    DrawOutcome,
    Procurement,
    ProcurementNotice,
    Registration,
)
from marketplace.policy import procurement_parts, sees_procurement
from marketplace.queries.candidates import agency_of, applicants, demand_of, item_of, offering_applicants
from marketplace.queries.challenges import holding_procurement
from marketplace.queries.procurements.registrations import RegistrationView, view_of
from marketplace.queries.procurements.turns import due_at, turn_name, working_days_left
from marketplace.queries.rulebooks import rule_book, rule_book_in_force
from marketplace.queries.selection import has_result
from marketplace.rules.challenges import HandledBy
from marketplace.rules.eligibility import Demand, Verdict, judge
from marketplace.rules.selection.gates import minimum_pool
from marketplace.states.parts import Part
from marketplace.states.procurement import TURNS, ProcurementState, Turn
from marketplace.states.registration import RegistrationState

_P = ProcurementState


@dataclass(frozen=True)
class DrawSummary:
    """The draw of a procurement as its page shows it."""

    id: UUID
    code: str
    sha256: str
    entries: int
    frozen_at: datetime
    beacon_due_at: datetime
    is_demonstration: bool
    is_ranked: bool


@dataclass(frozen=True)
class ProcurementView:
    """One procurement as an actor may see it: content, standing, and what concerns the actor itself."""

    id: UUID
    thread_id: UUID
    number: str
    version: int
    state: str
    title: str
    owner_organisation_id: UUID
    owner_name: str
    item_version_id: UUID
    item_id: UUID
    item_code: str
    item_name: str
    item_name_en: str
    item_version: int
    category: str
    approval_served: str
    deliverable: str
    project_name: str
    project_code: str | None
    region_code: str
    place: str
    scale: str
    content: str
    limit_wd: int
    fund_source: str
    budget_fen: int
    ceiling_fen: int | None
    price_fen: int
    amount_note: str
    qualification_rule: dict[str, Any]
    demanded_grade: str
    demanded_region: str
    avoided: tuple[tuple[str, str, str], ...]
    method: str
    method_terms: dict[str, Any]
    award_fen: int | None
    seats: int
    has_witness: bool
    contact_name: str
    contact_phone: str
    complaint_phone: str
    case_subject: str | None
    round: int
    previous_id: UUID | None
    next_round_id: UUID | None
    published_at: datetime | None
    registration_ends_at: datetime | None
    questions_close_at: datetime | None
    publicity_ends_at: datetime | None
    awarded_at: datetime | None
    confirm_by: datetime | None
    failure_code: str | None
    paused_from: str | None
    paused_at: datetime | None
    selected_at: datetime | None
    closed_at: datetime | None
    is_extended: bool
    may_go_direct: bool
    has_result: bool
    quote_round: int
    quotes_open_at: datetime | None
    quotes_end_at: datetime | None
    is_public: bool
    notice_version: int | None
    notice_sha256: str | None
    announced_sources: tuple[str, ...]
    registrations: int
    minimum_pool: int
    winner_registration_id: UUID | None
    winner_name: str
    winner_uscc: str
    award_document_id: UUID | None
    contract_id: UUID | None
    succession_proposed_by: UUID | None
    draw: DrawSummary | None
    own_registration: RegistrationView | None
    own_verdict: Verdict | None
    parts: frozenset[Part]
    turn: Part | None
    turn_name: str | None
    is_my_turn: bool
    due_at: datetime | None
    days_left: int | None

    @property
    def stands_still_with(self) -> timedelta | None:
        """What is left of the period that a pause has stopped; None while nothing stands still."""
        column = {_P.PUBLISHED: self.registration_ends_at, _P.RESULT_PUBLICITY: self.publicity_ends_at}
        ends_at = column.get(ProcurementState(self.paused_from)) if self.paused_from else None
        if self.state != _P.PAUSED or ends_at is None or self.paused_at is None:
            return None
        return ends_at - self.paused_at

    @property
    def is_open(self) -> bool:
        """Whether registration is open at this moment of the server's clock."""
        ends_at = self.registration_ends_at
        return self.state == _P.PUBLISHED and ends_at is not None and clock.now() <= ends_at


@dataclass(frozen=True)
class Reach:
    """How many agencies a notice would reach today: those that offer the service, and those that meet every condition."""

    offering: int
    eligible: int
    minimum: int


def procurement_view(actor: Actor, procurement_id: UUID) -> ProcurementView:
    """One procurement; NotFound when the actor may not see it."""
    p = db.session.get(Procurement, procurement_id, populate_existing=True)
    if p is None or not sees_procurement(actor, p):
        raise NotFound
    item, code = db.session.execute(
        select(ItemVersion, ServiceItem.code)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .where(ItemVersion.id == p.item_version_id)
    ).one()
    held = procurement_parts(actor, p)
    turn = _turn(p)
    notice = _latest_notice(p.id)
    winner = db.session.get(Registration, p.winner_registration_id) if p.winner_registration_id else None
    own, verdict = _own(actor, p)
    owner_name = organisation_name(p.owner_organisation_id)
    deadline = turn.answer_by if isinstance(turn, _AnswerTurn) else due_at(p)
    return ProcurementView(
        **{name: getattr(p, name) for name in _SAME},
        owner_name=owner_name,
        item_id=item.item_id,
        item_code=code,
        item_name=item.name,
        item_name_en=item.name_en,
        item_version=item.version,
        category=item.category,
        approval_served=item.approval_served,
        deliverable=item.deliverable,
        avoided=_avoided(p.id),
        next_round_id=db.session.scalar(select(Procurement.id).where(Procurement.previous_id == p.id)),
        notice_version=notice.version if notice else None,
        notice_sha256=notice.sha256 if notice else None,
        announced_sources=tuple(notice.content["selection"]["sources"]) if notice else (),
        registrations=_registered(p.id),
        minimum_pool=minimum_pool(rule_book(p.rule_book_version), p.method, p.fund_source),
        winner_name=winner.name if winner else "",
        winner_uscc=winner.uscc if winner else "",
        contract_id=db.session.scalar(
            select(Contract.id).where(Contract.procurement_id == p.id).order_by(Contract.created_at.desc()).limit(1)
        ),
        may_go_direct=p.failures >= rule_book_in_force().direct_after_failures,
        has_result=has_result(p.id),
        draw=draw_summary(p.id),
        own_registration=own,
        own_verdict=verdict,
        parts=held,
        turn=turn.part if turn else None,
        turn_name=turn_name(turn.part if turn else None, owner_name, winner.name if winner else ""),
        is_my_turn=_is_mine(turn.part if turn else None, held, own, verdict),
        due_at=deadline,
        days_left=working_days_left(deadline),
    )


@dataclass(frozen=True)
class _AnswerTurn(Turn):
    """While challenges are answered it is the turn of whoever answers the first of them."""

    answer_by: datetime | None = None


def _turn(p: Procurement) -> Turn | None:
    waiting = holding_procurement(p.id) if p.state == _P.PAUSED else ()
    if not waiting:
        return TURNS.get(ProcurementState(p.state))
    part = {HandledBy.OWNER: Part.OWNER, HandledBy.REGULATOR: Part.REGULATOR}.get(HandledBy(waiting[0].handled_by))
    return _AnswerTurn(part or Part.OPERATOR, None, waiting[0].answer_by)


_SAME: Final = (
    *(
        "id",
        "thread_id",
        "number",
        "version",
        "state",
        "title",
        "owner_organisation_id",
        "item_version_id",
        "project_name",
    ),
    *(
        "project_code",
        "region_code",
        "place",
        "scale",
        "content",
        "limit_wd",
        "fund_source",
        "budget_fen",
        "ceiling_fen",
    ),
    *("price_fen", "amount_note", "qualification_rule", "demanded_grade", "demanded_region", "method", "seats"),
    *("method_terms", "award_fen", "quote_round", "quotes_open_at", "quotes_end_at"),
    *("has_witness", "contact_name", "contact_phone", "complaint_phone", "case_subject", "round", "previous_id"),
    *(
        "published_at",
        "registration_ends_at",
        "questions_close_at",
        "publicity_ends_at",
        "awarded_at",
        "confirm_by",
        "failure_code",
    ),
    *(
        "paused_from",
        "paused_at",
        "selected_at",
        "closed_at",
        "is_extended",
        "is_public",
        "winner_registration_id",
        "award_document_id",
        "succession_proposed_by",
    ),
)


def _is_mine(part: Part | None, held: frozenset[Part], own: RegistrationView | None, verdict: Verdict | None) -> bool:
    if part is Part.REGISTRANT:
        may = verdict is not None and verdict.is_eligible
        return may and (own is None or own.state == RegistrationState.WITHDRAWN)
    return part in held and part not in {Part.PUBLIC, Part.SYSTEM, None}


def _latest_notice(procurement_id: UUID, version: int | None = None) -> ProcurementNotice | None:
    wanted = [ProcurementNotice.procurement_id == procurement_id]
    if version is not None:
        wanted.append(ProcurementNotice.version == version)
    return db.session.scalar(
        select(ProcurementNotice).where(*wanted).order_by(ProcurementNotice.version.desc()).limit(1)
    )


def notice_text(actor: Actor, procurement_id: UUID, version: int | None = None) -> tuple[dict[str, Any], str]:
    """The frozen content of a published version (the latest) and its digest; NotFound when there is none."""
    p = db.session.get(Procurement, procurement_id)
    notice = _latest_notice(procurement_id, version)
    if p is None or notice is None or not sees_procurement(actor, p):
        raise NotFound
    return notice.content, notice.sha256


def _avoided(procurement_id: UUID) -> tuple[tuple[str, str, str], ...]:
    rows = db.session.scalars(
        select(AvoidedAgency).where(AvoidedAgency.procurement_id == procurement_id).order_by(AvoidedAgency.uscc)
    )
    return tuple((row.uscc, row.name, row.reason) for row in rows)


def _registered(procurement_id: UUID) -> int:
    statement = select(func.count()).select_from(Registration)
    return (
        db.session.scalar(
            statement.where(
                Registration.procurement_id == procurement_id, Registration.state != RegistrationState.WITHDRAWN
            )
        )
        or 0
    )


def draw_summary(procurement_id: UUID) -> DrawSummary | None:
    """The last frozen draw of a procurement."""
    found = db.session.execute(
        select(Draw, DrawOutcome.draw_id)
        .outerjoin(DrawOutcome, DrawOutcome.draw_id == Draw.id)
        .where(Draw.procurement_id == procurement_id)
        .order_by(Draw.frozen_at.desc(), Draw.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    d, outcome = found
    return DrawSummary(
        d.id, d.code, d.sha256, d.entries, d.frozen_at, d.beacon_due_at, d.is_demonstration, outcome is not None
    )


def _own(actor: Actor, p: Procurement) -> tuple[RegistrationView | None, Verdict | None]:
    """The actor's own registration, and what the tests would say of its agency now, while that matters."""
    if not actor.has(Role.AGENCY):
        return None, None
    agency = agency_of(actor.organisation_id)
    if agency is None:
        return None, None
    row = db.session.scalar(
        select(Registration).where(Registration.procurement_id == p.id, Registration.agency_id == agency.id)
    )
    view = view_of(actor, row, p) if row else None
    if p.state != _P.PUBLISHED or (row is not None and row.state == RegistrationState.REGISTERED):
        return view, None
    applicant = applicants(item_of(p.item_version_id), [agency.id])[agency.id]
    return view, judge(demand_of(p), applicant.candidate, clock.today())


def reach(item_version_id: UUID, demand: Demand, *, rule_book_version: int, method: str, fund_source: str) -> Reach:
    """How many agencies a notice with this demand would reach today; for the preview while it is written."""
    item_id = db.session.scalar(select(ItemVersion.item_id).where(ItemVersion.id == item_version_id))
    if item_id is None:
        return Reach(0, 0, 0)
    found = offering_applicants(item_id)
    today = clock.today()
    eligible = sum(judge(demand, applicant.candidate, today).is_eligible for applicant in found)
    return Reach(len(found), eligible, minimum_pool(rule_book(rule_book_version), method, fund_source))
