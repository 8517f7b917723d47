"""Any walk over the machines of ratings, measures and repairs: every edge for its part, refused for all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.states import Machine
from marketplace.states.credit import REPAIR, SANCTION
from marketplace.states.parts import Part
from marketplace.states.review import RATING_APPEAL, RATING_REQUEST

MACHINES = (SANCTION, REPAIR, RATING_APPEAL, RATING_REQUEST)
ENDS = {
    "sanction": {"dismissed", "revoked", "repaired"},
    "repair": {"granted", "refused", "withdrawn"},
    "rating_appeal": {"granted", "dismissed", "withdrawn"},
    "rating_request": {"rated", "defaulted", "lapsed"},
}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
@given(steps=st.lists(st.tuples(st.sampled_from(Part), st.integers(0, 20)), max_size=12))
def test_any_walk(machine: Machine, steps: list[tuple[Part, int]]) -> None:
    """Only declared edges are offered, nobody is offered another part's, and a final state is never left."""
    state = str(machine.initial)
    for part, choice in steps:
        offered = machine.allowed(state, {part})
        assert {edge.action for edge in offered} == {
            edge.action for edge in machine.transitions if state in edge.sources and part in edge.who
        }
        assert not (offered and state in ENDS[machine.name])
        if offered:
            state = str(offered[choice % len(offered)].target)
        assert state in set(machine.states)


def test_the_system_never_punishes() -> None:
    """No edge of the system leads to a measure in force, nor takes up what the records show."""
    taken = {edge.action: str(edge.target) for edge in SANCTION.transitions if Part.SYSTEM in edge.who}
    assert taken == {"end": "ended", "repair": "repaired"}


@pytest.mark.parametrize("part", [Part.PARTY, Part.OWNER, Part.AGENCY, Part.PUBLIC])
def test_the_side_concerned_only_appeals(part: Part) -> None:
    edges = {edge.action for edge in SANCTION.transitions if part in edge.who}
    assert edges == ({"appeal"} if part is Part.PARTY else set())
