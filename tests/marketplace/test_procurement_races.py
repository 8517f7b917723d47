"""Eight threads on one procurement: one closing, one list, one ranking, one registration, one of two conflicting steps."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.kernel.db import db
from app.kernel.errors import Conflict
from app.kernel.timeline import TimelineRecord
from app.web.schemas import Plain, WithReason
from marketplace.jobs import procurements as jobs
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Draw, DrawOutcome, DrawRank, Registration
from marketplace.services import awards, registrations, selection
from marketplace.services.commands import Register
from tests.marketplace.procurement_builders import DEADLINE, a_story, awarded, frozen, published, registered
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]


def steps(thread_id: Any, action: str) -> int:
    return (
        db.session.query(TimelineRecord)
        .filter_by(thread_id=thread_id, object_type="procurement", action=action)
        .count()
    )


def test_eight_workers_close_freeze_and_rank_once(app: Flask, clock_at: Any) -> None:
    story = registered(a_story(clock_at))
    thread = story.procurement.thread_id
    clock_at(DEADLINE + timedelta(seconds=1))
    db.session.remove()
    answers = together(app, lambda _: (selection.close_registration(story.id), selection.freeze_list(story.id)))
    assert Counter(closed for closed, _ in answers) == {True: 1, False: 7}
    assert Counter(done for _, done in answers) == {True: 1, False: 7}
    assert db.session.query(Draw).count() == 1
    due = db.session.query(Draw).one().beacon_due_at
    clock_at(due)
    db.session.remove()
    assert sorted(together(app, lambda _: selection.make_demonstration_value(story.id))) == [False] * 7 + [True]
    assert (db.session.query(DrawOutcome).count(), db.session.query(DrawRank).count()) == (1, 4)
    assert [steps(thread, action) for action in ("close", "start_selection", "select", "publish_result")] == [
        1,
        1,
        1,
        1,
    ]
    assert Counter(row.state for row in db.session.query(Registration)) == {"won": 1, "reserve": 3}


def test_one_agency_that_registers_eight_times_at_once_is_registered_once(app: Flask, clock_at: Any) -> None:
    story = published(a_story(clock_at, agencies=1))
    actor = story.agencies[0].actor
    db.session.remove()
    answers = together(app, lambda _: registrations.register(actor, story.id, Register()))
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert [refusal.code for refusal in refused] == ["already-registered"] * 7
    assert db.session.query(Registration).count() == 1


def test_registrations_around_the_deadline_are_on_the_list_or_refused(app: Flask, clock_at: Any) -> None:
    story = registered(a_story(clock_at, agencies=8), 3)
    clock_at(DEADLINE + timedelta(milliseconds=1))
    db.session.remove()

    def work(number: int) -> Any:
        if number < 3:
            return jobs.close_due() + jobs.freeze_due()
        return registrations.register(story.agencies[number].actor, story.id, Register())

    answers = together(app, work)
    assert all(isinstance(answer, Conflict) for answer in answers[3:])
    assert story.state == "selecting"
    assert (db.session.query(Draw).one().entries, db.session.query(Registration).count()) == (3, 3)


def test_of_confirming_giving_up_and_lapsing_exactly_one_happens(app: Flask, clock_at: Any) -> None:
    story = awarded(a_story(clock_at))
    actor = story.winner.actor
    db.session.remove()

    def work(number: int) -> Any:
        if number % 2:
            return awards.confirm_award(actor, story.id, Plain())
        return awards.give_up_award(actor, story.id, WithReason("无法承接"))

    answers = together(app, work)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    confirmed = story.state == "confirmed"
    assert story.state in {"confirmed", "reselect"}
    assert db.session.query(Contract).count() == int(confirmed)


def test_a_crash_between_closing_and_freezing_is_made_good(app: Flask, clock_at: Any) -> None:
    story = registered(a_story(clock_at))
    clock_at(DEADLINE + timedelta(seconds=1))
    assert selection.close_registration(story.id)
    db.session.remove()
    assert jobs.run_due() == 1
    assert story.state == "selecting"


def test_a_frozen_story_repeats_nothing_when_every_job_runs_again(app: Flask, clock_at: Any) -> None:
    story = frozen(a_story(clock_at))
    before = db.session.query(TimelineRecord).count()
    assert jobs.run_due() == 0
    assert db.session.query(TimelineRecord).count() == before
    assert story.state == "selecting"
