"""Every step that a person may take has a button and an API action; nothing else has."""

from collections.abc import Iterator, Mapping

import pytest
from flask import Flask

from app.kernel.states import Machine
from app.web.actions import Action

SYSTEM_PARTS = {"system"}
ELSEWHERE = {
    "agency.request_change": "a request for change, on the agency's own pages",
    "agency.settle_change": "the decision on the request for change, or taking it back",
    "contract.accept_part": "accepting the deliverable of a milestone that is not the last",
    "contract.settle_accept": "agreeing to the settlement of a dispute, or the operator's record",
    "contract.settle_accept_part": "agreeing to the settlement of a dispute, or the operator's record",
    "contract.settle_continue": "agreeing to the settlement of a dispute, or the operator's record",
    "contract.settle_terminate": "agreeing to the settlement of a dispute, or the operator's record",
    "bill.release": "the acceptance of the contract's deliverable",
    "courier-round.set_out": "setting out on the handset",
    "courier-round.finish": "ending the round on the handset",
    "parcel.hand_over": "the courier's signature on the hand-over list",
    "procurement.compare": "handing in the comparison sheet",
    "registration.register_again": "registering on the procurement's page",
    "registration.exclude": "the freeze of the list, and the operator's decision on the procurement",
    "registration.confirm": "confirming the award on the procurement",
    "registration.give_up": "giving up the award on the procurement",
    "registration.strike_out": "striking the winner out on the procurement",
}
"""Steps of a part that follow from a person's step on the whole: named here with that step."""


def tables(app: Flask) -> Iterator[tuple[Machine, Mapping[str, Action]]]:
    for view in app.view_functions.values():
        machine = getattr(view, "machine", None)
        if machine is not None:
            yield machine, view.action_table  # type: ignore[attr-defined]


def test_every_human_step_can_be_taken_over_the_web(app: Flask) -> None:
    missing = [
        f"{machine.name}.{edge.action}"
        for machine, table in tables(app)
        for edge in machine.transitions
        if set(edge.who) - SYSTEM_PARTS and edge.action not in table
    ]
    assert set(missing) == set(ELSEWHERE)


def test_every_action_is_a_step_or_says_what_it_is(app: Flask) -> None:
    unknown = [
        f"{machine.name}.{name}"
        for machine, table in tables(app)
        for name, action in table.items()
        if name not in machine.actions and not action.label
    ]
    assert unknown == []


def test_no_step_of_the_system_can_be_taken_by_people(app: Flask) -> None:
    offered = [
        f"{machine.name}.{name}"
        for machine, table in tables(app)
        for name in table
        if name in machine.actions and all(set(e.who) <= SYSTEM_PARTS for e in machine.transitions if e.action == name)
    ]
    assert offered == []


@pytest.mark.parametrize("part", ["owner", "agency", "operator", "nobody"])
def test_parts_decide_what_is_offered(app: Flask, part: str) -> None:
    for machine, _ in tables(app):
        for state in machine.states:
            offered = {e.action for e in machine.allowed(state, {part})}  # type: ignore[arg-type]
            meant = {e.action for e in machine.transitions if state in e.sources and part in set(e.who)}
            assert offered == meant
