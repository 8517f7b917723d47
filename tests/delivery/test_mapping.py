"""EMS JSON to our words: the code table is disjoint and complete, and every reply shape seen in the field is read."""

from datetime import UTC, datetime

import pytest

from delivery.carriers.ems import mapping
from delivery.carriers.ems.errors import BadReply
from delivery.observed import NextAction, SignerClass, Status
from delivery.ports import ActualFee, Party, Shipment

NO = "1000000001460"
SENDER = Party("杭州市民中心", "13800000000", "浙江省", "杭州市", "上城区", "解放东路18号", "310016")
RECEIVER = Party("李晓燕", "13912345678", "浙江省", "宁波市", "海曙区", "中山西路2号1幢301室")


def item(code: str, **fields: str) -> dict[str, object]:
    return {"waybillNo": NO, "opTime": "2026-01-02 10:15:00", "opCode": code, **fields}


def status_of(code: str, **fields: str) -> Status | None:
    return mapping.observation(item(code, **fields), NO).status


def test_every_code_stands_once_and_has_one_meaning() -> None:
    table = mapping.codes()
    assert len(table) == 238
    assert sum(1 for kind, _ in table if kind == "opCode") == 198
    assert sum(1 for kind, _ in table if kind == "deliverCode") == 24
    assert sum(1 for kind, _ in table if kind == "attemptDeliveryCode") == 16


def test_every_reversal_names_a_code_of_the_table() -> None:
    table = mapping.codes()
    for row in table.values():
        assert row.reverses == frozenset() or row.status is None
        assert all(("opCode", code) in table for code in row.reverses)


def test_every_delivery_code_has_a_class_and_every_attempt_a_next_action() -> None:
    for (kind, _), row in mapping.codes().items():
        if kind == "deliverCode":
            assert SignerClass(row.hint("handover"))
        if kind == "attemptDeliveryCode":
            assert NextAction(row.hint("next"))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("764", Status.LABEL_CREATED), ("208", Status.COLLECTED), ("203", Status.COLLECTED), ("303", Status.IN_TRANSIT),
        ("305", Status.IN_TRANSIT), ("954", Status.IN_TRANSIT), ("389", Status.IN_TRANSIT), ("989", Status.IN_TRANSIT),
        ("V_398", Status.IN_TRANSIT), ("713", Status.IN_TRANSIT), ("702", Status.OUT_FOR_DELIVERY),
        ("704", Status.DELIVERED), ("705", Status.DELIVERY_FAILED), ("723", Status.AVAILABLE_FOR_PICKUP),
        ("747", Status.AVAILABLE_FOR_PICKUP), ("748", Status.DELIVERED), ("749", Status.OUT_FOR_DELIVERY),
        ("750", Status.DELIVERY_FAILED), ("708", Status.RETURNING), ("312", Status.RETURNING), ("326", Status.RETURNING),
        ("741", Status.RETURNING), ("711", Status.RETURNED), ("801", Status.CANCELLED), ("013", Status.EXCEPTION),
        ("993", Status.EXCEPTION), ("651", Status.EXCEPTION), ("751", Status.EXCEPTION), ("987", Status.LOST),
        ("988", Status.LOST), ("756", None), ("802", None), ("803", None), ("742", None), ("743", None), ("744", None),
        ("207", None), ("not-a-code", Status.UNKNOWN),
    ],
)  # fmt: skip
def test_domestic_codes_that_decide_the_status(code, status) -> None:
    assert status_of(code) is status


@pytest.mark.parametrize(
    ("code", "signer", "status"),
    [
        ("10", SignerClass.IN_PERSON, Status.DELIVERED), ("20", SignerClass.PROXY, Status.DELIVERED),
        ("60", SignerClass.PROXY, Status.DELIVERED), ("50", SignerClass.PICKUP_POINT, Status.DELIVERED),
        ("161", SignerClass.UNATTENDED, Status.DELIVERED), ("100", SignerClass.OTHER, Status.DELIVERED),
        ("180", SignerClass.CLAIM, Status.LOST), ("", SignerClass.UNSTATED, Status.DELIVERED),
        ("999", SignerClass.UNSTATED, Status.DELIVERED),
    ],
)  # fmt: skip
def test_who_took_it(code, signer, status) -> None:
    seen = mapping.observation(item("704", deliverCode=code), NO)
    assert (seen.signer_class, seen.status) == (signer, status)


@pytest.mark.parametrize(
    ("code", "status", "reason", "action"),
    [
        ("4", Status.DELIVERY_FAILED, "recipient_absent", NextAction.RETRY),
        ("7", Status.DELIVERY_FAILED, "refused", NextAction.RETURN),
        ("8", Status.AVAILABLE_FOR_PICKUP, "recipient_will_collect", NextAction.HOLD),
        ("10", Status.RETURNING, "withdrawn_by_sender", NextAction.RETURN),
        ("11", Status.IN_TRANSIT, "redirected_by_recipient", NextAction.FORWARD),
        ("13", Status.LOST, "lost", NextAction.CLAIM),
        ("77", Status.DELIVERY_FAILED, "other", NextAction.MANUAL),
    ],
)
def test_why_it_was_not_delivered(code, status, reason, action) -> None:
    seen = mapping.observation(item("705", attemptDeliveryCode=code), NO)
    assert (seen.status, seen.reason, seen.next_action) == (status, reason, action)


