"""Reads of procurements as frozen values: lists of notices, one procurement with whose turn it is, registrations, the workbench."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.identity.queries import organisation_name, organisations_by_ids
from app.kernel import clock, work_calendar
from app.kernel.access import Actor, Role
from app.kernel.calendar import UnknownYear, beijing_date
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.models.contracts import Contract
from marketplace.models.listings import Listing
from marketplace.models.procurements import (
    AvoidedAgency,
    Draw,
    DrawOutcome,
    Procurement,
    ProcurementNotice,
    Registration,
)
from marketplace.policy import Permission, procurement_parts, registration_parts, sees_procurement
from marketplace.queries.candidates import agency_of, applicants, demand_of, demands_of, item_of, offering_applicants
from marketplace.queries.rulebooks import rule_book
from marketplace.rules.eligibility import Demand, Verdict, judge
from marketplace.rules.regions import city_code
from marketplace.rules.selection.gates import minimum_pool
from marketplace.states.listing import ListingState
from marketplace.states.parts import Part
from marketplace.states.procurement import NOT_PUBLIC, PROCUREMENT, TURNS, ProcurementState
from marketplace.states.registration import REGISTRATION, RegistrationState

_P = ProcurementState
CLOSING_SOON_DAYS: Final = 3
EXPORT_LIMIT: Final = 10_000


class Stage(StrEnum):
    """What the filter of the public list offers: states in groups that mean something to a visitor."""

    OPEN = "open"
    SELECTING = "selecting"
    RESULT = "result"
    SERVICE = "service"
    FINISHED = "finished"
    STOPPED = "stopped"


STAGE_LABELS: Final = {
    Stage.OPEN: N_("Open for registration"),
    Stage.SELECTING: N_("Selection under way"),
    Stage.RESULT: N_("Result published"),
    Stage.SERVICE: N_("Under contract"),
    Stage.FINISHED: N_("Finished"),
    Stage.STOPPED: N_("Failed or stopped"),
}
STAGE_STATES: Final = {
    Stage.OPEN: (_P.PUBLISHED,),
    Stage.SELECTING: (_P.REGISTRATION_CLOSED, _P.SELECTING, _P.SELECTED, _P.RESELECT, _P.PAUSED),
    Stage.RESULT: (_P.RESULT_PUBLICITY, _P.AWARDED, _P.CONFIRMED),
    Stage.SERVICE: (_P.CONTRACTED, _P.IN_SERVICE, _P.ACCEPTED),
    Stage.FINISHED: (_P.CLOSED, _P.TERMINATED),
    Stage.STOPPED: (_P.FAILED, _P.REPUBLISHED, _P.WITHDRAWN, _P.CANCELLED, _P.VOID),
}


@dataclass(frozen=True)
class NoticeFilter:
    """What the public list is asked for. `region` is a division code: its whole area counts."""

    stage: str = ""
    category: str = ""
    region: str = ""
    q: str = ""
    closing_soon: bool = False
    page: int = 1


@dataclass(frozen=True)
class ProcurementRow:
    """One line of a list. Amounts in fen, instants UTC."""

    id: UUID
    number: str
    title: str
    state: str
    owner_name: str
    item_name: str
    item_name_en: str
    category: str
    region_code: str
    price_fen: int
    limit_wd: int
    fund_source: str
    published_at: datetime | None
    registration_ends_at: datetime | None
    winner_name: str
    due_at: datetime | None


@dataclass(frozen=True)
class RegistrationView:
    """One agency's registration with the reasons of its tests."""

    id: UUID
    procurement_id: UUID
    number: str
    title: str
    procurement_state: str
    state: str
    version: int
    agency_id: UUID
    name: str
    uscc: str
    contribution: str
    registered_at: datetime
    registration_ends_at: datetime | None
    verdict: Verdict
    final_verdict: Verdict | None
    thread_id: UUID
    parts: frozenset[Part]


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
    publicity_ends_at: datetime | None
    awarded_at: datetime | None
    confirm_by: datetime | None
    failure_code: str | None
    paused_from: str | None
    is_extended: bool
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


# --- lists ------------------------------------------------------------------------------------------------------


