"""What happens by the mere passing of the simulator's time: settlement, expiry, arrival, deadlines."""

from __future__ import annotations

from collections.abc import Callable

from payments.simulator.backend import Backend
from payments.simulator.words import Json

Action = Callable[[Backend, Json], None]
_actions: dict[str, Action] = {}


def timed(action: Action) -> Action:
    """Make a function known as something that can be scheduled. It is called with the object as it is by then."""
    _actions[f"{action.__module__.rsplit('.', maxsplit=1)[-1]}.{action.__name__}"] = action
    return action


def schedule(backend: Backend, due: int, action: Action, object_id: str) -> None:
    """Call the action for the object when the simulator's clock (seconds since the epoch) has reached `due`."""
    name = f"{action.__module__.rsplit('.', maxsplit=1)[-1]}.{action.__name__}"
    backend.store.connection.execute("INSERT INTO timer (due, action, object) VALUES (?, ?, ?)", (due, name, object_id))


def sweep(backend: Backend) -> None:
    """Do what is due, in order of time. Cheap when nothing is; runs before each request and on every tick."""
    now, connection = backend.now(), backend.store.connection
    while row := connection.execute(
        "SELECT seq, due, action, object FROM timer WHERE due <= ? ORDER BY due, seq LIMIT 1", (now,)
    ).fetchone():
        seq, due, action, object_id = row
        connection.execute("DELETE FROM timer WHERE seq = ?", (seq,))
        backend.timer_due = due
        try:
            _run(backend, action, object_id)
        finally:
            backend.timer_due = None


def _run(backend: Backend, action: str, object_id: str) -> None:
    owner = backend.store.owner_of(object_id)
    if owner is None:
        return
    with backend.store.acting_for(owner):
        found = backend.store.find(object_id)
        if found is not None:
            _actions[action](backend, found)
