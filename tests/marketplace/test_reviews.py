"""Ratings both ways and blind, default ratings, use in approvals, replies and appeals."""

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import outbox
from app.kernel.access import Actor, Role
from app.kernel.audit import AuditEvent
from app.kernel.calendar import end_of_day
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError, IllegalTransition, NotAllowed, NotFound, Refused
from marketplace.jobs.reviews import keep_time_limits
from marketplace.models.reviews import DeliverableUse, Rating, RatingRequest
from marketplace.queries.contracts import contract_view
from marketplace.queries.reviews import rating_page, request_view, worklist
from marketplace.services import contracts, reviews
from marketplace.services.contracts import AcceptDeliverable
from marketplace.services.reviews import AppealRating, Inspect, RateDeliverable, RateOwner, RateService, Reply
from tests.builders import a_member
from tests.marketplace.contract_builders import Clock, Engagement, at, delivered, signed

SERVICE = RateService(quality=2, timeliness=3, attitude=2, fee=3, conformity=2, comment="成果粗糙。")
OWNER = RateOwner(response=5, payment=4, clarity=4, comment="资料齐全。")
PUBLIC = Actor(None, None, frozenset(), "")


@pytest.fixture(autouse=True)
def _application(app: Flask) -> None:
    """Every test here talks to the services of a fresh application."""


def accepted(clock_at: Clock) -> Engagement:
    """Accepted on Monday 8 June: both sides may rate until the end of Thursday 11 June."""
    made = delivered(signed(clock_at), at(6, 8))
    contracts.accept(made.owner, made.id, AcceptDeliverable())
    outbox.drain_all()
    return made


def request(made: Engagement, rater: str) -> RatingRequest:
    db.session.expire_all()
    found = sa.select(RatingRequest).where(RatingRequest.contract_id == made.id, RatingRequest.rater == rater)
    return db.session.scalars(found).one()


def rating(made: Engagement, rater: str = "owner") -> Rating:
    db.session.expire_all()
    found = sa.select(Rating).where(Rating.contract_id == made.id, Rating.rater == rater)
    return db.session.scalars(found).one()


def refused(kind: type[DomainError], run: Callable[[], object]) -> DomainError:
    """The refusal, after a look that nothing was written."""
    before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent))
    with pytest.raises(kind) as caught:
        run()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == before
    return caught.value


def seen_by(actor: Actor, made: Engagement) -> list[str]:
    db.session.expire_all()
    return [row.rater for row in contract_view(actor, made.id).ratings]


def test_neither_side_sees_the_others_rating_before_both_are_in(clock_at: Clock) -> None:
    made = accepted(clock_at)
    reviews.rate(made.owner, made.id, SERVICE)
    assert (seen_by(made.owner, made), seen_by(made.agency, made), seen_by(made.operator, made)) == (
        ["owner"],
        [],
        ["owner"],
    )
    hidden = rating(made).id
    assert refused(NotFound, lambda: rating_page(PUBLIC, hidden))
    assert refused(NotFound, lambda: reviews.reply(made.agency, hidden, Reply("不实。")))
    reviews.rate_owner(made.agency, request(made, "agency").id, OWNER)
    assert seen_by(made.agency, made) == ["owner", "agency"]
    assert {row.revealed_at for row in (rating(made), rating(made, "agency"))} == {at(6, 8)}
    assert rating_page(PUBLIC, hidden).rating.overall == 240


def test_a_single_rating_is_shown_when_the_time_is_over(clock_at: Clock) -> None:
    made = accepted(clock_at)
    reviews.rate_owner(made.agency, request(made, "agency").id, OWNER)
    assert (rating(made, "agency").revealed_at, seen_by(made.owner, made)) == (None, [])
    clock_at(end_of_day(date(2026, 6, 11)))
    keep_time_limits()
    assert seen_by(made.owner, made) == []
    clock_at(at(6, 12))
    keep_time_limits()
    assert sorted(seen_by(made.owner, made)) == ["agency", "owner"]
    default = rating(made)
    assert (default.is_default, default.stars, default.rated_by, request(made, "owner").state) == (
        True,
        500,
        None,
        "defaulted",
    )


def test_the_time_for_the_agency_ends_too(clock_at: Clock) -> None:
    made = accepted(clock_at)
    clock_at(at(6, 12))
    asked = request(made, "agency").id
    assert refused(Refused, lambda: reviews.rate_owner(made.agency, asked, OWNER)).code == "rating-period-over"
    keep_time_limits()
    assert request(made, "agency").state == "lapsed"
    assert refused(IllegalTransition, lambda: reviews.rate_owner(made.agency, asked, OWNER))