def notices(wanted: NoticeFilter, *, size: int = 20) -> Page[ProcurementRow]:
    """A page of the public list, the nearest deadline first among the open ones, then the newest. Four statements."""
    return _page(_public(wanted), wanted.page, size)


def notices_for_export(wanted: NoticeFilter) -> Sequence[ProcurementRow]:
    """The whole filtered list, up to 10,000 lines."""
    return _rows(db.session.execute(_public(wanted).limit(EXPORT_LIMIT)).all())


def closing_soon(limit: int = 6) -> Sequence[ProcurementRow]:
    """The open notices whose registration ends first; for the home page."""
    statement = _base().where(Procurement.state == _P.PUBLISHED, Procurement.registration_ends_at >= clock.now())
    return _rows(
        db.session.execute(statement.order_by(Procurement.registration_ends_at, Procurement.id).limit(limit)).all()
    )


def stage_counts() -> dict[str, int]:
    """How many public procurements stand in each stage. One statement."""
    rows = db.session.execute(
        select(Procurement.state, func.count()).where(Procurement.published_at.is_not(None)).group_by(Procurement.state)
    ).all()
    by_state = {row[0]: row[1] for row in rows}
    return {stage: sum(by_state.get(state, 0) for state in states) for stage, states in STAGE_STATES.items()}


def procurements_of_owner(organisation_id: UUID, *, state: str = "", number: int = 1) -> Page[ProcurementRow]:
    """An owner's procurements, the newest first."""
    statement = _base().where(Procurement.owner_organisation_id == organisation_id)
    if state:
        statement = statement.where(Procurement.state == state)
    return _page(statement.order_by(Procurement.created_at.desc(), Procurement.id.desc()), number)


def procurements_to_supervise(state: str, *, number: int = 1) -> Page[ProcurementRow]:
    """All procurements in a state ("" for all), for those who run and watch the supermarket."""
    statement = _base().where(Procurement.state == state) if state else _base()
    return _page(statement.order_by(Procurement.created_at.desc(), Procurement.id.desc()), number)


def opportunities(organisation_id: UUID) -> tuple[ProcurementRow, ...]:
    """The open notices whose every condition the agency meets today and for which it is not registered yet."""
    agency = agency_of(organisation_id)
    if agency is None:
        return ()
    known = select(Registration.procurement_id).where(
        Registration.agency_id == agency.id, Registration.state != RegistrationState.WITHDRAWN
    )
    rows = db.session.scalars(
        select(Procurement)
        .where(
            Procurement.state == _P.PUBLISHED,
            Procurement.registration_ends_at >= clock.now(),
            Procurement.id.not_in(known),
            Procurement.item_version_id.in_(_versions_offered(agency.id)),
        )
        .order_by(Procurement.registration_ends_at, Procurement.id)
        .limit(200)
    ).all()
    if not rows:
        return ()
    candidate = applicants(item_of(rows[0].item_version_id), [agency.id])[agency.id].candidate
    demands, today = demands_of(rows), clock.today()
    fitting = [row.id for row in rows if judge(demands[row.id], candidate, today).is_eligible]
    statement = _base().where(Procurement.id.in_(fitting)).order_by(Procurement.registration_ends_at, Procurement.id)
    return tuple(_rows(db.session.execute(statement).all()))


def _versions_offered(agency_id: UUID) -> Select[UUID]:
    items = select(Listing.item_id).where(Listing.agency_id == agency_id, Listing.state == ListingState.PUBLISHED)
    return select(ItemVersion.id).where(ItemVersion.item_id.in_(items))


def registrations_of(actor: Actor, *, number: int = 1) -> Page[RegistrationView]:
    """The registrations of the actor's agency, the newest first."""
    statement: Any = (
        select(Registration, Procurement)
        .join(Procurement, Procurement.id == Registration.procurement_id)
        .where(Registration.organisation_id == actor.organisation_id)
        .order_by(Registration.registered_at.desc(), Registration.id.desc())
    )
    page = page_of(statement, number=number, scalars=False)
    return Page(tuple(_registration_view(actor, *row) for row in page.items), page.number, page.size, page.total)


