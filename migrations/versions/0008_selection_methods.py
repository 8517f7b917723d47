"""Tables of the selection methods."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER selection_result_no_delete BEFORE DELETE ON selection_result BEGIN SELECT RAISE(ABORT, 'selection_result is append-only'); END",
        "CREATE TRIGGER selection_result_no_update BEFORE UPDATE ON selection_result BEGIN SELECT RAISE(ABORT, 'selection_result is append-only'); END",
        "CREATE TRIGGER selection_rank_no_delete BEFORE DELETE ON selection_rank BEGIN SELECT RAISE(ABORT, 'selection_rank is append-only'); END",
        "CREATE TRIGGER selection_rank_no_update BEFORE UPDATE ON selection_rank BEGIN SELECT RAISE(ABORT, 'selection_rank is append-only'); END",
        "CREATE TRIGGER replay_check_no_delete BEFORE DELETE ON replay_check BEGIN SELECT RAISE(ABORT, 'replay_check is append-only'); END",
        "CREATE TRIGGER replay_check_no_update BEFORE UPDATE ON replay_check BEGIN SELECT RAISE(ABORT, 'replay_check is append-only'); END",
        "CREATE TRIGGER comparison_no_delete BEFORE DELETE ON comparison BEGIN SELECT RAISE(ABORT, 'comparison is append-only'); END",
        "CREATE TRIGGER comparison_no_update BEFORE UPDATE ON comparison BEGIN SELECT RAISE(ABORT, 'comparison is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION selection_result_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'selection_result is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER selection_result_append_only BEFORE UPDATE OR DELETE ON selection_result FOR EACH ROW EXECUTE FUNCTION selection_result_append_only()",
        "CREATE FUNCTION selection_rank_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'selection_rank is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER selection_rank_append_only BEFORE UPDATE OR DELETE ON selection_rank FOR EACH ROW EXECUTE FUNCTION selection_rank_append_only()",
        "CREATE FUNCTION replay_check_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'replay_check is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER replay_check_append_only BEFORE UPDATE OR DELETE ON replay_check FOR EACH ROW EXECUTE FUNCTION replay_check_append_only()",
        "CREATE FUNCTION comparison_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'comparison is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER comparison_append_only BEFORE UPDATE OR DELETE ON comparison FOR EACH ROW EXECUTE FUNCTION comparison_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "comparison",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column(
            "content", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=False),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_comparison_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
        sa.UniqueConstraint("procurement_id", name=op.f("uq_comparison_procurement_id")),
    )
    op.create_table(
        "direct_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_file_id", sa.Uuid(), nullable=True),
        sa.Column("from_state", sa.String(length=24), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_by_name", sa.String(length=120), nullable=False),
        sa.Column("requested_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "decision IS NULL OR decision IN ('approved', 'refused', 'dropped')",
            name=op.f("ck_direct_request_decision"),
        ),
        sa.CheckConstraint(
            "ground IN ('small_amount', 'emergency', 'continuity', 'after_failures', 'own_choice')",
            name=op.f("ck_direct_request_ground"),
        ),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_direct_request_decided_whole")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_direct_request_agency_id")),
        sa.ForeignKeyConstraint(
            ["document_file_id"], ["stored_file.id"], name=op.f("fk_direct_request_document_file_id")
        ),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_direct_request_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_direct_request")),
    )
    with op.batch_alter_table("direct_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_direct_request_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_direct_request_document_file_id"), ["document_file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_direct_request_procurement_id"), ["procurement_id"], unique=False)

    op.create_table(
        "selection_result",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=True),
        sa.Column(
            "inputs", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("inputs_sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "outcome", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("outcome_sha256", sa.String(length=64), nullable=False),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_selection_result_draw_id")),
        sa.ForeignKeyConstraint(
            ["procurement_id"], ["procurement.id"], name=op.f("fk_selection_result_procurement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_result")),
        sa.UniqueConstraint("procurement_id", "number", name=op.f("uq_selection_result_procurement_id_number")),
    )
    with op.batch_alter_table("selection_result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_selection_result_draw_id"), ["draw_id"], unique=False)

    op.create_table(
        "replay_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("checked_by_name", sa.String(length=120), nullable=False),
        sa.Column("is_same", sa.Boolean(), nullable=False),
        sa.Column("found_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["selection_result.id"], name=op.f("fk_replay_check_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replay_check")),
    )
    with op.batch_alter_table("replay_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_replay_check_checked_at"), ["checked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_replay_check_result_id"), ["result_id"], unique=False)

    op.create_table(
        "selection_rank",
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_selection_rank_registration_id")
        ),
        sa.ForeignKeyConstraint(["result_id"], ["selection_result.id"], name=op.f("fk_selection_rank_result_id")),
        sa.PrimaryKeyConstraint("result_id", "place", name=op.f("pk_selection_rank")),
        sa.UniqueConstraint("result_id", "registration_id", name=op.f("uq_selection_rank_result_id_registration_id")),
    )
    with op.batch_alter_table("selection_rank", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_selection_rank_registration_id"), ["registration_id"], unique=False)

    op.add_column("draw", sa.Column("purpose", sa.String(length=16), server_default="selection", nullable=False))

    with op.batch_alter_table("procurement", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "method_terms",
                sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
                server_default="{}",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("quote_round", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("quotes_open_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("quotes_end_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("compare_by", kernel_db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("award_fen", sa.BigInteger(), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_procurement_failure_code"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_method"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_3090d5"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_award_fen"),
            "award_fen IS NULL OR (award_fen > 0 AND award_fen <= COALESCE(ceiling_fen, budget_fen))",
        )
        batch_op.create_check_constraint(batch_op.f("ck_procurement_counters"), "quote_round >= 1 AND failures >= 0")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_failure_code_eca5af"),
            "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead', 'too_few_quotes', 'not_compared')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_method_be154b"),
            "method IN ('random', 'bid_low', 'bid_ref', 'merit_credit', 'merit_plan', 'combined', 'direct')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_53c013"),
            "state IN ('draft', 'submitted', 'returned', 'published', 'registration_closed', 'opening', 'bidding', 'comparing', 'selecting', 'selected', 'result_publicity', 'awarded', 'confirmed', 'contracted', 'in_service', 'accepted', 'closed', 'reselect', 'paused', 'failed', 'direct_request', 'republished', 'withdrawn', 'cancelled', 'void', 'terminated')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_bidding_42bd22"),
            "state <> 'bidding' OR (quotes_open_at IS NOT NULL AND quotes_end_at IS NOT NULL)",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_comparing_d8747d"), "state <> 'comparing' OR (compare_by IS NOT NULL)"
        )

    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("credit_points", sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_registration_state_8a871c"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_registration_state_7f194c"),
            "state IN ('registered', 'withdrawn', 'ineligible', 'avoided', 'qualified', 'opened', 'shortlisted', 'stepped_back', 'reserve', 'won', 'lost', 'excluded', 'confirmed', 'gave_up', 'lapsed', 'struck_out')",
        )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_registration_state_7f194c"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_registration_state_8a871c"),
            "state IN ('registered', 'withdrawn', 'ineligible', 'avoided', 'qualified', 'stepped_back', 'reserve', 'won', 'lost', 'excluded', 'confirmed', 'gave_up', 'lapsed', 'struck_out')",
        )
        batch_op.drop_column("credit_points")

    with op.batch_alter_table("procurement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_comparing_d8747d"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_bidding_42bd22"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_53c013"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_method_be154b"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_failure_code_eca5af"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_counters"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_award_fen"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_3090d5"),
            "state IN ('draft', 'submitted', 'returned', 'published', 'registration_closed', 'selecting', 'selected', 'result_publicity', 'awarded', 'confirmed', 'contracted', 'in_service', 'accepted', 'closed', 'reselect', 'paused', 'failed', 'republished', 'withdrawn', 'cancelled', 'void', 'terminated')",
        )
        batch_op.create_check_constraint(batch_op.f("ck_procurement_method"), "method IN ('random')")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_failure_code"),
            "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead')",
        )
        batch_op.drop_column("award_fen")
        batch_op.drop_column("failures")
        batch_op.drop_column("compare_by")
        batch_op.drop_column("quotes_end_at")
        batch_op.drop_column("quotes_open_at")
        batch_op.drop_column("quote_round")
        batch_op.drop_column("method_terms")

    op.drop_column("draw", "purpose")

    with op.batch_alter_table("selection_rank", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_selection_rank_registration_id"))

    op.drop_table("selection_rank")
    with op.batch_alter_table("replay_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_replay_check_result_id"))
        batch_op.drop_index(batch_op.f("ix_replay_check_checked_at"))

    op.drop_table("replay_check")
    with op.batch_alter_table("selection_result", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_selection_result_draw_id"))

    op.drop_table("selection_result")
    with op.batch_alter_table("direct_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_direct_request_procurement_id"))
        batch_op.drop_index(batch_op.f("ix_direct_request_document_file_id"))
        batch_op.drop_index(batch_op.f("ix_direct_request_agency_id"))

    op.drop_table("direct_request")
    op.drop_table("comparison")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS selection_result_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS selection_rank_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS replay_check_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS comparison_append_only() CASCADE")
