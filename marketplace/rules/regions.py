"""Administrative divisions of this installation (GB/T 2260 codes): two digits of province, two of city, two of county.

The data file holds one province; another installation replaces the file. Pure: read once, never written.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True)
class Region:
    """One division. `level` is "province", "city" or "county"."""

    code: str
    name: str
    name_en: str

    @property
    def level(self) -> str:
        """Read from the code's trailing zeroes."""
        if self.code.endswith("0000"):
            return "province"
        return "city" if self.code.endswith("00") else "county"

    @property
    def parent_code(self) -> str:
        """The city of a county, the province of a city; a province is its own."""
        return self.code[:4] + "00" if self.level == "county" else self.code[:2] + "0000"


@cache
def regions() -> dict[str, Region]:
    """Every division by its code, in the order of the codes."""
    text = files("marketplace").joinpath("data/regions.csv").read_text(encoding="utf-8")
    return {row["code"]: Region(**row) for row in csv.DictReader(text.splitlines())}


PROVINCE: Final = "320000"


def cities() -> Iterator[Region]:
    """The cities, in order."""
    return (region for region in regions().values() if region.level == "city")


def covers(wide: str, narrow: str) -> bool:
    """Whether `narrow` is the division `wide` or lies inside it."""
    if wide.endswith("0000"):
        return narrow[:2] == wide[:2]
    return narrow[:4] == wide[:4] if wide.endswith("00") else narrow == wide


def full_name(code: str, *, english: bool = False) -> str:
    """`南京市玄武区` or `Xuanwu District, Nanjing`; an unknown code answers the code itself."""
    region = regions().get(code)
    if region is None:
        return code
    if region.level != "county":
        return region.name_en if english else region.name
    city = regions().get(region.parent_code, region)
    return f"{region.name_en}, {city.name_en}" if english else city.name + region.name
