"""One counter: several bills paid together, payment codes, tariffs and reductions of billed items."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LINE_TRIGGERS = (
    "CREATE TRIGGER bill_line_no_delete BEFORE DELETE ON bill_line BEGIN SELECT RAISE(ABORT, 'bill_line is append-only'); END",
    "CREATE TRIGGER bill_line_no_update BEFORE UPDATE ON bill_line BEGIN SELECT RAISE(ABORT, 'bill_line is append-only'); END",
)
KIND_DIGITS = {"service_fee": "1", "courier_fee": "2", "statutory_fee": "3"}
UNFINISHED = sa.text("state IN ('requested', 'approved', 'pending')")
LIVE = sa.text("state IN ('new', 'pending')")
CREDITED = sa.text("state = 'succeeded'")


def upgrade() -> None:
    _add_payment_codes()
    _add_line_columns()
    op.add_column("ledger_entry", sa.Column("bill_id", sa.Uuid(), nullable=True))
    op.create_index("ix_ledger_entry_bill_id", "ledger_entry", ["bill_id"], unique=False)
    _split_payments()
    with op.batch_alter_table("refund") as batch:
        batch.drop_index("uq_refund_unfinished", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
        batch.create_index(
            "uq_refund_unfinished",
            ["payment_id", "bill_id"],
            unique=True,
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        )


def _add_payment_codes() -> None:
    op.add_column("bill", sa.Column("pay_code", sa.String(length=20), nullable=True))
    connection = op.get_bind()
    bills = connection.execute(sa.text("SELECT id, kind, number FROM bill")).all()
    for bill_id, kind, number in bills:
        body = f"{number[5:7]}{KIND_DIGITS[kind]}{secrets.randbelow(10**16):016d}"
        code = body + _check_digit(body)
        connection.execute(sa.text("UPDATE bill SET pay_code = :code WHERE id = :id"), {"code": code, "id": bill_id})
    with op.batch_alter_table("bill") as batch:
        batch.alter_column("pay_code", existing_type=sa.String(length=20), nullable=False)
        batch.create_unique_constraint(batch.f("uq_bill_pay_code"), ["pay_code"])


def _check_digit(body: str) -> str:
    """ISO 7064 MOD 11,10."""
    check = 5
    for digit in body:
        check = (((check or 10) * 2) % 11 + int(digit)) % 10
    return str((1 - ((check or 10) * 2) % 11) % 10)


def _add_line_columns() -> None:
    with op.batch_alter_table("bill_line") as batch:
        batch.add_column(sa.Column("standard", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("reduction_fen", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("reduction", sa.String(length=200), nullable=True))
        batch.create_check_constraint(
            batch.f("ck_bill_line_reduction_4f02b0"),
            "reduction_fen >= 0 AND (reduction_fen = 0 OR reduction IS NOT NULL)",
        )
    with op.batch_alter_table("bill_line") as batch:
        batch.alter_column("reduction_fen", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
    _restore_line_triggers()


def _restore_line_triggers() -> None:
    """SQLite writes a changed table anew, without its triggers."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in LINE_TRIGGERS:
            op.execute(statement)


