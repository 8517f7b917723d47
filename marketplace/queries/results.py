"""Result notices (中选公告) and notices of failed selections, with every published field (BUSINESS-RULES 2.7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.identity.queries import organisations_by_ids
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ItemVersion
from marketplace.models.procurements import Procurement, Registration
from marketplace.states.procurement import ProcurementState

_P = ProcurementState
EXPORT_LIMIT: Final = 10_000


class Outcome(StrEnum):
    """What a result notice says."""

    SELECTED = "selected"
    FAILED = "failed"


OUTCOME_LABELS: Final = {Outcome.SELECTED: N_("Agency selected"), Outcome.FAILED: N_("No result")}
STATES: Final = {
    Outcome.SELECTED: (
        *(_P.RESULT_PUBLICITY, _P.PAUSED, _P.AWARDED, _P.CONFIRMED, _P.CONTRACTED),
        *(_P.IN_SERVICE, _P.ACCEPTED, _P.CLOSED, _P.TERMINATED),
    ),
    Outcome.FAILED: (_P.FAILED, _P.REPUBLISHED, _P.CANCELLED),
}


@dataclass(frozen=True)
class ResultFilter:
    """What the list is asked for. `region` is a division code: its whole area counts."""

    q: str = ""
    outcome: str = ""
    method: str = ""
    category: str = ""
    region: str = ""
    page: int = 1


@dataclass(frozen=True)
class ResultRow:
    """One result notice. `amount_fen` is the winning amount, `credential` the winner's unified social credit code."""

    id: UUID
    number: str
    title: str
    project_name: str
    project_code: str | None
    owner_name: str
    method: str
    state: str
    winner_name: str
    credential: str
    winner_address: str
    amount_fen: int | None
    amount_note: str
    selected_at: datetime | None
    publicity_ends_at: datetime | None
    registration_ends_at: datetime | None
    item_name: str
    item_name_en: str
    category: str
    fund_source: str
    region_code: str
    limit_wd: int
    failure_code: str | None

    @property
    def outcome(self) -> Outcome:
        return Outcome.SELECTED if self.winner_name else Outcome.FAILED


def results(wanted: ResultFilter, *, size: int = 20) -> Page[ResultRow]:
    """A page of result notices, the newest first. Three statements."""
    page = page_of(_wanted(wanted), number=wanted.page, size=size, scalars=False)
    return Page(_rows(page.items), page.number, page.size, page.total)


def results_for_export(wanted: ResultFilter) -> Sequence[ResultRow]:
    """The whole filtered list, up to 10,000 lines."""
    return _rows(db.session.execute(_wanted(wanted).limit(EXPORT_LIMIT)).all())


def result_notice(procurement_id: UUID) -> ResultRow:
    """The result notice of one procurement; NotFound while there is none."""
    row = db.session.execute(_base().where(Procurement.id == procurement_id, or_(*_published().values()))).first()
    if row is None:
        raise NotFound
    return _rows([row])[0]


def _base() -> Any:
    return (
        select(Procurement, ItemVersion, Registration.name, Registration.uscc, Agency.address)
        .join(ItemVersion, ItemVersion.id == Procurement.item_version_id)
        .outerjoin(Registration, Registration.id == Procurement.winner_registration_id)
        .outerjoin(Agency, Agency.id == Registration.agency_id)
    )


def _published() -> dict[Outcome, ColumnElement[bool]]:
    selected = Procurement.winner_registration_id.is_not(None) & Procurement.state.in_(STATES[Outcome.SELECTED])
    failed = Procurement.failure_code.is_not(None) & Procurement.state.in_(STATES[Outcome.FAILED])
    return {Outcome.SELECTED: selected, Outcome.FAILED: failed}


def _wanted(wanted: ResultFilter) -> Any:
    published = _published()
    found = [published[Outcome(wanted.outcome)] if wanted.outcome else or_(*published.values())]
    if wanted.method:
        found.append(Procurement.method == wanted.method)
    if wanted.category:
        found.append(ItemVersion.category == wanted.category)
    if wanted.region:
        area = wanted.region.removesuffix("00").removesuffix("00")
        found.append(Procurement.region_code.startswith(area, autoescape=True))
    if wanted.q:
        words = wanted.q.strip()
        columns = (Procurement.title, Procurement.number, Procurement.project_name, Registration.name, ItemVersion.name)
        found.append(or_(*(column.contains(words, autoescape=True) for column in columns)))
    return _base().where(*found).order_by(Procurement.published_at.desc(), Procurement.id.desc())


def _rows(found: Iterable[Any]) -> Sequence[ResultRow]:
    rows = list(found)
    owners = organisations_by_ids({row[0].owner_organisation_id for row in rows})
    return [
        ResultRow(
            **{name: getattr(p, name) for name in _SAME},
            owner_name=owners[p.owner_organisation_id].name,
            winner_name=winner or "",
            credential=uscc or "",
            winner_address=address or "",
            amount_fen=(p.award_fen or p.price_fen) if winner else None,
            item_name=item.name,
            item_name_en=item.name_en,
            category=item.category,
        )
        for p, item, winner, uscc, address in rows
    ]


_SAME: Final = (
    *("id", "number", "title", "project_name", "project_code", "method", "state", "amount_note", "selected_at"),
    *("publicity_ends_at", "registration_ends_at", "fund_source", "region_code", "limit_wd", "failure_code"),
)
