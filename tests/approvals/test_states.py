"""The tables of states: national codes, and a way over the web for every step a person may take."""

from collections.abc import Mapping

import pytest

from app.kernel.states import Machine
from app.web.actions import Action
from approvals.states import CASE, CERTIFICATE, NATIONAL_CODES, CaseState, Part
from approvals.web.case_actions import CASE_ACTIONS, CERTIFICATE_ACTIONS
from marketplace.states.contract import CONTRACT
from marketplace.states.parts import Part as MarketPart
from marketplace.web.contract_actions import ACTIONS

SYSTEM = {Part.SYSTEM, MarketPart.SYSTEM}
NO_EDGE = {
    "order_collection",
    *("demand", "choose_service", "hand_over"),
    *("mediate", "notify_breach", "end_notice", "agree_settlement", "propose_settlement"),
}
# settlements and part acceptances are taken inside other use cases, by what was agreed or mediated
INSIDE = {"accept_part", "settle_terminate", "settle_accept_part", "settle_accept", "settle_continue"}


@pytest.mark.parametrize(
    ("machine", "table"),
    [(CASE, CASE_ACTIONS), (CERTIFICATE, CERTIFICATE_ACTIONS), (CONTRACT, ACTIONS)],
    ids=lambda x: getattr(x, "name", ""),
)
def test_every_step_of_a_person_has_its_form(machine: Machine, table: Mapping[str, Action]) -> None:
    human = {edge.action for edge in machine.transitions if set(edge.who) - SYSTEM}
    assert set(table) - NO_EDGE == human - INSIDE


def test_the_national_codes_are_fifteen_and_in_order() -> None:
    assert list(NATIONAL_CODES.values()) == list(range(1, 16))
    assert set(CaseState) - set(NATIONAL_CODES) == {CaseState.SUBMITTED}


# BUSINESS-RULES 4.8, with the step of national state 10 back to 8
NATIONAL_EDGES = {
    1: {2, 3, 4, 5, 6},
    3: {8},
    6: {7, 2},  # withdrawing instead of correcting
    7: {3, 5},
    8: {9, 11, 12, 13, 14},
    9: {10},
    10: {8},
    11: {15},
    12: {15},
}


def test_the_edges_are_those_of_the_national_table() -> None:
    found: dict[int, set[int]] = {}
    for edge in CASE.transitions:
        for source in edge.sources:
            if source in NATIONAL_CODES:
                found.setdefault(NATIONAL_CODES[CaseState(source)], set()).add(NATIONAL_CODES[CaseState(edge.target)])
    assert found == NATIONAL_EDGES


def test_nobody_both_accepts_and_decides() -> None:
    for edge in CASE.transitions:
        assert not {Part.WINDOW, Part.DEPARTMENT} <= set(edge.who), edge.action
