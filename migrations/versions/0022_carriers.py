"""Opinions of a second source, passes that read reports again, and an index of notices that wait."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import JSONValue, UTCDateTime, append_only_statements, run_ddl

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OPEN = sa.text("finished_at IS NULL")
WAITING = sa.text("done_at IS NULL")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "second_opinion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("waybill_no", sa.String(length=20), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=True),
        sa.Column("since", UTCDateTime(), nullable=True),
        sa.Column("told", sa.String(length=300), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("raw", JSONValue, nullable=False),
        sa.Column("mapping_version", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_second_opinion_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_opinion")),
    )
    op.create_index(op.f("ix_second_opinion_parcel_id"), "second_opinion", ["parcel_id"])
    op.create_index("ix_second_opinion_latest", "second_opinion", ["parcel_id", "asked_at"])
    op.create_table(
        "second_question",
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_second_question_parcel_id")),
        sa.PrimaryKeyConstraint("parcel_id", name=op.f("pk_second_question")),
    )
    op.create_index(op.f("ix_second_question_due_at"), "second_question", ["due_at"])
    op.create_table(
        "mapping_replay",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("mapping_version", sa.String(length=20), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("changed_reports", sa.Integer(), nullable=False),
        sa.Column("changed_parcels", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("mode IN ('trial', 'real')", name=op.f("ck_mapping_replay_mode_468982")),
        sa.CheckConstraint("mode <> 'real' OR reason IS NOT NULL", name=op.f("ck_mapping_replay_reason_4236af")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_replay")),
    )
    op.create_index(
        "uq_mapping_replay_open", "mapping_replay", ["mode"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "mapping_replay_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("replay_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("status_before", sa.String(length=24), nullable=False),
        sa.Column("status_after", sa.String(length=24), nullable=False),
        sa.Column("since_before", UTCDateTime(), nullable=True),
        sa.Column("since_after", UTCDateTime(), nullable=True),
        sa.Column("codes", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_mapping_replay_change_parcel_id")),
        sa.ForeignKeyConstraint(["replay_id"], ["mapping_replay.id"], name=op.f("fk_mapping_replay_change_replay_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_replay_change")),
        sa.UniqueConstraint("replay_id", "parcel_id", name=op.f("uq_mapping_replay_change_replay_id_parcel_id")),
    )
    op.create_index(op.f("ix_mapping_replay_change_parcel_id"), "mapping_replay_change", ["parcel_id"])
    op.create_index(op.f("ix_mapping_replay_change_replay_id"), "mapping_replay_change", ["replay_id"])
    op.create_index(
        "ix_inbox_notice_waiting", "inbox_notice", ["source", "due_at"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    connection = op.get_bind()
    for statement in append_only_statements("second_opinion", connection.dialect.name, ("told", "raw")):
        run_ddl(connection, statement)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_inbox_notice_waiting", table_name="inbox_notice")
    op.drop_table("mapping_replay_change")
    op.drop_table("mapping_replay")
    op.drop_table("second_question")
    op.drop_table("second_opinion")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION second_opinion_append_only()")
