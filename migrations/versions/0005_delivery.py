"""Tables of the courier delivery."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER carrier_event_no_delete BEFORE DELETE ON carrier_event BEGIN SELECT RAISE(ABORT, 'carrier_event is append-only'); END",
        "CREATE TRIGGER carrier_event_no_update BEFORE UPDATE ON carrier_event WHEN NEW.id IS NOT OLD.id OR NEW.parcel_id IS NOT OLD.parcel_id OR NEW.waybill_no IS NOT OLD.waybill_no OR NEW.key IS NOT OLD.key OR NEW.code IS NOT OLD.code OR NEW.occurred_at IS NOT OLD.occurred_at OR NEW.received_at IS NOT OLD.received_at BEGIN SELECT RAISE(ABORT, 'carrier_event is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION carrier_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'seen' - 'raw' - 'mapping_version' = to_jsonb(OLD) - 'seen' - 'raw' - 'mapping_version' THEN RETURN NEW; END IF; RAISE EXCEPTION 'carrier_event is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER carrier_event_append_only BEFORE UPDATE OR DELETE ON carrier_event FOR EACH ROW EXECUTE FUNCTION carrier_event_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "handover_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("offered_by", sa.Uuid(), nullable=True),
        sa.Column("offered_name", sa.String(length=80), nullable=True),
        sa.Column("offered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("offered_count", sa.Integer(), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("taken_name", sa.String(length=80), nullable=True),
        sa.Column("taken_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("taken_count", sa.Integer(), nullable=True),
        sa.Column("courier_name", sa.String(length=40), nullable=True),
        sa.Column("courier_staff_no", sa.String(length=40), nullable=True),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'offered' OR (offered_by IS NOT NULL AND offered_at IS NOT NULL AND offered_count IS NOT NULL)",
            name=op.f("ck_handover_batch_state_offered_936365"),
        ),
        sa.CheckConstraint(
            "state <> 'taken_over' OR (offered_by IS NOT NULL AND offered_at IS NOT NULL AND offered_count IS NOT NULL AND taken_by IS NOT NULL AND taken_at IS NOT NULL AND taken_count IS NOT NULL AND courier_name IS NOT NULL)",
            name=op.f("ck_handover_batch_state_taken_over_b711db"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'offered', 'taken_over', 'cancelled')", name=op.f("ck_handover_batch_state_67094a")
        ),
        sa.CheckConstraint(
            "taken_by IS NULL OR taken_by <> offered_by", name=op.f("ck_handover_batch_two_signatures_c73113")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_batch")),
        sa.UniqueConstraint("number", name=op.f("uq_handover_batch_number")),
    )
    op.create_index(
        "ix_handover_batch_hall", "handover_batch", ["hall_organisation_id", "state", "created_at"], unique=False
    )
    op.create_table(
        "parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("serve_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("contents", sa.String(length=200), nullable=False),
        sa.Column("who_may_sign", sa.String(length=10), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("receiver_name", sa.String(length=60), nullable=False),
        sa.Column("receiver_mobile", sa.String(length=20), nullable=False),
        sa.Column("receiver_prov", sa.String(length=40), nullable=False),
        sa.Column("receiver_city", sa.String(length=40), nullable=False),
        sa.Column("receiver_county", sa.String(length=40), nullable=False),
        sa.Column("receiver_address", sa.String(length=200), nullable=False),
        sa.Column("pickup_code", sa.String(length=6), nullable=False),
        sa.Column("ready_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("packed_by", sa.Uuid(), nullable=True),
        sa.Column("packed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("checked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("seal_no", sa.String(length=40), nullable=True),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("order_no", sa.String(length=32), nullable=True),
        sa.Column("booking_due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("booking_tries", sa.Integer(), nullable=False),
        sa.Column("booking_uncertain", sa.Boolean(), nullable=False),
        sa.Column("booking_problem", sa.String(length=300), nullable=True),
        sa.Column("waybill_no", sa.String(length=20), nullable=True),
        sa.Column("route_code", sa.String(length=40), nullable=True),
        sa.Column("package_name", sa.String(length=60), nullable=True),
        sa.Column("destination_name", sa.String(length=60), nullable=True),
        sa.Column("label_printed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("label_prints", sa.Integer(), nullable=False),
        sa.Column("handed_over_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("observed_status", sa.String(length=24), nullable=False),
        sa.Column("observed_since", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("last_report_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("last_checked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("check_problem", sa.String(length=300), nullable=True),
        sa.Column("next_poll_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("quiet_polls", sa.Integer(), nullable=False),
        sa.Column("signer_class", sa.String(length=20), nullable=True),
        sa.Column("signer_name", sa.String(length=60), nullable=True),
        sa.Column("delivered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("close_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("track_tries", sa.Integer(), nullable=False),
        sa.Column("track_locked_until", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'booking' OR (packed_by IS NOT NULL AND checked_by IS NOT NULL AND seal_no IS NOT NULL AND order_no IS NOT NULL)",
            name=op.f("ck_parcel_state_booking_f464aa"),
        ),
        sa.CheckConstraint(
            "state <> 'delivered' OR (waybill_no IS NOT NULL AND delivered_at IS NOT NULL)",
            name=op.f("ck_parcel_state_delivered_f4d9f0"),
        ),
        sa.CheckConstraint(
            "state <> 'handed_over' OR (waybill_no IS NOT NULL AND handed_over_at IS NOT NULL)",
            name=op.f("ck_parcel_state_handed_over_5cafea"),
        ),
        sa.CheckConstraint(
            "state <> 'packed' OR (packed_by IS NOT NULL AND seal_no IS NOT NULL)",
            name=op.f("ck_parcel_state_packed_707b5e"),
        ),
        sa.CheckConstraint(
            "state <> 'waybilled' OR (waybill_no IS NOT NULL AND order_no IS NOT NULL)",
            name=op.f("ck_parcel_state_waybilled_8dc254"),
        ),
        sa.CheckConstraint(
            "state IN ('created', 'ready', 'packed', 'booking', 'waybilled', 'handed_over', 'delivered', 'returned', 'lost', 'closed', 'cancelled')",
            name=op.f("ck_parcel_state_d37889"),
        ),
        sa.CheckConstraint(
            "checked_by IS NULL OR checked_by <> packed_by", name=op.f("ck_parcel_second_person_c91f31")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel")),
        sa.UniqueConstraint("number", name=op.f("uq_parcel_number")),
        sa.UniqueConstraint("order_no", name=op.f("uq_parcel_order_no")),
        sa.UniqueConstraint("seal_no", name=op.f("uq_parcel_seal_no")),
    )
    op.create_index(op.f("ix_parcel_applicant_user_id"), "parcel", ["applicant_user_id"], unique=False)
    op.create_index(op.f("ix_parcel_booking_due_at"), "parcel", ["booking_due_at"], unique=False)
    op.create_index("ix_parcel_hall", "parcel", ["hall_organisation_id", "state", "serve_by"], unique=False)
    op.create_index(op.f("ix_parcel_next_poll_at"), "parcel", ["next_poll_at"], unique=False)
    op.create_index(op.f("ix_parcel_subject"), "parcel", ["subject"], unique=False)
    op.create_index(op.f("ix_parcel_thread_id"), "parcel", ["thread_id"], unique=False)
    op.create_index(op.f("ix_parcel_waybill_no"), "parcel", ["waybill_no"], unique=False)
    op.create_table(
        "carrier_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("occurred_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column(
            "seen", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("raw", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False),
        sa.Column("mapping_version", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_carrier_event_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_event")),
        sa.UniqueConstraint("parcel_id", "key", name=op.f("uq_carrier_event_parcel_id_key")),
    )
    op.create_index(op.f("ix_carrier_event_parcel_id"), "carrier_event", ["parcel_id"], unique=False)
    op.create_index("ix_carrier_event_time", "carrier_event", ["parcel_id", "occurred_at"], unique=False)
    op.create_table(
        "carrier_hint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_carrier_hint_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_hint")),
        sa.UniqueConstraint("parcel_id", "key", name=op.f("uq_carrier_hint_parcel_id_key")),
    )
    op.create_index(op.f("ix_carrier_hint_parcel_id"), "carrier_hint", ["parcel_id"], unique=False)
    op.create_table(
        "handover_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("listed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("outcome IN ('listed', 'taken', 'missing')", name=op.f("ck_handover_line_outcome_fe705d")),
        sa.ForeignKeyConstraint(["batch_id"], ["handover_batch.id"], name=op.f("fk_handover_line_batch_id")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_handover_line_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_line")),
        sa.UniqueConstraint("batch_id", "parcel_id", name=op.f("uq_handover_line_batch_id_parcel_id")),
    )
    op.create_index(op.f("ix_handover_line_batch_id"), "handover_line", ["batch_id"], unique=False)
    op.create_index(op.f("ix_handover_line_parcel_id"), "handover_line", ["parcel_id"], unique=False)
    op.create_index(
        "uq_handover_line_listed",
        "handover_line",
        ["parcel_id"],
        unique=True,
        sqlite_where=sa.text("outcome = 'listed'"),
        postgresql_where=sa.text("outcome = 'listed'"),
    )
    op.create_table(
        "parcel_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("fact", sa.String(length=300), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("raised_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("resolved_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_task_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_task")),
        sa.UniqueConstraint("parcel_id", "kind", "cause", name=op.f("uq_parcel_task_parcel_id_kind_cause")),
    )
    op.create_index(
        "ix_parcel_task_open", "parcel_task", ["hall_organisation_id", "resolved_at", "due_at"], unique=False
    )
    op.create_index(op.f("ix_parcel_task_parcel_id"), "parcel_task", ["parcel_id"], unique=False)
    op.create_table(
        "waybill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("order_no", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("cancel_due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("cancel_tries", sa.Integer(), nullable=False),
        sa.Column("label_pdf", sa.LargeBinary(), nullable=True),
        sa.Column("label_fetched_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('live', 'cancelling', 'cancelled', 'stuck')", name=op.f("ck_waybill_state_3ba517")
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_waybill_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waybill")),
        sa.UniqueConstraint("waybill_no", name=op.f("uq_waybill_waybill_no")),
    )
    op.create_index(op.f("ix_waybill_cancel_due_at"), "waybill", ["cancel_due_at"], unique=False)
    op.create_index(op.f("ix_waybill_parcel_id"), "waybill", ["parcel_id"], unique=False)
    op.create_index(
        "uq_waybill_live",
        "waybill",
        ["parcel_id"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    op.drop_index(
        "uq_waybill_live",
        table_name="waybill",
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.drop_index(op.f("ix_waybill_parcel_id"), table_name="waybill")
    op.drop_index(op.f("ix_waybill_cancel_due_at"), table_name="waybill")
    op.drop_table("waybill")
    op.drop_index(op.f("ix_parcel_task_parcel_id"), table_name="parcel_task")
    op.drop_index("ix_parcel_task_open", table_name="parcel_task")
    op.drop_table("parcel_task")
    op.drop_index(
        "uq_handover_line_listed",
        table_name="handover_line",
        sqlite_where=sa.text("outcome = 'listed'"),
        postgresql_where=sa.text("outcome = 'listed'"),
    )
    op.drop_index(op.f("ix_handover_line_parcel_id"), table_name="handover_line")
    op.drop_index(op.f("ix_handover_line_batch_id"), table_name="handover_line")
    op.drop_table("handover_line")
    op.drop_index(op.f("ix_carrier_hint_parcel_id"), table_name="carrier_hint")
    op.drop_table("carrier_hint")
    op.drop_index("ix_carrier_event_time", table_name="carrier_event")
    op.drop_index(op.f("ix_carrier_event_parcel_id"), table_name="carrier_event")
    op.drop_table("carrier_event")
    op.drop_index(op.f("ix_parcel_waybill_no"), table_name="parcel")
    op.drop_index(op.f("ix_parcel_thread_id"), table_name="parcel")
    op.drop_index(op.f("ix_parcel_subject"), table_name="parcel")
    op.drop_index(op.f("ix_parcel_next_poll_at"), table_name="parcel")
    op.drop_index("ix_parcel_hall", table_name="parcel")
    op.drop_index(op.f("ix_parcel_booking_due_at"), table_name="parcel")
    op.drop_index(op.f("ix_parcel_applicant_user_id"), table_name="parcel")
    op.drop_table("parcel")
    op.drop_index("ix_handover_batch_hall", table_name="handover_batch")
    op.drop_table("handover_batch")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS carrier_event_append_only() CASCADE")