def registration_view(actor: Actor, registration_id: UUID) -> RegistrationView:
    """One registration; NotFound for all but its agency and those who run and watch the supermarket."""
    row = db.session.get(Registration, registration_id)
    if row is None or not (row.organisation_id == actor.organisation_id or actor.may(Permission.PROCUREMENT_SUPERVISE)):
        raise NotFound
    procurement = db.session.get(Procurement, row.procurement_id)
    assert procurement is not None
    return _registration_view(actor, row, procurement)


def _registration_view(actor: Actor, row: Registration, procurement: Procurement) -> RegistrationView:
    return RegistrationView(
        id=row.id,
        procurement_id=procurement.id,
        number=procurement.number,
        title=procurement.title,
        procurement_state=procurement.state,
        state=row.state,
        version=row.version,
        agency_id=row.agency_id,
        name=row.name,
        uscc=row.uscc,
        contribution=row.contribution,
        registered_at=row.registered_at,
        registration_ends_at=procurement.registration_ends_at,
        verdict=Verdict.from_json(row.eligibility),
        final_verdict=Verdict.from_json(row.final_eligibility) if row.final_eligibility is not None else None,
        thread_id=row.thread_id,
        parts=registration_parts(actor, row),
    )


def _base() -> Any:
    return (
        select(Procurement, ItemVersion.name, ItemVersion.name_en, ItemVersion.category, Registration.name)
        .join(ItemVersion, ItemVersion.id == Procurement.item_version_id)
        .outerjoin(Registration, Registration.id == Procurement.winner_registration_id)
    )


def _public(wanted: NoticeFilter) -> Any:
    statement = _base().where(Procurement.published_at.is_not(None), Procurement.state.not_in(NOT_PUBLIC))
    for condition in _conditions(wanted):
        statement = statement.where(condition)
    open_first = (Procurement.state != _P.PUBLISHED).asc()
    if wanted.closing_soon or wanted.stage == Stage.OPEN:
        return statement.order_by(Procurement.registration_ends_at, Procurement.id)
    return statement.order_by(open_first, Procurement.published_at.desc(), Procurement.id.desc())


def _conditions(wanted: NoticeFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.stage:
        found.append(Procurement.state.in_(STAGE_STATES[Stage(wanted.stage)]))
    if wanted.category:
        found.append(ItemVersion.category == wanted.category)
    if wanted.region:
        prefix = (
            wanted.region.removesuffix("0000") if wanted.region.endswith("0000") else wanted.region.removesuffix("00")
        )
        found.append(Procurement.region_code.startswith(prefix, autoescape=True))
    if wanted.q:
        text = wanted.q.strip()
        columns = (Procurement.title, Procurement.number, Procurement.project_name, ItemVersion.name)
        found.append(or_(*(column.contains(text, autoescape=True) for column in columns)))
    if wanted.closing_soon:
        soon = clock.now() + timedelta(days=CLOSING_SOON_DAYS)
        found.append(
            and_(Procurement.state == _P.PUBLISHED, Procurement.registration_ends_at.between(clock.now(), soon))
        )
    return found


def _page(statement: Any, number: int, size: int = 20) -> Page[ProcurementRow]:
    page = page_of(statement, number=number, size=size, scalars=False)
    return Page(_rows(page.items), page.number, page.size, page.total)


def _rows(found: Iterable[Any]) -> Sequence[ProcurementRow]:
    rows = list(found)
    owners = organisations_by_ids({row[0].owner_organisation_id for row in rows})
    return [
        ProcurementRow(
            id=p.id,
            number=p.number,
            title=p.title,
            state=p.state,
            owner_name=owners[p.owner_organisation_id].name,
            item_name=item_name,
            item_name_en=item_name_en,
            category=category,
            region_code=p.region_code,
            price_fen=p.price_fen,
            limit_wd=p.limit_wd,
            fund_source=p.fund_source,
            published_at=p.published_at,
            registration_ends_at=p.registration_ends_at,
            winner_name=winner or "",
            due_at=due_at(p),
        )
        for p, item_name, item_name_en, category, winner in rows
    ]


# --- one procurement --------------------------------------------------------------------------------------------


def due_at(procurement: Procurement) -> datetime | None:
    """Until when the present step is to be taken, where there is a limit."""
    turn = TURNS.get(ProcurementState(procurement.state))
    moment = getattr(procurement, turn.deadline) if turn and turn.deadline else None
    return moment if isinstance(moment, datetime) else None


def working_days_left(until: datetime | date | None) -> int | None:
    """Working days from today to a deadline; negative when it is past; None when the calendar does not know."""
    if until is None:
        return None
    try:
        return work_calendar.current().count_working_days(
            clock.today(), beijing_date(until) if isinstance(until, datetime) else until
        )
    except UnknownYear:
        return None


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
    turn = TURNS.get(ProcurementState(p.state))
    notice = _latest_notice(p.id)
    winner = db.session.get(Registration, p.winner_registration_id) if p.winner_registration_id else None
    own, verdict = _own(actor, p)
    owner_name = organisation_name(p.owner_organisation_id)
    deadline = due_at(p)
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
        minimum_pool=minimum_pool(rule_book(p.rule_book_version), p.fund_source),
        winner_name=winner.name if winner else "",
        winner_uscc=winner.uscc if winner else "",
        contract_id=db.session.scalar(
            select(Contract.id).where(Contract.procurement_id == p.id).order_by(Contract.created_at.desc()).limit(1)
        ),
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
    *("has_witness", "contact_name", "contact_phone", "complaint_phone", "case_subject", "round", "previous_id"),
    *("published_at", "registration_ends_at", "publicity_ends_at", "awarded_at", "confirm_by", "failure_code"),
    *(
        "paused_from",
        "is_extended",
        "is_public",
        "winner_registration_id",
        "award_document_id",
        "succession_proposed_by",
    ),
)

