"""Lists of challenges: my own, the desk of who answers, the public register of outcomes; and the workbench."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.paging import Page, page_of
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.challenges import Challenge
from marketplace.models.procurements import Procurement
from marketplace.policy import Permission, challenge_parts
from marketplace.rules.challenges import KIND_LABELS, ChallengeKind, HandledBy
from marketplace.states.challenge import CHALLENGE, OPEN, ChallengeState

EXPORT_LIMIT: Final = 10_000
SHOWN: Final = 100
_C = ChallengeState
PUBLISHED: Final = (_C.UPHELD, _C.REJECTED)
"""What the public register shows: decided challenges, without names of challengers."""


@dataclass(frozen=True)
class RegisterFilter:
    """What the public register is asked for."""

    q: str = ""
    kind: str = ""
    complaint_type: str = ""
    outcome: str = ""
    page: int = 1


@dataclass(frozen=True)
class ChallengeRow:
    """One line of a list. `days_taken` are calendar days from the filing to the decision."""

    id: UUID
    number: str
    kind: str
    target: str
    complaint_type: str | None
    state: str
    standing: str
    challenger_name: str
    against_name: str
    handled_by: str
    reference: str
    procurement_id: UUID | None
    procurement_number: str
    procurement_title: str
    filed_at: datetime
    answer_by: datetime
    decided_at: datetime | None
    public_summary: str
    effect: str | None
    is_freezing: bool

    @property
    def is_overdue(self) -> bool:
        return self.state in OPEN and clock.now() > self.answer_by

    @property
    def days_taken(self) -> int | None:
        return (clock.beijing_day(self.decided_at) - clock.beijing_day(self.filed_at)).days if self.decided_at else None


def register(wanted: RegisterFilter, *, size: int = 20) -> Page[ChallengeRow]:
    """A page of the public register, the newest decision first."""
    page = page_of(_register(wanted), number=wanted.page, size=size, scalars=False)
    return Page(_rows(page.items), page.number, page.size, page.total)


def register_for_export(wanted: RegisterFilter) -> Sequence[ChallengeRow]:
    """The whole filtered register, up to 10,000 lines."""
    return _rows(db.session.execute(_register(wanted).limit(EXPORT_LIMIT)).all())


def _register(wanted: RegisterFilter) -> Any:
    found: list[ColumnElement[bool]] = [Challenge.state.in_(PUBLISHED)]
    if wanted.kind:
        found.append(Challenge.kind == wanted.kind)
    if wanted.complaint_type:
        found.append(Challenge.complaint_type == wanted.complaint_type)
    if wanted.outcome:
        found.append(Challenge.state == wanted.outcome)
    if wanted.q:
        words = wanted.q.strip()
        columns = (Challenge.number, Challenge.public_summary, Procurement.number, Procurement.title)
        found.append(or_(*(column.contains(words, autoescape=True) for column in columns)))
    return _base().where(*found).order_by(Challenge.decided_at.desc(), Challenge.id.desc())


@dataclass(frozen=True)
class OffListCounts:
    """How the reports of off-list demands stand; public."""

    total: int
    open: int
    upheld: int
    rejected: int


def off_list_counts() -> OffListCounts:
    """One statement."""
    rows = db.session.execute(
        select(Challenge.state, func.count()).where(Challenge.kind == ChallengeKind.OFF_LIST).group_by(Challenge.state)
    ).all()
    by_state = {row[0]: row[1] for row in rows}
    return OffListCounts(
        total=sum(by_state.values()),
        open=sum(by_state.get(state, 0) for state in OPEN),
        upheld=by_state.get(_C.UPHELD, 0),
        rejected=by_state.get(_C.REJECTED, 0),
    )


def mine(actor: Actor, *, number: int = 1) -> Page[ChallengeRow]:
    """What I or my organisation filed, the newest first."""
    return _page(_filed_by(actor), number)


def concerning(actor: Actor, *, state: str = "", number: int = 1) -> Page[ChallengeRow]:
    """The desk: what my organisation or my role answers or is complained of; everything for who runs and watches."""
    conditions: list[ColumnElement[bool]] = []
    if not actor.may(Permission.PROCUREMENT_SUPERVISE):
        conditions.append(_known_to(actor.organisation_id))
    if state == "overdue":
        conditions += [Challenge.state.in_(OPEN), Challenge.answer_by < clock.now()]
    elif state == "open":
        conditions.append(Challenge.state.in_(OPEN))
    elif state:
        conditions.append(Challenge.state == state)
    return _page(and_(*conditions) if conditions else Challenge.id.is_not(None), number)


def _known_to(organisation_id: UUID | None) -> ColumnElement[bool]:
    known = or_(Challenge.kind.in_([ChallengeKind.OBJECTION, ChallengeKind.QUERY]), Challenge.accepted_at.is_not(None))
    return and_(Challenge.against_organisation_id == organisation_id, known)


def _filed_by(actor: Actor) -> ColumnElement[bool]:
    person = Challenge.filed_by == actor.user_id
    if actor.organisation_id is None:
        return person
    return or_(person, Challenge.challenger_organisation_id == actor.organisation_id)


def of_procurement(actor: Actor, procurement_id: UUID) -> Sequence[tuple[ChallengeRow, bool]]:
    """The objections and queries to one procurement, the newest first, and whether the actor may open each."""
    statement = _base().where(Challenge.procurement_id == procurement_id, Challenge.kind != ChallengeKind.COMPLAINT)
    found = db.session.execute(statement.order_by(Challenge.filed_at.desc(), Challenge.id.desc()).limit(SHOWN)).all()
    may_open = [bool(challenge_parts(actor, row[0])) for row in found]
    return list(zip(_rows(found), may_open, strict=True))


def _base() -> Any:
    return select(Challenge, Procurement.number, Procurement.title).outerjoin(
        Procurement, Procurement.id == Challenge.procurement_id
    )


def _page(condition: ColumnElement[bool], number: int) -> Page[ChallengeRow]:
    statement = _base().where(condition).order_by(Challenge.filed_at.desc(), Challenge.id.desc())
    page = page_of(statement, number=number, scalars=False)
    return Page(_rows(page.items), page.number, page.size, page.total)


def _rows(found: Iterable[Any]) -> Sequence[ChallengeRow]:
    return [
        ChallengeRow(
            **{name: getattr(c, name) for name in _SAME},
            procurement_number=number or "",
            procurement_title=title or "",
            public_summary=c.public_summary or "",
            is_freezing=c.frozen_since is not None and c.released_at is None,
        )
        for c, number, title in found
    ]


_SAME: Final = (
    *("id", "number", "kind", "target", "complaint_type", "state", "standing", "challenger_name", "against_name"),
    *("handled_by", "reference", "procurement_id", "filed_at", "answer_by", "decided_at", "effect"),
)


# --- the workbench --------------------------------------------------------------------------------------------------


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """The challenge lines of an actor's workbench: what it answers or decides, and what it filed. Two statements at most."""
    items = []
    if answers := _to_answer(actor):
        items += [_item(c, Turn.MINE, _step(c)) for c in _open(or_(*answers))]
    if actor.user_id is not None:
        seen = {item.href for item in items}
        items += [
            item
            for item in (_item(c, Turn.WAITING, _waiting(c)) for c in _open(_filed_by(actor)))
            if item.href not in seen
        ]
    return items


