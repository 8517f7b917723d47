"""The machines of delivery, one aggregate a module. Pure."""

from typing import Final

from delivery.states.batches import BATCH, BatchState
from delivery.states.desk import CLAIM, DAY_CLOSE, ClaimState, DayCloseState
from delivery.states.parcels import PARCEL, ParcelState
from delivery.states.parts import STAFF, Part
from delivery.states.settlement import CARRIER_BILL, CarrierBillState

MACHINES: Final = (PARCEL, BATCH, CLAIM, DAY_CLOSE, CARRIER_BILL)

__all__ = [
    "BATCH",
    "CARRIER_BILL",
    "CLAIM",
    "DAY_CLOSE",
    "MACHINES",
    "PARCEL",
    "STAFF",
    "BatchState",
    "CarrierBillState",
    "ClaimState",
    "DayCloseState",
    "ParcelState",
    "Part",
]
