"""Numbers, scans, masks, patience and alarms."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import rules
from delivery.observed import SignerClass, Status, Tracking
from delivery.rules import Alarm, Pace, Verdict, WhoMaySign

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PACE = Pace(timedelta(seconds=30), timedelta(hours=2))


@pytest.mark.parametrize(
    "number",
    ["LZ290346175CN", "LZ292346788CN", "LZ292339827CN", "1151238971060", "1151240728560", "1151242358360", "1000000001460",
     "1000000002860"],
)  # fmt: skip
def test_published_numbers_have_a_sound_check_digit(number) -> None:
    assert rules.is_waybill_no(number)
    assert rules.has_sound_check_digit(number)


def test_a_wrong_digit_is_noticed_where_there_is_a_check_digit() -> None:
    assert not rules.has_sound_check_digit("1000000001360")
    assert rules.has_sound_check_digit("9811111111111"), "numbers of 9x carry no check digit that we know"


@pytest.mark.parametrize("text", ["", "123", "100000000146", "10000000014600", "LZ290346175C1", "1000000001460 "])
def test_what_is_no_waybill_number(text) -> None:
    assert not rules.is_waybill_no(text)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("１０００００００００１４６０", "1000000000146" + "0"),
        (" 1000000001460\r\n", "1000000001460"),
        ("1000 0000 01460", "1000000001460"),
        ("\x1d1000000001460\t", "1000000001460"),
        ("https://mini.ems.com.cn/youzheng/mini/1000000001460", "1000000001460"),
        ("https://mini.ems.com.cn/youzheng/mini/1000000001460/?from=scan", "1000000001460"),
        ("lz290346175cn", "LZ290346175CN"),
        ("ｌｚ２９０３４６１７５ｃｎ", "LZ290346175CN"),
        ("　", ""),
    ],
)
def test_scans_are_read_as_the_code_they_mean(raw, meant) -> None:
    assert rules.normal_scan(raw) == meant


SCANNABLE = (
    "".join(chr(c) for c in (*range(0x20), *range(0x20, 0x7F), *range(0xFF01, 0xFF5F), 0x3000))
    .replace(":", "")
    .replace("：", "")
)


@given(st.text(SCANNABLE))
def test_a_normal_scan_stays_as_it_is(raw) -> None:
    once = rules.normal_scan(raw)
    assert rules.normal_scan(once) == once


def test_masks_hide_what_the_standard_wants_hidden() -> None:
    assert rules.masked_name("李晓燕") == "李**"
    assert rules.masked_name("李四") == "李*"
    assert rules.masked_name("李") == "李*"
    assert rules.masked_name("") == ""
    assert rules.masked_mobile("13912345678") == "139******78"
    assert rules.masked_mobile("8888") == "****"
    assert rules.masked_address("浙江省", "宁波市", "海曙区", "中山西路2号1幢301室") == "浙江省宁波市海曙区中山西路***"
    assert rules.masked_text("投递员:王强13912345678") == "投递员:王强139******78"


@given(st.from_regex(r"1[3-9]\d{9}", fullmatch=True))
def test_a_masked_mobile_hides_at_least_six_digits(mobile) -> None:
    assert sum(each.isdigit() for each in rules.masked_mobile(mobile)) == 5


@pytest.mark.parametrize(
    ("allowed", "signer", "verdict"),
    [
        (WhoMaySign.SELF, SignerClass.IN_PERSON, Verdict.CLOSE),
        (WhoMaySign.AGENT, SignerClass.IN_PERSON, Verdict.CLOSE),
        (WhoMaySign.AGENT, SignerClass.PROXY, Verdict.CLOSE),
        (WhoMaySign.SELF, SignerClass.PROXY, Verdict.ASK_STAFF),
        (WhoMaySign.AGENT, SignerClass.PICKUP_POINT, Verdict.ASK_STAFF),
        (WhoMaySign.AGENT, SignerClass.UNATTENDED, Verdict.ASK_STAFF),
        (WhoMaySign.AGENT, SignerClass.OTHER, Verdict.ASK_STAFF),
        (WhoMaySign.AGENT, SignerClass.UNSTATED, Verdict.ASK_STAFF),
    ],
)
def test_only_the_receiver_or_an_allowed_proxy_ends_it(allowed, signer, verdict) -> None:
    assert rules.judge_delivery(allowed, signer) is verdict


@pytest.mark.parametrize(("quiet", "pause"), [(0, 30), (1, 60), (4, 480), (8, 7200), (40, 7200)])
def test_the_poller_doubles_its_pause_up_to_the_ceiling(quiet, pause) -> None:
    assert rules.next_poll(NOW, Tracking(Status.IN_TRANSIT), quiet, PACE) == NOW + timedelta(seconds=pause)


def test_a_parcel_out_for_delivery_is_asked_about_more_often() -> None:
    assert rules.next_poll(NOW, Tracking(Status.OUT_FOR_DELIVERY), 4, PACE) == NOW + timedelta(seconds=120)


def test_a_delivered_parcel_is_watched_for_a_week_then_left_alone() -> None:
    fresh = Tracking(Status.DELIVERED, since=NOW - timedelta(days=1))
    assert rules.next_poll(NOW, fresh, 9, PACE) == NOW + timedelta(hours=12)
    assert rules.next_poll(NOW, Tracking(Status.DELIVERED, since=NOW - timedelta(days=7)), 9, PACE) is None


def test_alarms() -> None:
    handed = NOW - timedelta(hours=24)
    assert rules.alarm(NOW, handed, Tracking()) is Alarm.NOT_COLLECTED
    assert rules.alarm(NOW - timedelta(seconds=1), handed, Tracking()) is None
    moving = Tracking(Status.IN_TRANSIT, last_report_at=NOW - timedelta(hours=72), collected_at=handed)
    assert rules.alarm(NOW, NOW - timedelta(days=9), moving) is Alarm.STALLED
    assert rules.alarm(NOW - timedelta(seconds=1), NOW - timedelta(days=9), moving) is None
    assert rules.alarm(NOW, NOW - timedelta(days=9), Tracking(Status.DELIVERED)) is None


def test_retries_of_an_unreachable_carrier_slow_down() -> None:
    assert rules.retry_delay(0, PACE) == timedelta(seconds=10)
    assert rules.retry_delay(3, PACE) == timedelta(seconds=80)
    assert rules.retry_delay(60, PACE) == timedelta(minutes=15)
