"""What a record at the door proves, and what time it was."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.doorstep import (
    DEFAULT_NEXT,
    REASON_CODES,
    SIGNER_CLASSES,
    CodeCheck,
    Doubt,
    Evidence,
    FailReason,
    NextStep,
    Signer,
    check_code,
    code_hint,
    doubts,
    timing,
)
from delivery.rules import Verdict, WhoMaySign, judge_delivery

MORNING = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
R, W, N = CodeCheck.RIGHT, CodeCheck.WRONG, CodeCheck.NONE
SELF, AGENT = WhoMaySign.SELF, WhoMaySign.AGENT


@pytest.mark.parametrize(
    ("allowed", "signer", "code", "has_id", "expected"),
    [
        (SELF, Signer.SELF, R, False, ()),
        (SELF, Signer.SELF, N, True, ()),
        (SELF, Signer.SELF, N, False, (Doubt.NOT_IDENTIFIED,)),
        (SELF, Signer.SELF, W, True, (Doubt.CODE_WRONG,)),
        (SELF, Signer.AGENT, R, True, (Doubt.SIGNER_NOT_ALLOWED,)),
        (AGENT, Signer.AGENT, R, True, ()),
        (AGENT, Signer.AGENT, R, False, (Doubt.NOT_IDENTIFIED,)),
        (AGENT, Signer.AGENT, N, True, (Doubt.NOT_IDENTIFIED,)),
        (AGENT, Signer.FAMILY, R, True, (Doubt.SIGNER_NOT_ALLOWED,)),
        (SELF, Signer.RECEPTION, R, True, (Doubt.SIGNER_NOT_ALLOWED,)),
        (AGENT, Signer.UNATTENDED, N, False, (Doubt.UNATTENDED,)),
    ],
)
def test_who_may_end_the_service_of_a_paper(
    allowed: WhoMaySign, signer: Signer, code: CodeCheck, has_id: bool, expected: tuple[Doubt, ...]
) -> None:
    assert doubts(allowed, Evidence(signer, "王芳", code, has_id, has_signature=True), locked=False) == expected


def test_a_lock_and_a_missing_signature_are_doubts_of_their_own() -> None:
    bare = Evidence(Signer.SELF, "", R, has_id=False, has_signature=False)
    assert doubts(SELF, bare, locked=True) == (Doubt.CODE_LOCKED, Doubt.NO_SIGNATURE)
    assert doubts(AGENT, Evidence(Signer.AGENT, "", R, True, True), locked=False) == (Doubt.NOT_IDENTIFIED,)


@pytest.mark.parametrize("allowed", WhoMaySign)
@pytest.mark.parametrize("signer", Signer)
def test_the_doorstep_and_the_carrier_are_judged_alike(allowed: WhoMaySign, signer: Signer) -> None:
    """A full proof counts at the door exactly where the same signer counts in a carrier's report."""
    full = Evidence(signer, "王芳", R, has_id=True, has_signature=True)
    closes = judge_delivery(allowed, SIGNER_CLASSES[signer]) is Verdict.CLOSE
    assert (doubts(allowed, full, locked=False) == ()) is closes


def test_every_reason_has_a_number_and_a_next_step() -> None:
    assert set(REASON_CODES) == set(DEFAULT_NEXT) == set(FailReason)
    assert len(set(REASON_CODES.values())) == len(FailReason)
    assert DEFAULT_NEXT[FailReason.ABSENT] is NextStep.TRY_AGAIN
    assert DEFAULT_NEXT[FailReason.REFUSED] is NextStep.RETURN


def test_codes_are_compared_whole_and_hinted_at_by_eight_bits() -> None:
    assert check_code("042017", " 042017 ") is R
    assert check_code("042017", "42017") is W
    assert check_code("042017", "") is check_code("042017", None) is N
    hint = code_hint("stop", "042017")
    assert len(hint) == 2
    alike = sum(code_hint("stop", f"{code:06d}") == hint for code in range(0, 1_000_000, 97))
    assert 20 < alike < 70  # of 10,310: whoever knows the hint still has one chance in some four thousand


def test_a_wrong_clock_is_put_right() -> None:
    error = timedelta(hours=-3, minutes=-7)  # the handset is ahead by 3:07
    received = MORNING + timedelta(hours=5)
    made = MORNING + timedelta(hours=2)
    found = timing(made - error, error, received - error, received, MORNING)
    assert found.occurred_at == made
    assert found.is_skewed
    assert not found.is_absurd


def test_a_clock_turned_between_record_and_upload_is_read_by_the_error_of_its_time() -> None:
    received, made = MORNING + timedelta(hours=5), MORNING + timedelta(hours=2)
    found = timing(made + timedelta(hours=1), timedelta(hours=-1), received, received, MORNING)
    assert found.occurred_at == made
    assert found.is_skewed
    assert not found.is_absurd


@pytest.mark.parametrize(
    "made", [MORNING - timedelta(hours=1), MORNING + timedelta(days=9), MORNING + timedelta(hours=8)]
)
def test_what_lies_outside_the_round_is_absurd(made: datetime) -> None:
    received = MORNING + timedelta(hours=5)
    assert timing(made, timedelta(), received, received, MORNING).is_absurd
    late = MORNING + timedelta(days=8, hours=5)
    assert timing(MORNING + timedelta(hours=1), timedelta(), late, late, MORNING).is_absurd


@given(
    error=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    into=st.timedeltas(timedelta(), timedelta(hours=10)),
    later=st.timedeltas(timedelta(), timedelta(hours=30)),
)
def test_no_constant_error_of_a_clock_changes_the_time(error: timedelta, into: timedelta, later: timedelta) -> None:
    made = MORNING + into
    received = made + later
    found = timing(made - error, error, received - error, received, MORNING)
    assert found.occurred_at == made
    assert not found.is_absurd
    assert found.is_skewed is (abs(error) > timedelta(minutes=5))
