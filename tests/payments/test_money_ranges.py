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


def whole_check(model: type[Base]) -> tuple[str, str]:
    """Name and text of the table's check of whole amounts."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    checks = [one for one in table.constraints if isinstance(one, sa.CheckConstraint)]
    ((name, text),) = [(str(one.name), str(one.sqltext)) for one in checks if "_whole_" in str(one.name)]
    return name, text


@pytest.mark.parametrize(("model", "column"), AMOUNTS, ids=[f"{m.__tablename__}.{c}" for m, c in AMOUNTS])
def test_an_amount_out_of_range_is_refused(app: Flask, model: type[Base], column: str) -> None:
    name, text = whole_check(model)
    assert f"{column} = CAST({column} AS BIGINT)" in text
    values = [str(10**15), str(-(10**15))]
    if db.engine.dialect.name == "sqlite":
        values.append("10.5")  # PostgreSQL's BIGINT cannot hold a fraction at all
    for value in values:
        refusal(model, column, value)  # by this check, or by another one of the row that is asked before it
        assert not passes(model, text, column, value)
    with db.engine.connect() as connection:
        stored = {one["name"] for one in sa.inspect(connection).get_check_constraints(model.__tablename__)}
    assert name in stored


def passes(model: type[Base], text: str, column: str, value: str) -> bool:
    """Ask the database about the check alone, all other amounts being in order."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    amounts = [field.name for field in table.columns if field.name.endswith("_fen")]
    columns = ", ".join(f"{value if name == column else 5} AS {name}" for name in amounts)
    with db.engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM (SELECT {columns}) AS v WHERE {text}").scalar()
    return bool(found)


@pytest.mark.parametrize("model", [ledger.LedgerEntry, reconciliation.GatewayMovement])
@pytest.mark.parametrize("currency", ["cny", "CN", "RMB¥"])
def test_what_is_no_currency_is_refused(app: Flask, model: type[Base], currency: str) -> None:
    said = refusal(model, "currency", f"'{currency}'")
    assert "currency" in said or "too long" in said
