"""Custody chain, differences and returns, day close, claims, settlement with the carrier."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER custody_step_no_delete BEFORE DELETE ON custody_step BEGIN SELECT RAISE(ABORT, 'custody_step is append-only'); END",
        "CREATE TRIGGER custody_step_no_update BEFORE UPDATE ON custody_step BEGIN SELECT RAISE(ABORT, 'custody_step is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION custody_step_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'custody_step is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER custody_step_append_only BEFORE UPDATE OR DELETE ON custody_step FOR EACH ROW EXECUTE FUNCTION custody_step_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "carrier_bill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "problems", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("billed_fen", sa.BigInteger(), nullable=False),
        sa.Column("handed_in_by", sa.Uuid(), nullable=False),
        sa.Column("handed_in_name", sa.String(length=80), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("compared_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("ours_count", sa.Integer(), nullable=True),
        sa.Column("ours_fen", sa.BigInteger(), nullable=True),
        sa.Column("agreed_fen", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_name", sa.String(length=80), nullable=True),
        sa.Column("confirmed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("countersigned_by", sa.Uuid(), nullable=True),
        sa.Column("countersigned_name", sa.String(length=80), nullable=True),
        sa.Column("countersigned_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("payment_order_no", sa.String(length=32), nullable=True),
        sa.Column("ordered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("voucher_no", sa.String(length=60), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'agreed' OR (confirmed_by IS NOT NULL AND countersigned_by IS NOT NULL AND countersigned_at IS NOT NULL AND agreed_fen IS NOT NULL)",
            name=op.f("ck_carrier_bill_state_agreed_c89b77"),
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL AND agreed_fen IS NOT NULL)",
            name=op.f("ck_carrier_bill_state_confirmed_9561ca"),
        ),
        sa.CheckConstraint(
            "state <> 'ordered' OR (confirmed_by IS NOT NULL AND countersigned_by IS NOT NULL AND agreed_fen IS NOT NULL AND payment_order_no IS NOT NULL AND ordered_at IS NOT NULL)",
            name=op.f("ck_carrier_bill_state_ordered_36f966"),
        ),
        sa.CheckConstraint(
            "state <> 'paid' OR (payment_order_no IS NOT NULL AND paid_on IS NOT NULL AND voucher_no IS NOT NULL)",
            name=op.f("ck_carrier_bill_state_paid_1d848f"),
        ),
        sa.CheckConstraint(
            "state IN ('checked', 'compared', 'confirmed', 'agreed', 'ordered', 'paid', 'discarded')",
            name=op.f("ck_carrier_bill_state_28e4ec"),
        ),
        sa.CheckConstraint(
            "countersigned_by IS NULL OR countersigned_by <> confirmed_by",
            name=op.f("ck_carrier_bill_two_sides_fab900"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_bill")),
        sa.UniqueConstraint("number", name=op.f("uq_carrier_bill_number")),
        sa.UniqueConstraint("payment_order_no", name=op.f("uq_carrier_bill_payment_order_no")),
    )
    with op.batch_alter_table("carrier_bill", schema=None) as batch_op:
        batch_op.create_index(
            "uq_carrier_bill_month",
            ["hall_organisation_id", "month"],
            unique=True,
            sqlite_where=sa.text("state <> 'discarded'"),
            postgresql_where=sa.text("state <> 'discarded'"),
        )

    op.create_table(
        "carrier_tariff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.String(length=12), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("first_g", sa.Integer(), nullable=False),
        sa.Column("first_fen", sa.BigInteger(), nullable=False),
        sa.Column("next_g", sa.Integer(), nullable=False),
        sa.Column("next_fen", sa.BigInteger(), nullable=False),
        sa.Column("return_percent", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("added_by_name", sa.String(length=80), nullable=False),
        sa.Column("added_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("zone IN ('city', 'province', 'nation')", name=op.f("ck_carrier_tariff_zone_cb2d9c")),
        sa.CheckConstraint(
            "first_g > 0 AND first_fen >= 0 AND next_g > 0 AND next_fen >= 0 AND return_percent BETWEEN 0 AND 200",
            name=op.f("ck_carrier_tariff_amounts_7c4904"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_tariff")),
        sa.UniqueConstraint("zone", "valid_from", name=op.f("uq_carrier_tariff_zone_valid_from")),
    )
    op.create_table(
        "hall_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column(
            "shelves", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "open_items", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "flow", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("counted_by", sa.Uuid(), nullable=False),
        sa.Column("counted_name", sa.String(length=80), nullable=False),
        sa.Column("counted_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_name", sa.String(length=80), nullable=True),
        sa.Column("signed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'signed' OR (signed_by IS NOT NULL AND signed_at IS NOT NULL)",
            name=op.f("ck_hall_day_state_signed_041958"),
        ),
        sa.CheckConstraint("state IN ('counted', 'signed')", name=op.f("ck_hall_day_state_412898")),
        sa.CheckConstraint("signed_by IS NULL OR signed_by <> counted_by", name=op.f("ck_hall_day_two_persons_e95943")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hall_day")),
        sa.UniqueConstraint("hall_organisation_id", "day", name=op.f("uq_hall_day_hall_organisation_id_day")),
        sa.UniqueConstraint("number", name=op.f("uq_hall_day_number")),
    )
    op.create_table(
        "carrier_bill_difference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("billed", sa.String(length=80), nullable=False),
        sa.Column("ours", sa.String(length=80), nullable=False),
        sa.Column("billed_fen", sa.BigInteger(), nullable=False),
        sa.Column("ours_fen", sa.BigInteger(), nullable=False),
        sa.Column("resolution", sa.String(length=12), nullable=True),
        sa.Column("agreed_fen", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("resolved_name", sa.String(length=80), nullable=True),
        sa.Column("resolved_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "resolution IS NULL OR resolution IN ('theirs', 'ours', 'other')",
            name=op.f("ck_carrier_bill_difference_resolution_8511f5"),
        ),
        sa.CheckConstraint(
            "(resolution IS NULL) = (agreed_fen IS NULL)", name=op.f("ck_carrier_bill_difference_settled_8d8690")
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["carrier_bill.id"], name=op.f("fk_carrier_bill_difference_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_bill_difference")),
    )
    with op.batch_alter_table("carrier_bill_difference", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_bill_difference_bill_id"), ["bill_id"], unique=False)
        batch_op.create_index("ix_carrier_bill_difference_open", ["bill_id", "resolution"], unique=False)

    op.create_table(
        "carrier_bill_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=12), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('delivery', 'return', 'claim')", name=op.f("ck_carrier_bill_line_kind_22b9ae")),
        sa.CheckConstraint("zone IN ('city', 'province', 'nation')", name=op.f("ck_carrier_bill_line_zone_cb2d9c")),
        sa.ForeignKeyConstraint(["bill_id"], ["carrier_bill.id"], name=op.f("fk_carrier_bill_line_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_bill_line")),
        sa.UniqueConstraint("bill_id", "row", name=op.f("uq_carrier_bill_line_bill_id_row")),
    )
    with op.batch_alter_table("carrier_bill_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_bill_line_bill_id"), ["bill_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carrier_bill_line_waybill_no"), ["waybill_no"], unique=False)

    op.create_table(
        "carrier_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("ground", sa.String(length=12), nullable=False),
        sa.Column("asked_fen", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.String(length=2000), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("filed_by_name", sa.String(length=80), nullable=False),
        sa.Column("filed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer_due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=True),
        sa.Column("answer", sa.String(length=2000), nullable=True),
        sa.Column("answered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("granted_fen", sa.BigInteger(), nullable=True),
        sa.Column("paid_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ground IN ('lost', 'damaged', 'late')", name=op.f("ck_carrier_claim_ground_860663")),
        sa.CheckConstraint(
            "state <> 'granted' OR (granted_fen IS NOT NULL AND answered_at IS NOT NULL)",
            name=op.f("ck_carrier_claim_state_granted_408965"),
        ),
        sa.CheckConstraint(
            "state <> 'paid' OR (granted_fen IS NOT NULL AND paid_at IS NOT NULL)",
            name=op.f("ck_carrier_claim_state_paid_f913ac"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR (answered_at IS NOT NULL)", name=op.f("ck_carrier_claim_state_refused_e87605")
        ),
        sa.CheckConstraint(
            "state IN ('filed', 'granted', 'refused', 'paid', 'withdrawn')", name=op.f("ck_carrier_claim_state_e92848")
        ),
        sa.CheckConstraint(
            "asked_fen > 0 AND (granted_fen IS NULL OR (granted_fen > 0 AND granted_fen <= asked_fen))",
            name=op.f("ck_carrier_claim_amounts_1a23f1"),
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_carrier_claim_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_claim")),
        sa.UniqueConstraint("number", name=op.f("uq_carrier_claim_number")),
    )
    with op.batch_alter_table("carrier_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_claim_answer_due_at"), ["answer_due_at"], unique=False)
        batch_op.create_index("ix_carrier_claim_hall", ["hall_organisation_id", "state", "filed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_carrier_claim_parcel_id"), ["parcel_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carrier_claim_waybill_no"), ["waybill_no"], unique=False)

    op.create_table(
        "custody_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("giver", sa.String(length=12), nullable=False),
        sa.Column("giver_name", sa.String(length=80), nullable=False),
        sa.Column("taker", sa.String(length=12), nullable=False),
        sa.Column("taker_name", sa.String(length=80), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("seal_no", sa.String(length=40), nullable=True),
        sa.Column("waybill_no", sa.String(length=20), nullable=True),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column(
            "evidence", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("audit_event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "giver IN ('nobody', 'centre', 'packer', 'post', 'courier', 'receiver') AND taker IN ('nobody', 'centre', 'packer', 'post', 'courier', 'receiver') AND giver <> taker",
            name=op.f("ck_custody_step_holders_0e60e3"),
        ),
        sa.CheckConstraint(
            "kind IN ('made', 'taken_to_pack', 'sealed', 'sent_back', 'collected', 'served', 'revoked', 'returned', 'fetched', 'to_centre', 'lost')",
            name=op.f("ck_custody_step_kind_d0928d"),
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_custody_step_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_step")),
        sa.UniqueConstraint("parcel_id", "position", name=op.f("uq_custody_step_parcel_id_position")),
    )
    with op.batch_alter_table("custody_step", schema=None) as batch_op:
        batch_op.create_index("ix_custody_step_at", ["at"], unique=False)

    op.create_table(
        "handover_difference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("raised_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("resolution", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_name", sa.String(length=80), nullable=True),
        sa.Column("resolved_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "resolution IS NULL OR resolution IN ('found', 'left_behind', 'with_carrier', 'lost')",
            name=op.f("ck_handover_difference_resolution_da887d"),
        ),
        sa.CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL) AND (resolution IS NULL OR reason IS NOT NULL)",
            name=op.f("ck_handover_difference_settled_b07ef2"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["handover_batch.id"], name=op.f("fk_handover_difference_batch_id")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_handover_difference_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_difference")),
        sa.UniqueConstraint("batch_id", "parcel_id", name=op.f("uq_handover_difference_batch_id_parcel_id")),
    )
    with op.batch_alter_table("handover_difference", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handover_difference_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index("ix_handover_difference_open", ["hall_organisation_id", "resolved_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_handover_difference_parcel_id"), ["parcel_id"], unique=False)

    op.create_table(
        "parcel_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=True),
        sa.Column("arrived_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("received_name", sa.String(length=80), nullable=False),
        sa.Column("cause", sa.String(length=24), nullable=False),
        sa.Column("seal_intact", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decided_name", sa.String(length=80), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("keep_until", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("ended_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "decision IS NULL OR decision <> 'keep' OR keep_until IS NOT NULL",
            name=op.f("ck_parcel_return_keep_6cfeaf"),
        ),
        sa.CheckConstraint(
            "decision IS NULL OR decision IN ('resend', 'keep', 'call', 'centre')",
            name=op.f("ck_parcel_return_decision_8961f7"),
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_return_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_return")),
    )
    with op.batch_alter_table("parcel_return", schema=None) as batch_op:
        batch_op.create_index("ix_parcel_return_hall", ["hall_organisation_id", "ended_at", "arrived_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_parcel_return_keep_until"), ["keep_until"], unique=False)
        batch_op.create_index(batch_op.f("ix_parcel_return_parcel_id"), ["parcel_id"], unique=False)
        batch_op.create_index(
            "uq_parcel_return_open",
            ["parcel_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.add_column(sa.Column("department", sa.String(length=120), server_default="", nullable=False))
        batch_op.add_column(sa.Column("item", sa.String(length=200), server_default="", nullable=False))

    with op.batch_alter_table("parcel_task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_user_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("owner_name", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("owned_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_parcel_task_owner_user_id"), ["owner_user_id"], unique=False)

    connection = op.get_bind()
    for statement in TRIGGERS[connection.dialect.name]:
        kernel_db.run_ddl(connection, statement)


def downgrade() -> None:
    with op.batch_alter_table("parcel_task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parcel_task_owner_user_id"))
        batch_op.drop_column("owned_at")
        batch_op.drop_column("owner_name")
        batch_op.drop_column("owner_user_id")

    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.drop_column("item")
        batch_op.drop_column("department")

    with op.batch_alter_table("parcel_return", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_parcel_return_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_parcel_return_parcel_id"))
        batch_op.drop_index(batch_op.f("ix_parcel_return_keep_until"))
        batch_op.drop_index("ix_parcel_return_hall")

    op.drop_table("parcel_return")
    with op.batch_alter_table("handover_difference", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handover_difference_parcel_id"))
        batch_op.drop_index("ix_handover_difference_open")
        batch_op.drop_index(batch_op.f("ix_handover_difference_batch_id"))

    op.drop_table("handover_difference")
    with op.batch_alter_table("custody_step", schema=None) as batch_op:
        batch_op.drop_index("ix_custody_step_at")

    op.drop_table("custody_step")
    with op.batch_alter_table("carrier_claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_claim_waybill_no"))
        batch_op.drop_index(batch_op.f("ix_carrier_claim_parcel_id"))
        batch_op.drop_index("ix_carrier_claim_hall")
        batch_op.drop_index(batch_op.f("ix_carrier_claim_answer_due_at"))

    op.drop_table("carrier_claim")
    with op.batch_alter_table("carrier_bill_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_bill_line_waybill_no"))
        batch_op.drop_index(batch_op.f("ix_carrier_bill_line_bill_id"))

    op.drop_table("carrier_bill_line")
    with op.batch_alter_table("carrier_bill_difference", schema=None) as batch_op:
        batch_op.drop_index("ix_carrier_bill_difference_open")
        batch_op.drop_index(batch_op.f("ix_carrier_bill_difference_bill_id"))

    op.drop_table("carrier_bill_difference")
    op.drop_table("hall_day")
    op.drop_table("carrier_tariff")
    with op.batch_alter_table("carrier_bill", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_carrier_bill_month",
            sqlite_where=sa.text("state <> 'discarded'"),
            postgresql_where=sa.text("state <> 'discarded'"),
        )

    op.drop_table("carrier_bill")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS custody_step_append_only()")
