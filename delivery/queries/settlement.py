"""Monthly bills of the carrier, their differences, and the tariff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.identity.models import OrganisationKind
from app.kernel.access import Actor
from app.kernel.db import db, get
from app.kernel.words import N_
from delivery.models.settlement import BillDifference, CarrierBill, CarrierTariff
from delivery.policy import must_see_hall, oversees
from delivery.settlement import DifferenceKind, Zone
from delivery.states import CARRIER_BILL, CarrierBillState, Part

ZONE_LABELS: Final[Mapping[str, str]] = {
    Zone.CITY: N_("same city"), Zone.PROVINCE: N_("same province"), Zone.NATION: N_("other provinces"),
}  # fmt: skip
DIFFERENCE_LABELS: Final[Mapping[str, str]] = {
    DifferenceKind.UNKNOWN: N_("Billed, but no parcel of ours"), DifferenceKind.DOUBLE: N_("Billed twice"),
    DifferenceKind.NOT_BILLED: N_("Handed over, but not billed"), DifferenceKind.WEIGHT: N_("Another weight"),
    DifferenceKind.ZONE: N_("Another zone"), DifferenceKind.PRICE: N_("Another price"),
    DifferenceKind.RETURN: N_("Return billed that never came back"), DifferenceKind.CLAIM: N_("Compensation differs"),
}  # fmt: skip
SIDES: Final[Mapping[str, str]] = {
    "theirs": N_("The bill is right"), "ours": N_("Our orders are right"), "other": N_("Both agree on another amount"),
}  # fmt: skip
TONES: Final[Mapping[CarrierBillState, str]] = {
    CarrierBillState.CHECKED: "waiting", CarrierBillState.COMPARED: "warning", CarrierBillState.CONFIRMED: "waiting",
    CarrierBillState.AGREED: "active", CarrierBillState.ORDERED: "active", CarrierBillState.PAID: "success",
    CarrierBillState.DISCARDED: "neutral",
}  # fmt: skip


@dataclass(frozen=True)
class BillView:
    """A monthly bill. Amounts in fen."""

    id: UUID
    number: str
    title: str
    hall_name: str
    month: str
    state: str
    state_label: str
    tone: str
    next_step: str
    version: int
    file_name: str
    file_sha256: str
    problems: tuple[Mapping[str, Any], ...]
    line_count: int
    billed_fen: int
    ours_count: int | None
    ours_fen: int | None
    agreed_fen: int | None
    handed_in_name: str
    created_at: datetime
    confirmed_by: UUID | None
    confirmed_name: str | None
    confirmed_at: datetime | None
    countersigned_name: str | None
    countersigned_at: datetime | None
    payment_order_no: str | None
    paid_on: date | None
    voucher_no: str | None
    parts: frozenset[Part]


@dataclass(frozen=True)
class DifferenceView:
    """One difference. `label` and `side` are catalogue messages, and so are `billed` and `ours` where they name a zone."""

    id: UUID
    kind: str
    label: str
    waybill_no: str
    row: int | None
    billed: str
    ours: str
    billed_fen: int
    ours_fen: int
    side: str
    agreed_fen: int | None
    reason: str | None
    resolved_name: str | None


def bills_statement(actor: Actor, state: str | None = None, month: str | None = None) -> sa.Select[CarrierBill]:
    """Bills of the hall, of all halls for oversight; the newest month first."""
    statement = sa.select(CarrierBill)
    if not oversees(actor):
        statement = statement.where(CarrierBill.hall_organisation_id == actor.organisation_id)
    if state:
        statement = statement.where(CarrierBill.state == state)
    if month:
        statement = statement.where(CarrierBill.month == month)
    return statement.order_by(CarrierBill.month.desc(), CarrierBill.number.desc())


def bill_view(actor: Actor, bill_id: UUID) -> BillView:
    """One bill. Raises NotFound for another hall's."""
    return bill_views([get(CarrierBill, bill_id)], actor)[0]


