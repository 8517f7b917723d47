"""The machines of delivery, one aggregate a module. Pure."""

from typing import Final

from delivery.states.batches import BATCH, BatchState
from delivery.states.complaints import COMPLAINT, ComplaintState
from delivery.states.desk import CLAIM, HALL_DAY, ClaimState, HallDayState
from delivery.states.mandates import LETTER, LetterState
from delivery.states.papers import PAPERS, PapersState
from delivery.states.parcels import PARCEL, ParcelState
from delivery.states.parts import STAFF, Part
from delivery.states.rounds import ROUND, RoundState
from delivery.states.settlement import CARRIER_BILL, CarrierBillState

MACHINES: Final = (PARCEL, BATCH, CLAIM, HALL_DAY, CARRIER_BILL, ROUND, LETTER, COMPLAINT, PAPERS)

__all__ = [
    "BATCH",
    "CARRIER_BILL",
    "CLAIM",
    "COMPLAINT",
    "HALL_DAY",
    "LETTER",
    "MACHINES",
    "PAPERS",
    "PARCEL",
    "ROUND",
    "STAFF",
    "BatchState",
    "CarrierBillState",
    "ClaimState",
    "ComplaintState",
    "HallDayState",
    "LetterState",
    "PapersState",
    "ParcelState",
    "Part",
    "RoundState",
]