def test_wire_times_are_beijing_times() -> None:
    assert mapping.observation(item("203"), NO).occurred_at == datetime(2026, 1, 2, 2, 15, tzinfo=UTC)
    assert mapping.beijing(datetime(2026, 1, 1, 16, 0, tzinfo=UTC)) == "2026-01-02 00:00:00"


def test_the_identity_of_an_event_ignores_its_prose_but_not_its_codes() -> None:
    one = mapping.event_key(NO, item("704", deliverCode="10", opDesc="a"))
    assert one == mapping.event_key(NO, item("704", deliverCode="10", opDesc="b"))
    assert one != mapping.event_key(NO, item("704", deliverCode="20"))
    assert one != mapping.event_key("1000000002860", item("704", deliverCode="10"))


def test_the_signer_named_in_prose() -> None:
    assert (
        mapping.observation(item("704", deliverCode="10", opDesc="已签收,签收人:李晓燕,投递员:王强"), NO).signer_name
        == "李晓燕"
    )


def test_the_order_as_the_wire_wants_it() -> None:
    moment = datetime(2026, 1, 1, 1, 2, 3, tzinfo=UTC)
    shipment = Shipment("JD-2026-000001", SENDER, RECEIVER, "营业执照", 120, moment, receiver_code="482913")
    (order,) = mapping.create_body(shipment, "1100000000001")
    assert order["createdTime"] == "2026-01-01 09:02:03"
    assert order["logisticsOrderNo"] == "JD-2026-000001"
    assert order["contentsAttribute"] == "1"
    assert order["bizProductNo"] == "1"
    assert order["paymentMode"] == "1"
    assert order["receiverSafetyCode"] == "482913"
    assert order["receiver"] == {
        "name": "李晓燕", "mobile": "13912345678", "prov": "浙江省", "city": "宁波市", "county": "海曙区",
        "address": "中山西路2号1幢301室",
    }  # fmt: skip
    assert "pickupNotes" not in order


def test_a_booking_in_each_shape() -> None:
    text = '{"logisticsOrderNo":"X","waybillNo":"1000000001460","routeCode":"380D-56-04-17"}'
    record = {"waybillNo": "1000000001460", "routeCode": "380D-56-04-17"}
    for body in (text, record, [record], f"[{text}]"):
        booking = mapping.booking(body)
        assert (booking.waybill_no, booking.route_code, booking.destination_name) == (NO, "380D-56-04-17", "")


def test_several_numbers_for_one_order() -> None:
    booking = mapping.booking({"waybillNo": "1000000001460, 1000000002860"})
    assert (booking.waybill_no, booking.other_waybill_nos) == ("1000000001460", ("1000000002860",))


@pytest.mark.parametrize("body", ["", "{", "[]", '{"waybillNo":""}', '{"routeCode":"1"}', "text", None, 3])
def test_success_without_a_number_is_not_a_booking(body) -> None:
    with pytest.raises(BadReply):
        mapping.booking(body)


@pytest.mark.parametrize("body", ["", None, '{"responseItems":[]}', '{"responseItems":null}', [], {}])
def test_no_information_yet_is_not_an_error(body) -> None:
    assert mapping.reports(body, NO) == ()


def test_events_that_cannot_be_read_are_left_out() -> None:
    body = {
        "responseItems": [
            item("203"),
            {"opCode": "305"},
            {"opTime": "2026-01-02 10:15:00"},
            "x",
            item("x", opTime="soon"),
        ]
    }
    assert [each.observation.code for each in mapping.reports(body, NO)] == ["203"]


def test_amounts_are_fen() -> None:
    assert mapping.fen("12.34") == 1234
    assert mapping.fen(20) == 2000
    assert mapping.actual_fee('{"postageTotal":"18.00","realWeight":"132.0"}') == ActualFee(1800, 132)
    with pytest.raises(BadReply):
        mapping.fen("free")
    with pytest.raises(BadReply):
        mapping.fen("0.001")


def test_wrong_candidates_of_the_address_parser_are_dropped() -> None:
    good = {"provName": "浙江省", "cityName": "杭州市", "countyName": "西湖区", "address": "文三路1号"}
    wrong = {"prov": "江苏省", "city": "南京市", "county": "玄武区", "address": "文三路1号"}
    found = mapping.parsed_addresses([wrong, good], "浙江杭州西湖文三路1号")
    assert [each.county for each in found] == ["西湖区"]
