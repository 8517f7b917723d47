"""Lists of procurements: the public one with its filters, an owner's, the supervisor's, an agency's opportunities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.db import db
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from marketplace.models.catalogue import ItemVersion
from marketplace.models.listings import Listing
from marketplace.models.procurements import (
    Procurement,
    Registration,
)
from marketplace.queries.candidates import agency_of, applicants, demands_of, item_of
from marketplace.queries.procurements.turns import due_at
from marketplace.rules.eligibility import judge
from marketplace.states.listing import ListingState
from marketplace.states.procurement import NOT_PUBLIC, ProcurementState
from marketplace.states.registration import RegistrationState

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
    Stage.OPEN: (_P.PUBLISHED, _P.REVISED),
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
class WorkListFilter:
    """What a list people work on is asked for: a state, a selection method, words of the title, number, project or item."""

    state: str = ""
    method: str = ""
    q: str = ""
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
    method: str
    fund_source: str
    published_at: datetime | None
    registration_ends_at: datetime | None
    winner_name: str
    due_at: datetime | None


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


def procurements_of_owner(organisation_id: UUID, wanted: WorkListFilter = WorkListFilter()) -> Page[ProcurementRow]:
    """An owner's procurements, drafts included, the newest first."""
    return _page(_worked_on(wanted, organisation_id), wanted.page)


def procurements_to_supervise(wanted: WorkListFilter) -> Page[ProcurementRow]:
    """Everybody's procurements, for those who run and watch the supermarket, the newest first."""
    return _page(_worked_on(wanted), wanted.page)


def work_list_for_export(wanted: WorkListFilter, organisation_id: UUID | None = None) -> Sequence[ProcurementRow]:
    """The whole filtered list of an owner, or of everybody, up to 10,000 lines."""
    return _rows(db.session.execute(_worked_on(wanted, organisation_id).limit(EXPORT_LIMIT)).all())


def _worked_on(wanted: WorkListFilter, organisation_id: UUID | None = None) -> Any:
    statement = _base()
    if organisation_id is not None:
        statement = statement.where(Procurement.owner_organisation_id == organisation_id)
    if wanted.state:
        statement = statement.where(Procurement.state == wanted.state)
    if wanted.method:
        statement = statement.where(Procurement.method == wanted.method)
    if wanted.q.strip():
        statement = statement.where(_holds(wanted.q.strip()))
    return statement.order_by(Procurement.created_at.desc(), Procurement.id.desc())


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


def _holds(words: str) -> ColumnElement[bool]:
    columns = (Procurement.title, Procurement.number, Procurement.project_name, ItemVersion.name)
    return or_(*(column.contains(words, autoescape=True) for column in columns))


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
        found.append(_holds(wanted.q.strip()))
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
            method=p.method,
            fund_source=p.fund_source,
            published_at=p.published_at,
            registration_ends_at=p.registration_ends_at,
            winner_name=winner or "",
            due_at=due_at(p),
        )
        for p, item_name, item_name_en, category, winner in rows
    ]
