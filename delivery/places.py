"""Where parcels come from and go to: a hall as the carrier wants its sender, regions by name and code."""

from functools import lru_cache
from typing import Final
from uuid import UUID

from app.identity import queries as identity
from app.web.regions import all_regions, region_code, region_path
from delivery.addresses import Gazetteer
from delivery.ports import Party

HALL_PHONE: Final = "12345"
"""The government service line, for a hall without a number of its own."""


def sender_of(hall_organisation_id: UUID, receiver: Party) -> Party:
    """The hall as sender, its region from its code.

    A municipality's city repeats the province, as the carrier has it. A hall without a region code is taken to be in
    the receiver's county; its own address line stands in any case.
    """
    hall = identity.organisation(hall_organisation_id)
    path = region_path(hall.region_code or "")
    if len(path) < 2:
        path = (receiver.prov, receiver.city, receiver.county)
    prov, county = path[0], path[-1]
    city = path[1] if len(path) > 2 else prov
    return Party(hall.name, hall.phone or HALL_PHONE, prov, city, county, hall.address or hall.name)


def hall_path(hall_organisation_id: UUID) -> tuple[str, ...]:
    """Province, city and county of a hall; empty where it has no region code."""
    return region_path(identity.organisation(hall_organisation_id).region_code or "")


def code_of(prov: str, city: str, county: str) -> str:
    """The region code of a receiver, empty where the names are no region of the list."""
    return region_code(prov, city, county)


def narrowest_code(prov: str, city: str, county: str) -> str:
    """The code of the narrowest of the three that the list knows; empty where it does not even know the province."""
    return region_code(prov, city, county) or region_code(prov, city) or region_code(prov)


def is_known(code: str) -> bool:
    """Whether the six digits are a region of the list."""
    return bool(region_path(code))


def named(code: str) -> tuple[str, str, str] | None:
    """Province, city and county of a county's code; a municipality is its own city. None for anything wider."""
    path = region_path(code)
    if len(path) < 2 or code.endswith("0000"):
        return None
    return path[0], path[1] if len(path) > 2 else path[0], path[-1]


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """All regions, ready to be looked for in a text."""
    return Gazetteer(all_regions())
