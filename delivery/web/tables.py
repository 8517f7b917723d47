"""Which use case takes which edge of our machines over the web."""

from typing import Any, Final
from uuid import UUID

from flask import request

from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action
from app.web.schemas import PlainIn
from delivery import queries, services
from delivery.services import claims, differences, orders, own_courier, returns, second_source, tracking, waybills
from delivery.web.desk_schemas import DecideReturnIn, FileClaimIn, ResolveDifferenceIn
from delivery.web.recipient_tables import WISHES
from delivery.web.schemas import (
    CheckIn,
    ConfirmDeliveryIn,
    EnterNumberIn,
    OfferIn,
    PackIn,
    PrintLabelIn,
    ReasonIn,
    RemoveIn,
    ScanIn,
    TakeOverIn,
)


def present_receiver(actor: Actor, parcel_id: UUID) -> dict[str, Any]:
    """What is written now, as far as this person may see it; a masked number is typed anew."""
    receiver = queries.parcel_view(parcel_id, actor).receiver
    if receiver.masked:
        return {}
    return {"name": receiver.name, "address": receiver.address} | (
        {} if "*" in receiver.mobile else {"mobile": receiver.mobile}
    )


PARCEL_ACTIONS: Final = {
    "contents_ready": Action(orders.declare_contents_ready, PlainIn, done=N_("Packing may begin.")),
    "pack": Action(
        services.pack, PackIn, explain=N_("Compare contents and receiver, close the envelope, note the seal."),
        done=N_("Packed. A second person checks it now."), prefill=lambda _actor, _id: {"weight_g": 120},
    ),
    "return_to_packer": Action(services.return_to_packer, ReasonIn, done=N_("Returned to be packed again.")),
    "check": Action(
        services.check_packing, CheckIn, explain=N_("Compare contents, receiver and seal with the order; somebody else than the packer does this."),
        done=N_("Checked. The waybill number is being asked for."),
    ),
    "enter_number": Action(
        services.enter_number, EnterNumberIn,
        explain=N_("Only where the carrier holds the order but its answer was lost. Ask the carrier for the number first."),
    ),
    "unbook": Action(waybills.unbook, ReasonIn, danger=True),
    "void_waybill": Action(
        services.void_waybill, ReasonIn, danger=True, done=N_("The number is being cancelled at the carrier."),
        explain=N_("The number is cancelled at the carrier and the parcel is packed again under a new seal."),
    ),
    "confirm_delivery": Action(
        services.confirm_delivery, ConfirmDeliveryIn,
        explain=N_("The carrier did not hand it to the receiver in person. Say how you know that it arrived."),
    ),
    "confirm_receipt": Action(services.confirm_receipt, PlainIn, done=N_("Thank you. The delivery is closed.")),
    "take_back": Action(tracking.take_back, PlainIn, done=N_("Received back.")),
    "resend": Action(tracking.resend, ReasonIn, explain=N_("It is packed again under a new seal and gets a new waybill.")),
    "window_pickup": Action(tracking.window_pickup, ReasonIn, explain=N_("Note whom you gave it to and which document you saw.")),
    "settle_loss": Action(tracking.settle_loss, ReasonIn, explain=N_("Note the new order and the claim.")),
    "to_centre": Action(returns.to_centre, ReasonIn, done=N_("Given back.")),
    "lose_in_hall": Action(
        returns.lose_in_hall, ReasonIn, danger=True, explain=N_("The contents are void and made again; the receiver is told. Search first."),
    ),
    "cancel": Action(services.cancel_parcel, ReasonIn, danger=True),
    # no edges of the machine: facts and corrections
    "retry_booking": Action(services.retry_booking, PlainIn, N_("Ask for the number again"), done=N_("Asked again.")),
    "dispute": Action(
        services.dispute, ReasonIn, N_("I did not receive it"), done=N_("The hall looks at it and will call you."),
        explain=N_("Say what you know: who should have it, where you looked."),
    ),
    "decide_return": Action(
        returns.decide_return, DecideReturnIn, N_("Decide at the returns desk"), done=N_("Decided."),
    ),
    "ask_second_source": Action(
        second_source.ask, PlainIn, N_("Ask the second source"), done=N_("It is being asked; its answer stands here in a minute."),
    ),
    "carry_ourselves": Action(
        own_courier.carry_ourselves, PlainIn, N_("Bring it ourselves"), done=N_("The hall's own courier brings it."),
        explain=N_("For addresses within the city: the hall's own courier brings it, under a number of our own."),
    ),
    "leave_to_carrier": Action(own_courier.leave_to_carrier, PlainIn, N_("Leave it to the carrier"), done=N_("The carrier brings it.")),
    "file_claim": Action(
        claims.file_claim, FileClaimIn, N_("Claim against the carrier"), done=N_("Filed. The carrier answers until the day shown on the claim."),
    ),
    "print_label": Action(services.mark_label_printed, PrintLabelIn, N_("Mark the label as printed")),
} | WISHES  # fmt: skip

BATCH_ACTIONS: Final = {
    "offer": Action(
        services.offer_batch, OfferIn, explain=N_("With this you sign that the parcels on the list are ready to be taken."),
        done=N_("Signed for the hall. The courier counts and signs now."),
    ),
    "reopen": Action(services.reopen_batch, ReasonIn),
    "take_over": Action(
        services.take_over, TakeOverIn, explain=N_("Somebody else than the person who signed for the hall signs for the courier."),
        done=N_("Handed over."),
    ),
    "cancel": Action(services.cancel_batch, ReasonIn, danger=True),
    "add": Action(services.add_to_batch, ScanIn, N_("Add a parcel"), done=N_("Added.")),
    "resolve_difference": Action(
        differences.resolve_difference, ResolveDifferenceIn, N_("Clear up a difference"), done=N_("Cleared up."),
        prefill=lambda _actor, _id: {"parcel_id": request.args.get("parcel_id", "")},
    ),
    "remove": Action(services.remove_from_batch, RemoveIn, N_("Take off the list"), done=N_("Taken off the list.")),
}  # fmt: skip
