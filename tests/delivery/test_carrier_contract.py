"""What every carrier must do, run against the in-process fake and against EMS over HTTP to the simulator."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from delivery.carriers.simulated import SimulatedCarrier
from delivery.observed import Status, fold
from delivery.ports import Capability, Carrier, LabelSize, PushRefused, Verdict
from tests.delivery.conftest import MORNING, RECEIVER, SENDER, Simulator, shipment


@dataclass
class Bench:
    """A carrier and the means to let a parcel be collected and delivered."""

    carrier: Carrier
    deliver: Callable[[str], None]


@pytest.fixture(params=["simulated", "ems"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "simulated":
        fake = SimulatedCarrier()

        def deliver(waybill_no: str) -> None:
            fake.report(waybill_no, "203", MORNING)
            fake.report(waybill_no, "704", MORNING + timedelta(days=1), deliverCode="10")

        return Bench(fake, deliver)
    simulator: Simulator = request.getfixturevalue("simulator")

    def run(waybill_no: str) -> None:
        simulator.world.hand_in([waybill_no])
        simulator.pass_time(days=6)

    return Bench(simulator.carrier(), run)


def test_it_is_a_carrier(bench: Bench) -> None:
    assert isinstance(bench.carrier, Carrier)
    assert {Capability.BOOK, Capability.CANCEL, Capability.LABEL, Capability.TRACK} <= bench.carrier.capabilities
    assert Capability.FIND_BY_ORDER not in bench.carrier.capabilities


def test_a_booking_gives_a_number_and_the_same_order_the_same_number(bench: Bench) -> None:
    first = bench.carrier.book(shipment())
    assert first.verdict is Verdict.OK
    assert first.value is not None
    assert first.value.waybill_no == "1000000001460"
    again = bench.carrier.book(shipment())
    assert again.value is not None
    assert again.value.waybill_no == "1000000001460"


def test_another_order_gets_another_number(bench: Bench) -> None:
    bench.carrier.book(shipment("JD-2026-000001"))
    second = bench.carrier.book(shipment("JD-2026-000002"))
    assert second.value is not None
    assert second.value.waybill_no == "1000000002860"


def test_a_label_is_a_pdf(bench: Bench) -> None:
    bench.carrier.book(shipment())
    label = bench.carrier.label("1000000001460", LabelSize.MEDIUM)
    assert label.value is not None
    assert label.value.startswith(b"%PDF-")


def test_no_label_for_a_number_that_is_not_there(bench: Bench) -> None:
    assert bench.carrier.label("1000000009960", LabelSize.MEDIUM).verdict is Verdict.REFUSED


def test_nothing_happened_yet_is_an_empty_answer(bench: Bench) -> None:
    bench.carrier.book(shipment())
    reply = bench.carrier.track("1000000001460")
    assert (reply.verdict, reply.value) == (Verdict.OK, ())


def test_a_number_that_is_not_there_has_no_reports(bench: Bench) -> None:
    reply = bench.carrier.track("1000000009960")
    assert (reply.verdict, reply.value) == (Verdict.OK, ())


def test_a_delivered_parcel_folds_to_delivered(bench: Bench) -> None:
    bench.carrier.book(shipment())
    bench.deliver("1000000001460")
    reports = bench.carrier.track("1000000001460").value
    assert reports is not None
    assert fold(report.observation for report in reports).status is Status.DELIVERED
    assert all(report.mapping_version == "ems/1" and report.raw["opCode"] for report in reports)


def test_a_booking_can_be_cancelled_once_and_for_all(bench: Bench) -> None:
    bench.carrier.book(shipment())
    assert bench.carrier.cancel("JD-2026-000001", "1000000001460", "重复下单").verdict is Verdict.OK
    assert bench.carrier.cancel("JD-2026-000001", "1000000001460", "重复下单").verdict is Verdict.OK
    assert bench.carrier.label("1000000001460", LabelSize.MEDIUM).verdict is Verdict.REFUSED


def test_a_collected_parcel_cannot_be_cancelled(bench: Bench) -> None:
    bench.carrier.book(shipment())
    bench.deliver("1000000001460")
    assert bench.carrier.cancel("JD-2026-000001", "1000000001460", "改址").verdict is Verdict.REFUSED


def test_a_number_of_another_order_cannot_be_cancelled(bench: Bench) -> None:
    bench.carrier.book(shipment())
    assert bench.carrier.cancel("JD-2026-000099", "1000000001460", "改址").verdict is Verdict.REFUSED


def test_the_fee_is_known_after_collection(bench: Bench) -> None:
    bench.carrier.book(shipment())
    assert bench.carrier.actual_fee("JD-2026-000001", "1000000001460").verdict is Verdict.REFUSED
    bench.deliver("1000000001460")
    fee = bench.carrier.actual_fee("JD-2026-000001", "1000000001460").value
    assert fee is not None
    assert (fee.postage_fen, fee.weight_g) == (1200, 120)


def test_range_reach_and_estimate(bench: Bench) -> None:
    assert bench.carrier.pickup_range(SENDER).value is True
    assert bench.carrier.reachable(SENDER, RECEIVER, 120).value is True
    far = shipment(address="天涯路1号 #SIM:UNREACHABLE").receiver
    assert bench.carrier.reachable(SENDER, far, 120).value is False
    assert bench.carrier.estimate(SENDER, RECEIVER, 120).value == 1200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"x=1", b'{"serialNo":"A"}', b"\xff\xfe"])
def test_a_push_that_is_none_is_refused(bench: Bench, body: bytes) -> None:
    with pytest.raises(PushRefused):
        bench.carrier.open_push(body, "application/json")


def test_the_answer_to_a_push_echoes_its_serial_number(bench: Bench) -> None:
    taken = bench.carrier.acknowledge("A1", taken=True)
    assert (taken["serialNo"], taken["code"]) == ("A1", "00000")
    assert bench.carrier.acknowledge("A1", taken=False)["code"] == "S00001"
