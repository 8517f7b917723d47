"""The EMS client against every fault of the wire: which verdict, and what exists over there afterwards."""

import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from app.kernel import clock
from delivery.carriers.ems.client import EmsCarrier, EmsSettings, read_envelope
from delivery.carriers.ems.codec import SignKey
from delivery.carriers.ems.errors import BadReply
from delivery.observed import Status, fold
from delivery.ports import Capability, LabelSize, PushRefused, Verdict
from delivery.simulator.faults import Fault
from delivery.simulator.pushes import broken_seal
from delivery.simulator.store import FIRST_CUSTOMER
from tests.delivery.conftest import MORNING, Simulator, shipment

NO = "1000000001460"


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[None]:
    with clock.at(MORNING):
        yield


def live(simulator: Simulator, order_no: str = "JD-2026-000001") -> list[str]:
    known = simulator.world.store.parcels_of_order(FIRST_CUSTOMER.sender_no, order_no)
    return [each.waybill_no for each in known if not each.cancelled]


@pytest.mark.parametrize(
    ("fault", "verdict", "exists"),
    [
        ("drop_before", Verdict.UNCERTAIN, False), ("drop_after", Verdict.UNCERTAIN, True),
        ("http_500", Verdict.UNCERTAIN, False), ("http_502", Verdict.UNCERTAIN, False),
        ("http_503", Verdict.UNCERTAIN, False), ("http_504", Verdict.UNCERTAIN, False),
        ("block_page", Verdict.UNCERTAIN, False), ("truncated", Verdict.UNCERTAIN, True),
        ("empty_body", Verdict.UNCERTAIN, True), ("system_error", Verdict.UNCERTAIN, False),
        ("rate_limit", Verdict.REFUSED, False), ("no_waybill", Verdict.UNCERTAIN, True),
        ("slow_drip", Verdict.OK, True), ("bom", Verdict.OK, True), ("gbk", Verdict.OK, True),
        ("empty_ret_code", Verdict.OK, True), ("ret_body_object", Verdict.OK, True), ("ret_body_list", Verdict.OK, True),
        ("no_route", Verdict.OK, True),
    ],
)  # fmt: skip
def test_a_booking_under_each_fault_and_its_repetition(
    simulator: Simulator, fault: str, verdict: Verdict, exists: bool
) -> None:
    carrier = simulator.carrier()
    simulator.fault(fault, api_code="020003")
    assert carrier.book(shipment()).verdict is verdict
    assert bool(live(simulator)) is exists
    again = carrier.book(shipment())
    assert again.value is not None
    assert live(simulator) == [again.value.waybill_no], "the same order number never makes a second waybill here"


def test_a_timeout_after_processing_is_uncertain(simulator: Simulator) -> None:
    simulator.fault("timeout_after", seconds=1.0)
    assert simulator.carrier(read_timeout=0.3).book(shipment()).verdict is Verdict.UNCERTAIN
    assert live(simulator) == [NO]


def test_nobody_listens_is_unavailable() -> None:
    carrier = EmsCarrier(EmsSettings("http://127.0.0.1:9/x", "1100000000001", "A", SignKey(FIRST_CUSTOMER.sign_key)))
    assert carrier.book(shipment()).verdict is Verdict.UNAVAILABLE


def test_a_repeated_order_can_be_refused_or_doubled(simulator: Simulator) -> None:
    carrier = simulator.carrier()
    carrier.book(shipment())
    simulator.fault("duplicate_refused")
    assert carrier.book(shipment()).verdict is Verdict.REFUSED
    simulator.fault("duplicate_second")
    second = carrier.book(shipment()).value
    assert second is not None
    assert second.waybill_no == "1000000002860"


def test_several_numbers_for_one_order_are_all_told(simulator: Simulator) -> None:
    simulator.fault("comma_numbers")
    booking = simulator.carrier().book(shipment()).value
    assert booking is not None
    assert (booking.waybill_no, booking.other_waybill_nos) == (NO, ("1000000002860",))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [({"sender_no": "1100000000002"}, Verdict.REFUSED), ({"authorization": "WRONG"}, Verdict.REFUSED),
     ({"sign_key": SignKey("V1JPTkctS0VZLTAwMDAwMQ==")}, Verdict.REFUSED)],
)  # fmt: skip
def test_wrong_credentials_are_refused(simulator: Simulator, change: dict[str, object], verdict: Verdict) -> None:
    right: dict[str, object] = {
        "base_url": simulator.base_url, "sender_no": FIRST_CUSTOMER.sender_no,
        "authorization": FIRST_CUSTOMER.authorization, "sign_key": SignKey(FIRST_CUSTOMER.sign_key),
    }  # fmt: skip
    carrier = EmsCarrier(EmsSettings(**(right | change)))  # type: ignore[arg-type]
    reply = carrier.book(shipment())
    assert (reply.verdict, reply.messages[0].code) == (verdict, "B00001")
    assert live(simulator) == []


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [("label_not_pdf", Verdict.UNCERTAIN), ("label_empty", Verdict.UNCERTAIN), ("label_not_ready", Verdict.REFUSED)],
)
def test_a_label_that_is_none(simulator: Simulator, fault: str, verdict: Verdict) -> None:
    carrier = simulator.carrier()
    carrier.book(shipment())
    simulator.fault(fault)
    assert carrier.label(NO, LabelSize.SMALL).verdict is verdict
    assert carrier.label(NO, LabelSize.SMALL).verdict is Verdict.OK


