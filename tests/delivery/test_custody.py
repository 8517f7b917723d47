"""The chain of custody: written by every step, sealed, and its gaps found."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import clock
from app.kernel.audit import AuditEvent
from app.kernel.db import db, lock, transaction
from delivery import services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.custody import RULES, CustodyKind, GapKind, Holder, Link, gaps, sealed
from delivery.models.custody import CustodyStep
from delivery.models.parcels import Parcel
from delivery.queries.custody import Chain, chain_of
from delivery.services.custody import hand_on
from delivery.states import ParcelState
from tests.delivery.builders import (
    Hall,
    a_hall,
    a_handed_over_parcel,
    a_packed_parcel,
    an_ordered_parcel,
    parcel,
    tasks,
)

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STORY = (
    CustodyKind.MADE, CustodyKind.TAKEN_TO_PACK, CustodyKind.SEALED, CustodyKind.COLLECTED, CustodyKind.RETURNED,
    CustodyKind.TAKEN_TO_PACK, CustodyKind.SEALED, CustodyKind.COLLECTED, CustodyKind.SERVED,
)  # fmt: skip


def links(kinds: tuple[CustodyKind, ...] = STORY) -> list[Link]:
    found: list[Link] = []
    holder = Holder.NOBODY
    for position, kind in enumerate(kinds, 1):
        before = found[-1].digest if found else ""
        content = {"position": position, "kind": str(kind)}
        taker = RULES[kind].taker
        found.append(
            Link(position, kind, holder, taker, START + timedelta(hours=position), 1, "F1", before, sealed(before, content), content)
        )  # fmt: skip
        holder = taker
    return found


def test_a_whole_chain_has_no_gap() -> None:
    assert gaps(links(), ParcelState.DELIVERED) == ()
    assert [gap.kind for gap in gaps(links(), ParcelState.RETURNED)] == [GapKind.STATE]


@given(st.integers(0, len(STORY) - 2))
def test_a_step_left_out_is_found(missing: int) -> None:
    chain = links()
    del chain[missing]
    kinds = {gap.kind for gap in gaps(chain, ParcelState.DELIVERED)}
    assert {GapKind.MISSING_STEP, GapKind.DIGEST} <= kinds


@given(st.integers(0, len(STORY) - 1))
def test_an_altered_step_is_found(altered: int) -> None:
    chain = links()
    chain[altered] = replace(chain[altered], content={**chain[altered].content, "giver_name": "别人"})
    found = gaps(chain, ParcelState.DELIVERED)
    assert [(gap.kind, gap.position) for gap in found] == [(GapKind.DIGEST, altered + 1)]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"giver": Holder.CENTRE}, GapKind.HOLDER), ({"at": START}, GapKind.TIME), ({"pieces": 2}, GapKind.PIECES),
        ({"seal_no": "F2"}, GapKind.SEAL),
    ],
)  # fmt: skip
def test_what_does_not_follow_is_found(change: dict[str, object], kind: GapKind) -> None:
    chain = links()[:4]
    chain[3] = replace(chain[3], **change)  # type: ignore[arg-type]
    assert [(gap.kind, gap.position) for gap in gaps(chain, ParcelState.HANDED_OVER)] == [(kind, 4)]


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask) -> Hall:
    return a_hall()


def chain(parcel_id: object) -> Chain:
    found = parcel(parcel_id)  # type: ignore[arg-type]
    return chain_of(found.id, found.state)


@pytest.mark.usefixtures("carrier")
def test_every_step_to_the_courier_is_written(hall: Hall) -> None:
    parcel_id = a_handed_over_parcel(hall)
    found = chain(parcel_id)
    assert [step.position for step in found.steps] == [1, 2, 3, 4]
    assert [step.taker_name for step in found.steps] == ["", "周敏", "吴强", "王强"]
    assert found.steps[3].evidence == {"list": "JJ-2026-000001", "count": 1, "courier_staff_no": "33010088"}
    assert [step.scanned for step in found.steps] == [False, False, False, True]
    assert found.is_whole
    logged = db.session.scalars(sa.select(AuditEvent.id).where(AuditEvent.action == "parcel.custody")).all()
    assert set(logged) == {step.audit_event_id for step in found.steps}


@pytest.mark.usefixtures("carrier")
def test_a_gap_becomes_a_task_and_a_step_cannot_be_rewritten(hall: Hall) -> None:
    parcel_id = a_packed_parcel(hall)
    with transaction():
        hand_on(lock(Parcel, parcel_id), CustodyKind.COLLECTED, hall.packer)
    assert tasks(parcel_id) == ["custody_gap"]
    assert not chain(parcel_id).is_whole
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), transaction():
        db.session.execute(sa.update(CustodyStep).values(taker_name="别人"))


def test_a_paper_made_twice_is_one_step(hall: Hall) -> None:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(hall.centre, parcel_id)
    services.contents_ready(hall.centre, parcel_id)
    found = chain(parcel_id)
    assert [(step.giver, step.taker, step.taker_name) for step in found.steps] == [
        ("nobody", "certificate centre", "钱进")
    ]
    assert found.steps[0].at <= clock.now()
