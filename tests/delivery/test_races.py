"""Eight workers at once: one booking, one hand-over, one delivery; on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel import clock
from app.kernel.db import db, transaction
from app.kernel.errors import DomainError
from app.kernel.timeline import TimelineRecord
from delivery import services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent
from delivery.models.waybills import Waybill
from delivery.services import OfferBatch, TakeOver, tracking, waybills
from delivery.states import ParcelState
from tests.delivery.builders import Hall, a_checked_parcel, a_hall, a_handed_over_parcel, a_waybilled_parcel, parcel

pytestmark = pytest.mark.races
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WORKERS = 8


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, carrier: SimulatedCarrier) -> Hall:
    return a_hall()


def at_once(app: Flask, work: Callable[[int], object]) -> list[object]:
    """Run `work(0..7)` in eight threads that start together; a refusal is a result."""
    gate = threading.Barrier(WORKERS)
    results: list[object] = [None] * WORKERS

    def run(number: int) -> None:
        with app.app_context():
            gate.wait(20)
            try:
                results[number] = work(number)
            except DomainError as refusal:
                results[number] = refusal
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_one_booking_of_eight(app: Flask, hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_checked_parcel(hall)
    assert sorted(map(str, at_once(app, lambda _: waybills.book(parcel_id)))) == ["False"] * 7 + ["True"]
    assert carrier.calls.count("book") == 1
    assert db.session.scalar(sa.select(sa.func.count(Waybill.id))) == 1


def test_one_signature_of_eight(app: Flask, hall: Hall) -> None:
    parcel_id = a_waybilled_parcel(hall)
    number = parcel(parcel_id).waybill_no
    assert number
    batch_id = services.open_batch(hall.packer)
    services.add_to_batch(hall.packer, batch_id, services.AddToBatch(number))
    services.offer_batch(hall.packer, batch_id, OfferBatch(1))
    results = at_once(app, lambda n: services.take_over(hall.checker, batch_id, TakeOver(f"王强{n}", "1", 1)))
    assert sum(result is None for result in results) == 1
    assert parcel(parcel_id).state == ParcelState.HANDED_OVER


def test_eight_equal_answers_deliver_once(app: Flask, hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    number = parcel(parcel_id).waybill_no
    assert number
    carrier.report(number, "203", NOON)
    carrier.report(number, "704", NOON, deliverCode="10")
    at_once(app, lambda _: tracking.record_reports(parcel_id, number, carrier.track(number)))
    assert parcel(parcel_id).state == ParcelState.DELIVERED
    actions = list(
        db.session.scalars(sa.select(TimelineRecord.action).where(TimelineRecord.to_state == ParcelState.DELIVERED))
    )
    assert actions == ["deliver"]
    assert db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))) == 2


def test_a_due_parcel_is_asked_about_once(app: Flask, hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    with transaction() as session:
        session.execute(sa.update(Parcel).where(Parcel.id == parcel_id).values(next_poll_at=clock.now()))
    at_once(app, lambda _: services.poll_due())
    assert carrier.calls.count("track") == 1
