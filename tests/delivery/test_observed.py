"""The fold: the same status for every order and repetition; reversals, returns, unknown codes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.carriers.ems import mapping
from delivery.observed import Observation, SignerClass, Status, fold
from delivery.simulator.scripts import SCRIPTS, Route, script

NO = "1000000001460"
START = datetime(2026, 1, 2, tzinfo=UTC)


def at(minute: int, code: str, **fields: str) -> Observation:
    item = {"opCode": code, "opTime": mapping.beijing(START + timedelta(minutes=minute)), **fields}
    return mapping.observation(item, NO)


def course(*codes: str) -> list[Observation]:
    return [at(minute, code) for minute, code in enumerate(codes)]


DOMESTIC = ["203", "207", "208", "212", "303", "304", "305", "954", "389", "713", "702", "704", "705", "708", "711", "723",
            "741", "742", "743", "744", "747", "748", "749", "750", "756", "801", "651", "987", "NEW1", "NEW2"]  # fmt: skip
reports = st.lists(
    st.builds(
        at,
        st.integers(0, 12),
        st.sampled_from(DOMESTIC),
        deliverCode=st.sampled_from(["", "10", "20", "161", "180"]),
        attemptDeliveryCode=st.sampled_from(["", "4", "7", "10", "13"]),
    ),
    max_size=14,
)


@settings(max_examples=200)
@given(st.data(), reports)
def test_order_and_repetition_do_not_matter(data, events) -> None:
    expected = fold(events)
    shuffled = data.draw(
        st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=6)) if events else [])
    )
    assert fold(shuffled) == expected


@given(reports)
def test_a_taken_back_report_leaves_no_trace_in_the_status(events) -> None:
    later = [at(20, "704", deliverCode="10"), at(21, "743")]
    assert fold(events + later).status is fold(events).status


@given(reports)
def test_unknown_codes_never_change_the_status(events) -> None:
    assert fold([*events, at(6, "NOVEL")]).status is fold(events).status


def test_nothing_reported_yet() -> None:
    assert fold([]).status is Status.LABEL_CREATED
    assert fold([]).delivered_at is None


def test_the_usual_course() -> None:
    tracking = fold([*course("203", "303", "305", "954", "389", "713", "702"), at(9, "704", deliverCode="10")])
    assert tracking.status is Status.DELIVERED
    assert tracking.delivered_at == START + timedelta(minutes=9)
    assert tracking.signer_class is SignerClass.IN_PERSON
    assert tracking.collected_at == START


def test_late_back_filled_events_do_not_move_it_back() -> None:
    delivered = at(9, "704", deliverCode="10")
    assert fold([delivered, *course("203", "303", "305")]).status is Status.DELIVERED


def test_delivery_revoked_then_failed_then_delivered() -> None:
    events = [at(0, "203"), at(1, "702"), at(2, "704", deliverCode="10"), at(3, "743")]
    assert fold(events).status is Status.OUT_FOR_DELIVERY
    events.append(at(4, "705", attemptDeliveryCode="4"))
    assert (fold(events).status, fold(events).attempts) == (Status.DELIVERY_FAILED, 1)
    events.append(at(5, "704", deliverCode="20"))
    assert (fold(events).status, fold(events).signer_class) == (Status.DELIVERED, SignerClass.PROXY)


def test_a_reversal_takes_back_the_newest_matching_report_only() -> None:
    events = [at(0, "704", deliverCode="20"), at(1, "704", deliverCode="10"), at(2, "743")]
    assert fold(events).signer_class is SignerClass.PROXY


def test_a_reversal_that_comes_before_what_it_reverses() -> None:
    reversal = at(3, "743")
    assert fold([reversal]).unmatched_reversals == {"743"}
    assert fold([reversal, at(0, "702"), at(2, "704")]).status is Status.OUT_FOR_DELIVERY
    assert fold([reversal, at(0, "702"), at(2, "704")]).unmatched_reversals == frozenset()


def test_a_failed_attempt_taken_back_does_not_count() -> None:
    assert fold([at(0, "702"), at(1, "705"), at(2, "744")]).attempts == 0


def test_returning_is_sticky_until_it_is_back() -> None:
    back = [at(0, "203"), at(1, "702"), at(2, "705", attemptDeliveryCode="7"), at(3, "708"), at(4, "305"), at(5, "954"),
            at(6, "713"), at(7, "702")]  # fmt: skip
    assert fold(back).status is Status.RETURNING
    assert fold(back).since == START + timedelta(minutes=3)
    assert fold([*back, at(8, "711")]).status is Status.RETURNED


def test_delivered_while_returning_is_a_contradiction() -> None:
    tracking = fold([at(0, "203"), at(1, "708"), at(2, "704", deliverCode="10")])
    assert (tracking.status, tracking.contradictions) == (Status.RETURNING, ("704",))


def test_returned_after_delivery() -> None:
    events = [at(0, "203"), at(1, "704", deliverCode="10"), at(2, "741")]
    assert fold(events).status is Status.RETURNING
    assert "after_delivery" in fold(events).flags
    assert fold([*events, at(3, "711")]).status is Status.RETURNED


def test_transit_after_delivery_is_a_contradiction_and_changes_nothing() -> None:
    tracking = fold([at(0, "704", deliverCode="10"), at(1, "954")])
    assert (tracking.status, tracking.contradictions) == (Status.DELIVERED, ("954",))


def test_a_collection_taken_back() -> None:
    assert fold([at(0, "203"), at(1, "207")]).status is Status.LABEL_CREATED


def test_an_address_change_keeps_the_status_and_leaves_a_flag() -> None:
    tracking = fold([at(0, "203"), at(1, "702"), at(2, "802")])
    assert (tracking.status, tracking.flags) == (Status.OUT_FOR_DELIVERY, {"redirected"})


@pytest.mark.parametrize("code", ["987", "988"])
def test_lost(code) -> None:
    assert fold([at(0, "203"), at(1, "651"), at(2, code)]).status is Status.LOST


def test_signed_for_by_a_claim_is_lost_not_delivered() -> None:
    assert fold([at(0, "203"), at(1, "704", deliverCode="180")]).status is Status.LOST


def test_events_of_one_second_fold_by_their_course() -> None:
    assert fold([at(0, "702"), at(0, "203"), at(0, "305")]).status is Status.OUT_FOR_DELIVERY


def test_unknown_codes_are_kept_for_the_alarm() -> None:
    tracking = fold([at(0, "203"), at(1, "N1"), at(2, "N2"), at(3, "N1")])
    assert (tracking.status, tracking.unknown_codes) == (Status.COLLECTED, {"N1", "N2"})


ENDS = {
    "OK": Status.DELIVERED, "PROXY": Status.DELIVERED, "LOCKER": Status.DELIVERED, "COUNTER": Status.DELIVERED,
    "ABSENT2": Status.DELIVERED, "REFUSED": Status.RETURNED, "BADADDR": Status.RETURNED, "LOST": Status.LOST,
    "REVOKE": Status.DELIVERED, "RETURNAFTER": Status.RETURNED, "STALL": Status.IN_TRANSIT, "DOOR": Status.DELIVERED,
    "UNKNOWNCODE": Status.DELIVERED, "UNREACHABLE": Status.DELIVERED,
}  # fmt: skip


@given(
    st.data(), st.sampled_from(sorted(SCRIPTS)), st.integers(0, 999), st.sampled_from(["杭州市", "宁波市", "西安市"])
)
def test_any_arrival_of_a_whole_story_folds_alike(data, tag, seed, city) -> None:
    """Pushed one by one in any order, twice, in any pieces: the end is the story's."""
    route = Route("浙江省", "杭州市", "陕西省" if city == "西安市" else "浙江省", city, "城区", "李晓燕")
    moment, told = START, []
    for step in script(tag, route, seed):
        moment += timedelta(hours=step.hours)
        fields = {"opCode": step.code, "opTime": mapping.beijing(moment), "deliverCode": step.deliver_code,
                  "attemptDeliveryCode": step.attempt_code}  # fmt: skip
        told.append(mapping.observation(fields, NO))
    arrived = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=5))))
    assert fold(arrived) == fold(told)
    assert fold(arrived).status is ENDS[tag]
