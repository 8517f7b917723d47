"""Topics of notices: what a person may want mailed at once, once a day or never.

A notice's `kind` is "<topic>.<what>" ("procurement.award"). Every domain declares its topics in its manifest.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

EXTENSION = "chaoshi_notice_topics"


@dataclass(frozen=True)
class Topic:
    """One group of notices. `label` is a message id."""

    key: str
    label: str


def topics() -> tuple[Topic, ...]:
    """The topics of this installation, in the order of the domains."""
    return tuple(current_app.extensions[EXTENSION])


def topic_of(kind: str) -> str:
    """The topic of a notice's kind. Raises ValueError for one that no manifest declares: nobody could switch it off."""
    key = kind.partition(".")[0]
    if all(topic.key != key for topic in topics()):
        raise ValueError(f"no manifest declares the topic of the notice kind {kind!r}")
    return key
