"""Every fault of the wire (EMS-PROTOCOL 8.6) leaves the parcel in a defined state with a message that a person understands.

One table, one hall, one simulator: each row makes the fault, does what the hall would do, and says what must stand afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import requests
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import clock
from app.kernel.db import db, new_id, transaction
from app.kernel.inbox import Notice
from delivery import services
from delivery.carriers import chosen
from delivery.carriers.ems.client import EmsCarrier, EmsSettings
from delivery.carriers.ems.codec import SignKey
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.models.waybills import Waybill
from delivery.observed import Status
from delivery.services import tracking, waybills
from delivery.simulator.faults import PUSH_FAULTS, Fault
from delivery.simulator.pushes import Line
from delivery.simulator.store import FIRST_CUSTOMER
from delivery.states import ParcelState
from delivery.words import TASK_TITLES, WAYS_OUT, carrier_problem
from tests.delivery.builders import Hall, a_checked_parcel, a_hall, parcel, tasks
from tests.delivery.conftest import MORNING, RECEIVER, Simulator, shipment

Clock = Callable[[datetime], None]
NOTICE = "/delivery/notice/ems/development"


def loopback(client: FlaskClient) -> Line:
    """The simulator's pushes, delivered into the application without a socket."""

    def send(_url: str, content: bytes, kind: str) -> tuple[int, bytes]:
        answer = client.post(NOTICE, data=content, content_type=kind)
        return answer.status_code, answer.data

    return send


@dataclass
class Desk:
    """A hall whose carrier is the simulator over HTTP."""

    hall: Hall
    simulator: Simulator
    at: Clock
    settings: EmsSettings

    def patience(self, fault: Fault) -> AbstractContextManager[None]:
        """Wait only briefly where the fault is that no answer comes."""
        if not fault.startswith("timeout"):
            return nullcontext()
        return chosen.using(EmsCarrier(replace(self.settings, read_timeout=0.3)))

    def sent(self, number: int) -> list[UUID]:
        """Parcels at the carrier's counter, as they stand after hand-over."""
        rows = []
        for each in range(number):
            order_no = f"JD-F-{new_id().hex[-12:]}-{each}"
            booked = chosen.carrier().book(shipment(order_no)).value
            assert booked
            to = RECEIVER
            identifier = new_id()
            rows.append({
                "id": identifier, "number": order_no, "thread_id": identifier, "subject": order_no,
                "hall_organisation_id": self.hall.id, "applicant_user_id": self.hall.applicant.user_id,
                "state": ParcelState.HANDED_OVER, "created_at": clock.now(), "serve_by": clock.now() + timedelta(days=14),
                "contents": "营业执照", "who_may_sign": "self", "receiver_name": to.name, "receiver_mobile": to.mobile,
                "receiver_prov": to.prov, "receiver_city": to.city, "receiver_county": to.county,
                "receiver_address": to.address, "pickup_code": "482913", "order_no": order_no,
                "waybill_no": booked.waybill_no, "handed_over_at": clock.now(), "version": 1,
            })  # fmt: skip
        with transaction() as session:
            session.execute(sa.insert(Parcel), rows)
        assert self.simulator.world.hand_in([str(row["waybill_no"]) for row in rows]) == number
        return [row["id"] for row in rows]

    def later(self, **span: float) -> None:
        """Let time pass on both sides."""
        self.simulator.world.clock.advance(timedelta(**span))
        self.simulator.world.tick()
        self.at(clock.now() + timedelta(**span))

    def ask(self, parcel_id: UUID) -> None:
        with transaction() as session:
            session.execute(sa.update(Parcel).where(Parcel.id == parcel_id).values(next_poll_at=clock.now()))
        services.poll_parcel(parcel_id)

    def book_again(self, parcel_id: UUID) -> None:
        with transaction() as session:
            session.execute(sa.update(Parcel).where(Parcel.id == parcel_id).values(booking_due_at=clock.now()))
        waybills.book(parcel_id)


@pytest.fixture
def desk(app: Flask, simulator: Simulator, client: FlaskClient, clock_at: Clock) -> Iterator[Desk]:
    clock_at(MORNING)
    key = SignKey(FIRST_CUSTOMER.sign_key)
    settings = EmsSettings(simulator.base_url, FIRST_CUSTOMER.sender_no, FIRST_CUSTOMER.authorization, key, 2.0, 10.0)
    simulator.pusher.lines = [loopback(client)]
    with chosen.using(EmsCarrier(settings)):
        yield Desk(a_hall(), simulator, clock_at, settings)


