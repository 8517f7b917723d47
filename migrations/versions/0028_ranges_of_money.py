"""Ranges of money: every amount is whole fen within what the product holds, every currency three capital letters."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from app.kernel.db import run_ddl

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def _whole(*columns: str) -> str:
    return " AND ".join(f"{name} = CAST({name} AS BIGINT) AND abs({name}) <= 999999999999999" for name in columns)


ISO = "length(currency) = 3 AND currency = upper(currency)"
AMOUNT = ("whole_5a82c8", _whole("amount_fen"))
CURRENCY = ("currency_94e49f", ISO)
CHECKS: dict[str, tuple[tuple[str, str], ...]] = {
    "refund": (AMOUNT,),
    "refund_share": (AMOUNT,),
    "payout": (AMOUNT,),
    "transfer_reversal": (AMOUNT,),
    "payment_dispute": (AMOUNT,),
    "bank_entry": (AMOUNT,),
    "tax_paper": (AMOUNT,),
    "bill_line": (("whole_57991d", _whole("amount_fen", "reduction_fen")),),
    "bill_release": (("whole_827c51", _whole("amount_fen", "fee_fen")),),
    "bill_freeze": (("whole_961b05", _whole("held_fen", "balance_fen")),),
    "gateway_movement": (("whole_a6e238", _whole("gross_fen", "fee_fen")), CURRENCY),
    "day_close": (("whole_84f5d6", _whole("bank_in_fen", "bank_out_fen")),),
    "ledger_entry": (AMOUNT, CURRENCY),
}


def upgrade() -> None:
    """Add the checks."""
    for table, checks in CHECKS.items():
        with _keeping_triggers(table), op.batch_alter_table(table) as batch:
            for name, condition in checks:
                batch.create_check_constraint(batch.f(f"ck_{table}_{name}"), condition)


def downgrade() -> None:
    """Take them away."""
    for table, checks in CHECKS.items():
        with _keeping_triggers(table), op.batch_alter_table(table) as batch:
            for name, _condition in checks:
                batch.drop_constraint(batch.f(f"ck_{table}_{name}"), type_="check")


@contextmanager
def _keeping_triggers(table: str) -> Iterator[None]:
    """Make the triggers again that a table of SQLite loses when it is rebuilt."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        yield
        return
    triggers = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    before = connection.scalars(triggers, {"table": table}).all()
    yield
    after = set(connection.scalars(triggers, {"table": table}))
    for statement in before:
        if statement not in after:
            run_ddl(connection, statement)
