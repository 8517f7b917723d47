"""Delivery choices, letters of authority, schedules, recipients, erasure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STATES_BEFORE = (
    "ck_parcel_state_d37889",
    "state IN ('created', 'ready', 'packed', 'booking', 'waybilled', 'handed_over', 'delivered', 'returned', 'lost', 'closed', 'cancelled')",
)
STATES = (
    "ck_parcel_state_1743dc",
    "state IN ('created', 'ready', 'packed', 'booking', 'waybilled', 'handed_over', 'delivered', 'returned', 'lost', 'closed', 'cancelled', 'merged')",
)
MERGED = ("ck_parcel_state_merged_0d57b7", "state <> 'merged' OR (merged_into_id IS NOT NULL)")
MODES_BEFORE = "mode IN ('electronic', 'window', 'courier')"
MODES = "mode IN ('electronic', 'window', 'courier', 'deposit')"
DEPOSIT = (
    "mode <> 'deposit' OR (receiver_name IS NOT NULL AND receiver_mobile IS NOT NULL"
    " AND collection_point_id IS NOT NULL AND who_may_sign IS NOT NULL AND mandate_accepted_at IS NOT NULL)"
)


def upgrade() -> None:
    op.create_table(
        "collection_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("prov", sa.String(length=40), nullable=False),
        sa.Column("city", sa.String(length=40), nullable=False),
        sa.Column("county", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("hours", sa.String(length=60), nullable=False),
        sa.Column("kept_days", sa.Integer(), nullable=False),
        sa.Column("closed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint("kept_days >= 1 AND kept_days <= 30", name=op.f("ck_collection_point_kept_days_b68a0a")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_point")),
        sa.UniqueConstraint("hall_organisation_id", "name", name=op.f("uq_collection_point_hall_organisation_id_name")),
    )
    op.create_table(
        "hall_schedule",
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("cutoff", sa.String(length=5), nullable=False),
        sa.Column(
            "windows", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("changed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hall_organisation_id", name=op.f("pk_hall_schedule")),
    )
    op.create_table(
        "service_promise",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(length=16), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("days IS NULL OR (days >= 0 AND days <= 30)", name=op.f("ck_service_promise_days_44f95e")),
        sa.CheckConstraint("fee_fen >= 0 AND fee_fen <= 1000000", name=op.f("ck_service_promise_fee_ee0e7c")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_promise")),
        sa.UniqueConstraint("hall_organisation_id", "area", name=op.f("uq_service_promise_hall_organisation_id_area")),
    )
    op.create_table(
        "collection_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts", sa.String(length=5), nullable=False),
        sa.Column("ends", sa.String(length=5), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("left_behind", sa.Integer(), nullable=True),
        sa.Column("told_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_run")),
        sa.UniqueConstraint(
            "hall_organisation_id", "day", "starts", name=op.f("uq_collection_run_hall_organisation_id_day_starts")
        ),
    )
    op.create_table(
        "parcel_terms",
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("collection_point_id", sa.Uuid(), nullable=True),
        sa.Column("fee_mode", sa.String(length=12), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_state", sa.String(length=8), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("preferred_day", sa.Date(), nullable=True),
        sa.Column("own_contents", sa.String(length=200), nullable=True),
        sa.Column("serve_alarm_wd", sa.Integer(), nullable=True),
        sa.Column("link_no", sa.Integer(), nullable=False),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("code_locked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "fee_mode IN ('government', 'prepaid', 'on_delivery')", name=op.f("ck_parcel_terms_fee_mode_f26e9d")
        ),
        sa.CheckConstraint("fee_state IN ('none', 'owed', 'paid')", name=op.f("ck_parcel_terms_fee_state_0bcea6")),
        sa.CheckConstraint("fee_fen >= 0", name=op.f("ck_parcel_terms_fee_e6002d")),
        sa.ForeignKeyConstraint(
            ["collection_point_id"], ["collection_point.id"], name=op.f("fk_parcel_terms_collection_point_id")
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_terms_parcel_id")),
        sa.PrimaryKeyConstraint("parcel_id", name=op.f("pk_parcel_terms")),
    )
    op.create_index(op.f("ix_parcel_terms_collection_point_id"), "parcel_terms", ["collection_point_id"], unique=False)
    op.create_table(
        "letter_of_authority",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("agent_name", sa.String(length=60), nullable=False),
        sa.Column("agent_id_type", sa.String(length=16), nullable=False),
        sa.Column("agent_id_last4", sa.String(length=4), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("valid_from", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("valid_until", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("granted_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("ended_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "agent_id_type IN ('resident_card', 'passport', 'hk_macao_permit', 'military', 'driving_licence')",
            name=op.f("ck_letter_of_authority_agent_id_type_d45f90"),
        ),
        sa.CheckConstraint("scope IN ('door', 'window', 'both')", name=op.f("ck_letter_of_authority_scope_1f5c43")),
        sa.CheckConstraint(
            "state <> 'expired' OR (ended_at IS NOT NULL)", name=op.f("ck_letter_of_authority_state_expired_7f2619")
        ),
        sa.CheckConstraint(
            "state <> 'revoked' OR (ended_at IS NOT NULL)", name=op.f("ck_letter_of_authority_state_revoked_8be547")
        ),
        sa.CheckConstraint(
            "state IN ('granted', 'revoked', 'expired')", name=op.f("ck_letter_of_authority_state_4a291e")
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_letter_of_authority_validity_5c43e7")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_letter_of_authority_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_of_authority")),
    )
    op.create_index("ix_letter_of_authority_due", "letter_of_authority", ["state", "valid_until"], unique=False)
    op.create_index(op.f("ix_letter_of_authority_parcel_id"), "letter_of_authority", ["parcel_id"], unique=False)
    op.create_index(
        "uq_letter_of_authority_granted",
        "letter_of_authority",
        ["parcel_id"],
        unique=True,
        sqlite_where=sa.text("state = 'granted'"),
        postgresql_where=sa.text("state = 'granted'"),
    )
    op.create_table(
        "delivery_complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by_link", sa.Boolean(), nullable=False),
        sa.Column("filed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("reply_due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("close_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("escalated_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("closed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('late', 'not_received', 'wrong_person', 'damaged', 'manner', 'fee', 'other')",
            name=op.f("ck_delivery_complaint_kind_2b1834"),
        ),
        sa.CheckConstraint(
            "state <> 'answered' OR (answer IS NOT NULL AND answered_at IS NOT NULL AND close_at IS NOT NULL)",
            name=op.f("ck_delivery_complaint_state_answered_44cd3d"),
        ),
        sa.CheckConstraint(
            "state <> 'escalated' OR (escalated_at IS NOT NULL)",
            name=op.f("ck_delivery_complaint_state_escalated_392367"),
        ),
        sa.CheckConstraint(
            "state <> 'filed' OR (reply_due_at IS NOT NULL)", name=op.f("ck_delivery_complaint_state_filed_9f23f8")
        ),
        sa.CheckConstraint(
            "state IN ('filed', 'answered', 'escalated', 'closed', 'withdrawn')",
            name=op.f("ck_delivery_complaint_state_1a324d"),
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_delivery_complaint_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_complaint")),
        sa.UniqueConstraint("number", name=op.f("uq_delivery_complaint_number")),
    )
    op.create_index(
        op.f("ix_delivery_complaint_applicant_user_id"), "delivery_complaint", ["applicant_user_id"], unique=False
    )
    op.create_index(
        "ix_delivery_complaint_hall",
        "delivery_complaint",
        ["hall_organisation_id", "state", "reply_due_at"],
        unique=False,
    )
    op.create_index(op.f("ix_delivery_complaint_parcel_id"), "delivery_complaint", ["parcel_id"], unique=False)
    op.create_index(
        "uq_delivery_complaint_open",
        "delivery_complaint",
        ["parcel_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('filed', 'answered', 'escalated')"),
        postgresql_where=sa.text("state IN ('filed', 'answered', 'escalated')"),
    )
    op.create_table(
        "papers_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column(
            "papers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("sender_name", sa.String(length=60), nullable=False),
        sa.Column("sender_mobile", sa.String(length=20), nullable=False),
        sa.Column("sender_prov", sa.String(length=40), nullable=False),
        sa.Column("sender_city", sa.String(length=40), nullable=False),
        sa.Column("sender_county", sa.String(length=40), nullable=False),
        sa.Column("sender_address", sa.String(length=200), nullable=False),
        sa.Column("pickup_on", sa.Date(), nullable=False),
        sa.Column("pickup_window", sa.String(length=11), nullable=False),
        sa.Column("order_no", sa.String(length=32), nullable=True),
        sa.Column("waybill_no", sa.String(length=20), nullable=True),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("observed_status", sa.String(length=24), nullable=False),
        sa.Column("observed_since", kernel_db.UTCDateTime(), nullable=True),
        sa.Column(
            "reports", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column(
            "missing", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("erased_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'booked' OR (order_no IS NOT NULL AND waybill_no IS NOT NULL)",
            name=op.f("ck_papers_order_state_booked_43ffff"),
        ),
        sa.CheckConstraint(
            "state <> 'received' OR (order_no IS NOT NULL AND waybill_no IS NOT NULL AND received_at IS NOT NULL AND received_by IS NOT NULL)",
            name=op.f("ck_papers_order_state_received_ba20dd"),
        ),
        sa.CheckConstraint(
            "state <> 'requested' OR (order_no IS NOT NULL)", name=op.f("ck_papers_order_state_requested_d0d222")
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'booked', 'received', 'sent_back', 'cancelled')",
            name=op.f("ck_papers_order_state_ca5f6f"),
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_papers_order_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_papers_order")),
        sa.UniqueConstraint("number", name=op.f("uq_papers_order_number")),
        sa.UniqueConstraint("order_no", name=op.f("uq_papers_order_order_no")),
        sa.UniqueConstraint("waybill_no", name=op.f("uq_papers_order_waybill_no")),
    )
    op.create_index(op.f("ix_papers_order_applicant_user_id"), "papers_order", ["applicant_user_id"], unique=False)
    op.create_index(op.f("ix_papers_order_due_at"), "papers_order", ["due_at"], unique=False)
    op.create_index(
        "ix_papers_order_hall", "papers_order", ["hall_organisation_id", "state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_papers_order_parcel_id"), "papers_order", ["parcel_id"], unique=False)
    op.create_index(op.f("ix_papers_order_subject"), "papers_order", ["subject"], unique=False)
    op.create_index(
        "uq_papers_order_open",
        "papers_order",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("state IN ('requested', 'booked')"),
        postgresql_where=sa.text("state IN ('requested', 'booked')"),
    )
    with op.batch_alter_table("parcel") as batch:
        batch.add_column(sa.Column("merged_into_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("erased_at", kernel_db.UTCDateTime(), nullable=True))
        batch.create_foreign_key(op.f("fk_parcel_merged_into_id_parcel"), "parcel", ["merged_into_id"], ["id"])
        batch.create_index(op.f("ix_parcel_merged_into_id"), ["merged_into_id"])
        batch.drop_constraint(op.f(STATES_BEFORE[0]), type_="check")
        batch.create_check_constraint(op.f(STATES[0]), sa.text(STATES[1]))
        batch.create_check_constraint(op.f(MERGED[0]), sa.text(MERGED[1]))
    op.execute(
        "INSERT INTO parcel_terms (parcel_id, fee_mode, fee_fen, fee_state, link_no, code_tries)"
        " SELECT id, 'government', 0, 'none', 0, 0 FROM parcel"
    )
    with op.batch_alter_table("approval_service") as batch:
        batch.add_column(sa.Column("collection_point_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("fee_mode", sa.String(length=12), nullable=True))
        batch.add_column(sa.Column("serve_alarm_wd", sa.BigInteger(), nullable=True))
        batch.drop_constraint(op.f("ck_approval_service_mode"), type_="check")
        batch.create_check_constraint(op.f("ck_approval_service_mode"), sa.text(MODES))
        batch.create_check_constraint(op.f("ck_approval_service_deposit_complete"), sa.text(DEPOSIT))


def downgrade() -> None:
    with op.batch_alter_table("approval_service") as batch:
        batch.drop_constraint(op.f("ck_approval_service_deposit_complete"), type_="check")
        batch.drop_constraint(op.f("ck_approval_service_mode"), type_="check")
        batch.create_check_constraint(op.f("ck_approval_service_mode"), sa.text(MODES_BEFORE))
        batch.drop_column("serve_alarm_wd")
        batch.drop_column("fee_mode")
        batch.drop_column("collection_point_id")
    with op.batch_alter_table("parcel") as batch:
        batch.drop_constraint(op.f(MERGED[0]), type_="check")
        batch.drop_constraint(op.f(STATES[0]), type_="check")
        batch.create_check_constraint(op.f(STATES_BEFORE[0]), sa.text(STATES_BEFORE[1]))
        batch.drop_index(op.f("ix_parcel_merged_into_id"))
        batch.drop_constraint(op.f("fk_parcel_merged_into_id_parcel"), type_="foreignkey")
        batch.drop_column("erased_at")
        batch.drop_column("merged_into_id")
    op.drop_table("papers_order")
    op.drop_table("delivery_complaint")
    op.drop_table("letter_of_authority")
    op.drop_table("parcel_terms")
    op.drop_table("collection_run")
    op.drop_table("service_promise")
    op.drop_table("hall_schedule")
    op.drop_table("collection_point")
