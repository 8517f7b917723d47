"""Measures by two persons: findings, proposals, hearing, decision, appeal, terms that end, repair, and what they do to credit."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.identity.models import OrganisationKind
from app.kernel import clock, outbox
from app.kernel.access import Actor, Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, Refused
from marketplace.jobs.credit import end_terms
from marketplace.models.agencies import Agency
from marketplace.models.credit import CreditSnapshot, Repair, Sanction
from marketplace.queries.credit import agency_credit, score_points
from marketplace.queries.sanctions import sanction_view, sanctions, worklist
from marketplace.rules.sanctions import Ground, Kind, Level, Side, last_day
from marketplace.services import credit as credit_services
from marketplace.services import sanctions as services
from marketplace.services.sanctions import ApplyRepair, Finding, Proposal, Report, Statement, repairs
from tests.builders import a_member, an_organisation
from tests.marketplace.market import an_admitted_agency

Clock = Callable[[datetime], None]
START = datetime(2026, 6, 1, 2, tzinfo=UTC)  # a Monday, ten o'clock in Beijing
PUBLIC = Actor(None, None, frozenset(), "")
WARN = Proposal(level=Level.GENERAL, kind=Kind.WARN, points=10)
SUSPEND = Proposal(level=Level.GENERAL, kind=Kind.SUSPEND, points=5, months=3)
WHY = WithReason("事实清楚,证据充分。")


@pytest.fixture(autouse=True)
def _application(app: Flask, clock_at: Clock) -> None:
    """Every test here talks to the services of a fresh application, on a Monday."""
    clock_at(START)


class Desk:
    """An agency with a finding against it, and three persons who may decide."""

    def __init__(self, ground: Ground = Ground.GAVE_UP) -> None:
        self.party, self.agency_id = an_admitted_agency()
        assert self.party.organisation_id is not None
        self.first, self.second = a_member(Role.OPERATOR, name="甲"), a_member(Role.REGULATOR, name="乙")
        self.third = a_member(Role.OPERATOR, name="丙")
        services.note_finding(
            Finding(self.party.organisation_id, ground, "连续放弃中选。", {}, [("公告", "/procurements/x")], "test:1")
        )
        self.id: UUID = db.session.scalars(sa.select(Sanction.id)).one()

    @property
    def row(self) -> Sanction:
        db.session.expire_all()
        return db.session.get_one(Sanction, self.id)

    @property
    def agency(self) -> str:
        outbox.drain_all()
        db.session.expire_all()
        return db.session.get_one(Agency, self.agency_id).state

    def imposed(self, proposal: Proposal = WARN) -> "Desk":
        services.propose(self.first, self.id, proposal)
        services.make_statement(self.party, self.id, Statement("系人员变动所致,已整改。"))
        services.impose(self.second, self.id, WHY)
        return self

    def score(self, on: date) -> int:
        return score_points([self.agency_id], on)[self.agency_id]


def refused(kind: type[DomainError], run: Callable[[], object]) -> DomainError:
    """The refusal, after a look that nothing was written."""
    before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent))
    with pytest.raises(kind) as caught:
        run()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == before
    return caught.value


def test_a_finding_punishes_nobody_and_is_noted_once() -> None:
    desk = Desk()
    assert desk.party.organisation_id is not None
    again = Finding(desk.party.organisation_id, Ground.GAVE_UP, "连续放弃中选。", {}, [], "test:1")
    assert services.note_finding(again) is False
    assert (desk.row.state, desk.row.points, desk.agency) == ("found", 0, "active")
    assert refused(NotFound, lambda: sanction_view(desk.party, desk.id))  # not told before somebody takes it up
    assert refused(NotFound, lambda: sanction_view(PUBLIC, desk.id))
    assert refused(NotAllowed, lambda: services.propose(a_member(Role.AUDITOR), desk.id, WARN))


def test_two_persons_and_the_side_concerned_is_heard(clock_at: Clock) -> None:
    desk = Desk()
    services.propose(desk.first, desk.id, WARN)
    assert refused(Conflict, lambda: services.impose(desk.first, desk.id, WHY)).code == "same-person"
    assert refused(Conflict, lambda: services.impose(desk.second, desk.id, WHY)).code == "not-heard"
    assert refused(NotAllowed, lambda: services.make_statement(desk.first, desk.id, Statement("无")))
    assert [item.href for item in worklist(desk.party)] == [f"/sanctions/{desk.id}"]
    clock_at(START + timedelta(days=4))  # the three working days end with Thursday
    services.impose(desk.second, desk.id, WHY)
    assert (desk.row.state, desk.row.decided_by_name, desk.row.starts_on) == ("in_force", "乙", date(2026, 6, 5))
    assert sanction_view(PUBLIC, desk.id).points == 10


def test_the_ladder_is_kept() -> None:
    desk = Desk()
    for proposal, field in (
        (Proposal(Level.LIGHT, Kind.WARN, 2), "level"),
        (Proposal(Level.GENERAL, Kind.BLACKLIST, 10), "kind"),
        (Proposal(Level.GENERAL, Kind.WARN, 11), "points"),
        (Proposal(Level.GENERAL, Kind.SUSPEND, 5), "months"),
        (Proposal(Level.GENERAL, Kind.SUSPEND, 5, months=7), "months"),
        (Proposal(Level.GENERAL, Kind.SUSPEND_SERVICE, 5, months=3), "item_id"),
    ):
        found = refused(Refused, lambda proposal=proposal: services.propose(desk.first, desk.id, proposal))
        assert (found.code, found.field) == ("off-the-ladder", field)  # type: ignore[attr-defined]
    assert desk.row.state == "found"


def test_points_count_from_the_next_day_and_fade() -> None:
    desk = Desk().imposed()
    assert [desk.score(date(2026, 6, day)) for day in (1, 2)] == [100, 90]
    # 73 days later eight of the ten points are left
    assert desk.score(date(2026, 6, 1) + timedelta(days=73)) == 92
    assert desk.score(date(2026, 6, 1) + timedelta(days=365)) == 100


def test_a_suspension_ends_exactly(clock_at: Clock) -> None:
    desk = Desk().imposed(SUSPEND)
    assert (desk.agency, desk.row.ends_on) == ("suspended", date(2026, 9, 1))
    clock_at(datetime(2026, 9, 1, 15, 59, 59, tzinfo=UTC))
    assert (end_terms(), desk.agency) == (0, "suspended")
    clock_at(datetime(2026, 9, 1, 16, 0, 0, tzinfo=UTC))
    assert (end_terms(), desk.row.state, desk.agency) == (1, "ended", "active")
    assert end_terms() == 0


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
    ],
)
def test_terms_of_months(start: date, months: int, end: date) -> None:
    assert last_day(start, months) == end


def test_an_appeal_is_decided_by_a_third_person(clock_at: Clock) -> None:
    desk = Desk().imposed(SUSPEND)
    assert refused(NotAllowed, lambda: services.appeal(desk.first, desk.id, WHY))
    services.appeal(desk.party, desk.id, WithReason("程序有误。"))
    assert desk.agency == "suspended"  # in force until decided
    for person in (desk.first, desk.second):
        assert refused(Conflict, lambda person=person: services.revoke(person, desk.id, WHY)).code == "same-person"
        assert refused(Conflict, lambda person=person: services.uphold(person, desk.id, WHY)).code == "same-person"
    clock_at(START + timedelta(days=1))
    services.revoke(desk.third, desk.id, WHY)
    assert (desk.row.state, desk.agency) == ("revoked", "active")
    assert [desk.score(date(2026, 6, day)) for day in (2, 3)] == [95, 100]  # what was, stays explicable
    assert refused(NotFound, lambda: sanction_view(PUBLIC, desk.id))


def test_an_upheld_appeal_is_the_last_one(clock_at: Clock) -> None:
    desk = Desk().imposed()
    services.appeal(desk.party, desk.id, WithReason("程序有误。"))
    services.uphold(desk.third, desk.id, WHY)
    assert refused(Conflict, lambda: services.appeal(desk.party, desk.id, WHY)).code == "appealed"


def test_an_appeal_comes_within_five_working_days(clock_at: Clock) -> None:
    desk = Desk().imposed()
    clock_at(START + timedelta(days=8))  # the five working days after Monday 1 June end with Monday 8 June
    assert refused(Refused, lambda: services.appeal(desk.party, desk.id, WHY)).code == "appeal-period-over"


def test_the_database_knows_that_two_persons_are_needed() -> None:
    desk = Desk().imposed()
    with pytest.raises(sa.exc.IntegrityError), db.engine.begin() as connection:
        connection.execute(sa.update(Sanction).values(decided_by=desk.first.user_id))


def test_repair_waits_is_public_and_needs_two_persons(clock_at: Clock) -> None:
    desk = Desk().imposed()
    command = ApplyRepair("已建立应标责任制度,半年内无新违规。")
    assert refused(Refused, lambda: repairs.apply(desk.party, desk.id, command)).code == "repair-too-early"
    clock_at(datetime(2026, 9, 1, 2, tzinfo=UTC))
    assert refused(NotAllowed, lambda: repairs.apply(desk.first, desk.id, command))
    repair_id = repairs.apply(desk.party, desk.id, command)
    assert refused(Conflict, lambda: repairs.apply(desk.party, desk.id, command)).code == "repair-open"
    repairs.publicise(desk.first, repair_id, Plain())
    assert refused(Conflict, lambda: repairs.grant(desk.first, repair_id, WHY)).code == "same-person"
    assert refused(Conflict, lambda: repairs.grant(desk.second, repair_id, WHY)).code == "publicity-runs"
    clock_at(datetime(2026, 9, 9, 2, tzinfo=UTC))
    repairs.grant(desk.second, repair_id, WHY)
    assert (desk.row.state, db.session.get_one(Repair, repair_id).state) == ("repaired", "granted")
    assert [desk.score(date(2026, 9, day)) < 100 for day in (9, 10)] == [True, False]


def test_a_blacklist_lasts_until_repair(clock_at: Clock) -> None:
    desk = Desk(Ground.FALSE_MATERIAL).imposed(Proposal(Level.SERIOUS, Kind.BLACKLIST, 15))
    assert (desk.agency, desk.row.ends_at) == ("blacklisted", None)
    clock_at(datetime(2027, 6, 1, 2, tzinfo=UTC))
    repair_id = repairs.apply(desk.party, desk.id, ApplyRepair("已整改。"))
    repairs.publicise(desk.first, repair_id, Plain())
    clock_at(datetime(2027, 7, 1, 2, tzinfo=UTC))
    repairs.grant(desk.second, repair_id, WHY)
    assert desk.agency == "active"


def test_a_reported_violation_of_an_owner_is_published(client: FlaskClient) -> None:
    owner = an_organisation(OrganisationKind.OWNER, "临江区水利局", "11320100MB0000001X")
    first, second = a_member(Role.OPERATOR), a_member(Role.REGULATOR)
    command = Report("11320100MB0000001X", Ground.DESIGNATION, "指定中介机构。", Level.SERIOUS, Kind.REPORT, 0)
    assert refused(NotAllowed, lambda: services.report(a_member(Role.OWNER), command))
    sanction_id = services.report(first, command)
    services.make_statement(a_member(Role.OWNER, owner), sanction_id, Statement("已纠正。"))
    services.impose(second, sanction_id, WHY)
    page = sanctions(PUBLIC, side=Side.OWNER, organisation_id=owner)
    assert [(row.organisation_name, row.kind) for row in page.items] == [("临江区水利局", "report")]
    answer = client.get(f"/owners/{owner}/credit")
    assert answer.status_code == 200
    assert "指定中介机构" in answer.get_data(as_text=True)


def test_the_score_of_the_day_is_stored_and_explained(client: FlaskClient, clock_at: Clock) -> None:
    desk = Desk().imposed()
    clock_at(START + timedelta(days=1))
    assert (credit_services.take_snapshots(), credit_services.take_snapshots()) == (1, 0)
    services.appeal(desk.party, desk.id, WithReason("程序有误。"))
    services.revoke(desk.third, desk.id, WHY)
    stored = db.session.scalars(sa.select(CreditSnapshot)).one()
    assert (stored.hundredths, stored.grade, stored.formula) == (9002, "A", "CREDIT/1")  # ten points a day old
    found = agency_credit(desk.agency_id, clock.today())
    assert (found.points, found.is_reproduced) == (9002, True)
    page = client.get(f"/agencies/{desk.agency_id}/credit")
    assert page.status_code == 200
    assert "90.02" in page.get_data(as_text=True)
    document: dict[str, Any] = client.get(f"/api/agencies/{desk.agency_id}/credit").get_json()
    assert [part["points"] for part in document["parts"]] == [6000, 1000, 750, 750, 502]


@pytest.mark.parametrize("address", ["/credit", "/credit/formula", "/statistics", "/api/statistics", "/api/sanctions"])
def test_public_pages_answer(client: FlaskClient, address: str) -> None:
    Desk().imposed()
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("regulator", 200), ("operator", 403), ("agency", 403)])
def test_the_fairness_monitor_is_for_supervision(as_role: Callable[..., FlaskClient], role: str, status: int) -> None:
    assert as_role(role).get("/fairness").status_code == status


def test_pages_of_a_sanction(as_role: Callable[..., FlaskClient]) -> None:
    desk = Desk()
    client = as_role("operator")
    assert client.get("/sanctions").status_code == 200
    assert client.get("/sanctions/new").status_code == 200
    page = client.get(f"/sanctions/{desk.id}")
    assert page.status_code == 200
    assert "actions/propose" in page.get_data(as_text=True)
    assert client.get(f"/sanctions/{desk.id}/actions/propose").status_code == 200
