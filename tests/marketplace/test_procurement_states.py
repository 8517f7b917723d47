"""The two machines of a procurement, walked edge by edge and at random."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.states import Machine
from marketplace.models.procurements import Procurement, Registration
from marketplace.states.parts import Part
from marketplace.states.procurement import (
    FAILURE_TEXTS,
    PROCUREMENT,
    RESUME_ACTIONS,
    TURNS,
    FailureCode,
    ProcurementState,
)
from marketplace.states.registration import ON_LIST, OPEN, REGISTRATION, STRUCK, RegistrationState

P, R = ProcurementState, RegistrationState


def test_only_these_states_are_final() -> None:
    assert {P.CLOSED, P.VOID, P.CANCELLED, P.REPUBLISHED} == PROCUREMENT.terminal
    assert {R.AVOIDED, R.STEPPED_BACK, R.EXCLUDED, R.GAVE_UP, R.LAPSED, R.STRUCK_OUT} == REGISTRATION.terminal


def test_the_main_road_and_its_parts() -> None:
    road = [
        ("submit", P.DRAFT, P.SUBMITTED, {Part.OWNER}),
        ("publish", P.SUBMITTED, P.PUBLISHED, {Part.OPERATOR, Part.SYSTEM}),
        ("close", P.PUBLISHED, P.REGISTRATION_CLOSED, {Part.SYSTEM}),
        ("start_selection", P.REGISTRATION_CLOSED, P.SELECTING, {Part.SYSTEM}),
        ("select", P.SELECTING, P.SELECTED, {Part.SYSTEM}),
        ("publish_result", P.SELECTED, P.RESULT_PUBLICITY, {Part.SYSTEM}),
        ("award", P.RESULT_PUBLICITY, P.AWARDED, {Part.SYSTEM}),
        ("confirm", P.AWARDED, P.CONFIRMED, {Part.WINNER}),
        ("sign", P.CONFIRMED, P.CONTRACTED, {Part.SYSTEM}),
        ("start_service", P.CONTRACTED, P.IN_SERVICE, {Part.SYSTEM}),
        ("accept", P.IN_SERVICE, P.ACCEPTED, {Part.SYSTEM}),
        ("close_file", P.ACCEPTED, P.CLOSED, {Part.SYSTEM}),
    ]
    for action, source, target, who in road:
        edge = PROCUREMENT.edge(action, source)
        assert edge is not None, action
        assert (edge.target, set(edge.who)) == (target, who), action


@pytest.mark.parametrize("source", [P.REGISTRATION_CLOSED, P.SELECTING, P.RESELECT])
def test_a_procurement_fails_by_the_system_and_has_four_ways_out(source: P) -> None:
    edge = PROCUREMENT.edge("fail", source)
    assert edge is not None
    assert (edge.target, edge.who) == (P.FAILED, (Part.SYSTEM,))
    ways = {edge.action: edge.target for edge in PROCUREMENT.leaving(P.FAILED)}
    assert ways == {
        "extend": P.PUBLISHED,
        "republish": P.REPUBLISHED,
        "cancel": P.CANCELLED,
        "request_direct": P.DIRECT_REQUEST,
    }


def test_the_owner_never_decides_who_wins() -> None:
    decisive = {
        "close",
        "start_selection",
        "select",
        "publish_result",
        "award",
        "fail",
        "lapse",
        "succeed",
        "strike_out",
    }
    assert not [edge for edge in PROCUREMENT.transitions if edge.action in decisive and Part.OWNER in edge.who]


def test_the_system_waits_for_a_stored_moment() -> None:
    due = {edge.action: edge.due for edge in PROCUREMENT.transitions if edge.due}
    assert due == {
        "close": "registration_ends_at",
        "award": "publicity_ends_at",
        "compare": "compare_by",
        "lapse": "confirm_by",
    }
    assert all(hasattr(Procurement, column) for column in due.values())


@pytest.mark.parametrize("machine", [PROCUREMENT, REGISTRATION])
def test_what_takes_a_right_away_needs_a_reason(machine: Machine) -> None:
    own = {"withdraw"} if machine is REGISTRATION else set()
    silent = [
        edge.action for edge in machine.transitions if edge.danger and not edge.needs_reason and edge.action not in own
    ]
    assert silent == []


def test_a_pause_returns_to_where_it_began() -> None:
    paused = next(edge for edge in PROCUREMENT.transitions if edge.action == "pause")
    assert set(RESUME_ACTIONS) == {str(state) for state in paused.sources}
    for state, action in RESUME_ACTIONS.items():
        edge = PROCUREMENT.edge(action, P.PAUSED)
        assert edge is not None
        assert edge.target == state


def test_turns_name_columns_and_every_failure_has_a_text() -> None:
    assert all(turn.deadline is None or hasattr(Procurement, turn.deadline) for turn in TURNS.values())
    assert set(FAILURE_TEXTS) == set(FailureCode)
    for machine, model in ((PROCUREMENT, Procurement), (REGISTRATION, Registration)):
        assert all(hasattr(model, column) for columns in machine.requires.values() for column in columns)


def test_groups_of_registrations() -> None:
    assert not STRUCK & OPEN
    assert STRUCK < ON_LIST
    assert R.WITHDRAWN not in ON_LIST | OPEN


@pytest.mark.parametrize("machine", [PROCUREMENT, REGISTRATION])
@given(choices=st.lists(st.integers(0, 50), max_size=40))
def test_a_random_walk_never_leaves_the_table(machine: Machine, choices: list[int]) -> None:
    state = str(machine.initial)
    for choice in choices:
        edges = machine.leaving(state)
        if not edges:
            assert state in machine.terminal
            return
        edge = edges[choice % len(edges)]
        assert machine.edge(edge.action, state) is edge
        state = str(edge.target)
        assert state in set(machine.states)


@pytest.mark.parametrize("machine", [PROCUREMENT, REGISTRATION])
def test_every_edge_for_its_part_and_refused_for_all_others(machine: Machine) -> None:
    for state in machine.states:
        for part in Part:
            taken = {edge.action for edge in machine.allowed(state, [part])}
            named = {edge.action for edge in machine.transitions if state in edge.sources and part in edge.who}
            assert taken == named, (state, part)
            for action in set(machine.actions) - named:
                edge = machine.edge(action, state)
                assert edge is None or part not in edge.who


@pytest.mark.parametrize(
    ("action", "sources", "who"),
    [
        ("await_opening", {P.REGISTRATION_CLOSED, P.BIDDING}, {Part.SYSTEM}),
        ("start_round", {P.OPENING}, {Part.SYSTEM}),
        ("start_comparison", {P.OPENING, P.SELECTING}, {Part.SYSTEM}),
        ("compare", {P.COMPARING}, {Part.OWNER, Part.SYSTEM}),
        ("request_direct", {P.DRAFT, P.RETURNED, P.FAILED}, {Part.OWNER}),
        ("approve_direct", {P.DIRECT_REQUEST}, {Part.OPERATOR, Part.REGULATOR, Part.SYSTEM}),
        ("refuse_direct", {P.DIRECT_REQUEST}, {Part.OPERATOR, Part.REGULATOR}),
    ],
)
def test_the_steps_of_the_methods(action: str, sources: set[P], who: set[Part]) -> None:
    edges = [edge for edge in PROCUREMENT.transitions if edge.action == action]
    assert {source for edge in edges for source in edge.sources} == sources
    assert {part for edge in edges for part in edge.who} == who
