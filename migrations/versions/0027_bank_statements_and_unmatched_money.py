"""Bank statements, unmatched money on bank accounts, payouts by hand; statutory money on the treasury's accounts only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER ledger_entry_holds BEFORE INSERT ON ledger_entry WHEN NEW.account LIKE 'escrow:%' AND EXISTS (SELECT 1 FROM bill WHERE id = replace(substr(NEW.account, 8), '-', '') AND kind <> 'service_fee') BEGIN SELECT RAISE(ABORT, 'only the money of a service fee is held'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION ledger_entry_holds() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM bill WHERE id = substr(NEW.account, 8)::uuid AND kind <> 'service_fee') THEN RAISE EXCEPTION 'only the money of a service fee is held' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER ledger_entry_holds BEFORE INSERT ON ledger_entry FOR EACH ROW WHEN (NEW.account LIKE 'escrow:%') EXECUTE FUNCTION ledger_entry_holds()",
    ),
}
SET_ASIDE = (
    "INSERT INTO unmatched_money (id, thread_id, entry_id, gateway, amount_fen, state, found_at, version)"
    " SELECT e.id, e.thread_id, e.id, e.gateway, e.amount_fen, 'open', e.decided_at, 1 FROM bank_entry e"
    " JOIN ledger_tx t ON t.key = e.gateway || ':' || e.bank_ref"
    " WHERE e.state = 'confirmed' AND e.direction = 'in' AND t.kind = 'suspense' AND t.subject IS NULL"
)
"""Money that was set aside before there was a place to decide about it."""


def upgrade() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("opening_fen", sa.BigInteger(), nullable=True),
        sa.Column("closing_fen", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "problems", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("in_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_fen", sa.BigInteger(), nullable=False),
        sa.Column("handed_in_by", sa.Uuid(), nullable=False),
        sa.Column("handed_in_by_name", sa.String(length=120), nullable=False),
        sa.Column("handed_in_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=True),
        sa.Column("applied_by_name", sa.String(length=120), nullable=True),
        sa.Column("applied_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'applied' OR (applied_by IS NOT NULL AND applied_by_name IS NOT NULL AND applied_at IS NOT NULL)",
            name=op.f("ck_bank_statement_state_applied_539fc9"),
        ),
        sa.CheckConstraint("state IN ('checked', 'applied', 'discarded')", name=op.f("ck_bank_statement_state_cc631e")),
        sa.CheckConstraint(
            "(opening_fen IS NULL) = (closing_fen IS NULL)", name=op.f("ck_bank_statement_balances_31f1d0")
        ),
        sa.CheckConstraint(
            "applied_by IS NULL OR applied_by <> handed_in_by", name=op.f("ck_bank_statement_two_persons_df04f0")
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_bank_statement_days_be2afa")),
        sa.CheckConstraint("in_fen >= 0 AND out_fen >= 0", name=op.f("ck_bank_statement_sums_af105f")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("number", name=op.f("uq_bank_statement_number")),
    )
    with op.batch_alter_table("bank_statement") as batch:
        batch.create_index("ix_bank_statement_days", ["gateway", "state", "last_day"], unique=False)
        batch.create_index(
            "uq_bank_statement_file",
            ["gateway", "file_sha256"],
            unique=True,
            sqlite_where=sa.text("state <> 'discarded'"),
            postgresql_where=sa.text("state <> 'discarded'"),
        )

    op.create_table(
        "bank_statement_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("bank_ref", sa.String(length=60), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("counterparty", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("matched_id", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_bank_statement_line_direction_014bda")),
        sa.CheckConstraint(
            "verdict IN ('known', 'confirms', 'differs', 'payment', 'payment_amount', 'refund', 'payout', 'payout_back', 'given_back', 'unmatched', 'unknown_out')",
            name=op.f("ck_bank_statement_line_verdict_00678b"),
        ),
        sa.CheckConstraint(
            "amount_fen = CAST(amount_fen AS BIGINT) AND abs(amount_fen) <= 999999999999999",
            name=op.f("ck_bank_statement_line_whole_5a82c8"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_statement_line_amount_570e62")),
        sa.ForeignKeyConstraint(["entry_id"], ["bank_entry.id"], name=op.f("fk_bank_statement_line_entry_id")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_statement_line_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement_line")),
        sa.UniqueConstraint("statement_id", "bank_ref", name=op.f("uq_bank_statement_line_statement_id_bank_ref")),
    )
    with op.batch_alter_table("bank_statement_line") as batch:
        batch.create_index(batch.f("ix_bank_statement_line_entry_id"), ["entry_id"], unique=False)

    op.create_table(
        "unmatched_money",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("found_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_by_name", sa.String(length=120), nullable=True),
        sa.Column("proposed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'assigned' OR (bill_id IS NOT NULL AND payment_id IS NOT NULL AND proposed_by IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_unmatched_money_state_assigned_65ff6d"),
        ),
        sa.CheckConstraint(
            "state <> 'assigning' OR (bill_id IS NOT NULL AND proposed_by IS NOT NULL AND reason IS NOT NULL)",
            name=op.f("ck_unmatched_money_state_assigning_cfea07"),
        ),
        sa.CheckConstraint(
            "state <> 'returned' OR (proposed_by IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_unmatched_money_state_returned_8d3ed0"),
        ),
        sa.CheckConstraint(
            "state <> 'returning' OR (proposed_by IS NOT NULL AND reason IS NOT NULL)",
            name=op.f("ck_unmatched_money_state_returning_dfd71b"),
        ),
        sa.CheckConstraint(
            "state <> 'to_send' OR (proposed_by IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_unmatched_money_state_to_send_fdce82"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'assigning', 'returning', 'assigned', 'to_send', 'returned')",
            name=op.f("ck_unmatched_money_state_3a35a9"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_unmatched_money_amount_570e62")),
        sa.CheckConstraint(
            "decided_by IS NULL OR (proposed_by IS NOT NULL AND decided_by <> proposed_by)",
            name=op.f("ck_unmatched_money_two_persons_b95323"),
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_unmatched_money_bill_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["bank_entry.id"], name=op.f("fk_unmatched_money_entry_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_unmatched_money_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmatched_money")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_unmatched_money_entry_id")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_unmatched_money_payment_id")),
    )
    with op.batch_alter_table("unmatched_money") as batch:
        batch.create_index(batch.f("ix_unmatched_money_bill_id"), ["bill_id"], unique=False)
        batch.create_index("ix_unmatched_money_state", ["state", "found_at"], unique=False)

    with op.batch_alter_table("bank_account") as batch:
        batch.add_column(sa.Column("by_transfer", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("bank_account") as batch:
        batch.alter_column("by_transfer", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)

    with op.batch_alter_table("bank_entry") as batch:
        batch.add_column(sa.Column("payout_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("returns_id", sa.Uuid(), nullable=True))
        batch.create_index(batch.f("ix_bank_entry_payout_id"), ["payout_id"], unique=False)
        batch.create_index(batch.f("ix_bank_entry_returns_id"), ["returns_id"], unique=False)
        batch.create_foreign_key(batch.f("fk_bank_entry_payout_id"), "payout", ["payout_id"], ["id"])
        batch.create_foreign_key(batch.f("fk_bank_entry_returns_id"), "bank_entry", ["returns_id"], ["id"])
        batch.drop_constraint(batch.f("ck_bank_entry_purpose_ae6e47"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_bank_entry_purpose_0e84cf"),
            "(direction = 'in' AND refund_id IS NULL AND returns_id IS NULL AND (payment_id IS NULL OR payout_id IS NULL)) OR (direction = 'out' AND payment_id IS NULL AND (CASE WHEN refund_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN payout_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN returns_id IS NULL THEN 0 ELSE 1 END) = 1)",
        )

    with op.batch_alter_table("payment") as batch:
        batch.create_check_constraint(
            batch.f("ck_payment_treasury_18d0b1"),
            "(kind = 'statutory_fee') = (gateway IN ('bank_treasury', 'stripe_treasury'))",
        )

    op.execute(SET_ASIDE)
    for statement in TRIGGERS[op.get_context().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER ledger_entry_holds ON ledger_entry")
        op.execute("DROP FUNCTION ledger_entry_holds()")
    else:
        op.execute("DROP TRIGGER ledger_entry_holds")
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint(batch.f("ck_payment_treasury_18d0b1"), type_="check")

    with op.batch_alter_table("bank_entry") as batch:
        batch.drop_constraint(batch.f("ck_bank_entry_purpose_0e84cf"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_bank_entry_purpose_ae6e47"),
            "(direction = 'out') = (refund_id IS NOT NULL) AND (direction = 'in' OR payment_id IS NULL)",
        )
        batch.drop_constraint(batch.f("fk_bank_entry_returns_id"), type_="foreignkey")
        batch.drop_constraint(batch.f("fk_bank_entry_payout_id"), type_="foreignkey")
        batch.drop_index(batch.f("ix_bank_entry_returns_id"))
        batch.drop_index(batch.f("ix_bank_entry_payout_id"))
        batch.drop_column("returns_id")
        batch.drop_column("payout_id")

    with op.batch_alter_table("bank_account") as batch:
        batch.drop_column("by_transfer")

    with op.batch_alter_table("unmatched_money") as batch:
        batch.drop_index("ix_unmatched_money_state")
        batch.drop_index(batch.f("ix_unmatched_money_bill_id"))

    op.drop_table("unmatched_money")
    with op.batch_alter_table("bank_statement_line") as batch:
        batch.drop_index(batch.f("ix_bank_statement_line_entry_id"))

    op.drop_table("bank_statement_line")
    with op.batch_alter_table("bank_statement") as batch:
        batch.drop_index(
            "uq_bank_statement_file",
            sqlite_where=sa.text("state <> 'discarded'"),
            postgresql_where=sa.text("state <> 'discarded'"),
        )
        batch.drop_index("ix_bank_statement_days")

    op.drop_table("bank_statement")
