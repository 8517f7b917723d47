"""Tables of the approval cases."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER approval_material_no_delete BEFORE DELETE ON approval_material BEGIN SELECT RAISE(ABORT, 'approval_material is append-only'); END",
        "CREATE TRIGGER approval_material_no_update BEFORE UPDATE ON approval_material BEGIN SELECT RAISE(ABORT, 'approval_material is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION approval_material_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'approval_material is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER approval_material_append_only BEFORE UPDATE OR DELETE ON approval_material FOR EACH ROW EXECUTE FUNCTION approval_material_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "approval_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("department_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("legal_basis", sa.String(length=500), nullable=False),
        sa.Column("statutory_limit_wd", sa.Integer(), nullable=False),
        sa.Column("promised_limit_wd", sa.Integer(), nullable=False),
        sa.Column("certificate_title", sa.String(length=120), nullable=False),
        sa.Column("materials", sa.Text(), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "promised_limit_wd > 0 AND promised_limit_wd <= statutory_limit_wd",
            name=op.f("ck_approval_item_promise_within_law"),
        ),
        sa.ForeignKeyConstraint(
            ["department_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_approval_item_department_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_item")),
        sa.UniqueConstraint("code", name=op.f("uq_approval_item_code")),
    )
    op.create_index(
        op.f("ix_approval_item_department_organisation_id"),
        "approval_item",
        ["department_organisation_id"],
        unique=False,
    )
    op.create_table(
        "approval_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("query_code", sa.String(length=12), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("department_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("applicant_name", sa.String(length=200), nullable=False),
        sa.Column("project_name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("limit_wd", sa.Integer(), nullable=False),
        sa.Column("promised_limit_wd", sa.Integer(), nullable=False),
        sa.Column("special_procedures_count", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("correction_note", sa.Text(), nullable=True),
        sa.Column("clock_starts_on", sa.Date(), nullable=True),
        sa.Column("limit_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("limit_provisional", sa.Boolean(), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decision_text", sa.Text(), nullable=True),
        sa.Column("serve_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("served_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("serve_overdue_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'accepted' OR (accepted_at IS NOT NULL AND clock_starts_on IS NOT NULL)",
            name=op.f("ck_approval_case_state_accepted_ff1e7f"),
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR (accepted_at IS NOT NULL AND decided_at IS NOT NULL AND serve_by IS NOT NULL)",
            name=op.f("ck_approval_case_state_approved_d4b975"),
        ),
        sa.CheckConstraint(
            "state <> 'approved_with_tolerance' OR (accepted_at IS NOT NULL AND decided_at IS NOT NULL AND serve_by IS NOT NULL)",
            name=op.f("ck_approval_case_state_approved_with_tolerance_5b6660"),
        ),
        sa.CheckConstraint(
            "state <> 'handling' OR (accepted_at IS NOT NULL AND clock_starts_on IS NOT NULL)",
            name=op.f("ck_approval_case_state_handling_5a6443"),
        ),
        sa.CheckConstraint(
            "state <> 'received' OR (received_at IS NOT NULL)", name=op.f("ck_approval_case_state_received_005f1b")
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR (accepted_at IS NOT NULL AND decided_at IS NOT NULL AND serve_by IS NOT NULL)",
            name=op.f("ck_approval_case_state_rejected_b0e22d"),
        ),
        sa.CheckConstraint(
            "state <> 'special_procedure' OR (accepted_at IS NOT NULL AND clock_starts_on IS NOT NULL)",
            name=op.f("ck_approval_case_state_special_procedure_c2248e"),
        ),
        sa.CheckConstraint(
            "state <> 'special_procedure_ended' OR (accepted_at IS NOT NULL AND clock_starts_on IS NOT NULL)",
            name=op.f("ck_approval_case_state_special_procedure_ended_e4651f"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'received', 'withdrawn', 'accepted', 'out_of_remit', 'refused', 'correction', 'corrected', 'handling', 'special_procedure', 'special_procedure_ended', 'approved', 'approved_with_tolerance', 'rejected', 'recalled', 'revoked')",
            name=op.f("ck_approval_case_state_d2e427"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_organisation_id"], ["organisation.id"], name=op.f("fk_approval_case_applicant_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["applicant_user_id"], ["app_user.id"], name=op.f("fk_approval_case_applicant_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["department_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_approval_case_department_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hall_organisation_id"], ["organisation.id"], name=op.f("fk_approval_case_hall_organisation_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["approval_item.id"], name=op.f("fk_approval_case_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_case")),
        sa.UniqueConstraint("number", name=op.f("uq_approval_case_number")),
    )
    op.create_index("ix_approval_case_applicant", "approval_case", ["applicant_user_id", "created_at"], unique=False)
    op.create_index(
        "ix_approval_case_department",
        "approval_case",
        ["department_organisation_id", "state", "limit_on"],
        unique=False,
    )
    op.create_index(
        "ix_approval_case_hall", "approval_case", ["hall_organisation_id", "state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_approval_case_item_id"), "approval_case", ["item_id"], unique=False)
    op.create_index(
        "ix_approval_case_organisation", "approval_case", ["applicant_organisation_id", "created_at"], unique=False
    )
    op.create_index(op.f("ix_approval_case_thread_id"), "approval_case", ["thread_id"], unique=False)
    op.create_table(
        "approval_certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("serial", sa.String(length=32), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("queued_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("printed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("printed_by_name", sa.String(length=120), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'printed' OR (serial IS NOT NULL AND printed_at IS NOT NULL)",
            name=op.f("ck_approval_certificate_state_printed_d48730"),
        ),
        sa.CheckConstraint(
            "state <> 'spoiled' OR (serial IS NOT NULL AND printed_at IS NOT NULL)",
            name=op.f("ck_approval_certificate_state_spoiled_d1d239"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'printed', 'spoiled')", name=op.f("ck_approval_certificate_state_a14075")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["approval_case.id"], name=op.f("fk_approval_certificate_case_id")),
        sa.ForeignKeyConstraint(
            ["hall_organisation_id"], ["organisation.id"], name=op.f("fk_approval_certificate_hall_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_certificate")),
        sa.UniqueConstraint("serial", name=op.f("uq_approval_certificate_serial")),
    )
    op.create_index(op.f("ix_approval_certificate_case_id"), "approval_certificate", ["case_id"], unique=False)
    op.create_index(
        "ix_approval_certificate_queue",
        "approval_certificate",
        ["hall_organisation_id", "state", "queued_at"],
        unique=False,
    )
    op.create_table(
        "approval_demand",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("item_name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("demanded_by_name", sa.String(length=120), nullable=False),
        sa.Column("demanded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=True),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("file_title", sa.String(length=200), nullable=True),
        sa.Column("met_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint("(met_at IS NULL) = (file_id IS NULL)", name=op.f("ck_approval_demand_met_with_file")),
        sa.ForeignKeyConstraint(["case_id"], ["approval_case.id"], name=op.f("fk_approval_demand_case_id")),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_approval_demand_item_id")),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_approval_demand_item_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_demand")),
        sa.UniqueConstraint("case_id", "item_id", name=op.f("uq_approval_demand_case_id_item_id")),
    )
    op.create_index(op.f("ix_approval_demand_case_id"), "approval_demand", ["case_id"], unique=False)
    op.create_index(op.f("ix_approval_demand_item_version_id"), "approval_demand", ["item_version_id"], unique=False)
    op.create_index(op.f("ix_approval_demand_procurement_id"), "approval_demand", ["procurement_id"], unique=False)
    op.create_table(
        "approval_material",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("uploaded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["approval_case.id"], name=op.f("fk_approval_material_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_material")),
    )
    op.create_index(op.f("ix_approval_material_case_id"), "approval_material", ["case_id"], unique=False)
    op.create_table(
        "approval_service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_user_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("receiver_name", sa.String(length=60), nullable=True),
        sa.Column("receiver_mobile", sa.String(length=20), nullable=True),
        sa.Column("prov", sa.String(length=40), nullable=True),
        sa.Column("city", sa.String(length=40), nullable=True),
        sa.Column("county", sa.String(length=40), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("who_may_sign", sa.String(length=8), nullable=True),
        sa.Column("mandate_version", sa.String(length=20), nullable=True),
        sa.Column("mandate_accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("chosen_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("served_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("signer_name", sa.String(length=120), nullable=True),
        sa.Column("signer_class", sa.String(length=20), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "mode <> 'courier' OR (receiver_name IS NOT NULL AND receiver_mobile IS NOT NULL AND prov IS NOT NULL AND city IS NOT NULL AND county IS NOT NULL AND address IS NOT NULL AND who_may_sign IS NOT NULL AND mandate_accepted_at IS NOT NULL)",
            name=op.f("ck_approval_service_courier_complete"),
        ),
        sa.CheckConstraint("mode IN ('electronic', 'window', 'courier')", name=op.f("ck_approval_service_mode")),
        sa.CheckConstraint(
            "state <> 'served' OR (served_at IS NOT NULL AND signer_name IS NOT NULL)",
            name=op.f("ck_approval_service_state_served_d40881"),
        ),
        sa.CheckConstraint("state IN ('chosen', 'ready', 'served')", name=op.f("ck_approval_service_state_2b28ae")),
        sa.CheckConstraint(
            "who_may_sign IS NULL OR who_may_sign IN ('self', 'agent')", name=op.f("ck_approval_service_who_may_sign")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["approval_case.id"], name=op.f("fk_approval_service_case_id")),
        sa.ForeignKeyConstraint(
            ["hall_organisation_id"], ["organisation.id"], name=op.f("fk_approval_service_hall_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_service")),
    )
    op.create_index("uq_approval_service_case", "approval_service", ["case_id"], unique=True)
    op.create_table(
        "approval_special_procedure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("started_by_name", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_approval_special_procedure_in_order")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["approval_case.id"], name=op.f("fk_approval_special_procedure_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_special_procedure")),
    )
    op.create_index(
        op.f("ix_approval_special_procedure_case_id"), "approval_special_procedure", ["case_id"], unique=False
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_approval_special_procedure_case_id"), table_name="approval_special_procedure")
    op.drop_table("approval_special_procedure")
    op.drop_index("uq_approval_service_case", table_name="approval_service")
    op.drop_table("approval_service")
    op.drop_index(op.f("ix_approval_material_case_id"), table_name="approval_material")
    op.drop_table("approval_material")
    op.drop_index(op.f("ix_approval_demand_procurement_id"), table_name="approval_demand")
    op.drop_index(op.f("ix_approval_demand_item_version_id"), table_name="approval_demand")
    op.drop_index(op.f("ix_approval_demand_case_id"), table_name="approval_demand")
    op.drop_table("approval_demand")
    op.drop_index("ix_approval_certificate_queue", table_name="approval_certificate")
    op.drop_index(op.f("ix_approval_certificate_case_id"), table_name="approval_certificate")
    op.drop_table("approval_certificate")
    op.drop_index(op.f("ix_approval_case_thread_id"), table_name="approval_case")
    op.drop_index("ix_approval_case_organisation", table_name="approval_case")
    op.drop_index(op.f("ix_approval_case_item_id"), table_name="approval_case")
    op.drop_index("ix_approval_case_hall", table_name="approval_case")
    op.drop_index("ix_approval_case_department", table_name="approval_case")
    op.drop_index("ix_approval_case_applicant", table_name="approval_case")
    op.drop_table("approval_case")
    op.drop_index(op.f("ix_approval_item_department_organisation_id"), table_name="approval_item")
    op.drop_table("approval_item")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS approval_material_append_only() CASCADE")
