"""What a domain offers to the application: its table of contents, collected in `app.domains`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.identity.topics import Topic
from app.kernel.access import Actor, Role
from app.kernel.jobs import Job
from app.kernel.outbox import Handlers
from app.kernel.states import Machine
from app.kernel.worklist import Turn, WorkItem
from app.webhooks.catalogue import WebhookEvent

if TYPE_CHECKING:
    from flask import Blueprint, Flask
    from flask.cli import AppGroup

__all__ = ["Domain", "NavigationItem", "Topic", "Turn", "WorkItem"]


@dataclass(frozen=True)
class NavigationItem:
    """One entry of the main menu. Without `roles` everybody sees it; `group` is a catalogue message."""

    label: str
    endpoint: str
    icon: str
    roles: frozenset[Role] = frozenset()
    order: int = 100


@dataclass(frozen=True)
class Domain:
    """A domain's machines, reactions, jobs, pages and grants.

    `grants` name the permissions ("domain:resource:action") that each role holds.
    `worklist` returns the rows of the workbench for an actor, in a fixed number of statements.
    `object_href` maps an object type of the timeline to a function from its id to a page address.
    `notice_topics` are the groups of notices that a person may have mailed at once, daily or never.
    `webhook_events` are the events that partners' systems may be told.
    `on_start` runs once in the worker after start (for example to register a webhook address).
    """

    name: str
    machines: tuple[Machine, ...] = ()
    handlers: tuple[Handlers, ...] = ()
    jobs: tuple[Job, ...] = ()
    blueprints: tuple["Blueprint", ...] = ()
    grants: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    navigation: tuple[NavigationItem, ...] = ()
    worklist: Callable[[Actor], Sequence[WorkItem]] | None = None
    object_href: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    init_app: Callable[["Flask"], None] | None = None
    on_start: Callable[[], None] | None = None
    commands: tuple["AppGroup", ...] = ()
    notice_topics: tuple[Topic, ...] = ()
    webhook_events: tuple[WebhookEvent, ...] = ()
