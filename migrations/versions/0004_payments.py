"""Tables of the payment counter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER books_check_no_delete BEFORE DELETE ON books_check BEGIN SELECT RAISE(ABORT, 'books_check is append-only'); END",
        "CREATE TRIGGER books_check_no_update BEFORE UPDATE ON books_check BEGIN SELECT RAISE(ABORT, 'books_check is append-only'); END",
        "CREATE TRIGGER ledger_account_no_delete BEFORE DELETE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger_account is append-only'); END",
        "CREATE TRIGGER ledger_account_no_update BEFORE UPDATE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger_account is append-only'); END",
        "CREATE TRIGGER ledger_tx_no_delete BEFORE DELETE ON ledger_tx BEGIN SELECT RAISE(ABORT, 'ledger_tx is append-only'); END",
        "CREATE TRIGGER ledger_tx_no_update BEFORE UPDATE ON ledger_tx BEGIN SELECT RAISE(ABORT, 'ledger_tx is append-only'); END",
        "CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END",
        "CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END",
        "CREATE TRIGGER bill_line_no_delete BEFORE DELETE ON bill_line BEGIN SELECT RAISE(ABORT, 'bill_line is append-only'); END",
        "CREATE TRIGGER bill_line_no_update BEFORE UPDATE ON bill_line BEGIN SELECT RAISE(ABORT, 'bill_line is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION books_check_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'books_check is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER books_check_append_only BEFORE UPDATE OR DELETE ON books_check FOR EACH ROW EXECUTE FUNCTION books_check_append_only()",
        "CREATE FUNCTION ledger_account_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'ledger_account is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER ledger_account_append_only BEFORE UPDATE OR DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_account_append_only()",
        "CREATE FUNCTION ledger_tx_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'ledger_tx is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER ledger_tx_append_only BEFORE UPDATE OR DELETE ON ledger_tx FOR EACH ROW EXECUTE FUNCTION ledger_tx_append_only()",
        "CREATE FUNCTION ledger_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'ledger_entry is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_entry_append_only()",
        "CREATE FUNCTION ledger_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT sum(amount_fen) FROM ledger_entry WHERE tx_id = NEW.tx_id AND currency = NEW.currency) <> 0 THEN RAISE EXCEPTION 'posting % does not balance', NEW.tx_id USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balances()",
        "CREATE FUNCTION bill_line_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'bill_line is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER bill_line_append_only BEFORE UPDATE OR DELETE ON bill_line FOR EACH ROW EXECUTE FUNCTION bill_line_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "books_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("checked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("ours_fen", sa.BigInteger(), nullable=False),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=False),
        sa.Column("missing_here", sa.Integer(), nullable=False),
        sa.Column("missing_there", sa.Integer(), nullable=False),
        sa.Column("unbalanced", sa.Integer(), nullable=False),
        sa.Column("wrong_side", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books_check")),
    )
    op.create_index(op.f("ix_books_check_checked_at"), "books_check", ["checked_at"], unique=False)
    op.create_table(
        "gateway_address",
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text(), nullable=True),
        sa.Column("registered_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateway_address")),
    )
    op.create_table(
        "ledger_account",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("may_overdraw", sa.Boolean(), nullable=False),
        sa.Column("opened_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "type IN ('asset', 'liability', 'income', 'expense')", name=op.f("ck_ledger_account_type_ec095c")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ledger_account")),
    )
    op.create_index(
        op.f("ix_ledger_account_owner_organisation_id"), "ledger_account", ["owner_organisation_id"], unique=False
    )
    op.create_table(
        "ledger_tx",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("effective_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("posted_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_tx")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_tx_key")),
    )
    op.create_index(op.f("ix_ledger_tx_bill_id"), "ledger_tx", ["bill_id"], unique=False)
    op.create_index(op.f("ix_ledger_tx_effective_at"), "ledger_tx", ["effective_at"], unique=False)
    op.create_table(
        "bill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("payer_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("payer_user_id", sa.Uuid(), nullable=True),
        sa.Column("payee_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("paid_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("released_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("receipt_document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'service_fee') = (payee_organisation_id IS NOT NULL)", name=op.f("ck_bill_payee_59ea7f")
        ),
        sa.CheckConstraint("currency = 'CNY'", name=op.f("ck_bill_currency_4a6f24")),
        sa.CheckConstraint("kind IN ('service_fee', 'courier_fee', 'statutory_fee')", name=op.f("ck_bill_kind_a45171")),
        sa.CheckConstraint("state <> 'paid' OR (paid_at IS NOT NULL)", name=op.f("ck_bill_state_paid_3bdfc0")),
        sa.CheckConstraint(
            "state <> 'released' OR (paid_at IS NOT NULL AND released_at IS NOT NULL)",
            name=op.f("ck_bill_state_released_7ed14e"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'paid', 'released', 'refunded', 'void')", name=op.f("ck_bill_state_a89ad4")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bill_amount_570e62")),
        sa.CheckConstraint(
            "payer_organisation_id IS NOT NULL OR payer_user_id IS NOT NULL", name=op.f("ck_bill_payer_0d44a3")
        ),
        sa.ForeignKeyConstraint(
            ["payee_organisation_id"], ["organisation.id"], name=op.f("fk_bill_payee_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"], ["organisation.id"], name=op.f("fk_bill_payer_organisation_id")
        ),
        sa.ForeignKeyConstraint(["payer_user_id"], ["app_user.id"], name=op.f("fk_bill_payer_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill")),
        sa.UniqueConstraint("number", name=op.f("uq_bill_number")),
    )
    op.create_index("ix_bill_payee", "bill", ["payee_organisation_id", "state", "opened_at"], unique=False)
    op.create_index("ix_bill_payer_organisation", "bill", ["payer_organisation_id", "state", "due_at"], unique=False)
    op.create_index("ix_bill_payer_user", "bill", ["payer_user_id", "state", "due_at"], unique=False)
    op.create_index("ix_bill_state", "bill", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_bill_subject"), "bill", ["subject"], unique=False)
    op.create_index(op.f("ix_bill_thread_id"), "bill", ["thread_id"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tx_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entry_moves_fada90")),
        sa.ForeignKeyConstraint(["account"], ["ledger_account.code"], name=op.f("fk_ledger_entry_account")),
        sa.ForeignKeyConstraint(["tx_id"], ["ledger_tx.id"], name=op.f("fk_ledger_entry_tx_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index("ix_ledger_entry_account", "ledger_entry", ["account", "id", "amount_fen"], unique=False)
    op.create_index(op.f("ix_ledger_entry_tx_id"), "ledger_entry", ["tx_id"], unique=False)
    op.create_table(
        "bill_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(length=500), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_bill_line_amount_1faac6")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_bill_line_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_line")),
        sa.UniqueConstraint("bill_id", "position", name=op.f("uq_bill_line_bill_id_position")),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column(
            "request", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("session_ref", sa.String(length=120), nullable=True),
        sa.Column("payment_ref", sa.String(length=120), nullable=True),
        sa.Column("cashier_url", sa.Text(), nullable=True),
        sa.Column("problem", sa.String(length=80), nullable=True),
        sa.Column("misfit", sa.String(length=24), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column(
            "readers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("started_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("check_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("expires_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("succeeded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'pending' OR (session_ref IS NOT NULL AND cashier_url IS NOT NULL)",
            name=op.f("ck_payment_state_pending_3787e9"),
        ),
        sa.CheckConstraint(
            "state <> 'succeeded' OR (payment_ref IS NOT NULL AND succeeded_at IS NOT NULL)",
            name=op.f("ck_payment_state_succeeded_53a527"),
        ),
        sa.CheckConstraint(
            "state <> 'surplus' OR (payment_ref IS NOT NULL AND succeeded_at IS NOT NULL)",
            name=op.f("ck_payment_state_surplus_6248ea"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'pending', 'succeeded', 'surplus', 'failed', 'canceled', 'expired')",
            name=op.f("ck_payment_state_a82fab"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_amount_570e62")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_payment_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("bill_id", "attempt", name=op.f("uq_payment_bill_id_attempt")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_payment_idempotency_key")),
        sa.UniqueConstraint("payment_ref", name=op.f("uq_payment_payment_ref")),
        sa.UniqueConstraint("session_ref", name=op.f("uq_payment_session_ref")),
    )
    op.create_index(
        "ix_payment_check",
        "payment",
        ["check_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('new', 'pending')"),
        postgresql_where=sa.text("state IN ('new', 'pending')"),
    )
    op.create_index(
        "uq_payment_credited",
        "payment",
        ["bill_id"],
        unique=True,
        sqlite_where=sa.text("state = 'succeeded'"),
        postgresql_where=sa.text("state = 'succeeded'"),
    )
    op.create_index(
        "uq_payment_live",
        "payment",
        ["bill_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('new', 'pending')"),
        postgresql_where=sa.text("state IN ('new', 'pending')"),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column(
            "request", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("gateway_ref", sa.String(length=120), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column(
            "readers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("requested_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("check_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("finished_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'pending' OR (gateway_ref IS NOT NULL)", name=op.f("ck_refund_state_pending_eebcfd")
        ),
        sa.CheckConstraint(
            "state <> 'succeeded' OR (gateway_ref IS NOT NULL)", name=op.f("ck_refund_state_succeeded_ed2aaa")
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'pending', 'succeeded', 'failed', 'rejected')",
            name=op.f("ck_refund_state_9ad9e6"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refund_amount_570e62")),
        sa.CheckConstraint(
            "approved_by IS NULL OR requested_by IS NULL OR approved_by <> requested_by",
            name=op.f("ck_refund_two_persons_13ab60"),
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_refund_bill_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("gateway_ref", name=op.f("uq_refund_gateway_ref")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refund_idempotency_key")),
    )
    op.create_index(op.f("ix_refund_bill_id"), "refund", ["bill_id"], unique=False)
    op.create_index("ix_refund_state", "refund", ["state", "check_at"], unique=False)
    op.create_index(
        "uq_refund_unfinished",
        "refund",
        ["payment_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('requested', 'approved', 'pending')"),
        postgresql_where=sa.text("state IN ('requested', 'approved', 'pending')"),
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    op.drop_index(
        "uq_refund_unfinished",
        table_name="refund",
        sqlite_where=sa.text("state IN ('requested', 'approved', 'pending')"),
        postgresql_where=sa.text("state IN ('requested', 'approved', 'pending')"),
    )
    op.drop_index("ix_refund_state", table_name="refund")
    op.drop_index(op.f("ix_refund_bill_id"), table_name="refund")
    op.drop_table("refund")
    op.drop_index(
        "uq_payment_live",
        table_name="payment",
        sqlite_where=sa.text("state IN ('new', 'pending')"),
        postgresql_where=sa.text("state IN ('new', 'pending')"),
    )
    op.drop_index(
        "uq_payment_credited",
        table_name="payment",
        sqlite_where=sa.text("state = 'succeeded'"),
        postgresql_where=sa.text("state = 'succeeded'"),
    )
    op.drop_index(
        "ix_payment_check",
        table_name="payment",
        sqlite_where=sa.text("state IN ('new', 'pending')"),
        postgresql_where=sa.text("state IN ('new', 'pending')"),
    )
    op.drop_table("payment")
    op.drop_table("bill_line")
    op.drop_index(op.f("ix_ledger_entry_tx_id"), table_name="ledger_entry")
    op.drop_index("ix_ledger_entry_account", table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index(op.f("ix_bill_thread_id"), table_name="bill")
    op.drop_index(op.f("ix_bill_subject"), table_name="bill")
    op.drop_index("ix_bill_state", table_name="bill")
    op.drop_index("ix_bill_payer_user", table_name="bill")
    op.drop_index("ix_bill_payer_organisation", table_name="bill")
    op.drop_index("ix_bill_payee", table_name="bill")
    op.drop_table("bill")
    op.drop_index(op.f("ix_ledger_tx_effective_at"), table_name="ledger_tx")
    op.drop_index(op.f("ix_ledger_tx_bill_id"), table_name="ledger_tx")
    op.drop_table("ledger_tx")
    op.drop_index(op.f("ix_ledger_account_owner_organisation_id"), table_name="ledger_account")
    op.drop_table("ledger_account")
    op.drop_table("gateway_address")
    op.drop_index(op.f("ix_books_check_checked_at"), table_name="books_check")
    op.drop_table("books_check")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS books_check_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS ledger_account_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS ledger_tx_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS ledger_entry_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS ledger_entry_balances() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS bill_line_append_only() CASCADE")
