"""Objections and queries: what stands still, what runs on, what follows; refusals, and that a refusal changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents import issued_for
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, get
from app.kernel.errors import Conflict, DomainError, IllegalTransition, NotAllowed, NotFound, Outdated, Refused
from app.kernel.outbox import drain_all
from app.kernel.timeline import TimelineRecord
from marketplace.jobs import challenges as challenge_jobs
from marketplace.jobs import procurements as jobs
from marketplace.models.agencies import Agency
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.procurements import DrawRank
from marketplace.rules.challenges import Effect
from marketplace.services import agencies, awards, challenges, procurements
from marketplace.states.challenge import CHALLENGE, ChallengeState
from marketplace.states.parts import Part
from tests.builders import a_member
from tests.marketplace import market
from tests.marketplace.challenges.builders import a_plea, losers, object_to, rejected, the, upheld
from tests.marketplace.procurement_builders import (
    a_story,
    awarded,
    frozen,
    notices_of,
    published,
    ranked,
    registered,
)

pytestmark = pytest.mark.usefixtures("app")
SECOND = timedelta(seconds=1)


def written() -> tuple[int, int, int]:
    """How much is written down: audit events, timeline entries, challenges."""
    db.session.expire_all()
    return tuple(db.session.query(table).count() for table in (AuditEvent, TimelineRecord, Challenge))  # type: ignore[return-value]


# --- standing still and running on --------------------------------------------------------------------------------


def test_an_objection_stops_the_award_and_the_rest_runs_on_exactly(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    clock_at(ends_at)  # the last second counts
    objector = losers(story)[0]
    made = object_to(story, objector.actor)
    assert (story.state, story.procurement.paused_from) == ("paused", "result_publicity")
    assert the(made).number == "YY-2026-000001"
    clock_at(ends_at + timedelta(days=1, hours=5))
    assert jobs.run_due() == 0
    assert (story.state, story.procurement.award_document_id) == ("paused", None)
    challenges.reject(story.owner, made, rejected())
    assert story.state == "result_publicity"
    assert story.procurement.publicity_ends_at == ends_at + timedelta(days=1, hours=5)
    assert the(made).released_at == clock.now()
    assert jobs.award_due() == 0
    clock_at(ends_at + timedelta(days=1, hours=5) + SECOND)
    assert jobs.award_due() == 1
    assert story.state == "awarded"


def test_one_second_late_is_too_late(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    clock_at(ends_at + SECOND)
    before = written()
    with pytest.raises(Conflict) as refused:
        object_to(story, losers(story)[0].actor)
    assert refused.value.code == "challenge-too-late"
    assert written() == before
    assert story.state == "result_publicity"


def test_of_two_objections_the_last_answer_lets_it_run_on(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    start, ends_at = clock.now(), story.procurement.publicity_ends_at
    assert ends_at is not None
    first = object_to(story, losers(story)[0].actor)
    clock_at(start + timedelta(hours=7))
    second = object_to(story, a_member(Role.APPLICANT))
    clock_at(start + timedelta(hours=9))
    challenges.reject(story.owner, first, rejected())
    assert story.state == "paused"
    clock_at(start + timedelta(hours=30))
    challenges.reject(story.owner, second, rejected())
    assert story.state == "result_publicity"
    assert story.procurement.publicity_ends_at == ends_at + timedelta(hours=30)


def test_an_objection_to_the_notice_stops_the_registration_clock(clock_at: Any) -> None:
    story = published(a_story(clock_at))
    deadline = story.procurement.registration_ends_at
    assert deadline is not None
    start = clock.now()
    made = object_to(story, a_member(Role.APPLICANT), "objection:notice")
    assert story.state == "paused"
    clock_at(start + timedelta(hours=20))
    challenges.uphold(story.owner, made, upheld())
    assert story.state == "published"
    assert story.procurement.registration_ends_at == deadline + timedelta(hours=20)


def test_an_upheld_objection_to_the_notice_can_set_it_invalid(clock_at: Any) -> None:
    story = registered(a_story(clock_at), 2)
    made = object_to(story, story.agencies[0].actor, "objection:notice")
    challenges.uphold(story.owner, made, upheld(Effect.VOID))
    assert (story.state, the(made).state) == ("void", "upheld")
    assert {story.registration(agency).state for agency in story.agencies[:2]} == {"lost"}


def test_an_objection_to_the_list_is_the_registrants_alone(clock_at: Any) -> None:
    story = frozen(a_story(clock_at, agencies=5), 4)
    with pytest.raises(Refused) as refused:
        object_to(story, story.agencies[4].actor, "objection:list")
    assert refused.value.code == "no-standing"
    made = object_to(story, story.agencies[0].actor, "objection:list")
    due = story.procurement.beacon_due_at
    assert due is not None
    clock_at(due + SECOND)
    assert jobs.run_due() == 0, "no draw while the list is challenged"
    excluded = story.registration(story.agencies[1])
    challenges.uphold(story.owner, made, upheld(Effect.EXCLUDE, excluded_registration_id=excluded.id))
    assert (story.state, story.registration(story.agencies[1]).state) == ("selecting", "excluded")
    jobs.rank_due()
    assert story.state == "result_publicity"
    assert story.winner.uscc != story.agencies[1].uscc
    assert db.session.query(DrawRank).count() == 4


def test_the_challenge_time_of_a_list_ends_to_the_second(clock_at: Any) -> None:
    story = frozen(a_story(clock_at))
    clock_at(clock.now() + timedelta(minutes=10) + SECOND)
    with pytest.raises(Conflict, match="time has passed"):
        object_to(story, story.agencies[0].actor, "objection:list")


def test_the_operator_cannot_resume_past_an_open_objection(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    object_to(story, losers(story)[0].actor)
    with pytest.raises(Conflict) as refused:
        procurements.resume_procurement(story.operator, story.id, WithReason("继续"))
    assert refused.value.code == "challenge-open"
    assert story.state == "paused"


def test_what_the_operator_paused_stays_paused_after_the_answer(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    procurements.pause_procurement(story.operator, story.id, WithReason("核查围标线索"))
    made = object_to(story, losers(story)[0].actor)
    challenges.reject(story.owner, made, rejected())
    assert (story.state, the(made).frozen_since) == ("paused", None)
    procurements.resume_procurement(story.operator, story.id, WithReason("核查完毕"))
    assert story.state == "result_publicity"


# --- what follows ---------------------------------------------------------------------------------------------------


def test_reselect_leaves_the_offender_out_and_keeps_the_order(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    order = [row.uscc for row in db.session.query(DrawRank).order_by(DrawRank.place)]
    offender = story.winner
    objector = story.agency_with(order[1])
    other = object_to(story, story.agency_with(order[2]).actor)
    made = object_to(story, objector.actor)
    challenges.uphold(story.owner, made, upheld(Effect.RESELECT))
    assert (story.state, story.procurement.winner_organisation_id) == ("reselect", None)
    assert story.registration(offender).state == "struck_out"
    drain_all()
    assert the(other).state == "settled", "what it challenged no longer stands"
    awards.propose_succession(story.operator, story.id, Plain())
    awards.approve_succession(story.second, story.id, WithReason("按公布排序递补"))
    assert (story.state, story.winner.uscc) == ("result_publicity", order[1])
    assert [row.uscc for row in db.session.query(DrawRank).order_by(DrawRank.place)] == order
    # the new result may be challenged again, also by who challenged the first one
    again = object_to(story, story.agency_with(order[2]).actor)
    drain_all()
    assert (the(again).state, story.state) == ("filed", "paused")


def test_a_query_after_the_award_takes_letter_and_contract_back(clock_at: Any) -> None:
    story = awarded(a_story(clock_at))
    winner = story.winner
    awards.confirm_award(winner.actor, story.id, Plain())
    letter = story.procurement.award_document_id
    made = object_to(story, losers(story)[0].actor, "query:result")
    assert story.state == "confirmed", "a query stops nothing"
    challenges.uphold(story.owner, made, upheld(Effect.RESELECT))
    drain_all()
    assert (story.state, story.registration(winner).state) == ("reselect", "struck_out")
    paper = next(p for p in issued_for(f"procurement:{story.id}") if p.id == letter)
    assert paper.revoked_reason == "A challenge was upheld; the award was taken back."
    assert db.session.query(Contract).one().state == "terminated"


@pytest.mark.parametrize(("effect", "state"), [(Effect.REPUBLISH, "failed"), (Effect.VOID, "void")])
def test_the_whole_selection_can_fall(clock_at: Any, effect: Effect, state: str) -> None:
    story = ranked(a_story(clock_at))
    made = object_to(story, losers(story)[0].actor)
    challenges.uphold(story.owner, made, upheld(effect))
    drain_all()
    p = story.procurement
    assert (p.state, p.winner_organisation_id, p.paused_from) == (state, None, None)
    assert p.failure_code == ("challenge_upheld" if state == "failed" else None)
    assert {story.registration(agency).state for agency in story.agencies} == {"struck_out", "lost"}
    if state == "failed":
        assert procurements.republish(story.owner, story.id, Plain())


def test_an_effect_that_does_not_fit_is_refused_and_nothing_changes(clock_at: Any) -> None:
    story = published(a_story(clock_at))
    made = object_to(story, a_member(Role.APPLICANT), "objection:notice")
    before = written()
    with pytest.raises(Refused) as refused:
        challenges.uphold(story.owner, made, upheld(Effect.RESELECT))
    assert (refused.value.code, refused.value.field) == ("effect-not-possible", "effect")
    assert written() == before
    assert (story.state, the(made).state) == ("paused", "filed")


def test_excluding_nobody_is_refused_and_nothing_changes(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    made = object_to(story, losers(story)[0].actor)
    before = written()
    for excluded in (None, story.procurement.winner_registration_id):
        with pytest.raises(Refused):
            challenges.uphold(story.owner, made, upheld(Effect.EXCLUDE, excluded_registration_id=excluded))
    assert written() == before
    assert the(made).state == "filed"


# --- who, once, in which order ------------------------------------------------------------------------------------


def test_withdrawn_is_over_for_this_matter(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    actor = losers(story)[0].actor
    made = object_to(story, actor)
    challenges.withdraw(actor, made, Plain())
    assert (story.state, the(made).state) == ("result_publicity", "withdrawn")
    before = written()
    with pytest.raises(Conflict) as refused:
        object_to(story, actor)
    assert refused.value.code == "challenge-withdrawn"
    assert written() == before
    with pytest.raises(IllegalTransition):
        challenges.withdraw(actor, made, Plain())


def test_nobody_objects_twice_and_no_side_to_its_own(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    actor = losers(story)[0].actor
    object_to(story, actor)
    before = written()
    with pytest.raises(Conflict, match="already"):
        object_to(story, actor)
    for insider, refusal in (
        (story.owner, Refused),
        (story.winner.actor, Refused),
        (story.operator, NotAllowed),
        (story.second, NotAllowed),
    ):
        with pytest.raises(refusal):
            object_to(story, insider)
    assert written() == before


def test_only_the_owner_answers_until_its_limit_has_passed(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    made = object_to(story, losers(story)[0].actor)
    limit = the(made).answer_by
    before = written()
    for stranger in (story.operator, story.second, losers(story)[0].actor):
        with pytest.raises(NotAllowed):
            challenges.reject(stranger, made, rejected())
    with pytest.raises(NotFound):
        challenges.reject(a_member(Role.OWNER), made, rejected())
    assert written() == before
    clock_at(limit)
    assert challenge_jobs.run_due() == 0
    clock_at(limit + SECOND)
    assert challenge_jobs.run_due() == 1
    assert challenge_jobs.run_due() == 0, "one alarm for one limit"
    assert notices_of(story.second, "challenge.step") >= 1
    with pytest.raises(Conflict) as refused:
        challenges.reject(story.operator, made, rejected())
    assert refused.value.code == "involved-acted-before", "the operator published this notice"
    challenges.reject(story.second, made, rejected())
    assert (the(made).decided_by, story.state) == (story.second.user_id, "result_publicity")


def test_a_stale_page_answers_nothing(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    made = object_to(story, losers(story)[0].actor)
    seen = the(made).version
    challenges.step_aside(story.second, made, WithReason("与提出人有亲属关系"))
    challenges.reject(story.owner, made, rejected())
    with pytest.raises(Outdated):
        challenges.uphold(story.owner, made, upheld(version=seen))
    assert the(made).state == "rejected"


def test_every_party_is_told(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    objector = losers(story)[0].actor
    made = object_to(story, objector)
    assert notices_of(story.owner, "challenge.step") == 1
    assert notices_of(objector, "challenge.step") == 1
    assert notices_of(story.winner.actor, "procurement.paused") == 1
    challenges.reject(story.owner, made, rejected())
    assert notices_of(objector, "challenge.step") == 2


def test_a_decision_is_served_by_confirmation_or_by_time(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    mine, theirs = losers(story)[0].actor, losers(story)[1].actor
    first, second = object_to(story, mine), object_to(story, theirs)
    for made in (first, second):
        challenges.reject(story.owner, made, rejected())
    challenges.confirm_receipt(mine, first, Plain())
    assert (the(first).served_at, the(first).served_by_reading) == (clock.now(), True)
    with pytest.raises(Conflict):
        challenges.confirm_receipt(mine, first, Plain())
    limit = the(second).serve_by
    assert limit is not None
    clock_at(limit + SECOND)
    assert challenge_jobs.run_due() == 1
    assert (the(second).served_at, the(second).served_by_reading) == (limit + SECOND, False)
    paper = issued_for(f"challenge:{first}")[0]
    assert [value for _, value in paper.facts][:2] == ["A registered agency", "不成立"]
    assert not any("测绘机构" in value for _, value in paper.facts), "the public facts name nobody"


# --- admission ----------------------------------------------------------------------------------------------------


def an_applicant() -> tuple[Any, Any]:
    actor = market.an_agency_member()
    agency_id = market.a_complete_file(actor)
    agencies.submit(actor, agency_id, Plain())
    agencies.pass_check(a_member(Role.OPERATOR), agency_id, agencies.PassCheck())
    return agency_id, get(Agency, agency_id)


def test_an_admission_waits_for_its_objection_and_runs_on(clock_at: Any) -> None:
    from tests.marketplace.procurement_builders import MONDAY

    clock_at(MONDAY)
    agency_id, agency = an_applicant()
    ends_at = agency.publicity_ends_at
    clock_at(ends_at - timedelta(hours=1))
    made = challenges.object_to_admission(a_member(Role.APPLICANT), agency_id, challenges.Plea(**a_plea()))
    clock_at(ends_at + timedelta(days=1))
    assert agencies.admit_due() == 0
    challenges.reject(a_member(Role.OPERATOR), made, rejected())
    db.session.expire_all()
    assert get(Agency, agency_id).publicity_ends_at == ends_at + timedelta(days=1, hours=1)
    assert agencies.admit_due() == 0
    clock_at(ends_at + timedelta(days=1, hours=1) + SECOND)
    assert agencies.admit_due() == 1
    assert get(Agency, agency_id).state == "active"


def test_an_upheld_objection_rejects_the_admission(clock_at: Any) -> None:
    from tests.marketplace.procurement_builders import MONDAY

    clock_at(MONDAY)
    agency_id, _ = an_applicant()
    made = challenges.object_to_admission(a_member(Role.APPLICANT), agency_id, challenges.Plea(**a_plea()))
    challenges.uphold(a_member(Role.REGULATOR), made, upheld(Effect.REJECT_ADMISSION))
    db.session.expire_all()
    assert get(Agency, agency_id).state == "rejected"


# --- the machine --------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(CHALLENGE.actions), st.sampled_from(list(Part))), max_size=12))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_walk_leaves_only_by_its_edges(steps: list[tuple[str, Part]]) -> None:
    """Whatever is tried: a decided challenge stays decided, and no part takes an edge that is another's."""
    state: str = CHALLENGE.initial
    for action, part in steps:
        edge = CHALLENGE.edge(action, state)
        taken = edge is not None and part in edge.who
        assert taken == (action in {e.action for e in CHALLENGE.allowed(state, {part})})
        if state in CHALLENGE.terminal:
            assert not taken
        if taken:
            assert edge is not None
            assert edge.who != (Part.PUBLIC,)
            state = str(edge.target)
    assert state in set(ChallengeState)


