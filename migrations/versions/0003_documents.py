"""Table of issued documents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issued_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column(
            "facts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("audit_event_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_issued_document_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_document")),
        sa.UniqueConstraint("code", name=op.f("uq_issued_document_code")),
        sa.UniqueConstraint("kind", "number", name=op.f("uq_issued_document_kind_number")),
    )
    op.create_index(op.f("ix_issued_document_file_id"), "issued_document", ["file_id"], unique=False)
    op.create_index(op.f("ix_issued_document_subject"), "issued_document", ["subject"], unique=False)
    op.create_index(op.f("ix_issued_document_thread_id"), "issued_document", ["thread_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_issued_document_thread_id"), table_name="issued_document")
    op.drop_index(op.f("ix_issued_document_subject"), table_name="issued_document")
    op.drop_index(op.f("ix_issued_document_file_id"), table_name="issued_document")
    op.drop_table("issued_document")
