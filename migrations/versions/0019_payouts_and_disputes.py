"""Parts of held money, payouts, disputes, agency statements, invoices."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kernel import db as kernel_db

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER bill_freeze_no_delete BEFORE DELETE ON bill_freeze BEGIN SELECT RAISE(ABORT, 'bill_freeze is append-only'); END",
        "CREATE TRIGGER bill_freeze_no_update BEFORE UPDATE ON bill_freeze WHEN NEW.id IS NOT OLD.id OR NEW.bill_id IS NOT OLD.bill_id OR NEW.payee_organisation_id IS NOT OLD.payee_organisation_id OR NEW.cause IS NOT OLD.cause OR NEW.held_fen IS NOT OLD.held_fen OR NEW.balance_fen IS NOT OLD.balance_fen OR NEW.reason IS NOT OLD.reason OR NEW.frozen_at IS NOT OLD.frozen_at BEGIN SELECT RAISE(ABORT, 'bill_freeze is append-only'); END",
        "CREATE TRIGGER bill_release_no_delete BEFORE DELETE ON bill_release BEGIN SELECT RAISE(ABORT, 'bill_release is append-only'); END",
        "CREATE TRIGGER bill_release_no_update BEFORE UPDATE ON bill_release BEGIN SELECT RAISE(ABORT, 'bill_release is append-only'); END",
        "CREATE TRIGGER tax_paper_no_delete BEFORE DELETE ON tax_paper BEGIN SELECT RAISE(ABORT, 'tax_paper is append-only'); END",
        "CREATE TRIGGER tax_paper_no_update BEFORE UPDATE ON tax_paper BEGIN SELECT RAISE(ABORT, 'tax_paper is append-only'); END",
        "CREATE TRIGGER dispute_evidence_no_delete BEFORE DELETE ON dispute_evidence BEGIN SELECT RAISE(ABORT, 'dispute_evidence is append-only'); END",
        "CREATE TRIGGER dispute_evidence_no_update BEFORE UPDATE ON dispute_evidence BEGIN SELECT RAISE(ABORT, 'dispute_evidence is append-only'); END",
        "CREATE TRIGGER refund_share_no_delete BEFORE DELETE ON refund_share BEGIN SELECT RAISE(ABORT, 'refund_share is append-only'); END",
        "CREATE TRIGGER refund_share_no_update BEFORE UPDATE ON refund_share BEGIN SELECT RAISE(ABORT, 'refund_share is append-only'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION bill_freeze_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'ended_at' - 'end_reason' = to_jsonb(OLD) - 'ended_at' - 'end_reason' THEN RETURN NEW; END IF; RAISE EXCEPTION 'bill_freeze is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER bill_freeze_append_only BEFORE UPDATE OR DELETE ON bill_freeze FOR EACH ROW EXECUTE FUNCTION bill_freeze_append_only()",
        "CREATE FUNCTION bill_release_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'bill_release is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER bill_release_append_only BEFORE UPDATE OR DELETE ON bill_release FOR EACH ROW EXECUTE FUNCTION bill_release_append_only()",
        "CREATE FUNCTION tax_paper_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'tax_paper is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER tax_paper_append_only BEFORE UPDATE OR DELETE ON tax_paper FOR EACH ROW EXECUTE FUNCTION tax_paper_append_only()",
        "CREATE FUNCTION dispute_evidence_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'dispute_evidence is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER dispute_evidence_append_only BEFORE UPDATE OR DELETE ON dispute_evidence FOR EACH ROW EXECUTE FUNCTION dispute_evidence_append_only()",
        "CREATE FUNCTION refund_share_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN  RAISE EXCEPTION 'refund_share is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER refund_share_append_only BEFORE UPDATE OR DELETE ON refund_share FOR EACH ROW EXECUTE FUNCTION refund_share_append_only()",
    ],
}
FUNCTIONS = [
    "bill_freeze_append_only",
    "bill_release_append_only",
    "tax_paper_append_only",
    "dispute_evidence_append_only",
    "refund_share_append_only",
]


OLD_STATES = "state IN ('requested', 'approved', 'pending', 'succeeded', 'failed', 'rejected')"
NEW_STATES = "state IN ('requested', 'approved', 'submitted', 'pending', 'succeeded', 'failed', 'rejected')"
SUBMITTED = "state <> 'submitted' OR (submitted_at IS NOT NULL AND approved_by IS NOT NULL)"
OLD_UNFINISHED = sa.text("state IN ('requested', 'approved', 'pending')")
UNFINISHED = sa.text("state IN ('requested', 'approved', 'submitted', 'pending')")


def _share_what_is_there() -> None:
    """Write down for the refunds and releases that are there what the new tables say of later ones."""
    connection = op.get_bind()
    refund, bill = (
        sa.table("refund", *map(sa.column, ("id", "source", "amount_fen"))),
        sa.table("bill", *map(sa.column, ("id", "amount_fen", "state", "released_at"))),
    )
    share = sa.table("refund_share", *map(sa.column, ("id", "refund_id", "account", "amount_fen")))
    names = ("id", "bill_id", "number", "amount_fen", "fee_fen", "reason", "released_by", "released_at")
    release = sa.table("bill_release", *map(sa.column, names))
    new_id = (lambda: uuid4().hex) if connection.dialect.name == "sqlite" else uuid4
    for refund_id, source, fen in connection.execute(sa.select(refund)).all():
        connection.execute(share.insert().values(id=new_id(), refund_id=refund_id, account=source, amount_fen=fen))
    for bill_id, fen, _state, at in connection.execute(sa.select(bill).where(bill.c.state == "released")).all():
        connection.execute(
            release.insert().values(
                id=new_id(),
                bill_id=bill_id,
                number=1,
                amount_fen=fen,
                fee_fen=0,
                reason="",
                released_by=None,
                released_at=at,
            )
        )


def upgrade() -> None:
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("holder_name", sa.String(length=120), nullable=False),
        sa.Column("bank_name", sa.String(length=120), nullable=False),
        sa.Column("branch_code", sa.String(length=12), nullable=True),
        sa.Column("sealed_number", sa.Text(), nullable=False),
        sa.Column("masked", sa.String(length=40), nullable=False),
        sa.Column("proof_file_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(length=120), nullable=False),
        sa.Column("entered_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("usable_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("connect_ref", sa.String(length=120), nullable=True),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'active' OR (checked_by IS NOT NULL AND confirmed_by IS NOT NULL AND usable_at IS NOT NULL)",
            name=op.f("ck_bank_account_state_active_33cd05"),
        ),
        sa.CheckConstraint(
            "state <> 'checked' OR (checked_by IS NOT NULL)", name=op.f("ck_bank_account_state_checked_59fb1f")
        ),
        sa.CheckConstraint(
            "state <> 'cooling' OR (checked_by IS NOT NULL AND confirmed_by IS NOT NULL AND usable_at IS NOT NULL)",
            name=op.f("ck_bank_account_state_cooling_f19045"),
        ),
        sa.CheckConstraint(
            "state IN ('entered', 'checked', 'cooling', 'active', 'replaced', 'rejected', 'withdrawn')",
            name=op.f("ck_bank_account_state_c15231"),
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR (checked_by IS NOT NULL AND confirmed_by <> checked_by)",
            name=op.f("ck_bank_account_two_persons_5c0c19"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_bank_account_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
    )
    op.create_index(op.f("ix_bank_account_organisation_id"), "bank_account", ["organisation_id"], unique=False)
    op.create_index(
        "uq_bank_account_active",
        "bank_account",
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_bank_account_changing",
        "bank_account",
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('entered', 'checked', 'cooling')"),
        postgresql_where=sa.text("state IN ('entered', 'checked', 'cooling')"),
    )
    op.create_table(
        "bill_freeze",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("payee_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.String(length=60), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("frozen_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("ended_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "held_fen >= 0 AND balance_fen >= 0 AND held_fen + balance_fen > 0",
            name=op.f("ck_bill_freeze_amounts_1219c9"),
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_bill_freeze_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_freeze")),
    )
    op.create_index(op.f("ix_bill_freeze_bill_id"), "bill_freeze", ["bill_id"], unique=False)
    op.create_index(
        op.f("ix_bill_freeze_payee_organisation_id"), "bill_freeze", ["payee_organisation_id"], unique=False
    )
    op.create_index(
        "uq_bill_freeze_open",
        "bill_freeze",
        ["bill_id", "cause"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "bill_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bill_release_amount_570e62")),
        sa.CheckConstraint("fee_fen >= 0 AND fee_fen <= amount_fen", name=op.f("ck_bill_release_fee_ed7a87")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_bill_release_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_release")),
        sa.UniqueConstraint("bill_id", "number", name=op.f("uq_bill_release_bill_id_number")),
    )
    op.create_table(
        "invoice_reminder",
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("reminded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_invoice_reminder_bill_id")),
        sa.PrimaryKeyConstraint("bill_id", name=op.f("pk_invoice_reminder")),
    )
    op.create_table(
        "payment_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("gateway_ref", sa.String(length=120), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_by", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("opened_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("check_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("alarmed_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("loss_settled", sa.String(length=12), nullable=True),
        sa.Column("loss_settled_by", sa.Uuid(), nullable=True),
        sa.Column("finished_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column(
            "readers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "loss_settled IS NULL OR (state = 'lost' AND loss_settled IN ('borne', 'recovered'))",
            name=op.f("ck_payment_dispute_loss_01e0bb"),
        ),
        sa.CheckConstraint(
            "state IN ('needs_response', 'under_review', 'won', 'lost')", name=op.f("ck_payment_dispute_state_e8e46d")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_dispute_amount_570e62")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_payment_dispute_bill_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_dispute_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_dispute")),
        sa.UniqueConstraint("gateway_ref", name=op.f("uq_payment_dispute_gateway_ref")),
    )
    op.create_index(op.f("ix_payment_dispute_bill_id"), "payment_dispute", ["bill_id"], unique=False)
    op.create_index(op.f("ix_payment_dispute_payment_id"), "payment_dispute", ["payment_id"], unique=False)
    op.create_index("ix_payment_dispute_state", "payment_dispute", ["state", "due_by"], unique=False)
    op.create_table(
        "payout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("payee_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "request", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("transfer_ref", sa.String(length=120), nullable=True),
        sa.Column("gateway_ref", sa.String(length=120), nullable=True),
        sa.Column("scheduled_on", sa.Date(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("first_approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("arrived_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("finished_at", kernel_db.UTCDateTime(), nullable=True),
        sa.Column("check_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'approved' OR (approved_by IS NOT NULL)", name=op.f("ck_payout_state_approved_878812")
        ),
        sa.CheckConstraint(
            "state <> 'in_transit' OR (transfer_ref IS NOT NULL AND gateway_ref IS NOT NULL)",
            name=op.f("ck_payout_state_in_transit_d973f6"),
        ),
        sa.CheckConstraint(
            "state <> 'paid' OR (transfer_ref IS NOT NULL AND gateway_ref IS NOT NULL)",
            name=op.f("ck_payout_state_paid_de04f7"),
        ),
        sa.CheckConstraint(
            "state <> 'reversed' OR (transfer_ref IS NOT NULL)", name=op.f("ck_payout_state_reversed_d3075e")
        ),
        sa.CheckConstraint(
            "state <> 'submitted' OR (approved_by IS NOT NULL AND submitted_at IS NOT NULL)",
            name=op.f("ck_payout_state_submitted_41d996"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'submitted', 'in_transit', 'paid', 'failed', 'reversed', 'rejected')",
            name=op.f("ck_payout_state_802598"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payout_amount_570e62")),
        sa.CheckConstraint(
            "approved_by IS NULL OR (requested_by IS NOT NULL AND approved_by <> requested_by) OR (first_approved_by IS NOT NULL AND approved_by <> first_approved_by)",
            name=op.f("ck_payout_two_persons_66de80"),
        ),
        sa.ForeignKeyConstraint(["bank_account_id"], ["bank_account.id"], name=op.f("fk_payout_bank_account_id")),
        sa.ForeignKeyConstraint(
            ["payee_organisation_id"], ["organisation.id"], name=op.f("fk_payout_payee_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.UniqueConstraint("gateway_ref", name=op.f("uq_payout_gateway_ref")),
        sa.UniqueConstraint("number", name=op.f("uq_payout_number")),
        sa.UniqueConstraint(
            "payee_organisation_id", "scheduled_on", name=op.f("uq_payout_payee_organisation_id_scheduled_on")
        ),
        sa.UniqueConstraint("transfer_ref", name=op.f("uq_payout_transfer_ref")),
    )
    op.create_index(
        "ix_payout_check",
        "payout",
        ["check_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('approved', 'submitted', 'in_transit', 'paid')"),
        postgresql_where=sa.text("state IN ('approved', 'submitted', 'in_transit', 'paid')"),
    )
    op.create_index(op.f("ix_payout_payee_organisation_id"), "payout", ["payee_organisation_id"], unique=False)
    op.create_index("ix_payout_state", "payout", ["state", "requested_at"], unique=False)
    op.create_table(
        "tax_paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("check_code", sa.String(length=20), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_by_name", sa.String(length=120), nullable=False),
        sa.Column("recorded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'red_invoice') = (corrects_id IS NOT NULL)", name=op.f("ck_tax_paper_corrects_e7b644")
        ),
        sa.CheckConstraint(
            "kind IN ('invoice', 'red_invoice', 'fiscal_receipt')", name=op.f("ck_tax_paper_kind_69fa0a")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_tax_paper_amount_570e62")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_tax_paper_bill_id")),
        sa.ForeignKeyConstraint(["corrects_id"], ["tax_paper.id"], name=op.f("fk_tax_paper_corrects_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_tax_paper_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_paper")),
    )
    op.create_index(op.f("ix_tax_paper_bill_id"), "tax_paper", ["bill_id"], unique=False)
    op.create_index(
        "uq_tax_paper_corrects",
        "tax_paper",
        ["corrects_id"],
        unique=True,
        sqlite_where=sa.text("corrects_id IS NOT NULL"),
        postgresql_where=sa.text("corrects_id IS NOT NULL"),
    )
    op.create_index("uq_tax_paper_number", "tax_paper", ["code", "number"], unique=True)
    op.create_table(
        "dispute_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by_name", sa.String(length=120), nullable=False),
        sa.Column("uploaded_at", kernel_db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dispute_id"], ["payment_dispute.id"], name=op.f("fk_dispute_evidence_dispute_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_dispute_evidence_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_evidence")),
    )
    op.create_index(op.f("ix_dispute_evidence_dispute_id"), "dispute_evidence", ["dispute_id"], unique=False)
    op.create_table(
        "refund_share",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refund_share_amount_570e62")),
        sa.ForeignKeyConstraint(["account"], ["ledger_account.code"], name=op.f("fk_refund_share_account")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_refund_share_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_share")),
    )
    op.create_index(op.f("ix_refund_share_refund_id"), "refund_share", ["refund_id"], unique=False)
    op.create_table(
        "transfer_reversal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("payee_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column(
            "request", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("gateway_ref", sa.String(length=120), nullable=True),
        sa.Column("requested_at", kernel_db.UTCDateTime(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'done' OR (gateway_ref IS NOT NULL)", name=op.f("ck_transfer_reversal_state_done_c653a6")
        ),
        sa.CheckConstraint("state IN ('requested', 'done', 'refused')", name=op.f("ck_transfer_reversal_state_21cbe2")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_reversal_amount_570e62")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_transfer_reversal_payout_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_transfer_reversal_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_reversal")),
        sa.UniqueConstraint("gateway_ref", name=op.f("uq_transfer_reversal_gateway_ref")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_transfer_reversal_idempotency_key")),
    )
    op.create_index(op.f("ix_transfer_reversal_payout_id"), "transfer_reversal", ["payout_id"], unique=False)
    op.create_index(op.f("ix_transfer_reversal_refund_id"), "transfer_reversal", ["refund_id"], unique=False)
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        kernel_db.run_ddl(op.get_bind(), statement)
    op.drop_index("uq_refund_unfinished", table_name="refund")
    with op.batch_alter_table("refund") as batch:
        batch.add_column(sa.Column("submitted_at", kernel_db.UTCDateTime(), nullable=True))
        batch.drop_constraint(op.f("ck_refund_state_9ad9e6"), type_="check")
        batch.create_check_constraint(op.f("ck_refund_state_c97ae0"), NEW_STATES)
        batch.create_check_constraint(op.f("ck_refund_state_submitted_241fc0"), SUBMITTED)
    op.create_index(
        "uq_refund_unfinished",
        "refund",
        ["payment_id", "bill_id"],
        unique=True,
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    _share_what_is_there()
    with op.batch_alter_table("contract_dispute") as batch:
        batch.add_column(sa.Column("proposed_agency_fen", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("agency_fen", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("contract_dispute") as batch:
        batch.drop_column("agency_fen")
        batch.drop_column("proposed_agency_fen")
    op.execute("UPDATE refund SET state = 'approved' WHERE state = 'submitted'")
    op.drop_index("uq_refund_unfinished", table_name="refund")
    with op.batch_alter_table("refund") as batch:
        batch.drop_constraint(op.f("ck_refund_state_submitted_241fc0"), type_="check")
        batch.drop_constraint(op.f("ck_refund_state_c97ae0"), type_="check")
        batch.create_check_constraint(op.f("ck_refund_state_9ad9e6"), OLD_STATES)
        batch.drop_column("submitted_at")
    op.create_index(
        "uq_refund_unfinished",
        "refund",
        ["payment_id", "bill_id"],
        unique=True,
        sqlite_where=OLD_UNFINISHED,
        postgresql_where=OLD_UNFINISHED,
    )

    op.drop_table("transfer_reversal")
    op.drop_table("refund_share")
    op.drop_table("dispute_evidence")
    op.drop_table("tax_paper")
    op.drop_table("payout")
    op.drop_table("payment_dispute")
    op.drop_table("invoice_reminder")
    op.drop_table("bill_release")
    op.drop_table("bill_freeze")
    op.drop_table("bank_account")
    if op.get_bind().dialect.name == "postgresql":
        for function in FUNCTIONS:
            op.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")
