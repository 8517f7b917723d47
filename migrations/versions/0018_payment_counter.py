"""One counter: several bills paid together, payment codes, tariffs and reductions of billed items."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LINE_TRIGGERS = (
    "CREATE TRIGGER bill_line_no_delete BEFORE DELETE ON bill_line BEGIN SELECT RAISE(ABORT, 'bill_line is append-only'); END",
    "CREATE TRIGGER bill_line_no_update BEFORE UPDATE ON bill_line BEGIN SELECT RAISE(ABORT, 'bill_line is append-only'); END",
)
VOUCHER_TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER transfer_voucher_no_delete BEFORE DELETE ON transfer_voucher BEGIN SELECT RAISE(ABORT, 'transfer_voucher is append-only'); END",
        "CREATE TRIGGER transfer_voucher_no_update BEFORE UPDATE ON transfer_voucher BEGIN SELECT RAISE(ABORT, 'transfer_voucher is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION transfer_voucher_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'transfer_voucher is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER transfer_voucher_append_only BEFORE UPDATE OR DELETE ON transfer_voucher FOR EACH ROW EXECUTE FUNCTION transfer_voucher_append_only()",
    ),
}
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
    _add_bank_tables()


def _add_bank_tables() -> None:
    op.create_table(
        "transfer_voucher",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_transfer_voucher_file_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_transfer_voucher_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_voucher")),
    )
    with op.batch_alter_table("transfer_voucher", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_voucher_payment_id"), ["payment_id"], unique=False)
    op.create_table(
        "bank_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("bank_ref", sa.String(length=60), nullable=False),
        sa.Column("counterparty", sa.String(length=120), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "readers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(direction = 'out') = (refund_id IS NOT NULL) AND (direction = 'in' OR payment_id IS NULL)",
            name=op.f("ck_bank_entry_purpose_ae6e47"),
        ),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_bank_entry_direction_014bda")),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_bank_entry_state_confirmed_1c0a1f"),
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_bank_entry_state_rejected_4a47ce"),
        ),
        sa.CheckConstraint("state IN ('entered', 'confirmed', 'rejected')", name=op.f("ck_bank_entry_state_de3364")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_entry_amount_570e62")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> entered_by", name=op.f("ck_bank_entry_two_persons_37a67e")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_bank_entry_payment_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_bank_entry_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entry")),
        sa.UniqueConstraint("number", name=op.f("uq_bank_entry_number")),
    )
    with op.batch_alter_table("bank_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_entry_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_entry_refund_id"), ["refund_id"], unique=False)
        batch_op.create_index("ix_bank_entry_state", ["state", "entered_at"], unique=False)
        batch_op.create_index(
            "uq_bank_entry_ref",
            ["gateway", "bank_ref"],
            unique=True,
            sqlite_where=sa.text("state <> 'rejected'"),
            postgresql_where=sa.text("state <> 'rejected'"),
        )
    for statement in VOUCHER_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


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
    op.drop_table("bank_entry")
    op.drop_table("transfer_voucher")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION transfer_voucher_append_only()")
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
