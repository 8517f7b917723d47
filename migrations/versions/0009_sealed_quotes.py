"""Tables of sealed quotes."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER sealed_plan_no_delete BEFORE DELETE ON sealed_plan BEGIN SELECT RAISE(ABORT, 'sealed_plan is append-only'); END",
        "CREATE TRIGGER sealed_plan_no_update BEFORE UPDATE ON sealed_plan BEGIN SELECT RAISE(ABORT, 'sealed_plan is append-only'); END",
        "CREATE TRIGGER holder_key_no_delete BEFORE DELETE ON holder_key BEGIN SELECT RAISE(ABORT, 'holder_key is append-only'); END",
        "CREATE TRIGGER holder_key_no_update BEFORE UPDATE ON holder_key WHEN NEW.id IS NOT OLD.id OR NEW.organisation_id IS NOT OLD.organisation_id OR NEW.holder IS NOT OLD.holder OR NEW.public_key IS NOT OLD.public_key OR NEW.made_in IS NOT OLD.made_in OR NEW.made_by IS NOT OLD.made_by OR NEW.made_by_name IS NOT OLD.made_by_name OR NEW.made_at IS NOT OLD.made_at BEGIN SELECT RAISE(ABORT, 'holder_key is append-only'); END",
        "CREATE TRIGGER tender_key_no_delete BEFORE DELETE ON tender_key BEGIN SELECT RAISE(ABORT, 'tender_key is append-only'); END",
        "CREATE TRIGGER tender_key_no_update BEFORE UPDATE ON tender_key BEGIN SELECT RAISE(ABORT, 'tender_key is append-only'); END",
        "CREATE TRIGGER opening_reminder_no_delete BEFORE DELETE ON opening_reminder BEGIN SELECT RAISE(ABORT, 'opening_reminder is append-only'); END",
        "CREATE TRIGGER opening_reminder_no_update BEFORE UPDATE ON opening_reminder BEGIN SELECT RAISE(ABORT, 'opening_reminder is append-only'); END",
        "CREATE TRIGGER quote_no_delete BEFORE DELETE ON quote BEGIN SELECT RAISE(ABORT, 'quote is append-only'); END",
        "CREATE TRIGGER quote_no_update BEFORE UPDATE ON quote BEGIN SELECT RAISE(ABORT, 'quote is append-only'); END",
        "CREATE TRIGGER quote_opening_no_delete BEFORE DELETE ON quote_opening BEGIN SELECT RAISE(ABORT, 'quote_opening is append-only'); END",
        "CREATE TRIGGER quote_opening_no_update BEFORE UPDATE ON quote_opening BEGIN SELECT RAISE(ABORT, 'quote_opening is append-only'); END",
        "CREATE TRIGGER share_entry_no_delete BEFORE DELETE ON share_entry BEGIN SELECT RAISE(ABORT, 'share_entry is append-only'); END",
        "CREATE TRIGGER share_entry_no_update BEFORE UPDATE ON share_entry BEGIN SELECT RAISE(ABORT, 'share_entry is append-only'); END",
        "CREATE TRIGGER tender_share_no_delete BEFORE DELETE ON tender_share BEGIN SELECT RAISE(ABORT, 'tender_share is append-only'); END",
        "CREATE TRIGGER tender_share_no_update BEFORE UPDATE ON tender_share BEGIN SELECT RAISE(ABORT, 'tender_share is append-only'); END",
        "CREATE TRIGGER quote_result_no_delete BEFORE DELETE ON quote_result BEGIN SELECT RAISE(ABORT, 'quote_result is append-only'); END",
        "CREATE TRIGGER quote_result_no_update BEFORE UPDATE ON quote_result BEGIN SELECT RAISE(ABORT, 'quote_result is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION sealed_plan_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'sealed_plan is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER sealed_plan_append_only BEFORE UPDATE OR DELETE ON sealed_plan FOR EACH ROW EXECUTE FUNCTION sealed_plan_append_only()",
        "CREATE FUNCTION holder_key_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'retired_at' = to_jsonb(OLD) - 'retired_at' THEN RETURN NEW; END IF; RAISE EXCEPTION 'holder_key is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER holder_key_append_only BEFORE UPDATE OR DELETE ON holder_key FOR EACH ROW EXECUTE FUNCTION holder_key_append_only()",
        "CREATE FUNCTION tender_key_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'tender_key is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER tender_key_append_only BEFORE UPDATE OR DELETE ON tender_key FOR EACH ROW EXECUTE FUNCTION tender_key_append_only()",
        "CREATE FUNCTION opening_reminder_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'opening_reminder is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER opening_reminder_append_only BEFORE UPDATE OR DELETE ON opening_reminder FOR EACH ROW EXECUTE FUNCTION opening_reminder_append_only()",
        "CREATE FUNCTION quote_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'quote is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER quote_append_only BEFORE UPDATE OR DELETE ON quote FOR EACH ROW EXECUTE FUNCTION quote_append_only()",
        "CREATE FUNCTION quote_opening_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'quote_opening is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER quote_opening_append_only BEFORE UPDATE OR DELETE ON quote_opening FOR EACH ROW EXECUTE FUNCTION quote_opening_append_only()",
        "CREATE FUNCTION share_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'share_entry is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER share_entry_append_only BEFORE UPDATE OR DELETE ON share_entry FOR EACH ROW EXECUTE FUNCTION share_entry_append_only()",
        "CREATE FUNCTION tender_share_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'tender_share is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER tender_share_append_only BEFORE UPDATE OR DELETE ON tender_share FOR EACH ROW EXECUTE FUNCTION tender_share_append_only()",
        "CREATE FUNCTION quote_result_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'quote_result is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER quote_result_append_only BEFORE UPDATE OR DELETE ON quote_result FOR EACH ROW EXECUTE FUNCTION quote_result_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "sealed_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_plan")),
    )
    op.create_table(
        "holder_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_in", sa.String(length=8), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.String(length=120), nullable=False),
        sa.Column("made_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("retired_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint("holder IN ('owner', 'supervision')", name=op.f("ck_holder_key_holder_0f5bcc")),
        sa.CheckConstraint("made_in IN ('browser', 'server')", name=op.f("ck_holder_key_made_in_014d07")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_holder_key_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_key")),
        sa.UniqueConstraint("public_key", name=op.f("uq_holder_key_public_key")),
    )
    op.create_index(op.f("ix_holder_key_organisation_id"), "holder_key", ["organisation_id"], unique=False)
    op.create_table(
        "tender_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("round >= 1", name=op.f("ck_tender_key_round")),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_tender_key_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_key")),
        sa.UniqueConstraint("code", name=op.f("uq_tender_key_code")),
    )
    op.create_index("ix_tender_key_procurement", "tender_key", ["procurement_id", "round", "id"], unique=False)
    op.create_table(
        "opening_reminder",
        sa.Column("tender_key_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sent_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tender_key_id"], ["tender_key.id"], name=op.f("fk_opening_reminder_tender_key_id")),
        sa.PrimaryKeyConstraint("tender_key_id", "number", name=op.f("pk_opening_reminder")),
    )
    op.create_table(
        "quote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_key_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_in", sa.String(length=8), nullable=True),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("deadline_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("audit_event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(step = 'quote' AND commitment IS NOT NULL AND sealed IS NOT NULL AND sealed_in IS NOT NULL) OR (step = 'withdrawal' AND commitment IS NULL AND sealed IS NULL AND plan_id IS NULL)",
            name=op.f("ck_quote_whole_298b1a"),
        ),
        sa.CheckConstraint(
            "sealed_in IS NULL OR sealed_in IN ('browser', 'server')", name=op.f("ck_quote_sealed_in_f6f543")
        ),
        sa.CheckConstraint("step IN ('quote', 'withdrawal')", name=op.f("ck_quote_step_9456fa")),
        sa.CheckConstraint("received_at <= deadline_at", name=op.f("ck_quote_in_time_37c543")),
        sa.CheckConstraint("sealed IS NULL OR length(sealed) = 203", name=op.f("ck_quote_sealed_e1da19")),
        sa.ForeignKeyConstraint(["plan_id"], ["sealed_plan.id"], name=op.f("fk_quote_plan_id")),
        sa.ForeignKeyConstraint(["registration_id"], ["registration.id"], name=op.f("fk_quote_registration_id")),
        sa.ForeignKeyConstraint(["tender_key_id"], ["tender_key.id"], name=op.f("fk_quote_tender_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("tender_key_id", "commitment", name=op.f("uq_quote_tender_key_id_commitment")),
        sa.UniqueConstraint(
            "tender_key_id", "registration_id", "number", name=op.f("uq_quote_tender_key_id_registration_id_number")
        ),
    )
    op.create_index(op.f("ix_quote_plan_id"), "quote", ["plan_id"], unique=False)
    op.create_index(op.f("ix_quote_registration_id"), "quote", ["registration_id"], unique=False)
    op.create_table(
        "quote_opening",
        sa.Column("tender_key_id", sa.Uuid(), nullable=False),
        sa.Column("quotes", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Integer(), nullable=False),
        sa.Column("opened_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("deadline_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("audit_event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("opened_at > deadline_at", name=op.f("ck_quote_opening_after_deadline_ed5ec7")),
        sa.CheckConstraint("valid >= 0 AND valid <= quotes", name=op.f("ck_quote_opening_counts_2bf094")),
        sa.ForeignKeyConstraint(["tender_key_id"], ["tender_key.id"], name=op.f("fk_quote_opening_tender_key_id")),
        sa.PrimaryKeyConstraint("tender_key_id", name=op.f("pk_quote_opening")),
    )
    op.create_table(
        "share_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_key_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(length=120), nullable=False),
        sa.Column("entered_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("deadline_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("holder IN ('owner', 'supervision', 'platform')", name=op.f("ck_share_entry_holder_4e542b")),
        sa.CheckConstraint("entered_at > deadline_at", name=op.f("ck_share_entry_after_deadline_6f1955")),
        sa.ForeignKeyConstraint(["tender_key_id"], ["tender_key.id"], name=op.f("fk_share_entry_tender_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_entry")),
        sa.UniqueConstraint("tender_key_id", "entered_by", name=op.f("uq_share_entry_tender_key_id_entered_by")),
        sa.UniqueConstraint("tender_key_id", "holder", name=op.f("uq_share_entry_tender_key_id_holder")),
    )
    op.create_table(
        "tender_share",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_key_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.String(length=16), nullable=False),
        sa.Column("holder_key_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(holder = 'platform') = (holder_key_id IS NULL)", name=op.f("ck_tender_share_platform_2b64f1")
        ),
        sa.CheckConstraint(
            "holder IN ('owner', 'supervision', 'platform')", name=op.f("ck_tender_share_holder_4e542b")
        ),
        sa.ForeignKeyConstraint(["holder_key_id"], ["holder_key.id"], name=op.f("fk_tender_share_holder_key_id")),
        sa.ForeignKeyConstraint(["tender_key_id"], ["tender_key.id"], name=op.f("fk_tender_share_tender_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_share")),
        sa.UniqueConstraint(
            "tender_key_id", "holder", "holder_key_id", name=op.f("uq_tender_share_tender_key_id_holder_holder_key_id")
        ),
    )
    op.create_index(op.f("ix_tender_share_holder_key_id"), "tender_share", ["holder_key_id"], unique=False)
    op.create_index(op.f("ix_tender_share_tender_key_id"), "tender_share", ["tender_key_id"], unique=False)
    op.create_table(
        "quote_result",
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("tender_key_id", sa.Uuid(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.String(length=64), nullable=True),
        sa.Column("invalid_because", sa.Text(), nullable=True),
        sa.Column("plan_file_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(price_fen IS NULL) = (nonce IS NULL)", name=op.f("ck_quote_result_whole_beed05")),
        sa.CheckConstraint("invalid_because IS NOT NULL OR price_fen > 0", name=op.f("ck_quote_result_valid_ba0b47")),
        sa.ForeignKeyConstraint(["plan_file_id"], ["stored_file.id"], name=op.f("fk_quote_result_plan_file_id")),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name=op.f("fk_quote_result_quote_id")),
        sa.ForeignKeyConstraint(
            ["tender_key_id"], ["quote_opening.tender_key_id"], name=op.f("fk_quote_result_tender_key_id")
        ),
        sa.PrimaryKeyConstraint("quote_id", name=op.f("pk_quote_result")),
    )
    op.create_index(op.f("ix_quote_result_plan_file_id"), "quote_result", ["plan_file_id"], unique=False)
    op.create_index(op.f("ix_quote_result_tender_key_id"), "quote_result", ["tender_key_id"], unique=False)
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)
    with op.batch_alter_table("procurement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_procurement_failure_code_eca5af"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_failure_code_e15d19"),
            "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead', 'too_few_quotes', 'not_compared', 'quotes_not_opened')",
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_quote_result_tender_key_id"), table_name="quote_result")
    op.drop_index(op.f("ix_quote_result_plan_file_id"), table_name="quote_result")
    op.drop_table("quote_result")
    op.drop_index(op.f("ix_tender_share_tender_key_id"), table_name="tender_share")
    op.drop_index(op.f("ix_tender_share_holder_key_id"), table_name="tender_share")
    op.drop_table("tender_share")
    op.drop_table("share_entry")
    op.drop_table("quote_opening")
    op.drop_index(op.f("ix_quote_registration_id"), table_name="quote")
    op.drop_index(op.f("ix_quote_plan_id"), table_name="quote")
    op.drop_table("quote")
    op.drop_table("opening_reminder")
    op.drop_index("ix_tender_key_procurement", table_name="tender_key")
    op.drop_table("tender_key")
    op.drop_index(op.f("ix_holder_key_organisation_id"), table_name="holder_key")
    op.drop_table("holder_key")
    op.drop_table("sealed_plan")
    with op.batch_alter_table("procurement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_procurement_failure_code_e15d19"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_failure_code_eca5af"),
            "failure_code IS NULL OR failure_code IN ('no_registration', 'pool_too_small', 'ranking_exhausted', 'source_dead', 'too_few_quotes', 'not_compared')",
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS sealed_plan_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS holder_key_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS tender_key_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS opening_reminder_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS quote_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS quote_opening_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS share_entry_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS tender_share_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS quote_result_append_only() CASCADE")
