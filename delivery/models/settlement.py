"""The carrier's monthly bill against our orders, and the tariff it is measured by."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, Versioned, named_check, one_of, state_checks, uuid_fk, uuid_pk
from delivery.settlement import LineKind, Zone
from delivery.states import CARRIER_BILL, CarrierBillState


class CarrierTariff(Base):
    """What the contract with the carrier says from a day on, one row a zone. Rows are added, never changed."""

    __tablename__ = "carrier_tariff"

    id: Mapped[UUID] = uuid_pk()
    zone: Mapped[str] = mapped_column(sa.String(12))
    valid_from: Mapped[date]
    first_g: Mapped[int] = mapped_column(sa.Integer())
    first_fen: Mapped[int]
    next_g: Mapped[int] = mapped_column(sa.Integer())
    next_fen: Mapped[int]
    return_percent: Mapped[int] = mapped_column(sa.Integer(), default=100)
    basis: Mapped[str] = mapped_column(sa.String(200))
    added_by_name: Mapped[str] = mapped_column(sa.String(80))
    added_at: Mapped[datetime]

    __table_args__ = (
        named_check("zone", one_of("zone", Zone)),
        named_check(
            "amounts", "first_g > 0 AND first_fen >= 0 AND next_g > 0 AND next_fen >= 0 AND return_percent BETWEEN 0 AND 200"
        ),
        sa.UniqueConstraint("zone", "valid_from"),
    )  # fmt: skip


class CarrierBill(Base, Versioned, Stateful):
    """One month of one hall as the carrier bills it (对账单)."""

    __tablename__ = "carrier_bill"
    object_type: ClassVar[str] = "carrier-bill"

    id: Mapped[UUID] = uuid_pk()
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    hall_organisation_id: Mapped[UUID]
    month: Mapped[str] = mapped_column(sa.String(7))
    state: Mapped[str] = mapped_column(sa.String(12), default=CarrierBillState.CHECKED)
    file_name: Mapped[str] = mapped_column(sa.String(200))
    file_sha256: Mapped[str] = mapped_column(sa.String(64))
    problems: Mapped[list[Any]]
    line_count: Mapped[int] = mapped_column(sa.Integer())
    billed_fen: Mapped[int]
    handed_in_by: Mapped[UUID]
    handed_in_name: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    compared_at: Mapped[datetime | None]
    ours_count: Mapped[int | None] = mapped_column(sa.Integer())
    ours_fen: Mapped[int | None]
    agreed_fen: Mapped[int | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_name: Mapped[str | None] = mapped_column(sa.String(80))
    confirmed_at: Mapped[datetime | None]
    countersigned_by: Mapped[UUID | None]
    countersigned_name: Mapped[str | None] = mapped_column(sa.String(80))
    countersigned_at: Mapped[datetime | None]
    payment_order_no: Mapped[str | None] = mapped_column(sa.String(32), unique=True)
    ordered_at: Mapped[datetime | None]
    paid_on: Mapped[date | None]
    voucher_no: Mapped[str | None] = mapped_column(sa.String(60))

    __table_args__ = (
        *state_checks(CARRIER_BILL),
        named_check("two_sides", "countersigned_by IS NULL OR countersigned_by <> confirmed_by"),
        # one standing bill a hall and month
        sa.Index(
            "uq_carrier_bill_month", "hall_organisation_id", "month", unique=True,
            sqlite_where=sa.text("state <> 'discarded'"), postgresql_where=sa.text("state <> 'discarded'"),
        ),
    )  # fmt: skip

    @property
    def thread_id(self) -> UUID:
        """A bill is its own journey."""
        return self.id

    def audience(self) -> tuple[str, ...]:
        """The hall, and who oversees."""
        return (f"org:{self.hall_organisation_id}", "role:operator", "role:auditor", "role:regulator")


class CarrierBillLine(Base):
    """One line of the carrier's file. `fee_fen` is negative for a compensation."""

    __tablename__ = "carrier_bill_line"

    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("carrier_bill.id")
    row: Mapped[int] = mapped_column(sa.Integer())
    waybill_no: Mapped[str] = mapped_column(sa.String(20), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    accepted_on: Mapped[date]
    weight_g: Mapped[int] = mapped_column(sa.Integer())
    zone: Mapped[str] = mapped_column(sa.String(12))
    fee_fen: Mapped[int]

    __table_args__ = (
        named_check("kind", one_of("kind", LineKind)),
        named_check("zone", one_of("zone", Zone)),
        sa.UniqueConstraint("bill_id", "row"),
    )


class BillDifference(Base):
    """Where bill and orders disagree; open until somebody says which side is right."""

    __tablename__ = "carrier_bill_difference"

    id: Mapped[UUID] = uuid_pk()
    bill_id: Mapped[UUID] = uuid_fk("carrier_bill.id")
    kind: Mapped[str] = mapped_column(sa.String(16))
    waybill_no: Mapped[str] = mapped_column(sa.String(20))
    row: Mapped[int | None] = mapped_column(sa.Integer())
    billed: Mapped[str] = mapped_column(sa.String(80))
    ours: Mapped[str] = mapped_column(sa.String(80))
    billed_fen: Mapped[int]
    ours_fen: Mapped[int]
    resolution: Mapped[str | None] = mapped_column(sa.String(12))
    agreed_fen: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    resolved_name: Mapped[str | None] = mapped_column(sa.String(80))
    resolved_at: Mapped[datetime | None]

    __table_args__ = (
        named_check("resolution", "resolution IS NULL OR resolution IN ('theirs', 'ours', 'other')"),
        named_check("settled", "(resolution IS NULL) = (agreed_fen IS NULL)"),
        sa.Index("ix_carrier_bill_difference_open", "bill_id", "resolution"),
    )
