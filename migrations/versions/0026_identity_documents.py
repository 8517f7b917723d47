"""One list of identity documents for letters of authority and for the door."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = "letter_of_authority"
BEFORE = "agent_id_type IN ('resident_card', 'passport', 'hk_macao_permit', 'military', 'driving_licence')"
AFTER = (
    "agent_id_type IN ('resident_card', 'household_book', 'military_or_police', 'travel_permit', 'passport',"
    " 'driving_licence')"
)
RENAMED = {"hk_macao_permit": "travel_permit", "military": "military_or_police"}


def upgrade() -> None:
    _change(
        16,
        20,
        op.f("ck_letter_of_authority_agent_id_type_d45f90"),
        op.f("ck_letter_of_authority_agent_id_type_81c355"),
        AFTER,
        RENAMED,
    )


def downgrade() -> None:
    back = {new: old for old, new in RENAMED.items()} | {"household_book": "resident_card"}
    _change(
        20,
        16,
        op.f("ck_letter_of_authority_agent_id_type_81c355"),
        op.f("ck_letter_of_authority_agent_id_type_d45f90"),
        BEFORE,
        back,
    )


def _change(length: int, new_length: int, check: str, new_check: str, condition: str, renamed: dict[str, str]) -> None:
    wide = max(length, new_length)
    with op.batch_alter_table(TABLE) as table:
        table.drop_constraint(check, type_="check")
        table.alter_column(
            "agent_id_type", existing_type=sa.String(length), type_=sa.String(wide), existing_nullable=False
        )
    letters = sa.table(TABLE, sa.column("agent_id_type", sa.String))
    for old, new in renamed.items():
        op.execute(letters.update().where(letters.c.agent_id_type == old).values(agent_id_type=new))
    with op.batch_alter_table(TABLE) as table:
        table.alter_column(
            "agent_id_type", existing_type=sa.String(wide), type_=sa.String(new_length), existing_nullable=False
        )
        table.create_check_constraint(new_check, condition)
