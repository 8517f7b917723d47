"""Versions of a service item: review by another person, days of coming into force, comparison, and the machine at random."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.models import Notice
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, transaction
from app.kernel.errors import IllegalTransition, NotFound, Refused
from marketplace.models.catalogue import ItemApproval, ItemVersion
from marketplace.queries import catalogue as queries
from marketplace.queries.listed_items import listed_version, services_of_approvals, versions_in_force
from marketplace.rules.item_content import ItemContent
from marketplace.rules.item_diff import FIELDS, Piece, differences
from marketplace.services import catalogue
from marketplace.services.catalogue import Review, Schedule
from marketplace.states.catalogue import ITEM_VERSION, ItemVersionState
from tests.builders import a_member
from tests.marketplace.market import REVIEWED, an_admitted_agency, an_offer, settle, the_items

BASE = dict(catalogue.shipped_items())["ZJ-020"]
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def _count(model: type[ItemVersion] | type[AuditEvent] | type[ItemApproval]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_nobody_reviews_what_he_wrote(app: Flask) -> None:
    items = the_items()
    author = a_member(Role.OPERATOR)
    made = catalogue.draft_version(author, items["ZJ-020"], replace(BASE, limit_wd=8))
    catalogue.submit(author, made, Plain())
    before = queries.version_view(author, made), _count(AuditEvent)
    for step in (
        lambda: catalogue.publish(author, made, REVIEWED),
        lambda: catalogue.schedule(author, made, Schedule("合法", date(2099, 1, 1))),
    ):
        with pytest.raises(Refused) as refusal:
            step()
        assert refusal.value.code == "review-by-another"
        db.session.expunge_all()
    assert (queries.version_view(author, made), _count(AuditEvent)) == before
    reviewer = a_member(Role.REGULATOR)
    catalogue.publish(reviewer, made, Review("《测绘法》第27条，现行有效。"))
    view = queries.version_view(author, made)
    assert (view.state, view.reviewed_by_name, view.review_opinion) == (
        "published",
        reviewer.name,
        "《测绘法》第27条，现行有效。",
    )


def test_the_database_refuses_a_review_by_the_author_too(app: Flask) -> None:
    items = the_items()
    author = a_member(Role.OPERATOR)
    made = catalogue.draft_version(author, items["ZJ-020"], BASE)
    with pytest.raises(sa.exc.IntegrityError, match="reviewed_by_another"), transaction() as session:
        session.execute(sa.update(ItemVersion).where(ItemVersion.id == made).values(reviewed_by=author.user_id))


def test_the_reviewer_is_told_and_the_author_of_a_return(app: Flask) -> None:
    items = the_items()
    regulator, author = a_member(Role.REGULATOR), a_member(Role.OPERATOR)
    made = catalogue.draft_version(author, items["ZJ-020"], replace(BASE, limit_wd=8))
    assert [w.number for w in queries.worklist(author)] == ["ZJ-020 v2"]
    catalogue.submit(author, made, Plain())
    assert queries.worklist(author) == []
    assert [w.number for w in queries.worklist(regulator)] == ["ZJ-020 v2"]
    catalogue.return_to_draft(regulator, made, WithReason("依据条款有误"))
    told = db.session.execute(sa.select(Notice.user_id, Notice.kind).order_by(Notice.created_at, Notice.id)).all()
    mine = [row.kind for row in told if row.user_id == author.user_id]
    theirs = [row.kind for row in told if row.user_id == regulator.user_id]
    assert (mine, theirs[-1:]) == (["catalogue.returned"], ["catalogue.review"])


def _scheduled(limit: int = 8, day: date = date(2026, 12, 1)) -> tuple[dict[str, object], object]:
    items = the_items()
    made = catalogue.draft_version(a_member(Role.OPERATOR), items["ZJ-020"], replace(BASE, limit_wd=limit))
    catalogue.submit(a_member(Role.OPERATOR), made, Plain())
    catalogue.schedule(a_member(Role.REGULATOR), made, Schedule("合法", day))
    return items, made  # type: ignore[return-value]


def test_a_scheduled_version_comes_into_force_on_its_day(app: Flask) -> None:
    with clock.at(NOON):
        items, made = _scheduled()
        agency, _ = an_admitted_agency()
        history = queries.item_history(items["ZJ-020"])  # type: ignore[arg-type]
        assert (history.shown.version_number, history.shown.effective_to) == (1, date(2026, 12, 1))
        assert history.upcoming is not None
        assert (history.upcoming.id, history.upcoming.state) == (made, "scheduled")
    with clock.at(datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)):  # one second before midnight in Beijing
        slow = an_offer(agency, items["ZJ-020"], limit=10)  # type: ignore[arg-type]
        assert catalogue.take_effect_due() == 0
        assert [v.version for v in versions_in_force() if v.code == "ZJ-020"] == [1]
    with clock.at(datetime(2026, 11, 30, 16, 0, 0, tzinfo=UTC)):
        assert [v.version for v in versions_in_force() if v.code == "ZJ-020"] == [
            2
        ]  # told by dates, before the job ran
        assert (catalogue.take_effect_due(), catalogue.take_effect_due()) == (1, 0)
        settle()
        history = queries.item_history(items["ZJ-020"])  # type: ignore[arg-type]
        assert [(v.version_number, v.state, v.effective_from, v.effective_to) for v in history.versions] == [
            (2, "published", date(2026, 12, 1), None),
            (1, "superseded", date(2026, 11, 20), date(2026, 12, 1)),
        ]
        assert [v.version for v in versions_in_force(date(2026, 11, 30)) if v.code == "ZJ-020"] == [1]
        state = db.session.execute(sa.text("SELECT state FROM listing")).scalar_one()
        assert (slow is not None, state) == (True, "superseded")


def test_a_scheduled_version_that_is_dropped_never_applies(app: Flask) -> None:
    with clock.at(NOON):
        items, made = _scheduled()
        catalogue.cancel(a_member(Role.REGULATOR), made, WithReason("上位法修改"))  # type: ignore[arg-type]
        assert queries.item_history(items["ZJ-020"]).shown.effective_to is None  # type: ignore[arg-type]
    with clock.at(datetime(2026, 12, 2, tzinfo=UTC)):
        assert catalogue.take_effect_due() == 0
        assert [v.version for v in versions_in_force() if v.code == "ZJ-020"] == [1]
        dropped = listed_version(made)  # type: ignore[arg-type]
        assert dropped is not None
        assert dropped.effective_from == dropped.effective_to == date(2026, 12, 1)


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2026, 11, 19)])
def test_a_day_that_is_not_later_is_refused(app: Flask, day: date) -> None:
    with clock.at(NOON):
        items = the_items()
        made = catalogue.draft_version(a_member(Role.OPERATOR), items["ZJ-020"], BASE)
        catalogue.submit(a_member(Role.OPERATOR), made, Plain())
        with pytest.raises(Refused) as refusal:
            catalogue.schedule(a_member(Role.REGULATOR), made, Schedule("合法", day))
        assert refusal.value.field == "effective_from"
        db.session.expunge_all()
        assert queries.version_view(a_member(Role.OPERATOR), made).state == "legal_review"


def test_the_approvals_of_a_published_version_are_frozen_too(app: Flask) -> None:
    items = the_items()
    author = a_member(Role.OPERATOR)
    made = catalogue.draft_version(author, items["ZJ-020"], replace(BASE, approvals=("PL-0101", "PL-0102")))
    catalogue.change_draft(author, made, replace(BASE, approvals=("PL-0102", "PL-0103")))
    catalogue.submit(author, made, Plain())
    catalogue.publish(a_member(Role.REGULATOR), made, REVIEWED)
    assert queries.item_history(items["ZJ-020"]).shown.approvals == ("PL-0102", "PL-0103")
    assert [i.code for i in services_of_approvals(["PL-0103"])["PL-0103"]] == ["ZJ-020"]
    for statement in (
        sa.delete(ItemApproval),
        sa.update(ItemApproval).values(approval_code="PL-0999"),
        sa.insert(ItemApproval).values(item_version_id=made, approval_code="PL-0999"),
    ):
        with pytest.raises(sa.exc.IntegrityError, match="never changes"), transaction() as session:
            session.execute(statement)
    assert _count(ItemApproval) == 2


# --- comparison ---------------------------------------------------------------------------------------------------


def test_the_comparison_names_exactly_what_differs() -> None:
    after = replace(
        BASE,
        legal_basis="《土地管理法实施条例》；《测绘法》第二十七条",
        limit_wd=None,
        approvals=("PL-0102",),
        change_note="不算在内",
    )
    found = {c.field: c for c in differences(BASE, after)}
    assert list(found) == ["approvals", "legal_basis", "limit_wd"]
    assert (found["limit_wd"].before, found["limit_wd"].after) == (10, None)
    assert found["legal_basis"].before_pieces == (
        Piece("《土地管理法实施条例》；《测绘法》第", False),
        Piece("27", True),
        Piece("条", False),
    )
    assert "".join(p.text for p in found["legal_basis"].after_pieces) == after.legal_basis
    assert [p.text for p in found["legal_basis"].after_pieces if p.is_changed] == ["二十七"]
    assert differences(BASE, BASE) == ()


TEXTS = st.text("测绘法第二十七条甲乙", max_size=12)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["name", "legal_basis", "description"]))
def test_the_pieces_always_make_up_both_texts(before: str, after: str, field: str) -> None:
    found = differences(replace(BASE, **{field: before}), replace(BASE, **{field: after}))
    if before == after:
        assert found == ()
        return
    (change,) = found
    assert change.field == field
    assert "".join(p.text for p in change.before_pieces) == before
    assert "".join(p.text for p in change.after_pieces) == after
    same = ["".join(p.text for p in side if not p.is_changed) for side in (change.before_pieces, change.after_pieces)]
    assert same[0] == same[1]


def test_the_comparison_covers_every_field_of_the_content() -> None:
    every = {name for name in ItemContent.__dataclass_fields__ if name not in {"version", "change_note"}}
    assert set(FIELDS) == every


def test_any_two_published_versions_can_be_compared(app: Flask, client: FlaskClient) -> None:
    items = the_items()
    author, reviewer = a_member(Role.OPERATOR), a_member(Role.REGULATOR)
    for limit in (8, 6):
        made = catalogue.draft_version(author, items["ZJ-020"], replace(BASE, limit_wd=limit, change_note="提速"))
        catalogue.submit(author, made, Plain())
        catalogue.publish(reviewer, made, REVIEWED)
    draft = catalogue.draft_version(author, items["ZJ-020"], replace(BASE, limit_wd=5))
    path = f"/services/{items['ZJ-020']}/compare"
    newest = client.get(f"/api/service-items/{items['ZJ-020']}/comparison").get_json()
    assert newest == {"before": 2, "after": 3, "changes": [{"field": "limit_wd", "before": 8, "after": 6}]}
    page = client.get(f"{path}?before=1&after=3")
    assert page.status_code == 200
    assert "<del>10 个工作日</del>" in page.text
    assert "<ins>6 个工作日</ins>" in page.text
    assert client.get(f"{path}?after=4").status_code == 404  # a draft does not exist for the public
    assert client.get(f"{path}?before=9").status_code == 404
    with pytest.raises(NotFound):
        queries.comparison(a_member(Role.OWNER), items["ZJ-020"], 3, 4)
    assert queries.comparison(author, items["ZJ-020"], 3, 4).after.id == draft


# --- the machine --------------------------------------------------------------------------------------------------

STEPS = ("submit", "return", "publish", "schedule", "take_effect", "supersede", "cancel")


@settings(deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_walks_over_the_machine_end_only_where_nothing_leaves(steps: list[str]) -> None:
    state: str = ITEM_VERSION.initial
    reviewed = False
    for step in steps:
        edge = ITEM_VERSION.edge(step, state)
        if edge is None:
            continue
        reviewed = reviewed or state == ItemVersionState.LEGAL_REVIEW
        if edge.target in {ItemVersionState.PUBLISHED, ItemVersionState.SCHEDULED}:
            assert reviewed  # nothing is published without a legality review
        if state in {ItemVersionState.PUBLISHED, ItemVersionState.SCHEDULED}:
            assert edge.target not in {ItemVersionState.DRAFT, ItemVersionState.LEGAL_REVIEW}  # published is for good
        state = edge.target
    assert ITEM_VERSION.terminal == {ItemVersionState.SUPERSEDED, ItemVersionState.CANCELLED}


def test_what_the_machine_refuses_changes_nothing(app: Flask) -> None:
    items = the_items()
    shown = queries.item_history(items["ZJ-020"]).shown
    keeper = a_member(Role.REGULATOR)
    before = _count(AuditEvent)
    for step in (
        lambda: catalogue.submit(a_member(Role.OPERATOR), shown.id, Plain()),
        lambda: catalogue.return_to_draft(keeper, shown.id, WithReason("否")),
        lambda: catalogue.publish(keeper, shown.id, REVIEWED),
        lambda: catalogue.schedule(keeper, shown.id, Schedule("合法", date(2099, 1, 1))),
    ):
        with pytest.raises(IllegalTransition):
            step()
        db.session.expunge_all()
    assert queries.item_history(items["ZJ-020"]).shown == shown
    assert _count(AuditEvent) == before
