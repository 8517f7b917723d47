"""Whoever checks a change of a public notice reads both values of every field it changes; nobody else does."""

import pytest
from flask.testing import FlaskClient

from app.kernel.access import Role
from app.kernel.errors import Conflict, NotAllowed
from app.web.schemas import Plain
from marketplace.services import procurements
from marketplace.services.commands import Revise
from tests.builders import a_member, sign_in
from tests.marketplace.procurement_builders import Story, a_draft, a_story, published

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def story(clock_at) -> Story:
    story = published(a_story(clock_at, agencies=1))
    change = a_draft(story.item, limit_wd=7, content="增测地下管线，成果一式八份")
    procurements.revise_notice(story.owner, story.id, Revise(change, "项目范围核实后调整"))
    return story


def test_the_operator_and_the_owner_read_both_values(story: Story) -> None:
    for actor in (story.operator, story.owner):
        found = {change.path: (change.old, change.new) for change in procurements.proposed_changes(actor, story.id)}
        assert found.keys() == {"content", "limit_wd"}
        assert found["limit_wd"] == (10, 7)
        assert found["content"][1] == "增测地下管线，成果一式八份"
    assert (story.procurement.limit_wd, story.state) == (10, "revised"), "reading writes nothing"


def test_others_do_not_read_what_is_not_public(client: FlaskClient, story: Story) -> None:
    for actor in (story.agencies[0].actor, a_member(Role.OWNER)):
        with pytest.raises(NotAllowed):
            procurements.proposed_changes(actor, story.id)
    words = "增测地下管线"
    assert words not in client.get(f"/procurements/{story.id}").text
    sign_in(client, story.agencies[0].actor)
    assert words not in client.get(f"/procurements/{story.id}").text
    sign_in(client, story.operator)
    page = client.get(f"/procurements/{story.id}").text
    assert words in page
    assert "<ins>7</ins>" in page
    assert "<del>10</del>" in page


def test_nothing_is_proposed_once_it_is_decided(story: Story) -> None:
    procurements.publish_revision(story.operator, story.id, Plain())
    with pytest.raises(Conflict) as refused:
        procurements.proposed_changes(story.operator, story.id)
    assert refused.value.code == "no-revision"
