"""One standing claim a parcel."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

STANDING = sa.text("state IN ('filed', 'granted', 'paid')")


def upgrade() -> None:
    """Let the database refuse a second claim beside one that stands."""
    op.create_index(
        "uq_carrier_claim_standing", "carrier_claim", ["parcel_id"], unique=True, sqlite_where=STANDING, postgresql_where=STANDING
    )  # fmt: skip


def downgrade() -> None:
    """Take the index away."""
    op.drop_index("uq_carrier_claim_standing", "carrier_claim")
