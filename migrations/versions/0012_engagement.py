"""Contract templates, milestones, questions, disputes, notices of breach, evidence; versions of an engagement."""

import sqlalchemy as sa
from alembic import op

from app.kernel import db as kernel_db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER contract_evidence_no_delete BEFORE DELETE ON contract_evidence BEGIN SELECT RAISE(ABORT, 'contract_evidence is append-only'); END",
        "CREATE TRIGGER contract_evidence_no_update BEFORE UPDATE ON contract_evidence BEGIN SELECT RAISE(ABORT, 'contract_evidence is append-only'); END",
        "CREATE TRIGGER contract_template_edition_no_delete BEFORE DELETE ON contract_template_edition BEGIN SELECT RAISE(ABORT, 'contract_template_edition is append-only'); END",
        "CREATE TRIGGER contract_template_edition_no_update BEFORE UPDATE ON contract_template_edition BEGIN SELECT RAISE(ABORT, 'contract_template_edition is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION contract_evidence_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'contract_evidence is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER contract_evidence_append_only BEFORE UPDATE OR DELETE ON contract_evidence FOR EACH ROW EXECUTE FUNCTION contract_evidence_append_only()",
        "CREATE FUNCTION contract_template_edition_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'contract_template_edition is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER contract_template_edition_append_only BEFORE UPDATE OR DELETE ON contract_template_edition FOR EACH ROW EXECUTE FUNCTION contract_template_edition_append_only()",
    ),
}
DELIVERABLE_FROZEN = "CREATE TRIGGER deliverable_no_update BEFORE UPDATE ON deliverable WHEN NEW.id IS NOT OLD.id OR NEW.contract_id IS NOT OLD.contract_id OR NEW.number IS NOT OLD.number OR NEW.title IS NOT OLD.title OR NEW.file_id IS NOT OLD.file_id OR NEW.file_name IS NOT OLD.file_name OR NEW.file_sha256 IS NOT OLD.file_sha256 OR NEW.file_size IS NOT OLD.file_size OR NEW.practitioner_name IS NOT OLD.practitioner_name OR NEW.practitioner_certificate IS NOT OLD.practitioner_certificate OR NEW.practitioners IS NOT OLD.practitioners OR NEW.milestone IS NOT OLD.milestone OR NEW.checklist IS NOT OLD.checklist OR NEW.note IS NOT OLD.note OR NEW.submitted_by_name IS NOT OLD.submitted_by_name OR NEW.submitted_at IS NOT OLD.submitted_at BEGIN SELECT RAISE(ABORT, 'deliverable is append-only'); END"
DELIVERABLE_FROZEN_BEFORE = "CREATE TRIGGER deliverable_no_update BEFORE UPDATE ON deliverable WHEN NEW.id IS NOT OLD.id OR NEW.contract_id IS NOT OLD.contract_id OR NEW.number IS NOT OLD.number OR NEW.title IS NOT OLD.title OR NEW.file_id IS NOT OLD.file_id OR NEW.file_name IS NOT OLD.file_name OR NEW.file_sha256 IS NOT OLD.file_sha256 OR NEW.file_size IS NOT OLD.file_size OR NEW.practitioner_name IS NOT OLD.practitioner_name OR NEW.practitioner_certificate IS NOT OLD.practitioner_certificate OR NEW.note IS NOT OLD.note OR NEW.submitted_by_name IS NOT OLD.submitted_by_name OR NEW.submitted_at IS NOT OLD.submitted_at BEGIN SELECT RAISE(ABORT, 'deliverable is append-only'); END"
TABLES = ("contract_question", "contract_milestone", "contract_evidence", "contract_dispute", "contract_breach_notice")


def upgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    op.create_table(
        "contract_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=36), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("content", kernel_db.JSONValue, nullable=False),
        sa.Column("changed_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("changed_by_name", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"], name=op.f("fk_contract_template_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_template")),
        sa.UniqueConstraint("scope", name=op.f("uq_contract_template_scope")),
    )
    op.create_index(op.f("ix_contract_template_item_id"), "contract_template", ["item_id"], unique=False)

    op.create_table(
        "contract_template_edition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("content", kernel_db.JSONValue, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("published_by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"], ["contract_template.id"], name=op.f("fk_contract_template_edition_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_template_edition")),
        sa.UniqueConstraint("template_id", "edition", name=op.f("uq_contract_template_edition_template_id_edition")),
    )
    op.create_table(
        "contract_breach_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.String(length=12), nullable=False),
        sa.Column("sent_by_name", sa.String(length=120), nullable=False),
        sa.Column("sent_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("cure_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("ended_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("ended_how", sa.String(length=12), nullable=True),
        sa.Column("end_text", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ended_how IS NULL OR ended_how IN ('mended', 'withdrawn', 'terminated')",
            name=op.f("ck_contract_breach_notice_ended_how"),
        ),
        sa.CheckConstraint("sent_by IN ('owner', 'agency')", name=op.f("ck_contract_breach_notice_side")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_how IS NULL)", name=op.f("ck_contract_breach_notice_ended_with_reason")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_breach_notice_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_breach_notice")),
    )
    op.create_index(
        op.f("ix_contract_breach_notice_contract_id"), "contract_breach_notice", ["contract_id"], unique=False
    )

    op.create_table(
        "contract_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.String(length=12), nullable=False),
        sa.Column("opened_by_name", sa.String(length=120), nullable=False),
        sa.Column("opened_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("began_in", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=12), nullable=True),
        sa.Column("proposed_by_name", sa.String(length=120), nullable=True),
        sa.Column("proposed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("proposal", sa.String(length=12), nullable=True),
        sa.Column("proposal_text", sa.Text(), nullable=True),
        sa.Column("settlement", sa.String(length=12), nullable=True),
        sa.Column("settled_how", sa.String(length=12), nullable=True),
        sa.Column("settled_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("settled_by_name", sa.String(length=120), nullable=True),
        sa.Column("settlement_text", sa.Text(), nullable=True),
        sa.Column("days_count", sa.Boolean(), nullable=False),
        sa.CheckConstraint("opened_by IN ('owner', 'agency')", name=op.f("ck_contract_dispute_side")),
        sa.CheckConstraint(
            "settled_how IS NULL OR settled_how IN ('agreement', 'mediation')",
            name=op.f("ck_contract_dispute_settled_how"),
        ),
        sa.CheckConstraint(
            "settlement IS NULL OR settlement IN ('continue', 'accept', 'terminate')",
            name=op.f("ck_contract_dispute_settlement"),
        ),
        sa.CheckConstraint(
            "(settlement IS NULL) = (settled_at IS NULL)", name=op.f("ck_contract_dispute_settled_with_outcome")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_dispute_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_dispute")),
    )
    op.create_index(op.f("ix_contract_dispute_contract_id"), "contract_dispute", ["contract_id"], unique=False)
    op.create_index(
        "uq_contract_dispute_open",
        "contract_dispute",
        ["contract_id"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )

    op.create_table(
        "contract_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.String(length=12), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("uploaded_by_name", sa.String(length=120), nullable=False),
        sa.Column("uploaded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "about IN ('pause', 'question', 'dispute', 'breach')", name=op.f("ck_contract_evidence_about")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_evidence_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_evidence")),
    )
    op.create_index(op.f("ix_contract_evidence_contract_id"), "contract_evidence", ["contract_id"], unique=False)

    op.create_table(
        "contract_milestone",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("acceptance", sa.Text(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("payment_reminders", sa.Integer(), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("funded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("released_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("refund_asked_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("refunded_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("withdrawn_at", kernel_db.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(CASE WHEN released_at IS NULL THEN 0 ELSE 1 END) + (CASE WHEN refunded_at IS NULL THEN 0 ELSE 1 END) + (CASE WHEN withdrawn_at IS NULL THEN 0 ELSE 1 END) <= 1",
            name=op.f("ck_contract_milestone_one_end"),
        ),
        sa.CheckConstraint("(bill_id IS NULL) = (due_at IS NULL)", name=op.f("ck_contract_milestone_bill_with_date")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_contract_milestone_amount_positive")),
        sa.CheckConstraint(
            "released_at IS NULL OR (accepted_at IS NOT NULL AND funded_at IS NOT NULL)",
            name=op.f("ck_contract_milestone_released_when_earned"),
        ),
        sa.CheckConstraint("share BETWEEN 1 AND 100", name=op.f("ck_contract_milestone_share_percent")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_milestone_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_milestone")),
        sa.UniqueConstraint("contract_id", "position", name=op.f("uq_contract_milestone_contract_id_position")),
    )
    op.create_index("ix_contract_milestone_due", "contract_milestone", ["due_at"], unique=False)
    op.create_index("uq_contract_milestone_bill", "contract_milestone", ["bill_id"], unique=True)

    op.create_table(
        "contract_question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("days_wd", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=12), nullable=False),
        sa.Column("asked_by_name", sa.String(length=120), nullable=False),
        sa.Column("asked_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("answer_by", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("answered_by_name", sa.String(length=120), nullable=True),
        sa.Column("answered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("answer_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'extension' AND days_wd > 0) OR (kind = 'end' AND days_wd IS NULL)",
            name=op.f("ck_contract_question_kind"),
        ),
        sa.CheckConstraint("asked_by IN ('owner', 'agency')", name=op.f("ck_contract_question_side")),
        sa.CheckConstraint(
            "outcome IN ('asked', 'agreed', 'refused', 'lapsed', 'dropped')", name=op.f("ck_contract_question_outcome")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_question_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_question")),
    )
    op.create_index(op.f("ix_contract_question_contract_id"), "contract_question", ["contract_id"], unique=False)
    op.create_index(
        "uq_contract_question_open",
        "contract_question",
        ["contract_id"],
        unique=True,
        sqlite_where=sa.text("outcome = 'asked'"),
        postgresql_where=sa.text("outcome = 'asked'"),
    )

    _change_contract()
    op.add_column("deliverable", sa.Column("practitioners", kernel_db.JSONValue, nullable=False, server_default="[]"))
    op.add_column("deliverable", sa.Column("milestone", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("deliverable", sa.Column("checklist", kernel_db.JSONValue, nullable=False, server_default="[]"))
    if sqlite:
        op.execute("DROP TRIGGER deliverable_no_update")
        op.execute(DELIVERABLE_FROZEN)
    for statement in TRIGGERS["sqlite" if sqlite else "postgresql"]:
        op.execute(statement)


def _change_contract() -> None:
    added = (
        sa.Column("template_edition_id", sa.Uuid(), nullable=True),
        sa.Column("terms", kernel_db.JSONValue, nullable=False, server_default="{}"),
        sa.Column("payment_moment", sa.String(length=16), nullable=False, server_default="held"),
        sa.Column("pay_days", sa.Integer(), nullable=False, server_default="30"),
        sa.Column("signing_reminders", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("extended_wd", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("asked_by", sa.String(length=12), nullable=True),
        sa.Column("answer_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("rework_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("terminated_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("termination_cause", sa.String(length=16), nullable=True),
        sa.Column("settled_at", kernel_db.UTCDateTime(), nullable=True),
    )
    with op.batch_alter_table("contract") as batch:
        for column in added:
            batch.add_column(column)
    op.execute("UPDATE contract SET asked_by = pause_asked_by, answer_by = pause_answer_by WHERE state = 'pause_asked'")
    op.execute(
        "UPDATE contract SET terminated_at = created_at, termination_cause = 'unsigned', settled_at = created_at "
        "WHERE state = 'terminated'"
    )
    op.execute(
        "UPDATE contract SET rework_count = (SELECT count(*) FROM deliverable d "
        "WHERE d.contract_id = contract.id AND d.returned_at IS NOT NULL)"
    )
    # until now a contract was one milestone: the whole price, its bill opened by the last signature
    op.execute(
        "INSERT INTO contract_milestone (id, contract_id, position, title, acceptance, share, amount_fen, accepted_at, "
        "bill_id, due_at, payment_reminders, funded_at, released_at) "
        "SELECT c.id, c.id, 1, '提交全部成果文件并验收合格', '', 100, c.price_fen, c.accepted_at, "
        "c.bill_id, b.due_at, 0, c.funded_at, c.released_at FROM contract c LEFT JOIN bill b ON b.id = c.bill_id"
    )
    with op.batch_alter_table("contract") as batch:
        for column in added:
            if column.server_default is not None:
                batch.alter_column(column.name, server_default=None)
        batch.create_foreign_key(
            op.f("fk_contract_template_edition_id"), "contract_template_edition", ["template_edition_id"], ["id"]
        )
        batch.drop_constraint(op.f("ck_contract_state_3eddbb"), type_="check")
        batch.drop_constraint(op.f("ck_contract_state_pause_asked_b00ce6"), type_="check")
        batch.create_check_constraint(op.f("ck_contract_extended_not_negative"), "extended_wd >= 0")
        batch.create_check_constraint(op.f("ck_contract_pay_days_positive"), "pay_days > 0")
        batch.create_check_constraint(
            op.f("ck_contract_state_4cf535"),
            "state IN ('to_draft', 'to_sign_agency', 'to_sign_owner', 'running', 'pause_asked', 'paused', 'extension_asked', 'termination_asked', 'delivered', 'dispute', 'accepted', 'rated', 'closed', 'terminated')",
        )
        batch.create_check_constraint(
            op.f("ck_contract_state_dispute_33db1e"), "state <> 'dispute' OR (signed_at IS NOT NULL)"
        )
        batch.create_check_constraint(
            op.f("ck_contract_state_extension_asked_e319c4"),
            "state <> 'extension_asked' OR (signed_at IS NOT NULL AND answer_by IS NOT NULL AND asked_by IS NOT NULL)",
        )
        batch.create_check_constraint(
            op.f("ck_contract_state_pause_asked_a45dbf"),
            "state <> 'pause_asked' OR (signed_at IS NOT NULL AND answer_by IS NOT NULL AND asked_by IS NOT NULL)",
        )
        batch.create_check_constraint(
            op.f("ck_contract_state_terminated_149604"),
            "state <> 'terminated' OR (terminated_at IS NOT NULL AND termination_cause IS NOT NULL)",
        )
        batch.create_check_constraint(
            op.f("ck_contract_state_termination_asked_7f8904"),
            "state <> 'termination_asked' OR (signed_at IS NOT NULL AND answer_by IS NOT NULL AND asked_by IS NOT NULL)",
        )
        for name in ("funded_at", "pause_asked_by", "bill_id", "released_at", "pause_answer_by"):
            batch.drop_column(name)


def downgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    if sqlite:
        op.execute("DROP TRIGGER deliverable_no_update")
    for name in ("practitioners", "milestone", "checklist"):
        op.drop_column("deliverable", name)
    if sqlite:
        op.execute(DELIVERABLE_FROZEN_BEFORE)
    with op.batch_alter_table("contract") as batch:
        batch.add_column(sa.Column("bill_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("funded_at", kernel_db.UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("released_at", kernel_db.UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("pause_asked_by", sa.String(length=12), nullable=True))
        batch.add_column(sa.Column("pause_answer_by", kernel_db.UTCDateTime(), nullable=True))
    op.execute("UPDATE contract SET pause_asked_by = asked_by, pause_answer_by = answer_by WHERE state = 'pause_asked'")
    for name in ("bill_id", "funded_at", "released_at"):
        op.execute(
            f"UPDATE contract SET {name} = (SELECT m.{name} FROM contract_milestone m "
            "WHERE m.contract_id = contract.id AND m.position = 1)"
        )
    op.execute("UPDATE contract SET state = 'to_sign_agency' WHERE state = 'to_draft'")
    op.execute(
        "UPDATE contract SET state = 'running' WHERE state IN ('extension_asked', 'termination_asked', 'dispute')"
    )
    with op.batch_alter_table("contract") as batch:
        for name in (
            "ck_contract_extended_not_negative",
            "ck_contract_pay_days_positive",
            "ck_contract_state_4cf535",
            "ck_contract_state_dispute_33db1e",
            "ck_contract_state_extension_asked_e319c4",
            "ck_contract_state_pause_asked_a45dbf",
            "ck_contract_state_terminated_149604",
            "ck_contract_state_termination_asked_7f8904",
        ):
            batch.drop_constraint(op.f(name), type_="check")
        batch.drop_constraint(op.f("fk_contract_template_edition_id"), type_="foreignkey")
        for name in (
            *(
                "settled_at",
                "termination_cause",
                "terminated_at",
                "rework_count",
                "answer_by",
                "asked_by",
                "extended_wd",
            ),
            *("signing_reminders", "pay_days", "payment_moment", "terms", "template_edition_id"),
        ):
            batch.drop_column(name)
        batch.create_check_constraint(
            op.f("ck_contract_state_pause_asked_b00ce6"),
            "state <> 'pause_asked' OR (signed_at IS NOT NULL AND pause_answer_by IS NOT NULL AND pause_asked_by IS NOT NULL)",
        )
        batch.create_check_constraint(
            op.f("ck_contract_state_3eddbb"),
            "state IN ('to_sign_agency', 'to_sign_owner', 'running', 'pause_asked', 'paused', 'delivered', 'accepted', "
            "'rated', 'closed', 'terminated')",
        )
    for table in TABLES:
        op.drop_table(table)
    op.drop_table("contract_template_edition")
    op.drop_table("contract_template")
    if not sqlite:
        op.execute("DROP FUNCTION IF EXISTS contract_evidence_append_only() CASCADE")
        op.execute("DROP FUNCTION IF EXISTS contract_template_edition_append_only() CASCADE")
