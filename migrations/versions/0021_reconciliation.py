"""Reconciliation runs, mismatches, the daily close, outgoing webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db
from app.kernel.db import append_only_statements, run_ddl

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER recon_run_no_delete BEFORE DELETE ON recon_run BEGIN SELECT RAISE(ABORT, 'recon_run is append-only'); END",
        "CREATE TRIGGER recon_run_no_update BEFORE UPDATE ON recon_run BEGIN SELECT RAISE(ABORT, 'recon_run is append-only'); END",
        "CREATE TRIGGER gateway_movement_no_delete BEFORE DELETE ON gateway_movement BEGIN SELECT RAISE(ABORT, 'gateway_movement is append-only'); END",
        "CREATE TRIGGER gateway_movement_no_update BEFORE UPDATE ON gateway_movement BEGIN SELECT RAISE(ABORT, 'gateway_movement is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION recon_run_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'recon_run is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER recon_run_append_only BEFORE UPDATE OR DELETE ON recon_run FOR EACH ROW EXECUTE FUNCTION recon_run_append_only()",
        "CREATE FUNCTION gateway_movement_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'gateway_movement is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER gateway_movement_append_only BEFORE UPDATE OR DELETE ON gateway_movement FOR EACH ROW EXECUTE FUNCTION gateway_movement_append_only()",
    ),
}

FROM_CHECKS = (
    "INSERT INTO recon_run (id, gateway, started_at, checked_at, movements, ours_fen, theirs_fen, net_fen, missing_here, "
    "missing_there, amounts, currencies, unbalanced, wrong_side) SELECT id, gateway, checked_at, checked_at, 0, ours_fen, theirs_fen, "
    "theirs_fen, missing_here, missing_there, 0, 0, unbalanced, wrong_side FROM books_check"
)


def upgrade() -> None:
    for column in (
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("posted_by", sa.Uuid(), nullable=True),
    ):
        op.add_column("ledger_tx", column)
    op.create_index(op.f("ix_ledger_tx_subject"), "ledger_tx", ["subject"], unique=False)
    op.create_table(
        "recon_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("started_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("checked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("movements", sa.Integer(), nullable=False),
        sa.Column("ours_fen", sa.BigInteger(), nullable=False),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("missing_here", sa.Integer(), nullable=False),
        sa.Column("missing_there", sa.Integer(), nullable=False),
        sa.Column("amounts", sa.Integer(), nullable=False),
        sa.Column("currencies", sa.Integer(), nullable=False),
        sa.Column("unbalanced", sa.Integer(), nullable=False),
        sa.Column("wrong_side", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_run")),
    )
    op.create_index(op.f("ix_recon_run_checked_at"), "recon_run", ["checked_at"], unique=False)
    op.create_table(
        "gateway_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("object_ref", sa.String(length=120), nullable=False),
        sa.Column("at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("seen_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_movement")),
        sa.UniqueConstraint("gateway", "ref", name=op.f("uq_gateway_movement_gateway_ref")),
    )
    op.create_index(op.f("ix_gateway_movement_at"), "gateway_movement", ["at"], unique=False)
    op.create_table(
        "event_cursor",
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("read_until", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_event_cursor")),
    )
    op.create_table(
        "recon_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ref", sa.String(length=160), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("ours_fen", sa.BigInteger(), nullable=True),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("moved_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("found_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("booked_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('missing_here', 'missing_there', 'amount', 'currency', 'stuck')",
            name=op.f("ck_recon_item_kind_c623cb"),
        ),
        sa.CheckConstraint(
            "state <> 'booked' OR (booked_by IS NOT NULL)", name=op.f("ck_recon_item_state_booked_b061f3")
        ),
        sa.CheckConstraint(
            "state <> 'closed' OR (note IS NOT NULL AND closed_by IS NOT NULL AND closed_at IS NOT NULL)",
            name=op.f("ck_recon_item_state_closed_06ba91"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'booked', 'closed', 'resolved')", name=op.f("ck_recon_item_state_86b27a")
        ),
        sa.CheckConstraint(
            "closed_by IS NULL OR booked_by IS NULL OR closed_by <> booked_by",
            name=op.f("ck_recon_item_two_persons_9530b5"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["recon_run.id"], name=op.f("fk_recon_item_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_item")),
        sa.UniqueConstraint("gateway", "kind", "ref", name=op.f("uq_recon_item_gateway_kind_ref")),
    )
    op.create_index(op.f("ix_recon_item_bill_id"), "recon_item", ["bill_id"], unique=False)
    op.create_index(op.f("ix_recon_item_run_id"), "recon_item", ["run_id"], unique=False)
    op.create_index("ix_recon_item_state", "recon_item", ["state", "kind", "found_at"], unique=False)
    op.create_table(
        "day_close",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column(
            "figures", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("bank_in_fen", sa.BigInteger(), nullable=True),
        sa.Column("bank_out_fen", sa.BigInteger(), nullable=True),
        sa.Column("open_mismatches", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_by_name", sa.String(length=120), nullable=True),
        sa.Column("signed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by_name", sa.String(length=120), nullable=True),
        sa.Column("confirmed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'closed' OR (figures IS NOT NULL AND signed_by IS NOT NULL AND signed_at IS NOT NULL AND confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL)",
            name=op.f("ck_day_close_state_closed_8b944b"),
        ),
        sa.CheckConstraint(
            "state <> 'signed' OR (figures IS NOT NULL AND signed_by IS NOT NULL AND signed_at IS NOT NULL AND bank_in_fen IS NOT NULL AND bank_out_fen IS NOT NULL)",
            name=op.f("ck_day_close_state_signed_965d05"),
        ),
        sa.CheckConstraint(
            "state = 'open' OR open_mismatches = 0 OR reason IS NOT NULL", name=op.f("ck_day_close_explained_22b225")
        ),
        sa.CheckConstraint("state IN ('open', 'signed', 'closed')", name=op.f("ck_day_close_state_5aa2a3")),
        sa.CheckConstraint("bank_in_fen >= 0 AND bank_out_fen >= 0", name=op.f("ck_day_close_bank_5940ed")),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> signed_by", name=op.f("ck_day_close_two_persons_dfa4de")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_close")),
        sa.UniqueConstraint("day", name=op.f("uq_day_close_day")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sees_all", sa.Boolean(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column(
            "events", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text(), nullable=True),
        sa.Column("previous_until", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("paused_reason", sa.String(length=200), nullable=True),
        sa.Column("failing_since", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'removed')", name=op.f("ck_webhook_endpoint_state_14a36b")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_webhook_endpoint_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_index(op.f("ix_webhook_endpoint_organisation_id"), "webhook_endpoint", ["organisation_id"], unique=False)
    op.create_table(
        "webhook_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_message")),
    )
    op.create_index(op.f("ix_webhook_message_created_at"), "webhook_message", ["created_at"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("is_replay", sa.Boolean(), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("finished_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'held')", name=op.f("ck_webhook_delivery_state_556876")
        ),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id")),
        sa.ForeignKeyConstraint(["message_id"], ["webhook_message.id"], name=op.f("fk_webhook_delivery_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index("ix_webhook_delivery_endpoint", "webhook_delivery", ["endpoint_id", "created_at"], unique=False)
    op.create_index(op.f("ix_webhook_delivery_message_id"), "webhook_delivery", ["message_id"], unique=False)
    op.create_table(
        "webhook_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("excerpt", sa.String(length=500), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["webhook_delivery.id"], name=op.f("fk_webhook_attempt_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
    )
    op.create_index(op.f("ix_webhook_attempt_delivery_id"), "webhook_attempt", ["delivery_id"], unique=False)
    with op.batch_alter_table("idempotency_key") as batch:
        batch.add_column(
            sa.Column(
                "response", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
            )
        )
        batch.add_column(sa.Column("locked_until", kernel_db.UTCDateTime(), nullable=True))
        batch.create_index(op.f("ix_idempotency_key_created_at"), ["created_at"])
    op.execute(FROM_CHECKS)
    op.drop_index(op.f("ix_books_check_checked_at"), table_name="books_check")
    op.drop_table("books_check")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS books_check_append_only() CASCADE")
    for statement in TRIGGERS[connection.dialect.name]:
        run_ddl(connection, statement)


def downgrade() -> None:
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
    op.execute(
        "INSERT INTO books_check SELECT id, gateway, checked_at, ours_fen, theirs_fen, missing_here, missing_there, "
        "unbalanced, wrong_side FROM recon_run"
    )
    connection = op.get_bind()
    for statement in append_only_statements("books_check", connection.dialect.name):
        run_ddl(connection, statement)
    with op.batch_alter_table("idempotency_key") as batch:
        batch.drop_index(op.f("ix_idempotency_key_created_at"))
        batch.drop_column("locked_until")
        batch.drop_column("response")
    op.drop_table("webhook_attempt")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_message")
    op.drop_table("webhook_endpoint")
    op.drop_table("day_close")
    op.drop_table("recon_item")
    op.drop_table("event_cursor")
    op.drop_table("gateway_movement")
    op.drop_table("recon_run")
    op.drop_index(op.f("ix_ledger_tx_subject"), table_name="ledger_tx")
    op.drop_column("ledger_tx", "posted_by")
    op.drop_column("ledger_tx", "subject")
    if connection.dialect.name == "postgresql":
        for table in (
            "recon_run",
            "gateway_movement",
        ):
            op.execute(f"DROP FUNCTION IF EXISTS {table}_append_only() CASCADE")
