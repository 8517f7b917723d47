"""Table of proposed changes of the rule book."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column(
            "parameters", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_name", sa.String(length=120), nullable=False),
        sa.Column("proposed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version_published", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'published' OR (version_published IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_rule_change_state_published_3fbe49"),
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR (decided_at IS NOT NULL)", name=op.f("ck_rule_change_state_rejected_771da1")
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'published', 'rejected', 'withdrawn')", name=op.f("ck_rule_change_state_1715d3")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_change")),
        sa.UniqueConstraint("version_published", name=op.f("uq_rule_change_version_published")),
    )
    with op.batch_alter_table("rule_change") as batch:
        batch.create_index(op.f("ix_rule_change_proposed_at"), ["proposed_at"])


def downgrade() -> None:
    op.drop_table("rule_change")