def test_only_the_asked_side_knows_of_a_request(clock_at: Clock) -> None:
    made = accepted(clock_at)
    asked = request(made, "agency").id
    for stranger in (a_member(Role.AGENCY), made.owner, a_member(Role.APPROVING_DEPARTMENT)):
        assert refused(NotFound, lambda stranger=stranger: reviews.rate_owner(stranger, asked, OWNER))
        assert refused(NotFound, lambda stranger=stranger: request_view(stranger, asked))
    assert refused(NotAllowed, lambda: reviews.rate_owner(made.operator, asked, OWNER))
    assert [item.href for item in worklist(made.agency)] == [f"/rating-requests/{asked}"]


def test_a_department_rates_after_use_and_once(clock_at: Clock) -> None:
    made = accepted(clock_at)
    department = a_member(Role.APPROVING_DEPARTMENT)
    assert department.organisation_id is not None
    clock_at(at(6, 15))
    for _ in range(2):
        reviews.deliverable_used(
            made.id, department.organisation_id, "BJ-2026-000001", first_pass=True, used_at=at(6, 15)
        )
    uses = db.session.scalars(sa.select(DeliverableUse)).all()
    assert [(use.first_pass, use.agency_organisation_id) for use in uses] == [(True, made.agency.organisation_id)]
    asked = request(made, "department").id
    reviews.rate_deliverable(department, asked, RateDeliverable(quality=5, timeliness=4))
    assert (rating(made, "department").stars, rating(made, "department").revealed_at) == (450, at(6, 15))
    assert refused(
        IllegalTransition,
        lambda: reviews.rate_deliverable(department, asked, RateDeliverable(quality=5, timeliness=4)),
    )


def test_an_inspection_is_for_the_operator(clock_at: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    from marketplace.services.reviews import requests

    monkeypatch.setattr(requests, "is_inspected", lambda *_: True)
    made = accepted(clock_at)
    asked = request(made, "operator").id
    assert refused(NotAllowed, lambda: reviews.inspect(a_member(Role.AUDITOR), asked, Inspect(3, 4)))
    reviews.inspect(made.operator, asked, Inspect(quality=3, conformity=4))
    assert rating(made, "operator").stars == 350


def shown(clock_at: Clock) -> Engagement:
    made = accepted(clock_at)
    reviews.rate(made.owner, made.id, SERVICE)
    reviews.rate_owner(made.agency, request(made, "agency").id, OWNER)
    return made


def test_one_reply_by_the_rated_side(clock_at: Clock) -> None:
    made = shown(clock_at)
    target = rating(made).id
    assert refused(NotAllowed, lambda: reviews.reply(made.owner, target, Reply("不实。")))
    reviews.reply(made.agency, target, Reply("已按意见修改。"))
    assert refused(Conflict, lambda: reviews.reply(made.agency, target, Reply("再次说明。"))).code == "replied"
    assert rating_page(PUBLIC, target).reply == "已按意见修改。"


def test_an_appeal_is_decided_by_another_and_strikes_the_rating(clock_at: Clock) -> None:
    made = shown(clock_at)
    target = rating(made).id
    command = AppealRating("retaliation", "拒绝其合同外要求后给出低分。")
    assert refused(NotAllowed, lambda: reviews.appeal(made.owner, target, command))
    appeal_id = reviews.appeal(made.agency, target, command)
    assert refused(Conflict, lambda: reviews.appeal(made.agency, target, command)).code == "appealed"
    assert rating_page(PUBLIC, target).state == "in_review"
    assert refused(NotAllowed, lambda: reviews.grant_appeal(made.agency, appeal_id, WithReason("同意")))
    assert refused(NotFound, lambda: reviews.withdraw_appeal(a_member(Role.AGENCY), appeal_id, Plain()))
    reviews.grant_appeal(made.operator, appeal_id, WithReason("聊天记录证实。"))
    assert (rating(made).struck_at, rating_page(PUBLIC, target).state) == (at(6, 8), "struck")
    assert refused(IllegalTransition, lambda: reviews.dismiss_appeal(made.operator, appeal_id, WithReason("维持")))


def test_an_appeal_comes_in_time(clock_at: Clock) -> None:
    made = shown(clock_at)
    target = rating(made).id
    clock_at(at(6, 16))  # five working days after Monday 8 June end on Monday 15 June
    late = refused(Refused, lambda: reviews.appeal(made.agency, target, AppealRating("facts", "时间有误。")))
    assert late.code == "appeal-period-over"


def test_a_rating_never_changes_in_the_database(clock_at: Clock) -> None:
    made = shown(clock_at)
    with pytest.raises(sa.exc.IntegrityError), db.engine.begin() as connection:
        connection.execute(sa.update(Rating).values(quality=5))
    assert rating(made).quality == 2


def test_pages_of_a_rating(clock_at: Clock, client: FlaskClient, as_role: Callable[..., FlaskClient]) -> None:
    made = shown(clock_at)
    target = rating(made).id
    assert client.get(f"/ratings/{target}").status_code == 200
    assert client.get(f"/api/ratings/{target}").get_json()["mean_hundredths"] == 240
    assert as_role("operator").get(f"/rating-requests/{request(made, 'agency').id}").status_code == 200
