"""Tables of the marketplace."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER rule_book_version_no_delete BEFORE DELETE ON rule_book_version BEGIN SELECT RAISE(ABORT, 'rule_book_version is append-only'); END",
        "CREATE TRIGGER rule_book_version_no_update BEFORE UPDATE ON rule_book_version BEGIN SELECT RAISE(ABORT, 'rule_book_version is append-only'); END",
        "CREATE TRIGGER item_version_frozen BEFORE UPDATE ON item_version WHEN OLD.published_at IS NOT NULL AND (NEW.id IS NOT OLD.id OR NEW.item_id IS NOT OLD.item_id OR NEW.thread_id IS NOT OLD.thread_id OR NEW.version IS NOT OLD.version OR NEW.name IS NOT OLD.name OR NEW.name_en IS NOT OLD.name_en OR NEW.category IS NOT OLD.category OR NEW.approval_served IS NOT OLD.approval_served OR NEW.legal_basis IS NOT OLD.legal_basis OR NEW.commissioner IS NOT OLD.commissioner OR NEW.self_preparation_allowed IS NOT OLD.self_preparation_allowed OR NEW.qualification_rule IS NOT OLD.qualification_rule OR NEW.qualification_text IS NOT OLD.qualification_text OR NEW.limit_wd IS NOT OLD.limit_wd OR NEW.by_contract IS NOT OLD.by_contract OR NEW.limit_note IS NOT OLD.limit_note OR NEW.pricing_mode IS NOT OLD.pricing_mode OR NEW.guided_min_fen IS NOT OLD.guided_min_fen OR NEW.guided_max_fen IS NOT OLD.guided_max_fen OR NEW.price_document IS NOT OLD.price_document OR NEW.deliverable IS NOT OLD.deliverable OR NEW.description IS NOT OLD.description OR NEW.effective_from IS NOT OLD.effective_from OR NEW.published_at IS NOT OLD.published_at OR NEW.created_at IS NOT OLD.created_at) BEGIN SELECT RAISE(ABORT, 'a published item version never changes'); END",
        "CREATE TRIGGER item_version_kept BEFORE DELETE ON item_version WHEN OLD.published_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a published item version is kept'); END",
        "CREATE TRIGGER agency_form_check_no_delete BEFORE DELETE ON agency_form_check BEGIN SELECT RAISE(ABORT, 'agency_form_check is append-only'); END",
        "CREATE TRIGGER agency_form_check_no_update BEFORE UPDATE ON agency_form_check BEGIN SELECT RAISE(ABORT, 'agency_form_check is append-only'); END",
        "CREATE TRIGGER draw_no_delete BEFORE DELETE ON draw BEGIN SELECT RAISE(ABORT, 'draw is append-only'); END",
        "CREATE TRIGGER draw_no_update BEFORE UPDATE ON draw BEGIN SELECT RAISE(ABORT, 'draw is append-only'); END",
        "CREATE TRIGGER procurement_notice_no_delete BEFORE DELETE ON procurement_notice BEGIN SELECT RAISE(ABORT, 'procurement_notice is append-only'); END",
        "CREATE TRIGGER procurement_notice_no_update BEFORE UPDATE ON procurement_notice BEGIN SELECT RAISE(ABORT, 'procurement_notice is append-only'); END",
        "CREATE TRIGGER contract_signature_no_delete BEFORE DELETE ON contract_signature BEGIN SELECT RAISE(ABORT, 'contract_signature is append-only'); END",
        "CREATE TRIGGER contract_signature_no_update BEFORE UPDATE ON contract_signature BEGIN SELECT RAISE(ABORT, 'contract_signature is append-only'); END",
        "CREATE TRIGGER deliverable_no_delete BEFORE DELETE ON deliverable BEGIN SELECT RAISE(ABORT, 'deliverable is append-only'); END",
        "CREATE TRIGGER deliverable_no_update BEFORE UPDATE ON deliverable WHEN NEW.id IS NOT OLD.id OR NEW.contract_id IS NOT OLD.contract_id OR NEW.number IS NOT OLD.number OR NEW.title IS NOT OLD.title OR NEW.file_id IS NOT OLD.file_id OR NEW.file_name IS NOT OLD.file_name OR NEW.file_sha256 IS NOT OLD.file_sha256 OR NEW.file_size IS NOT OLD.file_size OR NEW.practitioner_name IS NOT OLD.practitioner_name OR NEW.practitioner_certificate IS NOT OLD.practitioner_certificate OR NEW.note IS NOT OLD.note OR NEW.submitted_by_name IS NOT OLD.submitted_by_name OR NEW.submitted_at IS NOT OLD.submitted_at BEGIN SELECT RAISE(ABORT, 'deliverable is append-only'); END",
        "CREATE TRIGGER draw_outcome_no_delete BEFORE DELETE ON draw_outcome BEGIN SELECT RAISE(ABORT, 'draw_outcome is append-only'); END",
        "CREATE TRIGGER draw_outcome_no_update BEFORE UPDATE ON draw_outcome BEGIN SELECT RAISE(ABORT, 'draw_outcome is append-only'); END",
        "CREATE TRIGGER draw_rank_no_delete BEFORE DELETE ON draw_rank BEGIN SELECT RAISE(ABORT, 'draw_rank is append-only'); END",
        "CREATE TRIGGER draw_rank_no_update BEFORE UPDATE ON draw_rank BEGIN SELECT RAISE(ABORT, 'draw_rank is append-only'); END",
        "CREATE TRIGGER draw_value_entry_no_delete BEFORE DELETE ON draw_value_entry BEGIN SELECT RAISE(ABORT, 'draw_value_entry is append-only'); END",
        "CREATE TRIGGER draw_value_entry_no_update BEFORE UPDATE ON draw_value_entry BEGIN SELECT RAISE(ABORT, 'draw_value_entry is append-only'); END",
        "CREATE TRIGGER rating_no_delete BEFORE DELETE ON rating BEGIN SELECT RAISE(ABORT, 'rating is append-only'); END",
        "CREATE TRIGGER rating_no_update BEFORE UPDATE ON rating BEGIN SELECT RAISE(ABORT, 'rating is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION rule_book_version_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'rule_book_version is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER rule_book_version_append_only BEFORE UPDATE OR DELETE ON rule_book_version FOR EACH ROW EXECUTE FUNCTION rule_book_version_append_only()",
        "CREATE FUNCTION item_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.published_at IS NULL THEN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END IF; IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'state' - 'effective_to' = to_jsonb(OLD) - 'state' - 'effective_to' THEN RETURN NEW; END IF; RAISE EXCEPTION 'a published item version never changes' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER item_version_frozen BEFORE UPDATE OR DELETE ON item_version FOR EACH ROW EXECUTE FUNCTION item_version_frozen()",
        "CREATE FUNCTION agency_form_check_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'agency_form_check is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER agency_form_check_append_only BEFORE UPDATE OR DELETE ON agency_form_check FOR EACH ROW EXECUTE FUNCTION agency_form_check_append_only()",
        "CREATE FUNCTION draw_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'draw is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER draw_append_only BEFORE UPDATE OR DELETE ON draw FOR EACH ROW EXECUTE FUNCTION draw_append_only()",
        "CREATE FUNCTION procurement_notice_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'procurement_notice is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER procurement_notice_append_only BEFORE UPDATE OR DELETE ON procurement_notice FOR EACH ROW EXECUTE FUNCTION procurement_notice_append_only()",
        "CREATE FUNCTION contract_signature_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'contract_signature is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER contract_signature_append_only BEFORE UPDATE OR DELETE ON contract_signature FOR EACH ROW EXECUTE FUNCTION contract_signature_append_only()",
        "CREATE FUNCTION deliverable_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'accepted_at' - 'returned_at' - 'return_reason' - 'decided_by_name' = to_jsonb(OLD) - 'accepted_at' - 'returned_at' - 'return_reason' - 'decided_by_name' THEN RETURN NEW; END IF; RAISE EXCEPTION 'deliverable is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER deliverable_append_only BEFORE UPDATE OR DELETE ON deliverable FOR EACH ROW EXECUTE FUNCTION deliverable_append_only()",
        "CREATE FUNCTION draw_outcome_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'draw_outcome is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER draw_outcome_append_only BEFORE UPDATE OR DELETE ON draw_outcome FOR EACH ROW EXECUTE FUNCTION draw_outcome_append_only()",
        "CREATE FUNCTION draw_rank_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'draw_rank is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER draw_rank_append_only BEFORE UPDATE OR DELETE ON draw_rank FOR EACH ROW EXECUTE FUNCTION draw_rank_append_only()",
        "CREATE FUNCTION draw_value_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'draw_value_entry is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER draw_value_entry_append_only BEFORE UPDATE OR DELETE ON draw_value_entry FOR EACH ROW EXECUTE FUNCTION draw_value_entry_append_only()",
        "CREATE FUNCTION rating_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'rating is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER rating_append_only BEFORE UPDATE OR DELETE ON rating FOR EACH ROW EXECUTE FUNCTION rating_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "rule_book_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "parameters", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("basis", sa.String(length=500), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("published_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rule_book_version")),
    )
    op.create_table(
        "search_change",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_search_change")),
    )
    op.create_table(
        "service_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_item")),
        sa.UniqueConstraint("code", name=op.f("uq_service_item_code")),
    )
    op.create_table(
        "agency",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("legal_representative", sa.String(length=60), nullable=False),
        sa.Column("contact_name", sa.String(length=60), nullable=False),
        sa.Column("contact_mobile", sa.String(length=20), nullable=False),
        sa.Column("contact_email", sa.String(length=120), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("commitment_signed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("commitment_signed_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("check_due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("publicity_ends_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("admitted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'active' OR (admitted_at IS NOT NULL)", name=op.f("ck_agency_state_active_4f94be")
        ),
        sa.CheckConstraint(
            "state <> 'publicity' OR (publicity_ends_at IS NOT NULL)", name=op.f("ck_agency_state_publicity_4441bb")
        ),
        sa.CheckConstraint(
            "state <> 'submitted' OR (submitted_at IS NOT NULL AND check_due_at IS NOT NULL AND commitment_signed_at IS NOT NULL)",
            name=op.f("ck_agency_state_submitted_fe7e2d"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'publicity', 'active', 'suspended', 'rejected', 'exited')",
            name=op.f("ck_agency_state_049a00"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_agency_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_agency_organisation_id")),
        sa.UniqueConstraint("uscc", name=op.f("uq_agency_uscc")),
    )
    op.create_index("ix_agency_state_due", "agency", ["state", "publicity_ends_at"], unique=False)
    op.create_index("ix_agency_state_name", "agency", ["state", "name", "id"], unique=False)
    op.create_table(
        "item_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("approval_served", sa.String(length=200), nullable=False),
        sa.Column("legal_basis", sa.String(length=500), nullable=False),
        sa.Column("commissioner", sa.String(length=16), nullable=False),
        sa.Column("self_preparation_allowed", sa.Boolean(), nullable=False),
        sa.Column(
            "qualification_rule",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("qualification_text", sa.String(length=300), nullable=False),
        sa.Column("limit_wd", sa.Integer(), nullable=True),
        sa.Column("by_contract", sa.Boolean(), nullable=False),
        sa.Column("limit_note", sa.String(length=300), nullable=False),
        sa.Column("pricing_mode", sa.String(length=16), nullable=False),
        sa.Column("guided_min_fen", sa.BigInteger(), nullable=True),
        sa.Column("guided_max_fen", sa.BigInteger(), nullable=True),
        sa.Column("price_document", sa.String(length=300), nullable=False),
        sa.Column("deliverable", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("published_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "state <> 'published' OR (effective_from IS NOT NULL AND published_at IS NOT NULL)",
            name=op.f("ck_item_version_state_published_26d4d8"),
        ),
        sa.CheckConstraint(
            "state <> 'superseded' OR (effective_from IS NOT NULL AND published_at IS NOT NULL AND effective_to IS NOT NULL)",
            name=op.f("ck_item_version_state_superseded_ba80c0"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'legal_review', 'published', 'superseded', 'cancelled')",
            name=op.f("ck_item_version_state_473562"),
        ),
        sa.CheckConstraint("(limit_wd IS NULL) = by_contract", name=op.f("ck_item_version_limit_or_contract_07e937")),
        sa.CheckConstraint(
            "guided_min_fen IS NULL OR guided_max_fen IS NULL OR guided_min_fen <= guided_max_fen",
            name=op.f("ck_item_version_guided_range_e2d9cf"),
        ),
        sa.CheckConstraint("limit_wd IS NULL OR limit_wd > 0", name=op.f("ck_item_version_limit_positive_22b858")),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_item_version_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_version")),
        sa.UniqueConstraint("item_id", "version", name=op.f("uq_item_version_item_id_version")),
    )
    op.create_index("ix_item_version_state_category", "item_version", ["state", "category"], unique=False)
    op.create_index(
        "uq_item_version_in_force",
        "item_version",
        ["item_id"],
        unique=True,
        sqlite_where=sa.text("state = 'published'"),
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "agency_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("replaced_at", kernel_db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_document_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency_document")),
    )
    op.create_index(op.f("ix_agency_document_agency_id"), "agency_document", ["agency_id"], unique=False)
    op.create_table(
        "agency_form_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("checked_by", sa.Uuid(), nullable=False),
        sa.Column("checked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_form_check_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency_form_check")),
        sa.UniqueConstraint("agency_id", "round", name=op.f("uq_agency_form_check_agency_id_round")),
    )
    op.create_table(
        "agency_record",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("awards", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("delivered_on_time", sa.Integer(), nullable=False),
        sa.Column("rating_count", sa.Integer(), nullable=False),
        sa.Column("rating_sum", sa.Integer(), nullable=False),
        sa.Column("updated_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "delivered_on_time <= delivered", name=op.f("ck_agency_record_on_time_within_delivered_d7f19e")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_agency_record_agency_id")),
        sa.PrimaryKeyConstraint("agency_id", name=op.f("pk_agency_record")),
    )
    op.create_table(
        "listing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("promised_limit_wd", sa.Integer(), nullable=False),
        sa.Column("price_mode", sa.String(length=16), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("suspension_cause", sa.String(length=200), nullable=True),
        sa.Column("published_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("updated_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(price_fen IS NULL) = (price_mode = 'negotiable')", name=op.f("ck_listing_price_or_negotiable_7d6932")
        ),
        sa.CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL)", name=op.f("ck_listing_state_published_91e8f7")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'suspended', 'off_shelf')", name=op.f("ck_listing_state_10730c")
        ),
        sa.CheckConstraint("price_fen IS NULL OR price_fen > 0", name=op.f("ck_listing_price_positive_2d033f")),
        sa.CheckConstraint("promised_limit_wd > 0", name=op.f("ck_listing_promise_positive_ceea7d")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_listing_agency_id")),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_listing_item_id")),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_version.id"], name=op.f("fk_listing_item_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
    )
    op.create_index("ix_listing_agency_state", "listing", ["agency_id", "state", "id"], unique=False)
    op.create_index("ix_listing_item_state", "listing", ["item_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_listing_item_version_id"), "listing", ["item_version_id"], unique=False)
    op.create_index("ix_listing_state_id", "listing", ["state", "id"], unique=False)
    op.create_table(
        "procurement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("case_subject", sa.String(length=60), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("project_name", sa.String(length=200), nullable=False),
        sa.Column("project_code", sa.String(length=40), nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("scale", sa.String(length=500), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("limit_wd", sa.Integer(), nullable=False),
        sa.Column("fund_source", sa.String(length=12), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_fen", sa.BigInteger(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_note", sa.String(length=500), nullable=False),
        sa.Column(
            "qualification_rule",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("demanded_grade", sa.String(length=8), nullable=False),
        sa.Column("demanded_region", sa.String(length=6), nullable=False),
        sa.Column("has_avoidance", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("has_witness", sa.Boolean(), nullable=False),
        sa.Column("contact_name", sa.String(length=80), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("complaint_phone", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("check_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("published_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("registration_ends_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("closed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("beacon_due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("selected_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("publicity_ends_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("awarded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("confirm_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("confirmed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("finished_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("is_extended", sa.Boolean(), nullable=False),
        sa.Column("failure_code", sa.String(length=24), nullable=True),
        sa.Column("paused_from", sa.String(length=24), nullable=True),
        sa.Column("paused_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("winner_registration_id", sa.Uuid(), nullable=True),
        sa.Column("winner_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("succession_proposed_by", sa.Uuid(), nullable=True),
        sa.Column("succession_proposed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("award_document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead')",
            name=op.f("ck_procurement_failure_code"),
        ),
        sa.CheckConstraint("fund_source IN ('fiscal', 'social', 'mixed')", name=op.f("ck_procurement_fund_source")),
        sa.CheckConstraint("method IN ('random')", name=op.f("ck_procurement_method")),
        sa.CheckConstraint(
            "state <> 'awarded' OR (winner_registration_id IS NOT NULL AND awarded_at IS NOT NULL AND confirm_by IS NOT NULL)",
            name=op.f("ck_procurement_state_awarded_4b4e72"),
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (winner_registration_id IS NOT NULL AND confirmed_at IS NOT NULL)",
            name=op.f("ck_procurement_state_confirmed_81b3c2"),
        ),
        sa.CheckConstraint(
            "state <> 'failed' OR (failure_code IS NOT NULL)", name=op.f("ck_procurement_state_failed_358c79")
        ),
        sa.CheckConstraint(
            "state <> 'paused' OR (paused_from IS NOT NULL AND paused_at IS NOT NULL)",
            name=op.f("ck_procurement_state_paused_108de5"),
        ),
        sa.CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL AND registration_ends_at IS NOT NULL)",
            name=op.f("ck_procurement_state_published_af5080"),
        ),
        sa.CheckConstraint(
            "state <> 'result_publicity' OR (winner_registration_id IS NOT NULL AND publicity_ends_at IS NOT NULL)",
            name=op.f("ck_procurement_state_result_publicity_ecd11b"),
        ),
        sa.CheckConstraint(
            "state <> 'selected' OR (winner_registration_id IS NOT NULL)",
            name=op.f("ck_procurement_state_selected_d1dea8"),
        ),
        sa.CheckConstraint(
            "state <> 'submitted' OR (submitted_at IS NOT NULL)", name=op.f("ck_procurement_state_submitted_99ecd0")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'published', 'registration_closed', 'selecting', 'selected', 'result_publicity', 'awarded', 'confirmed', 'contracted', 'in_service', 'accepted', 'closed', 'reselect', 'paused', 'failed', 'republished', 'withdrawn', 'cancelled', 'void', 'terminated')",
            name=op.f("ck_procurement_state_3090d5"),
        ),
        sa.CheckConstraint(
            "(winner_registration_id IS NULL) = (winner_organisation_id IS NULL)",
            name=op.f("ck_procurement_winner_whole"),
        ),
        sa.CheckConstraint("budget_fen > 0", name=op.f("ck_procurement_budget_positive")),
        sa.CheckConstraint(
            "ceiling_fen IS NULL OR (price_fen <= ceiling_fen AND ceiling_fen <= budget_fen)",
            name=op.f("ck_procurement_ceiling"),
        ),
        sa.CheckConstraint("limit_wd > 0", name=op.f("ck_procurement_limit_positive")),
        sa.CheckConstraint(
            "price_fen > 0 AND price_fen <= budget_fen", name=op.f("ck_procurement_price_within_budget")
        ),
        sa.CheckConstraint("seats = 1", name=op.f("ck_procurement_one_seat")),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_version.id"], name=op.f("fk_procurement_item_version_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_procurement_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["previous_id"], ["procurement.id"], name=op.f("fk_procurement_previous_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procurement")),
        sa.UniqueConstraint("number", name=op.f("uq_procurement_number")),
    )
    op.create_index(op.f("ix_procurement_case_subject"), "procurement", ["case_subject"], unique=False)
    op.create_index(op.f("ix_procurement_item_version_id"), "procurement", ["item_version_id"], unique=False)
    op.create_index(
        "ix_procurement_owner", "procurement", ["owner_organisation_id", "state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_procurement_previous_id"), "procurement", ["previous_id"], unique=False)
    op.create_index("ix_procurement_published", "procurement", ["published_at", "id"], unique=False)
    op.create_index("ix_procurement_state_confirm", "procurement", ["state", "confirm_by"], unique=False)
    op.create_index("ix_procurement_state_ends", "procurement", ["state", "registration_ends_at", "id"], unique=False)
    op.create_index("ix_procurement_state_publicity", "procurement", ["state", "publicity_ends_at"], unique=False)
    op.create_index(op.f("ix_procurement_thread_id"), "procurement", ["thread_id"], unique=False)
    op.create_index("ix_procurement_winner", "procurement", ["winner_organisation_id", "state"], unique=False)
    op.create_table(
        "qualification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("grade", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=120), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("expires_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("reminded_days", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'valid', 'refused', 'expired', 'revoked')", name=op.f("ck_qualification_state_0d9f1d")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_qualification_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qualification")),
        sa.UniqueConstraint("agency_id", "kind", "number", name=op.f("uq_qualification_agency_id_kind_number")),
    )
    op.create_index(op.f("ix_qualification_agency_id"), "qualification", ["agency_id"], unique=False)
    op.create_index("ix_qualification_state_expires", "qualification", ["state", "expires_at"], unique=False)
    op.create_table(
        "avoided_agency",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_avoided_agency_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_avoided_agency")),
        sa.UniqueConstraint("procurement_id", "uscc", name=op.f("uq_avoided_agency_procurement_id_uscc")),
    )
    op.create_index(op.f("ix_avoided_agency_procurement_id"), "avoided_agency", ["procurement_id"], unique=False)
    op.create_table(
        "contract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("agency_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("case_subject", sa.String(length=60), nullable=True),
        sa.Column("rule_book_version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("limit_wd", sa.Integer(), nullable=False),
        sa.Column("document_text", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("sign_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("signed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("deadline_on", sa.Date(), nullable=True),
        sa.Column("deadline_provisional", sa.Boolean(), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("pause_asked_by", sa.String(length=12), nullable=True),
        sa.Column("pause_answer_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("accept_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("acceptance_reminders", sa.Integer(), nullable=False),
        sa.Column("accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("rate_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("rated_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("closed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("funded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("released_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'accepted' OR (signed_at IS NOT NULL AND delivered_on IS NOT NULL AND accepted_at IS NOT NULL AND rate_by IS NOT NULL)",
            name=op.f("ck_contract_state_accepted_5b08d2"),
        ),
        sa.CheckConstraint(
            "state <> 'closed' OR (accepted_at IS NOT NULL AND closed_at IS NOT NULL)",
            name=op.f("ck_contract_state_closed_b0f031"),
        ),
        sa.CheckConstraint(
            "state <> 'delivered' OR (signed_at IS NOT NULL AND delivered_on IS NOT NULL AND accept_by IS NOT NULL)",
            name=op.f("ck_contract_state_delivered_d27632"),
        ),
        sa.CheckConstraint(
            "state <> 'pause_asked' OR (signed_at IS NOT NULL AND pause_answer_by IS NOT NULL AND pause_asked_by IS NOT NULL)",
            name=op.f("ck_contract_state_pause_asked_b00ce6"),
        ),
        sa.CheckConstraint(
            "state <> 'paused' OR (signed_at IS NOT NULL)", name=op.f("ck_contract_state_paused_b0c373")
        ),
        sa.CheckConstraint(
            "state <> 'rated' OR (accepted_at IS NOT NULL AND rated_at IS NOT NULL)",
            name=op.f("ck_contract_state_rated_59a8d9"),
        ),
        sa.CheckConstraint(
            "state <> 'running' OR (signed_at IS NOT NULL AND starts_on IS NOT NULL)",
            name=op.f("ck_contract_state_running_da6b46"),
        ),
        sa.CheckConstraint(
            "state IN ('to_sign_agency', 'to_sign_owner', 'running', 'pause_asked', 'paused', 'delivered', 'accepted', 'rated', 'closed', 'terminated')",
            name=op.f("ck_contract_state_3eddbb"),
        ),
        sa.CheckConstraint("limit_wd > 0", name=op.f("ck_contract_limit_positive")),
        sa.CheckConstraint("owner_organisation_id <> agency_organisation_id", name=op.f("ck_contract_two_sides")),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_contract_price_positive")),
        sa.ForeignKeyConstraint(
            ["agency_organisation_id"], ["organisation.id"], name=op.f("fk_contract_agency_organisation_id")
        ),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_version.id"], name=op.f("fk_contract_item_version_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_contract_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_contract_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_number")),
    )
    op.create_index("ix_contract_agency", "contract", ["agency_organisation_id", "state", "created_at"], unique=False)
    op.create_index(op.f("ix_contract_item_version_id"), "contract", ["item_version_id"], unique=False)
    op.create_index("ix_contract_owner", "contract", ["owner_organisation_id", "state", "created_at"], unique=False)
    op.create_index(op.f("ix_contract_procurement_id"), "contract", ["procurement_id"], unique=False)
    op.create_index("ix_contract_state_due", "contract", ["state", "accept_by"], unique=False)
    op.create_index(op.f("ix_contract_thread_id"), "contract", ["thread_id"], unique=False)
    op.create_table(
        "draw",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column(
            "sources", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("draw_file", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("challenge_ends_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("beacon_due_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("beacon_due_at > frozen_at", name=op.f("ck_draw_beacon_after_freeze")),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_draw_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw")),
        sa.UniqueConstraint("code", name=op.f("uq_draw_code")),
    )
    op.create_index(op.f("ix_draw_procurement_id"), "draw", ["procurement_id"], unique=False)
    op.create_table(
        "procurement_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "content", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["procurement_id"], ["procurement.id"], name=op.f("fk_procurement_notice_procurement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procurement_notice")),
        sa.UniqueConstraint("procurement_id", "version", name=op.f("uq_procurement_notice_procurement_id_version")),
    )
    op.create_index(
        op.f("ix_procurement_notice_procurement_id"), "procurement_notice", ["procurement_id"], unique=False
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("contribution", sa.String(length=64), nullable=False),
        sa.Column(
            "eligibility", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "final_eligibility",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("registered_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('registered', 'withdrawn', 'ineligible', 'avoided', 'qualified', 'stepped_back', 'reserve', 'won', 'lost', 'excluded', 'confirmed', 'gave_up', 'lapsed', 'struck_out')",
            name=op.f("ck_registration_state_8a871c"),
        ),
        sa.CheckConstraint("length(contribution) = 64", name=op.f("ck_registration_contribution")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_registration_agency_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_registration_organisation_id")),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_registration_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("procurement_id", "agency_id", name=op.f("uq_registration_procurement_id_agency_id")),
    )
    op.create_index(op.f("ix_registration_agency_id"), "registration", ["agency_id"], unique=False)
    op.create_index(
        "ix_registration_organisation", "registration", ["organisation_id", "state", "registered_at"], unique=False
    )
    op.create_index("ix_registration_procurement", "registration", ["procurement_id", "state", "uscc"], unique=False)
    op.create_index(op.f("ix_registration_thread_id"), "registration", ["thread_id"], unique=False)
    op.create_table(
        "contract_clock_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=12), nullable=False),
        sa.Column("asked_by_name", sa.String(length=120), nullable=False),
        sa.Column("asked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("answered_by_name", sa.String(length=120), nullable=True),
        sa.Column("answered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("answer_reason", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("ended_by_name", sa.String(length=120), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('asked', 'confirmed', 'refused', 'lapsed', 'dropped')",
            name=op.f("ck_contract_clock_pause_outcome"),
        ),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_contract_clock_pause_in_order")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_clock_pause_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_clock_pause")),
    )
    op.create_index(op.f("ix_contract_clock_pause_contract_id"), "contract_clock_pause", ["contract_id"], unique=False)
    op.create_table(
        "contract_signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("signed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("side IN ('owner', 'agency')", name=op.f("ck_contract_signature_side")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_signature_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_signature")),
        sa.UniqueConstraint("contract_id", "side", name=op.f("uq_contract_signature_contract_id_side")),
    )
    op.create_index(op.f("ix_contract_signature_contract_id"), "contract_signature", ["contract_id"], unique=False)
    op.create_table(
        "deliverable",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_name", sa.String(length=60), nullable=False),
        sa.Column("practitioner_certificate", sa.String(length=60), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("submitted_by_name", sa.String(length=120), nullable=False),
        sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("returned_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("return_reason", sa.Text(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "(returned_at IS NULL) = (return_reason IS NULL)", name=op.f("ck_deliverable_returned_with_reason")
        ),
        sa.CheckConstraint("accepted_at IS NULL OR returned_at IS NULL", name=op.f("ck_deliverable_one_decision")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_deliverable_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliverable")),
        sa.UniqueConstraint("contract_id", "number", name=op.f("uq_deliverable_contract_id_number")),
    )
    op.create_index(op.f("ix_deliverable_contract_id"), "deliverable", ["contract_id"], unique=False)
    op.create_table(
        "draw_outcome",
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("beacon_file", sa.LargeBinary(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("ranked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_outcome_draw_id")),
        sa.PrimaryKeyConstraint("draw_id", name=op.f("pk_draw_outcome")),
    )
    op.create_table(
        "draw_rank",
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("score", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_rank_draw_id")),
        sa.ForeignKeyConstraint(["registration_id"], ["registration.id"], name=op.f("fk_draw_rank_registration_id")),
        sa.PrimaryKeyConstraint("draw_id", "place", name=op.f("pk_draw_rank")),
        sa.UniqueConstraint("draw_id", "uscc", name=op.f("uq_draw_rank_draw_id_uscc")),
    )
    op.create_index(op.f("ix_draw_rank_registration_id"), "draw_rank", ["registration_id"], unique=False)
    op.create_table(
        "draw_value_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_by_name", sa.String(length=120), nullable=False),
        sa.Column("entered_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_value_entry_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_value_entry")),
        sa.UniqueConstraint(
            "draw_id", "source", "entered_by", "value", name=op.f("uq_draw_value_entry_draw_id_source_entered_by_value")
        ),
    )
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
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    op.drop_index("uq_rating_contract", table_name="rating")
    op.drop_index(op.f("ix_rating_owner_organisation_id"), table_name="rating")
    op.drop_index("ix_rating_agency", table_name="rating")
    op.drop_table("rating")
    op.drop_table("draw_value_entry")
    op.drop_index(op.f("ix_draw_rank_registration_id"), table_name="draw_rank")
    op.drop_table("draw_rank")
    op.drop_table("draw_outcome")
    op.drop_index(op.f("ix_deliverable_contract_id"), table_name="deliverable")
    op.drop_table("deliverable")
    op.drop_index(op.f("ix_contract_signature_contract_id"), table_name="contract_signature")
    op.drop_table("contract_signature")
    op.drop_index(op.f("ix_contract_clock_pause_contract_id"), table_name="contract_clock_pause")
    op.drop_table("contract_clock_pause")
    op.drop_index(op.f("ix_registration_thread_id"), table_name="registration")
    op.drop_index("ix_registration_procurement", table_name="registration")
    op.drop_index("ix_registration_organisation", table_name="registration")
    op.drop_index(op.f("ix_registration_agency_id"), table_name="registration")
    op.drop_table("registration")
    op.drop_index(op.f("ix_procurement_notice_procurement_id"), table_name="procurement_notice")
    op.drop_table("procurement_notice")
    op.drop_index(op.f("ix_draw_procurement_id"), table_name="draw")
    op.drop_table("draw")
    op.drop_index(op.f("ix_contract_thread_id"), table_name="contract")
    op.drop_index("ix_contract_state_due", table_name="contract")
    op.drop_index(op.f("ix_contract_procurement_id"), table_name="contract")
    op.drop_index("ix_contract_owner", table_name="contract")
    op.drop_index(op.f("ix_contract_item_version_id"), table_name="contract")
    op.drop_index("ix_contract_agency", table_name="contract")
    op.drop_table("contract")
    op.drop_index(op.f("ix_avoided_agency_procurement_id"), table_name="avoided_agency")
    op.drop_table("avoided_agency")
    op.drop_index("ix_qualification_state_expires", table_name="qualification")
    op.drop_index(op.f("ix_qualification_agency_id"), table_name="qualification")
    op.drop_table("qualification")
    op.drop_index("ix_procurement_winner", table_name="procurement")
    op.drop_index(op.f("ix_procurement_thread_id"), table_name="procurement")
    op.drop_index("ix_procurement_state_publicity", table_name="procurement")
    op.drop_index("ix_procurement_state_ends", table_name="procurement")
    op.drop_index("ix_procurement_state_confirm", table_name="procurement")
    op.drop_index("ix_procurement_published", table_name="procurement")
    op.drop_index(op.f("ix_procurement_previous_id"), table_name="procurement")
    op.drop_index("ix_procurement_owner", table_name="procurement")
    op.drop_index(op.f("ix_procurement_item_version_id"), table_name="procurement")
    op.drop_index(op.f("ix_procurement_case_subject"), table_name="procurement")
    op.drop_table("procurement")
    op.drop_index("ix_listing_state_id", table_name="listing")
    op.drop_index(op.f("ix_listing_item_version_id"), table_name="listing")
    op.drop_index("ix_listing_item_state", table_name="listing")
    op.drop_index("ix_listing_agency_state", table_name="listing")
    op.drop_table("listing")
    op.drop_table("agency_record")
    op.drop_table("agency_form_check")
    op.drop_index(op.f("ix_agency_document_agency_id"), table_name="agency_document")
    op.drop_table("agency_document")
    op.drop_index(
        "uq_item_version_in_force",
        table_name="item_version",
        sqlite_where=sa.text("state = 'published'"),
        postgresql_where=sa.text("state = 'published'"),
    )
    op.drop_index("ix_item_version_state_category", table_name="item_version")
    op.drop_table("item_version")
    op.drop_index("ix_agency_state_name", table_name="agency")
    op.drop_index("ix_agency_state_due", table_name="agency")
    op.drop_table("agency")
    op.drop_table("service_item")
    op.drop_table("search_change")
    op.drop_table("rule_book_version")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS rule_book_version_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS item_version_frozen() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS agency_form_check_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS draw_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS procurement_notice_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS contract_signature_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS deliverable_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS draw_outcome_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS draw_rank_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS draw_value_entry_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS rating_append_only() CASCADE")
