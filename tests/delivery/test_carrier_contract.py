"""What every carrier must do, run against every implementation: the in-process fake, EMS over HTTP to the simulator,
the aggregator over HTTP to the simulator, and the real EMS sandbox where its credentials are in the environment.

What a carrier does not offer it must say (NOT_OFFERED), and it must offer exactly what its table says.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from delivery.carriers.ems.client import EmsCarrier, EmsSettings
from delivery.carriers.ems.codec import SignKey
from delivery.carriers.kuaidi100.client import Kuaidi100Carrier, Kuaidi100Settings
from delivery.carriers.simulated import SimulatedCarrier
from delivery.observed import Status, fold
from delivery.ports import Capability, Carrier, LabelSize, PushRefused, Reply, Verdict
from delivery.simulator.store import AGGREGATOR_CUSTOMER
from tests.delivery.conftest import MORNING, RECEIVER, SENDER, Simulator, shipment

SANDBOX = "https://api.ems.com.cn/amp-prod-api/f/amp/api/test"
NOT_THERE = "1000000009960"


@dataclass
class Bench:
    """A carrier, somebody who books (itself, where it can), and the means to let a parcel be carried."""

    carrier: Carrier
    booker: Carrier
    deliver: Callable[[str], None] | None
    run: str = ""

    def order_no(self, number: int) -> str:
        return f"JD{self.run}-2026-{number:06d}"

    def book(self, number: int = 1) -> str:
        booked = self.booker.book(shipment(self.order_no(number))).value
        assert booked is not None
        return booked.waybill_no

    def carry(self, waybill_no: str) -> None:
        if self.deliver is None:
            pytest.skip("nobody carries the sandbox's parcels")
        self.deliver(waybill_no)

    def declines(self, capability: Capability, reply: Reply[object]) -> bool:
        """Whether it does not offer this; then it must have said so."""
        if capability in self.carrier.capabilities:
            assert reply.verdict is not Verdict.NOT_OFFERED
            return False
        assert (reply.verdict, reply.value) == (Verdict.NOT_OFFERED, None)
        assert reply.messages[0].code == capability
        return True


def _fake(_request: pytest.FixtureRequest) -> Bench:
    fake = SimulatedCarrier()

    def deliver(waybill_no: str) -> None:
        fake.report(waybill_no, "203", MORNING)
        fake.report(waybill_no, "704", MORNING + timedelta(days=1), deliverCode="10")

    return Bench(fake, fake, deliver)


def _carried(request: pytest.FixtureRequest) -> tuple[Simulator, Callable[[str], None]]:
    simulator: Simulator = request.getfixturevalue("simulator")

    def deliver(waybill_no: str) -> None:
        simulator.world.hand_in([waybill_no])
        simulator.pass_time(days=6)

    return simulator, deliver


def _ems(request: pytest.FixtureRequest) -> Bench:
    simulator, deliver = _carried(request)
    return Bench(simulator.carrier(), simulator.carrier(), deliver)


def _kuaidi100(request: pytest.FixtureRequest) -> Bench:
    simulator, deliver = _carried(request)
    settings = Kuaidi100Settings(*AGGREGATOR_CUSTOMER, "SALT", "http://127.0.0.1:9/", f"{simulator.url}/sim/kuaidi100")
    return Bench(Kuaidi100Carrier(settings), simulator.carrier(), deliver)


def _sandbox(_request: pytest.FixtureRequest) -> Bench:
    names = ("EMS_CONTRACT_SENDER_NO", "EMS_CONTRACT_AUTHORIZATION", "EMS_CONTRACT_SIGN_KEY")
    missing = [name for name in names if not os.environ.get(name)]
    if os.environ.get("EMS_CONTRACT") != "1" or missing:
        pytest.skip("the real sandbox is asked only with EMS_CONTRACT=1 and " + ", ".join(names))
    sender_no, authorization, key = (os.environ[name] for name in names)
    url = os.environ.get("EMS_CONTRACT_BASE_URL", SANDBOX)
    carrier = EmsCarrier(EmsSettings(url, sender_no, authorization, SignKey(key)))
    return Bench(carrier, carrier, None, uuid4().hex[:6].upper())


BENCHES = {"simulated": _fake, "ems": _ems, "kuaidi100": _kuaidi100, "ems-sandbox": _sandbox}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return BENCHES[request.param](request)


def test_it_is_a_carrier_that_says_what_it_does_not_offer(bench: Bench) -> None:
    assert isinstance(bench.carrier, Carrier)
    assert Capability.TRACK in bench.carrier.capabilities
    unknown_to_all = {Capability.FIND_BY_ORDER, Capability.MODIFY, Capability.DELIVERY_ESTIMATE, Capability.PROOF_IMAGE, Capability.BILL_FILE}  # fmt: skip
    assert not unknown_to_all & bench.carrier.capabilities


def test_a_booking_gives_a_number_and_the_same_order_the_same_number(
    bench: Bench, record_property: Callable[[str, object], None]
) -> None:
    first = bench.carrier.book(shipment(bench.order_no(1)))
    if bench.declines(Capability.BOOK, first):
        return
    assert first.value is not None
    again = bench.carrier.book(shipment(bench.order_no(1)))
    if bench.deliver is None:
        record_property("duplicate order number", f"{again.verdict} {again.text}")  # unknown of the real platform
        return
    assert first.value.waybill_no == "1000000001460"
    assert again.value is not None
    assert again.value.waybill_no == "1000000001460"


def test_another_order_gets_another_number(bench: Bench) -> None:
    assert bench.book(1) != bench.book(2)


@pytest.mark.parametrize("size", LabelSize)
def test_a_label_is_a_pdf_of_each_size(bench: Bench, size: LabelSize) -> None:
    label = bench.carrier.label(bench.book(), size)
    if bench.declines(Capability.LABEL, label):
        return
    assert label.value is not None
    assert label.value.startswith(b"%PDF-")


def test_no_label_for_a_number_that_is_not_there(bench: Bench) -> None:
    label = bench.carrier.label(NOT_THERE, LabelSize.MEDIUM)
    assert bench.declines(Capability.LABEL, label) or label.verdict is Verdict.REFUSED


def test_nothing_happened_yet_is_an_empty_answer(bench: Bench) -> None:
    reply = bench.carrier.track(bench.book())
    assert (reply.verdict, reply.value) == (Verdict.OK, ())


def test_a_number_that_is_not_there_has_no_reports(bench: Bench) -> None:
    reply = bench.carrier.track(NOT_THERE)
    assert (reply.verdict, reply.value) == (Verdict.OK, ())


def test_a_delivered_parcel_folds_to_delivered(bench: Bench) -> None:
    waybill_no = bench.book()
    bench.carry(waybill_no)
    reports = bench.carrier.track(waybill_no).value
    assert reports
    tracking = fold(report.observation for report in reports)
    assert (tracking.status, tracking.signer_class) == (Status.DELIVERED, "in_person")
    versions = {report.mapping_version for report in reports}
    carrier = {report.observation.carrier for report in reports}
    assert versions == {f"{each}/1" for each in carrier}
    assert all(report.raw and report.observation.key for report in reports)


def test_a_booking_can_be_cancelled_once_and_for_all(bench: Bench) -> None:
    waybill_no, order_no = bench.book(), bench.order_no(1)
    first = bench.carrier.cancel(order_no, waybill_no, "重复下单")
    if bench.declines(Capability.CANCEL, first):
        return
    assert first.verdict is Verdict.OK
    assert bench.carrier.cancel(order_no, waybill_no, "重复下单").verdict is Verdict.OK
    assert bench.carrier.label(waybill_no, LabelSize.MEDIUM).verdict is Verdict.REFUSED


def test_a_collected_parcel_cannot_be_cancelled(bench: Bench) -> None:
    waybill_no = bench.book()
    bench.carry(waybill_no)
    reply = bench.carrier.cancel(bench.order_no(1), waybill_no, "改址")
    assert bench.declines(Capability.CANCEL, reply) or reply.verdict is Verdict.REFUSED


def test_a_number_of_another_order_cannot_be_cancelled(bench: Bench) -> None:
    reply = bench.carrier.cancel(bench.order_no(99), bench.book(), "改址")
    assert bench.declines(Capability.CANCEL, reply) or reply.verdict is Verdict.REFUSED


def test_the_fee_is_known_after_collection(bench: Bench) -> None:
    waybill_no, order_no = bench.book(), bench.order_no(1)
    early = bench.carrier.actual_fee(order_no, waybill_no)
    if bench.declines(Capability.FEE_ACTUAL, early):
        return
    assert early.verdict is Verdict.REFUSED
    bench.carry(waybill_no)
    fee = bench.carrier.actual_fee(order_no, waybill_no).value
    assert fee is not None
    assert (fee.postage_fen, fee.weight_g) == (1200, 120)


def test_the_range_of_collection(bench: Bench) -> None:
    reply = bench.carrier.pickup_range(SENDER)
    assert bench.declines(Capability.PICKUP_RANGE, reply) or reply.value is True


def test_where_it_delivers(bench: Bench) -> None:
    reply = bench.carrier.reachable(SENDER, RECEIVER, 120)
    if bench.declines(Capability.REACHABILITY, reply):
        return
    assert reply.value is True
    if bench.deliver is not None:
        far = shipment(address="天涯路1号 #SIM:UNREACHABLE").receiver
        assert bench.carrier.reachable(SENDER, far, 120).value is False


def test_what_it_will_cost(bench: Bench) -> None:
    reply = bench.carrier.estimate(SENDER, RECEIVER, 120)
    if bench.declines(Capability.FEE_ESTIMATE, reply):
        return
    assert reply.value is not None
    assert reply.value == 1200 or bench.deliver is None


def test_a_written_address_is_taken_apart(bench: Bench) -> None:
    reply = bench.carrier.parse_address("浙江省宁波市海曙区中山西路2号1幢301室")
    if bench.declines(Capability.ADDRESS_PARSE, reply):
        return
    assert reply.value
    found = reply.value[0]
    assert (found.prov, found.city, found.county) == ("浙江省", "宁波市", "海曙区")


def test_what_is_handed_over_is_announced_where_it_can_be(bench: Bench) -> None:
    reply = bench.carrier.announce_handover((bench.book(),))
    assert bench.declines(Capability.HANDOVER_NOTICE, reply) or reply.verdict is Verdict.OK


def test_a_subscription_bears_a_repeat(bench: Bench) -> None:
    waybill_no = bench.book()
    first = bench.carrier.subscribe(waybill_no)
    if bench.declines(Capability.SUBSCRIBE, first):
        return
    assert first.verdict is Verdict.OK
    assert bench.carrier.subscribe(waybill_no).verdict is Verdict.OK


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"x=1", b'{"serialNo":"A"}', b"\xff\xfe"])
def test_a_push_that_is_none_is_refused(bench: Bench, body: bytes) -> None:
    with pytest.raises(PushRefused):
        bench.carrier.open_push(body, "application/json")


def test_the_answer_to_a_push_says_whether_it_was_taken(bench: Bench) -> None:
    taken, lost = bench.carrier.acknowledge("A1", taken=True), bench.carrier.acknowledge("A1", taken=False)
    if bench.carrier.code == "kuaidi100":
        assert (taken["result"], taken["returnCode"], lost["result"], lost["returnCode"]) == (True, "200", False, "500")
        return
    assert (taken["serialNo"], taken["code"], lost["code"]) == ("A1", "00000", "S00001")
