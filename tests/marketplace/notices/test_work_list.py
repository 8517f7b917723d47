"""The list an owner works on: filters that live in the address, the same list as CSV, and nobody else's procurements."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from app.kernel.access import Actor, Role
from marketplace.queries.procurements import WorkListFilter, procurements_of_owner, work_list_for_export
from marketplace.services import procurements
from tests.builders import a_member, sign_in
from tests.marketplace.procurement_builders import a_draft, a_story, published

pytestmark = pytest.mark.usefixtures("app")


@dataclass(frozen=True)
class Lists:
    """An owner with a published random draw and a draft of a bidding, and somebody else with one draft."""

    owner: Actor
    stranger: Actor
    operator: Actor


@pytest.fixture
def lists(clock_at) -> Lists:
    story = published(a_story(clock_at, agencies=1))
    bidding = a_draft(story.item, title="城北水厂取水论证", method="bid_low", ceiling_fen=18_000_000)
    procurements.draft_notice(story.owner, bidding)
    stranger = a_member(Role.OWNER)
    procurements.draft_notice(stranger, a_draft(story.item, title="别家的测绘"))
    return Lists(story.owner, stranger, story.operator)


def titles(owner: Actor, **wanted: object) -> list[str]:
    assert owner.organisation_id is not None
    page = procurements_of_owner(owner.organisation_id, WorkListFilter(**wanted))  # type: ignore[arg-type]
    exported = work_list_for_export(WorkListFilter(**wanted), owner.organisation_id)  # type: ignore[arg-type]
    assert [row.id for row in page.items] == [row.id for row in exported], "the file holds what the page shows"
    return [row.title for row in page.items]


def test_state_method_and_words_narrow_the_owners_own_list(lists: Lists) -> None:
    drawn, bid = "滨江新城一期地形测量服务", "城北水厂取水论证"
    assert titles(lists.owner) == [bid, drawn]
    assert titles(lists.owner, state="draft") == [bid]
    assert titles(lists.owner, method="random") == [drawn]
    assert titles(lists.owner, q=" 取水 ") == [bid]
    assert titles(lists.owner, q="别家") == []
    assert titles(lists.owner, q="%") == [], "a wildcard is a letter here"
    assert titles(lists.owner, state="draft", method="random") == []
    assert titles(lists.stranger) == ["别家的测绘"]


def lines(client: FlaskClient, address: str) -> Sequence[Sequence[str]]:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_the_file_holds_the_filtered_list_and_only_ones_own(client: FlaskClient, lists: Lists) -> None:
    sign_in(client, lists.owner)
    found = lines(client, "/procurements/mine.csv?method=bid_low")
    assert found[0][9] == "选取方式"
    assert [(row[1], row[9]) for row in found[1:]] == [("城北水厂取水论证", "竞价选取（最低价）")]
    assert len(lines(client, "/procurements/mine.csv")) == 3
    assert client.get("/procurements/all.csv").status_code == 403
    page = client.get("/procurements/mine?method=bid_low&q=水厂").text
    assert "城北水厂取水论证" in page
    assert "滨江新城一期地形测量服务" not in page
    assert "/procurements/mine.csv?method=bid_low&amp;q=" in page
    assert client.get("/procurements/mine?method=nonsense").status_code == 422
    sign_in(client, lists.operator)
    assert len(lines(client, "/procurements/all.csv")) == 4