@pytest.mark.parametrize(
    "fault",
    [
        "track_shuffled",
        "track_no_office",
        "track_unknown_code",
        "track_extra_fields",
        "ret_body_object",
        "ret_body_list",
    ],
)
def test_tracking_reads_the_same_status_under_harmless_faults(simulator: Simulator, fault: str) -> None:
    carrier = simulator.carrier()
    carrier.book(shipment())
    simulator.world.hand_in([NO])
    simulator.pass_time(days=6)
    simulator.fault(fault, api_code="040001")
    reports = carrier.track(NO).value
    assert reports is not None
    assert fold(each.observation for each in reports).status is Status.DELIVERED


@pytest.mark.parametrize("fault", ["track_empty", "track_no_information"])
def test_no_information_is_no_error(simulator: Simulator, fault: str) -> None:
    carrier = simulator.carrier()
    carrier.book(shipment())
    simulator.fault(fault)
    reply = carrier.track(NO)
    assert (reply.verdict, reply.value) == (Verdict.OK, ())


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("OK", Status.DELIVERED), ("PROXY", Status.DELIVERED), ("LOCKER", Status.DELIVERED), ("DOOR", Status.DELIVERED),
        ("ABSENT2", Status.DELIVERED), ("REFUSED", Status.RETURNED), ("BADADDR", Status.RETURNED), ("LOST", Status.LOST),
        ("REVOKE", Status.DELIVERED), ("RETURNAFTER", Status.RETURNED), ("STALL", Status.IN_TRANSIT),
        ("UNKNOWNCODE", Status.DELIVERED),
    ],
)  # fmt: skip
def test_each_address_tag_tells_its_story(simulator: Simulator, tag: str, status: Status) -> None:
    carrier = simulator.carrier()
    carrier.book(shipment(address=f"中山西路2号 #SIM:{tag}"))
    simulator.world.hand_in([NO])
    simulator.pass_time(days=20)
    reports = carrier.track(NO).value
    assert reports is not None
    assert fold(each.observation for each in reports).status is status


def test_what_ems_does_not_offer_is_said_without_traffic() -> None:
    carrier = EmsCarrier(EmsSettings("http://127.0.0.1:9/x", "1", "A", SignKey(FIRST_CUSTOMER.sign_key)))
    assert carrier.announce_handover((NO,)).verdict is Verdict.NOT_OFFERED
    assert Capability.PROOF_IMAGE not in carrier.capabilities


# --- pushes ---


def pushed(simulator: Simulator, fault: Fault | None = None) -> bytes:
    import json

    event = {"waybillNo": NO, "orderNo": "JD-2026-000001", "opTime": "2026-03-02 10:15:00", "opCode": "704",
             "opName": "妥投", "opDesc": "已签收", "deliverCode": "10"}  # fmt: skip
    return json.dumps(simulator.pusher.envelope(FIRST_CUSTOMER, "A" * 32, event, fault)).encode()


@pytest.mark.parametrize("fault", [None, Fault.PUSH_WITH_SUFFIX, Fault.PUSH_SENDER_NO])
def test_a_push_opens_with_and_without_suffix(simulator: Simulator, fault: Fault | None) -> None:
    push = simulator.carrier().open_push(pushed(simulator, fault), "application/json")
    assert (push.serial_no, push.order_no, push.observation.code) == ("A" * 32, "JD-2026-000001", "704")
    assert push.observation.occurred_at == datetime.fromisoformat("2026-03-02T10:15:00+08:00")


@pytest.mark.parametrize("fault", [Fault.PUSH_WITHOUT_PREFIX, Fault.PUSH_WRONG_KEY])
def test_a_push_that_was_not_sealed_with_our_key_is_refused(simulator: Simulator, fault: Fault) -> None:
    with pytest.raises(PushRefused) as refused:
        simulator.carrier().open_push(pushed(simulator, fault), "application/json")
    assert refused.value.serial_no == "A" * 32


def test_a_broken_seal_is_broken() -> None:
    assert broken_seal("|$4|" + "A" * 64, Fault.PUSH_FLIPPED_BYTE) != "|$4|" + "A" * 64


def test_a_form_is_read_like_json(simulator: Simulator) -> None:
    import json
    from urllib.parse import urlencode

    form = urlencode(json.loads(pushed(simulator))).encode()
    assert simulator.carrier().open_push(form, "application/x-www-form-urlencoded").observation.code == "704"


# --- secrets and people ---


def test_keys_phones_and_addresses_are_in_no_log_and_no_repr(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    carrier = simulator.carrier()
    order = shipment()
    simulator.fault("http_500")
    simulator.fault("drop_after")
    for _ in range(3):
        carrier.book(order)
    told = caplog.text + repr(order) + repr(carrier._settings)
    for secret in ("13912345678", "13800000000", "李晓燕", "中山西路", "482913", "SIMAUTH000000001", "U0lNLUtFWS0"):
        assert secret not in told


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"a":1}', b"\x00\x01"])
def test_what_is_no_envelope(body: bytes) -> None:
    with pytest.raises(BadReply):
        read_envelope(body)
