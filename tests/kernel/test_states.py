"""A machine contradicts itself at import, not in production."""

from enum import StrEnum

import pytest

from app.kernel.states import Machine, Transition


class Lamp(StrEnum):
    OFF = "off"
    ON = "on"
    BROKEN = "broken"


class Part(StrEnum):
    KEEPER = "keeper"


LABELS = {Lamp.OFF: "Off", Lamp.ON: "On", Lamp.BROKEN: "Broken"}


def edge(action: str, source: Lamp, target: Lamp) -> Transition:
    return Transition(action, (source,), target, (Part.KEEPER,), action)


def test_an_unreachable_state_is_refused() -> None:
    with pytest.raises(ValueError, match="unreachable"):
        Machine("lamp", Lamp, Lamp.OFF, (edge("light", Lamp.OFF, Lamp.ON),), LABELS)


def test_an_action_leaves_a_state_once() -> None:
    edges = (edge("light", Lamp.OFF, Lamp.ON), edge("light", Lamp.OFF, Lamp.BROKEN))
    with pytest.raises(ValueError, match="twice"):
        Machine("lamp", Lamp, Lamp.OFF, edges, LABELS)


def test_what_is_allowed_depends_on_state_and_part() -> None:
    machine = Machine(
        "lamp", Lamp, Lamp.OFF, (edge("light", Lamp.OFF, Lamp.ON), edge("smash", Lamp.ON, Lamp.BROKEN)), LABELS
    )
    assert [e.action for e in machine.allowed("off", {Part.KEEPER})] == ["light"]
    assert machine.allowed("off", set()) == ()
    assert machine.terminal == {Lamp.BROKEN}
