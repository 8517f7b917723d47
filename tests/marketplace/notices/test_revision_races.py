"""A notice changes while agencies register: every registration is kept and told of the change, or refused; nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.kernel.db import db
from app.kernel.errors import Conflict
from app.web.schemas import Plain
from marketplace.models.notices import NoticeRevision
from marketplace.models.procurements import ProcurementNotice, Registration
from marketplace.services import procurements, registrations
from marketplace.services.commands import Register, Revise
from tests.marketplace.procurement_builders import Story, a_draft, a_story, notices_of, published
from tests.together import WORKERS, together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]
AGENCIES = WORKERS - 1
LATER = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def change_among_registrations(app: Flask, story: Story, change: Revise) -> tuple[Any, dict[int, Any]]:
    """The owner changes the notice in one thread while every agency registers in its own: both answers."""
    db.session.remove()

    def work(number: int) -> Any:
        if number == 0:
            return procurements.revise_notice(story.owner, story.id, change)
        return registrations.register(story.agencies[number - 1].actor, story.id, Register())

    answers = together(app, work)
    return answers[0], dict(enumerate(answers[1:]))


def registered_organisations() -> set[UUID]:
    return set(db.session.scalars(db.select(Registration.organisation_id)))


@pytest.mark.parametrize("_turn", range(2))
def test_a_registration_is_before_a_substantive_change_or_refused(app: Flask, clock_at: Any, _turn: int) -> None:
    story = published(a_story(clock_at, agencies=AGENCIES))
    change = Revise(a_draft(story.item, limit_wd=12, registration_ends_at=LATER), "项目范围核实后调整")
    changed, answers = change_among_registrations(app, story, change)

    assert changed is False, "the change waits for its check"
    assert story.state == "revised"
    refused = {number: answer for number, answer in answers.items() if isinstance(answer, Conflict)}
    kept = answers.keys() - refused.keys()
    assert {refusal.code for refusal in refused.values()} <= {"registration-not-open"}
    actors = [agency.actor for agency in story.agencies]
    assert {answers[number] for number in kept} == set(db.session.scalars(db.select(Registration.id)))
    assert registered_organisations() == {actors[number].organisation_id for number in kept}

    procurements.publish_revision(story.operator, story.id, Plain())
    for number in refused:
        registrations.register(actors[number], story.id, Register())
    assert db.session.query(Registration).filter_by(state="registered").count() == AGENCIES
    assert db.session.query(ProcurementNotice).count() == 2
    for number in kept:
        assert notices_of(actors[number], "procurement.revised") == 1, "who was registered before is told of the change"


def test_a_correction_costs_nobody_a_registration(app: Flask, clock_at: Any) -> None:
    story = published(a_story(clock_at, agencies=AGENCIES))
    change = Revise(a_draft(story.item, contact_phone="0518-85801234"), "电话有误")
    changed, answers = change_among_registrations(app, story, change)

    assert changed is True, "a correction is public at once"
    assert story.state == "published"
    assert all(isinstance(answer, UUID) for answer in answers.values())
    assert db.session.query(Registration).filter_by(state="registered").count() == AGENCIES
    assert db.session.query(NoticeRevision).one().outcome == "published"
    for agency in story.agencies:
        assert notices_of(agency.actor, "procurement.revised") == 1, "the page may have been read before the correction"
