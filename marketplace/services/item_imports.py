"""Use cases of handing in the item list as a table: a dry run that tells every problem, then drafts in one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask_babel import force_locale, gettext
from sqlalchemy import select

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.commands import Plain
from app.kernel.db import db, lock, new_id, use_case
from app.kernel.errors import NotAllowed, Refused
from app.kernel.files import Upload
from app.kernel.spreadsheets import read_table
from app.kernel.transitions import move, record
from app.kernel.words import N_
from marketplace.models.catalogue import ItemImport, ServiceItem
from marketplace.policy import Permission, base_parts
from marketplace.queries.catalogue import ListedContent, listed_contents
from marketplace.rules.categories import CATEGORY_LABELS
from marketplace.rules.item_table import INFORMATION, LABELS, KnownItem, Plan, TableProblem, plan
from marketplace.services import catalogue
from marketplace.states.catalogue import (
    COMMISSIONER_LABELS,
    ITEM_IMPORT,
    PRICING_LABELS,
    ItemImportState,
)

LANGUAGES: Final = ("en", "zh_Hans_CN")
MOST_PROBLEMS: Final = 500


@dataclass(frozen=True)
class HandIn:
    """A table as it was uploaded: CSV or XLSX."""

    file: Upload


@use_case
def check(actor: Actor, command: HandIn) -> UUID:
    """Read a table and note what applying it would do; nothing of the list changes. Returns the id of the import.

    Raises NotAllowed, and Refused when the file is no table.
    """
    if not actor.may(Permission.CATALOGUE_MANAGE):
        raise NotAllowed
    table = _without_information(read_table(command.file.name, command.file.content))
    found = planned(table)
    made = ItemImport(
        id=new_id(),
        file_name=command.file.name[:200],
        file_sha256=hashlib.sha256(command.file.content).hexdigest(),
        table=table,
        problems=[_stored(problem) for problem in found.problems[:MOST_PROBLEMS]],
        new_count=len(found.new),
        changed_count=len(found.changed),
        unchanged_count=len(found.unchanged),
        handed_in_by=actor.user_id,
        handed_in_by_name=actor.name,
        state=ItemImportState.CHECKED,
        created_at=clock.now(),
    )
    made.thread_id = made.id
    db.session.add(made)
    db.session.flush()
    record(made, "checked", actor, title=N_("Table checked"), detail={"file": made.file_name})
    return made.id


@use_case
def apply(actor: Actor, import_id: UUID, command: Plain) -> None:
    """Draft every new item and every changed version of a checked table, all or nothing.

    The table is held against the list of this moment. Raises Refused ("import-problems") while a single row is wrong.
    """
    made = lock(ItemImport, import_id, seen=command.version)
    if ITEM_IMPORT.edge("apply", made.state):
        found = planned(made.table)
        if found.problems:
            raise Refused(
                "import-problems",
                N_("The table has problems (%(count)s). Correct it and hand it in again: nothing was changed."),
                params={"count": len(found.problems)},
            )
        _draft(actor, found)
        made.applied_at = clock.now()
        made.new_count, made.changed_count = len(found.new), len(found.changed)
        made.unchanged_count = len(found.unchanged)
    move(made, ITEM_IMPORT, "apply", actor, base_parts(actor))


@use_case
def discard(actor: Actor, import_id: UUID, command: Plain) -> None:
    """Put a checked table away."""
    made = lock(ItemImport, import_id, seen=command.version)
    move(made, ITEM_IMPORT, "discard", actor, base_parts(actor))


def planned(table: Sequence[Sequence[str]]) -> Plan:
    """What applying a table would do to the list as it stands."""
    known = {entry.code: _known(entry) for entry in listed_contents()}
    return plan(table, known, _headings(), _words())


def _known(entry: ListedContent) -> KnownItem:
    return KnownItem(entry.content, entry.has_draft, entry.is_cancelled)


def _draft(actor: Actor, found: Plan) -> None:
    items = {row.code: row.id for row in db.session.execute(select(ServiceItem.code, ServiceItem.id))}
    for row in found.new:
        catalogue.draft_item(actor, row.content)
    for row in found.changed:
        assert row.code is not None
        catalogue.draft_version(actor, items[row.code], row.content)


def _headings() -> dict[str, str]:
    """Every accepted heading in small letters: the key, and the label in both languages."""
    found = {key: key for key in LABELS}
    for language in LANGUAGES:
        with force_locale(language):
            found |= {str(gettext(label)).lower(): key for key, label in LABELS.items()}
    return found


def _words() -> dict[str, dict[str, str]]:
    tables: dict[str, Mapping[Any, str]] = {
        "category": CATEGORY_LABELS,
        "commissioner": COMMISSIONER_LABELS,
        "pricing_mode": PRICING_LABELS,
    }
    found: dict[str, dict[str, str]] = {
        column: {str(key): str(key) for key in labels} for column, labels in tables.items()
    }
    for language in LANGUAGES:
        with force_locale(language):
            for column, labels in tables.items():
                found[column] |= {str(gettext(label)).lower(): str(key) for key, label in labels.items()}
    return found


def _without_information(table: list[list[str]]) -> list[list[str]]:
    """The table without the columns that an export adds for its readers, and without empty lines at its end."""
    known = set(INFORMATION)
    for language in LANGUAGES:
        with force_locale(language):
            known |= {str(gettext(label)).lower() for label in INFORMATION.values()}
    kept = [place for place, heading in enumerate(table[0] if table else ()) if heading.strip().lower() not in known]
    rows = [[line[place] for place in kept if place < len(line)] for line in table]
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    return rows


def _stored(problem: TableProblem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "column": problem.column,
        "code": problem.code,
        "message": problem.message,
        "params": dict(problem.params),
    }
