"""Wrong pick-up codes are counted once for a parcel, not for each stop beside it."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

OPEN = "SELECT %s FROM round_stop WHERE round_stop.parcel_id = parcel_terms.parcel_id AND round_stop.outcome = 'open'"
LOCKED = "code_locked_at IS NOT NULL AND (code_unlocked_at IS NULL OR code_unlocked_at < code_locked_at)"


def upgrade() -> None:
    # what was tried at the door of an unfinished stop counts on; a parcel lies on one such stop at most
    op.execute(f"UPDATE parcel_terms SET code_tries = code_tries + ({OPEN % 'code_tries'}) WHERE EXISTS ({OPEN % '1'})")
    op.execute(
        f"UPDATE parcel_terms SET code_locked_at = ({OPEN % 'code_locked_at'}) "
        f"WHERE code_locked_at IS NULL AND EXISTS ({OPEN % '1'} AND {LOCKED})"
    )
    with op.batch_alter_table("round_stop") as batch:
        for name in ("code_tries", "code_locked_at", "code_unlocked_at"):
            batch.drop_column(name)


def downgrade() -> None:
    op.add_column("round_stop", sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False))
    op.add_column("round_stop", sa.Column("code_locked_at", kernel_db.UTCDateTime(), nullable=True))
    op.add_column("round_stop", sa.Column("code_unlocked_at", kernel_db.UTCDateTime(), nullable=True))
