"""The service item list: shipped content, versions, what never changes."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.kernel.access import Role
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from app.web.schemas import Plain, WithReason
from marketplace.models.catalogue import ItemVersion
from marketplace.queries import catalogue as queries
from marketplace.rules.categories import Category
from marketplace.rules.qualifications import check_rule
from marketplace.services import catalogue
from marketplace.states.catalogue import ItemVersionState
from tests.builders import a_member
from tests.marketplace.market import REVIEWED, an_admitted_agency, an_offer, settle, the_items


def _content(**changes: object) -> catalogue.ItemContent:
    from dataclasses import replace

    base = dict(catalogue.shipped_items())["ZJ-020"]
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_shipped_list_is_whole_and_clean() -> None:
    shipped = list(catalogue.shipped_items())
    assert [code for code, _ in shipped] == [f"ZJ-{n:03d}" for n in range(1, 63)]
    assert {content.category for _, content in shipped} == {str(c) for c in Category}
    for code, content in shipped:
        check_rule(content.qualification_rule)
        assert content.name_en.isascii(), code
        text = f"{content.name}{content.legal_basis}{content.approval_served}{content.qualification_text}{content.limit_note}"
        assert "[" not in text, code
        assert "same" not in text, code
        assert (content.limit_wd is None) == (code in {"ZJ-013", "ZJ-035", "ZJ-037", "ZJ-041"}), code
    assert dict(shipped)["ZJ-020"].limit_wd == 10
    assert dict(shipped)["ZJ-024"].guided_max_fen == 3_000_000


def test_loading_the_list_twice_adds_nothing(app: Flask) -> None:
    operator = a_member(Role.OPERATOR)
    assert catalogue.load_item_list(operator) == 62
    assert catalogue.load_item_list(operator) == 0
    assert len(queries.items_in_force()) == 62


def test_a_new_version_supersedes_the_old_one_and_keeps_it(app: Flask) -> None:
    items = the_items()
    operator = a_member(Role.OPERATOR)
    old = queries.item_history(items["ZJ-020"]).shown
    version_id = catalogue.draft_version(operator, items["ZJ-020"], _content(limit_wd=8))
    assert queries.item_history(items["ZJ-020"]).shown.limit_wd == 10
    catalogue.submit(operator, version_id, Plain())
    catalogue.publish(a_member(Role.REGULATOR), version_id, REVIEWED)
    history = queries.item_history(items["ZJ-020"])
    assert [(v.version_number, v.state, v.limit_wd) for v in history.versions] == [
        (2, "published", 8),
        (1, "superseded", 10),
    ]
    assert history.versions[1].id == old.id
    assert history.versions[1].effective_to == history.shown.effective_from
    assert queries.item_history(items["ZJ-020"], 1).shown.limit_wd == 10


def test_only_one_version_is_drafted_at_a_time(app: Flask) -> None:
    items = the_items()
    operator = a_member(Role.OPERATOR)
    catalogue.draft_version(operator, items["ZJ-020"], _content())
    with pytest.raises(Conflict) as refusal:
        catalogue.draft_version(operator, items["ZJ-020"], _content())
    assert refusal.value.code == "draft-open"


@pytest.mark.parametrize("column", ["name", "limit_wd", "legal_basis", "qualification_rule", "published_at", "version"])
def test_the_database_refuses_to_change_a_published_version(app: Flask, column: str) -> None:
    items = the_items()
    wanted: dict[str, object] = {
        "name": "改过的名称",
        "limit_wd": 99,
        "legal_basis": "无",
        "qualification_rule": {"kind": "cma"},
        "published_at": None,
        "version": 7,
    }
    before = queries.item_history(items["ZJ-020"]).shown
    with pytest.raises(sa.exc.IntegrityError, match="never changes"), transaction() as session:
        session.execute(sa.update(ItemVersion).where(ItemVersion.id == before.id).values({column: wanted[column]}))
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.delete(ItemVersion).where(ItemVersion.id == before.id))
    assert queries.item_history(items["ZJ-020"]).shown == before


def test_a_published_version_cannot_be_edited_or_published_again(app: Flask) -> None:
    items = the_items()
    operator = a_member(Role.OPERATOR)
    shown = queries.item_history(items["ZJ-020"]).shown
    with pytest.raises(Conflict):
        catalogue.change_draft(operator, shown.id, _content())
    with pytest.raises(IllegalTransition):
        catalogue.publish(operator, shown.id, REVIEWED)
    assert queries.item_history(items["ZJ-020"]).shown == shown


@pytest.mark.parametrize("role", [Role.OWNER, Role.AGENCY, Role.AUDITOR, Role.APPLICANT])
def test_others_may_neither_draft_nor_publish(app: Flask, role: Role) -> None:
    items = the_items()
    stranger = a_member(role)
    with pytest.raises(NotAllowed):
        catalogue.draft_version(stranger, items["ZJ-020"], _content())
    version_id = catalogue.draft_version(a_member(Role.OPERATOR), items["ZJ-020"], _content())
    with pytest.raises(NotAllowed):
        catalogue.submit(stranger, version_id, Plain())
    with pytest.raises(NotFound):
        queries.version_view(stranger, version_id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"category": "nonsense"}, "category"),
        ({"qualification_rule": {"any": []}}, "qualification_rule"),
        ({"qualification_rule": {"kind": "mapping", "grade": "Z"}}, "qualification_rule"),
        ({"pricing_mode": "guided"}, "guided_max"),
        ({"pricing_mode": "guided", "guided_min_fen": 5, "guided_max_fen": 4}, "guided_min"),
    ],
)
def test_wrong_content_is_refused_at_its_field(app: Flask, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        catalogue.draft_item(a_member(Role.OPERATOR), _content(**changes))
    assert refusal.value.field == field
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ItemVersion)) == 0


def test_cancelling_an_item_suspends_its_offers(app: Flask) -> None:
    items = the_items()
    agency, _ = an_admitted_agency()
    listing_id = an_offer(agency, items["ZJ-020"])
    settle()
    shown = queries.item_history(items["ZJ-020"]).shown
    catalogue.cancel(a_member(Role.REGULATOR), shown.id, WithReason("国家层面已取消"))
    settle()
    from marketplace.models.listings import Listing

    listing = db.session.get(Listing, listing_id)
    assert listing is not None
    assert (listing.state, listing.suspension_cause) == ("suspended", "item-not-in-force")
    assert queries.version_view(agency, shown.id).state == ItemVersionState.CANCELLED


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement sent while the test runs."""
    sent: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


def test_the_list_and_the_item_page(client: FlaskClient, statements: list[str]) -> None:
    items = the_items(*(f"ZJ-{n:03d}" for n in range(1, 63)))
    statements.clear()
    page = client.get("/services")
    assert page.status_code == 200
    assert len(statements) <= 4
    assert "建设用地勘测定界" in page.text
    assert "10 个工作日" in page.text
    statements.clear()
    page = client.get("/services?category=mapping")
    assert "岩土工程勘察" not in page.text.split("<main", 1)[1]
    item = client.get(f"/services/{items['ZJ-020']}")
    assert "《测绘法》第27条" in item.text
    assert client.get(f"/services/{UUID(int=1)}").status_code == 404
    answer = client.get("/api/service-items?category=mapping").get_json()
    assert [i["code"] for i in answer["items"]] == ["ZJ-020", "ZJ-026", "ZJ-027", "ZJ-028", "ZJ-029", "ZJ-030"]
    one = client.get(f"/api/service-items/{items['ZJ-020']}").get_json()
    assert (one["limit_wd"], one["name_en"], one["version"]) == (10, "Survey and demarcation of construction land", 1)
    assert client.get("/api/service-items?category=nonsense").status_code == 422
