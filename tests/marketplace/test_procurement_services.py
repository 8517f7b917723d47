"""The way of a procurement through its use cases: exact states, refusals, and that a refusal changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.kernel import clock
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Outdated, Refused
from app.kernel.timeline import thread_entries
from app.web.schemas import Plain, WithReason
from marketplace.jobs import procurements as jobs
from marketplace.models.agencies import Agency, Qualification
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Draw, DrawOutcome, DrawRank, ProcurementNotice, Registration
from marketplace.models.rulebook import RuleBookVersion
from marketplace.rules import draw as gmdraw
from marketplace.services import awards, procurements, registrations, selection
from marketplace.services.commands import Avoided, EnterValue, Extend, Register
from tests.builders import a_member
from tests.marketplace.procurement_builders import (
    DEADLINE,
    a_draft,
    a_story,
    an_agency,
    an_item,
    awarded,
    frozen,
    notices_of,
    published,
    ranked,
    registered,
)

pytestmark = pytest.mark.usefixtures("app")


# --- the notice -------------------------------------------------------------------------------------------------


def test_a_notice_goes_from_draft_to_public_with_a_frozen_text(clock_at) -> None:
    story = a_story(clock_at)
    assert story.state == "draft"
    procurements.submit_notice(story.owner, story.id, Plain())
    assert story.state == "submitted"
    assert story.procurement.check_by == datetime(2026, 11, 17, 15, 59, 59, tzinfo=UTC)
    procurements.publish_notice(story.operator, story.id, Plain())
    p = story.procurement
    assert (p.state, p.rule_book_version, p.published_at) == ("published", 1, clock.now())
    notice = db.session.query(ProcurementNotice).one()
    assert notice.version == 1
    assert notice.content["money"] == {
        "fund_source": "fiscal",
        "budget_fen": 200_000_00,
        "ceiling_fen": None,
        "price_fen": 180_000_00,
        "note": "",
    }
    assert notice.content["selection"]["sources"] == ["demo-beacon"]
    assert len(notice.sha256) == 64
    actions = [entry.action for entry in thread_entries(p.thread_id, story.owner)]
    assert actions == ["drafted", "submit", "publish"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"price_fen": 200_000_01}, "price-above-budget", "price_fen"),
        ({"ceiling_fen": 170_000_00}, "price-above-ceiling", "price_fen"),
        ({"budget_fen": 600_000_00, "price_fen": 500_000_00}, "random-limit", "price_fen"),
        ({"budget_fen": 1_000_000_00}, "tender-limit", "budget_fen"),
        ({"registration_ends_at": datetime(2026, 11, 18, 9, tzinfo=UTC)}, "period-too-short", "registration_ends_at"),
        ({"limit_wd": 16}, "limit-above-item", "limit_wd"),
        ({"item_version_id": uuid4()}, "item-not-in-force", "item_version_id"),
        ({"avoided": (Avoided("911100006000300010", "x"),)}, "bad-credit-code", "avoided"),
        ({"avoided": (Avoided("91110000600030001W", " "),)}, "avoidance-reason", "avoided"),
        ({"avoided": (Avoided("91110000600030001W", "a"),) * 2}, "avoided-twice", "avoided"),
    ],
)
def test_a_faulty_notice_names_the_field_and_writes_nothing(clock_at, changes, code, field) -> None:
    story = a_story(clock_at)
    before = story.procurement.version
    with pytest.raises(Refused) as refusal:
        procurements.update_notice(story.owner, story.id, a_draft(story.item, **changes))
    assert (refusal.value.code, refusal.value.field) == (code, field)
    db.session.rollback()
    assert (story.procurement.version, story.procurement.budget_fen) == (before, 200_000_00)


def test_only_owners_draft_and_only_the_owner_of_a_draft_sees_it(clock_at) -> None:
    story = a_story(clock_at)
    with pytest.raises(NotAllowed):
        procurements.draft_notice(story.agencies[0].actor, a_draft(story.item))
    stranger = a_member("owner")
    with pytest.raises(NotFound):
        procurements.update_notice(stranger, story.id, a_draft(story.item))
    with pytest.raises(NotFound):
        procurements.submit_notice(story.agencies[0].actor, story.id, Plain())
    with pytest.raises(NotAllowed):
        procurements.submit_notice(story.operator, story.id, Plain())
    assert story.state == "draft"


def test_a_returned_notice_is_corrected_and_submitted_again(clock_at) -> None:
    story = a_story(clock_at)
    procurements.submit_notice(story.owner, story.id, Plain())
    with pytest.raises(Refused, match="reason"):
        procurements.return_notice(story.operator, story.id, WithReason("  "))
    with pytest.raises(Conflict) as locked:
        procurements.update_notice(story.owner, story.id, a_draft(story.item))
    assert locked.value.code == "not-a-draft"
    procurements.return_notice(story.operator, story.id, WithReason("请补充服务内容"))
    assert story.state == "returned"
    assert notices_of(story.owner, "procurement.owner") == 1
    procurements.update_notice(story.owner, story.id, a_draft(story.item, content="补充后的服务内容"))
    procurements.submit_notice(story.owner, story.id, Plain())
    assert (story.state, story.procurement.content) == ("submitted", "补充后的服务内容")


def test_a_stale_page_changes_nothing(clock_at) -> None:
    story = a_story(clock_at)
    seen = story.procurement.version
    procurements.update_notice(story.owner, story.id, a_draft(story.item, title="新标题", version=seen))
    with pytest.raises(Outdated):
        procurements.update_notice(story.owner, story.id, a_draft(story.item, title="旧页面", version=seen))
    db.session.rollback()
    assert story.procurement.title == "新标题"


def test_a_slow_check_moves_the_deadline_and_never_shortens_the_period(clock_at) -> None:
    story = a_story(clock_at)
    procurements.submit_notice(story.owner, story.id, Plain())
    clock_at(datetime(2026, 11, 18, 2, tzinfo=UTC))
    procurements.publish_notice(story.operator, story.id, Plain())
    assert story.procurement.registration_ends_at == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)


def test_without_a_form_check_the_notice_is_public_at_once(clock_at) -> None:
    story = a_story(clock_at)
    with transaction() as session:
        session.add(
            RuleBookVersion(
                version=2,
                parameters={"notice.form_check": False},
                effective_from=datetime(2026, 11, 1, tzinfo=UTC).date(),
                published_at=clock.now(),
            )
        )
    procurements.submit_notice(story.owner, story.id, Plain())
    assert (story.state, story.procurement.rule_book_version) == ("published", 2)


def test_matching_agencies_are_told_and_others_are_not(clock_at) -> None:
    story = a_story(clock_at)
    suspended = an_agency(story.item, 90, state="suspended")
    elsewhere = an_agency(an_item(), 91)
    published(story)
    assert [notices_of(agency.actor, "procurement.opportunity") for agency in story.agencies] == [1, 1, 1, 1]
    assert notices_of(suspended.actor, "procurement.opportunity") == 0
    assert notices_of(elsewhere.actor, "procurement.opportunity") == 0


def test_a_withdrawn_notice_ends_the_registrations_and_tells_them(clock_at) -> None:
    story = registered(a_story(clock_at), 2)
    procurements.withdraw_notice(story.owner, story.id, WithReason("项目取消"))
    assert story.state == "withdrawn"
    assert story.registration(story.agencies[0]).state == "lost"
    assert notices_of(story.agencies[0].actor, "procurement.ended") == 1
    procurements.cancel_procurement(story.owner, story.id, WithReason("项目取消"))
    assert story.state == "cancelled"


# --- registration -----------------------------------------------------------------------------------------------


def test_the_deadline_itself_counts_and_a_millisecond_later_does_not(clock_at) -> None:
    story = published(a_story(clock_at))
    clock_at(DEADLINE)
    registrations.register(story.agencies[0].actor, story.id, Register())
    clock_at(DEADLINE + timedelta(milliseconds=1))
    with pytest.raises(Conflict) as late:
        registrations.register(story.agencies[1].actor, story.id, Register())
    assert (late.value.code, late.value.params["until"]) == ("registration-ended", "2026-11-19 17:00:00")
    with pytest.raises(Conflict) as stuck:
        registrations.withdraw_registration(story.agencies[0].actor, story.registration(story.agencies[0]).id, Plain())
    assert stuck.value.code == "registration-ended"
    db.session.rollback()
    assert db.session.query(Registration).count() == 1
    assert story.registration(story.agencies[0]).state == "registered"


def test_an_agency_registers_once_withdraws_and_returns(clock_at) -> None:
    story = published(a_story(clock_at))
    agency = story.agencies[0]
    made = registrations.register(agency.actor, story.id, Register("ab" * 32))
    with pytest.raises(Conflict) as twice:
        registrations.register(agency.actor, story.id, Register())
    assert twice.value.code == "already-registered"
    registrations.withdraw_registration(agency.actor, made, Plain())
    assert story.registration(agency).state == "withdrawn"
    assert registrations.register(agency.actor, story.id, Register("cd" * 32)) == made
    again = story.registration(agency)
    assert (again.state, again.contribution) == ("registered", "cd" * 32)


@pytest.mark.parametrize("contribution", ["", "ab", "AB" * 32, "zz" * 32, "ab" * 33])
def test_a_contribution_has_one_spelling(clock_at, contribution) -> None:
    story = published(a_story(clock_at, agencies=1))
    with pytest.raises(Refused) as refusal:
        registrations.register(story.agencies[0].actor, story.id, Register(contribution))
    assert refusal.value.field == "contribution"


def test_an_ineligible_agency_is_refused_with_every_reason(clock_at) -> None:
    story = published(a_story(clock_at, avoided=(Avoided("91110000600030001W", "同一股东"),)))
    agency = an_agency(story.item, 50, state="suspended")
    with transaction():
        db.session.execute(sa.update(Qualification).where(Qualification.agency_id == agency.id).values(grade="C"))
    with pytest.raises(Refused) as refusal:
        registrations.register(agency.actor, story.id, Register())
    failed = {check["test"]: check["reason"] for check in refusal.value.extra["checks"]}
    assert failed == {"standing": "suspended", "qualification": "unqualified"}
    assert db.session.query(Registration).count() == 0


def test_an_avoided_agency_is_kept_out(clock_at) -> None:
    story = a_story(clock_at, agencies=2)
    conflict = Avoided(story.agencies[0].uscc, "项目负责人持股")
    procurements.update_notice(story.owner, story.id, a_draft(story.item, avoided=(conflict,)))
    published(story)
    with pytest.raises(Refused) as refusal:
        registrations.register(story.agencies[0].actor, story.id, Register())
    assert [check["params"] for check in refusal.value.extra["checks"]] == [{"reason": "项目负责人持股"}]


def test_owners_operators_and_strangers_do_not_register(clock_at) -> None:
    story = published(a_story(clock_at, agencies=1))
    for actor in (story.owner, story.operator):
        with pytest.raises(NotAllowed):
            registrations.register(actor, story.id, Register())
    made = registrations.register(story.agencies[0].actor, story.id, Register())
    other = an_agency(story.item, 60)
    with pytest.raises(NotFound):
        registrations.withdraw_registration(other.actor, made, Plain())


# --- closing, freezing, ranking ---------------------------------------------------------------------------------


def test_nothing_closes_before_its_deadline(clock_at) -> None:
    story = registered(a_story(clock_at))
    clock_at(DEADLINE)
    assert jobs.run_due() == 0
    assert selection.close_registration(story.id) is False
    assert story.state == "published"


def test_the_list_is_frozen_with_those_who_qualify_at_the_deadline(clock_at) -> None:
    story = registered(a_story(clock_at))
    with transaction():
        gone = story.agencies[3]
        day = datetime(2026, 11, 18, tzinfo=UTC).date()
        db.session.execute(sa.update(Qualification).where(Qualification.agency_id == gone.id).values(expires_on=day))
    clock_at(DEADLINE + timedelta(seconds=1))
    assert jobs.close_due() == 1
    assert jobs.freeze_due() == 1
    assert story.state == "selecting"
    states = [story.registration(agency).state for agency in story.agencies]
    assert states == ["qualified", "qualified", "qualified", "ineligible"]
    reasons = {check["test"] for check in story.registration(gone).final_eligibility if not check["passed"]}
    assert reasons == {"qualification"}
    draw = db.session.query(Draw).one()
    listed = gmdraw.parse_draw(draw.draw_file, demonstration=True)
    assert [entry.code for entry in listed.entries] == sorted(agency.uscc for agency in story.agencies[:3])
    assert draw.sha256 == gmdraw.list_hash(draw.draw_file)
    assert draw.challenge_ends_at == draw.frozen_at + timedelta(minutes=10)
    assert draw.beacon_due_at == draw.frozen_at + timedelta(minutes=10)
    assert notices_of(story.agencies[0].actor, "procurement.frozen") == 1
    assert jobs.close_due() + jobs.freeze_due() == 0


@pytest.mark.parametrize(
    ("fund", "count", "state", "code"),
    [
        ("fiscal", 3, "selecting", None),
        ("fiscal", 2, "failed", "pool_too_small"),
        ("mixed", 2, "failed", "pool_too_small"),
        ("social", 1, "selecting", None),
        ("social", 0, "failed", "no_registration"),
    ],
)
def test_pools_at_their_smallest(clock_at, fund, count, state, code) -> None:
    story = frozen(a_story(clock_at, fund_source=fund), count)
    assert (story.state, story.procurement.failure_code) == (state, code)
    assert db.session.query(Draw).count() == (1 if state == "selecting" else 0)


def test_a_failed_registration_is_extended_once_and_keeps_those_who_registered(clock_at) -> None:
    story = frozen(a_story(clock_at), 2)
    assert story.state == "failed"
    assert notices_of(story.owner, "procurement.failed") == 1
    with pytest.raises(Refused) as short:
        procurements.extend_registration(story.owner, story.id, Extend(DEADLINE + timedelta(days=1)))
    assert short.value.code == "period-too-short"
    later = datetime(2026, 11, 25, 9, tzinfo=UTC)
    procurements.extend_registration(story.owner, story.id, Extend(later))
    p = story.procurement
    assert (p.state, p.registration_ends_at, p.failure_code, p.is_extended) == ("published", later, None, True)
    assert [n.version for n in db.session.query(ProcurementNotice).order_by(ProcurementNotice.version)] == [1, 2]
    registrations.register(story.agencies[2].actor, story.id, Register())
    clock_at(later + timedelta(seconds=1))
    jobs.run_due()
    assert story.state == "selecting"
    assert db.session.query(Draw).one().entries == 3


def test_a_second_failure_leads_to_a_new_round(clock_at) -> None:
    story = frozen(a_story(clock_at), 1)
    later = datetime(2026, 11, 25, 9, tzinfo=UTC)
    procurements.extend_registration(story.owner, story.id, Extend(later))
    clock_at(later + timedelta(seconds=1))
    jobs.run_due()
    with pytest.raises(Conflict) as again:
        procurements.extend_registration(story.owner, story.id, Extend(later + timedelta(days=10)))
    assert again.value.code == "already-extended"
    made = procurements.republish(story.owner, story.id, Plain())
    old = story.procurement
    story.id = made
    new = story.procurement
    assert (old.state, new.state, new.round, new.previous_id) == ("republished", "draft", 2, old.id)
    assert (new.thread_id, new.title, new.number != old.number) == (old.thread_id, old.title, True)


def test_the_demonstration_value_comes_at_its_time_and_the_order_can_be_repeated(clock_at) -> None:
    story = frozen(a_story(clock_at))
    draw = db.session.query(Draw).one()
    clock_at(draw.beacon_due_at - timedelta(seconds=1))
    assert jobs.rank_due() == 0
    clock_at(draw.beacon_due_at)
    assert jobs.rank_due() == 1
    assert story.state == "result_publicity"
    outcome = db.session.query(DrawOutcome).one()
    repeated = gmdraw.rank(draw.draw_file, outcome.beacon_file, demonstration=True)
    stored = [(row.place, row.uscc, row.score) for row in db.session.query(DrawRank).order_by(DrawRank.place)]
    assert stored == [(row.place, row.code, row.score) for row in repeated.ranking]
    assert story.winner.uscc == repeated.ranking[0].code
    states = {row.code: story.registration(story.agency_with(row.code)).state for row in repeated.ranking}
    assert list(states.values()) == ["won", "reserve", "reserve", "reserve"]
    assert story.procurement.publicity_ends_at == datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    assert jobs.rank_due() == 0


@pytest.mark.parametrize("table", ["draw", "draw_outcome", "draw_rank", "draw_value_entry", "procurement_notice"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_a_frozen_draw_cannot_be_written_even_with_sql(clock_at, table, statement) -> None:
    ranked(a_story(clock_at))
    column = {
        "draw": "code = 'X'",
        "draw_outcome": "seed = 'X'",
        "draw_rank": "score = 'X'",
        "draw_value_entry": "value = 'X'",
    }
    text = statement.format(table, column.get(table, "sha256 = 'X'"))
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(sa.text(text))


def test_one_who_steps_back_before_the_value_is_skipped_and_the_order_stays(clock_at) -> None:
    story = frozen(a_story(clock_at))
    for agency in story.agencies[:3]:
        registrations.step_back(agency.actor, story.registration(agency).id, WithReason("人员不足"))
    due = story.procurement.beacon_due_at
    assert due is not None
    clock_at(due)
    jobs.rank_due()
    assert story.winner is story.agencies[3]
    assert db.session.query(DrawRank).count() == 4


def test_when_everybody_steps_back_the_selection_fails(clock_at) -> None:
    story = frozen(a_story(clock_at))
    for agency in story.agencies:
        registrations.step_back(agency.actor, story.registration(agency).id, WithReason("人员不足"))
    due = story.procurement.beacon_due_at
    assert due is not None
    clock_at(due)
    jobs.rank_due()
    assert (story.state, story.procurement.failure_code) == ("failed", "ranking_exhausted")


# --- real values by two persons ---------------------------------------------------------------------------------

SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"


@pytest.fixture
def real(app: Flask) -> None:
    """An installation that is no demonstration."""
    app.extensions["chaoshi_settings"] = replace(app.extensions["chaoshi_settings"], demonstration=False)


def test_real_values_are_the_first_round_of_ten_on_the_next_working_day(real, clock_at) -> None:
    frozen(a_story(clock_at))
    draw = db.session.query(Draw).one()
    listed = gmdraw.parse_draw(draw.draw_file)
    assert [source.name for source in listed.sources] == ["drand-quicknet"]
    ten = datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert ten <= draw.beacon_due_at < ten + timedelta(seconds=3)
    assert draw.is_demonstration is False
    clock_at(draw.beacon_due_at + timedelta(hours=1))
    assert jobs.rank_due() == 0


def test_two_persons_must_read_the_same_value(real, clock_at) -> None:
    story = frozen(a_story(clock_at))
    draw = db.session.query(Draw).one()
    command = EnterValue("drand-quicknet", SIGNATURE)
    with pytest.raises(Conflict) as early:
        selection.enter_value(story.operator, draw.id, command)
    assert early.value.code == "value-not-known"
    clock_at(draw.beacon_due_at)
    for actor in (story.owner, story.agencies[0].actor):
        with pytest.raises(NotAllowed):
            selection.enter_value(actor, draw.id, command)
    with pytest.raises(Refused) as spelling:
        selection.enter_value(story.operator, draw.id, EnterValue("drand-quicknet", SIGNATURE.upper()))
    assert spelling.value.code == "bad-value"
    with pytest.raises(Refused) as unknown:
        selection.enter_value(story.operator, draw.id, EnterValue("cwl-kl8", "1"))
    assert unknown.value.code == "unknown-source"
    wrong = EnterValue("drand-quicknet", "0" * 96)
    assert selection.enter_value(story.operator, draw.id, wrong) is False
    assert selection.enter_value(story.second, draw.id, command) is False
    with pytest.raises(Conflict) as same:
        selection.enter_value(story.second, draw.id, command)
    assert same.value.code == "value-entered"
    assert story.state == "selecting"
    assert selection.enter_value(story.operator, draw.id, command) is True
    assert story.state == "result_publicity"
    outcome = db.session.query(DrawOutcome).one()
    assert SIGNATURE.encode() in outcome.beacon_file
    with pytest.raises(Conflict) as over:
        selection.enter_value(story.second, draw.id, wrong)
    assert over.value.code == "draw-not-open"


def test_a_silent_source_voids_the_draw_only_after_thirty_days(real, clock_at) -> None:
    story = frozen(a_story(clock_at))
    due = db.session.query(Draw).one().beacon_due_at
    clock_at(due + timedelta(days=29))
    with pytest.raises(Conflict) as waiting:
        selection.abandon_draw(story.operator, story.id, WithReason("无数据"))
    assert waiting.value.code == "source-not-dead"
    clock_at(due + timedelta(days=30))
    selection.abandon_draw(story.operator, story.id, WithReason("无数据"))
    assert (story.state, story.procurement.failure_code) == ("failed", "source_dead")


def test_nobody_enters_a_demonstration_value_by_hand(clock_at) -> None:
    story = frozen(a_story(clock_at))
    draw = db.session.query(Draw).one()
    clock_at(draw.beacon_due_at)
    with pytest.raises(Conflict) as refusal:
        selection.enter_value(story.operator, draw.id, EnterValue("demo-beacon", "ab" * 32))
    assert refusal.value.code == "demonstration-source"


# --- award and succession ---------------------------------------------------------------------------------------


def test_the_award_follows_the_publicity_and_the_winner_confirms(clock_at) -> None:
    story = ranked(a_story(clock_at))
    assert jobs.award_due() == 0
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    clock_at(ends_at + timedelta(seconds=1))
    assert jobs.award_due() == 1
    p = story.procurement
    assert (p.state, p.confirm_by) == ("awarded", datetime(2026, 11, 27, 15, 59, 59, tzinfo=UTC))
    assert p.award_document_id is not None
    loser = next(agency for agency in story.agencies if agency is not story.winner)
    for actor in (loser.actor, story.owner, story.operator):
        with pytest.raises(NotAllowed):
            awards.confirm_award(actor, story.id, Plain())
    contract_id = awards.confirm_award(story.winner.actor, story.id, Plain())
    assert (story.state, story.registration(story.winner).state) == ("confirmed", "confirmed")
    contract = db.session.get(Contract, contract_id)
    assert contract is not None
    assert (contract.price_fen, contract.limit_wd, contract.procurement_id) == (180_000_00, 10, story.id)
    assert contract.agency_organisation_id == story.winner.actor.organisation_id
    with pytest.raises(IllegalTransition):
        awards.confirm_award(story.winner.actor, story.id, Plain())
    assert db.session.query(Contract).count() == 1


def test_an_award_lapses_one_second_after_its_limit_and_not_before(clock_at) -> None:
    story = awarded(a_story(clock_at))
    limit = story.procurement.confirm_by
    assert limit is not None
    clock_at(limit)
    assert jobs.lapse_due() == 0
    clock_at(limit + timedelta(seconds=1))
    winner = story.winner
    with pytest.raises(Conflict) as late:
        awards.confirm_award(winner.actor, story.id, Plain())
    assert late.value.code == "award-lapsed"
    db.session.rollback()
    assert jobs.lapse_due() == 1
    assert (story.state, story.registration(winner).state) == ("reselect", "lapsed")
    assert awards.awards_given_up(winner.actor.organisation_id) == 1


def test_two_persons_approve_the_next_of_the_ranking(clock_at) -> None:
    story = awarded(a_story(clock_at))
    first = story.winner
    order = [row.uscc for row in db.session.query(DrawRank).order_by(DrawRank.place)]
    awards.give_up_award(first.actor, story.id, WithReason("项目负责人离职"))
    assert (story.state, story.procurement.winner_organisation_id) == ("reselect", None)
    assert notices_of(story.operator, "procurement.succession") == 1
    with pytest.raises(Conflict) as alone:
        awards.approve_succession(story.second, story.id, WithReason("递补"))
    assert alone.value.code == "succession-not-proposed"
    awards.propose_succession(story.operator, story.id, Plain())
    with pytest.raises(Conflict) as same:
        awards.approve_succession(story.operator, story.id, WithReason("递补"))
    assert same.value.code == "same-person"
    with pytest.raises(NotAllowed):
        awards.approve_succession(story.owner, story.id, WithReason("递补"))
    db.session.rollback()
    awards.approve_succession(story.second, story.id, WithReason("按公布排序递补"))
    assert story.state == "result_publicity"
    assert story.winner.uscc == order[1]
    assert story.registration(first).state == "gave_up"


def test_when_the_ranking_is_exhausted_the_procurement_fails(clock_at) -> None:
    story = awarded(a_story(clock_at, agencies=1, fund_source="social"))
    awards.give_up_award(story.winner.actor, story.id, WithReason("无法承接"))
    assert (story.state, story.procurement.failure_code) == ("failed", "ranking_exhausted")


def test_a_winner_struck_out_loses_the_letter(clock_at) -> None:
    from app.documents import issued_for

    story = awarded(a_story(clock_at))
    struck = story.winner
    awards.strike_out_winner(story.operator, story.id, WithReason("资质材料虚假"))
    assert (story.state, story.registration(struck).state) == ("reselect", "struck_out")
    assert [bool(paper.revoked_at) for paper in issued_for(f"procurement:{story.id}")] == [True]


def test_a_pause_stops_the_periods_and_gives_the_time_back(clock_at) -> None:
    story = registered(a_story(clock_at))
    procurements.pause_procurement(story.operator, story.id, WithReason("收到异议"))
    clock_at(DEADLINE + timedelta(hours=1))
    assert jobs.run_due() == 0
    paused_for = DEADLINE + timedelta(hours=1) - story.procurement.paused_at
    procurements.resume_procurement(story.operator, story.id, WithReason("异议不成立"))
    assert story.state == "published"
    assert story.procurement.registration_ends_at == DEADLINE + paused_for
    assert story.procurement.paused_from is None


def test_the_rule_book_pinned_at_publication_holds(clock_at) -> None:
    story = registered(a_story(clock_at), 3)
    with transaction() as session:
        session.add(
            RuleBookVersion(
                version=2,
                parameters={"random.min_pool.state": 10},
                effective_from=datetime(2026, 11, 17, tzinfo=UTC).date(),
                published_at=clock.now(),
            )
        )
    clock_at(DEADLINE + timedelta(seconds=1))
    jobs.run_due()
    assert story.state == "selecting"


def test_the_public_sees_the_public_steps_and_no_registration(clock_at) -> None:
    story = ranked(a_story(clock_at))
    from app.kernel.access import ANONYMOUS

    actions = [entry.action for entry in thread_entries(story.procurement.thread_id, ANONYMOUS)]
    assert actions[-4:] == ["close", "start_selection", "select", "publish_result"]
    assert "registered" not in actions
    assert "qualify" not in actions


def test_an_agency_is_never_named_to_the_owner_before_the_list_is_frozen(clock_at) -> None:
    story = registered(a_story(clock_at))
    entries = thread_entries(story.procurement.thread_id, story.owner)
    assert not [entry for entry in entries if entry.object_type == "registration"]
    assert db.session.query(Agency).count() == 4
