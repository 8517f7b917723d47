"""The machines of delivery, one aggregate a module. Pure."""

from typing import Final

from delivery.states.batches import BATCH, BatchState
from delivery.states.desk import CLAIM, HALL_DAY, ClaimState, HallDayState
from delivery.states.parcels import PARCEL, ParcelState
from delivery.states.parts import STAFF, Part
from delivery.states.rounds import ROUND, RoundState
from delivery.states.settlement import CARRIER_BILL, CarrierBillState

MACHINES: Final = (PARCEL, BATCH, CLAIM, HALL_DAY, CARRIER_BILL, ROUND)

__all__ = [
    "BATCH",
    "CARRIER_BILL",
    "CLAIM",
    "HALL_DAY",
    "MACHINES",
    "PARCEL",
    "ROUND",
    "STAFF",
    "BatchState",
    "CarrierBillState",
    "ClaimState",
    "HallDayState",
    "ParcelState",
    "Part",
    "RoundState",
]
