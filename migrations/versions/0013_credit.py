"""Tables of ratings and credit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER rating_no_delete BEFORE DELETE ON rating BEGIN SELECT RAISE(ABORT, 'rating is append-only'); END",
        "CREATE TRIGGER rating_no_update BEFORE UPDATE ON rating WHEN NEW.id IS NOT OLD.id OR NEW.contract_id IS NOT OLD.contract_id OR NEW.rater IS NOT OLD.rater OR NEW.agency_organisation_id IS NOT OLD.agency_organisation_id OR NEW.owner_organisation_id IS NOT OLD.owner_organisation_id OR NEW.quality IS NOT OLD.quality OR NEW.timeliness IS NOT OLD.timeliness OR NEW.attitude IS NOT OLD.attitude OR NEW.fee IS NOT OLD.fee OR NEW.conformity IS NOT OLD.conformity OR NEW.response IS NOT OLD.response OR NEW.payment IS NOT OLD.payment OR NEW.clarity IS NOT OLD.clarity OR NEW.overall IS NOT OLD.overall OR NEW.stars IS NOT OLD.stars OR NEW.comment IS NOT OLD.comment OR NEW.on_time IS NOT OLD.on_time OR NEW.is_default IS NOT OLD.is_default OR NEW.rated_by IS NOT OLD.rated_by OR NEW.rated_at IS NOT OLD.rated_at BEGIN SELECT RAISE(ABORT, 'rating is append-only'); END",
        "CREATE TRIGGER rating_reply_no_delete BEFORE DELETE ON rating_reply BEGIN SELECT RAISE(ABORT, 'rating_reply is append-only'); END",
        "CREATE TRIGGER rating_reply_no_update BEFORE UPDATE ON rating_reply BEGIN SELECT RAISE(ABORT, 'rating_reply is append-only'); END",
        "CREATE TRIGGER deliverable_use_no_delete BEFORE DELETE ON deliverable_use BEGIN SELECT RAISE(ABORT, 'deliverable_use is append-only'); END",
        "CREATE TRIGGER deliverable_use_no_update BEFORE UPDATE ON deliverable_use BEGIN SELECT RAISE(ABORT, 'deliverable_use is append-only'); END",
        "CREATE TRIGGER credit_snapshot_no_delete BEFORE DELETE ON credit_snapshot BEGIN SELECT RAISE(ABORT, 'credit_snapshot is append-only'); END",
        "CREATE TRIGGER credit_snapshot_no_update BEFORE UPDATE ON credit_snapshot BEGIN SELECT RAISE(ABORT, 'credit_snapshot is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION rating_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'revealed_at' - 'struck_at' = to_jsonb(OLD) - 'revealed_at' - 'struck_at' THEN RETURN NEW; END IF; RAISE EXCEPTION 'rating is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER rating_append_only BEFORE UPDATE OR DELETE ON rating FOR EACH ROW EXECUTE FUNCTION rating_append_only()",
        "CREATE FUNCTION rating_reply_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'rating_reply is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER rating_reply_append_only BEFORE UPDATE OR DELETE ON rating_reply FOR EACH ROW EXECUTE FUNCTION rating_reply_append_only()",
        "CREATE FUNCTION deliverable_use_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'deliverable_use is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER deliverable_use_append_only BEFORE UPDATE OR DELETE ON deliverable_use FOR EACH ROW EXECUTE FUNCTION deliverable_use_append_only()",
        "CREATE FUNCTION credit_snapshot_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'credit_snapshot is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER credit_snapshot_append_only BEFORE UPDATE OR DELETE ON credit_snapshot FOR EACH ROW EXECUTE FUNCTION credit_snapshot_append_only()",
    ),
}
FORMER_TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER rating_no_delete BEFORE DELETE ON rating BEGIN SELECT RAISE(ABORT, 'rating is append-only'); END",
        "CREATE TRIGGER rating_no_update BEFORE UPDATE ON rating BEGIN SELECT RAISE(ABORT, 'rating is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION rating_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'rating is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER rating_append_only BEFORE UPDATE OR DELETE ON rating FOR EACH ROW EXECUTE FUNCTION rating_append_only()",
    ),
}
KEPT = (
    "id, contract_id, agency_organisation_id, owner_organisation_id, quality, timeliness, attitude, fee, conformity, "
    "comment, on_time, rated_by, rated_at"
)


def run(*statements: str) -> None:
    for statement in statements:
        kernel_db.run_ddl(op.get_bind(), statement)


def set_ratings_aside() -> None:
    """Copy the ratings, whose table is made anew: its checks and optional columns change too much for ALTER TABLE."""
    run("CREATE TABLE rating_before AS SELECT * FROM rating")
    op.drop_table("rating")
    if op.get_bind().dialect.name == "postgresql":
        run("DROP FUNCTION rating_append_only()")


def upgrade() -> None:
    set_ratings_aside()
    op.create_table(
        "rating",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("rater", sa.String(length=12), nullable=False),
        sa.Column("agency_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=True),
        sa.Column("timeliness", sa.Integer(), nullable=True),
        sa.Column("attitude", sa.Integer(), nullable=True),
        sa.Column("fee", sa.Integer(), nullable=True),
        sa.Column("conformity", sa.Integer(), nullable=True),
        sa.Column("response", sa.Integer(), nullable=True),
        sa.Column("payment", sa.Integer(), nullable=True),
        sa.Column("clarity", sa.Integer(), nullable=True),
        sa.Column("overall", sa.Integer(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("on_time", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("rated_by", sa.Uuid(), nullable=True),
        sa.Column("rated_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("revealed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("struck_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "rater <> 'agency' OR (response IS NOT NULL AND payment IS NOT NULL AND clarity IS NOT NULL)",
            name=op.f("ck_rating_owner_rated"),
        ),
        sa.CheckConstraint("rater = 'agency' OR quality IS NOT NULL", name=op.f("ck_rating_service_rated")),
        sa.CheckConstraint("rater IN ('owner', 'department', 'operator', 'agency')", name=op.f("ck_rating_rater")),
        sa.CheckConstraint("(rated_by IS NULL) = is_default", name=op.f("ck_rating_default_has_no_name")),
        sa.CheckConstraint("attitude IS NULL OR attitude BETWEEN 1 AND 5", name=op.f("ck_rating_attitude_stars")),
        sa.CheckConstraint("clarity IS NULL OR clarity BETWEEN 1 AND 5", name=op.f("ck_rating_clarity_stars")),
        sa.CheckConstraint("conformity IS NULL OR conformity BETWEEN 1 AND 5", name=op.f("ck_rating_conformity_stars")),
        sa.CheckConstraint("fee IS NULL OR fee BETWEEN 1 AND 5", name=op.f("ck_rating_fee_stars")),
        sa.CheckConstraint("overall IS NULL OR overall BETWEEN 1 AND 5", name=op.f("ck_rating_overall_stars")),
        sa.CheckConstraint("payment IS NULL OR payment BETWEEN 1 AND 5", name=op.f("ck_rating_payment_stars")),
        sa.CheckConstraint("quality IS NULL OR quality BETWEEN 1 AND 5", name=op.f("ck_rating_quality_stars")),
        sa.CheckConstraint("response IS NULL OR response BETWEEN 1 AND 5", name=op.f("ck_rating_response_stars")),
        sa.CheckConstraint("stars BETWEEN 100 AND 500", name=op.f("ck_rating_mean_stars")),
        sa.CheckConstraint("timeliness IS NULL OR timeliness BETWEEN 1 AND 5", name=op.f("ck_rating_timeliness_stars")),
        sa.ForeignKeyConstraint(
            ["agency_organisation_id"], ["organisation.id"], name=op.f("fk_rating_agency_organisation_id")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_rating_contract_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_rating_owner_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("contract_id", "rater", name=op.f("uq_rating_contract_id_rater")),
    )
    op.create_index("ix_rating_agency", "rating", ["agency_organisation_id", "rated_at"], unique=False)
    op.create_index("ix_rating_owner", "rating", ["owner_organisation_id", "rated_at"], unique=False)
    run(
        f"INSERT INTO rating ({KEPT}, rater, stars, is_default, revealed_at) SELECT {KEPT}, 'owner', "
        "(quality + timeliness + attitude + fee + conformity) * 20, FALSE, rated_at FROM rating_before",
        "DROP TABLE rating_before",
    )
    op.create_table(
        "rating_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("rater", sa.String(length=12), nullable=False),
        sa.Column("asked_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("agency_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("opened_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("reminded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("settled_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "rater IN ('owner', 'department', 'operator', 'agency')", name=op.f("ck_rating_request_rater")
        ),
        sa.CheckConstraint(
            "state <> 'defaulted' OR (settled_at IS NOT NULL)", name=op.f("ck_rating_request_state_defaulted_3753fe")
        ),
        sa.CheckConstraint(
            "state <> 'lapsed' OR (settled_at IS NOT NULL)", name=op.f("ck_rating_request_state_lapsed_70e421")
        ),
        sa.CheckConstraint(
            "state <> 'rated' OR (settled_at IS NOT NULL)", name=op.f("ck_rating_request_state_rated_255446")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'rated', 'defaulted', 'lapsed')", name=op.f("ck_rating_request_state_3d6479")
        ),
        sa.ForeignKeyConstraint(
            ["agency_organisation_id"], ["organisation.id"], name=op.f("fk_rating_request_agency_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["asked_organisation_id"], ["organisation.id"], name=op.f("fk_rating_request_asked_organisation_id")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_rating_request_contract_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_rating_request_owner_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_request")),
        sa.UniqueConstraint("contract_id", "rater", name=op.f("uq_rating_request_contract_id_rater")),
    )
    op.create_index("ix_rating_request_asked", "rating_request", ["asked_organisation_id", "state"], unique=False)
    op.create_index("ix_rating_request_due", "rating_request", ["state", "due_at"], unique=False)
    op.create_table(
        "rating_reply",
        sa.Column("rating_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("replied_by", sa.Uuid(), nullable=False),
        sa.Column("replied_by_name", sa.String(length=120), nullable=False),
        sa.Column("replied_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name=op.f("fk_rating_reply_rating_id")),
        sa.PrimaryKeyConstraint("rating_id", name=op.f("pk_rating_reply")),
    )
    op.create_table(
        "rating_appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("rating_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decide_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "ground IN ('facts', 'retaliation', 'extortion', 'abuse')", name=op.f("ck_rating_appeal_ground")
        ),
        sa.CheckConstraint(
            "state <> 'dismissed' OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)",
            name=op.f("ck_rating_appeal_state_dismissed_8e5a0a"),
        ),
        sa.CheckConstraint(
            "state <> 'granted' OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)",
            name=op.f("ck_rating_appeal_state_granted_86c326"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'granted', 'dismissed', 'withdrawn')", name=op.f("ck_rating_appeal_state_c697c2")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_rating_appeal_contract_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_rating_appeal_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_appeal")),
        sa.UniqueConstraint("number", name=op.f("uq_rating_appeal_number")),
        sa.UniqueConstraint("rating_id", name=op.f("uq_rating_appeal_rating_id")),
    )
    op.create_index(op.f("ix_rating_appeal_organisation_id"), "rating_appeal", ["organisation_id"], unique=False)
    op.create_index("ix_rating_appeal_state", "rating_appeal", ["state", "decide_by"], unique=False)
    op.create_table(
        "deliverable_use",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("agency_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("department_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("case_number", sa.String(length=24), nullable=False),
        sa.Column("first_pass", sa.Boolean(), nullable=False),
        sa.Column("used_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_organisation_id"], ["organisation.id"], name=op.f("fk_deliverable_use_agency_organisation_id")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_deliverable_use_contract_id")),
        sa.ForeignKeyConstraint(
            ["department_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_deliverable_use_department_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliverable_use")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_deliverable_use_contract_id")),
    )
    op.create_index("ix_deliverable_use_agency", "deliverable_use", ["agency_organisation_id", "used_at"], unique=False)
    op.create_table(
        "credit_sanction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("ground", sa.String(length=24), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column(
            "facts_params",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "evidence", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.String(length=80), nullable=True),
        sa.Column("found_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_by_name", sa.String(length=120), nullable=True),
        sa.Column("proposed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("stated_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("state_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("ends_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("appeal_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("appeal", sa.Text(), nullable=True),
        sa.Column("appealed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("appeal_decided_by", sa.Uuid(), nullable=True),
        sa.Column("appeal_decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("appeal_decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("appeal_decision", sa.Text(), nullable=True),
        sa.Column("settled_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "ground IN ('late_reply', 'missing_filing', 'gave_up', 'late_delivery', 'extra_fee', 'expired_certificate', 'quality', 'false_material', 'lent_qualification', 'collusion', 'subcontract', 'bribery', 'designation', 'split_purchase', 'refusal_to_sign', 'late_payment', 'unreasonable_conditions')",
            name=op.f("ck_credit_sanction_ground"),
        ),
        sa.CheckConstraint(
            "kind IS NULL OR kind IN ('remind', 'warn', 'suspend_service', 'suspend', 'remove', 'blacklist', 'notice', 'report', 'scrutiny')",
            name=op.f("ck_credit_sanction_kind"),
        ),
        sa.CheckConstraint("level IN ('light', 'general', 'serious')", name=op.f("ck_credit_sanction_level")),
        sa.CheckConstraint("side IN ('agency', 'owner')", name=op.f("ck_credit_sanction_side")),
        sa.CheckConstraint(
            "state <> 'appealed' OR (decided_at IS NOT NULL AND appealed_at IS NOT NULL)",
            name=op.f("ck_credit_sanction_state_appealed_0f821d"),
        ),
        sa.CheckConstraint(
            "state <> 'ended' OR (decided_at IS NOT NULL AND ends_at IS NOT NULL)",
            name=op.f("ck_credit_sanction_state_ended_c5b20b"),
        ),
        sa.CheckConstraint(
            "state <> 'in_force' OR (proposed_by IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL AND starts_on IS NOT NULL AND kind IS NOT NULL)",
            name=op.f("ck_credit_sanction_state_in_force_1dc237"),
        ),
        sa.CheckConstraint(
            "state <> 'proposed' OR (proposed_by IS NOT NULL AND proposed_at IS NOT NULL AND kind IS NOT NULL)",
            name=op.f("ck_credit_sanction_state_proposed_424b0b"),
        ),
        sa.CheckConstraint(
            "state <> 'repaired' OR (decided_at IS NOT NULL AND settled_at IS NOT NULL)",
            name=op.f("ck_credit_sanction_state_repaired_e78437"),
        ),
        sa.CheckConstraint(
            "state <> 'revoked' OR (decided_at IS NOT NULL AND settled_at IS NOT NULL)",
            name=op.f("ck_credit_sanction_state_revoked_8587ff"),
        ),
        sa.CheckConstraint(
            "state IN ('found', 'proposed', 'dismissed', 'in_force', 'appealed', 'ended', 'revoked', 'repaired')",
            name=op.f("ck_credit_sanction_state_b837ce"),
        ),
        sa.CheckConstraint(
            "appeal_decided_by IS NULL OR (appeal_decided_by <> decided_by AND appeal_decided_by <> proposed_by)",
            name=op.f("ck_credit_sanction_appeal_by_another"),
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_credit_sanction_two_persons")
        ),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_credit_sanction_term")),
        sa.CheckConstraint("points >= 0", name=op.f("ck_credit_sanction_points")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_credit_sanction_agency_id")),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_credit_sanction_item_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_credit_sanction_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_sanction")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_credit_sanction_fingerprint")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_sanction_number")),
    )
    op.create_index(op.f("ix_credit_sanction_agency_id"), "credit_sanction", ["agency_id"], unique=False)
    op.create_index("ix_credit_sanction_due", "credit_sanction", ["state", "ends_at"], unique=False)
    op.create_index("ix_credit_sanction_organisation", "credit_sanction", ["organisation_id", "state"], unique=False)
    op.create_table(
        "credit_repair",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("sanction_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("checked_by_name", sa.String(length=120), nullable=True),
        sa.Column("publicity_ends_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'granted' OR (checked_by IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_credit_repair_state_granted_3260d6"),
        ),
        sa.CheckConstraint("state <> 'granted' OR decided_by <> checked_by", name=op.f("ck_credit_repair_two_persons")),
        sa.CheckConstraint(
            "state <> 'publicity' OR (checked_by IS NOT NULL AND publicity_ends_at IS NOT NULL)",
            name=op.f("ck_credit_repair_state_publicity_7af051"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_credit_repair_state_refused_ef1ad0"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'publicity', 'granted', 'refused', 'withdrawn')",
            name=op.f("ck_credit_repair_state_cbcaa5"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_credit_repair_organisation_id")
        ),
        sa.ForeignKeyConstraint(["sanction_id"], ["credit_sanction.id"], name=op.f("fk_credit_repair_sanction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_repair")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_repair_number")),
    )
    op.create_index("ix_credit_repair_organisation", "credit_repair", ["organisation_id", "state"], unique=False)
    op.create_index(op.f("ix_credit_repair_sanction_id"), "credit_repair", ["sanction_id"], unique=False)
    op.create_table(
        "credit_snapshot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("formula", sa.String(length=12), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("hundredths", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=False),
        sa.Column(
            "parts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("taken_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name=op.f("ck_credit_snapshot_grade")),
        sa.CheckConstraint("hundredths BETWEEN 0 AND 10000", name=op.f("ck_credit_snapshot_bounds")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_credit_snapshot_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_snapshot")),
        sa.UniqueConstraint("agency_id", "day", name=op.f("uq_credit_snapshot_agency_id_day")),
    )
    op.create_index("ix_credit_snapshot_day", "credit_snapshot", ["day", "agency_id"], unique=False)
    run(*TRIGGERS[op.get_bind().dialect.name])


def downgrade() -> None:
    op.drop_table("credit_snapshot")
    op.drop_table("credit_repair")
    op.drop_table("credit_sanction")
    op.drop_table("deliverable_use")
    op.drop_table("rating_appeal")
    op.drop_table("rating_reply")
    op.drop_table("rating_request")
    if op.get_bind().dialect.name == "postgresql":
        run("DROP FUNCTION rating_reply_append_only()")
        run("DROP FUNCTION deliverable_use_append_only()")
        run("DROP FUNCTION credit_snapshot_append_only()")
    set_ratings_aside()
    op.create_table(
        "rating",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("agency_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("timeliness", sa.Integer(), nullable=False),
        sa.Column("attitude", sa.Integer(), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("conformity", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("on_time", sa.Boolean(), nullable=False),
        sa.Column("rated_by", sa.Uuid(), nullable=False),
        sa.Column("rated_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("attitude BETWEEN 1 AND 5", name=op.f("ck_rating_attitude_stars")),
        sa.CheckConstraint("conformity BETWEEN 1 AND 5", name=op.f("ck_rating_conformity_stars")),
        sa.CheckConstraint("fee BETWEEN 1 AND 5", name=op.f("ck_rating_fee_stars")),
        sa.CheckConstraint("quality BETWEEN 1 AND 5", name=op.f("ck_rating_quality_stars")),
        sa.CheckConstraint("timeliness BETWEEN 1 AND 5", name=op.f("ck_rating_timeliness_stars")),
        sa.ForeignKeyConstraint(
            ["agency_organisation_id"], ["organisation.id"], name=op.f("fk_rating_agency_organisation_id")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_rating_contract_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_rating_owner_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
    )
    op.create_index("ix_rating_agency", "rating", ["agency_organisation_id", "rated_at"], unique=False)
    op.create_index(op.f("ix_rating_owner_organisation_id"), "rating", ["owner_organisation_id"], unique=False)
    op.create_index("uq_rating_contract", "rating", ["contract_id"], unique=True)
    run(
        f"INSERT INTO rating ({KEPT}) SELECT {KEPT} FROM rating_before "
        "WHERE rater = 'owner' AND NOT is_default AND attitude IS NOT NULL",
        "DROP TABLE rating_before",
        *FORMER_TRIGGERS[op.get_bind().dialect.name],
    )
