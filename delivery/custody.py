"""The chain of custody (交接链): who may hand a paper to whom, how a chain is sealed, and where it has gaps. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from delivery.states.parcels import ParcelState


class Holder(StrEnum):
    """Who can hold a paper."""

    NOBODY = "nobody"
    CENTRE = "centre"
    PACKER = "packer"
    POST = "post"
    COURIER = "courier"
    RECEIVER = "receiver"


class CustodyKind(StrEnum):
    """What kind of hand-over a step is."""

    MADE = "made"
    TAKEN_TO_PACK = "taken_to_pack"
    SEALED = "sealed"
    SENT_BACK = "sent_back"
    COLLECTED = "collected"
    SERVED = "served"
    REVOKED = "revoked"
    RETURNED = "returned"
    FETCHED = "fetched"
    TO_CENTRE = "to_centre"
    LOST = "lost"


@dataclass(frozen=True)
class Rule:
    """Who may give in a step, the usual one first, and who has the paper after it."""

    givers: tuple[Holder, ...]
    taker: Holder


RULES: Final[Mapping[CustodyKind, Rule]] = {
    CustodyKind.MADE: Rule((Holder.NOBODY,), Holder.CENTRE),
    CustodyKind.TAKEN_TO_PACK: Rule((Holder.CENTRE, Holder.POST), Holder.PACKER),
    CustodyKind.SEALED: Rule((Holder.PACKER,), Holder.POST),
    CustodyKind.SENT_BACK: Rule((Holder.PACKER,), Holder.CENTRE),
    CustodyKind.COLLECTED: Rule((Holder.POST,), Holder.COURIER),
    CustodyKind.SERVED: Rule((Holder.COURIER,), Holder.RECEIVER),
    CustodyKind.REVOKED: Rule((Holder.RECEIVER,), Holder.COURIER),
    CustodyKind.RETURNED: Rule((Holder.COURIER,), Holder.POST),
    CustodyKind.FETCHED: Rule((Holder.POST,), Holder.RECEIVER),
    CustodyKind.TO_CENTRE: Rule((Holder.POST,), Holder.CENTRE),
    CustodyKind.LOST: Rule((Holder.COURIER, Holder.POST), Holder.NOBODY),
}
HELD_IN: Final[Mapping[ParcelState, frozenset[Holder]]] = {
    ParcelState.READY: frozenset({Holder.CENTRE, Holder.POST}),
    ParcelState.PACKED: frozenset({Holder.PACKER}),
    ParcelState.BOOKING: frozenset({Holder.POST}),
    ParcelState.WAYBILLED: frozenset({Holder.POST}),
    ParcelState.HANDED_OVER: frozenset({Holder.COURIER}),
    ParcelState.DELIVERED: frozenset({Holder.RECEIVER}),
    ParcelState.RETURNED: frozenset({Holder.POST}),
    ParcelState.LOST: frozenset({Holder.NOBODY}),
}
"""Who must hold the paper in a state; a state that is not named says nothing about it."""


@dataclass(frozen=True)
class Link:
    """One step as the rules look at it."""

    position: int
    kind: str
    giver: str
    taker: str
    at: datetime
    pieces: int
    seal_no: str | None
    before: str
    digest: str
    content: Mapping[str, Any]


class GapKind(StrEnum):
    """What is wrong with a chain."""

    BEGINNING = "beginning"
    HOLDER = "holder"
    MISSING_STEP = "missing_step"
    TIME = "time"
    PIECES = "pieces"
    SEAL = "seal"
    DIGEST = "digest"
    STATE = "state"


@dataclass(frozen=True)
class Gap:
    """One fault of a chain; `position` is the step before which it lies."""

    kind: GapKind
    position: int


def giver_of(kind: CustodyKind, holder: Holder) -> Holder:
    """Who gives in this step: the present holder where that can be, else the usual one (which then shows as a gap)."""
    givers = RULES[kind].givers
    return holder if holder in givers else givers[0]


def sealed(before: str, content: Mapping[str, Any]) -> str:
    """The SHA-256 over the digest of the step before and the canonical text of this step."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def gaps(links: Sequence[Link], state: ParcelState) -> tuple[Gap, ...]:
    """Every fault of a chain, in its order. A chain without a step has none: nothing was handed over yet."""
    found = [gap for before, link in zip((None, *links), links, strict=False) for gap in _faults(before, link)]
    if links and state in HELD_IN and links[-1].taker not in HELD_IN[state]:
        found.append(Gap(GapKind.STATE, links[-1].position + 1))
    return tuple(found)


def _faults(before: Link | None, link: Link) -> list[Gap]:
    found = []
    if sealed(link.before, link.content) != link.digest or link.before != (before.digest if before else ""):
        found.append(GapKind.DIGEST)
    if link.position != (before.position + 1 if before else 1):
        found.append(GapKind.MISSING_STEP)
    if before is None:
        if link.giver != Holder.NOBODY:
            found.append(GapKind.BEGINNING)
        return [Gap(kind, link.position) for kind in found]
    if link.giver != before.taker:
        found.append(GapKind.HOLDER)
    if link.at < before.at:
        found.append(GapKind.TIME)
    if link.pieces != before.pieces:
        found.append(GapKind.PIECES)
    if _seal_changed(before, link):
        found.append(GapKind.SEAL)
    return [Gap(kind, link.position) for kind in found]


def _seal_changed(before: Link, link: Link) -> bool:
    """Between sealing and opening the seal stays the same; packing anew brings a new one."""
    if link.kind in (CustodyKind.TAKEN_TO_PACK, CustodyKind.SEALED) or not before.seal_no:
        return False
    return link.seal_no is not None and link.seal_no != before.seal_no
