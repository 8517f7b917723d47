"""Objection against award, objection against objection, answer against withdrawal: at once, on PostgreSQL too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.timeline import TimelineRecord
from marketplace.jobs import procurements as jobs
from marketplace.models.challenges import Challenge
from marketplace.services import challenges
from tests.marketplace.challenges.builders import losers, object_to, rejected, the
from tests.marketplace.procurement_builders import a_story, ranked
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]


def test_an_objection_in_the_last_second_or_the_award_but_never_both(app: Flask, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    clock_at(ends_at + timedelta(milliseconds=1))
    objectors = [agency.actor for agency in losers(story)]
    db.session.remove()

    def work(number: int) -> Any:
        if number % 2:
            return jobs.award_due()
        return object_to(story, objectors[number // 2 % len(objectors)])

    answers = together(app, work)
    refused = [answer for answer in answers if isinstance(answer, DomainError)]
    assert story.state == "awarded"
    assert {getattr(answer, "code", "") for answer in refused} == {"challenge-too-late"}
    assert db.session.query(Challenge).count() == 0


def test_objections_and_the_award_job_around_the_end(app: Flask, clock_at: Any) -> None:
    """Whoever comes first wins: with an objection there is no letter, whatever the job tries."""
    story = ranked(a_story(clock_at))
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    clock_at(ends_at)
    objectors = [agency.actor for agency in losers(story)]
    db.session.remove()
    together(app, lambda n: jobs.award_due() if n % 2 else object_to(story, objectors[n // 2 % len(objectors)]))
    assert (story.state, story.procurement.award_document_id) == ("paused", None)
    assert db.session.query(Challenge).count() == len(objectors)
    pauses = db.session.query(TimelineRecord).filter_by(object_type="procurement", action="pause").count()
    assert pauses == 1


def test_one_challenger_eight_times_at_once_is_one_objection(app: Flask, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    objector = losers(story)[0].actor
    db.session.remove()
    together(app, lambda _: object_to(story, objector))
    assert db.session.query(Challenge).count() == 1


def test_the_last_two_answers_at_once_let_it_run_on_once(app: Flask, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    ends_at = story.procurement.publicity_ends_at
    assert ends_at is not None
    objectors = [agency.actor for agency in losers(story)]
    made = [object_to(story, objector) for objector in objectors]
    start = the(made[0]).filed_at
    clock_at(start + timedelta(hours=5))
    db.session.remove()

    def work(number: int) -> Any:
        which = number % len(made)
        if number < len(made):
            return challenges.reject(story.owner, made[which], rejected())
        return challenges.withdraw(objectors[which], made[which], Plain())

    together(app, work)
    assert story.state == "result_publicity"
    assert story.procurement.publicity_ends_at == ends_at + timedelta(hours=5)
    assert {the(one).state for one in made} <= {"rejected", "withdrawn"}