def live(parcel_id: UUID) -> int:
    statement = sa.select(sa.func.count()).where(Waybill.parcel_id == parcel_id, Waybill.state == "live")
    return db.session.scalar(statement) or 0


def understood(parcel_id: UUID) -> None:
    """Whatever is wrong is said in words that name a way out."""
    row = parcel(parcel_id)
    for problem in (row.booking_problem, row.check_problem):
        if problem:
            words = carrier_problem(problem)
            assert len(words) > 30
            assert any(hint in words for hint in ("by itself", "repeated", "Correct")), words
    for kind in tasks(parcel_id):
        assert TASK_TITLES[TaskKind(kind)]
        assert WAYS_OUT[TaskKind(kind)]


# fault: (state after the first try, part of the stored problem, open tasks); repeating it once ends with one live number
BOOKINGS = {
    Fault.CONNECT_REFUSED: (ParcelState.BOOKING, "connection-refused", []),
    Fault.DROP_BEFORE: (ParcelState.BOOKING, "connection-lost", []),
    Fault.DROP_AFTER: (ParcelState.BOOKING, "connection-lost", []),
    Fault.TIMEOUT_BEFORE: (ParcelState.BOOKING, "ReadTimeout", []),
    Fault.TIMEOUT_AFTER: (ParcelState.BOOKING, "ReadTimeout", []),
    Fault.SLOW_DRIP: (ParcelState.WAYBILLED, "", []),
    Fault.HTTP_500: (ParcelState.BOOKING, "http-500", []),
    Fault.HTTP_502: (ParcelState.BOOKING, "http-502", []),
    Fault.HTTP_503: (ParcelState.BOOKING, "http-503", []),
    Fault.HTTP_504: (ParcelState.BOOKING, "http-504", []),
    Fault.BLOCK_PAGE: (ParcelState.BOOKING, "http-405", []),
    Fault.TRUNCATED: (ParcelState.BOOKING, "BadReply", []),
    Fault.EMPTY_BODY: (ParcelState.BOOKING, "BadReply", []),
    Fault.BOM: (ParcelState.WAYBILLED, "", []),
    Fault.GBK: (ParcelState.WAYBILLED, "", []),
    Fault.EMPTY_RET_CODE: (ParcelState.WAYBILLED, "", []),
    Fault.RET_BODY_OBJECT: (ParcelState.WAYBILLED, "", []),
    Fault.RET_BODY_LIST: (ParcelState.WAYBILLED, "", []),
    Fault.SYSTEM_ERROR: (ParcelState.BOOKING, "S00001", []),
    Fault.RATE_LIMIT: (ParcelState.BOOKING, "B00001", ["booking_refused"]),
    Fault.DUPLICATE_SAME: (ParcelState.WAYBILLED, "", []),
    Fault.DUPLICATE_REFUSED: (ParcelState.WAYBILLED, "", []),
    Fault.DUPLICATE_SECOND: (ParcelState.WAYBILLED, "", []),
    Fault.NO_WAYBILL: (ParcelState.BOOKING, "unreadable", []),
    Fault.NO_ROUTE: (ParcelState.WAYBILLED, "", []),
    Fault.COMMA_NUMBERS: (ParcelState.WAYBILLED, "", []),
}
LABELS = {Fault.LABEL_NOT_FOUND, Fault.LABEL_EXPIRED, Fault.LABEL_NOT_PDF, Fault.LABEL_EMPTY, Fault.LABEL_NOT_READY}
# fault: (status after asking, stored problem, open tasks)
TRACKS = {
    Fault.TRACK_EMPTY: (Status.LABEL_CREATED, None, []),
    Fault.TRACK_NO_INFORMATION: (Status.LABEL_CREATED, None, []),
    Fault.TRACK_SHUFFLED: (Status.DELIVERED, None, []),
    Fault.TRACK_NO_OFFICE: (Status.DELIVERED, None, []),
    Fault.TRACK_UNKNOWN_CODE: (Status.DELIVERED, None, ["unknown_code"]),
    Fault.TRACK_SAME_SECOND: (Status.DELIVERED, None, []),
    Fault.TRACK_LATE_FIRST: (Status.DELIVERED, None, []),
    Fault.TRACK_EXTRA_FIELDS: (Status.DELIVERED, None, []),
}
CLOCKS = {Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND, Fault.CLOCK_MIDNIGHT}


