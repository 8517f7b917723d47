"""One standing claim a parcel; papers whose personal data were erased."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

STANDING = sa.text("state IN ('filed', 'granted', 'paid')")


def upgrade() -> None:
    """Let the database refuse a second claim beside one that stands; say when an issued paper was redacted."""
    op.create_index(
        "uq_carrier_claim_standing", "carrier_claim", ["parcel_id"], unique=True, sqlite_where=STANDING, postgresql_where=STANDING
    )  # fmt: skip
    op.add_column("issued_document", sa.Column("redacted_at", kernel_db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    """Take both away."""
    with op.batch_alter_table("issued_document") as batch:
        batch.drop_column("redacted_at")
    op.drop_index("uq_carrier_claim_standing", "carrier_claim")
