"""The use cases against the database and the in-process carrier: every refusal, and that nothing changed."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.identity.models import Notice
from app.kernel import outbox
from app.kernel.access import SYSTEM, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Outdated, Refused, TooManyRequests
from app.kernel.event import Event
from app.kernel.outbox import OutboxMessage
from delivery import jobs, queries, services
from delivery.carriers import chosen
from delivery.carriers.ems import mapping
from delivery.carriers.simulated import SimulatedCarrier
from delivery.custody import CustodyKind
from delivery.events import ParcelDelivered, ParcelDeliveryRevoked, ParcelHandedOver, ParcelReturned
from delivery.models.custody import CustodyStep
from delivery.models.reports import CarrierEvent
from delivery.models.waybills import Waybill
from delivery.ports import Verdict
from delivery.services import Pack, TakeOver, lookup, orders, tracking, waybills
from delivery.services.addresses import ChangeAddress, change_address
from delivery.services.lookup import Track
from delivery.services.orders import Dispute, Receiver
from delivery.services.tracking import ConfirmDelivery
from delivery.services.waybills import EnterNumber
from delivery.states import ParcelState
from tests.builders import a_member
from tests.delivery.builders import (
    Hall,
    a_checked_parcel,
    a_hall,
    a_handed_over_parcel,
    a_packed_parcel,
    a_waybilled_parcel,
    an_ordered_parcel,
    hand_over,
    parcel,
    receiver,
    tasks,
)

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
Clock = Callable[[datetime], None]


@pytest.fixture
def carrier(app: Flask) -> Iterator[SimulatedCarrier]:
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def hall(app: Flask, clock_at: Clock) -> Hall:
    clock_at(NOON)
    return a_hall()


@pytest.fixture
def told(app: Flask) -> Iterator[list[Event]]:
    """What the domains above hear."""
    heard: list[Event] = []
    wanted = (ParcelHandedOver, ParcelDelivered, ParcelDeliveryRevoked, ParcelReturned)
    before = {kind.name: dict(outbox._handlers.get(kind.name, {})) for kind in wanted}
    for kind in wanted:
        outbox._handlers[kind.name] = {"tests.heard": heard.append}
    yield heard
    outbox._handlers.update(before)


def live(parcel_id: UUID) -> list[str]:
    statement = sa.select(Waybill.waybill_no).where(Waybill.parcel_id == parcel_id, Waybill.state == "live")
    return list(db.session.scalars(statement))


def poll(parcel_id: UUID) -> None:
    """Ask now, whenever it is due."""
    from app.kernel import clock
    from app.kernel.db import transaction
    from delivery.models.parcels import Parcel

    with transaction() as session:
        session.execute(sa.update(Parcel).where(Parcel.id == parcel_id).values(next_poll_at=clock.now()))
    assert services.poll_parcel(parcel_id)
    outbox.drain_all()


# --- ordering ---


def test_a_subject_has_one_active_order(hall: Hall, carrier: SimulatedCarrier) -> None:
    first = an_ordered_parcel(hall, subject="case:1")
    assert an_ordered_parcel(hall, subject="case:1") == first
    assert an_ordered_parcel(hall, subject="case:2") != first
    assert parcel(first).state == ParcelState.CREATED


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("name", " ", "name"),
        ("mobile", "0571-88880000", "mobile"),
        ("county", "", "county"),
        ("address", "x", "address"),
    ],
)
def test_a_receiver_that_cannot_be_delivered_to_is_refused(hall: Hall, field: str, value: str, pointer: str) -> None:
    from dataclasses import replace

    with pytest.raises(Refused) as refusal:
        orders.checked_receiver(replace(receiver(), **{field: value}))
    assert refusal.value.field == pointer


def test_the_applicant_is_told_the_pick_up_code(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = an_ordered_parcel(hall)
    notice = db.session.scalars(sa.select(Notice).where(Notice.user_id == hall.applicant.user_id)).one()
    assert notice.params["code"] == parcel(parcel_id).pickup_code


def test_contents_ready_bears_a_repeat(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(SYSTEM, parcel_id)
    services.contents_ready(SYSTEM, parcel_id)
    assert parcel(parcel_id).state == ParcelState.READY


# --- packing ---


def test_packing_needs_the_comparison_and_a_fresh_seal(hall: Hall, carrier: SimulatedCarrier) -> None:
    first, second = a_packed_parcel(hall), an_ordered_parcel(hall)
    services.contents_ready(SYSTEM, second)
    seal = parcel(first).seal_no
    assert seal
    with pytest.raises(Refused) as refusal:
        services.pack(hall.packer, second, Pack("FQ-NEW", 120, contents_compared=False))
    assert refusal.value.code == "not-compared"
    with pytest.raises(Refused) as refusal:
        services.pack(hall.packer, second, Pack(seal.lower(), 120, contents_compared=True))
    assert (refusal.value.code, refusal.value.field) == ("seal-used", "seal_no")
    assert (parcel(second).state, parcel(second).seal_no) == (ParcelState.READY, None)


def test_the_packer_cannot_check_their_own_parcel(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_packed_parcel(hall)
    with pytest.raises(Refused) as refusal:
        services.check_packing(hall.packer, parcel_id, None)
    assert refusal.value.code == "second-person-needed"
    assert (parcel(parcel_id).state, parcel(parcel_id).order_no) == (ParcelState.PACKED, None)
    services.check_packing(hall.checker, parcel_id, None)
    assert parcel(parcel_id).state == ParcelState.BOOKING


def test_the_second_person_can_return_it(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_packed_parcel(hall)
    services.return_to_packer(hall.checker, parcel_id, Dispute("封签破损"))
    assert (parcel(parcel_id).state, parcel(parcel_id).seal_no) == (ParcelState.READY, None)


@pytest.mark.parametrize("role", [Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.WINDOW_CLERK, Role.APPLICANT])
def test_another_halls_parcel_does_not_exist(hall: Hall, carrier: SimulatedCarrier, role: Role) -> None:
    parcel_id = a_packed_parcel(hall)
    stranger = a_member(role)
    for attempt in (
        lambda: queries.parcel_view(parcel_id, stranger),
        lambda: services.check_packing(stranger, parcel_id, None),
        lambda: services.void_waybill(stranger, parcel_id, Dispute("x")),
        lambda: queries.label_of(parcel_id, stranger),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert parcel(parcel_id).state == ParcelState.PACKED


def test_an_applicant_cannot_work_on_their_own_parcel(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_packed_parcel(hall)
    with pytest.raises(NotAllowed):
        services.check_packing(hall.applicant, parcel_id, None)


def test_a_stale_page_changes_nothing(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = an_ordered_parcel(hall)
    seen = parcel(parcel_id).version
    services.contents_ready(SYSTEM, parcel_id)
    with pytest.raises(Outdated):
        services.pack(hall.packer, parcel_id, Pack("FQ1", 120, contents_compared=True, version=seen))
    assert parcel(parcel_id).state == ParcelState.READY


# --- waybills ---


def test_a_number_is_taken_and_the_label_kept(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_waybilled_parcel(hall)
    row = parcel(parcel_id)
    assert (row.state, row.waybill_no, row.order_no) == (ParcelState.WAYBILLED, "1000000001460", row.number)
    assert live(parcel_id) == ["1000000001460"]
    view, pdf = queries.label_of(parcel_id, hall.packer)
    assert pdf is not None
    assert pdf.startswith(b"%PDF-")
    assert view.label_ready


@pytest.mark.parametrize("verdict", [Verdict.UNAVAILABLE, Verdict.UNCERTAIN])
def test_an_unreachable_carrier_leaves_the_step_pending_and_it_finishes_by_itself(
    hall: Hall, carrier: SimulatedCarrier, clock_at: Clock, verdict: Verdict
) -> None:
    carrier.behave("book", verdict, times=2)
    parcel_id = a_waybilled_parcel(hall)
    row = parcel(parcel_id)
    assert (row.state, row.booking_tries, row.booking_problem) == (ParcelState.BOOKING, 1, "simulated")
    assert row.booking_due_at is not None
    assert tasks(parcel_id) == []
    assert jobs.ask_for_numbers() == 0, "not before it is due"
    clock_at(NOON + timedelta(seconds=30))
    jobs.ask_for_numbers()
    assert parcel(parcel_id).state == ParcelState.BOOKING
    clock_at(NOON + timedelta(minutes=5))
    assert jobs.ask_for_numbers() == 1
    assert (parcel(parcel_id).state, live(parcel_id)) == (ParcelState.WAYBILLED, ["1000000001460"])


def test_a_lost_reply_makes_exactly_one_live_waybill(hall: Hall, carrier: SimulatedCarrier, clock_at: Clock) -> None:
    carrier.behave("book", Verdict.UNCERTAIN, after_processing=True)
    parcel_id = a_waybilled_parcel(hall)
    assert parcel(parcel_id).state == ParcelState.BOOKING
    clock_at(NOON + timedelta(minutes=5))
    jobs.ask_for_numbers()
    order_no = parcel(parcel_id).order_no
    assert order_no
    assert carrier.live_waybills(order_no) == live(parcel_id) == ["1000000001460"]


def test_a_lost_reply_with_a_carrier_that_refuses_repeats(
    hall: Hall, carrier: SimulatedCarrier, clock_at: Clock
) -> None:
    carrier.duplicates = "refuse"
    carrier.behave("book", Verdict.UNCERTAIN, after_processing=True)
    parcel_id = a_waybilled_parcel(hall)
    clock_at(NOON + timedelta(minutes=5))
    jobs.ask_for_numbers()
    row = parcel(parcel_id)
    assert (row.state, row.booking_due_at, tasks(parcel_id)) == (ParcelState.BOOKING, None, ["booking_unclear"])
    with pytest.raises(Refused) as refusal:
        waybills.unbook(hall.supervisor, parcel_id, Dispute("重来"))
    assert refusal.value.code == "booking-uncertain"
    with pytest.raises(NotAllowed):
        services.enter_number(hall.packer, parcel_id, EnterNumber("1000000001460", "电话确认"))
    services.enter_number(hall.supervisor, parcel_id, EnterNumber("１０００００００01460", "电话确认"))
    assert (parcel(parcel_id).state, live(parcel_id), tasks(parcel_id)) == (
        ParcelState.WAYBILLED,
        ["1000000001460"],
        [],
    )


def test_a_second_number_is_cancelled_when_it_becomes_known(
    hall: Hall, carrier: SimulatedCarrier, clock_at: Clock
) -> None:
    carrier.duplicates = "second"
    carrier.behave("book", Verdict.UNCERTAIN, after_processing=True)
    parcel_id = a_waybilled_parcel(hall)
    clock_at(NOON + timedelta(minutes=5))
    jobs.ask_for_numbers()
    assert live(parcel_id) == ["1000000002860"]
    order_no = parcel(parcel_id).order_no
    assert order_no
    carrier.report("1000000001460", "764", NOON)
    assert waybills.adopt_number(parcel_id, order_no, "1000000001460")
    assert jobs.give_up_numbers() == 1
    assert carrier.live_waybills(order_no) == live(parcel_id) == ["1000000002860"]


def test_a_number_nobody_has_reports_for_is_not_believed(hall: Hall, carrier: SimulatedCarrier) -> None:
    carrier.behave("book", Verdict.UNAVAILABLE, times=9)
    parcel_id = a_waybilled_parcel(hall)
    order_no = parcel(parcel_id).order_no
    assert order_no
    assert not waybills.adopt_number(parcel_id, order_no, "1000000009960")
    assert (parcel(parcel_id).state, live(parcel_id)) == (ParcelState.BOOKING, [])


def test_a_refused_order_waits_for_a_person(hall: Hall, carrier: SimulatedCarrier) -> None:
    carrier.behave("book", Verdict.REFUSED)
    parcel_id = a_waybilled_parcel(hall)
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.BOOKING, ["booking_refused"])
    there = Receiver("李晓燕", "13900001111", "浙江省", "宁波市", "鄞州区", "天童北路1号")
    change_address(hall.supervisor, parcel_id, ChangeAddress(there, reason="电话核实收件人身份"))
    assert jobs.ask_for_numbers() == 1
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.WAYBILLED, [])


def test_a_voided_number_is_cancelled_and_the_next_order_has_another_order_number(
    hall: Hall, carrier: SimulatedCarrier
) -> None:
    parcel_id = a_waybilled_parcel(hall)
    first = parcel(parcel_id).order_no
    assert first
    services.void_waybill(hall.supervisor, parcel_id, Dispute("收件人改址"))
    outbox.drain_all()
    assert (parcel(parcel_id).state, carrier.live_waybills(first)) == (ParcelState.READY, [])
    services.pack(hall.packer, parcel_id, Pack("FQ-NEXT", 120, contents_compared=True))
    services.check_packing(hall.checker, parcel_id, None)
    outbox.drain_all()
    assert parcel(parcel_id).order_no == f"{first}-2"
    assert live(parcel_id) == ["1000000002860"]


@pytest.mark.parametrize("number", ["123", "abc", "10000000014600", ""])
def test_what_is_no_number_cannot_be_entered(hall: Hall, carrier: SimulatedCarrier, number: str) -> None:
    carrier.behave("book", Verdict.REFUSED)
    parcel_id = a_waybilled_parcel(hall)
    with pytest.raises(Refused) as refusal:
        services.enter_number(hall.supervisor, parcel_id, EnterNumber(number, "x"))
    assert refusal.value.code == "not-a-waybill"
    assert parcel(parcel_id).state == ParcelState.BOOKING


# --- hand-over ---


def test_a_list_is_signed_by_two_people_and_its_parcels_are_handed_over(
    hall: Hall, carrier: SimulatedCarrier, told: list[Event]
) -> None:
    first, second = a_waybilled_parcel(hall), a_waybilled_parcel(hall)
    batch_id = hand_over(hall, first, second)
    assert [parcel(each).state for each in (first, second)] == [ParcelState.HANDED_OVER, ParcelState.HANDED_OVER]
    assert sorted(carrier.handed_over) == ["1000000001460", "1000000002860"]
    assert {event.parcel_id for event in told if isinstance(event, ParcelHandedOver)} == {first, second}
    view = queries.batch_view(batch_id, hall.packer)
    assert (view.offered_name, view.taken_name, view.courier_name, view.taken_count) == ("周敏", "吴强", "王强", 2)


def test_the_same_person_cannot_sign_both_sides(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_waybilled_parcel(hall)
    batch_id = services.open_batch(hall.packer)
    services.add_to_batch(hall.packer, batch_id, services.AddToBatch("1000000001460"))
    services.offer_batch(hall.packer, batch_id, services.OfferBatch(1))
    with pytest.raises(Refused) as refusal:
        services.take_over(hall.packer, batch_id, TakeOver("王强", "1", 1))
    assert refusal.value.code == "second-person-needed"
    assert parcel(parcel_id).state == ParcelState.WAYBILLED


def test_what_is_missing_stays_with_the_hall(hall: Hall, carrier: SimulatedCarrier) -> None:
    first, second = a_waybilled_parcel(hall), a_waybilled_parcel(hall)
    hand_over(hall, first, second, missing=(second,))
    assert [parcel(each).state for each in (first, second)] == [ParcelState.HANDED_OVER, ParcelState.WAYBILLED]
    assert tasks(second) == ["missing_at_handover"]
    assert carrier.handed_over == ["1000000001460"]
    hand_over(hall, second)
    assert (parcel(second).state, tasks(second)) == (ParcelState.HANDED_OVER, [])


@pytest.mark.parametrize(("counted", "missing"), [(3, 0), (1, 0), (2, 1)])
def test_a_count_that_does_not_agree_hands_nothing_over(
    hall: Hall, carrier: SimulatedCarrier, counted: int, missing: int
) -> None:
    first, second = a_waybilled_parcel(hall), a_waybilled_parcel(hall)
    batch_id = services.open_batch(hall.packer)
    for number in ("1000000001460", "1000000002860"):
        services.add_to_batch(hall.packer, batch_id, services.AddToBatch(number))
    services.offer_batch(hall.packer, batch_id, services.OfferBatch(2))
    with pytest.raises(Refused) as refusal:
        services.take_over(hall.checker, batch_id, TakeOver("王强", "1", counted, (first, second)[:missing]))
    assert refusal.value.code == "count-differs"
    assert queries.batch_view(batch_id, hall.packer).state == "offered"
    assert parcel(first).state == ParcelState.WAYBILLED


def test_scans_onto_a_list(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_waybilled_parcel(hall)
    batch_id = services.open_batch(hall.packer)
    for code in (
        "https://mini.ems.com.cn/youzheng/mini/1000000001460",
        parcel(parcel_id).seal_no,
        parcel(parcel_id).number,
    ):
        assert services.add_to_batch(hall.packer, batch_id, services.AddToBatch(str(code))) == parcel_id
    assert len(queries.batch_view(batch_id, hall.packer).lines) == 1
    with pytest.raises(Refused):
        services.add_to_batch(hall.packer, batch_id, services.AddToBatch("1000000009960"))
    other = services.open_batch(hall.checker)
    with pytest.raises(Conflict) as conflict:
        services.add_to_batch(hall.checker, other, services.AddToBatch("1000000001460"))
    assert conflict.value.code == "already-listed"
    with pytest.raises(Refused) as refusal:
        services.void_waybill(hall.supervisor, parcel_id, Dispute("x"))
    assert refusal.value.code == "on-a-list"


def test_a_parcel_that_is_not_ready_or_of_another_hall_is_not_listed(hall: Hall, carrier: SimulatedCarrier) -> None:
    packed = a_packed_parcel(hall)
    batch_id = services.open_batch(hall.packer)
    with pytest.raises(Conflict) as conflict:
        services.add_to_batch(hall.packer, batch_id, services.AddToBatch(parcel(packed).number))
    assert conflict.value.code == "wrong-state"
    a_waybilled_parcel(hall)
    theirs = a_hall()
    with pytest.raises(Refused):
        services.add_to_batch(theirs.packer, services.open_batch(theirs.packer), services.AddToBatch("1000000001460"))
    with pytest.raises(NotFound):
        services.add_to_batch(theirs.packer, batch_id, services.AddToBatch("1000000001460"))


# --- what the carrier reports ---


def test_delivered_in_person_ends_it(hall: Hall, carrier: SimulatedCarrier, told: list[Event]) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "203", NOON)
    carrier.report("1000000001460", "704", NOON + timedelta(hours=20), deliverCode="10")
    poll(parcel_id)
    row = parcel(parcel_id)
    assert (row.state, row.signer_class, row.signer_name) == (ParcelState.DELIVERED, "in_person", "李晓燕")
    assert row.delivered_at == NOON + timedelta(hours=20)
    delivered = [event for event in told if isinstance(event, ParcelDelivered)]
    assert [(event.signer_class, event.delivered_at) for event in delivered] == [("in_person", row.delivered_at)]


def test_polling_again_changes_nothing(hall: Hall, carrier: SimulatedCarrier, told: list[Event]) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    poll(parcel_id)
    before = (parcel(parcel_id).version, len(told), db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))))
    poll(parcel_id)
    poll(parcel_id)
    assert (
        parcel(parcel_id).version,
        len(told),
        db.session.scalar(sa.select(sa.func.count(CarrierEvent.id))),
    ) == before


@pytest.mark.parametrize("code", ["20", "50", "161", "100", ""])
def test_a_delivery_not_in_person_asks_staff(
    hall: Hall, carrier: SimulatedCarrier, told: list[Event], code: str
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "704", NOON, deliverCode=code)
    poll(parcel_id)
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.HANDED_OVER, ["doubtful_delivery"])
    assert not [event for event in told if isinstance(event, ParcelDelivered)]
    services.confirm_delivery(hall.supervisor, parcel_id, ConfirmDelivery("李晓燕", "电话确认已收到"))
    outbox.drain_all()
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.DELIVERED, [])
    assert len([event for event in told if isinstance(event, ParcelDelivered)]) == 1


def test_an_allowed_proxy_ends_it(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall, who_may_sign="agent")
    carrier.report("1000000001460", "704", NOON, deliverCode="20")
    poll(parcel_id)
    assert (parcel(parcel_id).state, parcel(parcel_id).signer_class) == (ParcelState.DELIVERED, "proxy")


def test_nothing_can_be_confirmed_that_the_carrier_does_not_report(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    with pytest.raises(Refused) as refusal:
        services.confirm_delivery(hall.supervisor, parcel_id, ConfirmDelivery("李晓燕", "x"))
    assert refusal.value.code == "not-delivered"
    assert parcel(parcel_id).state == ParcelState.HANDED_OVER


def test_a_revoked_delivery_reopens_and_the_applicant_is_corrected_once(
    hall: Hall, carrier: SimulatedCarrier, told: list[Event]
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    poll(parcel_id)
    carrier.report("1000000001460", "743", NOON + timedelta(hours=1))
    poll(parcel_id)
    poll(parcel_id)
    row = parcel(parcel_id)
    assert (row.state, row.delivered_at, row.signer_class) == (ParcelState.HANDED_OVER, None, None)
    assert [type(event) for event in told][-2:] == [ParcelDelivered, ParcelDeliveryRevoked]
    kinds = list(db.session.scalars(sa.select(Notice.kind).where(Notice.user_id == hall.applicant.user_id)))
    assert kinds.count("delivery.revoked") == 1
    carrier.report("1000000001460", "704", NOON + timedelta(days=1), deliverCode="10")
    poll(parcel_id)
    assert (parcel(parcel_id).state, parcel(parcel_id).delivered_at) == (
        ParcelState.DELIVERED,
        NOON + timedelta(days=1),
    )
    assert tasks(parcel_id) == []


def test_revoked_and_delivered_again_between_two_polls(
    hall: Hall, carrier: SimulatedCarrier, told: list[Event]
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    poll(parcel_id)
    carrier.report("1000000001460", "743", NOON + timedelta(hours=1))
    carrier.report("1000000001460", "704", NOON + timedelta(hours=2), deliverCode="161")
    poll(parcel_id)
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.HANDED_OVER, ["doubtful_delivery"])


def test_a_return_comes_back_to_the_desk_and_is_sent_again(
    hall: Hall, carrier: SimulatedCarrier, told: list[Event]
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "203", NOON)
    carrier.report("1000000001460", "705", NOON + timedelta(hours=1), attemptDeliveryCode="7")
    carrier.report("1000000001460", "708", NOON + timedelta(hours=2))
    poll(parcel_id)
    assert (parcel(parcel_id).observed_status, tasks(parcel_id)) == ("returning", ["returning"])
    carrier.report("1000000001460", "711", NOON + timedelta(days=2))
    poll(parcel_id)
    tracking.take_back(hall.packer, parcel_id, None)
    outbox.drain_all()
    assert [event.reason for event in told if isinstance(event, ParcelReturned)] == ["refused"]
    tracking.resend(hall.packer, parcel_id, Dispute("收件人改址"))
    services.pack(hall.packer, parcel_id, Pack("FQ-AGAIN", 120, contents_compared=True))
    services.check_packing(hall.checker, parcel_id, None)
    outbox.drain_all()
    row = parcel(parcel_id)
    assert (row.state, row.waybill_no, row.order_no) == (ParcelState.WAYBILLED, "1000000002860", f"{row.number}-2")
    assert row.observed_status == "label_created"


def test_a_parcel_on_its_way_cannot_be_taken_back(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "702", NOON)
    poll(parcel_id)
    with pytest.raises(Refused) as refusal:
        tracking.take_back(hall.packer, parcel_id, None)
    assert refusal.value.code == "not-returned"


def test_a_lost_parcel(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "987", NOON)
    poll(parcel_id)
    assert (parcel(parcel_id).state, tasks(parcel_id)) == (ParcelState.LOST, ["lost"])


def test_an_unknown_code_alarms_once_and_changes_nothing(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "203", NOON)
    carrier.report("1000000001460", "QX7", NOON + timedelta(hours=1))
    poll(parcel_id)
    poll(parcel_id)
    assert (parcel(parcel_id).observed_status, tasks(parcel_id)) == ("collected", ["unknown_code"])


@pytest.mark.parametrize("verdict", [Verdict.UNAVAILABLE, Verdict.UNCERTAIN, Verdict.REFUSED])
def test_a_carrier_that_does_not_answer_leaves_the_status_and_says_since_when(
    hall: Hall, carrier: SimulatedCarrier, clock_at: Clock, verdict: Verdict
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "203", NOON)
    poll(parcel_id)
    clock_at(NOON + timedelta(hours=1))
    carrier.behave("track", verdict)
    carrier.report("1000000001460", "702", NOON)
    poll(parcel_id)
    row = parcel(parcel_id)
    assert (row.observed_status, row.check_problem, row.last_checked_at) == ("collected", "simulated", NOON)
    assert row.next_poll_at is not None
    assert row.next_poll_at > NOON + timedelta(hours=1)
    poll(parcel_id)
    assert (parcel(parcel_id).observed_status, parcel(parcel_id).check_problem) == ("out_for_delivery", None)


def test_an_unreachable_carrier_is_not_waited_for_parcel_by_parcel(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcels = [a_handed_over_parcel(hall) for _ in range(3)]
    carrier.behave("track", Verdict.UNAVAILABLE)
    assert services.poll_due() == 1
    assert carrier.calls.count("track") == 1
    assert services.poll_due() == 2, "the others stay due"
    assert [parcel(each).check_problem for each in parcels].count("simulated") == 1


def test_a_carrier_that_tells_by_itself_is_asked_more_patiently(
    hall: Hall, carrier: SimulatedCarrier, clock_at: Clock
) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "203", NOON)
    assert services.poll_due() == 1
    assert parcel(parcel_id).next_poll_at == NOON + chosen.pace().floor, "nobody announced it"
    event = {"waybillNo": "1000000001460", "opCode": "713", "opTime": "2026-03-02 12:01:00"}
    clock_at(NOON + timedelta(seconds=5))
    carrier.report("1000000001460", "713", mapping.from_beijing(event["opTime"]))
    raw = json.dumps({"serialNo": "1", "event": event}).encode()
    tracking.record_notice(carrier.open_push(raw, "application/json"), raw, carrier.code)
    assert tracking.follow_notices() == 1
    assert services.poll_due() == 1
    row = parcel(parcel_id)
    assert (row.observed_status, row.next_poll_at) == (
        "in_transit",
        NOON + timedelta(seconds=5) + chosen.pace().ceiling,
    )


def test_two_parcels_of_one_batch_that_two_reports_change_are_each_recorded_and_told(
    hall: Hall, carrier: SimulatedCarrier
) -> None:
    first, second = a_handed_over_parcel(hall), a_handed_over_parcel(hall)
    for each in (first, second):
        number = parcel(each).waybill_no
        assert number
        carrier.report(number, "203", NOON)
        carrier.report(number, "704", NOON, deliverCode="10")
    assert services.poll_due() == 2
    for each in (first, second):
        told = sa.select(Notice.kind, Notice.user_id).where(Notice.thread_id == parcel(each).thread_id)
        news = [row.kind for row in db.session.execute(told) if row.user_id == hall.applicant.user_id]
        assert news.count("delivery.delivered") == 1
        chain = sa.select(CustodyStep.position, CustodyStep.kind).where(CustodyStep.parcel_id == each)
        steps = db.session.execute(chain.order_by(CustodyStep.position)).all()
        assert [row.position for row in steps] == list(range(1, len(steps) + 1))
        assert steps[-1].kind == CustodyKind.SERVED


def test_silence_raises_an_alarm_once(hall: Hall, carrier: SimulatedCarrier, clock_at: Clock) -> None:
    parcel_id = a_handed_over_parcel(hall)
    clock_at(NOON + timedelta(hours=23))
    assert jobs.raise_alarms() == 0
    clock_at(NOON + timedelta(hours=24))
    assert jobs.raise_alarms() == 1
    assert jobs.raise_alarms() == 0
    assert tasks(parcel_id) == ["not_collected"]
    carrier.report("1000000001460", "203", NOON + timedelta(hours=24))
    poll(parcel_id)
    assert tasks(parcel_id) == []


def test_an_undisputed_delivery_closes_by_itself(hall: Hall, carrier: SimulatedCarrier, clock_at: Clock) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    poll(parcel_id)
    clock_at(NOON + timedelta(days=10) - timedelta(seconds=1))
    assert jobs.close_quiet() == 0
    clock_at(NOON + timedelta(days=10))
    assert jobs.close_quiet() == 1
    assert parcel(parcel_id).state == ParcelState.CLOSED


def test_the_applicant_confirms_or_disputes(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    with pytest.raises(IllegalTransition):
        services.confirm_receipt(hall.applicant, parcel_id, None)
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    poll(parcel_id)
    with pytest.raises(NotAllowed):
        services.confirm_receipt(hall.packer, parcel_id, None)
    services.dispute(hall.applicant, parcel_id, Dispute("家里没人收到"))
    assert tasks(parcel_id) == ["disputed"]
    services.confirm_receipt(hall.applicant, parcel_id, None)
    assert parcel(parcel_id).state == ParcelState.CLOSED


# --- who sees what ---


def test_each_role_sees_of_the_receiver_what_it_needs(hall: Hall, carrier: SimulatedCarrier, clock_at: Clock) -> None:
    parcel_id = a_handed_over_parcel(hall)
    seen = {
        name: queries.parcel_view(parcel_id, actor).receiver
        for name, actor in (
            ("applicant", hall.applicant), ("staff", hall.packer), ("supervisor", hall.supervisor),
            ("operator", a_member(Role.OPERATOR)), ("auditor", a_member(Role.AUDITOR)),
        )
    }  # fmt: skip
    assert (seen["applicant"].mobile, seen["supervisor"].mobile) == ("13912345678", "13912345678")
    assert (seen["staff"].name, seen["staff"].mobile) == ("李晓燕", "139******78")
    for name in ("operator", "auditor"):
        assert (seen[name].name, seen[name].mobile) == ("李**", "139******78")
        assert seen[name].line == "浙江省宁波市海曙区中山西路***"
    carrier.report("1000000001460", "704", NOON, deliverCode="10")
    poll(parcel_id)
    clock_at(NOON + timedelta(days=30))
    assert queries.parcel_view(parcel_id, hall.supervisor).receiver.name == "李**"
    assert queries.parcel_view(parcel_id, hall.applicant).receiver.name == "李晓燕"


def test_only_the_applicant_sees_the_pick_up_code(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = an_ordered_parcel(hall)
    assert queries.parcel_view(parcel_id, hall.applicant).pickup_code == parcel(parcel_id).pickup_code
    assert queries.parcel_view(parcel_id, hall.supervisor).pickup_code is None


def test_public_tracking_needs_both_halves_and_locks(hall: Hall, carrier: SimulatedCarrier, clock_at: Clock) -> None:
    parcel_id = a_handed_over_parcel(hall)
    code = parcel(parcel_id).pickup_code
    assert lookup.track(Track("1000000001460", "5678")) == parcel_id
    assert lookup.track(Track(parcel(parcel_id).number.lower(), code)) == parcel_id
    version = parcel(parcel_id).version
    for _ in range(5):
        with pytest.raises(Refused):
            lookup.track(Track("1000000001460", "0000"))
    with pytest.raises(TooManyRequests):
        lookup.track(Track("1000000001460", "5678"))
    assert parcel(parcel_id).version == version, "strangers do not make the hall's pages stale"
    clock_at(NOON + timedelta(minutes=15))
    assert lookup.track(Track("1000000001460", "5678")) == parcel_id
    with pytest.raises(Refused):
        lookup.track(Track("1000000009960", "5678"))


def test_no_telephone_number_of_a_courier_is_stored_in_what_is_shown(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_handed_over_parcel(hall)
    carrier.report("1000000001460", "702", NOON, opDesc="正在派送,投递员:王强13800008899")
    poll(parcel_id)
    (report,) = queries.reports_of(parcel_id, "1000000001460", internal=True)
    assert report.text == "正在派送,投递员:王强138******99"


def test_no_dead_messages(hall: Hall, carrier: SimulatedCarrier) -> None:
    hand_over(hall, a_waybilled_parcel(hall))
    open_messages = db.session.scalars(sa.select(OutboxMessage.handler).where(OutboxMessage.error.is_not(None))).all()
    assert open_messages == []


def test_a_checked_parcel_is_not_booked_twice_at_once(hall: Hall, carrier: SimulatedCarrier) -> None:
    parcel_id = a_checked_parcel(hall)
    assert waybills._claim_booking(parcel_id) is not None
    assert waybills._claim_booking(parcel_id) is None
