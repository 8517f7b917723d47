"""Reads of tables that were handed in for the item list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import NotFound
from marketplace.models.catalogue import ItemImport
from marketplace.policy import Permission


@dataclass(frozen=True, slots=True)
class ImportView:
    """One table with what its check found. `problems` are {row, column, code, message, params}."""

    id: UUID
    thread_id: UUID
    file_name: str
    file_sha256: str
    state: str
    version: int
    new_count: int
    changed_count: int
    unchanged_count: int
    problems: list[dict[str, Any]]
    table: list[list[str]]
    handed_in_by_name: str
    created_at: datetime
    applied_at: datetime | None

    @property
    def title(self) -> str:
        """What pages and forms call it."""
        return self.file_name


def import_view(actor: Actor, import_id: UUID) -> ImportView:
    """One table, for those who keep the list. One statement. NotFound."""
    row = db.session.get(ItemImport, import_id) if actor.may(Permission.CATALOGUE_MANAGE) else None
    if row is None:
        raise NotFound
    return view_of(row)


def view_of(row: ItemImport) -> ImportView:
    """A row as a view."""
    return ImportView(**{name: getattr(row, name) for name in ImportView.__slots__})


def imports_statement() -> Select[ItemImport]:
    """Every table, the latest first."""
    return select(ItemImport).order_by(ItemImport.created_at.desc(), ItemImport.id)
