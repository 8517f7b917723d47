"""Random walks over an engagement: whatever people try in whatever order, the facts stay consistent."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel import clock
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import DomainError
from marketplace.jobs.contracts import keep_time_limits
from marketplace.models.engagement import Milestone
from marketplace.services import contracts
from marketplace.services.contracts import (
    AcceptDeliverable,
    AskExtension,
    AskPause,
    ConfirmPause,
    EndNotice,
    Mediate,
    NotifyBreach,
    OpenDispute,
    ProposeSettlement,
    ProposeTermination,
    PutForward,
    Reasoned,
)
from marketplace.states.contract import CONTRACT, QUESTIONS, UNSIGNED
from marketplace.states.engagement import BreachKind, PauseReason, Settlement
from tests.marketplace.contract_builders import PRICE, Clock, Engagement, a_report, drawn_up

Step = Callable[[Engagement], object]
WHY = Reasoned("原因说明")

STEPS: Mapping[str, Step] = {
    "redraft": lambda e: contracts.redraft(e.owner, e.id, Plain()),
    "ask_changes": lambda e: contracts.ask_changes(e.agency, e.id, WithReason("改")),
    "put_forward": lambda e: contracts.put_forward(e.owner, e.id, PutForward(milestones="一 | 33\n二 | 67")),
    "agency_signs": lambda e: contracts.sign(e.agency, e.id, e.signature()),
    "owner_signs": lambda e: contracts.sign(e.owner, e.id, e.signature()),
    "leave": lambda e: contracts.leave_unsigned(e.agency, e.id, WHY),
    "ask_pause": lambda e: contracts.ask_pause(e.agency, e.id, AskPause(PauseReason.HEARING, "听证")),
    "confirm_pause": lambda e: contracts.confirm_pause(e.owner, e.id, ConfirmPause()),
    "resume": lambda e: contracts.resume(e.agency, e.id, WHY),
    "ask_extension": lambda e: contracts.ask_extension(e.owner, e.id, AskExtension(2, "雨")),
    "approve_extension": lambda e: contracts.approve_extension(e.agency, e.id, Plain()),
    "refuse_extension": lambda e: contracts.refuse_extension(e.agency, e.id, WHY),
    "propose_end": lambda e: contracts.propose_termination(e.agency, e.id, ProposeTermination("终止")),
    "agree_end": lambda e: contracts.agree_termination(e.owner, e.id, Plain()),
    "refuse_end": lambda e: contracts.refuse_termination(e.owner, e.id, WHY),
    "deliver": lambda e: contracts.deliver(e.agency, e.id, a_report()),
    "accept": lambda e: contracts.accept(e.owner, e.id, AcceptDeliverable()),
    "return": lambda e: contracts.return_deliverable(e.owner, e.id, WHY),
    "dispute": lambda e: contracts.open_dispute(e.agency, e.id, OpenDispute("争议")),
    "propose_accept": lambda e: contracts.propose_settlement(
        e.owner, e.id, ProposeSettlement(Settlement.ACCEPT, "验收")
    ),
    "propose_go_on": lambda e: contracts.propose_settlement(
        e.owner, e.id, ProposeSettlement(Settlement.CONTINUE, "继续")
    ),
    "agree_settlement": lambda e: contracts.agree_settlement(e.agency, e.id, Plain()),
    "mediate": lambda e: contracts.mediate(e.operator, e.id, Mediate(Settlement.CONTINUE, "继续", days_count=True)),
    "notify": lambda e: contracts.notify_breach(e.owner, e.id, NotifyBreach(BreachKind.OTHER, "违约")),
    "mended": lambda e: contracts.end_notice(e.owner, e.id, EndNotice(True, "已补正")),
    "end_for_breach": lambda e: contracts.terminate_for_breach(e.owner, e.id, WHY),
    "a_day": lambda e: _wait(e, 1),
    "a_week": lambda e: _wait(e, 7),
}
EDGES = {(source, edge.target) for edge in CONTRACT.transitions for source in edge.sources}


def _wait(made: Engagement, days: int) -> None:
    made.clock_at(clock.now() + timedelta(days=days))
    keep_time_limits()


def consistent(made: Engagement) -> None:
    """What must hold of every engagement at every moment."""
    row = made.row
    plan = db.session.scalars(
        sa.select(Milestone).where(Milestone.contract_id == made.id).order_by(Milestone.position)
    ).all()
    assert sum(one.amount_fen for one in plan) == PRICE
    accepted = [one.accepted_at is not None for one in plan]
    assert accepted == sorted(accepted, reverse=True), "milestones are accepted in their order"
    assert (row.accepted_at is not None) == (all(accepted) and row.state != "terminated") or row.state == "terminated"
    assert (row.state in QUESTIONS) == (row.answer_by is not None)
    seen = made.seen
    assert (row.state == "dispute") == any(one.settled_at is None for one in seen.disputes)
    asked = [*(one.outcome == "asked" for one in seen.questions), *(one.outcome == "asked" for one in seen.pauses)]
    assert sum(asked) == (row.state in QUESTIONS)
    if row.state in UNSIGNED:
        assert not any(one.bill_id for one in plan), "nothing is billed before both have signed"
    if row.state == "terminated":
        assert all(one.is_settled or one.accepted_at for one in plan), "an ended contract owes only accepted work"
    assert all(one.released_at is None for one in plan), "nobody paid, so nothing was released"
    assert len(seen.signatures) == (0 if row.signed_at is None and row.state in UNSIGNED[:2] else len(seen.signatures))


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=4, max_size=14))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_engagement_stays_consistent_on_every_way(app: Flask, clock_at: Clock, walk: list[str]) -> None:
    del app
    made = drawn_up(clock_at)
    for name in ("agency_signs", "owner_signs", *walk) if len(walk) % 3 else walk:
        before = made.state, made.row.version
        try:
            STEPS[name](made)
        except DomainError:
            assert (made.state, made.row.version) == before, f"{name} was refused and changed something"
        else:
            assert made.state == before[0] or name.startswith("a_") or (before[0], made.state) in EDGES, name
        consistent(made)
