"""The parts that people and the clock play in delivery. Pure."""

from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """The parts an actor can play towards a parcel or batch."""

    SYSTEM = "system"
    HALL = "hall"
    """Window clerk or certificate centre of the hall."""
    POST = "post"
    """Postal staff on duty in the hall."""
    SUPERVISOR = "supervisor"
    APPLICANT = "applicant"
    ACCOUNTANT = "accountant"
    """Who settles with the carrier for the platform."""
    COURIER = "courier"
    """The person whose round it is."""
    OPERATOR = "operator"
    """Whoever runs the platform: decides complaints that a hall did not settle."""


STAFF: Final = (Part.HALL, Part.POST, Part.SUPERVISOR)
