"""Money invariants: the database refuses amounts that are no whole fen or beyond what the product holds."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WHOLE = "amount_fen = CAST(amount_fen AS BIGINT) AND abs(amount_fen) <= 999999999999999"
CHECKS = (
    ("bill", "ck_bill_whole_5a82c8", WHOLE),
    ("payment", "ck_payment_whole_5a82c8", WHOLE),
    ("payment", "ck_payment_currency_4a6f24", "currency = 'CNY'"),
    ("payment_bill", "ck_payment_bill_whole_5a82c8", WHOLE),
)


def upgrade() -> None:
    """Add the checks."""
    for table, name, condition in CHECKS:
        with op.batch_alter_table(table) as batch:
            batch.create_check_constraint(batch.f(name), condition)


def downgrade() -> None:
    """Take them away."""
    for table, name, _condition in reversed(CHECKS):
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(batch.f(name), type_="check")
