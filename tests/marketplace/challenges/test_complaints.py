"""Complaints and off-list reports: stages, limits, impartiality, evidence of both sides; and that a refusal changes nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.kernel import clock
from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from marketplace.jobs import challenges as challenge_jobs
from marketplace.models.challenges import Challenge, ChallengeFile
from marketplace.queries.challenges import RegisterFilter, challenge_view, off_list_counts, register
from marketplace.rules.challenges import ComplaintType, Side
from marketplace.services import challenges
from tests.builders import a_member, sign_in
from tests.marketplace import market
from tests.marketplace.challenges.builders import a_complaint, a_plea, losers, object_to, rejected, the, upheld
from tests.marketplace.procurement_builders import MONDAY, a_story, notices_of, ranked

pytestmark = pytest.mark.usefixtures("app")
SECOND = timedelta(seconds=1)


def written() -> tuple[int, int]:
    db.session.expire_all()
    return db.session.query(AuditEvent).count(), db.session.query(Challenge).count()


def test_a_complaint_goes_from_filing_to_a_served_decision(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    complainant = losers(story)[0].actor
    made = a_complaint(
        complainant,
        complaint_type=ComplaintType.COLLUSION,
        against=Side.AGENCY,
        procurement_id=story.id,
        known_on=clock.today(),
        files=(market.a_paper("a.png"),),
    )
    c = the(made)
    assert (c.number, c.handled_by, c.against_organisation_id) == (
        "TS-2026-000001",
        "regulator",
        story.winner.actor.organisation_id,
    )
    with pytest.raises(NotFound):
        challenge_view(story.winner.actor, made)  # not served before it is accepted
    judge = a_member(Role.REGULATOR)
    with pytest.raises(NotAllowed):
        challenges.accept(story.operator, made, challenges.AcceptComplaint())
    challenges.accept(judge, made, challenges.AcceptComplaint(suspend=True))
    assert (the(made).state, story.state) == ("accepted", "paused")
    assert notices_of(story.winner.actor, "challenge.step") == 1
    assert challenge_view(story.winner.actor, made).contact_phone == ""
    assert challenge_view(judge, made).contact_phone == "13900000009"
    challenges.state(story.winner.actor, made, challenges.State("我单位未与任何机构串通。", (market.a_paper("b.png"),)))
    assert [(s.side, len(s.files)) for s in challenge_view(complainant, made).statements] == [("agency", 1)]
    limit = the(made).answer_by
    challenges.extend(judge, made, challenges.ExtendLimit(date(2027, 1, 15), "需向公安机关核实线索"))
    assert the(made).answer_by > limit
    with pytest.raises(Conflict):
        challenges.extend(judge, made, challenges.ExtendLimit(date(2027, 1, 20), "再次延长"))
    challenges.reject(judge, made, rejected())
    assert (the(made).state, story.state) == ("rejected", "result_publicity")
    challenges.confirm_receipt(complainant, made, Plain())
    assert the(made).served_at is not None
    line = register(RegisterFilter(kind="complaint")).items[0]
    assert (line.number, line.public_summary, line.days_taken) == ("TS-2026-000001", "经核查，证书真实有效。", 0)


def test_fifteen_working_days_to_the_second(clock_at: Any) -> None:
    clock_at(MONDAY)
    person = a_member(Role.APPLICANT)
    # known on Monday 16 November: the fifteenth working day after it is Monday 7 December
    clock_at(MONDAY.replace(month=12, day=7, hour=15, minute=59, second=59))
    assert the(a_complaint(person, known_on=date(2026, 11, 16))).state == "filed"
    clock_at(MONDAY.replace(month=12, day=7, hour=16, minute=0, second=0))
    before = written()
    with pytest.raises(Conflict) as late:
        a_complaint(person, known_on=date(2026, 11, 16))
    assert late.value.code == "complaint-too-late"
    for known_on, code in ((None, "known-on-missing"), (date(2026, 12, 9), "known-on-future")):
        with pytest.raises(Refused) as refused:
            a_complaint(person, known_on=known_on)
        assert refused.value.code == code
    assert written() == before


def test_a_complaint_follows_the_answer_or_its_missed_limit(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    objector = losers(story)[0].actor
    first = object_to(story, objector)
    again: dict[str, Any] = {"previous_id": first, "against": Side.OWNER, "complaint_type": ComplaintType.DELAY}
    with pytest.raises(Conflict, match="Wait for the answer"):
        a_complaint(objector, **again)
    with pytest.raises(NotFound):
        a_complaint(losers(story)[1].actor, **again)
    clock_at(the(first).answer_by + SECOND)
    made = a_complaint(objector, **again)
    assert (the(made).handled_by, the(made).procurement_id) == ("regulator", story.id)
    with pytest.raises(Conflict, match="already"):
        a_complaint(objector, **again)


@pytest.mark.parametrize(
    ("kind", "handler"), [(ComplaintType.COURIER, "operator"), (ComplaintType.DESIGNATED_AGENCY, "regulator")]
)
def test_the_type_decides_who_handles_it(clock_at: Any, kind: ComplaintType, handler: str) -> None:
    clock_at(MONDAY)
    made = a_complaint(a_member(Role.APPLICANT), complaint_type=kind, known_on=date(2026, 11, 13))
    assert the(made).handled_by == handler


def test_who_took_part_or_stepped_aside_decides_nothing(clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    made = a_complaint(
        losers(story)[0].actor,
        complaint_type=ComplaintType.DELAY,
        against=Side.OWNER,
        procurement_id=story.id,
        known_on=clock.today(),
    )
    before = written()
    with pytest.raises(Conflict) as involved:  # this operator published the notice
        challenges.accept(story.operator, made, challenges.AcceptComplaint())
    assert involved.value.code == "involved-acted-before"
    assert written() == before
    colleague = a_member(Role.OPERATOR, story.operator.organisation_id)
    challenges.step_aside(colleague, made, WithReason("与被投诉单位负责人系近亲属"))
    with pytest.raises(Conflict) as aside:
        challenges.accept(colleague, made, challenges.AcceptComplaint())
    assert aside.value.code == "involved-stepped-aside"
    challenges.hand_over(colleague, made, WithReason("运营机构人员均参与过该项目"))
    assert the(made).handled_by == "regulator"
    challenges.accept(story.second, made, challenges.AcceptComplaint())
    challenges.uphold(story.second, made, upheld())
    assert (the(made).state, story.state) == ("upheld", "result_publicity")


def test_not_accepted_with_its_reason(clock_at: Any) -> None:
    clock_at(MONDAY)
    person, judge = a_member(Role.APPLICANT), a_member(Role.REGULATOR)
    made = a_complaint(person, complaint_type=ComplaintType.LEAK, known_on=date(2026, 11, 13))
    with pytest.raises(Refused):
        challenges.decline(judge, made, WithReason(" "))
    assert the(made).state == "filed"
    challenges.decline(judge, made, WithReason("没有提供任何可核查的线索"))
    assert (the(made).state, the(made).decision) == ("not_accepted", "没有提供任何可核查的线索")
    assert notices_of(person, "challenge.step") == 2


def test_an_off_list_report_is_answered_in_its_limit_and_counted_in_public(clock_at: Any) -> None:
    clock_at(MONDAY)
    person, judge = a_member(Role.APPLICANT), a_member(Role.REGULATOR)
    report = challenges.FileOffListReport(
        **a_plea(department="某区住房和城乡建设局", demanded="节能评估", approval="施工许可")
    )
    made = challenges.report_off_list_demand(person, report)
    assert (the(made).number, the(made).reference) == ("QW-2026-000001", "节能评估 · 施工许可")
    assert the(made).answer_by == MONDAY.replace(day=23, hour=15, minute=59, second=59)
    assert (off_list_counts().total, off_list_counts().open) == (1, 1)
    with pytest.raises(NotAllowed):
        challenges.reject(a_member(Role.OPERATOR), made, rejected())
    clock_at(the(made).answer_by + SECOND)
    assert challenge_jobs.run_due() == 1
    challenges.uphold(judge, made, upheld())
    assert (off_list_counts().open, off_list_counts().upheld) == (0, 1)
    assert register(RegisterFilter(kind="off_list")).items[0].against_name == "某区住房和城乡建设局"


def test_too_many_open_challenges_are_refused(clock_at: Any) -> None:
    clock_at(MONDAY)
    person = a_member(Role.APPLICANT)
    for _ in range(20):
        a_complaint(person, known_on=date(2026, 11, 13))
    with pytest.raises(Conflict) as refused:
        a_complaint(person, known_on=date(2026, 11, 13))
    assert refused.value.code == "too-many-challenges"
    assert db.session.query(Challenge).count() == 20


# --- over HTTP ----------------------------------------------------------------------------------------------------


def test_files_are_for_the_sides_and_the_pages_answer(app: Flask, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    objector = losers(story)[0].actor
    made = object_to(story, objector, files=(market.a_paper("证据.png"),))
    file_id: UUID = db.session.query(ChallengeFile.id).scalar()
    address = f"/challenges/{made}/files/{file_id}"
    for actor, status in (
        (objector, 200),
        (story.owner, 200),
        (story.second, 200),
        (losers(story)[1].actor, 404),
        (a_member(Role.OWNER), 404),
        (a_member(Role.APPLICANT), 404),
    ):
        client = app.test_client()
        sign_in(client, actor)
        assert client.get(address).status_code == status
        assert client.get(f"/challenges/{made}").status_code == status
    visitor = app.test_client()
    assert visitor.get(address).status_code == 302
    page = visitor.get(f"/procurements/{story.id}").get_data(as_text=True)
    assert "YY-2026-000001" in page
    assert "测绘机构" in page  # the winner stands there, the challenger does not
    assert objector.name not in page
    challenges.reject(story.owner, made, rejected())
    register_page = visitor.get("/challenges").get_data(as_text=True)
    assert "YY-2026-000001" in register_page
    assert "测绘机构" not in register_page
    csv = visitor.get("/challenges.csv").get_data(as_text=True)
    assert "YY-2026-000001" in csv
    assert "测绘机构" not in csv
    assert visitor.get("/off-list").status_code == 200


def test_a_form_with_an_error_comes_back_as_it_was(app: Flask, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    client = app.test_client()
    sign_in(client, losers(story)[0].actor)
    assert client.get(f"/procurements/{story.id}/challenge").status_code == 200
    token = (
        client.get(f"/procurements/{story.id}/challenge").get_data(as_text=True).split('name="csrf_token" value="')[1]
    )
    sent = {"csrf_token": token.split('"')[0], "matter": "objection:result", "grounds": "证书查询不到"}
    answer = client.post(f"/procurements/{story.id}/challenge", data=sent)
    assert answer.status_code == 422
    assert "证书查询不到" in answer.get_data(as_text=True)
    assert db.session.query(Challenge).count() == 0
    sent |= {"claim": "取消结果", "contact_phone": "13900000001", "idempotency_key": "k1"}
    for _ in range(2):
        assert client.post(f"/procurements/{story.id}/challenge", data=sent).status_code == 303
    assert db.session.query(Challenge).count() == 1
    assert story.state == "paused"
