"""Ratings of owners, and violations at every stage: found, proposed, in force, appealed; and the scores of the day."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.shelf import Shelf
from app.demo.simulation import Simulation
from app.kernel import clock, outbox
from app.kernel.access import Role
from app.kernel.commands import WithReason
from app.kernel.db import db
from marketplace.models.agencies import Agency
from marketplace.models.credit import Sanction
from marketplace.rules.sanctions import Ground, Kind, Level
from marketplace.services import credit, sanctions
from marketplace.services.sanctions import Finding, Proposal, Statement
from marketplace.states.agency import AgencyState

_CASES = (
    (
        Ground.EXTRA_FEE,
        "在合同价款之外另行收取资料费八千元，经核实属实。",
        Kind.WARN,
        Level.GENERAL,
        6,
        None,
        "appealed",
    ),
    (
        Ground.LATE_DELIVERY,
        "测绘成果超期十三个工作日交付，且未申请延期。",
        Kind.SUSPEND,
        Level.GENERAL,
        5,
        2,
        "in_force",
    ),
    (Ground.LATE_REPLY, "两次未在规定时限内答复业主提出的问题。", Kind.REMIND, Level.LIGHT, 1, None, "in_force"),
    (Ground.MISSING_FILING, "项目负责人变更后未按规定报备。", Kind.WARN, Level.LIGHT, 2, None, "proposed"),
)


def judge_violations(simulation: Simulation, cast: Cast, shelf: Shelf) -> None:
    """Leave some measures of the last weeks, and today's scores. Small agencies without a contract are chosen."""
    first, second = cast.panel[Role.OPERATOR], cast.second_operator
    agencies = db.session.scalars(
        sa.select(Agency).where(Agency.state == AgencyState.ACTIVE).order_by(Agency.uscc.desc()).limit(40)
    ).all()
    chosen = [agency for agency in agencies if agency.organisation_id in shelf.people][: len(_CASES)]
    for agency, (ground, facts, kind, level, points, months, end) in zip(chosen, _CASES, strict=False):
        party = shelf.people[agency.organisation_id]
        with clock.at(simulation.end - dt.timedelta(days=12)):
            mark = f"demo:{agency.id}"
            sanctions.note_finding(Finding(agency.organisation_id, ground, facts, {}, [], mark))
            sanction_id = db.session.scalars(sa.select(Sanction.id).where(Sanction.fingerprint == mark)).one()
        with clock.at(simulation.end - dt.timedelta(days=10 if end != "proposed" else 1)):
            sanctions.propose(first, sanction_id, Proposal(level, kind, points, months=months))
        if end == "proposed":
            continue
        with clock.at(simulation.end - dt.timedelta(days=4)):
            sanctions.make_statement(party, sanction_id, Statement("情况属实，我单位已退还费用并完成内部整改。"))
            sanctions.impose(second, sanction_id, WithReason("事实清楚，当事方已陈述意见，决定按一般程序处理。"))
        if end == "appealed":
            with clock.at(simulation.end - dt.timedelta(days=2)):
                sanctions.appeal(party, sanction_id, WithReason("费用已于处理前退还，请求减轻处理。"))
    with clock.at(simulation.end):
        credit.find_violations()
        credit.take_snapshots()
        outbox.drain_all()
