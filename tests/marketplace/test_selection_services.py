"""Every method from its closing to the award, with what can go wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.kernel import clock
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import Upload
from marketplace.jobs import procurements as jobs
from marketplace.models.procurements import Draw, Procurement
from marketplace.models.selection import Comparison, ReplayCheck, SelectionResult
from marketplace.queries.selection import comparison_view, result_view
from marketplace.rules.selection.outcome import ReasonCode
from marketplace.rules.selection.terms import Criterion, MethodTerms
from marketplace.services import awards, procurements, quotes, selection
from marketplace.services.commands import ChooseAgency, Extend, HandInComparison, RequestDirect, ScoredRow
from marketplace.states.procurement import ProcurementState as P
from marketplace.states.registration import RegistrationState as R
from tests.marketplace.procurement_builders import DEADLINE, Clock, Story, a_story, frozen, notices_of, ranked
from tests.marketplace.quotes.builders import a_bidding, opened, quoted, sealed_for, waiting

PLAN_TERMS = MethodTerms(criteria=(Criterion("价格", 40, is_price=True), Criterion("服务方案", 60)))


def latest(story: Story) -> SelectionResult:
    db.session.expire_all()
    return (
        db.session.query(SelectionResult)
        .filter_by(procurement_id=story.id)
        .order_by(SelectionResult.number.desc())
        .first()
    )  # type: ignore[return-value]


def reasons(story: Story) -> dict[str, tuple[int | None, str]]:
    return {row["uscc"]: (row["place"], row["reason"]["code"]) for row in latest(story).outcome["placings"]}


def refusal(call: Any, *args: Any) -> str:
    with pytest.raises((Conflict, Refused)) as caught:
        call(*args)
    return str(caught.value.code)


def value_is_known(story: Story) -> None:
    due = story.procurement.beacon_due_at
    assert due is not None
    story.clock_at(due)
    jobs.rank_due()


def bid(clock_at: Clock, *prices: str, **changes: Any) -> Story:
    """A bidding with these quotes, all opened."""
    bidding = a_bidding(clock_at, len(prices), **changes)
    opened(waiting(quoted(bidding, *prices)))
    return bidding.story


def test_a_random_result_is_stored_with_everybodys_reason(app: Flask, clock_at: Clock) -> None:
    story = ranked(a_story(clock_at, 4))
    found = reasons(story)
    assert sorted(place for place, _ in found.values()) == [1, 2, 3, 4]  # type: ignore[type-var]
    assert {code for _, code in found.values()} == {ReasonCode.DRAWN}
    first = next(code for code, (place, _) in found.items() if place == 1)
    assert story.winner.uscc == first
    assert latest(story).draw_id is not None


def test_the_lowest_quote_wins_and_is_the_price_of_the_award(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "150000.00", "160000.00")
    assert story.state == P.RESULT_PUBLICITY
    assert story.winner is not None
    assert story.winner.uscc == story.agencies[1].uscc
    assert story.procurement.award_fen == 150_000_00
    assert reasons(story) == {
        story.agencies[1].uscc: (1, ReasonCode.LOWEST),
        story.agencies[2].uscc: (2, ReasonCode.HIGHER_PRICE),
        story.agencies[0].uscc: (3, ReasonCode.HIGHER_PRICE),
    }
    assert db.session.query(Draw).filter_by(procurement_id=story.id).count() == 0
    assert [story.registration(agency).state for agency in story.agencies] == [R.RESERVE, R.WON, R.RESERVE]


def test_level_quotes_are_drawn_with_an_announced_round(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "150000.00", "150000.00", "160000.00")
    assert story.state == P.SELECTING
    row = db.session.query(Draw).filter_by(procurement_id=story.id).one()
    assert (row.purpose, row.entries) == ("tie", 2)
    value_is_known(story)
    assert story.state == P.RESULT_PUBLICITY
    assert story.winner.uscc in {story.agencies[0].uscc, story.agencies[1].uscc}
    assert reasons(story)[story.winner.uscc] == (1, ReasonCode.LOWEST_BY_DRAW)


def test_too_few_valid_quotes_fail_and_cannot_be_extended(app: Flask, clock_at: Clock) -> None:
    bidding = a_bidding(clock_at, 3, fund_source="fiscal")
    quoted(bidding, "150000.00", "160000.00", "199000.00")  # the last is above the ceiling
    opened(waiting(bidding))
    story = bidding.story
    assert (story.state, story.procurement.failure_code) == (P.FAILED, "too_few_quotes")
    assert reasons(story)[story.agencies[2].uscc] == (None, ReasonCode.INVALID_QUOTE)
    assert reasons(story)[story.agencies[0].uscc] == (None, ReasonCode.FAILED)
    later = Extend(clock.now() + timedelta(days=10))
    assert refusal(procurements.extend_registration, story.owner, story.id, later) == "not-extendable"
    assert story.state == P.FAILED


def test_a_further_round_may_only_lower_prices(app: Flask, clock_at: Clock) -> None:
    terms = MethodTerms(rounds=2, round_minutes=3)
    bidding = a_bidding(clock_at, 3, method_terms=terms)
    story = bidding.story
    quoted(bidding, "170000.00", "150000.00", "160000.00")
    opened(waiting(bidding))
    assert (story.state, story.procurement.quote_round) == (P.BIDDING, 2)
    opens, ends = story.procurement.quotes_open_at, story.procurement.quotes_end_at
    assert opens is not None
    assert ends == opens + timedelta(minutes=3)
    story.clock_at(opens + timedelta(seconds=1))
    quotes.hand_in(story.agencies[0].actor, story.id, sealed_for(bidding, story.agencies[0], "140000.00"))
    quotes.hand_in(story.agencies[1].actor, story.id, sealed_for(bidding, story.agencies[1], "155000.00"))
    story.clock_at(ends + timedelta(seconds=1))
    assert jobs.rounds_due() == 1
    assert story.state == P.OPENING
    opened(bidding)
    assert story.winner.uscc == story.agencies[0].uscc
    places = {row["uscc"]: row["price_fen"] for row in latest(story).outcome["placings"]}
    assert places == {
        story.agencies[0].uscc: 140_000_00,
        story.agencies[1].uscc: 150_000_00,  # the higher one of the second round does not count
        story.agencies[2].uscc: 160_000_00,
    }


def test_the_reference_price_waits_for_its_base_percentage(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "150000.00", "160000.00", method="bid_ref")
    assert story.state == P.SELECTING
    assert db.session.query(Draw).filter_by(procurement_id=story.id).one().purpose == "base_percent"
    value_is_known(story)
    facts = latest(story).outcome["facts"]
    assert facts["reference_fen"] == 160_000 * facts["base_percent"]
    assert story.state == P.RESULT_PUBLICITY


def test_a_shortlist_is_drawn_from(app: Flask, clock_at: Clock) -> None:
    terms = MethodTerms(small_list=2)
    story = bid(clock_at, "170000.00", "150000.00", "160000.00", method="combined", method_terms=terms)
    assert [story.registration(agency).state for agency in story.agencies] == [R.OPENED, R.SHORTLISTED, R.SHORTLISTED]
    value_is_known(story)
    assert reasons(story)[story.agencies[0].uscc] == (None, ReasonCode.NOT_SHORTLISTED)
    assert story.registration(story.agencies[0]).state == R.LOST


def sheet(story: Story, *scores: int, reason: str = "方案针对性强") -> HandInComparison:
    return HandInComparison(
        tuple(
            ScoredRow(story.registration(agency).id, ((points, reason),))
            for agency, points in zip(story.agencies, scores, strict=True)
        )
    )


def plan_story(clock_at: Clock) -> Story:
    """A merit selection whose plans are opened; its registration is open for the longer period."""
    bidding = a_bidding(
        clock_at, 2, method="merit_plan", method_terms=PLAN_TERMS, registration_ends_at=DEADLINE + timedelta(days=7)
    )
    story = bidding.story
    for agency, price in zip(story.agencies, ("150000.00", "120000.00"), strict=True):
        quotes.hand_in(agency.actor, story.id, sealed_for(bidding, agency, price, plan="方案正文".encode()))
    ends_at = story.procurement.registration_ends_at
    assert ends_at is not None
    story.clock_at(ends_at + timedelta(seconds=1))
    jobs.close_due()
    jobs.freeze_due()
    opened(bidding)
    return story


def test_plans_are_compared_with_reasons_and_the_total_decides(app: Flask, clock_at: Clock) -> None:
    story = plan_story(clock_at)
    assert story.state == P.COMPARING
    assert notices_of(story.owner, "procurement.compare") == 1
    view = comparison_view(story.owner, story.id)
    assert [candidate.price_fen for candidate in view.candidates] == [150_000_00, 120_000_00]
    assert all(candidate.plan_file_id for candidate in view.candidates)
    assert (
        refusal(selection.hand_in_comparison, story.owner, story.id, sheet(story, 95, 60, reason=" "))
        == "reason-missing"
    )
    assert refusal(selection.hand_in_comparison, story.owner, story.id, sheet(story, 101, 60)) == "bad-score"
    half = HandInComparison(sheet(story, 95, 60).rows[:1])
    assert refusal(selection.hand_in_comparison, story.owner, story.id, half) == "sheet-incomplete"
    with pytest.raises(NotAllowed):
        selection.hand_in_comparison(story.operator, story.id, sheet(story, 95, 60))
    assert db.session.query(Comparison).count() == 0
    selection.hand_in_comparison(story.owner, story.id, sheet(story, 95, 60))
    # 40 % x 80 + 60 % x 95 = 89; 40 % x 100 + 60 % x 60 = 76
    assert story.winner.uscc == story.agencies[0].uscc
    assert latest(story).outcome["facts"]["totals"] == {
        story.agencies[0].uscc: "89.0000",
        story.agencies[1].uscc: "76.0000",
    }
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    assert ends_at - clock.now() > timedelta(days=5)  # five working days by merit
    scores = result_view(story.agencies[1].actor, story.id).placings[1].scores
    assert [(score.name, score.points) for score in scores] == [("服务方案", 60)]


def test_plans_that_nobody_compares_fail(app: Flask, clock_at: Clock) -> None:
    story = plan_story(clock_at)
    due = story.procurement.compare_by
    assert due is not None
    story.clock_at(due)
    assert jobs.compare_due() == 0
    story.clock_at(due + timedelta(seconds=1))
    assert refusal(selection.hand_in_comparison, story.owner, story.id, sheet(story, 95, 60)) == "comparison-late"
    assert jobs.compare_due() == 1
    assert (story.state, story.procurement.failure_code) == (P.FAILED, "not_compared")
    assert latest(story).outcome["failure"] == "not_compared"


def small_list(clock_at: Clock) -> Story:
    terms = MethodTerms(big_list=3, small_list=2)
    story = frozen(a_story(clock_at, 4, method="merit_credit", method_terms=terms))
    assert story.state == P.SELECTING
    value_is_known(story)
    assert story.state == P.COMPARING
    return story


def test_the_owner_chooses_from_the_small_list(app: Flask, clock_at: Clock) -> None:
    story = small_list(clock_at)
    view = comparison_view(story.owner, story.id)
    assert len(view.candidates) == 2
    off = next(
        a for a in story.agencies if story.registration(a).id not in {c.registration_id for c in view.candidates}
    )
    wrong = ChooseAgency(story.registration(off).id, "熟悉")
    assert refusal(selection.choose_agency, story.owner, story.id, wrong) == "not-on-small-list"
    chosen = view.candidates[1].registration_id
    selection.choose_agency(story.owner, story.id, ChooseAgency(chosen, "承担过同类项目"))
    assert story.procurement.winner_registration_id == chosen
    assert latest(story).outcome["placings"][0]["reason"]["facts"]["why"] == "承担过同类项目"


def test_an_owner_who_stays_silent_leaves_it_to_the_draw(app: Flask, clock_at: Clock) -> None:
    story = small_list(clock_at)
    first = latest_small_list(story)
    due = story.procurement.compare_by
    assert due is not None
    story.clock_at(due + timedelta(seconds=1))
    assert jobs.compare_due() == 1
    assert str(story.procurement.winner_registration_id) == latest(story).outcome["facts"]["small_list"][0]
    assert story.procurement.winner_registration_id in first


def latest_small_list(story: Story) -> set[Any]:
    return {candidate.registration_id for candidate in comparison_view(story.owner, story.id).candidates}


def test_one_registration_is_too_few_for_merit_by_credit(app: Flask, clock_at: Clock) -> None:
    terms = MethodTerms(big_list=3, small_list=2)
    story = frozen(a_story(clock_at, 2, method="merit_credit", method_terms=terms), 1)
    assert (story.state, story.procurement.failure_code) == (P.FAILED, "pool_too_small")


# --- succession -------------------------------------------------------------------------------------------------


def test_the_next_by_price_follows_a_winner_who_gives_up(app: Flask, clock_at: Clock) -> None:
    story = bid(clock_at, "170000.00", "150000.00", "160000.00")
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    story.clock_at(ends_at + timedelta(seconds=1))
    jobs.award_due()
    awards.give_up_award(story.agencies[1].actor, story.id, WithReason("人员不足"))
    assert (story.state, story.procurement.award_fen) == (P.RESELECT, None)
    awards.propose_succession(story.operator, story.id, Plain())
    awards.approve_succession(story.second, story.id, WithReason("按公布顺序递补"))
    assert story.winner.uscc == story.agencies[2].uscc
    assert story.procurement.award_fen == 160_000_00


# --- failure ladder and direct selection ------------------------------------------------------------------------


def failed_twice(clock_at: Clock, **changes: Any) -> Story:
    """Failed, extended once, failed again; one agency is registered."""
    story = frozen(a_story(clock_at, 3, **changes), 1)
    assert (story.state, story.procurement.failures) == (P.FAILED, 1)
    later = clock.now() + timedelta(days=10)
    procurements.extend_registration(story.owner, story.id, Extend(later))
    ends_at = story.procurement.registration_ends_at
    assert ends_at is not None
    story.clock_at(ends_at + timedelta(seconds=1))
    jobs.close_due()
    jobs.freeze_due()
    assert (story.state, story.procurement.failures) == (P.FAILED, 2)
    return story


def request_of(story: Story, ground: str = "after_failures", **changes: Any) -> RequestDirect:
    facts: dict[str, Any] = {
        "ground": ground,
        "uscc": story.agencies[0].uscc,
        "reason": "两次公告均只有一家报名。",
        "document": Upload("集体决策.txt", "局长办公会议定。".encode()),
    }
    return RequestDirect(**{**facts, **changes})


def test_after_two_failures_the_registered_agency_is_chosen_with_approval(app: Flask, clock_at: Clock) -> None:
    story = failed_twice(clock_at)
    other = request_of(story, uscc=story.agencies[1].uscc)
    assert refusal(selection.request_direct, story.owner, story.id, other) == "not-registered-here"
    bare = request_of(story, document=None)
    assert refusal(selection.request_direct, story.owner, story.id, bare) == "decision-missing"
    selection.request_direct(story.owner, story.id, request_of(story))
    assert story.state == P.DIRECT_REQUEST
    assert refusal(selection.approve_direct, story.operator, story.id, Plain()) == "regulator-decides"
    selection.approve_direct(story.second, story.id, Plain())
    assert story.state == P.RESULT_PUBLICITY
    assert story.winner.uscc == story.agencies[0].uscc
    assert reasons(story) == {story.agencies[0].uscc: (1, ReasonCode.NAMED)}


def test_one_failure_is_not_enough(app: Flask, clock_at: Clock) -> None:
    story = frozen(a_story(clock_at, 3), 1)
    assert refusal(selection.request_direct, story.owner, story.id, request_of(story)) == "too-few-failures"
    assert story.state == P.FAILED


def test_a_refused_request_fails_again(app: Flask, clock_at: Clock) -> None:
    story = failed_twice(clock_at)
    selection.request_direct(story.owner, story.id, request_of(story))
    selection.refuse_direct(story.second, story.id, WithReason("理由不充分"))
    assert (story.state, story.procurement.failures) == (P.FAILED, 2)
    procurements.cancel_procurement(story.owner, story.id, WithReason("不再采购"))
    assert story.state == P.CANCELLED


def test_the_next_round_knows_how_often_the_need_failed(app: Flask, clock_at: Clock) -> None:
    story = failed_twice(clock_at)
    draft = procurements.republish(story.owner, story.id, Plain())
    made = db.session.get_one(Procurement, draft)
    assert (made.failures, made.round) == (2, 2)


def test_a_small_purchase_is_chosen_directly_from_its_draft(app: Flask, clock_at: Clock) -> None:
    story = a_story(clock_at, 2, method="direct", budget_fen=40_000_00, price_fen=40_000_00)
    assert refusal(procurements.submit_notice, story.owner, story.id, Plain()) == "direct-request"
    wrong = request_of(story, "own_choice")
    assert refusal(selection.request_direct, story.owner, story.id, wrong) == "ground-not-allowed"
    selection.request_direct(story.owner, story.id, request_of(story, "small_amount", reason="金额小，时间紧。"))
    assert not story.procurement.is_public
    selection.approve_direct(story.second, story.id, Plain())
    assert story.state == P.RESULT_PUBLICITY
    assert story.procurement.is_public
    assert (story.winner.uscc, story.procurement.award_fen) == (story.agencies[0].uscc, 40_000_00)


def test_private_money_is_decided_by_the_operator(app: Flask, clock_at: Clock) -> None:
    story = a_story(clock_at, 2, method="direct", fund_source="social")
    selection.request_direct(story.owner, story.id, request_of(story, "own_choice", document=None))
    assert refusal(selection.refuse_direct, story.second, story.id, WithReason("越权")) == "regulator-decides"
    selection.refuse_direct(story.operator, story.id, WithReason("请写明理由"))
    assert story.state == P.RETURNED


# --- replay -----------------------------------------------------------------------------------------------------


def test_a_replay_finds_the_same_result_and_a_changed_row_raises_the_alarm(app: Flask, clock_at: Clock) -> None:
    story = ranked(registered_story(clock_at))
    result = latest(story)
    assert selection.replay_all() == 1
    assert selection.replay_result(story.second, result.id, Plain())
    assert result_view(story.second, story.id).last_replay is not None
    with pytest.raises(NotAllowed):
        selection.replay_result(story.owner, result.id, Plain())
    with transaction() as session:
        _disarm(session)
        changed = result.outcome_sha256[::-1]
        session.execute(text("UPDATE selection_result SET outcome_sha256 = :sha"), {"sha": changed})
    db.session.expire_all()
    assert not selection.replay_result(story.second, result.id, Plain())
    assert notices_of(story.second, "procurement.replay_alarm") == 1
    assert [row.is_same for row in db.session.query(ReplayCheck).order_by(ReplayCheck.id)] == [True, True, False]


def registered_story(clock_at: Clock) -> Story:
    return a_story(clock_at, 3)


def _disarm(session: Any) -> None:
    """What somebody with the database in hand would do first."""
    if db.engine.dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER selection_result_no_update"))
    else:
        session.execute(text("ALTER TABLE selection_result DISABLE TRIGGER selection_result_append_only"))


def test_stored_results_cannot_be_changed(app: Flask, clock_at: Clock) -> None:
    ranked(registered_story(clock_at))
    with pytest.raises(Exception, match="append-only"), transaction() as session:
        session.execute(text("UPDATE selection_result SET number = 9"))
