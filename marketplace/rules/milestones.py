"""Milestones of a contract: shares of the price that sum exactly. Pure; amounts are fen, shares per cent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.kernel.errors import Refused
from app.kernel.money import Money
from app.kernel.words import N_

WHOLE_PERCENT: Final = 100
MOST: Final = 10
_LINE: Final = re.compile(
    r"(?P<title>[^|｜]+)[|｜]\s*(?P<share>[0-9０-９]{1,3})\s*[%％]?\s*(?:[|｜](?P<acceptance>.*))?"
)


@dataclass(frozen=True)
class MilestonePlan:
    """One milestone as agreed: what is handed in, its share of the price in per cent, and how it is accepted."""

    title: str
    share: int
    acceptance: str = ""


def check_milestones(plan: Sequence[MilestonePlan], price_fen: int) -> tuple[int, ...]:
    """The amount of each milestone in fen; together exactly the price.

    Raises Refused for no milestone, more than ten, a share below 1 %, shares that are not 100 % together, or a price too
    small to give every milestone a fen.
    """
    if not 1 <= len(plan) <= MOST:
        raise Refused("milestone-count", N_("A contract has one to ten milestones."), field="milestones")
    if any(not one.title.strip() for one in plan):
        raise Refused("milestone-title", N_("Every milestone needs a name."), field="milestones")
    if any(one.share < 1 for one in plan) or sum(one.share for one in plan) != WHOLE_PERCENT:
        raise Refused(
            "milestone-shares",
            N_("The shares are whole per cents of at least 1 and make 100 together."),
            field="milestones",
        )
    amounts = tuple(part.fen for part in Money(price_fen).allocate([one.share for one in plan]))
    if any(amount < 1 for amount in amounts):
        raise Refused("milestone-amount", N_("The price is too small for so many milestones."), field="milestones")
    return amounts


def read_milestones(text: str) -> tuple[MilestonePlan, ...]:
    """Read milestones as people type them, one a line: "name | share | how it is accepted". Raises Refused, naming the line."""
    found = []
    for number, line in enumerate((row.strip() for row in text.splitlines() if row.strip()), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise Refused(
                "milestone-line",
                N_("Line %(number)s: write the name, the share and how it is accepted, with | between them."),
                field="milestones",
                params={"number": number},
            )
        found.append(MilestonePlan(match["title"].strip(), int(match["share"]), (match["acceptance"] or "").strip()))
    return tuple(found)


def write_milestones(plan: Sequence[MilestonePlan]) -> str:
    """The text that `read_milestones` reads, for a form."""
    return "\n".join(f"{one.title} | {one.share} | {one.acceptance}" for one in plan)