def bill_views(rows: Sequence[CarrierBill], actor: Actor) -> tuple[BillView, ...]:
    """Rows of `bills_statement` as values."""
    halls = identity.organisations_by_ids({row.hall_organisation_id for row in rows})
    return tuple(_view(row, halls[row.hall_organisation_id].name, actor) for row in rows)


def _view(row: CarrierBill, hall_name: str, actor: Actor) -> BillView:
    state = CarrierBillState(row.state)
    return BillView(
        row.id, row.number, row.number, hall_name, row.month, state, CARRIER_BILL.labels[state], TONES[state],
        CARRIER_BILL.next_step[state], row.version, row.file_name, row.file_sha256, tuple(row.problems), row.line_count,
        row.billed_fen, row.ours_count, row.ours_fen, row.agreed_fen, row.handed_in_name, row.created_at, row.confirmed_by,
        row.confirmed_name, row.confirmed_at, row.countersigned_name, row.countersigned_at, row.payment_order_no, row.paid_on,
        row.voucher_no, must_see_hall(actor, row.hall_organisation_id),
    )  # fmt: skip


def differences_statement(bill_id: UUID, kind: str | None = None) -> sa.Select[BillDifference]:
    """Differences of a bill that the caller may see, open ones first."""
    statement = sa.select(BillDifference).where(BillDifference.bill_id == bill_id)
    if kind:
        statement = statement.where(BillDifference.kind == kind)
    return statement.order_by(BillDifference.resolution.is_not(None), BillDifference.kind, BillDifference.waybill_no)


def bill_differences(bill_id: UUID) -> tuple[DifferenceView, ...]:
    """All of them; for files."""
    return difference_views(db.session.scalars(differences_statement(bill_id)).all())


def difference_views(rows: Sequence[BillDifference]) -> tuple[DifferenceView, ...]:
    """Rows of `differences_statement` as values."""
    return tuple(
        DifferenceView(
            row.id, row.kind, DIFFERENCE_LABELS[row.kind], row.waybill_no, row.row,
            ZONE_LABELS.get(row.billed, row.billed), ZONE_LABELS.get(row.ours, row.ours), row.billed_fen, row.ours_fen,
            SIDES[row.resolution] if row.resolution else "", row.agreed_fen, row.reason, row.resolved_name,
        )
        for row in rows
    )  # fmt: skip


@dataclass(frozen=True)
class KindOfDifference:
    """All differences of one kind of a bill; amounts in fen."""

    kind: str
    label: str
    count: int
    still_open: int
    billed_fen: int
    ours_fen: int


def kinds_of_differences(bill_id: UUID) -> tuple[KindOfDifference, ...]:
    """Where a bill and our orders disagree, by kind: count, returns, claims, weight, zone, price. One statement."""
    rows = db.session.execute(
        sa.select(
            BillDifference.kind, sa.func.count(), sa.func.sum(sa.case((BillDifference.resolution.is_(None), 1), else_=0)),
            sa.func.sum(BillDifference.billed_fen), sa.func.sum(BillDifference.ours_fen),
        )
        .where(BillDifference.bill_id == bill_id)
        .group_by(BillDifference.kind)
        .order_by(BillDifference.kind)
    )  # fmt: skip
    return tuple(KindOfDifference(kind, DIFFERENCE_LABELS[kind], *(int(each) for each in sums)) for kind, *sums in rows)


def tariff() -> tuple[CarrierTariff, ...]:
    """Every rate, the newest first."""
    return tuple(
        db.session.scalars(sa.select(CarrierTariff).order_by(CarrierTariff.valid_from.desc(), CarrierTariff.zone))
    )


def hall_choices() -> list[tuple[str, str]]:
    """The halls that have parcels, as choices."""
    return [(str(each.id), each.name) for each in identity.organisations_of_kind(OrganisationKind.HALL)]
