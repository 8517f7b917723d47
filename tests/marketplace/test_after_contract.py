"""A contract that ends before its time: the published ranking goes on without the agency that left."""

from __future__ import annotations

from typing import Any

import pytest

from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import NotAllowed
from app.kernel.outbox import drain_all
from marketplace.models.contracts import Contract
from marketplace.models.procurements import DrawRank
from marketplace.services import after_contract, awards, contracts, registrations
from marketplace.services.contracts import ProposeTermination, SignContract
from tests.marketplace.procurement_builders import Story, a_story, awarded, notices_of

pytestmark = pytest.mark.usefixtures("app")


def ended(clock_at: Any) -> tuple[Story, list[str]]:
    """A drawn procurement whose contract was signed by both sides and ended by agreement; with the published order."""
    story = awarded(a_story(clock_at))
    order = [row.uscc for row in db.session.query(DrawRank).order_by(DrawRank.place)]
    winner = story.winner
    awards.confirm_award(winner.actor, story.id, Plain())
    drain_all()
    contract = db.session.query(Contract).one()
    signature = SignContract(contract.document_sha256, agreed=True)
    contracts.sign(winner.actor, contract.id, signature)
    contracts.sign(story.owner, contract.id, signature)
    drain_all()
    contracts.propose_termination(story.owner, contract.id, ProposeTermination("项目缓建"))
    contracts.agree_termination(winner.actor, contract.id, Plain())
    drain_all()
    return story, order


def test_the_reserve_is_called_back_in_its_published_order(clock_at: Any) -> None:
    story, order = ended(clock_at)
    first, second, third = (story.agency_with(uscc) for uscc in order[:3])
    assert story.state == "terminated"
    assert [story.registration(agency).state for agency in (first, second, third)] == ["confirmed", "lost", "lost"]
    with pytest.raises(NotAllowed):
        after_contract.select_again(second.actor, story.id, Plain())
    assert story.registration(second).state == "lost"
    after_contract.select_again(story.owner, story.id, Plain())
    assert story.state == "reselect"
    assert [story.registration(agency).state for agency in (first, second, third)] == [
        "confirmed",
        "reserve",
        "reserve",
    ]
    assert notices_of(second.actor, "procurement.reserve") == 1
    awards.propose_succession(story.operator, story.id, Plain())
    awards.approve_succession(story.second, story.id, WithReason("按公布排序递补"))
    assert (story.state, story.winner.uscc) == ("result_publicity", order[1])
    assert [row.uscc for row in db.session.query(DrawRank).order_by(DrawRank.place)] == order


def test_who_no_longer_wants_to_steps_back(clock_at: Any) -> None:
    story, order = ended(clock_at)
    after_contract.select_again(story.owner, story.id, Plain())
    second = story.agency_with(order[1])
    registrations.step_back(second.actor, story.registration(second).id, WithReason("人员已安排其他项目"))
    awards.propose_succession(story.operator, story.id, Plain())
    awards.approve_succession(story.second, story.id, WithReason("按公布排序递补"))
    assert story.winner.uscc == order[2]
