"""The chain of custody of a parcel, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel.db import db
from app.kernel.words import N_
from delivery.custody import CustodyKind, Gap, GapKind, Holder, Link, gaps
from delivery.models.custody import CustodyStep
from delivery.services.custody import content_of
from delivery.states import ParcelState

KIND_LABELS: Final[Mapping[CustodyKind, str]] = {
    CustodyKind.MADE: N_("Paper made and sealed"),
    CustodyKind.TAKEN_TO_PACK: N_("Taken to be packed"),
    CustodyKind.SEALED: N_("Envelope closed, checked by a second person"),
    CustodyKind.SENT_BACK: N_("Given back by the packer"),
    CustodyKind.COLLECTED: N_("Handed to the courier"),
    CustodyKind.SERVED: N_("Handed to the receiver"),
    CustodyKind.REVOKED: N_("Delivery taken back by the carrier"),
    CustodyKind.RETURNED: N_("Brought back to the hall"),
    CustodyKind.FETCHED: N_("Collected at the window"),
    CustodyKind.TO_CENTRE: N_("Back to the certificate centre"),
    CustodyKind.LOST: N_("Lost"),
}
HOLDER_LABELS: Final[Mapping[Holder, str]] = {
    Holder.NOBODY: N_("nobody"),
    Holder.CENTRE: N_("certificate centre"),
    Holder.PACKER: N_("packer"),
    Holder.POST: N_("post in the hall"),
    Holder.COURIER: N_("courier"),
    Holder.RECEIVER: N_("receiver"),
}
GAP_LABELS: Final[Mapping[GapKind, str]] = {
    GapKind.BEGINNING: N_("The beginning of the chain is missing."),
    GapKind.HOLDER: N_("Who gave the paper on did not have it by the step before."),
    GapKind.MISSING_STEP: N_("A step is missing."),
    GapKind.TIME: N_("The step is earlier than the one before."),
    GapKind.PIECES: N_("The number of pieces changed."),
    GapKind.SEAL: N_("The seal changed without the parcel being packed again."),
    GapKind.DIGEST: N_("The step was altered after it was written."),
    GapKind.STATE: N_("Whoever has the paper by the chain is not who should have it now."),
}


@dataclass(frozen=True)
class CustodyView:
    """One hand-over as it is shown. Labels are catalogue messages."""

    position: int
    label: str
    giver: str
    giver_name: str
    taker: str
    taker_name: str
    place: str
    at: datetime
    pieces: int
    seal_no: str | None
    scanned: bool
    evidence: Mapping[str, Any]
    digest: str
    audit_event_id: UUID
    gaps: tuple[str, ...]

    @property
    def proof(self) -> str:
        """The evidence in one line: the list, or the class of the signer."""
        return str(self.evidence.get("list") or self.evidence.get("signer_class") or "")


@dataclass(frozen=True)
class Chain:
    """All hand-overs of a parcel and what is wrong with them."""

    steps: tuple[CustodyView, ...]
    gaps: tuple[str, ...]
    holder: str

    @property
    def is_whole(self) -> bool:
        return not self.gaps


def chain_of(parcel_id: UUID, state: str) -> Chain:
    """The chain of a parcel in this state; whoever calls has checked that the reader may see the parcel. One statement."""
    rows = list(
        db.session.scalars(
            sa.select(CustodyStep).where(CustodyStep.parcel_id == parcel_id).order_by(CustodyStep.position)
        )
    )
    found = gaps([_link(row) for row in rows], ParcelState(state))
    steps = tuple(_view(row, found) for row in rows)
    last = rows[-1].taker if rows else Holder.NOBODY
    return Chain(steps, tuple(dict.fromkeys(GAP_LABELS[gap.kind] for gap in found)), HOLDER_LABELS[Holder(last)])


def _link(row: CustodyStep) -> Link:
    return Link(
        row.position, row.kind, row.giver, row.taker, row.at, row.pieces, row.seal_no, row.before, row.digest, content_of(row)
    )  # fmt: skip


def _view(row: CustodyStep, found: tuple[Gap, ...]) -> CustodyView:
    return CustodyView(
        row.position, KIND_LABELS[CustodyKind(row.kind)], HOLDER_LABELS[Holder(row.giver)], row.giver_name,
        HOLDER_LABELS[Holder(row.taker)], row.taker_name, row.place, row.at, row.pieces, row.seal_no, row.scanned,
        row.evidence, row.digest, row.audit_event_id,
        tuple(GAP_LABELS[gap.kind] for gap in found if gap.position == row.position),
    )  # fmt: skip
