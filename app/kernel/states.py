"""State machines declared once: database checks, buttons, API actions, refusals, diagrams and tests read the same table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.kernel.event import Event


@dataclass(frozen=True)
class Transition:
    """One edge.

    `who` are the parts that may take it (the domain's `Part` values). `due` names the column after whose moment the
    system part may take it. `primary` marks the step that the page puts first, `danger` one that is hard to take back.
    """

    action: str
    sources: tuple[StrEnum, ...]
    target: StrEnum
    who: tuple[StrEnum, ...]
    label: str
    event: type[Event] | None = None
    due: str | None = None
    needs_reason: bool = False
    danger: bool = False
    primary: bool = False


@dataclass(frozen=True)
class Machine:
    """A named table of transitions over a StrEnum of states.

    `labels` are the public words of each state, `requires` the columns that must be filled in a state,
    `next_step` says in words what a state waits for. Raises ValueError at import when the table contradicts itself.
    """

    name: str
    states: type[StrEnum]
    initial: StrEnum
    transitions: tuple[Transition, ...]
    labels: Mapping[StrEnum, str]
    requires: Mapping[StrEnum, tuple[str, ...]] = field(default_factory=dict)
    next_step: Mapping[StrEnum, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: set[tuple[str, StrEnum]] = set()
        for edge in self.transitions:
            for source in edge.sources:
                if (edge.action, source) in seen:
                    raise ValueError(f"{self.name}: action {edge.action} leaves {source} twice")
                seen.add((edge.action, source))
        unreachable = set(self.states) - self._reachable()
        if unreachable:
            raise ValueError(f"{self.name}: unreachable states {sorted(unreachable)}")
        unnamed = set(self.states) - set(self.labels)
        if unnamed:
            raise ValueError(f"{self.name}: states without a label {sorted(unnamed)}")

    def _reachable(self) -> set[StrEnum]:
        reached = {self.initial}
        while True:
            more = {e.target for e in self.transitions if reached.intersection(e.sources)} - reached
            if not more:
                return reached
            reached |= more

    def edge(self, action: str, state: str) -> Transition | None:
        """Return the edge that `action` takes from `state`, or None."""
        return next((e for e in self.transitions if e.action == action and state in e.sources), None)

    def leaving(self, state: str) -> tuple[Transition, ...]:
        return tuple(e for e in self.transitions if state in e.sources)

    def allowed(self, state: str, parts: Iterable[StrEnum]) -> tuple[Transition, ...]:
        """Return the edges that an actor playing `parts` may take from `state`."""
        held = set(parts)
        return tuple(e for e in self.leaving(state) if held.intersection(e.who))

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(e.action for e in self.transitions))

    @property
    def terminal(self) -> frozenset[StrEnum]:
        return frozenset(s for s in self.states if not self.leaving(s))

    def mermaid(self) -> str:
        """Return the machine as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [
            f"    {s} --> {e.target}: {e.action} ({', '.join(e.who)})" for e in self.transitions for s in e.sources
        ]
        lines += [f"    {s} --> [*]" for s in self.states if s in self.terminal]
        return "\n".join(lines)