def test_the_table_names_every_fault() -> None:
    assert set(Fault) == set(BOOKINGS) | LABELS | set(TRACKS) | PUSH_FAULTS | CLOCKS
    assert len(Fault) >= 58


def test_every_fault_of_a_booking_ends_with_one_live_number(desk: Desk) -> None:
    for fault, (state, problem, open_tasks) in BOOKINGS.items():
        parcel_id = a_checked_parcel(desk.hall)
        desk.simulator.fault(fault, seconds=0.3 if fault is Fault.CONNECT_REFUSED else 0.6)
        if fault is Fault.CONNECT_REFUSED:
            _until_refused(desk)
        with desk.patience(fault):
            waybills.book(parcel_id)
        row = parcel(parcel_id)
        assert row.state == state, fault
        assert problem in (row.booking_problem or ""), fault
        assert tasks(parcel_id) == open_tasks, fault
        understood(parcel_id)
        desk.simulator.world.faults.clear()
        if fault is Fault.CONNECT_REFUSED:
            _until_open(desk)
        if state == ParcelState.BOOKING:
            desk.book_again(parcel_id)
        assert (parcel(parcel_id).state, live(parcel_id), tasks(parcel_id)) == (ParcelState.WAYBILLED, 1, []), fault


def _until_refused(desk: Desk) -> None:
    for _ in range(200):
        try:
            requests.get(f"{desk.simulator.url}/healthz", timeout=1)
        except requests.ConnectionError:
            return


def _until_open(desk: Desk) -> None:
    for _ in range(400):
        try:
            requests.get(f"{desk.simulator.url}/healthz", timeout=1)
        except requests.ConnectionError:
            continue
        return


def test_a_repeated_order_that_is_refused_or_doubled_goes_before_a_person_or_is_cancelled(desk: Desk) -> None:
    refused = a_checked_parcel(desk.hall)
    desk.simulator.fault(Fault.DROP_AFTER)
    waybills.book(refused)
    desk.simulator.fault(Fault.DUPLICATE_REFUSED)
    desk.book_again(refused)
    assert (parcel(refused).state, tasks(refused)) == (ParcelState.BOOKING, ["booking_unclear"])
    understood(refused)
    doubled = a_checked_parcel(desk.hall)
    desk.simulator.fault(Fault.COMMA_NUMBERS)
    waybills.book(doubled)
    order_no = parcel(doubled).order_no
    assert order_no
    due = waybills.cancellations_due()
    assert [waybills.cancel_at_carrier(each) for each in due] == [True]
    orders = desk.simulator.world.store.parcels_of_order(FIRST_CUSTOMER.sender_no, order_no)
    assert sorted(each.cancelled for each in orders) == [False, True], "exactly one order is live over there"


def test_no_fault_of_a_label_stops_the_parcel(desk: Desk) -> None:
    parcel_id = a_checked_parcel(desk.hall)
    waybills.book(parcel_id)
    number = parcel(parcel_id).waybill_no
    assert number
    for fault in sorted(LABELS):
        by_link = fault in (Fault.LABEL_NOT_FOUND, Fault.LABEL_EXPIRED)
        with chosen.using(EmsCarrier(replace(desk.settings, label_as_link=by_link))):
            desk.simulator.fault(fault)
            assert waybills.fetch_label(number) is False, fault
            assert parcel(parcel_id).state == ParcelState.WAYBILLED
            assert waybills.fetch_label(number) is True, f"{fault}: the next call brings it"


