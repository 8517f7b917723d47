"""A handset of a round can be given up; what it still sends is kept and refused."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

OLD = ("standing IN ('counted', 'evidence', 'doubtful', 'conflict', 'late')", "ck_door_record_record_standing_c2605a")
NEW = (
    "standing IN ('counted', 'evidence', 'doubtful', 'conflict', 'refused', 'late')",
    "ck_door_record_record_standing_86ec75",
)
FIXED = (
    "id", "number", "fingerprint", "stop_id", "parcel_id", "waybill_no", "courier_user_id", "courier_name", "device_id", "kind",
    "standing", "doubts", "device_at", "offset_ms", "occurred_at", "received_at", "is_skewed", "signer", "id_type", "code_check",
    "reason", "next_step", "photo_sha256", "signature_sha256",
)  # fmt: skip
CHANGED = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in FIXED)
TRIGGERS = (
    "CREATE TRIGGER door_record_no_delete BEFORE DELETE ON door_record BEGIN SELECT RAISE(ABORT, 'door_record is append-only'); END",
    f"CREATE TRIGGER door_record_no_update BEFORE UPDATE ON door_record WHEN {CHANGED} BEGIN SELECT RAISE(ABORT, 'door_record is append-only'); END",
)


def upgrade() -> None:
    op.add_column("courier_round", sa.Column("handset_no", sa.Integer(), server_default="1", nullable=False))
    _change_standings(OLD[1], NEW)


def downgrade() -> None:
    # records of handsets that were given up become what a person has to look at
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER door_record_no_update")
    else:
        op.execute("ALTER TABLE door_record DISABLE TRIGGER door_record_append_only")
    op.execute("UPDATE door_record SET standing = 'doubtful' WHERE standing = 'refused'")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE door_record ENABLE TRIGGER door_record_append_only")
    _change_standings(NEW[1], OLD)
    with op.batch_alter_table("courier_round") as batch:
        batch.drop_column("handset_no")


def _change_standings(old: str, new: tuple[str, str]) -> None:
    with op.batch_alter_table("door_record") as batch:
        batch.drop_constraint(op.f(old), type_="check")
        batch.create_check_constraint(op.f(new[1]), new[0])
    if op.get_context().dialect.name == "sqlite":  # a rebuilt table has lost its triggers
        for statement in TRIGGERS:
            kernel_db.run_ddl(op.get_bind(), statement)