def _to_answer(actor: Actor) -> list[ColumnElement[bool]]:
    late_owners = and_(Challenge.handled_by == HandledBy.OWNER, Challenge.answer_by < clock.now())
    if actor.has(Role.OWNER) and actor.organisation_id:
        return [
            and_(Challenge.handled_by == HandledBy.OWNER, Challenge.against_organisation_id == actor.organisation_id),
        ]
    if actor.has(Role.OPERATOR):
        return [Challenge.handled_by == HandledBy.OPERATOR, late_owners]
    if actor.has(Role.REGULATOR):
        return [Challenge.handled_by == HandledBy.REGULATOR, late_owners]
    return []


def _open(condition: ColumnElement[bool]) -> Sequence[Challenge]:
    statement = select(Challenge).where(condition, Challenge.state.in_(OPEN))
    return db.session.scalars(statement.order_by(Challenge.answer_by, Challenge.id).limit(SHOWN)).all()


def _step(c: Challenge) -> str:
    if c.kind != ChallengeKind.COMPLAINT:
        return N_("Answer it")
    return N_("Accept it or not") if c.state == _C.FILED else N_("Decide it")


def _waiting(c: Challenge) -> str:
    return CHALLENGE.next_step[_C(c.state)]


def _item(c: Challenge, turn: Turn, step: str) -> WorkItem:
    overdue = clock.now() > c.answer_by
    return WorkItem(
        turn=turn,
        kind=KIND_LABELS[c.kind],
        number=c.number,
        title=c.claim[:80],
        state=CHALLENGE.labels[_C(c.state)],
        step=step,
        href=f"/challenges/{c.id}",
        due_at=c.answer_by,
        tone="danger" if overdue else "waiting",
    )
