"""The only place that changes a state: edge, part, audit event, timeline entry and domain event in one step."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from app.kernel import audit, timeline
from app.kernel.access import Actor
from app.kernel.db import Stateful, in_transaction
from app.kernel.errors import IllegalTransition, NotAllowed, Refused
from app.kernel.event import Event
from app.kernel.outbox import publish
from app.kernel.states import Machine
from app.kernel.words import N_


def move(
    obj: Stateful,
    machine: Machine,
    action: str,
    actor: Actor,
    parts: Iterable[StrEnum],
    *,
    reason: str | None = None,
    event: Event | None = None,
    detail: dict[str, Any] | None = None,
    public: bool = False,
    already_ok: bool = False,
) -> bool:
    """Take the edge `action` of `machine` and write down who did it, why and from where to where.

    Returns False, changing nothing, when `already_ok` and the object already stands at a target of `action` (a repeated
    handler). Raises IllegalTransition from a wrong state, NotAllowed for a part that may not, Refused without a reason
    where one is needed.
    """
    assert in_transaction(), "move() outside transaction()"
    state = str(obj.state)
    held = tuple(parts)
    edge = machine.edge(action, state)
    if edge is None:
        if already_ok and any(e.action == action and e.target == state for e in machine.transitions):
            return False
        allowed = [e.action for e in machine.allowed(state, held)]
        raise IllegalTransition(machine.name, action, state, allowed)
    if not set(held).intersection(edge.who):
        raise NotAllowed
    if edge.needs_reason and not (reason and reason.strip()):
        raise Refused("reason-missing", N_("Say why: this step needs a reason."), field="reason")
    if (edge.event is not None) != (event is not None) or (edge.event and not isinstance(event, edge.event)):
        raise TypeError(f"{machine.name}.{action} must publish {edge.event}")
    obj.state = str(edge.target)
    facts = detail or {}
    audit.append(
        action=f"{machine.name}.{action}",
        object_type=obj.object_type,
        object_id=str(obj.id),
        actor=actor,
        body={"from": state, "to": str(edge.target), "reason": reason, "detail": facts},
    )
    timeline.write(
        thread_id=obj.thread_id,
        object_type=obj.object_type,
        object_id=obj.id,
        action=action,
        title=edge.label,
        actor_name=actor.name,
        audience=_readers(obj, public=public),
        from_state=state,
        to_state=str(edge.target),
        reason=reason,
        detail=facts,
    )
    if event is not None:
        publish(event)
    return True


def record(
    obj: Stateful,
    action: str,
    actor: Actor,
    *,
    title: str,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
    public: bool = False,
    event: Event | None = None,
) -> audit.AuditEvent:
    """Write down a fact about `obj` that changes no state: audit event, timeline entry and, if given, a domain event.

    Returns the audit event, for those who hand out receipts of it.
    """
    assert in_transaction(), "record() outside transaction()"
    facts = detail or {}
    logged = audit.append(
        action=f"{obj.object_type}.{action}",
        object_type=obj.object_type,
        object_id=str(obj.id),
        actor=actor,
        body={"reason": reason, "detail": facts},
    )
    timeline.write(
        thread_id=obj.thread_id,
        object_type=obj.object_type,
        object_id=obj.id,
        action=action,
        title=title,
        actor_name=actor.name,
        audience=_readers(obj, public=public),
        reason=reason,
        detail=facts,
    )
    if event is not None:
        publish(event)
    return logged


def _readers(obj: Stateful, *, public: bool) -> tuple[str, ...]:
    return (*obj.audience(), "public") if public else obj.audience()