def _split_payments() -> None:
    op.create_table(
        "payment_bill",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("misfit", sa.String(length=24), nullable=True),
        sa.CheckConstraint(
            "standing IN ('live', 'credited', 'set_aside', 'over')", name=op.f("ck_payment_bill_standing_42933d")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_bill_amount_570e62")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_payment_bill_bill_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_bill_payment_id")),
        sa.PrimaryKeyConstraint("payment_id", "bill_id", name=op.f("pk_payment_bill")),
        sa.UniqueConstraint("bill_id", "attempt", name=op.f("uq_payment_bill_bill_id_attempt")),
    )
    for name, standing in (("uq_payment_bill_credited", "credited"), ("uq_payment_bill_live", "live")):
        only = sa.text(f"standing = '{standing}'")
        op.create_index(name, "payment_bill", ["bill_id"], unique=True, sqlite_where=only, postgresql_where=only)
    op.execute(
        "INSERT INTO payment_bill (payment_id, bill_id, position, attempt, amount_fen, standing, misfit) "
        "SELECT id, bill_id, 1, attempt, amount_fen, CASE WHEN state IN ('new', 'pending') THEN 'live' "
        "WHEN state = 'succeeded' THEN 'credited' WHEN state = 'surplus' THEN 'set_aside' ELSE 'over' END, misfit "
        "FROM payment"
    )
    op.add_column("payment", sa.Column("number", sa.String(length=24), nullable=True))
    op.add_column("payment", sa.Column("kind", sa.String(length=16), nullable=True))
    op.execute("UPDATE payment SET kind = (SELECT kind FROM bill WHERE bill.id = payment.bill_id)")
    _number_payments()
    op.drop_index("uq_payment_credited", table_name="payment")
    op.drop_index("uq_payment_live", table_name="payment")
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint(batch.f("uq_payment_bill_id_attempt"), type_="unique")
        batch.drop_constraint(batch.f("fk_payment_bill_id"), type_="foreignkey")
        batch.drop_column("bill_id")
        batch.drop_column("attempt")
        batch.alter_column("number", existing_type=sa.String(length=24), nullable=False)
        batch.alter_column("kind", existing_type=sa.String(length=16), nullable=False)
        batch.create_unique_constraint(batch.f("uq_payment_number"), ["number"])
        batch.create_check_constraint(
            batch.f("ck_payment_kind_a45171"), "kind IN ('service_fee', 'courier_fee', 'statutory_fee')"
        )


def _number_payments() -> None:
    """Number the attempts that exist, year by year, and let the series go on from there."""
    connection = op.get_bind()
    last: dict[int, int] = {}
    for payment_id, started_at in connection.execute(
        sa.text("SELECT id, started_at FROM payment ORDER BY started_at, id")
    ).all():
        year = int(str(started_at)[:4])
        last[year] = last.get(year, 0) + 1
        connection.execute(
            sa.text("UPDATE payment SET number = :number WHERE id = :id"),
            {"number": f"JK-{year}-{last[year]:06d}", "id": payment_id},
        )
    for year, value in last.items():
        connection.execute(
            sa.text("INSERT INTO number_series (prefix, year, last) VALUES ('JK', :year, :last)"),
            {"year": year, "last": value},
        )


def downgrade() -> None:
    """Go back; of bills that were paid together only the first keeps its attempt."""
    with op.batch_alter_table("refund") as batch:
        batch.drop_index("uq_refund_unfinished", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
        batch.create_index(
            "uq_refund_unfinished",
            ["payment_id"],
            unique=True,
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        )
    op.add_column("payment", sa.Column("bill_id", sa.Uuid(), nullable=True))
    op.add_column("payment", sa.Column("attempt", sa.Integer(), nullable=True))
    for column in ("bill_id", "attempt"):
        op.execute(
            f"UPDATE payment SET {column} = (SELECT {column} FROM payment_bill "
            "WHERE payment_bill.payment_id = payment.id AND position = 1)"
        )
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint(batch.f("ck_payment_kind_a45171"), type_="check")
        batch.drop_constraint(batch.f("uq_payment_number"), type_="unique")
        batch.drop_column("kind")
        batch.drop_column("number")
        batch.alter_column("bill_id", existing_type=sa.Uuid(), nullable=False)
        batch.alter_column("attempt", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key(batch.f("fk_payment_bill_id"), "bill", ["bill_id"], ["id"])
        batch.create_unique_constraint(batch.f("uq_payment_bill_id_attempt"), ["bill_id", "attempt"])
    for name, only in (("uq_payment_live", LIVE), ("uq_payment_credited", CREDITED)):
        op.create_index(name, "payment", ["bill_id"], unique=True, sqlite_where=only, postgresql_where=only)
    op.drop_table("payment_bill")
    op.drop_index("ix_ledger_entry_bill_id", table_name="ledger_entry")
    op.execute("ALTER TABLE ledger_entry DROP COLUMN bill_id")
    with op.batch_alter_table("bill_line") as batch:
        batch.drop_constraint(batch.f("ck_bill_line_reduction_4f02b0"), type_="check")
        batch.drop_column("reduction")
        batch.drop_column("reduction_fen")
        batch.drop_column("standard")
    _restore_line_triggers()
    with op.batch_alter_table("bill") as batch:
        batch.drop_constraint(batch.f("uq_bill_pay_code"), type_="unique")
        batch.drop_column("pay_code")
