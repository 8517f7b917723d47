"""A purchase says whether it serves an approval case: in its frozen content, on its page and while it is written."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.kernel.db import db, transaction
from app.web.forms import Form
from marketplace.models.procurements import Procurement, ProcurementNotice
from marketplace.web.notice_reading import lines_of
from marketplace.web.schemas.procurements import NoticeIn
from tests.marketplace.procurement_builders import Story, a_story, published

pytestmark = pytest.mark.usefixtures("app")


def frozen_content(story: Story) -> dict[str, object]:
    return db.session.query(ProcurementNotice).filter_by(procurement_id=story.id).one().content


def test_a_purchase_of_the_owners_own_need_is_marked(client: FlaskClient, clock_at) -> None:
    story = published(a_story(clock_at))
    assert frozen_content(story)["serves_approval_case"] is False
    page = client.get(f"/procurements/{story.id}").get_data(as_text=True)
    assert "非行政管理中介服务事项" in page
    assert "是，用于审批办件" not in page


def test_a_purchase_for_an_approval_case_is_marked(client: FlaskClient, clock_at) -> None:
    story = a_story(clock_at)
    with transaction() as session:
        session.get_one(Procurement, story.id).case_subject = f"case:{uuid4()}"
    published(story)
    assert frozen_content(story)["serves_approval_case"] is True
    page = client.get(f"/procurements/{story.id}").get_data(as_text=True)
    assert "是，用于审批办件" in page
    assert "非行政管理中介服务事项" not in page


def test_the_reading_shows_only_the_details_of_the_chosen_method_and_amounts_as_people_write_them(app) -> None:
    typed = {"method": "random", "rounds": "1", "small_list": "5", "price_fen": "16200", "budget_fen": "1e5"}
    with app.test_request_context():
        random = [(line.step, line.text) for line in lines_of(Form(NoticeIn(), typed), serves_case=False)]
        bidding = [line.text for line in lines_of(Form(NoticeIn(), typed | {"method": "bid_low"}), serves_case=False)]
    assert ("how", "¥16,200.00") in random
    assert ("how", "1e5") in random, "what is no amount stays as typed"
    assert not {"1", "5"} & {text for _, text in random}
    assert "1" in bidding
    assert "5" not in bidding
