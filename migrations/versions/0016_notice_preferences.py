"""Tables of notice preferences, the digest, the mail log and the calendar feed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

DELIVERY = "IN ('at_once', 'daily', 'never')"
FALSE = sa.false()


def _add(table: str, *columns: sa.Column[object]) -> None:
    """Add columns; a default fills the rows that are there and is then taken away."""
    with op.batch_alter_table(table) as batch:
        for column in columns:
            batch.add_column(column)
    with op.batch_alter_table(table) as batch:
        for column in columns:
            if column.server_default is not None:
                batch.alter_column(column.name, server_default=None)


def upgrade() -> None:
    op.create_table(
        "notice_preference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(length=30), nullable=False),
        sa.Column("delivery", sa.String(length=10), nullable=False),
        sa.CheckConstraint(f"delivery {DELIVERY}", name=op.f("ck_notice_preference_delivery_c1f226")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notice_preference_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_preference")),
        sa.UniqueConstraint("user_id", "topic", name=op.f("uq_notice_preference_user_id_topic")),
    )
    _add(
        "app_user",
        sa.Column("mail_delivery", sa.String(length=10), nullable=False, server_default="at_once"),
        sa.Column("calendar_token_hash", sa.String(length=64), nullable=True),
    )
    op.execute(sa.text("UPDATE app_user SET mail_delivery = 'never' WHERE NOT mail_notices"))
    with op.batch_alter_table("app_user") as batch:
        batch.create_unique_constraint(op.f("uq_app_user_calendar_token_hash"), ["calendar_token_hash"])
        batch.create_check_constraint(op.f("ck_app_user_mail_delivery_ff642b"), f"mail_delivery {DELIVERY}")
        batch.drop_column("mail_notices")
    _add(
        "mail_message",
        sa.Column("is_digest", sa.Boolean(), nullable=False, server_default=FALSE),
        sa.Column("tries", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("last_error", sa.String(length=500), nullable=True),
    )
    _add(
        "notice",
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.Column("awaits_digest", sa.Boolean(), nullable=False, server_default=FALSE),
    )
    with op.batch_alter_table("notice") as batch:
        batch.create_index(
            "ix_notice_awaits_digest",
            ["user_id"],
            sqlite_where=sa.text("awaits_digest"),
            postgresql_where=sa.text("awaits_digest"),
        )
        batch.create_index(op.f("ix_notice_mail_id"), ["mail_id"])


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.drop_index(op.f("ix_notice_mail_id"))
        batch.drop_index("ix_notice_awaits_digest")
        batch.drop_column("awaits_digest")
        batch.drop_column("mail_id")
    with op.batch_alter_table("mail_message") as batch:
        batch.drop_column("last_error")
        batch.drop_column("tries")
        batch.drop_column("is_digest")
    _add("app_user", sa.Column("mail_notices", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute(sa.text("UPDATE app_user SET mail_notices = (mail_delivery <> 'never')"))
    with op.batch_alter_table("app_user") as batch:
        batch.drop_constraint(op.f("ck_app_user_mail_delivery_ff642b"), type_="check")
        batch.drop_constraint(op.f("uq_app_user_calendar_token_hash"), type_="unique")
        batch.drop_column("calendar_token_hash")
        batch.drop_column("mail_delivery")
    op.drop_table("notice_preference")
