"""Eight workers on one database: no lost update, no double claim, one winner of two conflicting steps."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.models import Membership, Organisation, OrganisationKind, User
from app.identity.states import MEMBERSHIP, MembershipState, Part
from app.kernel import audit, clock, outbox
from app.kernel.access import SYSTEM
from app.kernel.audit import AuditEvent
from app.kernel.db import db, lock, new_id, transaction, use_case
from app.kernel.errors import IllegalTransition
from app.kernel.event import Event
from app.kernel.inbox import once
from app.kernel.jobs import Job, every, run_once
from app.kernel.numbering import NumberSeries, next_number
from app.kernel.timeline import TimelineRecord
from app.kernel.transitions import move
from tests.together import WORKERS, together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]


@use_case
def raise_by_reading_and_writing(prefix: str) -> None:
    series = db.session.scalars(sa.select(NumberSeries).where(NumberSeries.prefix == prefix).with_for_update()).one()
    series.last += 1


def test_no_update_is_lost(app: Flask) -> None:
    with transaction():
        db.session.add(NumberSeries(prefix="LOST", year=2026, last=0))

    def work(_: int) -> None:
        for _ in range(25):
            raise_by_reading_and_writing("LOST")

    assert [a for a in together(app, work) if a] == []
    db.session.expire_all()
    assert db.session.scalar(sa.select(NumberSeries.last)) == 25 * WORKERS


def test_numbers_are_unique(app: Flask) -> None:
    def work(_: int) -> list[str]:
        found = []
        for _ in range(10):
            with transaction():
                found.append(next_number("RACE"))
        return found

    numbers = [n for answer in together(app, work) for n in answer]
    assert len(set(numbers)) == len(numbers) == 10 * WORKERS


@dataclass(frozen=True)
class Posted(Event):
    name: ClassVar[str] = "test.posted"
    letter_id: UUID


delivered: Counter[UUID] = Counter()


def deliver(event: Posted) -> None:
    delivered[event.letter_id] += 1


@use_case
def enter(event: Posted) -> None:
    db.session.add(NumberSeries(prefix=str(event.letter_id)[-12:], year=1, last=1))


def test_no_message_is_claimed_twice(app: Flask) -> None:
    outbox.subscribe({Posted: (deliver, enter)})
    delivered.clear()
    letters = [uuid4() for _ in range(60)]
    with transaction():
        for letter in letters:
            outbox.publish(Posted(letter_id=letter))

    def work(_: int) -> int:
        return outbox.drain(500)

    try:
        settled = together(app, work)
    finally:
        outbox._handlers.pop(Posted.name)
    assert sum(settled) == 120
    assert delivered == Counter(letters)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(NumberSeries)) == 60


def a_request() -> UUID:
    with transaction() as session:
        organisation = Organisation(id=new_id(), kind=OrganisationKind.AGENCY, name="青石测绘", created_at=clock.now())
        user = User(
            id=new_id(),
            email=f"{uuid4().hex}@example.test",
            name="甲",
            fs_uniquifier=uuid4().hex,
            created_at=clock.now(),
        )
        session.add_all([organisation, user])
        session.flush()
        row = Membership(
            id=new_id(),
            user_id=user.id,
            organisation_id=organisation.id,
            role="agency",
            state=MembershipState.REQUESTED,
            created_at=clock.now(),
        )
        session.add(row)
    return row.id


@use_case
def decide(membership_id: UUID, action: str) -> str:
    row = lock(Membership, membership_id)
    parts = frozenset({Part.ADMINISTRATOR})
    move(row, MEMBERSHIP, action, SYSTEM, parts, reason="in the race")
    return action


def test_one_of_two_conflicting_steps_wins(app: Flask) -> None:
    request = a_request()
    answers = together(app, lambda n: decide(request, "approve" if n % 2 else "refuse"))
    won = [a for a in answers if isinstance(a, str)]
    refused = [a for a in answers if isinstance(a, IllegalTransition)]
    assert (len(won), len(refused)) == (1, WORKERS - 1), answers
    db.session.expire_all()
    state = db.session.scalar(sa.select(Membership.state).where(Membership.id == request))
    assert state == {"approve": "active", "refuse": "refused"}[won[0]]
    steps = db.session.scalar(
        sa.select(sa.func.count()).select_from(TimelineRecord).where(TimelineRecord.object_id == str(request))
    )
    assert steps == 1


def test_one_key_has_one_effect(app: Flask) -> None:
    def effect() -> dict[str, str]:
        return {"number": next_number("ONCE")}

    answers = together(app, lambda _: once(SYSTEM, "race", "key", {"a": 1}, effect))
    year = clock.today().year
    assert answers == [{"number": f"ONCE-{year}-000001"}] * WORKERS


def test_a_job_runs_in_one_worker_at_a_time(app: Flask) -> None:
    inside: list[int] = []
    gate = threading.Event()

    def work() -> int:
        inside.append(1)
        gate.wait(2)
        return 1

    job = Job("test.alone", work, every(seconds=1), "alone")
    done: list[Any] = []

    def run(_: int) -> Any:
        answer = run_once(job)
        done.append(answer)
        if len(done) == WORKERS - 1:
            gate.set()  # all the others have been turned away
        return answer

    answers = together(app, run)
    assert answers.count(1) == 1
    assert answers.count(None) == WORKERS - 1
    assert inside == [1]


def test_audit_events_get_one_gapless_sequence(app: Flask) -> None:
    def work(number: int) -> int:
        for n in range(10):
            with transaction():
                audit.append(
                    action="test.write", object_type="test", object_id=f"{number}-{n}", actor=SYSTEM, body={"n": n}
                )
        return audit.sequence_all()

    together(app, work)
    audit.sequence_all()
    numbers = sorted(db.session.scalars(sa.select(AuditEvent.seq)))
    assert numbers == list(range(10 * WORKERS))
    assert audit.verify().sound
