"""Tables of objections, queries and complaints; the failure code of a selection that a challenge ended."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER challenge_statement_no_delete BEFORE DELETE ON challenge_statement BEGIN SELECT RAISE(ABORT, 'challenge_statement is append-only'); END",
        "CREATE TRIGGER challenge_statement_no_update BEFORE UPDATE ON challenge_statement BEGIN SELECT RAISE(ABORT, 'challenge_statement is append-only'); END",
        "CREATE TRIGGER challenge_file_no_delete BEFORE DELETE ON challenge_file BEGIN SELECT RAISE(ABORT, 'challenge_file is append-only'); END",
        "CREATE TRIGGER challenge_file_no_update BEFORE UPDATE ON challenge_file BEGIN SELECT RAISE(ABORT, 'challenge_file is append-only'); END",
        "CREATE TRIGGER challenge_recusal_no_delete BEFORE DELETE ON challenge_recusal BEGIN SELECT RAISE(ABORT, 'challenge_recusal is append-only'); END",
        "CREATE TRIGGER challenge_recusal_no_update BEFORE UPDATE ON challenge_recusal BEGIN SELECT RAISE(ABORT, 'challenge_recusal is append-only'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION challenge_statement_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'challenge_statement is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER challenge_statement_append_only BEFORE UPDATE OR DELETE ON challenge_statement FOR EACH ROW EXECUTE FUNCTION challenge_statement_append_only()",
        "CREATE FUNCTION challenge_file_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'challenge_file is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER challenge_file_append_only BEFORE UPDATE OR DELETE ON challenge_file FOR EACH ROW EXECUTE FUNCTION challenge_file_append_only()",
        "CREATE FUNCTION challenge_recusal_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'challenge_recusal is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER challenge_recusal_append_only BEFORE UPDATE OR DELETE ON challenge_recusal FOR EACH ROW EXECUTE FUNCTION challenge_recusal_append_only()",
    ],
}
AFTER = (
    "ck_procurement_failure_code_571d02",
    "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead', 'too_few_quotes', 'not_compared', 'quotes_not_opened', 'challenge_upheld')",
)
BEFORE = (
    "ck_procurement_failure_code_e15d19",
    "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead', 'too_few_quotes', 'not_compared', 'quotes_not_opened')",
)


def upgrade() -> None:
    op.create_table(
        "challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("target", sa.String(length=12), nullable=False),
        sa.Column("complaint_type", sa.String(length=32), nullable=True),
        sa.Column("matter", sa.String(length=120), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("procurement_id", sa.Uuid(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("challenger", sa.String(length=48), nullable=False),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("challenger_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("challenger_name", sa.String(length=200), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("contact_email", sa.String(length=120), nullable=False),
        sa.Column("against", sa.String(length=12), nullable=False),
        sa.Column("against_name", sa.String(length=200), nullable=False),
        sa.Column("against_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("handled_by", sa.String(length=12), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("filed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("first_answer_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("evidence_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("extended_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("extension_reason", sa.Text(), nullable=True),
        sa.Column("overdue_told_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("frozen_since", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("released_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=200), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("public_summary", sa.Text(), nullable=True),
        sa.Column("effect", sa.String(length=20), nullable=True),
        sa.Column("excluded_registration_id", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("serve_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("served_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("served_by_reading", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('complaint', 'off_list')) = (complaint_type IS NOT NULL)",
            name=op.f("ck_challenge_complaint_has_type_9aadc9"),
        ),
        sa.CheckConstraint(
            "against IN ('challenger', 'owner', 'agency', 'operator', 'other')",
            name=op.f("ck_challenge_against_7ffb5b"),
        ),
        sa.CheckConstraint(
            "complaint_type IS NULL OR complaint_type IN ('off_list', 'designated_agency', 'unreasonable_conditions', 'collusion', 'false_qualification', 'refusal_to_sign', 'extra_fees', 'delay', 'poor_quality', 'leak', 'unpaid_fee', 'unfair_rating', 'courier')",
            name=op.f("ck_challenge_complaint_type_ed7eaf"),
        ),
        sa.CheckConstraint(
            "effect IS NULL OR effect IN ('none', 'exclude', 'reselect', 'republish', 'void', 'reject_admission')",
            name=op.f("ck_challenge_effect_870d49"),
        ),
        sa.CheckConstraint(
            "handled_by IN ('owner', 'operator', 'regulator')", name=op.f("ck_challenge_handled_by_090743")
        ),
        sa.CheckConstraint(
            "kind IN ('objection', 'query', 'complaint', 'off_list')", name=op.f("ck_challenge_kind_7946c0")
        ),
        sa.CheckConstraint(
            "standing IN ('registrant', 'agency', 'owner', 'person', 'party', 'official')",
            name=op.f("ck_challenge_standing_51b0ca"),
        ),
        sa.CheckConstraint(
            "state <> 'accepted' OR (accepted_at IS NOT NULL AND answer_by IS NOT NULL)",
            name=op.f("ck_challenge_state_accepted_3cf706"),
        ),
        sa.CheckConstraint(
            "state <> 'not_accepted' OR (decided_at IS NOT NULL AND decision IS NOT NULL)",
            name=op.f("ck_challenge_state_not_accepted_e38092"),
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR (decided_at IS NOT NULL AND decision IS NOT NULL AND public_summary IS NOT NULL)",
            name=op.f("ck_challenge_state_rejected_ac044b"),
        ),
        sa.CheckConstraint(
            "state <> 'settled' OR (decided_at IS NOT NULL)", name=op.f("ck_challenge_state_settled_5c326e")
        ),
        sa.CheckConstraint(
            "state <> 'upheld' OR (decided_at IS NOT NULL AND decision IS NOT NULL AND public_summary IS NOT NULL AND effect IS NOT NULL)",
            name=op.f("ck_challenge_state_upheld_81e0a6"),
        ),
        sa.CheckConstraint(
            "state <> 'withdrawn' OR (decided_at IS NOT NULL)", name=op.f("ck_challenge_state_withdrawn_6865b2")
        ),
        sa.CheckConstraint(
            "state IN ('filed', 'accepted', 'not_accepted', 'upheld', 'rejected', 'withdrawn', 'settled')",
            name=op.f("ck_challenge_state_92dc6e"),
        ),
        sa.CheckConstraint(
            "target IN ('notice', 'list', 'result', 'admission', 'conduct')", name=op.f("ck_challenge_target_0617fe")
        ),
        sa.CheckConstraint(
            "(extended_at IS NULL) = (extension_reason IS NULL)", name=op.f("ck_challenge_extension_with_reason_ee9556")
        ),
        sa.CheckConstraint(
            "released_at IS NULL OR frozen_since IS NOT NULL", name=op.f("ck_challenge_released_was_frozen_dffc3d")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_challenge_agency_id")),
        sa.ForeignKeyConstraint(["previous_id"], ["challenge.id"], name=op.f("fk_challenge_previous_id")),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_challenge_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
        sa.UniqueConstraint("kind", "matter", "challenger", name=op.f("uq_challenge_kind_matter_challenger")),
        sa.UniqueConstraint("number", name=op.f("uq_challenge_number")),
    )
    op.create_index(
        op.f("ix_challenge_against_organisation_id"), "challenge", ["against_organisation_id"], unique=False
    )
    op.create_index("ix_challenge_agency", "challenge", ["agency_id", "state"], unique=False)
    op.create_index("ix_challenge_challenger", "challenge", ["challenger", "filed_at"], unique=False)
    op.create_index("ix_challenge_decided", "challenge", ["decided_at", "id"], unique=False)
    op.create_index(op.f("ix_challenge_previous_id"), "challenge", ["previous_id"], unique=False)
    op.create_index("ix_challenge_procurement", "challenge", ["procurement_id", "state"], unique=False)
    op.create_index("ix_challenge_state_answer", "challenge", ["state", "answer_by"], unique=False)
    op.create_index(op.f("ix_challenge_thread_id"), "challenge", ["thread_id"], unique=False)
    op.create_table(
        "challenge_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stated_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_challenge_statement_challenge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_statement")),
    )
    op.create_index(op.f("ix_challenge_statement_challenge_id"), "challenge_statement", ["challenge_id"], unique=False)
    op.create_table(
        "challenge_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=True),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_challenge_file_challenge_id")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["challenge_statement.id"], name=op.f("fk_challenge_file_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_file")),
    )
    op.create_index(op.f("ix_challenge_file_challenge_id"), "challenge_file", ["challenge_id"], unique=False)
    op.create_index(op.f("ix_challenge_file_statement_id"), "challenge_file", ["statement_id"], unique=False)
    op.create_table(
        "challenge_recusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_challenge_recusal_challenge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_recusal")),
        sa.UniqueConstraint("challenge_id", "user_id", name=op.f("uq_challenge_recusal_challenge_id_user_id")),
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)
    _failure_codes(BEFORE[0], *AFTER)


def downgrade() -> None:
    _failure_codes(AFTER[0], *BEFORE)
    op.drop_table("challenge_recusal")
    op.drop_index(op.f("ix_challenge_file_statement_id"), table_name="challenge_file")
    op.drop_index(op.f("ix_challenge_file_challenge_id"), table_name="challenge_file")
    op.drop_table("challenge_file")
    op.drop_index(op.f("ix_challenge_statement_challenge_id"), table_name="challenge_statement")
    op.drop_table("challenge_statement")
    op.drop_index(op.f("ix_challenge_thread_id"), table_name="challenge")
    op.drop_index("ix_challenge_state_answer", table_name="challenge")
    op.drop_index("ix_challenge_procurement", table_name="challenge")
    op.drop_index(op.f("ix_challenge_previous_id"), table_name="challenge")
    op.drop_index("ix_challenge_decided", table_name="challenge")
    op.drop_index("ix_challenge_challenger", table_name="challenge")
    op.drop_index("ix_challenge_agency", table_name="challenge")
    op.drop_index(op.f("ix_challenge_against_organisation_id"), table_name="challenge")
    op.drop_table("challenge")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS challenge_statement_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS challenge_file_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS challenge_recusal_append_only() CASCADE")


def _failure_codes(before: str, name: str, condition: str) -> None:
    with op.batch_alter_table("procurement") as batch:
        batch.drop_constraint(op.f(before), type_="check")
        batch.create_check_constraint(op.f(name), condition)
