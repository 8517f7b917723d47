"""The service item list (中介服务事项清单): items, their versions, the approvals they serve, and imported tables."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import (
    Base,
    JSONValue,
    Stateful,
    UTCDateTime,
    Versioned,
    extra_ddl,
    named_check,
    state_checks,
    uuid_fk,
    uuid_pk,
)
from marketplace.states.catalogue import ITEM_IMPORT, ITEM_VERSION


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
    `qualification_rule` is an expression of `marketplace.rules.qualifications`. It applies from `effective_from` until the day before
    `effective_to`. `drafted_by` wrote its content last; the legality review is by another person (the database holds that too).
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
    change_note: Mapped[str] = mapped_column(String(500), default="")
    drafted_by: Mapped[UUID | None]
    drafted_by_name: Mapped[str] = mapped_column(String(120), default="")
    reviewed_by: Mapped[UUID | None]
    reviewed_by_name: Mapped[str | None] = mapped_column(String(120))
    reviewed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    review_opinion: Mapped[str | None] = mapped_column(Text)
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
        Index("ix_item_version_due", "state", "effective_from"),
        named_check("reviewed_by_another", "reviewed_by IS NULL OR drafted_by IS NULL OR reviewed_by <> drafted_by"),
        named_check("in_force_in_order", "effective_to IS NULL OR effective_to >= effective_from"),
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


class ItemApproval(Base):
    """An approval that one version of an item serves, by the approval's public number: the n:m between the two lists.

    The approvals' own table belongs to the domain above, so the number is the link. It freezes with its version.
    """

    __tablename__ = "item_approval"

    item_version_id: Mapped[UUID] = uuid_fk("item_version.id", index=False, primary_key=True)
    approval_code: Mapped[str] = mapped_column(String(32), primary_key=True)

    __table_args__ = (Index("ix_item_approval_code", "approval_code"),)


def _frozen_with_its_version() -> None:
    def trigger(name: str, when: str, row: str) -> str:
        return (
            f"CREATE TRIGGER item_approval_{name} BEFORE {when} ON item_approval "  # noqa: S608 - names from below
            f"WHEN (SELECT published_at FROM item_version WHERE id = {row}.item_version_id) IS NOT NULL "
            "BEGIN SELECT RAISE(ABORT, 'a published item version never changes'); END"
        )

    extra_ddl(
        ItemApproval,
        sqlite=(
            trigger("no_insert", "INSERT", "NEW"),
            trigger("no_update", "UPDATE", "OLD"),
            trigger("no_delete", "DELETE", "OLD"),
        ),
        postgresql=(
            (
                "CREATE FUNCTION item_approval_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE touched uuid; BEGIN "
                "IF TG_OP = 'INSERT' THEN touched := NEW.item_version_id; ELSE touched := OLD.item_version_id; END IF; "
                "IF (SELECT published_at FROM item_version WHERE id = touched) IS NOT NULL THEN "
                "RAISE EXCEPTION 'a published item version never changes' USING ERRCODE = 'integrity_constraint_violation'; "
                "END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
            ),
            (
                "CREATE TRIGGER item_approval_frozen BEFORE INSERT OR UPDATE OR DELETE ON item_approval "
                "FOR EACH ROW EXECUTE FUNCTION item_approval_frozen()"
            ),
        ),
    )


_frozen_with_its_version()


class ItemImport(Stateful, Versioned, Base):
    """A table of items as it was handed in, and what its check found. Applying it drafts versions; it publishes nothing.

    `table` holds the rows as texts, `problems` what keeps it from being applied. The counts are those of the check.
    """

    __tablename__ = "item_import"
    object_type: ClassVar[str] = "item_import"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    table: Mapped[list[Any]]
    problems: Mapped[list[Any]]
    new_count: Mapped[int] = mapped_column(Integer)
    changed_count: Mapped[int] = mapped_column(Integer)
    unchanged_count: Mapped[int] = mapped_column(Integer)
    handed_in_by: Mapped[UUID | None]
    handed_in_by_name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_item_import_created", "created_at"), *state_checks(ITEM_IMPORT))

    def audience(self) -> tuple[str, ...]:
        """Those who keep the list."""
        return ("role:operator", "role:regulator", "role:auditor")
