"""Tables of notice revisions, questions, templates, unfinished forms and relation alarms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER notice_revision_no_delete BEFORE DELETE ON notice_revision BEGIN SELECT RAISE(ABORT, 'notice_revision is append-only'); END",
        "CREATE TRIGGER notice_revision_no_update BEFORE UPDATE ON notice_revision WHEN NEW.id IS NOT OLD.id OR NEW.procurement_id IS NOT OLD.procurement_id OR NEW.content IS NOT OLD.content OR NEW.changed IS NOT OLD.changed OR NEW.is_substantive IS NOT OLD.is_substantive OR NEW.reason IS NOT OLD.reason OR NEW.proposed_by IS NOT OLD.proposed_by OR NEW.proposed_at IS NOT OLD.proposed_at BEGIN SELECT RAISE(ABORT, 'notice_revision is append-only'); END",
        "CREATE TRIGGER relation_alarm_no_delete BEFORE DELETE ON relation_alarm BEGIN SELECT RAISE(ABORT, 'relation_alarm is append-only'); END",
        "CREATE TRIGGER relation_alarm_no_update BEFORE UPDATE ON relation_alarm BEGIN SELECT RAISE(ABORT, 'relation_alarm is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION notice_revision_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'outcome' - 'decided_by' - 'decided_at' - 'notice_version' = to_jsonb(OLD) - 'outcome' - 'decided_by' - 'decided_at' - 'notice_version' THEN RETURN NEW; END IF; RAISE EXCEPTION 'notice_revision is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER notice_revision_append_only BEFORE UPDATE OR DELETE ON notice_revision FOR EACH ROW EXECUTE FUNCTION notice_revision_append_only()",
        "CREATE FUNCTION relation_alarm_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'relation_alarm is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER relation_alarm_append_only BEFORE UPDATE OR DELETE ON relation_alarm FOR EACH ROW EXECUTE FUNCTION relation_alarm_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "notice_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=True),
        sa.Column(
            "content", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("case_link", sa.String(length=600), nullable=True),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.Column("saved_by_name", sa.String(length=120), nullable=False),
        sa.Column("saved_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_notice_form_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_form")),
        sa.UniqueConstraint("procurement_id", name=op.f("uq_notice_form_procurement_id")),
    )
    with op.batch_alter_table("notice_form", schema=None) as batch_op:
        batch_op.create_index("ix_notice_form_organisation", ["organisation_id", "saved_at"], unique=False)

    op.create_table(
        "notice_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "content", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.String(length=120), nullable=False),
        sa.Column("made_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_notice_template_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_template")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_notice_template_organisation_id_name")),
    )
    op.create_table(
        "notice_question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("asker_name", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("reminded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'answered' OR (answer IS NOT NULL AND answered_at IS NOT NULL)",
            name=op.f("ck_notice_question_state_answered_292719"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'answered', 'taken_back', 'unanswered', 'removed')",
            name=op.f("ck_notice_question_state_4323b5"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_notice_question_organisation_id")
        ),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_notice_question_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_question")),
    )
    with op.batch_alter_table("notice_question", schema=None) as batch_op:
        batch_op.create_index("ix_notice_question_organisation", ["organisation_id"], unique=False)
        batch_op.create_index("ix_notice_question_procurement", ["procurement_id", "asked_at"], unique=False)
        batch_op.create_index("ix_notice_question_state", ["state", "answer_by"], unique=False)

    op.create_table(
        "notice_revision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column(
            "content", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "changed", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("is_substantive", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("notice_version", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(notice_version IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'published')",
            name=op.f("ck_notice_revision_published_as_fa771d"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('published', 'refused', 'dropped')",
            name=op.f("ck_notice_revision_outcome_578ed2"),
        ),
        sa.CheckConstraint(
            "(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_notice_revision_decided_whole_027939")
        ),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_notice_revision_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_revision")),
    )
    with op.batch_alter_table("notice_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_revision_procurement_id"), ["procurement_id"], unique=False)

    op.create_table(
        "threshold_reason",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("written_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["procurement_id"], ["procurement.id"], name=op.f("fk_threshold_reason_procurement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threshold_reason")),
        sa.UniqueConstraint("procurement_id", "key", name=op.f("uq_threshold_reason_procurement_id_key")),
    )
    op.create_table(
        "relation_alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procurement_id", sa.Uuid(), nullable=False),
        sa.Column("one_registration_id", sa.Uuid(), nullable=False),
        sa.Column("other_registration_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("excludes", sa.Boolean(), nullable=False),
        sa.Column("found_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('same_body', 'representative', 'shareholder', 'controller', 'subordinate', 'role', 'address', 'phone', 'email')",
            name=op.f("ck_relation_alarm_kind_fd27fe"),
        ),
        sa.CheckConstraint(
            "one_registration_id < other_registration_id", name=op.f("ck_relation_alarm_in_order_9c308b")
        ),
        sa.ForeignKeyConstraint(
            ["one_registration_id"], ["registration.id"], name=op.f("fk_relation_alarm_one_registration_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_registration_id"], ["registration.id"], name=op.f("fk_relation_alarm_other_registration_id")
        ),
        sa.ForeignKeyConstraint(["procurement_id"], ["procurement.id"], name=op.f("fk_relation_alarm_procurement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relation_alarm")),
        sa.UniqueConstraint(
            "procurement_id",
            "one_registration_id",
            "other_registration_id",
            "kind",
            name=op.f("uq_relation_alarm_procurement_id_one_registration_id_other_registration_id_kind"),
        ),
    )
    with op.batch_alter_table("relation_alarm", schema=None) as batch_op:
        batch_op.create_index("ix_relation_alarm_found", ["found_at"], unique=False)

    with op.batch_alter_table("procurement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("questions_close_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("revised_at", kernel_db.UTCDateTime(), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_53c013"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_42d8e6"),
            "state IN ('draft', 'submitted', 'returned', 'published', 'revised', 'registration_closed', 'opening', 'bidding', 'comparing', 'selecting', 'selected', 'result_publicity', 'awarded', 'confirmed', 'contracted', 'in_service', 'accepted', 'closed', 'reselect', 'paused', 'failed', 'direct_request', 'republished', 'withdrawn', 'cancelled', 'void', 'terminated')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_revised_180bc3"),
            "state <> 'revised' OR (published_at IS NOT NULL AND registration_ends_at IS NOT NULL AND revised_at IS NOT NULL AND check_by IS NOT NULL)",
        )

    dialect = op.get_bind().dialect.name
    for statement in TRIGGERS[dialect]:
        kernel_db.run_ddl(op.get_bind(), statement)


def downgrade() -> None:
    with op.batch_alter_table("procurement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_revised_180bc3"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_procurement_state_42d8e6"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_procurement_state_53c013"),
            "state IN ('draft', 'submitted', 'returned', 'published', 'registration_closed', 'opening', 'bidding', 'comparing', 'selecting', 'selected', 'result_publicity', 'awarded', 'confirmed', 'contracted', 'in_service', 'accepted', 'closed', 'reselect', 'paused', 'failed', 'direct_request', 'republished', 'withdrawn', 'cancelled', 'void', 'terminated')",
        )
        batch_op.drop_column("revised_at")
        batch_op.drop_column("questions_close_at")

    with op.batch_alter_table("relation_alarm", schema=None) as batch_op:
        batch_op.drop_index("ix_relation_alarm_found")

    op.drop_table("relation_alarm")
    op.drop_table("threshold_reason")
    with op.batch_alter_table("notice_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_revision_procurement_id"))

    op.drop_table("notice_revision")
    with op.batch_alter_table("notice_question", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_question_state")
        batch_op.drop_index("ix_notice_question_procurement")
        batch_op.drop_index("ix_notice_question_organisation")

    op.drop_table("notice_question")
    op.drop_table("notice_template")
    with op.batch_alter_table("notice_form", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_form_organisation")

    op.drop_table("notice_form")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION notice_revision_append_only()")
        op.execute("DROP FUNCTION relation_alarm_append_only()")
