"""Windows and limits to the second and to the working day; who may challenge; what may follow; impartiality."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import WorkCalendar
from marketplace.rulebook import DEFAULT_RULE_BOOK, RuleBook
from marketplace.rules.challenges import (
    ChallengeKind,
    ComplaintType,
    Effect,
    HandledBy,
    Involvement,
    Side,
    Standing,
    Target,
    Window,
    after_days,
    answer_deadline,
    complaint_ends,
    handler_of,
    involvement,
    may_challenge,
    notice_objection_ends,
    possible_effects,
    query_ends,
    rest_after,
    windows,
)

CALENDAR = WorkCalendar()
BOOK = DEFAULT_RULE_BOOK
MONDAY = datetime(2026, 11, 16, 1, tzinfo=UTC)  # 09:00 in Beijing
SECOND = timedelta(seconds=1)


def test_calendar_days_end_on_a_working_day() -> None:
    assert after_days(CALENDAR, MONDAY, 3) == datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC)
    wednesday = MONDAY + timedelta(days=2)
    # three days after Wednesday is a Saturday: Monday is the last day
    assert after_days(CALENDAR, wednesday, 3) == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    eve = datetime(2026, 9, 30, 2, tzinfo=UTC)
    # the National Day holiday of 2026 lasts to 7 October
    assert after_days(CALENDAR, eve, 3) == datetime(2026, 10, 8, 15, 59, 59, tzinfo=UTC)


def test_a_notice_can_be_objected_to_for_its_days_and_never_after_the_registration() -> None:
    far, near = MONDAY + timedelta(days=30), MONDAY + timedelta(days=2)
    assert notice_objection_ends(BOOK, CALENDAR, MONDAY, far) == datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC)
    assert notice_objection_ends(BOOK, CALENDAR, MONDAY, near) == near


def test_queries_and_complaints_have_their_working_days() -> None:
    assert query_ends(BOOK, CALENDAR, MONDAY) == datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC)
    assert complaint_ends(BOOK, CALENDAR, MONDAY) == datetime(2026, 12, 7, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "until"),
    [
        (ChallengeKind.OBJECTION, datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC)),
        (ChallengeKind.QUERY, datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC)),
        (ChallengeKind.COMPLAINT, datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)),
        (ChallengeKind.OFF_LIST, datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)),
    ],
)
def test_first_answers_are_due(kind: ChallengeKind, until: datetime) -> None:
    assert answer_deadline(kind, BOOK, CALENDAR, MONDAY) == until


def test_the_numbers_are_the_rule_book_s() -> None:
    strict = RuleBook(objection_reply_days=1, query_wd=2, query_reply_wd=2, complaint_wd=5)
    assert answer_deadline(ChallengeKind.OBJECTION, strict, CALENDAR, MONDAY).day == 17
    assert query_ends(strict, CALENDAR, MONDAY).day == 18
    assert complaint_ends(strict, CALENDAR, MONDAY).day == 23


def test_a_window_closes_after_its_last_second() -> None:
    window = Window(ChallengeKind.OBJECTION, Target.RESULT, MONDAY)
    assert window.is_open(MONDAY)
    assert not window.is_open(MONDAY + SECOND)
    assert Window(ChallengeKind.OBJECTION, Target.RESULT, MONDAY, stands_still=True).is_open(MONDAY + timedelta(days=9))


@pytest.mark.parametrize(
    ("state", "paused_from", "keys"),
    [
        ("draft", None, []),
        ("published", None, ["objection:notice", "query:notice"]),
        ("selecting", None, ["objection:list", "query:notice", "query:list"]),
        ("result_publicity", None, ["objection:result", "query:notice", "query:list", "query:result"]),
        ("paused", "result_publicity", ["objection:result", "query:notice", "query:list", "query:result"]),
        ("awarded", None, ["query:notice", "query:list", "query:result"]),
        ("contracted", None, []),
        ("failed", None, []),
        ("void", None, []),
    ],
)
def test_what_can_be_challenged_follows_from_the_stage(state: str, paused_from: str | None, keys: list[str]) -> None:
    found = windows(
        BOOK,
        CALENDAR,
        state=state,
        paused_from=paused_from,
        published_at=MONDAY,
        registration_ends_at=MONDAY + timedelta(days=3),
        frozen_at=MONDAY + timedelta(days=3),
        list_challenge_ends_at=MONDAY + timedelta(days=3, minutes=10),
        selected_at=MONDAY + timedelta(days=4),
        publicity_ends_at=MONDAY + timedelta(days=7),
    )
    assert [window.key for window in found] == keys
    assert [w.stands_still for w in found if w.key == "objection:result"] == (
        [paused_from is not None] if "objection:result" in keys else []
    )


@given(
    left=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)),
    pause=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=60)),
)
def test_the_rest_of_a_period_is_the_same_after_a_pause(left: timedelta, pause: timedelta) -> None:
    ends_at = MONDAY + left
    resumed = MONDAY + pause
    assert rest_after(ends_at, MONDAY, resumed) - resumed == left


@pytest.mark.parametrize("kind", list(ChallengeKind))
@pytest.mark.parametrize("target", list(Target))
def test_officials_and_the_own_side_challenge_nothing(kind: ChallengeKind, target: Target) -> None:
    assert not may_challenge(kind, target, Standing.OFFICIAL)
    if kind in {ChallengeKind.OBJECTION, ChallengeKind.QUERY}:
        assert not may_challenge(kind, target, Standing.PARTY)


def test_who_may_challenge_what() -> None:
    assert may_challenge(ChallengeKind.OBJECTION, Target.NOTICE, Standing.PERSON)
    assert may_challenge(ChallengeKind.OBJECTION, Target.RESULT, Standing.PERSON)
    assert not may_challenge(ChallengeKind.OBJECTION, Target.LIST, Standing.AGENCY)
    assert may_challenge(ChallengeKind.OBJECTION, Target.LIST, Standing.REGISTRANT)
    assert not may_challenge(ChallengeKind.QUERY, Target.RESULT, Standing.AGENCY)
    assert not may_challenge(ChallengeKind.QUERY, Target.NOTICE, Standing.PERSON)


@pytest.mark.parametrize("kind", list(ComplaintType))
def test_every_type_has_a_handler_and_follow_ups_go_to_the_regulator(kind: ComplaintType) -> None:
    assert handler_of(kind, Side.AGENCY, is_follow_up=True) is HandledBy.REGULATOR
    assert handler_of(kind, Side.OPERATOR, is_follow_up=False) is HandledBy.REGULATOR
    to_operator = kind.value in {"extra_fees", "delay", "poor_quality", "unpaid_fee", "unfair_rating", "courier"}
    expected = HandledBy.OPERATOR if to_operator else HandledBy.REGULATOR
    assert handler_of(kind, Side.AGENCY, is_follow_up=False) is expected


def test_effects_follow_from_the_stage() -> None:
    assert possible_effects("published") == (Effect.NONE, Effect.VOID)
    assert Effect.RESELECT in possible_effects("result_publicity")
    assert Effect.RESELECT not in possible_effects("selecting")
    assert possible_effects("in_service") == (Effect.NONE,)
    assert possible_effects(None, is_admission=True) == (Effect.REJECT_ADMISSION, Effect.NONE)


def test_nobody_decides_in_a_matter_of_one_s_own() -> None:
    me, office, other = UUID(int=1), UUID(int=2), UUID(int=3)
    nothing: dict[str, frozenset[UUID]] = {
        "stepped_aside": frozenset(),
        "sides": frozenset(),
        "acted_before": frozenset(),
    }
    assert involvement(me, office, **nothing) is None
    assert involvement(me, office, **{**nothing, "stepped_aside": frozenset({me})}) is Involvement.STEPPED_ASIDE
    assert involvement(me, office, **{**nothing, "sides": frozenset({office})}) is Involvement.OWN_SIDE
    assert involvement(me, office, **{**nothing, "acted_before": frozenset({me})}) is Involvement.ACTED_BEFORE
    assert involvement(me, office, **{**nothing, "acted_before": frozenset({other})}) is None
