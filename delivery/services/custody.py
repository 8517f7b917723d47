"""Writing the chain of custody: every use case that moves a paper from hand to hand calls `hand_on`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel import audit, clock
from app.kernel.access import Actor
from app.kernel.db import db, new_id
from delivery import rules
from delivery.custody import RULES, CustodyKind, Holder, giver_of, sealed
from delivery.models.custody import CustodyStep
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.services.tasks import raise_task


def hand_on(
    parcel: Parcel,
    kind: CustodyKind,
    actor: Actor,
    *,
    giver_name: str = "",
    taker_name: str = "",
    evidence: Mapping[str, Any] | None = None,
    scanned: bool = False,
    chain: "Chain | None" = None,
) -> None:
    """Write one hand-over of a locked parcel. Call inside the transaction of the step that it belongs to.

    `evidence` holds plain values without personal data: numbers of lists, keys of reports, hashes of photo, signature
    or reason (`hash_of`). `chain` is the parcel's, where the caller has read it (`chains_of`). A giver who does not have the paper by the chain becomes a task, never a refusal: the paper
    has moved already.
    """
    end = chain or chains_of([parcel])[parcel.id]
    last = end.last
    holder = Holder(last.taker) if last else Holder.NOBODY
    rule = RULES[kind]
    if kind is CustodyKind.MADE and holder is Holder.CENTRE:
        return
    giver = giver_of(kind, holder)
    if rule.taker is Holder.RECEIVER:
        taker_name = rules.masked_name(taker_name)
    if giver is Holder.RECEIVER:
        giver_name = rules.masked_name(giver_name)
    now = clock.now()
    step = CustodyStep(
        id=new_id(), parcel_id=parcel.id, position=last.position + 1 if last else 1, kind=kind, giver=giver,
        giver_name=giver_name or (last.taker_name if last and holder is giver else ""), taker=rule.taker, taker_name=taker_name,
        place=end.place, at=now, pieces=1, seal_no=parcel.seal_no,
        waybill_no=parcel.waybill_no, scanned=scanned, evidence=dict(evidence or {}), before=last.digest if last else "",
    )  # fmt: skip
    step.digest = sealed(step.before, content_of(step))
    event = audit.append(
        action="parcel.custody", object_type="parcel", object_id=parcel.id, actor=actor,
        body={"position": step.position, "kind": step.kind, "digest": step.digest},
    )  # fmt: skip
    step.audit_event_id = event.id
    db.session.add(step)
    end.last = step
    if chain is None:
        db.session.flush()  # a second step of this transaction must see this one
    if last is not None and holder is not giver:
        raise_task(parcel, TaskKind.CUSTODY_GAP, cause=step.digest[:40], fact=f"{step.position - 1} → {step.position}")


@dataclass(slots=True)
class Chain:
    """The end of a parcel's chain of custody, and the hall where its steps are written."""

    place: str
    last: CustodyStep | None = None


def chains_of(parcels: Sequence[Parcel]) -> dict[UUID, Chain]:
    """The chains of many parcels, in two statements."""
    halls = identity.organisations_by_ids(parcel.hall_organisation_id for parcel in parcels)
    places = {hall_id: hall.name for hall_id, hall in halls.items()}
    chains = {parcel.id: Chain(places.get(parcel.hall_organisation_id, "")) for parcel in parcels}
    steps = sa.select(CustodyStep).where(CustodyStep.parcel_id.in_(chains)).order_by(CustodyStep.position)
    for step in db.session.scalars(steps):
        chains[step.parcel_id].last = step
    return chains


def content_of(step: CustodyStep) -> dict[str, Any]:
    """What the digest of a step covers, as plain values."""
    return {
        "parcel": str(step.parcel_id), "position": step.position, "kind": str(step.kind), "giver": str(step.giver),
        "giver_name": step.giver_name, "taker": str(step.taker), "taker_name": step.taker_name, "place": step.place,
        "at": step.at.isoformat(), "pieces": step.pieces, "seal": step.seal_no, "waybill": step.waybill_no,
        "scanned": step.scanned, "evidence": step.evidence,
    }  # fmt: skip


def hash_of(text: str) -> str:
    """The SHA-256 of a free text, which may name persons and so does not go into the chain itself."""
    return hashlib.sha256(text.encode()).hexdigest()
