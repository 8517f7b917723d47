"""Tables of practitioners, representatives, measures and changes of agencies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER agency_measure_no_delete BEFORE DELETE ON agency_measure BEGIN SELECT RAISE(ABORT, 'agency_measure is append-only'); END",
        "CREATE TRIGGER agency_measure_no_update BEFORE UPDATE ON agency_measure WHEN NEW.id IS NOT OLD.id OR NEW.agency_id IS NOT OLD.agency_id OR NEW.kind IS NOT OLD.kind OR NEW.item_id IS NOT OLD.item_id OR NEW.reason IS NOT OLD.reason OR NEW.source IS NOT OLD.source OR NEW.decided_by IS NOT OLD.decided_by OR NEW.decided_by_name IS NOT OLD.decided_by_name OR NEW.decided_at IS NOT OLD.decided_at OR NEW.ends_at IS NOT OLD.ends_at BEGIN SELECT RAISE(ABORT, 'agency_measure is append-only'); END",
        "CREATE TRIGGER qualification_reminder_no_delete BEFORE DELETE ON qualification_reminder BEGIN SELECT RAISE(ABORT, 'qualification_reminder is append-only'); END",
        "CREATE TRIGGER qualification_reminder_no_update BEFORE UPDATE ON qualification_reminder BEGIN SELECT RAISE(ABORT, 'qualification_reminder is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION agency_measure_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'lifted_at' - 'lift_reason' = to_jsonb(OLD) - 'lifted_at' - 'lift_reason' THEN RETURN NEW; END IF; RAISE EXCEPTION 'agency_measure is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER agency_measure_append_only BEFORE UPDATE OR DELETE ON agency_measure FOR EACH ROW EXECUTE FUNCTION agency_measure_append_only()",
        "CREATE FUNCTION qualification_reminder_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'qualification_reminder is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER qualification_reminder_append_only BEFORE UPDATE OR DELETE ON qualification_reminder FOR EACH ROW EXECUTE FUNCTION qualification_reminder_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "agency_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column(
            "proposed", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "before", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by_name", sa.String(length=80), nullable=False),
        sa.Column("asked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=80), nullable=False),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('basic', 'representative', 'qualification', 'staff')",
            name=op.f("ck_agency_change_known_kind_bc3b39"),
        ),
        sa.CheckConstraint(
            "state <> 'accepted' OR (decided_at IS NOT NULL)", name=op.f("ck_agency_change_state_accepted_57a0db")
        ),
        sa.CheckConstraint(
            "state <> 'pending' OR (due_at IS NOT NULL)", name=op.f("ck_agency_change_state_pending_f61cc2")
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR (decided_at IS NOT NULL)", name=op.f("ck_agency_change_state_refused_902e8f")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'refused', 'withdrawn')", name=op.f("ck_agency_change_state_395a56")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_change_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency_change")),
    )
    with op.batch_alter_table("agency_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agency_change_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index("ix_agency_change_state_due", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_agency_change_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index(
            "uq_agency_change_pending",
            ["agency_id", "kind"],
            unique=True,
            sqlite_where=sa.text("state = 'pending' AND kind IN ('basic', 'representative')"),
            postgresql_where=sa.text("state = 'pending' AND kind IN ('basic', 'representative')"),
        )

    op.create_table(
        "agency_measure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=80), nullable=False),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("ends_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("lifted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'restrict') = (item_id IS NOT NULL)",
            name=op.f("ck_agency_measure_restriction_names_its_service_432293"),
        ),
        sa.CheckConstraint(
            "kind IN ('restrict', 'suspend', 'blacklist', 'remove')",
            name=op.f("ck_agency_measure_known_measure_ce310b"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_measure_agency_id")),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_agency_measure_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency_measure")),
    )
    with op.batch_alter_table("agency_measure", schema=None) as batch_op:
        batch_op.create_index("ix_agency_measure_due", ["lifted_at", "ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_agency_measure_item_id"), ["item_id"], unique=False)
        batch_op.create_index("ix_agency_measure_open", ["agency_id", "lifted_at"], unique=False)

    op.create_table(
        "agency_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_body", sa.Boolean(), nullable=False),
        sa.Column("id_digest", sa.String(length=64), nullable=False),
        sa.Column("id_masked", sa.String(length=24), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("share_permille", sa.Integer(), nullable=True),
        sa.Column("since", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("ended_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "part IN ('legal_representative', 'authorised', 'shareholder', 'controller')",
            name=op.f("ck_agency_person_known_part_9369cf"),
        ),
        sa.CheckConstraint(
            "share_permille IS NULL OR share_permille BETWEEN 1 AND 1000",
            name=op.f("ck_agency_person_share_in_thousandths_c8b11b"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_person_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency_person")),
    )
    with op.batch_alter_table("agency_person", schema=None) as batch_op:
        batch_op.create_index("ix_agency_person_agency", ["agency_id", "ended_at"], unique=False)
        batch_op.create_index("ix_agency_person_digest", ["id_digest"], unique=False)
        batch_op.create_index(
            "uq_agency_person_representative",
            ["agency_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL AND part = 'legal_representative'"),
            postgresql_where=sa.text("ended_at IS NULL AND part = 'legal_representative'"),
        )
        batch_op.create_index(
            "uq_agency_person_still",
            ["agency_id", "part", "id_digest"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "agency_service",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_service_agency_id")),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_agency_service_item_id")),
        sa.PrimaryKeyConstraint("agency_id", "item_id", name=op.f("pk_agency_service")),
    )
    with op.batch_alter_table("agency_service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agency_service_item_id"), ["item_id"], unique=False)

    op.create_table(
        "practitioner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("id_digest", sa.String(length=64), nullable=False),
        sa.Column("id_masked", sa.String(length=24), nullable=False),
        sa.Column("is_full_time", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("employed_from", sa.Date(), nullable=False),
        sa.Column("leaves_on", sa.Date(), nullable=True),
        sa.Column("leaves_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("insurance_file_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'valid', 'refused', 'left')", name=op.f("ck_practitioner_state_6344a4")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_practitioner_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner")),
    )
    with op.batch_alter_table("practitioner", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_practitioner_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_practitioner_id_digest"), ["id_digest"], unique=False)
        batch_op.create_index("ix_practitioner_state_leaves", ["state", "leaves_at"], unique=False)
        batch_op.create_index(
            "uq_practitioner_full_time",
            ["id_digest"],
            unique=True,
            sqlite_where=sa.text("is_full_time AND state IN ('pending', 'valid')"),
            postgresql_where=sa.text("is_full_time AND state IN ('pending', 'valid')"),
        )

    op.create_table(
        "qualification_reminder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("qualification_id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("sent_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["qualification_id"], ["qualification.id"], name=op.f("fk_qualification_reminder_qualification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qualification_reminder")),
        sa.UniqueConstraint("qualification_id", "days", name=op.f("uq_qualification_reminder_qualification_id_days")),
    )
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("open_objections", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("exit_asked_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("left_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("may_reapply_at", kernel_db.UTCDateTime(), nullable=True))
    # whoever left before this revision may apply again at once
    op.execute("UPDATE agency SET left_at = created_at, may_reapply_at = created_at WHERE state = 'exited'")
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_agency_state_049a00"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_agency_objections_counted_bdad6c"), "open_objections >= 0")
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_blacklisted_5ed833"), "state <> 'blacklisted' OR (admitted_at IS NOT NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_change_pending_eb123b"),
            "state <> 'change_pending' OR (admitted_at IS NOT NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_d5a4c6"),
            "state IN ('draft', 'submitted', 'returned', 'cancelled', 'publicity', 'rejected', 'active', 'restricted', 'change_pending', 'suspended', 'blacklisted', 'exit_pending', 'exited', 'removed')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_exit_pending_c3af87"),
            "state <> 'exit_pending' OR (admitted_at IS NOT NULL AND exit_asked_at IS NOT NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_exited_29348e"),
            "state <> 'exited' OR (left_at IS NOT NULL AND may_reapply_at IS NOT NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_removed_d6ae52"),
            "state <> 'removed' OR (left_at IS NOT NULL AND may_reapply_at IS NOT NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_restricted_7fe04e"), "state <> 'restricted' OR (admitted_at IS NOT NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_suspended_d271e9"), "state <> 'suspended' OR (admitted_at IS NOT NULL)"
        )

    with op.batch_alter_table("qualification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("practitioner_id", sa.Uuid(), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_qualification_agency_id_kind_number"), type_="unique")
        batch_op.create_index(batch_op.f("ix_qualification_practitioner_id"), ["practitioner_id"], unique=False)
        batch_op.create_index(
            "uq_qualification_current",
            ["agency_id", "kind", "number", "expires_on"],
            unique=True,
            sqlite_where=sa.text("state IN ('pending', 'valid')"),
            postgresql_where=sa.text("state IN ('pending', 'valid')"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_qualification_practitioner_id"), "practitioner", ["practitioner_id"], ["id"]
        )
        batch_op.drop_constraint(batch_op.f("ck_qualification_state_0d9f1d"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_qualification_state_67204c"),
            "state IN ('pending', 'valid', 'refused', 'expired', 'revoked', 'given_up')",
        )
        batch_op.drop_column("reminded_days")

    connection = op.get_bind()
    for statement in TRIGGERS[connection.dialect.name]:
        kernel_db.run_ddl(connection, statement)


def downgrade() -> None:
    with op.batch_alter_table("qualification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reminded_days", sa.INTEGER(), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_qualification_state_67204c"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_qualification_state_0d9f1d"),
            "state IN ('pending', 'valid', 'refused', 'expired', 'revoked')",
        )
        batch_op.drop_constraint(batch_op.f("fk_qualification_practitioner_id"), type_="foreignkey")
        batch_op.drop_index(
            "uq_qualification_current",
            sqlite_where=sa.text("state IN ('pending', 'valid')"),
            postgresql_where=sa.text("state IN ('pending', 'valid')"),
        )
        batch_op.drop_index(batch_op.f("ix_qualification_practitioner_id"))
        batch_op.create_unique_constraint(
            batch_op.f("uq_qualification_agency_id_kind_number"), ["agency_id", "kind", "number"]
        )
        batch_op.drop_column("practitioner_id")

    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_agency_state_suspended_d271e9"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_restricted_7fe04e"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_removed_d6ae52"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_exited_29348e"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_exit_pending_c3af87"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_d5a4c6"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_change_pending_eb123b"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_state_blacklisted_5ed833"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_agency_objections_counted_bdad6c"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_agency_state_049a00"),
            "state IN ('draft', 'submitted', 'returned', 'publicity', 'active', 'suspended', 'rejected', 'exited')",
        )
        batch_op.drop_column("may_reapply_at")
        batch_op.drop_column("left_at")
        batch_op.drop_column("exit_asked_at")
        batch_op.drop_column("open_objections")

    op.drop_table("qualification_reminder")
    with op.batch_alter_table("practitioner", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_practitioner_full_time",
            sqlite_where=sa.text("is_full_time AND state IN ('pending', 'valid')"),
            postgresql_where=sa.text("is_full_time AND state IN ('pending', 'valid')"),
        )
        batch_op.drop_index("ix_practitioner_state_leaves")
        batch_op.drop_index(batch_op.f("ix_practitioner_id_digest"))
        batch_op.drop_index(batch_op.f("ix_practitioner_agency_id"))

    op.drop_table("practitioner")
    with op.batch_alter_table("agency_service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agency_service_item_id"))

    op.drop_table("agency_service")
    with op.batch_alter_table("agency_person", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_agency_person_still",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(
            "uq_agency_person_representative",
            sqlite_where=sa.text("ended_at IS NULL AND part = 'legal_representative'"),
            postgresql_where=sa.text("ended_at IS NULL AND part = 'legal_representative'"),
        )
        batch_op.drop_index("ix_agency_person_digest")
        batch_op.drop_index("ix_agency_person_agency")

    op.drop_table("agency_person")
    with op.batch_alter_table("agency_measure", schema=None) as batch_op:
        batch_op.drop_index("ix_agency_measure_open")
        batch_op.drop_index(batch_op.f("ix_agency_measure_item_id"))
        batch_op.drop_index("ix_agency_measure_due")

    op.drop_table("agency_measure")
    with op.batch_alter_table("agency_change", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_agency_change_pending",
            sqlite_where=sa.text("state = 'pending' AND kind IN ('basic', 'representative')"),
            postgresql_where=sa.text("state = 'pending' AND kind IN ('basic', 'representative')"),
        )
        batch_op.drop_index(batch_op.f("ix_agency_change_subject_id"))
        batch_op.drop_index("ix_agency_change_state_due")
        batch_op.drop_index(batch_op.f("ix_agency_change_agency_id"))

    op.drop_table("agency_change")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS agency_measure_append_only()")
        op.execute("DROP FUNCTION IF EXISTS qualification_reminder_append_only()")
