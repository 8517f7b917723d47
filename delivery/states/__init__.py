"""The machines of delivery, one aggregate a module. Pure."""

from typing import Final

from delivery.states.batches import BATCH, BatchState
from delivery.states.parcels import PARCEL, ParcelState
from delivery.states.parts import STAFF, Part

MACHINES: Final = (PARCEL, BATCH)

__all__ = ["BATCH", "MACHINES", "PARCEL", "STAFF", "BatchState", "ParcelState", "Part"]