def test_every_fault_of_a_query_leaves_a_status_that_the_next_query_mends(desk: Desk) -> None:
    silent = (Fault.DROP_AFTER, Fault.TIMEOUT_BEFORE, Fault.HTTP_502, Fault.BLOCK_PAGE, Fault.TRUNCATED, Fault.SYSTEM_ERROR, Fault.RATE_LIMIT)  # fmt: skip
    wanted = TRACKS | {fault: (Status.LABEL_CREATED, BOOKINGS[fault][1], []) for fault in silent}
    parcels = dict(zip(wanted, desk.sent(len(wanted)), strict=True))
    desk.later(days=3)
    for fault, (status, problem, open_tasks) in wanted.items():
        desk.simulator.fault(fault, api_code="040001", seconds=0.6)
        with desk.patience(fault):
            desk.ask(parcels[fault])
        row = parcel(parcels[fault])
        assert row.observed_status == status, fault
        assert (problem or "") in (row.check_problem or ""), fault
        assert (row.check_problem is None) == (problem is None), fault
        assert tasks(parcels[fault]) == open_tasks, fault
        understood(parcels[fault])
    desk.simulator.world.faults.clear()
    for fault, parcel_id in parcels.items():
        desk.ask(parcel_id)
        row = parcel(parcel_id)
        assert (row.state, row.observed_status, row.check_problem) == (ParcelState.DELIVERED, "delivered", None), fault
        assert row.last_checked_at == clock.now()


def test_no_fault_of_a_push_changes_a_status_and_every_parcel_ends_as_its_carrier_says(desk: Desk) -> None:
    world = desk.simulator.world
    world.store.keep_customer(replace(FIRST_CUSTOMER, callback=f"http://localhost{NOTICE}"))
    parcels = dict(zip(sorted(PUSH_FAULTS), desk.sent(len(PUSH_FAULTS)), strict=True))
    for fault, parcel_id in parcels.items():
        number = str(parcel(parcel_id).waybill_no)
        count = 1 if fault is Fault.PUSH_BURST else 3
        world.add_fault(
            {"fault": fault, "count": count, "seconds": 60, "match": {"waybill": number, "direction": "push"}}
        )
    desk.later(days=3)
    while desk.simulator.pusher.run():
        pass
    tracking.follow_notices()
    assert {parcel(each).observed_status for each in parcels.values()} == {"label_created"}, "a push decides nothing"
    for _ in range(3):
        for parcel_id in parcels.values():
            desk.ask(parcel_id)
    for fault, parcel_id in parcels.items():
        row = parcel(parcel_id)
        assert (row.state, row.observed_status) == (ParcelState.DELIVERED, "delivered"), fault
        assert set(tasks(parcel_id)) <= {"unconfirmed_notice"}, fault
        understood(parcel_id)
    forged = {fault for fault, parcel_id in parcels.items() if tasks(parcel_id)}
    assert forged <= {Fault.PUSH_FLIPPED_BYTE, Fault.PUSH_RESPLICED}, "only a forged event stays unconfirmed"
    refused = {each["waybill_no"] for each in world.store.pushes() if each["answer"].startswith("400")}
    broken = {fault for fault, parcel_id in parcels.items() if parcel(parcel_id).waybill_no in refused}
    assert {Fault.PUSH_WRONG_KEY, Fault.PUSH_WITHOUT_PREFIX} <= broken
    came = db.session.scalar(sa.select(sa.func.count(Notice.id))) or 0
    assert came > len(PUSH_FAULTS), "the pushes did arrive"
    again = [
        each["tries"]
        for each in world.store.pushes()
        if each["waybill_no"] == parcel(parcels[Fault.PUSH_CALLBACK_500]).waybill_no
    ]
    assert max(again) >= 1


def test_a_wrong_clock_over_there_changes_no_status(desk: Desk) -> None:
    for fault in sorted(CLOCKS):
        (parcel_id,) = desk.sent(1)
        desk.simulator.world.add_fault({"fault": fault, "seconds": 900})
        desk.later(days=3)
        desk.ask(parcel_id)
        assert (parcel(parcel_id).observed_status, tasks(parcel_id)) == ("delivered", []), fault
        desk.simulator.world.clock.skew(timedelta())


def test_a_gateway_that_minds_our_clock_refuses_in_words(desk: Desk) -> None:
    parcel_id = a_checked_parcel(desk.hall)
    desk.simulator.world.gateway.skew_limit = timedelta(minutes=5)
    desk.at(MORNING + timedelta(hours=1))
    waybills.book(parcel_id)
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.BOOKING, ["booking_refused"])
    assert "时间戳" in (parcel(parcel_id).booking_problem or "")
    understood(parcel_id)
