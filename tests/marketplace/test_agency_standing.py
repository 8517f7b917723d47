"""The standing of an admitted agency: measures, their ends, departure, and the walk over the machine."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import SYSTEM, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError, NotAllowed, Refused
from marketplace.models.agencies import Agency, AgencyMeasure
from marketplace.models.listings import Listing
from marketplace.queries.candidates import applicants, offering_applicants
from marketplace.rules.eligibility import Demand, judge
from marketplace.rules.standing import Facts, next_action, standing
from marketplace.services import agencies
from marketplace.states.agency import ADMITTED, AGENCY, IN_BUSINESS, AgencyState
from tests.builders import a_member
from tests.marketplace.market import an_admitted_agency, an_offer, settle, the_items

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def state_of(agency_id: UUID) -> str:
    found = db.session.get(Agency, agency_id, populate_existing=True)
    assert found is not None
    return found.state


def bar_of(agency_id: UUID, item_id: UUID) -> list[str]:
    found = applicants(item_id, [agency_id])[agency_id]
    return [c.reason for c in judge(Demand({}), found.candidate, clock.today()).failures]


FLAGS = st.booleans()


@given(
    st.sampled_from(sorted(ADMITTED)),
    st.builds(
        Facts,
        is_blacklisted=FLAGS,
        is_suspended=FLAGS,
        is_leaving=FLAGS,
        has_change_pending=FLAGS,
        is_limited=FLAGS,
    ),
)
def test_every_standing_is_reached_in_at_most_two_edges(state: AgencyState, facts: Facts) -> None:
    steps = 0
    while action := next_action(state, facts):
        edge = AGENCY.edge(action, state)
        assert edge is not None, (state, action)
        state, steps = AgencyState(edge.target), steps + 1
    assert state == standing(facts)
    assert steps <= 2


@pytest.mark.parametrize("state", sorted(set(AgencyState) - ADMITTED))
def test_only_an_admitted_agency_has_a_standing(state: AgencyState) -> None:
    with pytest.raises(ValueError, match=str(state)):
        next_action(state, Facts())


def test_a_restriction_closes_one_service_only(app: Flask) -> None:
    items = the_items("ZJ-020", "ZJ-003")
    actor, agency_id = an_admitted_agency()
    an_offer(actor, items["ZJ-020"])
    an_offer(actor, items["ZJ-003"])
    operator = a_member(Role.OPERATOR)
    with pytest.raises(Refused) as nameless:
        agencies.restrict(operator, agency_id, agencies.Measure("超期备案"))
    assert (nameless.value.field, state_of(agency_id)) == ("item_id", "active")
    agencies.restrict(operator, agency_id, agencies.Measure("超期备案", item_id=items["ZJ-020"]))
    settle()
    assert state_of(agency_id) == "restricted"
    shown = db.session.execute(select(Listing.item_id, Listing.state, Listing.suspension_cause)).all()
    assert {tuple(row) for row in shown} == {
        (items["ZJ-020"], "suspended", "service-closed"),
        (items["ZJ-003"], "published", None),
    }
    assert "restricted" in bar_of(agency_id, items["ZJ-020"])
    assert bar_of(agency_id, items["ZJ-003"]) == []
    agencies.restore(operator, agency_id, WithReason("整改完成"))
    settle()
    assert state_of(agency_id) == "active"
    assert set(db.session.scalars(select(Listing.state))) == {"published"}


@pytest.mark.parametrize("step", [agencies.suspend, agencies.blacklist])
def test_a_measure_ends_with_its_last_day(app: Flask, step: Any) -> None:
    with clock.at(NOON):
        items = the_items("ZJ-003")
        actor, agency_id = an_admitted_agency()
        an_offer(actor, items["ZJ-003"])
        last = clock.today() + timedelta(days=30)
        step(SYSTEM, agency_id, agencies.Measure("一年内三次放弃中选", ends_on=last, source="sanction:1"))
        settle()
        assert offering_applicants(items["ZJ-003"]) == ()
        assert len(bar_of(agency_id, items["ZJ-003"])) == 2  # barred, and nothing on the shelf
    end = datetime.combine(last, datetime.min.time(), clock.BEIJING) + timedelta(days=1)
    with clock.at(end - timedelta(seconds=1)):
        assert agencies.lift_due() == 0
    with clock.at(end):
        assert agencies.lift_due() == 1
        settle()
        assert agencies.lift_due() == 0
        assert state_of(agency_id) == "active"
        assert len(offering_applicants(items["ZJ-003"])) == 1


def test_the_gravest_measure_shows_and_repair_leaves_the_others(app: Flask) -> None:
    _, agency_id = an_admitted_agency()
    operator = a_member(Role.OPERATOR)
    agencies.suspend(operator, agency_id, agencies.Measure("投诉核查"))
    agencies.blacklist(operator, agency_id, agencies.Measure("出具虚假报告"))
    assert state_of(agency_id) == "blacklisted"
    agencies.restore(a_member(Role.REGULATOR), agency_id, WithReason("信用修复决定"))
    assert state_of(agency_id) == "suspended"
    agencies.restore(operator, agency_id, WithReason("投诉不成立"))
    assert state_of(agency_id) == "active"
    reasons = db.session.scalars(select(AgencyMeasure.lift_reason).order_by(AgencyMeasure.decided_at)).all()
    assert reasons == ["投诉不成立", "信用修复决定"]


def test_nobody_else_may_and_nothing_changes(app: Flask) -> None:
    actor, agency_id = an_admitted_agency()
    for stranger in (actor, a_member(Role.OWNER), a_member(Role.AUDITOR)):
        for step in (agencies.suspend, agencies.blacklist):
            with pytest.raises(NotAllowed):
                step(stranger, agency_id, agencies.Measure("x"))
        with pytest.raises(NotAllowed):
            agencies.remove(stranger, agency_id, WithReason("x"))
    assert state_of(agency_id) == "active"
    assert db.session.scalars(select(AgencyMeasure)).all() == []


def test_a_removed_agency_applies_again_after_the_cool_off(app: Flask) -> None:
    with clock.at(NOON):
        actor, agency_id = an_admitted_agency()
        agencies.remove(a_member(Role.REGULATOR), agency_id, WithReason("以欺骗手段入驻"))
        assert state_of(agency_id) == "removed"
        agencies.sign_commitment(actor, agency_id, Plain())
    with clock.at(NOON + timedelta(days=364)), pytest.raises(Conflict) as early:
        agencies.submit(actor, agency_id, Plain())
    assert (early.value.code, state_of(agency_id)) == ("cooling-off", "removed")
    with clock.at(NOON + timedelta(days=365)):
        agencies.submit(actor, agency_id, Plain())
    assert state_of(agency_id) == "submitted"


def test_a_withdrawn_application_is_taken_up_again(app: Flask) -> None:
    from tests.marketplace.market import a_complete_file, an_agency_member

    actor = an_agency_member()
    agency_id = a_complete_file(actor)
    agencies.submit(actor, agency_id, Plain())
    agencies.cancel(actor, agency_id, Plain())
    assert state_of(agency_id) == "cancelled"
    with pytest.raises(DomainError):
        agencies.pass_check(a_member(Role.OPERATOR), agency_id, agencies.PassCheck())
    agencies.submit(actor, agency_id, Plain())
    assert state_of(agency_id) == "submitted"


def test_an_objection_holds_the_admission(app: Flask) -> None:
    from tests.marketplace.market import a_complete_file, an_agency_member

    with clock.at(NOON):
        actor, operator = an_agency_member(), a_member(Role.OPERATOR)
        agency_id = a_complete_file(actor)
        agencies.submit(actor, agency_id, Plain())
        agencies.pass_check(operator, agency_id, agencies.PassCheck())
        agencies.note_objection(a_member(Role.OWNER), agency_id, "challenge:1")
        agencies.note_objection(a_member(Role.OWNER), agency_id, "challenge:2")
    with clock.at(NOON + timedelta(days=30)):
        agencies.note_objection(a_member(Role.OWNER), agency_id, "challenge:3")  # the time stands still meanwhile
        for _ in range(2):
            agencies.overrule_objection(operator, agency_id, "证据不足")
            assert agencies.admit_due() == 0
        agencies.overrule_objection(operator, agency_id, "证据不足")
        with pytest.raises(Conflict):
            agencies.note_objection(a_member(Role.OWNER), agency_id, "challenge:4")
        assert agencies.admit_due() == 1
    assert state_of(agency_id) == "active"


WALK = st.lists(
    st.sampled_from(
        ["restrict", "suspend", "blacklist", "restore", "ask_exit", "stay", "exit", "remove", "submit", "cancel"]
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WALK)
def test_any_walk_keeps_state_and_facts_together(app: Flask, walk: list[str]) -> None:
    """Whatever people try, the state is the one that the facts ask for, and refused steps change nothing."""
    items = the_items("ZJ-003") if db.session.scalar(select(Agency.id).limit(1)) is None else _items()
    actor, agency_id = an_admitted_agency()
    operator = a_member(Role.OPERATOR)
    run = {
        "restrict": lambda: agencies.restrict(operator, agency_id, agencies.Measure("r", item_id=items["ZJ-003"])),
        "suspend": lambda: agencies.suspend(operator, agency_id, agencies.Measure("s")),
        "blacklist": lambda: agencies.blacklist(operator, agency_id, agencies.Measure("b")),
        "restore": lambda: agencies.restore(operator, agency_id, WithReason("ok")),
        "ask_exit": lambda: agencies.ask_exit(actor, agency_id, WithReason("bye")),
        "stay": lambda: agencies.stay(actor, agency_id, Plain()),
        "exit": lambda: agencies.leave(actor, agency_id, Plain()),
        "remove": lambda: agencies.remove(operator, agency_id, WithReason("cause")),
        "submit": lambda: agencies.submit(actor, agency_id, Plain()),
        "cancel": lambda: agencies.cancel(actor, agency_id, Plain()),
    }
    for step in walk:
        before = state_of(agency_id)
        try:
            run[step]()
        except DomainError:
            assert state_of(agency_id) == before
            continue
        after = state_of(agency_id)
        if after in ADMITTED:
            found = {m.kind for m in agencies.open_measures(agency_id)}
            wanted = next(
                (s for kind, s in (("blacklist", "blacklisted"), ("suspend", "suspended")) if kind in found),
                "restricted" if "restrict" in found else "active",
            )
            assert after == wanted
            assert (after in IN_BUSINESS) == (not found & {"blacklist", "suspend"})


def _items() -> dict[str, UUID]:
    from marketplace.models.catalogue import ServiceItem

    return {row.code: row.id for row in db.session.execute(select(ServiceItem.code, ServiceItem.id))}
