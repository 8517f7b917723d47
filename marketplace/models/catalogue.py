"""The service item list (中介服务事项清单): items and their versions."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, JSONValue, Stateful, UTCDateTime, extra_ddl, named_check, state_checks, uuid_fk, uuid_pk
from marketplace.states.catalogue import ITEM_VERSION


class ServiceItem(Base):
    """One entry of the list over all its versions; `code` is its public number, e.g. `ZJ-007`."""

    __tablename__ = "service_item"

    id: Mapped[UUID] = uuid_pk()
    code: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    versions: Mapped[list["ItemVersion"]] = relationship(
        back_populates="item", lazy="raise", order_by="ItemVersion.version"
    )


class ItemVersion(Stateful, Base):
    """One version of an entry. Once published its content never changes (a database trigger refuses it too).

    `limit_wd` is the longest service time limit in working days, None when the contract sets it (`by_contract`).
    `guided_min_fen` and `guided_max_fen` bound the price under guided or government pricing.
    `qualification_rule` is an expression of `marketplace.rules.qualifications`.
    """

    __tablename__ = "item_version"
    object_type: ClassVar[str] = "item_version"

    id: Mapped[UUID] = uuid_pk()
    item_id: Mapped[UUID] = uuid_fk("service_item.id", index=False)
    thread_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(32))
    approval_served: Mapped[str] = mapped_column(String(200))
    legal_basis: Mapped[str] = mapped_column(String(500))
    commissioner: Mapped[str] = mapped_column(String(16))
    self_preparation_allowed: Mapped[bool]
    qualification_rule: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    qualification_text: Mapped[str] = mapped_column(String(300))
    limit_wd: Mapped[int | None] = mapped_column(Integer)
    by_contract: Mapped[bool]
    limit_note: Mapped[str] = mapped_column(String(300), default="")
    pricing_mode: Mapped[str] = mapped_column(String(16))
    guided_min_fen: Mapped[int | None] = mapped_column(BigInteger)
    guided_max_fen: Mapped[int | None] = mapped_column(BigInteger)
    price_document: Mapped[str] = mapped_column(String(300), default="")
    deliverable: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16))
    effective_from: Mapped[date | None]
    effective_to: Mapped[date | None]
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    item: Mapped[ServiceItem] = relationship(back_populates="versions", lazy="raise")

    __table_args__ = (
        UniqueConstraint("item_id", "version"),
        # One version of an item is in force at a time: every page, guard and procurement may rely on it.
        Index(
            "uq_item_version_in_force",
            "item_id",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
        Index("ix_item_version_state_category", "state", "category"),
        named_check("limit_or_contract", "(limit_wd IS NULL) = by_contract"),
        named_check("limit_positive", "limit_wd IS NULL OR limit_wd > 0"),
        named_check(
            "guided_range", "guided_min_fen IS NULL OR guided_max_fen IS NULL OR guided_min_fen <= guided_max_fen"
        ),
        *state_checks(ITEM_VERSION),
    )

    def audience(self) -> tuple[str, ...]:
        """Published and earlier versions are public; drafts are seen by those who keep the list."""
        keepers = ("role:operator", "role:regulator", "role:auditor")
        return (*keepers, "public") if self.published_at else keepers


_MAY_STILL_CHANGE = ("state", "effective_to")


def _frozen_once_published() -> None:
    """Let the database refuse what no service does: changing or deleting the content of a version that was published."""
    table = ItemVersion.__table__
    columns = [column.name for column in table.columns if column.name not in _MAY_STILL_CHANGE]
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
    minus = "".join(f" - '{name}'" for name in _MAY_STILL_CHANGE)
    extra_ddl(
        ItemVersion,
        sqlite=(
            (
                "CREATE TRIGGER item_version_frozen BEFORE UPDATE ON item_version "
                f"WHEN OLD.published_at IS NOT NULL AND ({changed}) "
                "BEGIN SELECT RAISE(ABORT, 'a published item version never changes'); END"
            ),
            (
                "CREATE TRIGGER item_version_kept BEFORE DELETE ON item_version WHEN OLD.published_at IS NOT NULL "
                "BEGIN SELECT RAISE(ABORT, 'a published item version is kept'); END"
            ),
        ),
        postgresql=(
            (
                "CREATE FUNCTION item_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF OLD.published_at IS NULL THEN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END IF; "
                f"IF TG_OP = 'UPDATE' AND to_jsonb(NEW){minus} = to_jsonb(OLD){minus} THEN RETURN NEW; END IF; "
                "RAISE EXCEPTION 'a published item version never changes' USING ERRCODE = 'integrity_constraint_violation'; "
                "END $$"
            ),
            (
                "CREATE TRIGGER item_version_frozen BEFORE UPDATE OR DELETE ON item_version "
                "FOR EACH ROW EXECUTE FUNCTION item_version_frozen()"
            ),
        ),
    )


_frozen_once_published()
