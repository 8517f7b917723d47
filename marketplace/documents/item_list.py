"""The item list as a table: the one that comes with the product, and the list in force for a spreadsheet."""

import csv
import json
from collections.abc import Iterable, Iterator
from importlib.resources import files

from flask_babel import gettext

from app.kernel.money import Money
from marketplace.queries.catalogue import ListedContent
from marketplace.rules.item_content import ItemContent
from marketplace.rules.item_table import INFORMATION, LABELS, row_of
from marketplace.states.catalogue import ITEM_VERSION, ItemVersionState


def shipped_items() -> Iterator[tuple[str, ItemContent]]:
    """The item list that comes with the product: (code, content)."""
    text = files("marketplace").joinpath("data/service-items.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield (
            row["code"],
            ItemContent(
                name=row["name"],
                name_en=row["name_en"],
                category=row["category"],
                approval_served=row["approval_served"],
                legal_basis=row["legal_basis"],
                commissioner=row["commissioner"],
                self_preparation_allowed=row["self_preparation_allowed"] == "yes",
                qualification_rule=json.loads(row["qualification_rule"]),
                qualification_text=row["qualification_text"],
                limit_wd=int(row["limit_wd"]) if row["limit_wd"] else None,
                limit_note=row["limit_note"],
                pricing_mode=row["pricing_mode"],
                guided_min_fen=_fen(row["guided_min_yuan"]),
                guided_max_fen=_fen(row["guided_max_yuan"]),
                price_document=row["price_document"],
                deliverable=row["deliverable"],
            ),
        )


def table_rows(entries: Iterable[ListedContent]) -> Iterator[list[str]]:
    """The list as rows for a spreadsheet, the headings first in the reader's language; read again they change nothing."""
    yield [str(gettext(label)) for label in (*LABELS.values(), *INFORMATION.values())]
    for entry in entries:
        state = gettext(ITEM_VERSION.labels[ItemVersionState(entry.state)])
        since = entry.effective_from.isoformat() if entry.effective_from else ""
        yield [*row_of(entry.code, entry.content).values(), str(entry.version), str(state), since]


def _fen(yuan: str) -> int | None:
    return Money.from_yuan(yuan).fen if yuan else None
