"""Item list: review, schedule, approvals and imported tables; offers that expire; saved searches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
IN_0006 = (
    "id", "item_id", "thread_id", "version", "name", "name_en", "category", "approval_served", "legal_basis",
    "commissioner", "self_preparation_allowed", "qualification_rule", "qualification_text", "limit_wd", "by_contract",
    "limit_note", "pricing_mode", "guided_min_fen", "guided_max_fen", "price_document", "deliverable", "description",
    "effective_from", "published_at", "created_at",
)  # fmt: skip
ADDED = (
    "change_note", "drafted_by", "drafted_by_name", "reviewed_by", "reviewed_by_name", "reviewed_at", "review_opinion",
)  # fmt: skip
KEPT = (
    "CREATE TRIGGER item_version_kept BEFORE DELETE ON item_version WHEN OLD.published_at IS NOT NULL "
    "BEGIN SELECT RAISE(ABORT, 'a published item version is kept'); END"
)
NOW = "state IN ('draft', 'legal_review', 'scheduled', 'published', 'superseded', 'cancelled')"
THEN = "state IN ('draft', 'legal_review', 'published', 'superseded', 'cancelled')"
LISTING_NOW = "state IN ('draft', 'review', 'returned', 'published', 'suspended', 'superseded', 'expired', 'off_shelf')"
LISTING_THEN = "state IN ('draft', 'published', 'suspended', 'off_shelf')"


def _frozen(columns: tuple[str, ...]) -> str:
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
    return (
        f"CREATE TRIGGER item_version_frozen BEFORE UPDATE ON item_version WHEN OLD.published_at IS NOT NULL AND ({changed}) "
        "BEGIN SELECT RAISE(ABORT, 'a published item version never changes'); END"
    )


def _approval(name: str, when: str, row: str) -> str:
    return (
        f"CREATE TRIGGER item_approval_{name} BEFORE {when} ON item_approval "
        f"WHEN (SELECT published_at FROM item_version WHERE id = {row}.item_version_id) IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'a published item version never changes'); END"
    )


APPROVAL = {
    "sqlite": (
        _approval("no_insert", "INSERT", "NEW"),
        _approval("no_update", "UPDATE", "OLD"),
        _approval("no_delete", "DELETE", "OLD"),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION item_approval_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE touched uuid; BEGIN "
            "IF TG_OP = 'INSERT' THEN touched := NEW.item_version_id; ELSE touched := OLD.item_version_id; END IF; "
            "IF (SELECT published_at FROM item_version WHERE id = touched) IS NOT NULL THEN "
            "RAISE EXCEPTION 'a published item version never changes' USING ERRCODE = 'integrity_constraint_violation'; "
            "END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
        ),
        (
            "CREATE TRIGGER item_approval_frozen BEFORE INSERT OR UPDATE OR DELETE ON item_approval "
            "FOR EACH ROW EXECUTE FUNCTION item_approval_frozen()"
        ),
    ),
}


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _run(statement: str) -> None:
    op.get_bind().exec_driver_sql(statement)


def _without_triggers() -> None:
    if _is_sqlite():  # a rebuilt table loses its triggers; on PostgreSQL they stay and compare whole rows
        _run("DROP TRIGGER item_version_frozen")
        _run("DROP TRIGGER item_version_kept")


def _with_triggers(columns: tuple[str, ...]) -> None:
    if _is_sqlite():
        _run(_frozen(columns))
        _run(KEPT)


def upgrade() -> None:
    _without_triggers()
    with op.batch_alter_table("item_version") as table:
        table.add_column(sa.Column("change_note", sa.String(length=500), nullable=False, server_default=""))
        table.add_column(sa.Column("drafted_by", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("drafted_by_name", sa.String(length=120), nullable=False, server_default=""))
        table.add_column(sa.Column("reviewed_by", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("reviewed_by_name", sa.String(length=120), nullable=True))
        table.add_column(sa.Column("reviewed_at", kernel_db.UTCDateTime(), nullable=True))
        table.add_column(sa.Column("review_opinion", sa.Text(), nullable=True))
        table.drop_constraint(op.f("ck_item_version_state_473562"), type_="check")
        table.create_check_constraint(op.f("ck_item_version_state_a8687e"), NOW)
        table.create_check_constraint(
            op.f("ck_item_version_state_scheduled_3a7c2a"),
            "state <> 'scheduled' OR (effective_from IS NOT NULL AND published_at IS NOT NULL)",
        )
        table.create_check_constraint(
            op.f("ck_item_version_reviewed_by_another_eedfd5"),
            "reviewed_by IS NULL OR drafted_by IS NULL OR reviewed_by <> drafted_by",
        )
        table.create_check_constraint(
            op.f("ck_item_version_in_force_in_order_87ccd1"), "effective_to IS NULL OR effective_to >= effective_from"
        )
        table.create_index("ix_item_version_due", ["state", "effective_from"])
    _with_triggers(IN_0006 + ADDED)
    op.create_table(
        "item_approval",
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("approval_code", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_item_approval_item_version_id")
        ),
        sa.PrimaryKeyConstraint("item_version_id", "approval_code", name=op.f("pk_item_approval")),
    )
    op.create_index("ix_item_approval_code", "item_approval", ["approval_code"])
    for statement in APPROVAL[op.get_bind().dialect.name]:
        _run(statement)
    op.create_table(
        "item_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("table", JSON, nullable=False),
        sa.Column("problems", JSON, nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("changed_count", sa.Integer(), nullable=False),
        sa.Column("unchanged_count", sa.Integer(), nullable=False),
        sa.Column("handed_in_by", sa.Uuid(), nullable=True),
        sa.Column("handed_in_by_name", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("applied_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('checked', 'applied', 'discarded')", name=op.f("ck_item_import_state_cc631e")),
        sa.CheckConstraint(
            "state <> 'applied' OR (applied_at IS NOT NULL)", name=op.f("ck_item_import_state_applied_892ba8")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_import")),
    )
    op.create_index("ix_item_import_created", "item_import", ["created_at"])
    with op.batch_alter_table("listing") as table:
        table.add_column(sa.Column("expires_on", sa.Date(), nullable=True))
        table.drop_constraint(op.f("ck_listing_state_10730c"), type_="check")
        table.drop_constraint(op.f("ck_listing_state_published_91e8f7"), type_="check")
        table.create_check_constraint(op.f("ck_listing_state_f5a8c3"), LISTING_NOW)
        table.create_index("ix_listing_expiry", ["state", "expires_on"])
    year_later = "date(published_at, '+365 days')" if _is_sqlite() else "(published_at + interval '365 days')::date"
    _run(f"UPDATE listing SET expires_on = {year_later} WHERE published_at IS NOT NULL")
    with op.batch_alter_table("listing") as table:
        table.create_check_constraint(
            op.f("ck_listing_state_published_5f81eb"),
            "state <> 'published' OR (published_at IS NOT NULL AND expires_on IS NOT NULL)",
        )
    op.create_table(
        "saved_search",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("stop_token", sa.String(length=64), nullable=False),
        sa.Column("told_until", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_saved_search_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("stop_token", name=op.f("uq_saved_search_stop_token")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_search_user_id_name")),
    )
    op.create_index("ix_saved_search_told", "saved_search", ["is_told", "user_id"])
    op.create_table(
        "saved_search_match",
        sa.Column("saved_search_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("saved_search_id", "kind", "document_id", name=op.f("pk_saved_search_match")),
    )


def downgrade() -> None:
    op.drop_table("saved_search_match")
    op.drop_index("ix_saved_search_told", table_name="saved_search")
    op.drop_table("saved_search")
    _run(
        "UPDATE listing SET state = CASE WHEN state IN ('review', 'returned') THEN 'draft' ELSE 'off_shelf' END "
        "WHERE state IN ('review', 'returned', 'superseded', 'expired')"
    )
    with op.batch_alter_table("listing") as table:
        table.drop_index("ix_listing_expiry")
        table.drop_constraint(op.f("ck_listing_state_published_5f81eb"), type_="check")
        table.drop_constraint(op.f("ck_listing_state_f5a8c3"), type_="check")
        table.create_check_constraint(op.f("ck_listing_state_10730c"), LISTING_THEN)
        table.create_check_constraint(
            op.f("ck_listing_state_published_91e8f7"), "state <> 'published' OR (published_at IS NOT NULL)"
        )
        table.drop_column("expires_on")
    op.drop_index("ix_item_import_created", table_name="item_import")
    op.drop_table("item_import")
    op.drop_index("ix_item_approval_code", table_name="item_approval")
    op.drop_table("item_approval")
    if not _is_sqlite():
        _run("DROP FUNCTION IF EXISTS item_approval_frozen() CASCADE")
    _without_triggers()
    _run("UPDATE item_version SET state = 'cancelled' WHERE state = 'scheduled'")
    with op.batch_alter_table("item_version") as table:
        table.drop_index("ix_item_version_due")
        for name in (
            "ck_item_version_in_force_in_order_87ccd1",
            "ck_item_version_reviewed_by_another_eedfd5",
            "ck_item_version_state_scheduled_3a7c2a",
            "ck_item_version_state_a8687e",
        ):
            table.drop_constraint(op.f(name), type_="check")
        table.create_check_constraint(op.f("ck_item_version_state_473562"), THEN)
        for column in reversed(ADDED):
            table.drop_column(column)
    _with_triggers(IN_0006)
