"""Reasons for thresholds, revisions, questions, templates: exact values, the refusals and that they change nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.identity.queries import organisation_name
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Outdated, Refused
from app.kernel.timeline import TimelineRecord
from app.web.schemas import Plain, WithReason
from marketplace.jobs import procurements as jobs
from marketplace.models.agencies import Agency, AgencyPerson
from marketplace.models.notices import (
    NoticeForm,
    NoticeQuestion,
    NoticeRevision,
    NoticeTemplate,
    RelationAlarm,
    ThresholdReason,
)
from marketplace.models.procurements import ProcurementNotice
from marketplace.models.rulebook import RuleBookVersion
from marketplace.rulebook import RuleBook
from marketplace.rules.notices.conditions import hidden_thresholds
from marketplace.services import procurements, registrations
from marketplace.services.commands import Answer, Ask, Avoided, Justification, Register, Revise
from marketplace.services.procurements.plain import draft_from_json, draft_to_json
from marketplace.services.relation_alarms import alarm_related_registrants
from tests.builders import a_member
from tests.marketplace.procurement_builders import (
    DEADLINE,
    MONDAY,
    Story,
    a_draft,
    a_story,
    an_item,
    notices_of,
    published,
    registered,
    uscc,
)

pytestmark = pytest.mark.usefixtures("app")
TUESDAY = MONDAY + timedelta(days=1)
LATER = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def revised(story: Story, **changes: Any) -> Revise:
    return Revise(a_draft(story.item, **changes), "项目范围核实后调整")


def rules(version: int, parameters: dict[str, object]) -> None:
    with transaction() as session:
        session.add(
            RuleBookVersion(
                version=version, effective_from=date(2026, 1, 1), parameters=parameters, published_at=clock.now()
            )
        )


# --- hidden thresholds ------------------------------------------------------------------------------------------


def test_a_suspicious_phrase_is_taken_out_or_justified_before_the_notice_is_handed_in(clock_at) -> None:
    words = "报名时须缴纳保证金5000元,注册资本不低于500万元。"
    story = a_story(clock_at, content=words)
    with pytest.raises(Refused) as refused:
        procurements.submit_notice(story.owner, story.id, Plain())
    assert (refused.value.code, refused.value.field) == ("hidden-threshold", "content")
    assert story.state == "draft"
    found = hidden_thresholds({"content": words})
    one_reason = (Justification(found[0].key, "特许项目,依据市政府令"),)
    procurements.update_notice(story.owner, story.id, a_draft(story.item, content=words, justifications=one_reason))
    with pytest.raises(Refused):
        procurements.submit_notice(story.owner, story.id, Plain())
    every = tuple(Justification(one.key, "依据专项规定第三条") for one in found)
    procurements.update_notice(story.owner, story.id, a_draft(story.item, content=words, justifications=every))
    procurements.submit_notice(story.owner, story.id, Plain())
    assert story.state == "submitted"
    assert db.session.query(ThresholdReason).count() == len(found)


def test_the_reason_for_words_that_were_taken_out_goes_with_them(clock_at) -> None:
    words = "须缴纳年费三千元。"
    (found,) = hidden_thresholds({"content": words})
    story = a_story(clock_at, content=words, justifications=(Justification(found.key, "代收"),))
    assert db.session.query(ThresholdReason).count() == 1
    procurements.update_notice(
        story.owner, story.id, a_draft(story.item, justifications=(Justification(found.key, "代收"),))
    )
    assert db.session.query(ThresholdReason).count() == 0


# --- deadlines and the rule book --------------------------------------------------------------------------------


def test_an_unknown_year_is_refused_never_guessed(clock_at) -> None:
    clock_at(MONDAY)
    item = an_item()
    owner = a_member(Role.OWNER)
    with pytest.raises(Refused) as refused:
        procurements.draft_notice(owner, a_draft(item, registration_ends_at=datetime(2050, 3, 1, tzinfo=UTC)))
    assert refused.value.code == "period-too-long"
    clock_at(datetime(2049, 12, 1, 1, tzinfo=UTC))
    with pytest.raises(Refused) as refused:
        procurements.draft_notice(owner, a_draft(item, registration_ends_at=datetime(2050, 1, 5, 9, tzinfo=UTC)))
    assert (refused.value.code, refused.value.field) == ("unknown-year", "registration_ends_at")


def test_a_rule_book_of_tomorrow_does_not_move_a_notice_of_today(clock_at) -> None:
    story = published(a_story(clock_at))
    rules(2, {"notice.registration_min_wd": 20})
    clock_at(TUESDAY)
    procurements.revise_notice(story.owner, story.id, revised(story, limit_wd=12, registration_ends_at=LATER))
    procurements.publish_revision(story.operator, story.id, Plain())
    assert (story.procurement.rule_book_version, story.procurement.registration_ends_at) == (1, LATER)


# --- revisions --------------------------------------------------------------------------------------------------


def test_a_substantive_change_is_checked_published_with_its_differences_and_restarts_the_period(clock_at) -> None:
    story = registered(a_story(clock_at), 2)
    clock_at(TUESDAY)
    assert (
        procurements.revise_notice(story.owner, story.id, revised(story, limit_wd=12, registration_ends_at=LATER))
        is False
    )
    assert (story.state, story.procurement.limit_wd, story.procurement.registration_ends_at) == (
        "revised",
        10,
        DEADLINE,
    )
    with pytest.raises(Conflict):
        registrations.register(story.agencies[2].actor, story.id, Register())
    procurements.publish_revision(story.operator, story.id, Plain())
    p = story.procurement
    assert (p.state, p.limit_wd, p.registration_ends_at) == ("published", 12, LATER)
    assert p.questions_close_at == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    first, second = db.session.query(ProcurementNotice).order_by(ProcurementNotice.version)
    assert (first.content["limit_wd"], second.content["limit_wd"]) == (10, 12)
    revision = db.session.query(NoticeRevision).one()
    assert (revision.changed, revision.is_substantive, revision.outcome, revision.notice_version) == (
        ["limit_wd"],
        True,
        "published",
        2,
    )
    assert [story.registration(a).state for a in story.agencies[:2]] == ["registered", "registered"]
    assert notices_of(story.agencies[0].actor, "procurement.revised") == 1
    assert notices_of(story.agencies[2].actor, "procurement.revised") == 0
    assert notices_of(story.agencies[2].actor, "procurement.opportunity") == 2
    registrations.register(story.agencies[2].actor, story.id, Register())


def test_a_check_that_took_long_still_gives_the_whole_period(clock_at) -> None:
    story = published(a_story(clock_at))
    clock_at(TUESDAY)
    ends_at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    procurements.revise_notice(
        story.owner, story.id, revised(story, price_fen=170_000_00, registration_ends_at=ends_at)
    )
    clock_at(TUESDAY + timedelta(days=2))
    procurements.publish_revision(story.operator, story.id, Plain())
    assert story.procurement.registration_ends_at == datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)


def test_a_correction_is_public_at_once_and_moves_no_deadline(clock_at) -> None:
    story = registered(a_story(clock_at), 1)
    clock_at(DEADLINE - timedelta(hours=1))
    assert procurements.revise_notice(story.owner, story.id, revised(story, contact_phone="025-99999999")) is True
    p = story.procurement
    assert (p.state, p.contact_phone, p.registration_ends_at) == ("published", "025-99999999", DEADLINE)
    assert db.session.query(ProcurementNotice).count() == 2
    assert notices_of(story.agencies[1].actor, "procurement.opportunity") == 1


def test_a_refused_or_dropped_change_leaves_the_notice_and_gives_the_time_back(clock_at) -> None:
    story = published(a_story(clock_at))
    clock_at(TUESDAY)
    change = revised(story, limit_wd=12, registration_ends_at=LATER)
    procurements.revise_notice(story.owner, story.id, change)
    clock_at(TUESDAY + timedelta(hours=3))
    procurements.refuse_revision(story.operator, story.id, WithReason("理由不充分"))
    p = story.procurement
    assert (p.state, p.limit_wd, p.registration_ends_at) == ("published", 10, DEADLINE + timedelta(hours=3))
    procurements.revise_notice(story.owner, story.id, change)
    clock_at(TUESDAY + timedelta(hours=5))
    procurements.drop_revision(story.owner, story.id, Plain())
    assert story.procurement.registration_ends_at == DEADLINE + timedelta(hours=5)
    assert [row.outcome for row in db.session.query(NoticeRevision).order_by(NoticeRevision.id)] == [
        "refused",
        "dropped",
    ]
    assert db.session.query(ProcurementNotice).count() == 1


def test_while_a_change_is_checked_the_deadline_does_not_close_and_registrants_may_withdraw(clock_at) -> None:
    story = registered(a_story(clock_at), 1)
    clock_at(DEADLINE - timedelta(minutes=1))
    procurements.revise_notice(story.owner, story.id, revised(story, limit_wd=12, registration_ends_at=LATER))
    clock_at(DEADLINE + timedelta(hours=2))
    assert jobs.close_due() == 0
    registrations.withdraw_registration(story.agencies[0].actor, story.registration(story.agencies[0]).id, Plain())
    assert story.registration(story.agencies[0]).state == "withdrawn"
    procurements.publish_revision(story.operator, story.id, Plain())
    registrations.register(story.agencies[0].actor, story.id, Register())
    assert story.registration(story.agencies[0]).state == "registered"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "nothing-changed"),
        ({"registration_ends_at": DEADLINE - timedelta(seconds=1)}, "deadline-earlier"),
        ({"limit_wd": 12}, "period-too-short"),
        ({"limit_wd": 12, "registration_ends_at": LATER, "price_fen": 200_000_01}, "price-above-budget"),
        ({"content": "须缴纳保证金", "registration_ends_at": LATER}, "hidden-threshold"),
    ],
)
def test_a_refused_proposal_changes_nothing(clock_at, changes: dict[str, Any], code: str) -> None:
    story = published(a_story(clock_at))
    clock_at(TUESDAY)
    with pytest.raises((Refused, Conflict)) as refused:
        procurements.revise_notice(story.owner, story.id, revised(story, **changes))
    assert refused.value.code == code
    p = story.procurement
    assert (p.state, p.limit_wd, p.price_fen, p.registration_ends_at) == ("published", 10, 180_000_00, DEADLINE)
    assert db.session.query(NoticeRevision).count() == 0


def test_another_service_or_a_late_change_is_another_purchase(clock_at) -> None:
    story = published(a_story(clock_at))
    with pytest.raises(Refused) as refused:
        procurements.revise_notice(story.owner, story.id, Revise(a_draft(an_item(), registration_ends_at=LATER), "换"))
    assert refused.value.code == "another-purchase"
    clock_at(DEADLINE + timedelta(seconds=1))
    with pytest.raises(Conflict) as late:
        procurements.revise_notice(story.owner, story.id, revised(story, limit_wd=12, registration_ends_at=LATER))
    assert late.value.code == "registration-ended"


def test_only_the_owner_changes_and_only_the_operator_decides(clock_at) -> None:
    story = published(a_story(clock_at))
    change = revised(story, limit_wd=12, registration_ends_at=LATER)
    for stranger in (a_member(Role.OWNER), story.operator, story.agencies[0].actor):
        with pytest.raises(NotAllowed):
            procurements.revise_notice(stranger, story.id, change)
    procurements.revise_notice(story.owner, story.id, change)
    with pytest.raises(NotAllowed):
        procurements.publish_revision(story.owner, story.id, Plain())
    with pytest.raises(NotAllowed):
        procurements.drop_revision(story.operator, story.id, Plain())
    with pytest.raises(Outdated):
        procurements.publish_revision(story.operator, story.id, Plain(version=1))


def test_a_draft_survives_being_kept_as_plain_values(clock_at) -> None:
    clock_at(MONDAY)
    draft = a_draft(
        an_item(),
        avoided=(Avoided(uscc(3), "控股"),),
        justifications=(Justification("deposit:投标保证金", "依据"),),
        title="𠮷田镇 شركة 👷 测量",
        ceiling_fen=190_000_00,
    )
    assert draft_from_json(draft_to_json(draft)) == draft


# --- questions --------------------------------------------------------------------------------------------------


def test_a_question_is_asked_without_a_name_and_answered_for_everybody(clock_at) -> None:
    story = registered(a_story(clock_at), 2)
    asker = story.agencies[3]
    question_id = procurements.ask_question(asker.actor, story.id, Ask("测区内是否有军事设施?"))
    question = db.session.get(NoticeQuestion, question_id)
    assert question is not None
    assert (question.state, question.answer_by) == ("asked", datetime(2026, 11, 17, 15, 59, 59, tzinfo=UTC))
    told = db.session.query(TimelineRecord).filter_by(object_type="notice_question").one()
    assert set(told.audience) == {f"org:{asker.actor.organisation_id}", "role:regulator", "role:auditor"}
    assert notices_of(story.owner, "procurement.owner") == 2
    procurements.answer_question(story.owner, question_id, Answer("没有。"))
    db.session.expire_all()
    assert (question.state, question.answer, question.answered_at) == ("answered", "没有。", MONDAY)
    for agency in (asker, *story.agencies[:2]):
        assert notices_of(agency.actor, "procurement.answer") == 1
    assert notices_of(story.agencies[2].actor, "procurement.answer") == 0
    with pytest.raises(IllegalTransition):
        procurements.answer_question(story.owner, question_id, Answer("改口"))


def test_questions_close_before_the_registration_and_a_late_one_is_refused(clock_at) -> None:
    story = published(a_story(clock_at))
    closes = datetime(2026, 11, 18, 15, 59, 59, tzinfo=UTC)
    assert story.procurement.questions_close_at == closes
    clock_at(closes)
    procurements.ask_question(story.agencies[0].actor, story.id, Ask("最后一问"))
    clock_at(closes + timedelta(seconds=1))
    with pytest.raises(Conflict) as late:
        procurements.ask_question(story.agencies[0].actor, story.id, Ask("迟到的问题"))
    assert late.value.code == "questions-closed"
    assert db.session.query(NoticeQuestion).count() == 1


def test_an_overdue_answer_is_recalled_once_and_lapses_with_the_registration(clock_at) -> None:
    story = published(a_story(clock_at))
    question_id = procurements.ask_question(story.agencies[0].actor, story.id, Ask("何时进场?"))
    clock_at(datetime(2026, 11, 17, 16, 0, tzinfo=UTC))
    assert (jobs.questions_due(), jobs.questions_due()) == (1, 0)
    assert notices_of(story.operator, "procurement.check") == 2
    clock_at(DEADLINE + timedelta(seconds=1))
    assert jobs.questions_due() == 1
    question = db.session.get(NoticeQuestion, question_id, populate_existing=True)
    assert question is not None
    assert question.state == "unanswered"
    with pytest.raises(Conflict) as late:
        procurements.answer_question(story.owner, question_id, Answer("晚了"))
    assert late.value.code == "answers-closed"


def test_who_may_ask_answer_take_back_and_remove(clock_at) -> None:
    story = published(a_story(clock_at))
    agency = story.agencies[0]
    name = "测绘机构1"
    for stranger in (story.owner, story.operator, a_member(Role.AGENCY)):
        with pytest.raises(NotAllowed):
            procurements.ask_question(stranger, story.id, Ask("?"))
    for text in (f"我们{name}能否延期?", f"代码{agency.uscc.lower()}"):
        with pytest.raises(Refused) as refused:
            procurements.ask_question(agency.actor, story.id, Ask(text))
        assert refused.value.code == "names-its-asker"
    question_id = procurements.ask_question(agency.actor, story.id, Ask("能否延期?"))
    for stranger in (agency.actor, story.operator, a_member(Role.OWNER)):
        with pytest.raises(NotAllowed):
            procurements.answer_question(stranger, question_id, Answer("可以"))
    with pytest.raises(NotAllowed):
        procurements.take_question_back(story.agencies[1].actor, question_id, Plain())
    procurements.take_question_back(agency.actor, question_id, Plain())
    other = procurements.ask_question(agency.actor, story.id, Ask("广告"))
    procurements.remove_question(story.operator, other, WithReason("与本公告无关"))
    assert [q.state for q in db.session.query(NoticeQuestion).order_by(NoticeQuestion.asked_at, NoticeQuestion.id)] == [
        "taken_back",
        "removed",
    ]


def test_one_agency_cannot_flood_a_notice(clock_at) -> None:
    story = published(a_story(clock_at))
    for number in range(10):
        procurements.ask_question(story.agencies[0].actor, story.id, Ask(f"问题{number}"))
    with pytest.raises(Conflict) as flood:
        procurements.ask_question(story.agencies[0].actor, story.id, Ask("再问"))
    assert flood.value.code == "too-many-questions"
    procurements.ask_question(story.agencies[1].actor, story.id, Ask("别人可以问"))


# --- forms and templates ----------------------------------------------------------------------------------------


def test_an_unfinished_form_is_kept_for_its_owner_alone(clock_at) -> None:
    clock_at(MONDAY)
    owner, other = a_member(Role.OWNER), a_member(Role.OWNER)
    form_id = procurements.save_form(owner, {"title": "半份公告", "limit_wd": "０"})
    procurements.save_form(owner, {"limit_wd": "5"}, form_id=form_id, version=1)
    form = db.session.get(NoticeForm, form_id, populate_existing=True)
    assert form is not None
    assert form.content == {"title": "半份公告", "limit_wd": "5"}
    with pytest.raises(Outdated):
        procurements.save_form(owner, {"limit_wd": "6"}, form_id=form_id, version=1)
    for refused in (
        lambda: procurements.save_form(other, {}, form_id=form_id),
        lambda: procurements.discard_form(other, form_id),
    ):
        with pytest.raises(NotFound):
            refused()
    procurements.discard_form(owner, form_id)
    assert db.session.query(NoticeForm).count() == 0


def test_a_template_keeps_what_returns_and_leaves_out_what_does_not(clock_at) -> None:
    clock_at(MONDAY)
    owner = a_member(Role.OWNER)
    content = {
        "title": "年度测量",
        "registration_ends_at": "2026-11-19T17:00",
        "avoided": "x",
        "place": "",
        "limit_wd": 5,
    }
    first = procurements.keep_template(owner, " 年度测量 ", content)
    assert procurements.keep_template(owner, "年度测量", {"title": "新"}) == first
    template = db.session.get(NoticeTemplate, first, populate_existing=True)
    assert template is not None
    assert (template.name, template.content) == ("年度测量", {"title": "新"})
    with pytest.raises(NotFound):
        procurements.delete_template(a_member(Role.OWNER), first)
    with pytest.raises(NotAllowed):
        procurements.keep_template(a_member(Role.OPERATOR), "x", {})
    procurements.delete_template(owner, first)
    assert db.session.query(NoticeTemplate).count() == 0


def test_the_rule_book_names_the_new_numbers() -> None:
    book = RuleBook()
    assert (book.notice_question_close_wd, book.notice_answer_wd, book.avoidance_share_percent) == (1, 1, 25)
    assert replace(book, avoidance_owner_excludes=("controller",)).as_parameters()["avoidance.owner_excludes"] == [
        "controller"
    ]


# --- relations --------------------------------------------------------------------------------------------------


def test_related_registrants_are_an_alarm_and_a_relation_to_the_owner_keeps_out(clock_at) -> None:
    story = registered(a_story(clock_at), 2)
    with transaction() as session:
        for made in story.agencies[:2]:
            session.get_one(Agency, made.id).address = "南京市玄武区珠江路1号"
    clock_at(DEADLINE + timedelta(seconds=1))
    jobs.close_due()
    assert alarm_related_registrants(story.id) in {0, 1}
    alarm = db.session.query(RelationAlarm).one()
    assert (alarm.kind, alarm.detail, alarm.excludes) == ("address", "南京市玄武区珠江路1号", False)
    assert alarm_related_registrants(story.id) == 0


def test_an_agency_of_the_owner_is_refused_with_the_reason(clock_at) -> None:
    story = published(a_story(clock_at))
    owner = organisation_name(story.procurement.owner_organisation_id)
    with transaction() as session:
        for made, permille in zip(story.agencies[:2], (250, 249), strict=True):
            session.add(
                AgencyPerson(
                    agency_id=made.id,
                    part="shareholder",
                    name=owner,
                    is_body=True,
                    id_digest="a" * 64,
                    id_masked="9132**********001X",
                    share_permille=permille,
                    since=clock.now(),
                )
            )
    with pytest.raises(Refused) as refused:
        registrations.register(story.agencies[0].actor, story.id, Register())
    assert [(check["reason"], check["params"]) for check in refused.value.extra["checks"]] == [
        ("related-shareholder", {"detail": owner})
    ]
    registrations.register(story.agencies[1].actor, story.id, Register())
