"""Observations as stored columns and back."""

from datetime import datetime
from typing import Any, Protocol

from delivery import rules
from delivery.observed import NextAction, Observation, SignerClass, Status


def plain(seen: Observation) -> dict[str, Any]:
    """An observation as JSON, its prose without telephone numbers."""
    return {
        "carrier": seen.carrier, "code": seen.code, "status": seen.status, "name": seen.name, "office": seen.office,
        "description": rules.masked_text(seen.description), "office_code": seen.office_code, "region": seen.region,
        "known": seen.known, "reverses": sorted(seen.reverses), "flags": sorted(seen.flags),
        "signer_class": seen.signer_class, "signer_name": seen.signer_name, "reason": seen.reason,
        "next_action": seen.next_action,
    }  # fmt: skip


class StoredReading(Protocol):
    """What the fold needs of a stored event."""

    @property
    def waybill_no(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def key(self) -> str: ...
    @property
    def seen(self) -> dict[str, Any]: ...


def observation_of(row: StoredReading, reading: dict[str, Any] | None = None) -> Observation:
    """A stored event as the fold wants it, under its stored reading or another one."""
    seen = row.seen if reading is None else reading
    return Observation(
        carrier=seen["carrier"], waybill_no=row.waybill_no, code=seen["code"], occurred_at=row.occurred_at,
        status=Status(seen["status"]) if seen["status"] else None, key=row.key, name=seen["name"],
        description=seen["description"], office_code=seen["office_code"], office=seen["office"], region=seen["region"],
        known=seen["known"], reverses=frozenset(seen["reverses"]), flags=frozenset(seen["flags"]),
        signer_class=SignerClass(seen["signer_class"]), signer_name=seen["signer_name"], reason=seen["reason"],
        next_action=NextAction(seen["next_action"]) if seen["next_action"] else None,
    )  # fmt: skip
