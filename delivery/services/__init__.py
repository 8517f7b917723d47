"""The use cases of delivery: the only writers. Others call what is exported here, and `delivery.queries`."""

from delivery.services.batches import (
    AddToBatch,
    OfferBatch,
    TakeOver,
    add_to_batch,
    cancel_batch,
    offer_batch,
    open_batch,
    remove_from_batch,
    reopen_batch,
    take_over,
)
from delivery.services.fees import checked_mode, fee_given_back, fee_paid
from delivery.services.orders import (
    OrderParcel,
    Receiver,
    cancel_parcel,
    confirm_receipt,
    contents_ready,
    dispute,
    give_up,
    order_parcel,
)
from delivery.services.own_courier import carry_ourselves, leave_to_carrier
from delivery.services.packing import Pack, check_packing, pack, return_to_packer
from delivery.services.papers import CollectPapers, collect_papers
from delivery.services.schedules import address_at, point_for, promise_to
from delivery.services.tasks import resolve_task
from delivery.services.tracking import confirm_delivery, poll_due, poll_parcel, record_notice
from delivery.services.waybills import enter_number, mark_label_printed, retry_booking, void_waybill

__all__ = [
    "AddToBatch",
    "CollectPapers",
    "OfferBatch",
    "OrderParcel",
    "Pack",
    "Receiver",
    "TakeOver",
    "add_to_batch",
    "address_at",
    "cancel_batch",
    "cancel_parcel",
    "carry_ourselves",
    "check_packing",
    "checked_mode",
    "collect_papers",
    "confirm_delivery",
    "confirm_receipt",
    "contents_ready",
    "dispute",
    "enter_number",
    "fee_given_back",
    "fee_paid",
    "give_up",
    "leave_to_carrier",
    "mark_label_printed",
    "offer_batch",
    "open_batch",
    "order_parcel",
    "pack",
    "point_for",
    "poll_due",
    "poll_parcel",
    "promise_to",
    "record_notice",
    "remove_from_batch",
    "reopen_batch",
    "resolve_task",
    "retry_booking",
    "return_to_packer",
    "take_over",
    "void_waybill",
]
