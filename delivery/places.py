"""Where parcels come from: a hall as the carrier wants its sender."""

from typing import Final
from uuid import UUID

from app.identity import queries as identity
from app.web.regions import region_path
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
