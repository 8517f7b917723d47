"""The database itself refuses amounts that are no whole fen or beyond what the product holds, and what is no currency."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DataError, IntegrityError

from app.kernel.db import Base, db
from payments.models import bank, bills, disputes, held, ledger, payouts, reconciliation, refunds, tax_papers

pytestmark = pytest.mark.postgresql
AMOUNTS = (
    (refunds.Refund, "amount_fen"),
    (held.RefundShare, "amount_fen"),
    (held.Release, "fee_fen"),
    (held.Freeze, "held_fen"),
    (payouts.Payout, "amount_fen"),
    (payouts.TransferReversal, "amount_fen"),
    (disputes.PaymentDispute, "amount_fen"),
    (ledger.LedgerEntry, "amount_fen"),
    (bank.BankEntry, "amount_fen"),
    (bills.BillItem, "amount_fen"),
    (reconciliation.GatewayMovement, "gross_fen"),
    (reconciliation.GatewayMovement, "fee_fen"),
    (reconciliation.DayClose, "bank_in_fen"),
    (tax_papers.TaxPaper, "amount_fen"),
)


def refusal(model: type[Base], column: str, value: str) -> str:
    """Insert a row by SQL with only this column as given; every other one holds something of its type. The refusal."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    names, values = [], []
    for field in table.columns:
        if field.name == column:
            names.append(field.name)
            values.append(value)
        elif not field.nullable:
            names.append(field.name)
            values.append(_sample(field))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(values)})"
    with pytest.raises((IntegrityError, DataError)) as refused, db.engine.begin() as connection:
        connection.exec_driver_sql(
            statement.replace("%", "%%") if db.engine.dialect.name == "postgresql" else statement
        )
    return str(refused.value.orig)


def _sample(field: sa.Column[object]) -> str:
    if isinstance(field.type, sa.Uuid):
        known = UUID(int=5)
        return f"'{known.hex}'"
    if isinstance(field.type, sa.Boolean):
        return "true"
    if isinstance(field.type, sa.Integer):
        return "5"
    if isinstance(field.type, sa.Date):
        return "'2026-11-22'"
    if field.name == "currency":
        return "'CNY'"
    name = type(field.type).__name__
    return {"UTCDateTime": "'2026-11-22 00:00:00'", "JSON": "'[]'"}.get(name, "'x'")


@pytest.mark.parametrize(("model", "column"), AMOUNTS, ids=[f"{m.__tablename__}.{c}" for m, c in AMOUNTS])
def test_an_amount_out_of_range_is_refused(app: Flask, model: type[Base], column: str) -> None:
    too_much = 10**15
    checks = {str(check.name): check for check in model.__table__.constraints if isinstance(check, sa.CheckConstraint)}  # type: ignore[attr-defined]
    (whole,) = [name for name in checks if "_whole_" in name]
    assert column in str(checks[whole].sqltext)
    assert whole in _only(model, column, str(too_much), whole)
    assert whole in _only(model, column, str(-too_much), whole)
    if db.engine.dialect.name == "sqlite":  # PostgreSQL's BIGINT cannot hold a fraction at all
        assert whole in _only(model, column, "10.5", whole)


def _only(model: type[Base], column: str, value: str, whole: str) -> str:
    """Evaluate the table's own check as the database stores it, on one value for every column that it names."""
    kept = refusal(model, column, value)
    if whole in kept:
        return kept
    table = model.__tablename__  # another check of the row spoke first: ask for this one alone
    condition = next(
        str(c.sqltext)
        for c in model.__table__.constraints
        if isinstance(c, sa.CheckConstraint) and c.name == whole  # type: ignore[attr-defined]
    )
    with db.engine.connect() as connection:
        stored = {one["name"] for one in sa.inspect(connection).get_check_constraints(table)}
        others = [name for name in ("amount_fen", "reduction_fen", "fee_fen", "gross_fen", "held_fen", "balance_fen",
                                    "bank_in_fen", "bank_out_fen") if name in condition and name != column]  # fmt: skip
        columns = ", ".join([f"{value} AS {column}", *(f"5 AS {name}" for name in others)])
        passes = connection.exec_driver_sql(f"SELECT count(*) FROM (SELECT {columns}) AS v WHERE {condition}").scalar()
    return whole if whole in stored and passes == 0 else kept


@pytest.mark.parametrize("model", [ledger.LedgerEntry, reconciliation.GatewayMovement])
@pytest.mark.parametrize("currency", ["cny", "CN", "RMB¥"])
def test_what_is_no_currency_is_refused(app: Flask, model: type[Base], currency: str) -> None:
    said = refusal(model, "currency", f"'{currency}'")
    assert "currency" in said or "too long" in said
