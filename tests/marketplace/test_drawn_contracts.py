"""Contracts of drawn procurements: who signs for the work, and the ranking that goes on when a contract ends too early."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from app.kernel import clock
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, new_id, transaction
from app.kernel.errors import NotAllowed
from app.kernel.outbox import drain_all
from marketplace.models.agencies import Agency, Practitioner
from marketplace.models.contracts import Contract
from marketplace.models.procurements import DrawRank
from marketplace.queries.contracts.detail import contract_view
from marketplace.services import after_contract, awards, contracts, registrations
from marketplace.services.contracts import ProposeTermination, SignContract
from tests.marketplace.contract_builders import a_report
from tests.marketplace.procurement_builders import Story, a_story, awarded, notices_of

pytestmark = pytest.mark.usefixtures("app")


def signed(clock_at: Any) -> tuple[Story, Contract]:
    """A drawn procurement whose contract both sides have signed."""
    story = awarded(a_story(clock_at))
    awards.confirm_award(story.winner.actor, story.id, Plain())
    drain_all()
    contract = db.session.query(Contract).one()
    signature = SignContract(contract.document_sha256, agreed=True)
    contracts.sign(story.winner.actor, contract.id, signature)
    contracts.sign(story.owner, contract.id, signature)
    drain_all()
    return story, contract


def ended(clock_at: Any) -> tuple[Story, list[str]]:
    """The same after both sides agreed to end it; with the published order."""
    story, contract = signed(clock_at)
    order = [row.uscc for row in db.session.query(DrawRank).order_by(DrawRank.place)]
    winner = story.winner
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


def test_the_owner_sees_who_of_those_who_sign_is_on_the_register(clock_at: Any) -> None:
    story, contract = signed(clock_at)
    organisation_id = contract.agency_organisation_id
    agency_id = db.session.scalars(sa.select(Agency.id).where(Agency.organisation_id == organisation_id)).one()
    with transaction() as session:
        for name, state in (("陈立", "valid"), ("何方", "left"), ("郑一", "pending")):
            session.add(
                Practitioner(
                    thread_id=new_id(), agency_id=agency_id, organisation_id=organisation_id, name=name, state=state,
                    id_digest=name, id_masked="3201**", is_full_time=True, employed_from=date(2020, 1, 1),
                    leaves_on=date(2026, 1, 1) if state == "left" else None, created_at=clock.now(),
                )
            )  # fmt: skip
    contracts.deliver(story.winner.actor, contract.id, a_report(others="何方，注测字2\n郑一\n吴欢"))
    signs = contract_view(story.owner, contract.id).deliverables[0].practitioners
    assert [(one.name, one.on_register) for one in signs] == [
        *(("陈立", True), ("何方", False), ("郑一", False), ("吴欢", False))
    ]