@given(
    st.lists(
        st.sampled_from(["object", "object_2", "withdraw", "reject", "uphold", "late", "award", "resume"]), max_size=7
    )
)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_walk_awards_over_an_open_objection(clock_at: Any, walk: list[str]) -> None:
    """Any order of filing, answering, withdrawing and waiting: while an objection is open, the procurement is paused."""
    number = db.session.query(Agency).count() + 1
    story = ranked(a_story(clock_at, first=number, agencies=3))
    objectors = [agency.actor for agency in losers(story)]
    made: dict[str, Any] = {}
    for step in walk:
        clock_at(clock.now() + timedelta(hours=3))
        try:
            if step.startswith("object"):
                made[step] = object_to(story, objectors[step == "object_2"])
            elif step == "withdraw" and "object" in made:
                challenges.withdraw(objectors[0], made["object"], Plain())
            elif step in {"reject", "uphold"} and made:
                answer = challenges.reject if step == "reject" else challenges.uphold
                answer(story.owner, next(iter(made.values())), rejected() if step == "reject" else upheld())  # type: ignore[operator]
            elif step == "late":
                clock_at(clock.now() + timedelta(days=4))
            elif step == "award":
                jobs.award_due()
            elif step == "resume":
                procurements.resume_procurement(story.operator, story.id, WithReason("继续"))
        except DomainError:
            db.session.rollback()
        still_open = [c for c in made.values() if the(c).state == "filed"]
        assert (story.state == "paused") == bool(still_open)
