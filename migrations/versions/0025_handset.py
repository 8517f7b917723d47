"""Courier rounds and proofs of delivery."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER door_record_no_delete BEFORE DELETE ON door_record BEGIN SELECT RAISE(ABORT, 'door_record is append-only'); END",
        "CREATE TRIGGER door_record_no_update BEFORE UPDATE ON door_record WHEN NEW.id IS NOT OLD.id OR NEW.number IS NOT OLD.number OR NEW.fingerprint IS NOT OLD.fingerprint OR NEW.stop_id IS NOT OLD.stop_id OR NEW.parcel_id IS NOT OLD.parcel_id OR NEW.waybill_no IS NOT OLD.waybill_no OR NEW.courier_user_id IS NOT OLD.courier_user_id OR NEW.courier_name IS NOT OLD.courier_name OR NEW.device_id IS NOT OLD.device_id OR NEW.kind IS NOT OLD.kind OR NEW.standing IS NOT OLD.standing OR NEW.doubts IS NOT OLD.doubts OR NEW.device_at IS NOT OLD.device_at OR NEW.offset_ms IS NOT OLD.offset_ms OR NEW.occurred_at IS NOT OLD.occurred_at OR NEW.received_at IS NOT OLD.received_at OR NEW.is_skewed IS NOT OLD.is_skewed OR NEW.signer IS NOT OLD.signer OR NEW.id_type IS NOT OLD.id_type OR NEW.code_check IS NOT OLD.code_check OR NEW.reason IS NOT OLD.reason OR NEW.next_step IS NOT OLD.next_step OR NEW.photo_sha256 IS NOT OLD.photo_sha256 OR NEW.signature_sha256 IS NOT OLD.signature_sha256 BEGIN SELECT RAISE(ABORT, 'door_record is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION door_record_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'signer_name' - 'id_last4' - 'note' - 'photo_file_id' - 'signature_file_id' = to_jsonb(OLD) - 'signer_name' - 'id_last4' - 'note' - 'photo_file_id' - 'signature_file_id' THEN RETURN NEW; END IF; RAISE EXCEPTION 'door_record is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER door_record_append_only BEFORE UPDATE OR DELETE ON door_record FOR EACH ROW EXECUTE FUNCTION door_record_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "courier_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("hall_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("courier_user_id", sa.Uuid(), nullable=False),
        sa.Column("courier_name", sa.String(length=80), nullable=False),
        sa.Column("work_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("set_out_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("finished_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("storage_key", sa.String(length=44), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'done' OR (set_out_at IS NOT NULL AND finished_at IS NOT NULL)",
            name=op.f("ck_courier_round_state_done_1547f2"),
        ),
        sa.CheckConstraint(
            "state <> 'out' OR (set_out_at IS NOT NULL AND storage_key IS NOT NULL)",
            name=op.f("ck_courier_round_state_out_29da51"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'out', 'done', 'cancelled')", name=op.f("ck_courier_round_state_cc0d08")
        ),
        sa.CheckConstraint("storage_key IS NULL OR state = 'out'", name=op.f("ck_courier_round_key_dies_448946")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_round")),
        sa.UniqueConstraint("number", name=op.f("uq_courier_round_number")),
    )
    op.create_index("ix_courier_round_courier", "courier_round", ["courier_user_id", "state"], unique=False)
    op.create_index("ix_courier_round_hall", "courier_round", ["hall_organisation_id", "work_day"], unique=False)
    op.create_table(
        "round_stop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("code_locked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("code_unlocked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('open', 'delivered', 'failed', 'taken_off')", name=op.f("ck_round_stop_outcome_4f71b7")
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_round_stop_parcel_id")),
        sa.ForeignKeyConstraint(["round_id"], ["courier_round.id"], name=op.f("fk_round_stop_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_stop")),
        sa.UniqueConstraint("round_id", "parcel_id", name=op.f("uq_round_stop_round_id_parcel_id")),
    )
    op.create_index(op.f("ix_round_stop_parcel_id"), "round_stop", ["parcel_id"], unique=False)
    op.create_index(op.f("ix_round_stop_round_id"), "round_stop", ["round_id"], unique=False)
    op.create_index(
        "uq_round_stop_open",
        "round_stop",
        ["parcel_id"],
        unique=True,
        sqlite_where=sa.text("outcome = 'open'"),
        postgresql_where=sa.text("outcome = 'open'"),
    )
    op.create_table(
        "door_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("courier_user_id", sa.Uuid(), nullable=False),
        sa.Column("courier_name", sa.String(length=80), nullable=False),
        sa.Column("device_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("doubts", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False),
        sa.Column("device_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("is_skewed", sa.Boolean(), nullable=False),
        sa.Column("signer", sa.String(length=12), nullable=True),
        sa.Column("signer_name", sa.String(length=60), nullable=True),
        sa.Column("id_type", sa.String(length=20), nullable=True),
        sa.Column("id_last4", sa.String(length=4), nullable=True),
        sa.Column("code_check", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("next_step", sa.String(length=12), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("photo_file_id", sa.Uuid(), nullable=True),
        sa.Column("photo_sha256", sa.String(length=64), nullable=True),
        sa.Column("signature_file_id", sa.Uuid(), nullable=True),
        sa.Column("signature_sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint("kind <> 'delivered' OR signer IS NOT NULL", name=op.f("ck_door_record_who_signed_a4e732")),
        sa.CheckConstraint(
            "kind <> 'failed' OR (reason IS NOT NULL AND next_step IS NOT NULL)",
            name=op.f("ck_door_record_why_not_200472"),
        ),
        sa.CheckConstraint(
            "kind IN ('delivered', 'failed', 'code_locked')", name=op.f("ck_door_record_record_kind_c794d7")
        ),
        sa.CheckConstraint(
            "standing IN ('counted', 'evidence', 'doubtful', 'conflict', 'late')",
            name=op.f("ck_door_record_record_standing_c2605a"),
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_door_record_parcel_id")),
        sa.ForeignKeyConstraint(["photo_file_id"], ["stored_file.id"], name=op.f("fk_door_record_photo_file_id")),
        sa.ForeignKeyConstraint(
            ["signature_file_id"], ["stored_file.id"], name=op.f("fk_door_record_signature_file_id")
        ),
        sa.ForeignKeyConstraint(["stop_id"], ["round_stop.id"], name=op.f("fk_door_record_stop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_record")),
        sa.UniqueConstraint("number", name=op.f("uq_door_record_number")),
    )
    op.create_index("ix_door_record_parcel", "door_record", ["parcel_id", "received_at"], unique=False)
    op.create_index(op.f("ix_door_record_parcel_id"), "door_record", ["parcel_id"], unique=False)
    op.create_index(op.f("ix_door_record_stop_id"), "door_record", ["stop_id"], unique=False)
    op.create_index(
        "uq_door_record_counted",
        "door_record",
        ["waybill_no"],
        unique=True,
        sqlite_where=sa.text("kind = 'delivered' AND standing = 'counted'"),
        postgresql_where=sa.text("kind = 'delivered' AND standing = 'counted'"),
    )
    for statement in TRIGGERS[op.get_context().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    op.drop_table("door_record")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION door_record_append_only()")
    op.drop_table("round_stop")
    op.drop_table("courier_round")