TURN_NAMES: Final = {
    Part.OPERATOR: N_("The operator"),
    Part.SYSTEM: N_("The system"),
    Part.REGISTRANT: N_("Agencies that want to register"),
    Part.PUBLIC: N_("Anybody who objects"),
}


def turn_name(part: Part | None, owner_name: str, winner_name: str) -> str | None:
    """Who has to act, by name or (message id) by role."""
    if part is None:
        return None
    return {Part.OWNER: owner_name, Part.WINNER: winner_name}.get(part) or TURN_NAMES.get(part)


def _is_mine(part: Part | None, held: frozenset[Part], own: RegistrationView | None, verdict: Verdict | None) -> bool:
    if part is Part.REGISTRANT:
        may = verdict is not None and verdict.is_eligible
        return may and (own is None or own.state == RegistrationState.WITHDRAWN)
    return part in held and part not in {Part.PUBLIC, Part.SYSTEM, None}


def _latest_notice(procurement_id: UUID) -> ProcurementNotice | None:
    return db.session.scalar(
        select(ProcurementNotice)
        .where(ProcurementNotice.procurement_id == procurement_id)
        .order_by(ProcurementNotice.version.desc())
        .limit(1)
    )


def notice_text(actor: Actor, procurement_id: UUID) -> tuple[dict[str, Any], str]:
    """The frozen content of the latest published notice and its digest; NotFound before publication."""
    p = db.session.get(Procurement, procurement_id)
    notice = _latest_notice(procurement_id)
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
    view = _registration_view(actor, row, p) if row else None
    if p.state != _P.PUBLISHED or (row is not None and row.state == RegistrationState.REGISTERED):
        return view, None
    applicant = applicants(item_of(p.item_version_id), [agency.id])[agency.id]
    return view, judge(demand_of(p), applicant.candidate, clock.today())


def reach(item_version_id: UUID, demand: Demand, *, rule_book_version: int, fund_source: str) -> Reach:
    """How many agencies a notice with this demand would reach today; for the preview while it is written."""
    item_id = db.session.scalar(select(ItemVersion.item_id).where(ItemVersion.id == item_version_id))
    if item_id is None:
        return Reach(0, 0, 0)
    found = offering_applicants(item_id)
    today = clock.today()
    eligible = sum(judge(demand, applicant.candidate, today).is_eligible for applicant in found)
    return Reach(len(found), eligible, minimum_pool(rule_book(rule_book_version), fund_source))


def cities_of(rows: Iterable[ProcurementRow]) -> set[str]:
    """The cities that the rows lie in; for filters."""
    return {city_code(row.region_code) for row in rows}


# --- workbench --------------------------------------------------------------------------------------------------

_STEPS: Final = {
    (Part.OWNER, _P.DRAFT): N_("Complete and submit the notice"),
    (Part.OWNER, _P.RETURNED): N_("Correct and submit the notice"),
    (Part.OWNER, _P.FAILED): N_("Extend, republish or abandon"),
    (Part.OWNER, _P.WITHDRAWN): N_("Abandon the procurement"),
    (Part.OPERATOR, _P.SUBMITTED): N_("Check the notice"),
    (Part.OPERATOR, _P.RESELECT): N_("Approve the succession"),
    (Part.OPERATOR, _P.PAUSED): N_("Decide the challenge"),
    (Part.WINNER, _P.AWARDED): N_("Confirm the award"),
}
_FINISHED: Final = (_P.CLOSED, _P.CANCELLED, _P.VOID, _P.REPUBLISHED)
_CONTRACT_STATES: Final = (_P.CONFIRMED, _P.CONTRACTED, _P.IN_SERVICE, _P.ACCEPTED, _P.TERMINATED)
"""The contract's own line stands in the workbench while these last."""
SHOWN: Final = 100


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """The procurement lines of an actor's workbench: as owner, operator or agency."""
    if actor.has(Role.OWNER) and actor.organisation_id:
        return _work(Procurement.owner_organisation_id == actor.organisation_id, Part.OWNER)
    if actor.has(Role.OPERATOR):
        waiting = Procurement.state.in_([_P.SUBMITTED, _P.RESELECT, _P.PAUSED])
        values = and_(
            Procurement.state == _P.SELECTING,
            Procurement.beacon_due_at <= clock.now(),
            Procurement.id.in_(_real_draws()),
        )
        return _work(or_(waiting, values), Part.OPERATOR)
    if actor.has(Role.AGENCY) and actor.organisation_id:
        mine = select(Registration.procurement_id).where(Registration.organisation_id == actor.organisation_id)
        return _work(and_(Procurement.id.in_(mine)), Part.WINNER, organisation_id=actor.organisation_id)
    return ()


def _real_draws() -> Select[UUID]:
    return select(Draw.procurement_id).where(Draw.is_demonstration.is_(False))


def _work(condition: ColumnElement[bool], part: Part, *, organisation_id: UUID | None = None) -> list[WorkItem]:
    rows = db.session.scalars(
        select(Procurement)
        .where(condition, Procurement.state.not_in(_CONTRACT_STATES))
        .order_by(Procurement.created_at.desc(), Procurement.id.desc())
        .limit(SHOWN)
    ).all()
    own: dict[UUID, str] = {}
    if organisation_id:
        wanted = (
            Registration.organisation_id == organisation_id,
            Registration.procurement_id.in_([p.id for p in rows]),
        )
        found = db.session.execute(select(Registration.procurement_id, Registration.state).where(*wanted)).all()
        own = {row.procurement_id: row.state for row in found}
    return [_work_item(p, part, own.get(p.id)) for p in rows]


def _work_item(p: Procurement, part: Part, own_state: str | None) -> WorkItem:
    state = ProcurementState(p.state)
    mine = (part, state) in _STEPS and (part is not Part.WINNER or own_state == RegistrationState.WON)
    if part is Part.OPERATOR and state is _P.SELECTING:
        mine = True
    over = state in _FINISHED or own_state in REGISTRATION.terminal
    label = REGISTRATION.labels[RegistrationState(own_state)] if own_state else PROCUREMENT.labels[state]
    step = _STEPS.get((part, state)) if mine else None
    if mine and step is None:
        step = N_("Enter the announced public value")
    return WorkItem(
        turn=Turn.MINE if mine else Turn.DONE if over else Turn.WAITING,
        kind=N_("Procurement"),
        number=p.number,
        title=p.title,
        state=label,
        step=step or PROCUREMENT.next_step.get(state, ""),
        href=f"/procurements/{p.id}",
        due_at=due_at(p),
    )
